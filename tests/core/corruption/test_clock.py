"""Resampling: shorter by its level, straight between the steps, and no event lost."""

import numpy as np
import pytest
from tsad_core.corruption import Condition, corrupt
from tsad_core.series import Array, Series


def ramp(steps: int, **fields: object) -> Series:
    values_TC = np.stack([np.arange(steps), -2.0 * np.arange(steps)], axis=1)
    return Series(name="ramp", train_TC=values_TC, test_TC=values_TC, **fields)  # type: ignore[arg-type]


def slowed(clean: Series, level: int, parts: str = "test") -> tuple[Series, Array]:
    changed = corrupt(clean, Condition("resampling", level, parts), seed=0)
    assert changed.clock_T is not None
    assert changed.clock_T.dtype == np.int64
    return changed.series, changed.clock_T


@pytest.mark.parametrize("steps", [1, 2, 3, 100, 1001])
@pytest.mark.parametrize("level", [1, 10, 25, 50])
def test_the_level_is_the_percentage_by_which_the_part_is_shorter(steps: int, level: int) -> None:
    series, clock_T = slowed(ramp(steps), level)
    # half a step counts as one
    assert len(series.test_TC) == int(steps * (100 - level) / 100 + 0.5)
    assert len(series.train_TC) == len(clock_T) == steps


def test_a_slower_clock_as_solved_by_hand() -> None:
    # three steps for four: at 0, 4/3 and 8/3 of the clean clock
    clean = ramp(4, labels_T=[0, 1, 0, 0], root_causes_TC=[[0, 0], [0, 1], [0, 0], [0, 0]], normal_TC=np.eye(4, 2))
    changed = corrupt(clean, Condition("resampling", 25), seed=0)
    series = changed.series
    assert series.test_TC[:, 0] == pytest.approx([0, 4 / 3, 8 / 3])
    assert series.test_TC[:, 1] == pytest.approx([0, -8 / 3, -16 / 3])
    assert changed.clock_T is not None
    assert changed.clock_T.tolist() == [0, 1, 2, 2]
    assert series.labels_T is not None
    assert series.labels_T.tolist() == [False, True, False]
    assert series.root_causes_TC is not None
    assert series.root_causes_TC.tolist() == [[False, False], [False, True], [False, False]]
    assert series.normal_TC is not None
    assert series.normal_TC == pytest.approx(np.array([[1, 0], [0, 2 / 3], [0, 0]]))
    # the nearest clean steps are 0, 1 and 3
    assert changed.test_changed_TC.tolist() == [[False, False], [True, True], [True, True]]


@pytest.mark.parametrize("level", [1, 7, 33, 50])
def test_each_clean_step_goes_with_the_nearest_slow_one(level: int) -> None:
    series, clock_T = slowed(ramp(203), level)
    place_S = series.test_TC[:, 0]  # the ramp's value is its place on the clean clock
    distance_TS = np.abs(np.arange(203)[:, None] - place_S)
    assert distance_TS[np.arange(203), clock_T] == pytest.approx(distance_TS.min(axis=1), abs=1e-4)


@pytest.mark.parametrize("level", [1, 20, 50])
def test_no_event_vanishes_and_none_appears(level: int) -> None:
    rng = np.random.default_rng(0)
    labels_T = rng.random(500) < 0.05
    series, clock_T = slowed(ramp(500, labels_T=labels_T, root_causes_TC=np.stack([labels_T, labels_T], 1)), level)
    assert series.labels_T is not None
    for step, label in enumerate(series.labels_T):
        assert label == labels_T[clock_T == step].any()
    assert series.labels_T[clock_T][labels_T].all()


@pytest.mark.parametrize("starts", [(0, 1, 41, 42, 100), tuple(range(0, 200, 2)), tuple(range(0, 200, 3))])
@pytest.mark.parametrize("level", [25, 30, 50])
def test_segments_stay_apart(starts: tuple[int, ...], level: int) -> None:
    clean = ramp(200, test_starts=starts)
    series, clock_T = slowed(clean, level)
    assert series.test_starts == tuple(clock_T[list(starts)].tolist())
    segment_T = np.searchsorted(starts, np.arange(200), side="right")
    segment_S = np.searchsorted(series.test_starts, np.arange(len(series.test_TC)), side="right")
    assert np.array_equal(segment_S[clock_T], segment_T)
    # the ramp's value is its place on the clean clock: none lies between two segments
    first_S, last_S = np.array(starts)[segment_S - 1], np.append(starts[1:], 200)[segment_S - 1] - 1
    assert (first_S <= series.test_TC[:, 0]).all()
    assert (series.test_TC[:, 0] <= last_S).all()


def test_both_parts_get_the_slower_clock_if_asked() -> None:
    clean = ramp(100, train_labels_T=np.arange(100) == 57, train_starts=(0, 50), sampling_period=3.0)
    series, _ = slowed(clean, 40, "both")
    assert len(series.train_TC) == len(series.test_TC) == 60
    assert series.train_starts == (0, 30)
    assert series.train_labels_T is not None
    # step 57 is 7 into its segment; 7 * 0.6 = 4.2
    assert np.flatnonzero(series.train_labels_T).tolist() == [34]
    assert series.sampling_period == pytest.approx(5.0)
    assert slowed(clean, 40)[0].sampling_period == 3.0


def test_a_value_beside_a_missing_one_is_missing() -> None:
    values_TC = ramp(8).test_TC.copy()
    values_TC[2, 0] = np.nan
    clean = Series(name="gap", train_TC=values_TC, test_TC=values_TC, missing=True)
    # slow steps at 0, 4/3, 8/3, 4, ...: the second and third lie beside step 2
    assert np.isnan(slowed(clean, 25)[0].test_TC[:, 0]).tolist() == [False, True, True, False, False, False]
    # slow steps at 0, 2, 4, 6: one of them is the missing step itself
    assert np.isnan(slowed(clean, 50)[0].test_TC[:, 0]).tolist() == [False, True, False, False]


def test_a_slow_step_right_on_a_clean_one_has_its_value_whatever_comes_next() -> None:
    values_TC = ramp(6).test_TC.copy()
    values_TC[3, 0] = np.nan
    clean = Series(name="gap", train_TC=values_TC, test_TC=values_TC, missing=True)
    assert slowed(clean, 50)[0].test_TC[:, 0].tolist() == [0, 2, 4]


def test_events_of_a_slower_clock_have_no_kinds() -> None:
    labels_T = np.isin(np.arange(10), [2, 4])
    slow, _ = slowed(ramp(10, labels_T=labels_T, event_kinds=("trend", "noise")), 50)
    assert slow.event_kinds == ()
