"""Drift: of the amplitude that its level says, from an onset in the first half on, the same signs at every level."""

import numpy as np
import pytest
from scipy.stats import median_abs_deviation
from tsad_core.corruption import Condition, corrupt
from tsad_core.series import Array, Series

CHANNELS = 12


def noisy(train: int = 501, test: int = 400, **fields: object) -> Series:
    rng = np.random.default_rng(11)
    values_TC = rng.standard_normal((train + test, CHANNELS)) * np.arange(1, CHANNELS + 1) + 3
    made: dict[str, object] = {"train_TC": values_TC[:train], "test_TC": values_TC[train:]}
    return Series(name="noisy", **{**made, **fields})  # type: ignore[arg-type]


def moved(clean: Series, kind: str, level: int, *, seed: int = 0, parts: str = "test", part: str = "test") -> Array:
    """By how many MADs of training each cell was moved."""
    changed = corrupt(clean, Condition(kind, level, parts), seed=seed).series
    difference_TC = getattr(changed, f"{part}_TC").astype(np.float64) - getattr(clean, f"{part}_TC")
    scaled_TC: Array = difference_TC / median_abs_deviation(clean.train_TC.astype(np.float64), axis=0)
    return scaled_TC


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("steps", [1, 2, 3, 400])
def test_a_level_drift_is_a_step_from_an_onset_in_the_first_half_on(seed: int, steps: int) -> None:
    moved_TC = moved(noisy(test=steps), "level-drift", 250, seed=seed)
    onset = int(np.argmax(moved_TC[:, 0] != 0))
    assert onset < (steps + 1) / 2
    assert (moved_TC[:onset] == 0).all()
    assert np.abs(moved_TC[onset:]) == pytest.approx(2.5, rel=1e-4)
    assert np.ptp(np.sign(moved_TC[onset:]), axis=0).max() == 0


def test_onsets_differ_by_seed() -> None:
    onsets = {int(np.argmax(moved(noisy(), "level-drift", 100, seed=seed)[:, 0] != 0)) for seed in range(10)}
    assert len(onsets) > 5


def test_a_trend_drift_is_a_ramp_to_its_level_at_the_end() -> None:
    moved_TC = moved(noisy(), "trend-drift", 300)
    assert np.abs(moved_TC) == pytest.approx(np.outer(np.arange(1, 401) / 400 * 3, np.ones(CHANNELS)), abs=1e-4)


def test_a_scale_drift_stretches_deviations_from_the_training_median() -> None:
    clean = noisy()
    changed = corrupt(clean, Condition("scale-drift", 60), seed=0)
    median_C = np.median(clean.train_TC, axis=0)
    struck_T = changed.test_changed_TC.any(axis=1)
    onset = int(np.argmax(struck_T))
    assert onset < 200
    assert struck_T[onset:].all()
    before_TC, after_TC = clean.test_TC[onset:] - median_C, changed.series.test_TC[onset:] - median_C
    assert after_TC == pytest.approx(1.6 * before_TC, abs=1e-4)


@pytest.mark.parametrize("kind", ["level-drift", "trend-drift"])
def test_signs_are_each_channel_s_own_and_the_same_at_every_level_and_in_both_parts(kind: str) -> None:
    clean = noisy()
    ends = [moved(clean, kind, level, parts="both", part=part)[-1] for level in (50, 500) for part in ("train", "test")]
    signs = [np.sign(end_C).tolist() for end_C in ends]
    assert signs[0] == signs[1] == signs[2] == signs[3]
    assert set(signs[0]) == {-1.0, 1.0}


def test_each_segment_drifts_by_itself() -> None:
    clean = noisy(test_starts=(0, 100, 300))
    pieces = np.split(moved(clean, "trend-drift", 100)[:, 0], [100, 300])
    assert [abs(float(piece[-1])) for piece in pieces] == pytest.approx([1, 1, 1], abs=1e-4)
    assert [abs(float(piece[0])) for piece in pieces] == pytest.approx([1 / 100, 1 / 200, 1 / 100], abs=1e-4)
    for piece in np.split(moved(clean, "level-drift", 100)[:, 0], [100, 300]):
        assert (piece[len(piece) // 2 :] != 0).all()


def test_a_constant_channel_drifts_by_units_of_one() -> None:
    clean = Series(name="flat", train_TC=np.full((50, 1), 7.0), test_TC=np.full((50, 1), 7.0))
    ends = [
        corrupt(clean, Condition(kind, 200), seed=0).series.test_TC[-1, 0] for kind in ("level-drift", "trend-drift")
    ]
    assert np.abs(np.array(ends) - 7).tolist() == [2, 2]
