"""Missing values: exactly as many as asked for, alone or in bursts of a period."""

import numpy as np
import pytest
from tsad_core.corruption import Condition, corrupt
from tsad_core.series import Array, Series


def sines(train: int = 600, test: int = 1000, channels: int = 4, **fields: object) -> Series:
    values_TC = np.sin(np.arange(train + test)[:, None] * np.pi / 20 + np.arange(channels))
    made: dict[str, object] = {"train_TC": values_TC[:train], "test_TC": values_TC[train:]}
    return Series(name="sines", **{**made, **fields})  # type: ignore[arg-type]


def lost(clean: Series, kind: str, level: int, seed: int = 0) -> Array:
    changed = corrupt(clean, Condition(kind, level), seed=seed).series
    assert changed.missing
    return np.isnan(changed.test_TC)


def burst_lengths(lost_T: Array) -> list[int]:
    edges = np.flatnonzero(np.diff(lost_T.astype(int), prepend=0, append=0)).reshape(-1, 2)
    return [int(stop - start) for start, stop in edges]


@pytest.mark.parametrize("kind", ["missing-values", "missing-bursts"])
@pytest.mark.parametrize(("steps", "channels"), [(1, 1), (3, 1), (1, 7), (1000, 4)])
@pytest.mark.parametrize("level", [1, 33, 90])
def test_the_level_is_the_percentage_of_missing_cells(kind: str, steps: int, channels: int, level: int) -> None:
    lost_TC = lost(sines(test=steps, channels=channels), kind, level)
    assert lost_TC.sum() == round(steps * channels * level / 100)


@pytest.mark.parametrize("kind", ["missing-values", "missing-bursts"])
def test_the_percentage_is_of_the_cells_that_were_there(kind: str) -> None:
    test_TC = sines().test_TC.copy()
    test_TC[:500] = np.nan
    clean = sines(test_TC=test_TC, missing=True)
    assert (lost(clean, kind, 10) & ~np.isnan(clean.test_TC)).sum() == 200


def test_values_go_missing_alone_and_everywhere() -> None:
    lost_TC = lost(sines(), "missing-values", 10)
    assert np.allclose(lost_TC.mean(axis=0), 0.1, atol=0.03)
    assert all(0.03 < part.mean() < 0.2 for part in np.split(lost_TC, 10))
    assert np.mean([length for lost_T in lost_TC.T for length in burst_lengths(lost_T)]) < 1.3


def test_a_burst_is_one_channel_s_and_lasts_about_a_period() -> None:
    # the period is 40 steps; 1 % of 40 000 cells are some 10 bursts, so few that none touches another
    lost_TC = lost(sines(test=10_000), "missing-bursts", 1)
    lengths = sorted(length for lost_T in lost_TC.T for length in burst_lengths(lost_T))
    # only the last burst is cut short
    assert all(20 <= length <= 60 for length in lengths[1:])
    assert 30 < np.mean(lengths) < 50
    assert lost_TC.any(axis=0).all()
    assert lost_TC.all(axis=1).sum() == 0


def test_no_burst_reaches_over_the_start_of_a_segment() -> None:
    starts = tuple(range(0, 10_000, 25))
    lost_TC = lost(sines(test=10_000, test_starts=starts), "missing-bursts", 1)
    lengths = [length for lost_T in lost_TC.T for length in burst_lengths(lost_T)]
    assert max(lengths) <= 25


def test_values_that_are_left_are_as_they_were() -> None:
    clean = sines()
    for kind in ("missing-values", "missing-bursts"):
        changed = corrupt(clean, Condition(kind, 30, "both"), seed=0).series
        for part in ("train_TC", "test_TC"):
            left_TC = ~np.isnan(getattr(changed, part))
            assert np.array_equal(getattr(changed, part)[left_TC], getattr(clean, part)[left_TC])
            assert not left_TC.all()
