"""What tsad-core itself offers, through the same hooks as everybody else."""

from tsad_core.hookspecs import Entry, hookimpl


@hookimpl
def tsad_detectors() -> list[Entry]:
    """Name the controls: the floors that every detector must clear."""
    return [
        Entry("random", "tsad_core.controls:Random", "uniform noise: the floor of every metric"),
        Entry("moving-average", "tsad_core.controls:MovingAverage", "distance from the moving average"),
        Entry("k-means", "tsad_core.controls:KMeans", "distance of each window from its nearest cluster centre"),
        Entry("pca", "tsad_core.controls:PCA", "what principal components leave of each window (Sub-PCA)"),
        Entry("matrix-profile", "tsad_core.controls:MatrixProfile", "distance of each window from its nearest one"),
    ]


@hookimpl
def tsad_datasets() -> list[Entry]:
    """Name the data sets."""
    return [
        Entry("synthetic", "tsad_core.datasets.synthetic:synthetic", "generated series, every anomaly explained"),
        Entry("csv", "tsad_core.datasets.csv:csv", "your own CSV or parquet file: --set csv.path=my.csv"),
        Entry("ucr", "tsad_core.datasets.ucr:ucr", "UCR Anomaly Archive 2021: 250 series, one anomaly each"),
        Entry("smd", "tsad_core.datasets.smd:smd", "Server Machine Dataset: 38 channels, root causes known"),
        Entry("asd", "tsad_core.datasets.asd:asd", "Application Server Dataset: 19 channels, root causes known"),
        Entry("smap", "tsad_core.datasets.nasa:smap", "NASA SMAP telemetry: 54 channels, with the commands"),
        Entry("msl", "tsad_core.datasets.nasa:msl", "NASA MSL (Curiosity) telemetry: 27 channels, with the commands"),
        Entry("nab", "tsad_core.datasets.nab:nab", "Numenta Anomaly Benchmark: 58 series, windows of time as labels"),
        Entry("tsb-ad-u", "tsad_core.datasets.tsb_ad:tsb_ad_u", "TSB-AD-U: 870 curated series of one channel"),
        Entry("tsb-ad-m", "tsad_core.datasets.tsb_ad:tsb_ad_m", "TSB-AD-M: 200 curated series of several channels"),
        Entry("swat", "tsad_core.datasets.swat:swat", "Secure Water Treatment: 51 channels of a treatment plant"),
        Entry("psm", "tsad_core.datasets.psm:psm", "Pooled Server Metrics: 25 channels of eBay's servers"),
        Entry("msds", "tsad_core.datasets.msds:msds", "MSDS: metrics of OpenStack hosts, cut as TranAD does"),
        Entry("pamap2", "tsad_core.datasets.pamap2:pamap2", "PAMAP2: motion sensors, four activities abnormal"),
        Entry("wesad", "tsad_core.datasets.wesad:wesad", "WESAD: sensors on the chest, stress is the anomaly"),
    ]


@hookimpl
def tsad_metrics() -> list[Entry]:
    """Name the metrics."""
    return [
        Entry("vus-pr", "tsad_core.metrics.vus:vus_pr", "volume under the precision-recall surface"),
        Entry("vus-roc", "tsad_core.metrics.vus:vus_roc", "volume under the ROC surface"),
        Entry("auc-pr", "tsad_core.metrics.ranking:auc_pr", "average precision"),
        Entry("auc-roc", "tsad_core.metrics.ranking:auc_roc", "area under the ROC curve"),
        Entry("f1", "tsad_core.metrics.events:f1", "point-wise F1 at a threshold without labels"),
        Entry("false-alarm-rate", "tsad_core.metrics.events:false_alarm_rate", "alarmed share of the normal steps"),
        Entry(
            "nominal-false-alarm-rate",
            "tsad_core.metrics.events:nominal_false_alarm_rate",
            "the false-alarm rate the threshold was set for",
        ),
        Entry("ucr-hit", "tsad_core.metrics.events:ucr_hit", "whether the highest score lies on the one anomaly"),
        Entry("top-3", "tsad_core.metrics.events:top_3", "whether one of the three highest peaks does"),
        Entry("top-5", "tsad_core.metrics.events:top_5", "whether one of the five highest peaks does"),
        Entry("hit-rate-100", "tsad_core.metrics.attribution:hit_rate_100", "guilty channels among the most blamed"),
        Entry(
            "channel-auc-pr",
            "tsad_core.metrics.attribution:channel_auc_pr",
            "average precision of the blame over channels and steps",
        ),
    ]
