"""Areas under the curves of a ranking keep their promises."""

import doctest
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score
from tsad_core.errors import DataError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import inputs, ranking
from tsad_core.metrics.ranking import (
    auc_pr,
    auc_pr_relative,
    auc_pr_trapezoid,
    auc_pr_trapezoid_relative,
    auc_roc,
)

Metric = Callable[..., float]


def trapezoid_score(labels_T: np.ndarray, scores_T: np.ndarray) -> float:
    precision, recall, _ = precision_recall_curve(labels_T, scores_T)
    return float(auc(recall, precision))


PEERS = {auc_pr: average_precision_score, auc_roc: roc_auc_score, auc_pr_trapezoid: trapezoid_score}
THREE = pytest.mark.parametrize("metric", PEERS)
RELATIVE = {auc_pr_relative: auc_pr, auc_pr_trapezoid_relative: auc_pr_trapezoid}
ALL = pytest.mark.parametrize("metric", [*PEERS, *RELATIVE])
quick = settings(max_examples=60, deadline=None, derandomize=True)


def example(steps: int, *, levels: int | None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels with both classes, and scores that are tied if there are few levels."""
    rng = np.random.default_rng(seed)
    labels_T = rng.random(steps) < 0.3
    labels_T[:2] = [True, False]
    scores_T = rng.normal(size=steps) if levels is None else rng.integers(levels, size=steps)
    return labels_T, scores_T + labels_T


def test_examples_run() -> None:
    assert doctest.testmod(ranking).failed == 0


@THREE
@pytest.mark.parametrize("steps", [2, 3, 7, 100, 5000])
@pytest.mark.parametrize("levels", [1, 2, 5, None])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_are_those_of_scikit_learn(metric: Metric, steps: int, levels: int | None, dtype: type) -> None:
    labels_T, scores_T = example(steps, levels=levels, seed=steps)
    scores_T = scores_T.astype(dtype)
    expected = PEERS[metric](labels_T, scores_T)
    assert metric(labels_T=labels_T, scores_T=scores_T) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "peer", "name"),
    [
        (auc_pr, "scikit-learn 1.9.1", "auc_pr_average_precision"),
        (auc_pr, "TSB-AD 1.5", "auc_pr"),
        (auc_pr_trapezoid, "scikit-learn 1.9.1", "auc_pr_trapezoid"),
        (auc_pr_trapezoid, "aeon 1.6.0", "auc_pr"),
        (auc_roc, "scikit-learn 1.9.1", "auc_roc"),
        (auc_roc, "TSB-AD 1.5", "auc_roc"),
        (auc_roc, "aeon 1.6.0", "auc_roc"),
    ],
)
def test_values_are_those_of_the_parity_file(metric: Metric, peer: str, name: str) -> None:
    parity = load_parity()
    (column,) = np.flatnonzero((parity["column_peer"] == peer) & (parity["column_metric"] == name))
    compared = 0
    for case in np.flatnonzero(parity["status"][:, column] == 0):
        steps = slice(parity["offset"][case], parity["offset"][case + 1])
        labels_T, scores_T = parity["label"][steps], parity["score"][steps]
        if not labels_T.any() or (peer.startswith("aeon") and np.ptp(scores_T) == 0):
            continue  # without an event there is no value; aeon gives 0 to constant scores
        value = metric(labels_T=labels_T, scores_T=scores_T)
        assert value == pytest.approx(parity["value"][case, column], abs=1e-9), parity["kind"][case]
        compared += 1
    assert compared >= 18


def load_parity() -> dict[str, np.ndarray]:
    """Read the numbers of other packages, or skip."""
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the parity numbers lie beside it")
    path = Path(os.environ["TSAD_DATA"]).parent / "parity" / "metrics_open.npz"
    if not path.exists():
        pytest.skip("there is no parity folder beside TSAD_DATA")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@ALL
def test_without_an_anomalous_step_there_is_no_value(metric: Metric) -> None:
    for steps in (0, 1, 5):
        with pytest.raises(Undefined, match="no event"):
            metric(labels_T=np.zeros(steps, dtype=bool), scores_T=np.arange(steps))


@pytest.mark.parametrize("steps", [1, 3])
def test_all_steps_anomalous_leave_full_precision_and_nothing_else(steps: int) -> None:
    case = {"labels_T": np.ones(steps), "scores_T": np.arange(steps)}
    assert auc_pr(**case) == auc_pr_trapezoid(**case) == 1
    for metric in (auc_roc, auc_pr_relative, auc_pr_trapezoid_relative):
        with pytest.raises(Undefined, match="every step is anomalous"):
            metric(**case)


def test_constant_scores_get_chance_but_for_the_trapezoid() -> None:
    case = {"labels_T": np.array([1, 0, 0, 0]), "scores_T": np.ones(4)}
    assert (auc_pr(**case), auc_roc(**case), auc_pr_relative(**case)) == (0.25, 0.5, 0)
    # the line from precision 1 at recall 0 to 1/4 at recall 1
    assert (auc_pr_trapezoid(**case), auc_pr_trapezoid_relative(**case)) == (0.625, 0.5)


# the two anomalous steps of four are ranked last: precision 0, 1/3, 1/2 from recall 0 to 1/2 to 1
def test_worse_than_chance_is_negative() -> None:
    case = {"labels_T": np.array([1, 1, 0, 0]), "scores_T": np.arange(4)}
    assert auc_pr_relative(**case) == pytest.approx(((1 / 3 + 1 / 2) / 2 - 0.5) / 0.5)
    trapezoid = (0 + 1 / 3) / 4 + (1 / 3 + 1 / 2) / 4
    assert auc_pr_trapezoid_relative(**case) == pytest.approx((trapezoid - 0.5) / 0.5)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Labels with both classes, and scores that may be tied."""
    labels = draw(st.lists(st.booleans(), min_size=2, max_size=25).filter(lambda values: len(set(values)) == 2))
    scores = st.lists(st.integers(-3, 3), min_size=len(labels), max_size=len(labels))
    return {"labels_T": np.array(labels), "scores_T": np.array(draw(scores))}


@ALL
@quick
@given(case=cases(), images=st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=7, unique=True))
def test_a_strictly_rising_map_of_the_scores_changes_nothing(
    metric: Metric, case: dict[str, np.ndarray], images: list[float]
) -> None:
    mapped_T = np.sort(images)[case["scores_T"] + 3]
    assert metric(labels_T=case["labels_T"], scores_T=mapped_T) == metric(**case)


@ALL
@quick
@given(case=cases())
def test_values_keep_their_bounds(metric: Metric, case: dict[str, np.ndarray]) -> None:
    share = case["labels_T"].mean()
    low = -share / (1 - share) if metric in RELATIVE else 0
    assert low <= metric(**case) <= 1


@THREE
@quick
@given(case=cases())
def test_values_are_those_of_scikit_learn_on_whatever_may_come(metric: Metric, case: dict[str, np.ndarray]) -> None:
    assert metric(**case) == pytest.approx(PEERS[metric](case["labels_T"], case["scores_T"]), abs=1e-12)


@pytest.mark.parametrize(("relative", "absolute"), RELATIVE.items())
@quick
@given(case=cases())
def test_relative_values_count_from_prevalence(relative: Metric, absolute: Metric, case: dict[str, np.ndarray]) -> None:
    share = case["labels_T"].mean()
    assert relative(**case) * (1 - share) + share == pytest.approx(absolute(**case), abs=1e-12)


@quick
@given(case=cases())
def test_the_roc_of_the_opposite_scores_is_what_is_missing_to_1(case: dict[str, np.ndarray]) -> None:
    assert auc_roc(labels_T=case["labels_T"], scores_T=-case["scores_T"]) == pytest.approx(1 - auc_roc(**case))


@ALL
@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1], [1.0, 2.0, 3.0], r"scores_T has shape \(3,\); expected \(2,\)"),
        ([0, 1], [[1.0], [2.0]], "scores_T has shape"),
        ([[0, 1]], [1.0], "labels_T has shape"),
        (1, 1.0, "labels_T is a single value"),
        ([0, 1], [1.0, np.nan], r"scores_T is nan at \(1,\)"),
        ([0, 1], [-np.inf, 1.0], r"scores_T is -inf at \(0,\)"),
        ([0, 0.5], [1.0, 2.0], "labels_T holds 0.5; only 0 and 1"),
        ([0, np.nan], [1.0, 2.0], "labels_T holds nan"),
        ([0, 2], [1.0, 2.0], "labels_T holds 2"),
        ([0, 1], [1.0, None], r"scores_T has dtype object; .* convert with astype\(float\)"),
        ([0, 1], ["1", "2"], "scores_T has dtype <U1"),
        ([0, 1], [1.0, 2j], "scores_T has dtype complex128"),
        (np.array([0, 1], dtype=object), [1.0, 2.0], "labels_T has dtype object"),
    ],
)
def test_what_no_metric_can_use_is_refused(metric: Metric, labels: object, scores: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        metric(labels_T=np.array(labels), scores_T=np.array(scores))


@ALL
def test_labels_may_be_numbers(metric: Metric) -> None:
    labels_T, scores_T = example(50, levels=None)
    values = {metric(labels_T=labels_T.astype(kind), scores_T=scores_T) for kind in (bool, np.uint8, np.int64, float)}
    assert len(values) == 1


@ALL
def test_inputs_are_left_as_they_are(metric: Metric) -> None:
    labels_T, scores_T = example(50, levels=None)
    kept = labels_T.copy(), scores_T.copy()
    metric(labels_T=labels_T, scores_T=scores_T)
    assert np.array_equal(labels_T, kept[0])
    assert np.array_equal(scores_T, kept[1])


@ALL
def test_the_runner_can_call_it(metric: Metric) -> None:
    inputs = {"labels_T": np.array([0, 1]), "scores_T": np.array([0.0, 1.0])}
    assert evaluate(metric, inputs) == 1


def frozen(values: object) -> np.ndarray:
    array = np.array(values)
    array.flags.writeable = False
    return array


def counted() -> tuple[Callable[..., float], list[np.ndarray]]:
    calls: list[np.ndarray] = []

    @inputs.shared
    def total(values_T: np.ndarray, factor: int) -> float:
        calls.append(values_T.copy())
        return float(values_T.sum()) * factor

    return total, calls


def test_read_only_arrays_share_a_result() -> None:
    total, calls = counted()
    values_T = frozen([1.0, 2.0])
    assert (total(values_T, 2), total(values_T, 2), total(values_T, 3)) == (6, 6, 9)
    assert len(calls) == 2


def test_an_array_that_may_change_shares_nothing() -> None:
    total, _ = counted()
    values_T = np.array([1.0, 2.0])
    view_T = values_T[:]
    view_T.flags.writeable = False
    for given_T in (values_T, view_T):
        values_T[0] = 1
        assert total(given_T, 1) == 3
        values_T[0] = 5
        assert total(given_T, 1) == 7


def test_a_result_is_gone_with_its_array() -> None:
    total, calls = counted()
    # a freed array's identity is soon given again
    for value in range(50):
        assert total(frozen([float(value)]), 1) == value
    assert len(calls) == 50
