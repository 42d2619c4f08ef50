"""Metrics of blame keep their promises."""

import doctest
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from tsad_core.errors import DataError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import attribution, channel_auc_pr, hit_rate_100

Metric = Callable[..., float]
BOTH = pytest.mark.parametrize("metric", [hit_rate_100, channel_auc_pr])


def test_examples_run() -> None:
    assert doctest.testmod(attribution).failed == 0


def one_event(causes_C: list[int], blame_C: list[float]) -> dict[str, np.ndarray]:
    """A series of three steps; the middle one is the event."""
    root_causes_TC, attribution_TC = np.zeros((3, len(causes_C))), np.full((3, len(causes_C)), 99.0)
    root_causes_TC[1], attribution_TC[1] = causes_C, blame_C
    return {"labels_T": np.array([0, 1, 0]), "root_causes_TC": root_causes_TC, "attribution_TC": attribution_TC}


@pytest.mark.parametrize(
    ("causes_C", "blame_C", "expected"),
    [
        ([1, 0], [2, 1], 1),
        ([1, 0], [1, 2], 0),
        ([1, 1, 0, 0], [9, 1, 5, 0], 1 / 2),
        ([1, 1, 1, 0], [1, 2, 3, 4], 2 / 3),
        ([1, 1], [0, 0], 1),
        ([1, 0, 0, 0], [7, 7, 7, 7], 1 / 4),
        ([1, 1, 0, 0], [9, 5, 5, 5], (1 + 1 / 3) / 2),
        ([0, 1, 1, 0], [9, 5, 5, 5], (0 + 2 / 3) / 2),
    ],
)
def test_hit_rate_of_one_event_is_the_one_solved_by_hand(
    causes_C: list[int], blame_C: list[float], expected: float
) -> None:
    assert hit_rate_100(**one_event(causes_C, blame_C)) == pytest.approx(expected)


def test_tied_channels_hit_by_their_expectation_over_all_orders() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        causes_C, blame_C = rng.integers(2, size=5), rng.integers(3, size=5)
        causes_C[0] = 1
        orders = [sorted(order, key=lambda c: -blame_C[c]) for order in itertools.permutations(range(5))]
        guilty = causes_C.sum()
        expected = np.mean([causes_C[order[:guilty]].sum() / guilty for order in orders])
        assert hit_rate_100(**one_event(causes_C.tolist(), blame_C.tolist())) == pytest.approx(expected)


def test_hit_rate_counts_each_event_once_however_long() -> None:
    labels_T = np.array([1, 0, 1, 1, 1, 1, 1, 0, 1])
    causes_TC = np.zeros((9, 3))
    # the first event is found, the second is not, the third has no cause and does not count
    causes_TC[0, 0] = causes_TC[4, 1] = 1
    blame_TC = np.tile([3.0, 1.0, 2.0], (9, 1))
    assert hit_rate_100(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC) == 0.5


def test_hit_rate_ranks_by_the_mean_over_the_event() -> None:
    # channel 1 peaks higher, channel 0 is blamed longer; channel 0 is guilty at one step only
    blame_TC = np.array([[4.0, 9.0], [4.0, 0.0], [4.0, 0.0]])
    causes_TC = np.array([[0, 0], [1, 0], [0, 0]])
    assert hit_rate_100(labels_T=np.ones(3), root_causes_TC=causes_TC, attribution_TC=blame_TC) == 1


@pytest.mark.parametrize("levels", [2, 1000])
def test_channel_average_precision_is_that_of_scikit_learn_on_anomalous_steps(levels: int) -> None:
    rng = np.random.default_rng(2)
    labels_T = rng.random(200) < 0.3
    causes_TC, blame_TC = rng.random((200, 7)) < 0.2, rng.integers(levels, size=(200, 7)).astype(np.float32)
    expected = average_precision_score(causes_TC[labels_T].ravel(), blame_TC[labels_T].ravel())
    value = channel_auc_pr(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC)
    assert value == pytest.approx(expected, abs=1e-12)


@BOTH
def test_normal_steps_do_not_count(metric: Metric) -> None:
    given = one_event([1, 1, 0, 0], [9, 1, 5, 0])
    value = metric(**given)
    given["attribution_TC"][[0, 2]] = np.random.default_rng(3).normal(size=(2, 4))
    given["root_causes_TC"][[0, 2]] = 1
    assert metric(**given) == value < 1


@BOTH
def test_where_nobody_is_to_blame_there_is_no_value(metric: Metric) -> None:
    with pytest.raises(Undefined, match="one channel"):
        metric(**one_event([1], [1]))
    with pytest.raises(Undefined, match="no event has a root cause"):
        metric(**one_event([0, 0], [1, 2]))
    with pytest.raises(Undefined, match="no event in the labels"):
        metric(**{**one_event([1, 0], [1, 2]), "labels_T": np.zeros(3)})


@BOTH
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("attribution_TC", np.zeros((2, 2)), r"expected \(3, 'channels'\)"),
        ("attribution_TC", np.zeros((3, 4)), r"root_causes_TC has \(3, 2\)"),
        ("attribution_TC", np.zeros(3), "attribution_TC has shape"),
        ("attribution_TC", np.full((3, 2), np.nan), "attribution_TC is nan"),
        ("root_causes_TC", np.full((3, 2), 0.5), "root_causes_TC holds 0.5"),
        ("root_causes_TC", np.zeros((4, 2)), "root_causes_TC has shape"),
    ],
)
def test_what_no_metric_can_use_is_refused(metric: Metric, name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        metric(**{**one_event([1, 0], [1, 2]), name: value})


@BOTH
def test_the_runner_can_call_it(metric: Metric) -> None:
    assert evaluate(metric, one_event([1, 0], [2, 1])) == 1
