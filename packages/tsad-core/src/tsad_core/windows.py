"""Windows of a series: how long, where, their values, and from window values back to steps."""

from collections.abc import Callable, Iterator

import numpy as np

from tsad_core.errors import DataError
from tsad_core.series import Array

_CHUNK = 2_000_000
"""Most values that are gathered at once."""


def period(train_TC: Array, *, default: int = 125, low: int = 10, high: int = 1000, steps: int = 32_768) -> int:
    """Return the dominant period of a training part, in steps: what every ``window = "auto"`` means.

    A channel's period is the smallest lag, among the peaks of its autocorrelation, that explains the
    channel about as well as the best one; how well is the autocorrelation there times the share of the
    spectrum that lies at the lag's first five harmonics. Of several channels with a period, the median
    one counts. A channel that is constant or noise has none; if no channel has one, `default` is
    returned. The result lies in ``low … high``. Only the first `steps` steps are looked at; NaN reads
    as the channel's trend.

    >>> period(np.sin(np.arange(2000) * 2 * np.pi / 50)[:, None])
    50
    """
    channels_CT = _detrended(np.asarray(train_TC, dtype=np.float64)[:steps]).T
    found = sorted(lag for channel_T in channels_CT if (lag := _period_of(channel_T, high)) is not None)
    return int(np.clip(found[(len(found) - 1) // 2] if found else default, low, high))


def cover(steps: int, *, window: int, stride: int = 1, starts: tuple[int, ...] = (0,)) -> Array:
    """Return the spans (start, stop) of windows that together cover every step, int64, shape (B, 2).

    Windows follow each other at the stride, and one more ends flush with each segment. `starts` are
    the first steps of the segments: no window crosses one. A segment shorter than a window gets one
    span, shortened to the segment.

    >>> cover(5, window=3, stride=3).tolist()
    [[0, 3], [2, 5]]
    """
    if min(steps, window, stride) < 1:
        raise DataError(f"steps = {steps}, window = {window}, stride = {stride}: each must be 1 or more")
    if stride > window:
        raise DataError(f"stride = {stride} is longer than window = {window}: steps would stay uncovered")
    bounds = zip(starts, (*starts[1:], steps), strict=True)
    return np.concatenate([_cover_segment(start, stop, window, stride) for start, stop in bounds])


def starts_within(starts: tuple[int, ...], first: int, stop: int) -> tuple[int, ...]:
    """Return the first steps of the segments of a stretch from `first` up to `stop`, counted from its own first step.

    >>> starts_within((0, 40, 90), 30, 80)
    (0, 10)
    """
    return (0, *(start - first for start in starts if first < start < stop))


def gather(series_TC: Array, spans_B2: Array, *, window: int) -> Array:
    """Return the windows of a series, shape (B, L, C); a shortened span repeats its last step to fill."""
    C = series_TC.shape[1]
    if len(spans_B2) and (spans_B2[:, 1] - spans_B2[:, 0] == window).all():
        # a whole window is one contiguous stretch of memory: several times faster than an index a step
        stretches = np.lib.stride_tricks.sliding_window_view(np.ascontiguousarray(series_TC).reshape(-1), window * C)
        return np.asarray(stretches[spans_B2[:, 0] * C]).reshape(-1, window, C)
    index_BL = np.minimum(spans_B2[:, :1] + np.arange(window), spans_B2[:, 1:] - 1)
    return np.asarray(series_TC[index_BL])


def overlap_average(values_BL: Array, spans_B2: Array, steps: int) -> Array:
    """Return for each step the mean over the windows that cover it, float64.

    Values are one a window (B), one a window step (B, L), or that with more axes (B, L, C), which the
    result keeps. What fills a shortened span is left out; a step that no window covers is 0.
    """
    values_BL = np.asarray(values_BL)
    if len(values_BL) != len(spans_B2):
        raise DataError(f"values of {len(values_BL)} windows for {len(spans_B2)} spans; they must be as many")
    if values_BL.ndim == 1:
        return _spread(values_BL, spans_B2, steps) / _coverage(spans_B2, steps)
    sums = np.zeros((steps, *values_BL.shape[2:]))
    _add(sums, values_BL, spans_B2)
    return _per_step(sums, _coverage(spans_B2, steps))


def overlap_average_of(function: Callable[[Array], Array], series_TC: Array, spans_B2: Array, *, window: int) -> Array:
    """Return the `overlap_average` of what a function makes of windows, gathered a chunk at a time.

    The function takes windows (B, L, C) and returns one value a window step: (B, L) or (B, L, C).
    """
    sums: Array | None = None
    for chunk in chunks(spans_B2, window=window * series_TC.shape[1]):
        values_BL = function(gather(series_TC, spans_B2[chunk], window=window))
        sums = np.zeros((len(series_TC), *values_BL.shape[2:])) if sums is None else sums
        _add(sums, values_BL, spans_B2[chunk])
    assert sums is not None
    return _per_step(sums, _coverage(spans_B2, len(series_TC)))


def chunks(spans_B2: Array, *, window: int) -> Iterator[slice]:
    """Yield slices of spans: so many that their windows of `window` values fit in memory at once."""
    size = max(1, _CHUNK // window)
    for start in range(0, len(spans_B2), size):
        yield slice(start, min(start + size, len(spans_B2)))


def moving_average(values_TC: Array, *, width: int, starts: tuple[int, ...] = (0,), trailing: bool = False) -> Array:
    """Return the mean of the `width` steps around each step, or up to it, float64.

    At the ends of a segment the mean is over those steps that exist.
    """
    ahead = 0 if trailing else width // 2
    segments = np.split(np.asarray(values_TC, dtype=np.float64), list(starts[1:]))
    return np.concatenate([_average_segment(segment_TC, width, ahead) for segment_TC in segments])


def _detrended(values_TC: Array) -> Array:
    time_T = np.linspace(-1.0, 1.0, len(values_TC))[:, None]
    known_TC = np.isfinite(values_TC)
    count_C = np.maximum(known_TC.sum(axis=0), 1)
    centred_TC = np.where(known_TC, values_TC, 0.0) - np.where(known_TC, values_TC, 0.0).sum(axis=0) / count_C
    centred_TC[~known_TC] = 0.0
    slope_C = (time_T * centred_TC).sum(axis=0) / max(float((time_T**2).sum()), 1.0)
    return np.where(known_TC, centred_TC - slope_C * time_T, 0.0)


def _period_of(channel_T: Array, high: int) -> int | None:
    steps = len(channel_T)
    if steps < 8 or np.ptp(channel_T) <= 1e-6 * max(float(np.abs(channel_T).max()), 1e-6):
        return None
    correlation_T = _autocorrelation(channel_T)[: min(high, steps // 3) + 2]
    inner_T = correlation_T[1:-1]
    is_peak = (inner_T >= correlation_T[:-2]) & (inner_T > correlation_T[2:]) & (inner_T > max(0.2, 2.5 / steps**0.5))
    peaks = 1 + np.flatnonzero(is_peak)
    if not len(peaks):
        return None
    merit = correlation_T[peaks] * _harmonic_shares(channel_T, peaks)
    return _summit(correlation_T, int(peaks[merit >= 0.9 * merit.max()][0])) if merit.max() > 0.05 else None


def _summit(correlation_T: Array, lag: int) -> int:
    """Return the highest lag of the hill that `lag` is on: noise ripples its slopes."""
    first = lag - lag // 5
    return first + int(np.argmax(correlation_T[first : lag + lag // 4 + 1]))


def _autocorrelation(channel_T: Array) -> Array:
    steps = len(channel_T)
    power = np.abs(np.fft.rfft(channel_T, 2 * steps)) ** 2
    products_T = np.fft.irfft(power, 2 * steps)[:steps]
    return np.asarray(products_T / products_T[0] * steps / (steps - np.arange(steps)))


def _harmonic_shares(channel_T: Array, lags: Array) -> Array:
    """Share of each lag's first five harmonics, give or take 5 %, in the spectrum."""
    steps = len(channel_T)
    power = np.abs(np.fft.rfft(channel_T * np.hanning(steps))) ** 2
    below = np.concatenate([[0.0], np.cumsum(power)])
    centres = np.arange(1, 6)[:, None] * steps / lags
    first = np.clip(np.floor(0.95 * centres - 1), 0, len(power)).astype(int)
    last = np.clip(np.ceil(1.05 * centres + 1) + 1, 0, len(power)).astype(int)
    first[1:] = np.maximum(first[1:], last[:-1])
    return np.asarray((below[last] - below[np.minimum(first, last)]).sum(axis=0) / below[-1])


def _cover_segment(start: int, stop: int, window: int, stride: int) -> Array:
    last = max(stop - window, start)
    firsts = np.unique(np.append(np.arange(start, last + 1, stride), last))
    return np.stack([firsts, np.minimum(firsts + window, stop)], axis=1).astype(np.int64)


def _spread(values_B: Array, spans_B2: Array, steps: int) -> Array:
    """Sum at each step the values of the windows that cover it."""
    length_B = spans_B2[:, 1] - spans_B2[:, 0]
    window = int(length_B.max())
    whole_B = length_B == window
    sums_T = _trailing_sums(np.bincount(spans_B2[whole_B, 0], weights=values_B[whole_B], minlength=steps), window)
    for (start, stop), value in zip(spans_B2[~whole_B], values_B[~whole_B], strict=True):
        sums_T[start:stop] += value
    return sums_T


def _coverage(spans_B2: Array, steps: int) -> Array:
    return np.maximum(_spread(np.ones(len(spans_B2)), spans_B2, steps), 1.0)


def _add(sums: Array, values_BL: Array, spans_B2: Array) -> None:
    """Add window values to their steps, one window step of a block of windows at a time."""
    size = max(1, 200_000 // max(values_BL[0].size, 1))
    for block in (slice(b, b + size) for b in range(0, len(spans_B2), size)):
        values_LB = np.ascontiguousarray(values_BL[block].swapaxes(0, 1))
        add = _add_regular if _regular(spans_B2[block], len(values_LB)) else _add_any
        add(sums, values_LB, spans_B2[block])


def _regular(spans_B2: Array, window: int) -> bool:
    """Whether the windows are whole and follow each other at one stride."""
    step_B = np.diff(spans_B2[:, 0])
    whole = bool((spans_B2[:, 1] - spans_B2[:, 0] == window).all())
    return whole and (not len(step_B) or (step_B[0] > 0 and bool((step_B == step_B[0]).all())))


def _add_regular(sums: Array, values_LB: Array, spans_B2: Array) -> None:
    first, last = int(spans_B2[0, 0]), int(spans_B2[-1, 0])
    stride = max(1, (last - first) // max(1, len(spans_B2) - 1))
    for step, values_B in enumerate(values_LB):
        sums[first + step : last + step + 1 : stride] += values_B


def _add_any(sums: Array, values_LB: Array, spans_B2: Array) -> None:
    start_B, stop_B = spans_B2.T
    for step, values_B in enumerate(values_LB):
        inside_B = start_B + step < stop_B
        np.add.at(sums, start_B[inside_B] + step, values_B[inside_B])


def _per_step(sums: Array, count_T: Array) -> Array:
    return np.asarray(sums / count_T.reshape(-1, *[1] * (sums.ndim - 1)))


def _average_segment(segment_TC: Array, width: int, ahead: int) -> Array:
    counts_T = _trailing_sums(np.pad(np.ones(len(segment_TC)), (0, ahead)), width)[ahead:]
    padded_TC = np.pad(segment_TC, [(0, ahead), *[(0, 0)] * (segment_TC.ndim - 1)])
    return _per_step(_trailing_sums(padded_TC, width)[ahead:], counts_T)


def _trailing_sums(values_TC: Array, width: int) -> Array:
    """Sum the last `width` values up to each step by doubling: no difference of large sums is taken."""
    sums_TC, power_TC = np.zeros_like(values_TC), values_TC
    offset, size = 0, 1
    while width and offset < len(values_TC):
        if width & 1:
            sums_TC[offset:] += power_TC[: len(values_TC) - offset]
            offset += size
        width >>= 1
        power_TC = power_TC + np.concatenate([np.zeros_like(power_TC[:size]), power_TC[:-size]])
        size *= 2
    return sums_TC
