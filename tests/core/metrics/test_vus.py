"""Volumes under the surface keep their promises."""

import doctest
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from tsad_core import windows
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import vus, vus_pr, vus_roc

Metric = Callable[..., float]
BOTH = pytest.mark.parametrize("metric", [vus_pr, vus_roc])


def plain_volumes(labels: list[int], scores: list[float], window: int) -> tuple[float, float]:
    """ROC and precision-recall volume, step by step from the definition."""
    surface = [plain_areas(labels, scores, width) for width in range(window + 1)]
    return sum(roc for roc, _ in surface) / len(surface), sum(pr for _, pr in surface) / len(surface)


def plain_areas(labels: list[int], scores: list[float], width: int) -> tuple[float, float]:
    T, P = len(labels), sum(labels)
    soft, zones = soft_labels(labels, width), merged_zones(labels, width // 2)
    ranked = sorted(scores, reverse=True)
    x, y, roc, pr = 0.0, 0.0, 0.0, 0.0
    for rank in np.linspace(0, T - 1, 250).astype(int):
        alarms = [t for t in range(T) if scores[t] >= ranked[rank]]
        true = sum(soft[t] for t in alarms)
        positive = P + sum(soft[t] for t in alarms if not labels[t]) / 2
        hit = sum(any(first <= t <= last for t in alarms) for first, last in zones) / len(zones)
        recall, false_rate = min(true / positive, 1) * hit, (len(alarms) - true) / (T - positive)
        roc += (false_rate - x) * (recall + y) / 2
        pr += (recall - y) * true / len(alarms)
        x, y = false_rate, recall
    return roc + (1 - x) * (1 + y) / 2, pr


def plain_events(labels: list[int]) -> list[tuple[int, int]]:
    T = len(labels)
    firsts = [t for t in range(T) if labels[t] and (t == 0 or not labels[t - 1])]
    lasts = [t for t in range(T) if labels[t] and (t == T - 1 or not labels[t + 1])]
    return list(zip(firsts, lasts, strict=True))


def soft_labels(labels: list[int], width: int) -> list[float]:
    soft = [float(label) for label in labels]
    for first, last in plain_events(labels):
        for distance in range(1, width // 2 + 1):
            for t in (first - distance, last + distance):
                if 0 <= t < len(soft):
                    soft[t] += math.sqrt(1 - distance / width)
    return [min(label, 1.0) for label in soft]


def merged_zones(labels: list[int], reach: int) -> list[tuple[int, int]]:
    zones: list[tuple[int, int]] = []
    for first, last in plain_events(labels):
        if zones and zones[-1][1] >= first - reach:
            zones[-1] = (zones[-1][0], last + reach)
        else:
            zones.append((first - reach, last + reach))
    return zones


def load_parity() -> dict[str, np.ndarray]:
    """Read the numbers of other packages, or skip."""
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the parity numbers lie beside it")
    path = Path(os.environ["TSAD_DATA"]).parent / "parity" / "metrics_open.npz"
    if not path.exists():
        pytest.skip("there is no parity folder beside TSAD_DATA")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_examples_run() -> None:
    assert doctest.testmod(vus).failed == 0


@BOTH
@pytest.mark.parametrize(
    ("peer", "window"), [*(("TSB-AD 1.5", window) for window in (0, 1, 10, 40)), ("vus 0.0.6", 10), ("vus 0.0.6", 40)]
)
def test_values_are_those_of_the_parity_file(metric: Metric, peer: str, window: int) -> None:
    parity = load_parity()
    name = f"{metric.__name__}_w{window}"
    (column,) = np.flatnonzero((parity["column_peer"] == peer) & (parity["column_metric"] == name))
    cases = np.flatnonzero(parity["status"][:, column] == 0)
    assert len(cases) >= 20
    for case in cases:
        steps = slice(parity["offset"][case], parity["offset"][case + 1])
        value = metric(labels_T=parity["label"][steps], scores_T=parity["score"][steps], window=window)
        assert value == pytest.approx(parity["value"][case, column], abs=1e-9), parity["kind"][case]


@pytest.mark.parametrize("window", [0, 1, 2, 3, 8, 25, 70])
@pytest.mark.parametrize("steps", [2, 3, 17, 60])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_values_are_those_of_the_plain_definition(steps: int, share: float, window: int) -> None:
    rng = np.random.default_rng([steps, window])
    labels_T = (rng.random(steps) < share).astype(int)
    labels_T[rng.permutation(steps)[:2]] = [0, 1]
    scores_T = rng.integers(4, size=steps) if window % 2 else rng.normal(size=steps)
    roc, pr = plain_volumes(labels_T.tolist(), scores_T.tolist(), window)
    assert vus_roc(labels_T=labels_T, scores_T=scores_T, window=window) == pytest.approx(roc, abs=1e-12)
    assert vus_pr(labels_T=labels_T, scores_T=scores_T, window=window) == pytest.approx(pr, abs=1e-12)


def test_values_are_those_of_the_plain_definition_with_more_steps_than_thresholds() -> None:
    rng = np.random.default_rng(9)
    labels_T = (np.arange(700) % 90 < 4).astype(int)
    scores_T = rng.normal(size=700).round(1) + labels_T
    roc, pr = plain_volumes(labels_T.tolist(), scores_T.tolist(), 6)
    assert vus_roc(labels_T=labels_T, scores_T=scores_T, window=6) == pytest.approx(roc, abs=1e-12)
    assert vus_pr(labels_T=labels_T, scores_T=scores_T, window=6) == pytest.approx(pr, abs=1e-12)


def test_without_margins_one_event_gives_the_areas_of_the_ranking() -> None:
    # one threshold per step, no ties, and an event of one step: existence says nothing new
    scores_T = np.random.default_rng(10).permutation(40)
    labels_T = np.arange(40) == 11
    assert vus_pr(labels_T=labels_T, scores_T=scores_T, window=1) == pytest.approx(
        average_precision_score(labels_T, scores_T)
    )
    assert vus_roc(labels_T=labels_T, scores_T=scores_T, window=1) == pytest.approx(roc_auc_score(labels_T, scores_T))


def test_perfect_scores_get_one() -> None:
    labels_T = np.arange(200) % 50 > 40
    assert vus_pr(labels_T=labels_T, scores_T=labels_T * 1.0, window=0) == pytest.approx(1)
    assert vus_roc(labels_T=labels_T, scores_T=labels_T * 1.0, window=0) == pytest.approx(1)


@BOTH
def test_a_near_miss_is_worth_more_than_a_far_one(metric: Metric) -> None:
    labels_T = np.arange(300) == 150
    near, far = (metric(labels_T=labels_T, scores_T=np.arange(300) == step, window=20) for step in (153, 190))
    assert near > far


@BOTH
@pytest.mark.parametrize("window", [1, 5])
def test_only_the_order_of_scores_counts(metric: Metric, window: int) -> None:
    scores_T = np.random.default_rng(11).normal(size=400)
    labels_T = np.arange(400) % 97 < 9
    value = metric(labels_T=labels_T, scores_T=scores_T, window=window)
    assert metric(labels_T=labels_T, scores_T=np.exp(scores_T) - 100, window=window) == value


@BOTH
def test_time_may_run_backwards(metric: Metric) -> None:
    scores_T = np.random.default_rng(12).normal(size=400)
    labels_T = np.arange(400) % 97 < 9
    value = metric(labels_T=labels_T, scores_T=scores_T, window=15)
    assert metric(labels_T=labels_T[::-1], scores_T=scores_T[::-1], window=15) == pytest.approx(value, abs=1e-12)


@BOTH
@pytest.mark.parametrize("window", [0, 7, 1000])
def test_without_an_anomalous_step_there_is_no_value(metric: Metric, window: int) -> None:
    for steps in (0, 1, 5):
        with pytest.raises(Undefined, match="no event"):
            metric(labels_T=np.zeros(steps, dtype=bool), scores_T=np.arange(steps), window=window)


@pytest.mark.parametrize("steps", [1, 5])
def test_all_steps_anomalous_leave_no_roc_but_full_precision(steps: int) -> None:
    given = {"labels_T": np.ones(steps), "scores_T": np.arange(steps)}
    assert vus_pr(**given, window=4) == 1
    with pytest.raises(Undefined, match="every step is anomalous"):
        vus_roc(**given, window=4)


@BOTH
def test_what_no_metric_can_use_is_refused(metric: Metric) -> None:
    with pytest.raises(DataError, match="scores_T has shape"):
        metric(labels_T=np.array([0, 1]), scores_T=np.arange(3), window=2)
    with pytest.raises(DataError, match="scores_T is nan"):
        metric(labels_T=np.array([0, 1]), scores_T=np.array([0, np.nan]), window=2)


@BOTH
def test_the_window_is_the_training_period(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "period", lambda train_TC: 6 + train_TC.shape[1])
    rng = np.random.default_rng(13)
    given = {"labels_T": np.arange(200) % 60 < 5, "scores_T": rng.normal(size=200)}
    inputs = {**given, "train_TC": rng.normal(size=(50, 2))}
    assert evaluate(metric, inputs) == metric(**given, window=8)
    fixed = evaluate(metric, inputs, {"window": 30})
    assert fixed == metric(**given, window=30) != metric(**given, window=8)


@BOTH
def test_the_window_is_a_count_of_steps_or_the_period(metric: Metric) -> None:
    given = {"labels_T": np.array([0, 1]), "scores_T": np.array([0, 1])}
    with pytest.raises(OptionError, match="needs train_TC"):
        metric(**given)
    with pytest.raises(OptionError, match="0 steps or more"):
        metric(**given, window=-1)
    for window in (-1, True, 2.5, "week"):
        with pytest.raises(OptionError, match="window"):
            evaluate(metric, given, {"window": window})


def frozen(values_T: np.ndarray) -> np.ndarray:
    values_T.flags.writeable = False
    return values_T


def test_both_volumes_of_read_only_scores_share_one_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    soft = vus._soft
    monkeypatch.setattr(vus, "_soft", lambda margin, window: calls.append(window) or soft(margin, window))
    rng = np.random.default_rng(14)
    labels_T = frozen(np.arange(200) % 60 < 5)
    for _ in range(3):
        scores_T = frozen(rng.normal(size=200))
        shared = [vus_roc(labels_T=labels_T, scores_T=scores_T, window=9)]
        shared += [vus_pr(labels_T=labels_T, scores_T=scores_T, window=9)]
        fresh_T = scores_T.copy()
        alone = [metric(labels_T=labels_T, scores_T=fresh_T, window=9) for metric in (vus_roc, vus_pr)]
        assert shared == alone
    assert len(calls) == 3 + 2 * 3


def test_changed_scores_get_a_new_value() -> None:
    labels_T, scores_T = frozen(np.arange(50) == 20), np.arange(50) * 1.0
    before = vus_pr(labels_T=labels_T, scores_T=scores_T, window=5)
    scores_T[20] = 100
    assert vus_pr(labels_T=labels_T, scores_T=scores_T, window=5) > before
