"""Simulated anomalies: disjoint in their places, and each kind what its name says."""

import itertools

import numpy as np
import pytest
from tsad_core.anomalies import KINDS, Event, Spread, inject, kinds_within, mark, plan_events
from tsad_core.series import Array

# What each kind does, on a triangle wave of period 8 whose median is 0: 0 1 2 1 0 -1 -2 -1 ...
TRIANGLE_T = np.tile([0.0, 1, 2, 1, 0, -1, -2, -1], 20)


def change(kind: str, start: int, stop: int, seed: int = 0) -> tuple[Array, Array]:
    clean_TC = TRIANGLE_T[:, None].astype(np.float32)
    events = [Event(kind, start, stop, (0,))]
    rng = np.random.default_rng(seed)
    changed_TC = inject(clean_TC, events, about=Spread.of(clean_TC), period=8, rng=rng)
    assert np.array_equal(np.delete(changed_TC, slice(start, stop)), np.delete(clean_TC, slice(start, stop)))
    return clean_TC[start:stop, 0], changed_TC[start:stop, 0]


def test_a_global_point_leaves_the_range_of_its_channel() -> None:
    for step in range(8):
        clean_L, changed_L = change("point-global", step, step + 1)
        assert abs(changed_L[0]) > 2
        assert clean_L[0] * changed_L[0] >= 0


def test_a_contextual_point_stays_in_the_range_on_the_wrong_side() -> None:
    for step in range(8):
        clean_L, changed_L = change("point-contextual", step, step + 1)
        assert abs(changed_L[0]) == 2
        assert clean_L[0] * changed_L[0] <= 0


def test_a_shapelet_is_a_square_wave_of_the_period() -> None:
    clean_L, changed_L = change("shapelet", 8, 32)
    square = changed_L[clean_L != changed_L]
    assert np.count_nonzero(np.abs(np.diff(np.sign(changed_L)))) in {5, 6}
    assert set(np.round(np.abs(square), 1).tolist()) <= {2.0, 1.9, 2.1}


@pytest.mark.parametrize("seed", range(4))
def test_a_seasonal_anomaly_repeats_two_or_three_times_as_often(seed: int) -> None:
    clean_L, changed_L = change("seasonal", 8, 8 + 48, seed)

    def turns(values_L: Array) -> int:
        return int(np.count_nonzero(np.diff(np.sign(values_L[values_L != 0]))))

    assert 1.6 <= turns(changed_L) / turns(clean_L) <= 3.2
    # its own values, but for those moved apart by a tenth of the spread, which is 1
    assert np.abs(changed_L - np.round(changed_L)).max() == pytest.approx(0.1)


def test_a_trend_rises_evenly_from_what_is_normal() -> None:
    clean_L, changed_L = change("trend", 10, 40)
    steps_L = np.diff(changed_L - clean_L)
    assert np.allclose(steps_L, steps_L[0], atol=1e-5)
    assert 3 <= abs(changed_L[-1] - clean_L[-1]) <= 6


def test_a_level_shift_adds_one_number() -> None:
    clean_L, changed_L = change("level-shift", 10, 40)
    assert np.allclose(changed_L - clean_L, changed_L[0] - clean_L[0], atol=1e-5)
    assert 2 <= abs(changed_L[0] - clean_L[0]) <= 4


def test_noise_is_one_to_two_spreads_strong() -> None:
    clean_L, changed_L = change("noise", 0, 160)
    assert 0.8 < (changed_L - clean_L).std() < 2.4


def test_a_broken_correlation_mirrors_the_channel_at_its_median() -> None:
    clean_L, changed_L = change("correlation-break", 8, 16)
    assert changed_L == pytest.approx(np.where(clean_L == 0, 0.1, -clean_L))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, 1e6, -3e-7])
def test_even_a_constant_channel_changes_in_every_cell(kind: str, value: float) -> None:
    clean_TC = np.full((50, 2), value, dtype=np.float32)
    event = Event(kind, 10, 30, (1,))
    changed_TC = inject(clean_TC, [event], about=Spread.of(clean_TC), period=5, rng=np.random.default_rng(0))
    assert np.array_equal(changed_TC != clean_TC, mark([event], clean_TC.shape))
    assert np.isfinite(changed_TC).all()


@pytest.mark.parametrize("kind", KINDS)
def test_missing_values_stay_missing_and_no_others_go(kind: str) -> None:
    clean_TC = np.tile(TRIANGLE_T[:, None], 2).astype(np.float32)
    clean_TC[::3, 0] = np.nan
    clean_TC[:, 1] = np.nan
    event = Event(kind, 10, 30, (0, 1))
    changed_TC = inject(clean_TC, [event], about=Spread.of(clean_TC), period=8, rng=np.random.default_rng(0))
    assert np.array_equal(np.isnan(changed_TC), np.isnan(clean_TC))


@pytest.mark.parametrize("starts", [(0,), (0, 7), (0, 100, 103, 250), tuple(range(0, 300, 9))])
def test_no_event_crosses_the_start_of_a_segment(starts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    plan = list(plan_events(rng, starts=starts, steps=300, channels=3, kinds=["trend"], lengths=(3, 5)))
    assert plan
    for event in plan:
        assert not any(event.start < start < event.stop for start in starts)
    ordered = sorted(plan, key=lambda event: event.start)
    assert all(after.start - before.stop >= 3 for before, after in itertools.pairwise(ordered))


def test_runs_of_labels_have_the_kinds_of_the_events_that_they_lie_in() -> None:
    # in no order of time; of the noise one step is not labelled, of the last trend none is
    events = [Event("trend", 6, 8, (0,)), Event("noise", 0, 4, (0,)), Event("trend", 9, 10, (0,))]
    assert kinds_within(events, np.array([1, 1, 0, 1, 0, 0, 0, 1, 0, 0], dtype=bool)) == ("noise", "noise", "trend")
    assert kinds_within([], np.zeros(3, dtype=bool)) == ()
