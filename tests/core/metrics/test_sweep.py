"""A sweep visits every threshold once, in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsad_core.errors import DataError, Undefined
from tsad_core.metrics import sweep as sweeping
from tsad_core.metrics.sweep import anomalies, best, changes, curve, cuts, falling, fixed, ranks, restarted, sweep

FEW = st.lists(st.integers(0, 4), min_size=1, max_size=30)


@settings(deadline=None, database=None)
@given(FEW)
def test_each_cut_is_the_number_of_scores_that_reach_a_distinct_one(scores: list[int]) -> None:
    scores_T = np.array(scores)
    expected = [sum(score >= limit for score in scores) for limit in sorted(set(scores), reverse=True)]
    assert cuts(scores_T, 0).tolist() == expected
    for limit, cut in zip(sorted(set(scores), reverse=True), expected, strict=True):
        assert sorted(falling(scores_T)[:cut]) == np.flatnonzero(scores_T >= limit).tolist()


@settings(deadline=None, database=None)
@given(FEW, st.integers(1, 9))
def test_cuts_of_a_grid_count_the_scores_above_even_thresholds(scores: list[int], grid: int) -> None:
    limits = np.linspace(min(scores), max(scores), grid)
    expected = sorted(sum(score > limit for score in scores) for limit in limits)
    assert cuts(np.array(scores), grid).tolist() == expected


@pytest.mark.parametrize("scores", [[0.0, -0.0, 0.0], [3.0], [7, 7, 7, 7]])
def test_constant_scores_have_one_cut(scores: list[float]) -> None:
    assert cuts(np.array(scores), 0).tolist() == [len(scores)]


def test_ranks_are_places_in_the_fall() -> None:
    scores_T = np.array([2.0, 9.0, 2.0, 5.0])
    assert ranks(scores_T)[falling(scores_T)].tolist() == [0, 1, 2, 3]
    assert ranks(scores_T)[1] == 0


def test_a_sweep_counts_the_finds_of_each_event() -> None:
    # events at 0 to 1, 3, and 5 to 7; scores fall from step 7 to step 0
    found = sweep(np.array([1, 1, 0, 1, 0, 1, 1, 1]), np.arange(8), 0)
    assert found.steps_N.tolist() == [7, 6, 5, 3, 1, 0]
    assert found.event_N.tolist() == [2, 2, 2, 1, 0, 0]
    assert found.nth_N.tolist() == [1, 2, 3, 1, 1, 2]
    assert found.steps_N[found.by_event_N].tolist() == [1, 0, 3, 7, 6, 5]
    # the cuts after 4 and 6 alarms add normal steps only
    assert found.alarms_J.tolist() == [1, 2, 3, 5, 7, 8]
    assert found.found(found.nth_N == 1).tolist() == [1, 1, 1, 2, 3, 3]


def test_sums_that_are_taken_away_again_leave_nothing() -> None:
    rng = np.random.default_rng(0)
    values_N = rng.random(100_000)
    both_N = fixed(np.concatenate([values_N, [0.1]]), 200_001)
    sums_A = curve(np.concatenate([both_N, -both_N[:-1]]), np.arange(200_001), 200_001)
    assert sums_A[-1] == pytest.approx(0.1, abs=1e-12)
    assert sums_A[100_000] == pytest.approx(values_N.sum(), rel=1e-12)


def test_groups_change_from_their_own_last_value() -> None:
    first_N = np.array([True, False, True])
    after_A = curve(changes(np.array([0.5, 0.25, 1.0]), first_N, 3), np.array([0, 2, 1]), 3)
    assert after_A == pytest.approx([0, 0.5, 1.5, 1.25])
    assert restarted(np.array([1, 2, 5]), first_N).tolist() == [1, 3, 5]


def test_the_best_of_no_threshold_is_that_of_no_alarm() -> None:
    assert best(np.array([])) == 0
    assert best(np.array([-3.0])) == 0


def test_labels_without_an_event_have_no_value_and_broken_ones_are_errors() -> None:
    for steps in (0, 1, 4):
        with pytest.raises(Undefined, match="no event"):
            anomalies(np.zeros(steps), np.zeros(steps))
    for labels, scores in ([[0.5], [1.0]], [[1], [np.nan]], [[1], [-np.inf]], [[1, 0], [1.0]], [[[1]], [[1.0]]]):
        with pytest.raises(DataError):
            anomalies(np.array(labels), np.array(scores))


def test_metrics_of_the_same_read_only_arrays_share_one_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    labels_T, scores_T = np.array([1, 0, 1]), np.array([3.0, 1.0, 2.0])
    labels_T.flags.writeable = scores_T.flags.writeable = False
    first = sweep(labels_T, scores_T, 0)
    monkeypatch.setattr(sweeping.np, "argsort", None)
    assert sweep(labels_T, scores_T, 0) is first
    assert ranks(scores_T).tolist() == [0, 2, 1]
