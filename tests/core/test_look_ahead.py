"""How far a detector looks ahead is measured, and what cannot be seen is said."""

import math

import numpy as np
import pytest
from tsad_core import Array, Detection, Skip, Undefined, detector
from tsad_core.controls import PCA, MovingAverage, Random
from tsad_core.look_ahead import look_ahead


def noise(steps=2600, channels=1):
    return np.random.default_rng(0).normal(size=(steps, channels)).astype(np.float32)


class Learnless:
    def fit(self, train_TC: Array) -> object:
        return self


@detector
class Ahead(Learnless):
    """The value some steps later."""

    steps: int = 0
    shortest: int = 0

    def detect(self, test_TC: Array) -> Detection:
        if len(test_TC) < self.shortest:
            raise Skip(f"needs {self.shortest} steps or more")
        later_T = np.minimum(np.arange(len(test_TC)) + self.steps, len(test_TC) - 1)
        return Detection(test_TC[later_T, 0])


@detector
class Windowed(Learnless):
    """The largest value of each window, averaged over the windows of a step."""

    window: int = 1
    stride: int = 1

    def detect(self, test_TC: Array) -> Detection:
        T, window = len(test_TC), min(self.window, len(test_TC))
        sums_T, counts_T = np.zeros(T), np.zeros(T)
        for start in {*range(0, T - window + 1, self.stride), T - window}:
            sums_T[start : start + window] += test_TC[start : start + window].max()
            counts_T[start : start + window] += 1
        return Detection(sums_T / counts_T)


@detector
class Scaled(Learnless):
    """Deviations over the whole part."""

    def detect(self, test_TC: Array) -> Detection:
        return Detection(((test_TC - test_TC.mean()) / test_TC.std())[:, 0])


@pytest.mark.parametrize("steps", [2, 3, 100, 2600])
def test_a_causal_detector_looks_nowhere(steps):
    assert look_ahead(Ahead(), noise(steps)) == 0


@pytest.mark.parametrize("ahead", [1, 7, 200, 1100])
def test_one_that_reads_a_later_value_looks_as_far(ahead):
    assert look_ahead(Ahead(steps=ahead), noise()) == ahead


@pytest.mark.parametrize("window", [1, 2, 25, 600])
def test_averaged_windows_look_one_step_less_than_they_are_long(window):
    assert look_ahead(Windowed(window=window), noise()) == window - 1


@pytest.mark.parametrize(("window", "stride"), [(32, 8), (32, 32), (100, 10), (60, 7)])
def test_windows_at_a_stride_show_nearly_their_reach(window, stride):
    assert window - 1 - stride / 4 <= look_ahead(Windowed(window=window, stride=stride), noise()) <= window


def test_scores_scaled_over_the_whole_part_look_to_its_end():
    assert look_ahead(Scaled(), noise()) == math.inf


def test_windows_longer_than_the_excerpt_look_to_its_end():
    assert look_ahead(Windowed(window=100), noise(80)) == math.inf


@detector
class Extreme(Learnless):
    """The value, of one channel or of a sum of all, in the range of the whole part."""

    spread: bool = False
    summed: bool = False

    def detect(self, test_TC: Array) -> Detection:
        scores_T = np.abs(test_TC.sum(axis=1)) if self.summed else np.abs(test_TC[:, 0]) + 1
        low = scores_T.min() if self.spread else 0
        return Detection((scores_T - low) / max(1e-9, scores_T.max() - low))


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("spread", [False, True])
def test_scores_in_the_range_of_the_whole_part_look_to_its_end_wherever_its_extremes_lie(spread, summed):
    test_TC = noise(channels=3)
    test_TC[[100, 200]] = [[1e-7], [50]]
    assert look_ahead(Extreme(spread=spread, summed=summed), test_TC) == math.inf


@pytest.mark.parametrize("sign", [-1, 1])
def test_an_excursion_goes_both_ways(sign):
    class OneSided(Extreme):
        def detect(self, test_TC: Array) -> Detection:
            return super().detect(1 + np.maximum(0, sign * test_TC))

    test_TC = noise()
    test_TC[:200] *= 50
    assert look_ahead(OneSided(), test_TC) == math.inf


def test_an_excursion_is_finite_and_reaches_every_channel_and_nothing_before_it():
    futures = []

    class Noted(Ahead):
        def detect(self, test_TC: Array) -> Detection:
            futures.append(test_TC)
            return super().detect(np.nan_to_num(test_TC))

    test_TC = noise(1000, 4) * [1, 1e-3, 0, np.nan] + [0, 0, 1e6, 0]
    test_TC[5, 0] = np.nan
    look_ahead(Noted(), test_TC.astype(np.float32))
    whole_TC, *_ = futures
    outside = [part_TC for part_TC in futures[1:] if len(part_TC) == len(whole_TC)]
    assert len(outside) == 3
    for part_TC in outside:
        cut = int(np.argmax((part_TC != whole_TC)[:, 1]))
        assert cut >= 500
        np.testing.assert_array_equal(part_TC[:cut], whole_TC[:cut])
        assert np.isfinite(part_TC[cut:]).all()
        low_C, high_C = np.nanmin(whole_TC[:, :3], axis=0), np.nanmax(whole_TC[:, :3], axis=0)
        assert ((part_TC[cut:, :3] < low_C) | (part_TC[cut:, :3] > high_C)).all()


def test_a_constant_series_shows_how_far_windows_look():
    assert look_ahead(Windowed(window=10), np.ones((100, 1))) == 9


def test_constant_scores_look_nowhere():
    class Indifferent(Ahead):
        def detect(self, test_TC: Array) -> Detection:
            return Detection(np.ones(len(test_TC)))

    assert look_ahead(Indifferent(), noise()) == 0


def test_controls_look_as_far_as_their_windows_say():
    train_TC = noise(300, 2)
    assert look_ahead(PCA(window=50, smoothing=11).fit(train_TC), noise(400, 2)) == 49 + 5
    assert look_ahead(MovingAverage(window=11).fit(train_TC), noise(400, 2)) == 5


def test_the_warm_up_of_a_segment_is_no_looking_ahead():
    trailing = MovingAverage(window=25, centred=False).fit(noise())
    assert look_ahead(trailing, noise(), starts=(0, 700, 2000)) == 0


def test_differences_of_float32_in_other_batches_are_not_seen():
    class Rounding(Ahead):
        def detect(self, test_TC: Array) -> Detection:
            exact_T = 100 + super().detect(test_TC).scores_T
            return Detection(exact_T * (1 + 1e-7 * np.random.default_rng(len(test_TC)).random(len(test_TC))))

    assert look_ahead(Rounding(steps=3), noise()) == 3


def test_parts_that_are_skipped_are_left_out():
    assert look_ahead(Ahead(steps=5, shortest=140), noise(200)) == 5


def test_excursions_alone_show_a_detector_that_takes_no_shorter_part():
    assert look_ahead(Ahead(steps=5, shortest=200), noise(200)) == 5


class Tame(Ahead):
    """Takes no excursion."""

    def detect(self, test_TC: Array) -> Detection:
        if np.abs(test_TC).max() > 10:
            raise Skip("too wild")
        return super().detect(test_TC)


def test_excursions_that_are_skipped_are_left_out():
    assert look_ahead(Tame(steps=5), noise(200)) == 5


def test_a_detector_that_skips_the_series_or_each_of_its_futures_has_none():
    with pytest.raises(Undefined, match="the detector skips the series: needs 201 steps or more"):
        look_ahead(Ahead(shortest=201), noise(200))
    with pytest.raises(Undefined, match="skips the series cut short, and with an excursion"):
        look_ahead(Tame(shortest=200), noise(200))


def test_noise_and_a_single_step_have_none():
    with pytest.raises(Undefined, match="noise has no look-ahead"):
        look_ahead(Random(), noise())
    with pytest.raises(Undefined, match="2 steps or more"):
        look_ahead(Ahead(), noise(1))


def test_it_takes_eleven_short_calls_each_with_the_starts_that_it_holds():
    calls = []

    class Noted(Ahead):
        def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
            calls.append((len(test_TC), starts))
            return super().detect(test_TC)

    look_ahead(Noted(), noise(100_000), starts=(0, 1300, 2400, 90_000))
    assert len(calls) == 11
    assert max(steps for steps, _ in calls) == 2500
    assert len({steps for steps, _ in calls}) == 8
    assert all(starts == tuple(start for start in (0, 1300, 2400) if start < steps) for steps, starts in calls)
