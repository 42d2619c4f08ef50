"""What would fill a gap without any model: the same phase of another period, or a line across."""

import itertools
from collections.abc import Callable

import numpy as np

from tsad_core.series import Array


def by_channel(part_TC: Array, starts: tuple[int, ...], fill: Callable[[Array], Array]) -> Array:
    """Return what a function makes of each channel of each segment."""
    filled_TC = np.empty(part_TC.shape)
    for start, stop in itertools.pairwise([*starts, len(part_TC)]):
        # a channel at a time: the indices of all would take several times the memory of the part
        for channel in range(part_TC.shape[1]):
            filled_TC[start:stop, channel] = fill(part_TC[start:stop, channel].astype(np.float64))
    return filled_TC


def last_period(values_T: Array, period: int) -> Array:
    """Return the last known value of the same phase before each step, else the first one after it, else NaN."""
    T = len(values_T)
    phases_KP = np.pad(values_T, (0, -T % period), constant_values=np.nan).reshape(-1, period)
    before_KP, after_KP = _known_around(phases_KP, 1)
    index_KP = np.where(before_KP >= 0, before_KP, after_KP)
    found_KP = np.take_along_axis(phases_KP, np.minimum(index_KP, len(phases_KP) - 1), axis=0)
    return np.where(index_KP < len(phases_KP), found_KP, np.nan).ravel()[:T]


def line(values_T: Array, reach: int) -> Array:
    """Return at each step the line between the known values nearest to it at `reach` steps or more on either side."""
    T, step_T = len(values_T), np.arange(len(values_T))
    before_T, after_T = _known_around(values_T, reach)
    left_T, right_T = values_T[np.maximum(before_T, 0)], values_T[np.minimum(after_T, T - 1)]
    line_T = left_T + (step_T - before_T) / (after_T - before_T) * (right_T - left_T)
    has_left_T, has_right_T = before_T >= 0, after_T < T
    return np.select([has_left_T & has_right_T, has_left_T, has_right_T], [line_T, left_T, right_T], default=np.nan)


def _known_around(values_K: Array, reach: int) -> tuple[Array, Array]:
    """Return for each row the last known one `reach` rows before it or earlier, and the first as far after it or later.

    Along the first axis; -1 and the number of rows where there is none.
    """
    K, known_K = len(values_K), ~np.isnan(values_K)
    row_K = np.arange(K).reshape(-1, *[1] * (values_K.ndim - 1))
    before_K, after_K = np.full(values_K.shape, -1), np.full(values_K.shape, K)
    kept = max(K - reach, 0)
    before_K[K - kept :] = np.maximum.accumulate(np.where(known_K, row_K, -1), axis=0)[:kept]
    after_K[:kept] = np.minimum.accumulate(np.where(known_K, row_K, K)[::-1], axis=0)[::-1][K - kept :]
    return before_K, after_K
