"""Noise: as strong as its level says in each channel, the same draw at every level, of its own colour."""

import itertools

import numpy as np
import pytest
from tsad_core.corruption import Condition, corrupt
from tsad_core.series import Array, Series

KINDS = ["white-noise", "pink-noise", "spiky-noise"]
by_kind = pytest.mark.parametrize("kind", KINDS)


def waves(train: int = 500, test: int = 2000, **fields: object) -> Series:
    rng = np.random.default_rng(3)
    values_TC = np.array([1.0, 30, 0.02]) * rng.standard_normal((train + test, 3)) + np.array([0.0, 5, -1])
    made: dict[str, object] = {"train_TC": values_TC[:train], "test_TC": values_TC[train:]}
    return Series(name="waves", **{**made, **fields})  # type: ignore[arg-type]


def noise(clean: Series, kind: str, level: int, parts: str = "test", *, seed: int = 0, part: str = "test") -> Array:
    changed = corrupt(clean, Condition(kind, level, parts), seed=seed).series
    added_TC: Array = getattr(changed, f"{part}_TC").astype(np.float64) - getattr(clean, f"{part}_TC")
    return added_TC


def snr_db(clean: Series, noise_TC: Array) -> Array:
    ratio_C: Array = np.var(clean.train_TC.astype(np.float64), axis=0) / np.mean(noise_TC**2, axis=0)
    return 10 * np.log10(ratio_C)


@by_kind
@pytest.mark.parametrize("level", [-20, 0, 20, 40])
@pytest.mark.parametrize("part", ["train", "test"])
def test_the_level_is_the_ratio_of_the_training_variance_to_the_noise(kind: str, level: int, part: str) -> None:
    clean = waves()
    noise_TC = noise(clean, kind, level, "both", part=part)
    assert snr_db(clean, noise_TC) == pytest.approx([level] * 3, abs=0.01)


@by_kind
@pytest.mark.parametrize("steps", [1, 2, 3, 101])
def test_even_a_short_part_has_its_ratio(kind: str, steps: int) -> None:
    clean = waves(test=steps)
    assert snr_db(clean, noise(clean, kind, 10)) == pytest.approx([10] * 3, abs=0.01)


@by_kind
def test_the_ratio_counts_the_values_that_are_there(kind: str) -> None:
    test_TC = waves().test_TC.copy()
    test_TC[::3, 0] = np.nan
    clean = waves(test_TC=test_TC, missing=True)
    noise_N = noise(clean, kind, 10)[:, 0]
    power = np.nanmean(noise_N**2)
    assert 10 * np.log10(np.var(clean.train_TC[:, 0]) / power) == pytest.approx(10, abs=0.01)


@by_kind
def test_each_level_has_the_same_draw_at_another_scale(kind: str) -> None:
    clean = waves()
    # 20 dB are a factor of ten in amplitude
    assert noise(clean, kind, -20) == pytest.approx(10 * noise(clean, kind, 0), rel=1e-3, abs=1e-5)


@by_kind
@pytest.mark.parametrize(("value", "deviation"), [(0.0, 1.0), (0.1, 1.0), (1e6, 10.0)])
def test_a_constant_channel_has_a_stand_in_for_its_deviation(kind: str, value: float, deviation: float) -> None:
    # 1, or a hundred-thousandth of its magnitude, so that float32 can hold the noise
    clean = Series(name="flat", train_TC=np.full((300, 1), value), test_TC=np.full((3000, 1), value))
    power = np.mean(noise(clean, kind, 20) ** 2)
    assert power**0.5 == pytest.approx(0.1 * deviation, rel=0.02)


@by_kind
def test_the_test_part_has_the_same_noise_whether_or_not_the_training_part_has_any(kind: str) -> None:
    assert np.array_equal(noise(waves(), kind, 10), noise(waves(), kind, 10, "both"))


@by_kind
def test_channels_parts_and_seeds_have_noise_of_their_own(kind: str) -> None:
    clean = waves(500, 500)
    draws = [
        column / np.abs(column).max()
        for seed in (0, 1)
        for part in ("train", "test")
        for column in noise(clean, kind, -20, "both", seed=seed, part=part).T
    ]
    # all 12 pairwise unrelated
    assert np.abs(np.corrcoef(draws) - np.eye(12)).max() < 0.5


def slope(values_T: Array) -> float:
    """Exponent of the power spectrum, by regression over its decades."""
    power_F = np.abs(np.fft.rfft(values_T))[1:-1] ** 2
    frequency_F = np.arange(1, len(power_F) + 1)
    edges = np.logspace(0.5, np.log10(len(power_F)), 12)
    bins = [(frequency_F >= a) & (frequency_F < b) for a, b in itertools.pairwise(edges)]
    x, y = [[np.log(v[b].mean()) for b in bins] for v in (frequency_F, power_F)]
    return float(np.polyfit(x, y, 1)[0])


@pytest.mark.parametrize(("kind", "expected"), [("white-noise", 0), ("pink-noise", -1)])
def test_the_spectrum_falls_as_the_colour_says(kind: str, expected: float) -> None:
    clean = waves(100, 20_000)
    assert [slope(column) for column in noise(clean, kind, -20).T] == pytest.approx([expected] * 3, abs=0.15)


def test_pink_noise_starts_anew_with_each_segment() -> None:
    starts = tuple(range(0, 32_000, 16))
    clean = waves(100, 32_000, test_starts=starts)
    noise_SL = noise(clean, "pink-noise", 0)[:, 0].reshape(2000, 16)
    within = np.corrcoef(noise_SL[:, 7], noise_SL[:, 8])[0, 1]
    across = np.corrcoef(noise_SL[:-1, 15], noise_SL[1:, 0])[0, 1]
    assert within > 0.25
    assert abs(across) < 0.08


def test_spikes_are_one_in_a_hundred_steps_of_each_channel() -> None:
    changed = corrupt(waves(500, 2000), Condition("spiky-noise", 0), seed=0)
    assert changed.test_changed_TC.sum(axis=0).tolist() == [20, 20, 20]
    assert changed.test_changed_TC.any(axis=1).sum() > 50
    assert corrupt(waves(500, 30), Condition("spiky-noise", 0), seed=0).test_changed_TC.sum(axis=0).tolist() == [1] * 3
