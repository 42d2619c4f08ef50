"""Values are those of other packages, run live; each part is skipped where its package is not installed."""

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tsad_core.metrics.adjusted import pa_f1_oracle
from tsad_core.metrics.affiliation import affiliation_f1_oracle
from tsad_core.metrics.range_auc import r_auc_pr, r_auc_roc
from tsad_core.metrics.ranges import range_f1_oracle
from tsad_core.metrics.ranking import auc_pr, auc_pr_trapezoid, auc_roc
from tsad_core.metrics.vus import vus_pr, vus_roc
from tsad_core.metrics.widths import tsb_period

# peers warn of whatever the newest libraries deprecate
pytestmark = pytest.mark.filterwarnings("ignore")

Metric = Callable[..., float]
Pair = tuple[Metric, Callable[..., float]]


def series(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels with events of many lengths, some at an end or close together, and scores that lag and tie."""
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(60, 700))
    labels_T = np.zeros(steps, dtype=np.int64)
    for start in rng.integers(0, steps, size=rng.integers(1, 9)):
        labels_T[start : start + int(rng.integers(1, 20))] = 1
    labels_T[steps // 2] = 0
    labels_T[:1], labels_T[-1:] = seed % 2, seed % 3 == 0
    labels_T[steps // 3] = 1
    scores_T = rng.normal(size=steps) + 1.5 * np.roll(labels_T, int(rng.integers(0, 9)))
    return labels_T, scores_T.round(1) if seed % 2 else scores_T


def compare(metric: Metric, peer: Callable[[np.ndarray, np.ndarray], float], **options: object) -> None:
    for seed in range(12):
        labels_T, scores_T = series(seed)
        value = metric(labels_T=labels_T, scores_T=scores_T, **options)
        assert value == pytest.approx(peer(labels_T, scores_T), abs=1e-9), seed


@pytest.mark.parametrize(("metric", "name"), [(auc_roc, "roc_auc_score"), (auc_pr_trapezoid, "pr_auc_score")])
def test_aeon_areas(metric: Metric, name: str) -> None:
    aeon = pytest.importorskip("aeon.benchmarking.metrics.anomaly_detection")
    compare(metric, getattr(aeon, name))


@pytest.mark.parametrize("window", [0, 1, 2, 3, 21])
@pytest.mark.parametrize(
    ("metric", "name", "keyword"),
    [
        (vus_roc, "range_roc_vus_score", "max_buffer_size"),
        (vus_pr, "range_pr_vus_score", "max_buffer_size"),
        (r_auc_roc, "range_roc_auc_score", "buffer_size"),
        (r_auc_pr, "range_pr_auc_score", "buffer_size"),
    ],
)
def test_aeon_volumes(metric: Metric, name: str, keyword: str, window: int) -> None:
    aeon = pytest.importorskip("aeon.benchmarking.metrics.anomaly_detection")
    peer = getattr(aeon, name)
    compare(
        metric,
        lambda labels_T, scores_T: peer(labels_T, scores_T, **{keyword: window}),
        window=window,
        definition="aeon",
    )


@pytest.mark.parametrize(("metric", "name"), [(r_auc_roc, "range_roc_auc_score"), (r_auc_pr, "range_pr_auc_score")])
def test_aeon_takes_the_median_event_length(metric: Metric, name: str) -> None:
    aeon = pytest.importorskip("aeon.benchmarking.metrics.anomaly_detection")
    compare(metric, getattr(aeon, name), window="event-median", definition="aeon")


@pytest.fixture(scope="module")
def timeeval() -> types.ModuleType:
    """TimeEval's volumes alone: its package needs Docker, and its NumPy is older than ours."""
    spec = importlib.util.find_spec("timeeval")
    if spec is None or spec.origin is None:
        pytest.skip("timeeval is not installed")
    folder = Path(spec.origin).parent
    for name, path in {"timeeval": folder, "timeeval.metrics": folder / "metrics"}.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(path)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "float_", np.float64, raising=False)
        yield importlib.import_module("timeeval.metrics.vus_metrics")
    for name in [name for name in sys.modules if name.partition(".")[0] == "timeeval"]:
        del sys.modules[name]


@pytest.mark.parametrize("window", [0, 1, 2, 3, 21])
@pytest.mark.parametrize(
    ("metric", "name", "keyword"),
    [
        (vus_roc, "RangeRocVUS", "max_buffer_size"),
        (vus_pr, "RangePrVUS", "max_buffer_size"),
        (r_auc_roc, "RangeRocAUC", "buffer_size"),
        (r_auc_pr, "RangePrAUC", "buffer_size"),
    ],
)
def test_timeeval_volumes(timeeval: types.ModuleType, metric: Metric, name: str, keyword: str, window: int) -> None:
    peer = getattr(timeeval, name)(**{keyword: window})
    compare(metric, peer, window=window, definition="timeeval")


@pytest.mark.parametrize(
    ("module", "name"), [("TSB_AD.evaluation.basic_metrics", "basic_metricor"), ("vus.utils.metrics", "metricor")]
)
@pytest.mark.parametrize("window", [0, 1, 2, 3, 21])
@pytest.mark.parametrize(("metric", "place"), [(vus_roc, -2), (vus_pr, -1)])
def test_volumes_of_the_vus_authors(metric: Metric, module: str, name: str, window: int, place: int) -> None:
    metricor = getattr(pytest.importorskip(module), name)()
    compare(
        metric,
        lambda labels_T, scores_T: metricor.RangeAUC_volume_opt(labels_T, scores_T, window, thre=60)[place],
        window=window,
        grid=60,
    )


@pytest.mark.parametrize("definition", ["tsb-ad", "mma"])
@pytest.mark.parametrize("window", [0, 1, 2, 3, 21])
@pytest.mark.parametrize(("metric", "place"), [(r_auc_roc, 0), (r_auc_pr, 1)])
def test_range_auc_of_the_vus_authors(metric: Metric, definition: str, window: int, place: int) -> None:
    metricor = pytest.importorskip("vus.utils.metrics").metricor()
    compare(
        metric,
        lambda labels_T, scores_T: metricor.RangeAUC(labels_T, scores_T, window, plot_ROC=True)[place],
        window=window,
        definition=definition,
    )


@pytest.mark.parametrize(("metric", "name"), [(auc_roc, "metric_ROC"), (auc_pr, "metric_PR")])
def test_tsb_ad_areas(metric: Metric, name: str) -> None:
    compare(metric, getattr(pytest.importorskip("TSB_AD.evaluation.basic_metrics").basic_metricor(), name))


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (affiliation_f1_oracle, "metric_Affiliation"),
        (range_f1_oracle, "metric_RF1"),
        (pa_f1_oracle, "metric_PointF1PA"),
    ],
)
def test_tsb_ad_best_of_100_thresholds(metric: Metric, name: str) -> None:
    peer = getattr(pytest.importorskip("TSB_AD.evaluation.basic_metrics").basic_metricor(), name)
    for seed in range(12):
        labels_T, scores_T = series(seed)
        # it adjusts no event at step 0
        labels_T[0] = 0
        value = metric(labels_T=labels_T, scores_T=scores_T, grid=100)
        assert value == pytest.approx(peer(labels_T, scores_T), abs=1e-9), seed


def test_tsb_ad_period() -> None:
    find_length_rank = pytest.importorskip("TSB_AD.utils.slidingWindows").find_length_rank
    for seed in range(60):
        rng = np.random.default_rng(seed)
        steps, period = int(rng.integers(50, 30_000)), float(rng.uniform(3, 420))
        file_T = np.sin(np.arange(steps) * 2 * np.pi / period) + rng.uniform(0, 2) * rng.normal(size=steps)
        assert tsb_period(file_T) == find_length_rank(file_T[:, None], rank=1), seed
