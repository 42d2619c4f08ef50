"""Areas under the curves of a ranking keep their promises."""

import doctest
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from tsad_core.errors import DataError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import auc_pr, auc_roc, inputs, ranking

PEERS = {auc_pr: average_precision_score, auc_roc: roc_auc_score}
BOTH = pytest.mark.parametrize("metric", PEERS)
Metric = Callable[..., float]


def example(steps: int, *, levels: int | None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels with both classes, and scores that are tied if there are few levels."""
    rng = np.random.default_rng(seed)
    labels_T = rng.random(steps) < 0.3
    labels_T[:2] = [True, False]
    scores_T = rng.normal(size=steps) if levels is None else rng.integers(levels, size=steps)
    return labels_T, scores_T + labels_T


def test_examples_run() -> None:
    assert doctest.testmod(ranking).failed == 0


@BOTH
@pytest.mark.parametrize("steps", [2, 3, 7, 100, 5000])
@pytest.mark.parametrize("levels", [1, 2, 5, None])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_are_those_of_scikit_learn(metric: Metric, steps: int, levels: int | None, dtype: type) -> None:
    labels_T, scores_T = example(steps, levels=levels, seed=steps)
    scores_T = scores_T.astype(dtype)
    expected = PEERS[metric](labels_T, scores_T)
    assert metric(labels_T=labels_T, scores_T=scores_T) == pytest.approx(expected, abs=1e-12)


@BOTH
def test_values_are_those_of_the_parity_file(metric: Metric) -> None:
    name, column_metric = ("auc_pr_average_precision", 1) if metric is auc_pr else ("auc_roc", 0)
    parity = load_parity()
    assert parity["column_metric"][column_metric] == name
    for case in np.flatnonzero(parity["status"][:, column_metric] == 0):
        steps = slice(parity["offset"][case], parity["offset"][case + 1])
        if not parity["label"][steps].any():
            continue
        value = metric(labels_T=parity["label"][steps], scores_T=parity["score"][steps])
        assert value == pytest.approx(parity["value"][case, column_metric], abs=1e-9), parity["kind"][case]


def load_parity() -> dict[str, np.ndarray]:
    """Read the numbers of other packages, or skip."""
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the parity numbers lie beside it")
    path = Path(os.environ["TSAD_DATA"]).parent / "parity" / "metrics_open.npz"
    if not path.exists():
        pytest.skip("there is no parity folder beside TSAD_DATA")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@BOTH
def test_without_an_anomalous_step_there_is_no_value(metric: Metric) -> None:
    for steps in (0, 1, 5):
        with pytest.raises(Undefined, match="no event"):
            metric(labels_T=np.zeros(steps, dtype=bool), scores_T=np.arange(steps))


def test_all_steps_anomalous_leave_no_roc_but_full_precision() -> None:
    given = {"labels_T": np.ones(3), "scores_T": np.arange(3)}
    assert auc_pr(**given) == 1
    with pytest.raises(Undefined, match="every step is anomalous"):
        auc_roc(**given)


def test_constant_scores_get_chance() -> None:
    given = {"labels_T": np.array([1, 0, 0, 0]), "scores_T": np.ones(4)}
    assert (auc_pr(**given), auc_roc(**given)) == (0.25, 0.5)


@BOTH
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
    ],
)
def test_what_no_metric_can_use_is_refused(metric: Metric, labels: object, scores: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        metric(labels_T=np.array(labels), scores_T=np.array(scores))


@BOTH
def test_labels_may_be_numbers(metric: Metric) -> None:
    labels_T, scores_T = example(50, levels=None)
    values = {metric(labels_T=labels_T.astype(kind), scores_T=scores_T) for kind in (bool, np.uint8, np.int64, float)}
    assert len(values) == 1


@BOTH
def test_inputs_are_left_as_they_are(metric: Metric) -> None:
    labels_T, scores_T = example(50, levels=None)
    kept = labels_T.copy(), scores_T.copy()
    metric(labels_T=labels_T, scores_T=scores_T)
    assert np.array_equal(labels_T, kept[0])
    assert np.array_equal(scores_T, kept[1])


@BOTH
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
