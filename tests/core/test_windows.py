import numpy as np
import pytest
from tsad_core import windows
from tsad_core.errors import DataError


def sine(steps, period, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return np.sin(2 * np.pi * np.arange(steps) / period) + noise * rng.normal(size=steps)


@pytest.mark.parametrize("length", [12, 50, 137, 400, 800])
@pytest.mark.parametrize(("noise", "steps"), [(0.0, 0), (0.3, 0), (0.0, 20_000), (0.3, 20_000), (1.0, 20_000)])
def test_period_of_a_noisy_sine_is_found(length, noise, steps):
    values_T = sine(steps or 3 * length + 50, length, noise)
    assert windows.period(values_T[:, None]) == pytest.approx(length, rel=0.05, abs=1)


def test_period_is_the_whole_beat_and_not_its_strongest_harmonic():
    values_T = 0.5 * sine(6000, 150) + sine(6000, 50)
    assert windows.period(values_T[:, None]) == 150


def test_period_is_found_under_a_trend_and_with_missing_values():
    values_T = sine(3000, 60, 0.1) + 0.01 * np.arange(3000)
    assert windows.period(values_T[:, None]) == pytest.approx(60, abs=1)
    values_T[np.random.default_rng(1).random(3000) < 0.05] = np.nan
    assert windows.period(values_T[:, None]) == pytest.approx(60, abs=1)


def test_period_is_the_median_over_channels_that_have_one():
    noise_T = np.random.default_rng(0).normal(size=4000)
    channels = [sine(4000, 40), sine(4000, 50), sine(4000, 90), np.ones(4000), noise_T]
    assert windows.period(np.stack(channels, axis=1)) == 50


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 8, 9, 50, 1000, 20_000])
def test_period_of_noise_is_the_default(steps):
    noise_TC = np.random.default_rng(steps).normal(size=(steps, 1))
    assert windows.period(noise_TC) == 125
    assert windows.period(noise_TC, default=77) == 77


@pytest.mark.parametrize("value", [0.0, 1.0, 1e6, np.nan])
def test_period_of_a_constant_is_the_default(value):
    assert windows.period(np.full((500, 3), value)) == 125


def test_period_is_kept_within_its_limits():
    assert windows.period(sine(2000, 5)[:, None]) == 10
    assert windows.period(sine(2000, 50)[:, None], low=64) == 64
    assert windows.period(sine(20, 5)[:, None], default=5000) <= 1000


def test_period_looks_at_the_first_steps_only():
    values_T = np.concatenate([sine(2000, 40), sine(20_000, 90)])
    assert windows.period(values_T[:, None], steps=2000) == 40


def test_a_period_is_an_int_that_json_can_hold():
    assert type(windows.period(sine(2000, 50)[:, None])) is int
    assert type(windows.period(np.ones((5, 1)))) is int


@pytest.mark.parametrize(
    ("steps", "window", "stride", "starts", "spans"),
    [
        (1, 1, 1, (0,), [[0, 1]]),
        (1, 5, 3, (0,), [[0, 1]]),
        (4, 4, 1, (0,), [[0, 4]]),
        (5, 3, 1, (0,), [[0, 3], [1, 4], [2, 5]]),
        (5, 3, 3, (0,), [[0, 3], [2, 5]]),
        (7, 3, 2, (0,), [[0, 3], [2, 5], [4, 7]]),
        (8, 3, 3, (0,), [[0, 3], [3, 6], [5, 8]]),
        (7, 3, 2, (0, 2), [[0, 2], [2, 5], [4, 7]]),
        (3, 2, 1, (0, 1, 2), [[0, 1], [1, 2], [2, 3]]),
    ],
)
def test_cover_by_hand(steps, window, stride, starts, spans):
    covered = windows.cover(steps, window=window, stride=stride, starts=starts)
    assert covered.tolist() == spans
    assert covered.dtype == np.int64


@pytest.mark.parametrize("stride", [1, 3, 7])
def test_cover_reaches_every_step_and_crosses_no_start(stride):
    starts = (0, 5, 6, 40, 99)
    spans_B2 = windows.cover(100, window=7, stride=stride, starts=starts)
    reached = {t for start, stop in spans_B2 for t in range(start, stop)}
    assert reached == set(range(100)), "a stride no longer than a window leaves no gap"
    assert not any(start < s < stop for start, stop in spans_B2 for s in starts)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"window": 0}, {"stride": 0}])
def test_cover_refuses_what_is_not_positive(wrong):
    given = {"steps": 5, "window": 3, "stride": 1} | wrong
    with pytest.raises(DataError, match="1 or more"):
        windows.cover(given.pop("steps"), **given)


@pytest.mark.parametrize("channels", [1, 3])
def test_gather_gives_the_steps_of_each_span(channels):
    series_TC = np.arange(8 * channels).reshape(8, channels)[::-1]
    spans_B2 = windows.cover(8, window=3, stride=2)
    expected = [series_TC[start:stop] for start, stop in spans_B2]
    np.testing.assert_array_equal(windows.gather(series_TC, spans_B2, window=3), expected)


def test_gather_repeats_the_last_step_of_a_shortened_span():
    series_TC = np.arange(5.0)[:, None]
    spans_B2 = windows.cover(5, window=3, starts=(0, 2))
    assert windows.gather(series_TC, spans_B2, window=3)[:, :, 0].tolist() == [[0, 1, 1], [2, 3, 4]]


def test_gather_of_no_span_is_empty():
    assert windows.gather(np.zeros((5, 2)), np.zeros((0, 2), dtype=np.int64), window=3).shape == (0, 3, 2)


@pytest.mark.parametrize(
    ("steps", "window", "stride", "starts"),
    [(1, 1, 1, (0,)), (1, 4, 1, (0,)), (50, 7, 1, (0,)), (50, 7, 3, (0,)), (50, 9, 4, (0, 3, 20, 22)), (9, 9, 1, (0,))],
)
@pytest.mark.parametrize("shape", [(), (0,), (0, 2)])
def test_overlap_average_is_the_mean_over_the_windows_that_cover_a_step(steps, window, stride, starts, shape):
    spans_B2 = windows.cover(steps, window=window, stride=stride, starts=starts)
    shape = (len(spans_B2), *(window if axis == 0 else axis for axis in shape))
    values = np.random.default_rng(0).normal(size=shape)
    for t in range(steps):
        covering = [(b, t - start) for b, (start, stop) in enumerate(spans_B2) if start <= t < stop]
        mean = np.mean([values[b] if values.ndim == 1 else values[b, step] for b, step in covering], axis=0)
        np.testing.assert_allclose(windows.overlap_average(values, spans_B2, steps)[t], mean, atol=1e-12)


def test_overlap_average_takes_spans_in_any_order_and_twice():
    spans_B2 = np.array([[3, 6], [0, 3], [3, 6], [5, 8]])
    assert windows.overlap_average(np.array([1.0, 2.0, 5.0, 9.0]), spans_B2, 8).tolist() == [2, 2, 2, 3, 3, 5, 9, 9]
    values_BL = np.repeat([[1.0], [2.0], [5.0], [9.0]], 3, axis=1)
    assert windows.overlap_average(values_BL, spans_B2, 8).tolist() == [2, 2, 2, 3, 3, 5, 9, 9]


def test_overlap_average_of_a_series_own_windows_is_the_series():
    series_TC = np.random.default_rng(0).normal(size=(3001, 2))
    for starts in ((0,), (0, 4, 1000)):
        spans_B2 = windows.cover(3001, window=30, starts=starts)
        windows_BLC = windows.gather(series_TC, spans_B2, window=30)
        np.testing.assert_allclose(windows.overlap_average(windows_BLC, spans_B2, 3001), series_TC, atol=1e-12)


def test_overlap_average_loses_no_small_value_beside_a_large_one():
    values_B = np.full(2000, 1e-9)
    values_B[500] = 1e12
    average_T = windows.overlap_average(values_B, windows.cover(2009, window=10), 2009)
    np.testing.assert_allclose(average_T[[0, 499, 510, 2008]], 1e-9, rtol=1e-12)


def test_overlap_average_refuses_values_of_other_windows():
    with pytest.raises(DataError, match="values of 3 windows for 4 spans"):
        windows.overlap_average(np.zeros(3), windows.cover(4, window=1), 4)


def test_overlap_average_of_a_function_equals_that_of_its_values(monkeypatch):
    monkeypatch.setattr(windows, "_CHUNK", 100)
    series_TC = np.random.default_rng(0).normal(size=(200, 3))
    spans_B2 = windows.cover(200, window=7, starts=(0, 5, 90))
    sizes = []

    def function(windows_BLC):
        sizes.append(windows_BLC.size)
        return windows_BLC**2

    average_TC = windows.overlap_average_of(function, series_TC, spans_B2, window=7)
    whole_BLC = windows.gather(series_TC, spans_B2, window=7) ** 2
    np.testing.assert_allclose(average_TC, windows.overlap_average(whole_BLC, spans_B2, 200))
    assert max(sizes) <= 100


@pytest.mark.parametrize(
    ("width", "trailing", "expected"),
    [
        (1, False, [1, 2, 6, 4]),
        (3, False, [1.5, 3, 4, 5]),
        (3, True, [1, 1.5, 3, 4]),
        (9, False, [3.25, 3.25, 3.25, 3.25]),
        (9, True, [1, 1.5, 3, 3.25]),
    ],
)
def test_moving_average_by_hand(width, trailing, expected):
    assert windows.moving_average(np.array([1.0, 2, 6, 4]), width=width, trailing=trailing).tolist() == expected


def test_moving_average_crosses_no_start():
    values_TC = np.array([[1.0], [3], [100], [200]])
    assert windows.moving_average(values_TC, width=3, starts=(0, 2))[:, 0].tolist() == [2, 2, 150, 150]


def test_a_stride_longer_than_the_window_is_refused():
    with pytest.raises(DataError, match="stride = 3 is longer than window = 2"):
        windows.cover(10, window=2, stride=3)
