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
        Entry("deviation", "tsad_core.controls:Deviation", "distance from the training mean: the floor of attribution"),
        Entry("seasonal-naive", "tsad_core.controls:SeasonalNaive", "distance from the value one period before"),
        Entry("linear", "tsad_core.controls:Linear", "distance from the line across a gap of one period"),
    ]


@hookimpl
def tsad_datasets() -> list[Entry]:
    """Name the data sets."""
    return [
        Entry("synthetic", "tsad_core.datasets.synthetic:synthetic", "generated series, every anomaly explained"),
        Entry("injected", "tsad_core.datasets.injected:injected", "simulated anomalies in real clean series: source"),
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
        Entry(
            "dsads", "tsad_core.datasets.dsads:dsads", "DSADS: motion sensors in windows of 5 seconds, as AMSL has it"
        ),
        Entry("pamap2", "tsad_core.datasets.pamap2:pamap2", "PAMAP2: motion sensors, four activities abnormal"),
        Entry("wesad", "tsad_core.datasets.wesad:wesad", "WESAD: sensors on the chest, stress is the anomaly"),
    ]


_METRICS = {
    "vus": {
        "vus-pr": "volume under the precision-recall surface",
        "vus-roc": "volume under the ROC surface",
    },
    "range_auc": {
        "r-auc-pr": "range-aware precision-recall area at one width",
        "r-auc-roc": "range-aware ROC area at one width",
    },
    "ranking": {
        "auc-pr": "average precision",
        "auc-roc": "area under the ROC curve",
        "auc-pr-trapezoid": "area of the trapezoids under precision-recall",
        "auc-pr-relative": "average precision, relative to prevalence",
        "auc-pr-trapezoid-relative": "area of the trapezoids under precision-recall, relative to prevalence",
    },
    "points": {
        "precision": "anomalous share of the alarms",
        "recall": "alarmed share of the anomalous steps",
        "f1": "point-wise F1 at a threshold without labels",
        "f1-oracle": "best point-wise F1 of all thresholds",
        "false-alarm-rate": "alarmed share of the normal steps",
        "false-alarms-per-1000": "alarms among 1,000 normal steps",
        "nominal-false-alarm-rate": "the false-alarm rate the threshold was set for",
    },
    "events": {
        "event-recall": "share of the events that hold an alarm",
        "event-precision": "found events over found events and false alarms",
        "event-f1": "F1 of found events, missed events and false alarms",
        "event-f1-oracle": "best event F1 of all thresholds",
        "composite-f1": "point-wise precision with event recall",
        "composite-f1-oracle": "best composite F1 of all thresholds",
        "detection-delay": "steps from the start of an event to its first alarm",
    },
    "ranges": {
        "range-precision": "how much of each run of alarms lies in events",
        "range-recall": "how much of each event is alarmed, and in how many pieces",
        "range-f1": "harmonic mean of range precision and recall",
        "range-f1-oracle": "best range-based F1 of all thresholds",
        "range-auc-pr": "area under range-based precision over recall",
    },
    "affiliation": {
        "affiliation-precision": "how near alarms are to events",
        "affiliation-recall": "how near events are to alarms",
        "affiliation-f1": "harmonic mean of affiliation precision and recall",
        "affiliation-f1-oracle": "best affiliation F1 of all thresholds",
    },
    "nab": {
        "nab-score": "NAB score at a threshold without labels",
        "nab-score-oracle": "best NAB score of all thresholds",
    },
    "adjusted": {
        "pa-f1": "point-adjusted F1 (inflated)",
        "pa-f1-oracle": "best point-adjusted F1 (inflated)",
        "pa-k-f1": "F1 adjusted where alarms exceed k percent of an event (inflated)",
        "pa-k-f1-oracle": "best PA%K F1 of all thresholds (inflated)",
        "pa-k-auc": "area under the PA%K F1 over k (inflated)",
        "pa-k-auc-oracle": "area under the best PA%K F1 over k (inflated)",
    },
    "ucr": {
        "ucr-hit": "whether the highest score lies on the one anomaly",
        "top-3": "whether one of the three highest peaks lies on the one anomaly",
        "top-5": "whether one of the five highest peaks lies on the one anomaly",
    },
    "attribution": {
        "hit-rate-100": "guilty channels among the most blamed",
        "hit-rate-150": "guilty channels among the most blamed and half as many more",
        "hit-rate-100-corrected": "guilty channels among the most blamed, 0 by chance",
        "hit-rate-150-corrected": "guilty channels among those and half as many more, 0 by chance",
        "channel-auc-pr": "average precision of the blame over channels and steps",
        "channel-auc-pr-corrected": "average precision of the blame, 0 by chance",
    },
    "ndcg": {
        "ndcg-100": "how high guilty channels are ranked",
        "ndcg-150": "how high guilty channels are ranked, among half as many more",
        "ndcg-100-corrected": "how high guilty channels are ranked, 0 by chance",
        "ndcg-150-corrected": "how high guilty channels are ranked, among half as many more, 0 by chance",
    },
    "attribution_by_step": {
        "hit-rate-100-by-step": "hit rate step by step, as OmniAnomaly has it",
        "hit-rate-150-by-step": "hit rate step by step, among half as many more",
        "ndcg-100-by-step": "NDCG step by step, as OmniAnomaly has it",
        "ndcg-150-by-step": "NDCG step by step, among half as many more",
        "hit-rate-100-by-step-corrected": "hit rate step by step, 0 by chance",
        "hit-rate-150-by-step-corrected": "hit rate step by step, among half as many more, 0 by chance",
        "ndcg-100-by-step-corrected": "NDCG step by step, 0 by chance",
        "ndcg-150-by-step-corrected": "NDCG step by step, among half as many more, 0 by chance",
    },
    "ips": {
        "ips-100": "InterFusion's interpretation score",
        "ips-150": "InterFusion's interpretation score, among half as many more channels",
        "ips-100-corrected": "InterFusion's interpretation score, 0 by chance",
        "ips-150-corrected": "InterFusion's interpretation score, among half as many more, 0 by chance",
    },
    "followers": {
        "hit-rate-100-mixad": "MIXAD's event variant: channels that follow the most blamed one",
        "hit-rate-150-mixad": "MIXAD's event variant among half as many more",
        "hit-rate-100-mixad-corrected": "MIXAD's event variant, 0 by chance",
        "hit-rate-150-mixad-corrected": "MIXAD's event variant among half as many more, 0 by chance",
    },
    "restoration": {
        "restoration-skill": "how much of an anomaly the expected values undo",
        "restoration-harm": "how far they are off elsewhere; read it beside the skill",
    },
    "restoration_distances": {
        "restoration-ed-local": "distance of expected from normal values, as in the MMA paper",
        "restoration-dtw-local": "warped distance of expected from normal values",
        "restoration-ed-global": "distance of expected values from the nearest stretch of training",
        "restoration-dtw-global": "warped distance of expected values from the nearest stretch of training",
    },
    "counterfactual": {
        "plausibility": "how normal the expected values of events look, among held-out training windows",
        "share-changed": "share of the cells of events that expected values change",
    },
    "whole_windows": {
        "window-macro-precision": "precision of whole windows, mean of both classes, as AMSL reports it",
        "window-macro-recall": "recall of whole windows, mean of both classes, as AMSL reports it",
        "window-macro-f1": "harmonic mean of macro precision and recall of whole windows",
        "window-accuracy": "share of the windows told right",
    },
}
"""By module: each metric and what it is. Its function has the same name."""


@hookimpl
def tsad_metrics() -> list[Entry]:
    """Name the metrics."""
    return [
        Entry(name, f"tsad_core.metrics.{module}:{name.replace('-', '_')}", summary)
        for module, offered in _METRICS.items()
        for name, summary in offered.items()
    ]
