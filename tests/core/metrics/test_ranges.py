"""Range-based metrics keep their promises."""

import doctest
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import ranges
from tsad_core.metrics.ranges import (
    range_auc_pr,
    range_f1,
    range_f1_of,
    range_f1_oracle,
    range_precision,
    range_precision_of,
    range_recall,
    range_recall_of,
)
from tsad_core.metrics.rewards import precision_curve, recall_curves
from tsad_core.testing import check_metric

Metric = Callable[..., float]
AT_A_THRESHOLD = [range_precision, range_recall, range_f1]
BIASES = ["flat", "front", "middle", "back"]
KINDS = list(itertools.product(BIASES, ["reciprocal", "one"]))
SERIES = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=16).filter(
    lambda steps: any(label for label, _ in steps)
)


def plain_reward(run: range, others: list[range], bias: str, cardinality: str) -> float:
    """Reward of one run, from the paper's pseudocode."""
    length = len(run)
    weights = {
        "flat": lambda i: 1,
        "front": lambda i: length - i + 1,
        "back": lambda i: i,
        "middle": lambda i: i if i <= length / 2 else length - i + 1,
    }
    weight = [weights[bias](i) for i in range(1, length + 1)]
    pieces = [set(run) & set(other) for other in others if set(run) & set(other)]
    covered = sum(weight[t - run.start] for piece in pieces for t in piece) / sum(weight)
    return covered / len(pieces) if pieces and cardinality == "reciprocal" else covered


def runs(marks: np.ndarray) -> list[range]:
    edges = np.flatnonzero(np.diff(marks.astype(int), prepend=0, append=0)).tolist()
    return [range(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def plain(
    labels_T: np.ndarray, alarmed_T: np.ndarray, alpha: float, bias: str, cardinality: str
) -> tuple[float | None, float]:
    """Precision, None without an alarm, and recall."""
    events, alarms = runs(labels_T), runs(alarmed_T)
    precision = [plain_reward(alarm, events, bias, cardinality) for alarm in alarms]
    recall = [
        alpha * any(alarmed_T[t] for t in event) + (1 - alpha) * plain_reward(event, alarms, bias, cardinality)
        for event in events
    ]
    return (float(np.mean(precision)) if precision else None), float(np.mean(recall))


def test_examples_run() -> None:
    assert doctest.testmod(ranges).failed == 0


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, range_f1_oracle, range_auc_pr])
def test_the_contract_of_metrics_is_kept(metric: Metric) -> None:
    check_metric(metric)


@settings(deadline=None, database=None)
@given(SERIES, st.sampled_from(KINDS), st.sampled_from([0.0, 0.2, 1.0]))
def test_values_are_those_of_the_plain_definition(
    steps: list[tuple[bool, int]], kind: tuple[str, str], alpha: float
) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    alarmed_T, (bias, cardinality) = scores_T > 2, kind
    precision, recall = plain(labels_T, alarmed_T, alpha, *kind)
    value = range_recall_of(labels_T, alarmed_T, alpha=alpha, bias=bias, cardinality=cardinality)
    assert value == pytest.approx(recall)
    if precision is not None:
        value = range_precision_of(labels_T, alarmed_T, bias=bias, cardinality=cardinality)
        assert value == pytest.approx(precision)


@settings(deadline=None, database=None)
@given(SERIES, st.sampled_from(KINDS), st.sampled_from([0.0, 0.2, 1.0]))
def test_the_oracle_is_the_best_of_all_thresholds_and_blind_to_scale(
    steps: list[tuple[bool, int]], kind: tuple[str, str], alpha: float
) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    options = {"alpha": alpha, "bias": kind[0], "cardinality": kind[1]}
    pairs = [plain(labels_T, scores_T >= limit, alpha, *kind) for limit in scores_T]
    expected = max(2 * p * r / (p + r) if p + r else 0 for p, r in pairs if p is not None)
    value = range_f1_oracle(labels_T=labels_T, scores_T=scores_T, **options)
    assert value == pytest.approx(expected)
    assert range_f1_oracle(labels_T=labels_T, scores_T=np.exp(3.0 * scores_T) - 7, **options) == value


@settings(deadline=None, database=None)
@given(SERIES, st.sampled_from(KINDS))
def test_the_area_is_that_of_the_plain_curve(steps: list[tuple[bool, int]], kind: tuple[str, str]) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    pairs = [plain(labels_T, scores_T >= limit, 0.2, *kind)[::-1] for limit in sorted(set(scores_T.tolist()))[1:]]
    points = [*sorted(pairs, key=lambda pair: (round(pair[0], 9), -pair[1])), (1.0, labels_T.mean())]
    step, trapezoid, before = 0.0, 0.0, (0.0, 1.0)
    for recall, precision in points:
        step += (recall - before[0]) * precision
        trapezoid += (recall - before[0]) * (precision + before[1]) / 2
        before = recall, precision
    options = {"bias": kind[0], "cardinality": kind[1]}
    assert range_auc_pr(labels_T=labels_T, scores_T=scores_T, **options) == pytest.approx(step)
    value = range_auc_pr(labels_T=labels_T, scores_T=scores_T, **options, area="trapezoid")
    assert value == pytest.approx(trapezoid)
    assert range_auc_pr(labels_T=labels_T, scores_T=2 * scores_T - 7, **options) == pytest.approx(step)


@pytest.mark.parametrize(("bias", "cardinality"), KINDS)
def test_the_sweep_of_a_long_series_is_exact_at_every_threshold(bias: str, cardinality: str) -> None:
    rng = np.random.default_rng(0)
    labels_T, scores_T = np.arange(20_000) % 701 < 30, rng.normal(size=20_000).round(3)
    precision_A = precision_curve(labels_T, scores_T, bias, cardinality)
    found_A, reward_A = recall_curves(labels_T, scores_T, bias, cardinality)
    for limit in np.quantile(scores_T, rng.random(20), method="nearest"):
        cut = np.count_nonzero(scores_T >= limit)
        precision = range_precision_of(labels_T, scores_T >= limit, bias=bias, cardinality=cardinality)
        recall = range_recall_of(labels_T, scores_T >= limit, alpha=0.2, bias=bias, cardinality=cardinality)
        assert precision_A[cut] == pytest.approx(precision, abs=1e-11)
        assert 0.2 * found_A[cut] + 0.8 * reward_A[cut] == pytest.approx(recall, abs=1e-11)


@pytest.mark.parametrize(("bias", "recall"), [("flat", 2 / 5), ("front", 9 / 15), ("middle", 3 / 9), ("back", 3 / 15)])
def test_position_in_the_event_weighs_as_solved_by_hand(bias: str, recall: float) -> None:
    labels_T, alarmed_T = np.array([0, 1, 1, 1, 1, 1], dtype=bool), np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    value = range_recall_of(labels_T, alarmed_T, alpha=0, bias=bias, cardinality="one")
    assert value == pytest.approx(recall)


@pytest.mark.parametrize("labels", [[1], [1, 1, 1], [1, 0, 0], [0, 0, 1], [1, 0, 1]])
@pytest.mark.parametrize("bias", BIASES)
def test_perfect_alarms_are_perfect_wherever_the_events_lie(labels: list[int], bias: str) -> None:
    given = {"labels_T": np.array(labels), "scores_T": np.array(labels, dtype=float)}
    assert range_f1_oracle(**given, bias=bias) == pytest.approx(1)
    assert range_auc_pr(**given, bias=bias) == pytest.approx(1)
    assert range_f1(**given, calibration_T=np.zeros(2), bias=bias) == pytest.approx(1)


def test_constant_scores_get_the_share_of_anomalous_steps_as_area() -> None:
    given = {"labels_T": np.array([1, 0, 0, 1]), "scores_T": np.ones(4)}
    assert range_auc_pr(**given) == 0.5
    assert range_auc_pr(**given, area="trapezoid") == 0.75
    # one run over both events: precision (2 / 4) / 2, recall 1
    assert range_f1_oracle(**given) == pytest.approx(0.4)


def test_without_an_alarm_recall_and_f1_are_zero_and_precision_undefined() -> None:
    given = {"labels_T": np.array([0, 1]), "scores_T": np.zeros(2), "calibration_T": np.zeros(3)}
    assert range_recall(**given) == range_f1(**given) == 0
    with pytest.raises(Undefined, match="no alarm"):
        range_precision(**given)


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, range_f1_oracle, range_auc_pr])
def test_what_no_metric_can_use_is_refused_and_no_event_is_undefined(metric: Metric) -> None:
    extra = {"calibration_T": np.zeros(3)} if metric in AT_A_THRESHOLD else {}
    with pytest.raises(Undefined, match="no event"):
        metric(labels_T=np.zeros(3), scores_T=np.arange(3), **extra)
    for labels, scores in ([[0.5, 1], [0, 1]], [[0, 1], [np.inf, 1]], [[0, 1], [1]]):
        with pytest.raises(DataError):
            metric(labels_T=np.array(labels), scores_T=np.array(scores), **extra)


@pytest.mark.parametrize("options", [{"alpha": 1.5}, {"bias": "left"}, {"cardinality": "two"}, {"samples": -1}])
def test_options_outside_the_paper_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        evaluate(range_auc_pr, {"labels_T": np.array([0, 1]), "scores_T": np.array([0.0, 1.0])}, options)


@pytest.mark.parametrize("peer", ["aeon", "prts"])
def test_values_are_those_of_the_parity_file(peer: str, peer_cases: Callable) -> None:
    recalls = [(f"range_recall_a0_{bias}", 0.0, bias, "reciprocal") for bias in BIASES]
    recalls += [(f"range_recall_a0.5_{kind}", 0.5, "flat", kind) for kind in ("one", "reciprocal")]
    for column, alpha, bias, kind in recalls:
        for case in comparable(peer_cases(peer, column)):
            value = range_recall_of(case.labels_T, case.alarmed_T, alpha=alpha, bias=bias, cardinality=kind)
            assert value == pytest.approx(case.value, abs=1e-9), case.kind
    for bias in BIASES:
        for case in comparable(peer_cases(peer, f"range_precision_{bias}")):
            value = range_precision_of(case.labels_T, case.alarmed_T, bias=bias, cardinality="reciprocal")
            assert value == pytest.approx(case.value, abs=1e-9), case.kind
    for case in comparable(peer_cases(peer, "range_f1_pa0_ra0.2")):
        value = range_f1_of(case.labels_T, case.alarmed_T, alpha=0.2, bias="flat", cardinality="reciprocal")
        assert value == pytest.approx(case.value, abs=1e-9), case.kind


def test_values_are_those_of_tsb_ad(peer_cases: Callable) -> None:
    options = {"bias": "flat", "cardinality": "reciprocal"}
    # to TSB-AD a vector of ones holds no run
    for case in comparable(peer_cases("TSB-AD", "range_recall_a0.2"), runs_of_all=False):
        value = range_recall_of(case.labels_T, case.alarmed_T, alpha=0.2, **options)
        assert value == pytest.approx(case.value, abs=1e-9), case.kind
    for case in comparable(peer_cases("TSB-AD", "range_precision"), runs_of_all=False):
        assert range_precision_of(case.labels_T, case.alarmed_T, **options) == pytest.approx(case.value, abs=1e-9)
    for case in comparable(peer_cases("TSB-AD", "range_f1"), runs_of_all=False):
        value = range_f1_of(case.labels_T, case.alarmed_T, alpha=0.2, **options)
        assert value == pytest.approx(case.value, abs=1e-9), case.kind


def test_oracles_on_a_grid_are_those_of_tsb_ad(peer_cases: Callable) -> None:
    cases = [case for case in peer_cases("TSB-AD", "best_range_f1") if 0 < case.labels_T.mean() < 1]
    assert len(cases) == 20
    for case in cases:
        value = range_f1_oracle(labels_T=case.labels_T, scores_T=case.scores_T, grid=100)
        assert value == pytest.approx(case.value, abs=1e-9), case.kind


def test_areas_are_those_of_aeon(peer_cases: Callable) -> None:
    # to aeon constant scores have no area
    cases = [case for case in peer_cases("aeon", "range_pr_auc_50") if case.labels_T.any() and np.ptp(case.scores_T)]
    assert len(cases) == 19
    for case in cases:
        given = {"labels_T": case.labels_T, "scores_T": case.scores_T}
        value = range_auc_pr(**given, alpha=0.5, area="trapezoid", samples=50)
        assert value == pytest.approx(case.value, abs=1e-9), case.kind


def comparable(cases: Callable, *, runs_of_all: bool = True) -> list:
    """Leave out labels without an event, and predictions all alike, which peers give numbers of their own."""
    kept = [case for case in cases if case.labels_T.any() and 0 < case.alarmed_T.mean() < 1]
    kept = [case for case in kept if runs_of_all or not case.labels_T.all()]
    assert len(kept) == (18 if runs_of_all else 17)
    return kept
