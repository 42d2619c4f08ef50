"""Contaminated training: nested, spread over the whole part; its sham strikes the same places and stays normal."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tsad_core.corruption import Condition, corrupt
from tsad_core.corruption.segments import free_starts
from tsad_core.errors import Skip
from tsad_core.series import Array, Series


def walk(steps: int = 2000, channels: int = 3, **fields: object) -> Series:
    rng = np.random.default_rng(1)
    values_TC = np.cumsum(rng.standard_normal((steps + 20, channels)), axis=0)
    return Series(name="walk", train_TC=values_TC[:steps], test_TC=values_TC[steps:], **fields)  # type: ignore[arg-type]


# multiples of 1/64, so that nothing is rounded on the way
STEPS = Series(name="steps", train_TC=(np.arange(3000).reshape(1000, 3) * 37 % 101) / 64, test_TC=np.zeros((5, 3)))
PINNED = ["5e7f6d626920ccf3", "d3926191a6188f24", "01e3f8e8560b08a0", "9712da0abcaa230d"]


def polluted(series: Series, level: int, seed: int = 0) -> Series:
    return corrupt(series, Condition("train-anomalies", level), seed=seed).series


def sham(series: Series, level: int, seed: int = 0) -> Series:
    return corrupt(series, Condition("sham-anomalies", level), seed=seed).series


def marks(series: Series) -> Array:
    assert series.train_labels_T is not None
    return series.train_labels_T


@pytest.mark.parametrize(("steps", "channels"), [(100, 1), (999, 1), (2000, 3), (2000, 50), (30_000, 2)])
@pytest.mark.parametrize("level", [1, 5, 30])
def test_the_level_is_the_percentage_of_anomalous_training_steps(steps: int, channels: int, level: int) -> None:
    series = polluted(walk(steps, channels), level)
    assert marks(series).sum() == round(steps * level / 100)


@pytest.mark.parametrize("level", [1, 10, 30])
def test_exactly_the_marked_steps_change_and_the_test_part_does_not(level: int) -> None:
    clean = walk(labels_T=np.zeros(20))
    series = polluted(clean, level)
    assert np.array_equal((series.train_TC != clean.train_TC).any(axis=1), marks(series))
    assert np.array_equal(series.test_TC, clean.test_TC)
    assert (series.name, series.channels) == (clean.name, clean.channels)
    assert series.digest != clean.digest


@pytest.mark.parametrize(("steps", "channels"), [(150, 1), (2000, 4), (25_000, 2)])
def test_a_higher_level_holds_the_lower_one_cell_by_cell(steps: int, channels: int) -> None:
    clean = walk(steps, channels)
    for low, high in itertools.pairwise(polluted(clean, level) for level in (1, 2, 5, 10, 20, 30)):
        changed_TC = low.train_TC != clean.train_TC
        assert changed_TC.any()
        assert np.array_equal(high.train_TC[changed_TC], low.train_TC[changed_TC])
        assert (marks(high) | ~marks(low)).all()


def test_places_depend_on_the_seed_and_the_series_alone() -> None:
    clean = walk()
    assert polluted(clean, 5, seed=1).digest == polluted(walk(), 5, seed=1).digest
    other = replace(clean, test_TC=clean.test_TC + 1)
    placed = [marks(series) for series in (polluted(clean, 5), polluted(clean, 5, seed=1), polluted(other, 5))]
    assert all(not np.array_equal(a, b) for a, b in itertools.combinations(placed, 2))


@pytest.mark.parametrize("level", [5, 10, 30])
@pytest.mark.parametrize("seed", range(5))
def test_the_whole_training_part_gets_its_share(level: int, seed: int) -> None:
    marks_T = marks(polluted(walk(10_000), level, seed))
    for fifth_T in np.split(marks_T, 5):
        assert 0.3 * level / 100 < fifth_T.mean() < 2 * level / 100


def test_amplitudes_grow_with_the_spread_of_the_channel() -> None:
    clean = walk(channels=1)
    scaled = replace(clean, train_TC=clean.train_TC * 1024)
    moved = [np.abs(polluted(s, 30).train_TC - s.train_TC) for s in (clean, scaled)]
    # another series has other places, so only the order of size is compared
    ratio = np.median(moved[1][moved[1] > 0]) / np.median(moved[0][moved[0] > 0])
    assert 400 < ratio < 2600


@pytest.mark.parametrize("value", [0.0, 0.5, -1e6])
def test_a_constant_channel_is_corrupted_too(value: float) -> None:
    clean = Series(name="flat", train_TC=np.full((500, 2), value), test_TC=np.full((10, 2), value))
    series = polluted(clean, 10)
    assert np.array_equal((series.train_TC != clean.train_TC).any(axis=1), marks(series))
    assert marks(series).sum() == 50


def test_missing_values_stay_missing() -> None:
    train_TC = walk().train_TC.copy()
    train_TC[::7, 1] = np.nan
    clean = Series(name="gaps", train_TC=train_TC, test_TC=train_TC[:9], missing=True)
    assert np.array_equal(np.isnan(polluted(clean, 20).train_TC)[::7, 1], np.isnan(train_TC)[::7, 1])


def test_no_event_crosses_the_start_of_a_segment() -> None:
    # segments of 8 steps hold one event of 3 to 5 steps with its gap of 3, so each keeps its last 3 steps
    clean = walk(steps=400, train_starts=tuple(range(0, 400, 8)))
    marks_ST = marks(polluted(clean, 30)).reshape(50, 8)
    assert not marks_ST[:, -3:].any()


def test_steps_known_to_be_anomalous_stay_marked() -> None:
    known_T = np.arange(2000) < 10
    assert marks(polluted(walk(train_labels_T=known_T), 1))[:10].all()


@pytest.mark.parametrize(
    ("steps", "level", "starts"), [(1, 30, (0,)), (7, 30, (0,)), (40, 1, (0,)), (300, 5, tuple(range(0, 300, 7)))]
)
def test_a_series_too_short_for_anomalies_is_skipped_with_one_clear_line(
    steps: int, level: int, starts: tuple[int, ...]
) -> None:
    with pytest.raises(Skip, match=rf"series walk: its {steps} training steps are too few .* in {level} % of them$"):
        polluted(walk(steps, train_starts=starts), level)


def test_what_a_seed_gives_is_the_same_in_every_release() -> None:
    # the digests of the first release; they change only if published numbers may change
    digests = [polluted(STEPS, level, seed).digest for level, seed in [(1, 0), (5, 0), (30, 0), (5, 1)]]
    assert digests == PINNED


@pytest.mark.parametrize("level", [1, 5, 30])
@pytest.mark.parametrize("seed", range(3))
def test_the_sham_strikes_exactly_the_places_of_the_anomalies(level: int, seed: int) -> None:
    clean = walk(2000, 5)
    anomalies, control = (
        corrupt(clean, Condition(kind, level), seed=seed) for kind in ("train-anomalies", "sham-anomalies")
    )
    assert anomalies.train_changed_TC.any()
    assert np.array_equal(anomalies.train_changed_TC, control.train_changed_TC)


def runs(marks_T: Array) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(marks_T.astype(int), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


@pytest.mark.parametrize("starts", [(0,), (0, 700), tuple(range(0, 2000, 100))])
def test_a_sham_segment_is_one_stretch_of_its_segment_elsewhere(starts: tuple[int, ...]) -> None:
    clean = walk(2000, 1, train_starts=starts)
    changed = corrupt(clean, Condition("sham-anomalies", 10), seed=0)
    before_T, after_T = clean.train_TC[:, 0], changed.series.train_TC[:, 0]
    # the values of a random walk are all different, so each tells where it came from
    assert len(set(before_T.tolist())) == len(before_T)
    origin = {value: step for step, value in enumerate(before_T.tolist())}
    for start, stop in runs(changed.train_changed_TC[:, 0]):
        source = [origin[value] for value in after_T[start:stop].tolist()]
        assert source == list(range(source[0], source[0] + stop - start))
        assert not set(source) & set(range(start, stop))
        assert not any(source[0] < first <= source[-1] for first in starts)


def test_a_sham_sets_no_label_and_takes_nothing_anomalous() -> None:
    assert sham(walk(), 10).train_labels_T is None
    known_T = np.arange(2000) % 20 < 10
    clean = walk(2000, 1, train_labels_T=known_T)
    changed = corrupt(clean, Condition("sham-anomalies", 10), seed=0)
    assert np.array_equal(marks(changed.series), known_T)
    struck_T = changed.train_changed_TC[:, 0]
    assert np.isin(changed.series.train_TC[struck_T, 0], clean.train_TC[~known_T, 0]).all()


def test_a_higher_sham_level_holds_the_lower_one_cell_by_cell() -> None:
    clean = walk(2000, 4)
    for low, high in itertools.pairwise(sham(clean, level) for level in (1, 2, 5, 10, 30)):
        changed_TC = low.train_TC != clean.train_TC
        assert changed_TC.any()
        assert np.array_equal(high.train_TC[changed_TC], low.train_TC[changed_TC])


@pytest.mark.parametrize("known", [slice(None), slice(0, 2000, 5)])
def test_a_sham_without_normal_segments_to_take_is_skipped_with_one_clear_line(known: slice) -> None:
    known_T = np.zeros(2000, dtype=bool)
    known_T[known] = True
    with pytest.raises(Skip, match=r"^series walk: sham-anomalies finds no 5 normal training steps in one piece .*$"):
        sham(walk(train_labels_T=known_T), 5)


def test_too_short_for_anomalies_is_too_short_for_the_sham() -> None:
    with pytest.raises(Skip, match="series walk: its 7 training steps are too few"):
        sham(walk(7), 30)


@pytest.mark.parametrize(
    ("taken", "starts", "length", "expected"),
    [
        ([0], (0,), 1, [0]),
        ([0], (0,), 2, []),
        ([1], (0,), 1, []),
        ([0, 0, 0, 0], (0, 1, 2), 1, [0, 1, 2, 3]),
        ([0, 0, 0, 0], (0, 1), 2, [1, 2]),
        ([0, 0, 1, 0, 0], (0,), 2, [0, 3]),
    ],
)
def test_free_stretches_hold_no_taken_step_and_cross_no_start(
    taken: list[int], starts: tuple[int, ...], length: int, expected: list[int]
) -> None:
    assert free_starts(np.array(taken, dtype=bool), starts=starts, length=length).tolist() == expected
