"""Metrics of the highest peaks keep their promises."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import ucr
from tsad_core.metrics.ucr import top_3, top_5, ucr_hit

Metric = Callable[..., float]
HITS = pytest.mark.parametrize("metric", [ucr_hit, top_3, top_5])


def test_examples_run() -> None:
    assert doctest.testmod(ucr).failed == 0


@HITS
@pytest.mark.parametrize("labels", [[], [0, 0, 0], [1, 0, 1]])
def test_a_hit_needs_exactly_one_event(metric: Metric, labels: list[int]) -> None:
    with pytest.raises(Undefined, match="not exactly one"):
        metric(labels_T=np.array(labels), scores_T=np.arange(len(labels)))


@HITS
@pytest.mark.parametrize(("step", "hit"), [(299, 0), (300, 1), (405, 1), (510, 1), (511, 0)])
def test_a_hit_may_be_a_hundred_steps_off_on_either_side(metric: Metric, step: int, hit: int) -> None:
    labels_T = np.zeros(1000)
    labels_T[400:411] = 1
    scores_T = np.where(np.arange(1000) == step, 9.0, 0.0)
    # further peaks that miss, so that no plateau is left to chance
    scores_T[[0, 110, 650, 800, 950]] = [5, 4, 3, 2, 1]
    assert metric(labels_T=labels_T, scores_T=scores_T) == hit


@HITS
@pytest.mark.parametrize("steps", [1, 2, 150])
def test_an_event_near_all_steps_is_always_hit(metric: Metric, steps: int) -> None:
    assert metric(labels_T=np.arange(steps) == steps // 2, scores_T=-np.arange(steps)) == 1


def test_tied_highest_scores_hit_by_expectation() -> None:
    labels_T, scores_T = np.arange(1000) == 500, np.zeros(1000)
    scores_T[[450, 100, 800, 900]] = 7
    assert ucr_hit(labels_T=labels_T, scores_T=scores_T) == 0.25


def test_constant_scores_hit_by_chance_wherever_the_event_lies() -> None:
    for event in (150, 250, 5000, 9800):
        given = {"labels_T": np.arange(10_000) == event, "scores_T": np.ones(10_000)}
        assert ucr_hit(**given) == pytest.approx(0.0201)
        assert top_3(**given) == pytest.approx(3 * 0.0201, rel=0.05)
        assert top_5(**given) == pytest.approx(5 * 0.0201, rel=0.07)


@pytest.mark.parametrize(("rank", "in_three", "in_five"), [(1, 1, 1), (3, 1, 1), (4, 0, 1), (5, 0, 1), (6, 0, 0)])
def test_the_highest_peaks_are_counted_from_the_top(rank: int, in_three: int, in_five: int) -> None:
    scores_T = np.zeros(2000)
    scores_T[100::300] = 20 - np.arange(7)
    given = {"labels_T": np.arange(2000) == 100 + 300 * (rank - 1), "scores_T": scores_T}
    assert (top_3(**given), top_5(**given)) == (in_three, in_five)


def test_the_shoulder_of_a_peak_is_no_peak() -> None:
    # one broad peak of 60 steps outranks the event step by step, but is a single peak
    scores_T = np.random.default_rng(2).random(2000)
    scores_T[300:360] = 50 - np.abs(np.arange(60) - 30)
    scores_T[1500] = 5
    labels_T = np.arange(2000) == 1500
    assert ucr_hit(labels_T=labels_T, scores_T=scores_T) == 0
    assert top_3(labels_T=labels_T, scores_T=scores_T) == 1


@pytest.mark.parametrize("seed", range(20))
def test_more_peaks_never_hit_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = {"labels_T": np.arange(3000) == rng.integers(3000), "scores_T": rng.integers(40, size=3000)}
    assert 0 <= ucr_hit(**given) <= top_3(**given) <= top_5(**given) <= 1


def test_peaks_are_those_found_one_by_one() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        scores_T, event, slack = rng.permutation(60), int(rng.integers(60)), int(rng.integers(6))
        left, peaks = set(range(60)), []
        while left and len(peaks) < 3:
            peaks.append(max(left, key=lambda t: scores_T[t]))
            left -= set(range(peaks[-1] - slack, peaks[-1] + slack + 1))
        expected = any(abs(peak - event) <= slack for peak in peaks)
        assert top_3(labels_T=np.arange(60) == event, scores_T=scores_T, slack=slack) == expected


@HITS
def test_hits_refuse_what_they_cannot_use(metric: Metric) -> None:
    given = {"labels_T": np.array([0, 1]), "scores_T": np.array([np.nan, 1.0])}
    with pytest.raises(DataError, match="scores_T is nan"):
        metric(**given)
    with pytest.raises(OptionError, match="slack"):
        evaluate(metric, given, {"slack": -1})


@HITS
def test_scores_are_left_as_they_are(metric: Metric) -> None:
    scores_T = np.arange(500.0)
    scores_T.flags.writeable = False
    metric(labels_T=np.arange(500) == 3, scores_T=scores_T)
    assert np.array_equal(scores_T, np.arange(500.0))
