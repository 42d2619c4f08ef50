"""Channels that stand still, and channels that change places."""

import numpy as np
import pytest
from tsad_core.corruption import Condition, corrupt
from tsad_core.errors import Skip
from tsad_core.series import Series


def noisy(train: int = 200, test: int = 300, channels: int = 10, **fields: object) -> Series:
    values_TC = np.random.default_rng(2).standard_normal((train + test, channels))
    made: dict[str, object] = {"train_TC": values_TC[:train], "test_TC": values_TC[train:]}
    return Series(name="noisy", **{**made, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [1, 4, 9])
@pytest.mark.parametrize("seed", range(3))
def test_so_many_channels_stand_still_at_their_last_value(level: int, seed: int) -> None:
    clean = noisy()
    changed = corrupt(clean, Condition("dead-channels", level), seed=seed)
    assert len(changed.channels) == level
    onsets = set()
    for channel in changed.channels:
        onset = int(np.argmax(changed.test_changed_TC[:, channel])) - 1
        assert 0 <= onset < 150
        assert (changed.series.test_TC[onset:, channel] == clean.test_TC[onset, channel]).all()
        onsets.add(onset)
    assert len(onsets) > level // 2


def test_the_same_channels_die_in_both_parts() -> None:
    changed = corrupt(noisy(), Condition("dead-channels", 3, "both"), seed=0)
    dead = [
        np.flatnonzero(marks_TC.any(axis=0)).tolist()
        for marks_TC in (changed.train_changed_TC, changed.test_changed_TC)
    ]
    assert dead[0] == dead[1] == list(changed.channels)


def test_only_channels_that_move_die() -> None:
    test_TC = noisy().test_TC.copy()
    test_TC[:, ::2] = 1
    for seed in range(5):
        changed = corrupt(noisy(test_TC=test_TC), Condition("dead-channels", 4), seed=seed)
        assert len(changed.channels) == 4
        assert all(channel % 2 for channel in changed.channels)


@pytest.mark.parametrize(("channels", "level"), [(1, 1), (3, 3), (3, 100)])
def test_the_last_channel_that_moves_does_not_die(channels: int, level: int) -> None:
    with pytest.raises(
        Skip,
        match=rf"^series noisy: dead-channels@{level} needs {level + 1} channels or more that move; it has {channels}$",
    ):
        corrupt(noisy(channels=channels), Condition("dead-channels", level), seed=0)


def test_a_channel_stands_still_in_each_segment_at_a_value_of_that_segment() -> None:
    starts = (0, 100, 200)
    clean = noisy(test_starts=starts)
    changed = corrupt(clean, Condition("dead-channels", 1), seed=0)
    (channel,) = changed.channels
    for start in starts:
        here = slice(start, start + 100)
        assert changed.series.test_TC[start + 99, channel] in clean.test_TC[start : start + 50, channel]
        assert not changed.test_changed_TC[start, channel]
        assert changed.test_changed_TC[here, channel].sum() >= 49


def test_a_channel_keeps_its_last_value_that_is_not_missing() -> None:
    # both move, so each may be the one that dies; the onset is in the first two steps, where one value is known
    values_TC = np.array([[5, 5], [np.nan, np.nan], [np.nan, np.nan], [1, 1]])
    clean = Series(name="gap", train_TC=values_TC, test_TC=values_TC, missing=True)
    changed = corrupt(clean, Condition("dead-channels", 1), seed=0)
    (channel,) = changed.channels
    dead_T = changed.series.test_TC[:, channel]
    assert dead_T[[0, 3]].tolist() == [5, 5]
    assert np.isnan(dead_T[1:3]).all()


def test_a_channel_without_a_value_before_its_onset_keeps_its_first_one() -> None:
    values_TC = np.array([[np.nan, np.nan], [np.nan, np.nan], [np.nan, np.nan], [1, 1], [2, 2], [3, 3]])
    clean = Series(name="gap", train_TC=values_TC, test_TC=values_TC, missing=True)
    changed = corrupt(clean, Condition("dead-channels", 1), seed=0)
    assert changed.series.test_TC[3:, changed.channels[0]].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("channels", "level", "moved"), [(2, 1, 2), (3, 100, 3), (10, 30, 3), (10, 100, 10), (50, 10, 5)]
)
@pytest.mark.parametrize("seed", range(3))
def test_so_many_channels_change_places(channels: int, level: int, moved: int, seed: int) -> None:
    clean = noisy(channels=channels)
    changed = corrupt(clean, Condition("permuted-channels", level), seed=seed)
    assert len(changed.channels) == moved
    # the same values in other places: as sets of columns nothing changed
    assert sorted(map(tuple, changed.series.test_TC.T.tolist())) == sorted(map(tuple, clean.test_TC.T.tolist()))


def test_in_both_parts_names_causes_and_normal_values_move_along() -> None:
    causes_TC = np.arange(300)[:, None] % 10 == np.arange(10)
    clean = noisy(labels_T=np.ones(300), root_causes_TC=causes_TC, normal_TC=noisy().test_TC + 1)
    series = corrupt(clean, Condition("permuted-channels", 100), seed=0).series
    source_C = [int(name) for name in series.channels]
    assert sorted(source_C) == list(range(10))
    for name in ("train_TC", "test_TC", "root_causes_TC", "normal_TC"):
        assert np.array_equal(getattr(series, name), getattr(clean, name)[:, source_C])


def test_in_the_test_part_alone_names_and_training_stay() -> None:
    causes_TC = np.arange(300)[:, None] % 10 == np.arange(10)
    clean = noisy(labels_T=np.ones(300), root_causes_TC=causes_TC)
    both, fault = (
        corrupt(clean, Condition("permuted-channels", 50, parts), seed=0).series for parts in ("both", "test")
    )
    assert fault.channels == clean.channels
    assert np.array_equal(fault.train_TC, clean.train_TC)
    assert np.array_equal(fault.test_TC, both.test_TC)
    assert fault.root_causes_TC is not None
    assert both.root_causes_TC is not None
    assert np.array_equal(fault.root_causes_TC, both.root_causes_TC)


def test_a_single_channel_has_no_other_place() -> None:
    with pytest.raises(Skip, match=r"^series noisy: permuted-channels needs 2 channels or more; it has 1$"):
        corrupt(noisy(channels=1), Condition("permuted-channels", 100), seed=0)
