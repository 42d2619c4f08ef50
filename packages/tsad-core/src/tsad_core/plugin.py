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
        Entry("ucr", "tsad_core.datasets.ucr:ucr", "UCR Anomaly Archive 2021: 250 series, one anomaly each"),
        Entry("smd", "tsad_core.datasets.smd:smd", "Server Machine Dataset: 38 channels, root causes known"),
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
