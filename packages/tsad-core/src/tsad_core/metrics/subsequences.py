"""How far a stretch is from another, or from the nearest stretch of a longer series, channel by channel."""

import numpy as np

from tsad_core.series import Array

_AGAIN = 16
"""Nearest stretches that are measured again."""


def nearest(query_LC: Array, series_TC: Array) -> Array:
    """Return each channel's Euclidean distance to the nearest stretch of the series, values as they are.

    No normalisation. All distances come from one convolution a channel (FFT), as ``q² + s² - 2 q s``; the few nearest
    stretches are measured again, because such a difference of large sums loses digits.

    >>> nearest(np.array([[1.0], [2.0]]), np.array([[0.0], [1.0], [1.0], [2.0], [5.0]]))
    array([0.])
    """
    return np.array([_nearest(query_LC[:, c], series_TC[:, c]) for c in range(query_LC.shape[1])])


def _nearest(query_L: Array, series_T: Array) -> float:
    # a second to load, for two metrics of eighty: every worker would pay it
    from scipy.signal import oaconvolve

    L = len(query_L)
    # about the query's mean, so that the sums are small
    query_L, series_T = query_L - query_L.mean(), series_T - query_L.mean()
    products_N = oaconvolve(series_T, query_L[::-1], mode="valid")
    squares_T = np.concatenate([[0], np.cumsum(series_T**2)])
    distance_N = squares_T[L:] - squares_T[:-L] - 2 * products_N
    again = np.argpartition(distance_N, min(_AGAIN, len(distance_N)) - 1)[:_AGAIN]
    return float(np.sqrt(min(np.sum((series_T[start : start + L] - query_L) ** 2) for start in again)))


def warped(query_LC: Array, other_MC: Array, *, anywhere: bool = False) -> Array:
    """Return each channel's dynamic time warping distance: the root of the least sum of squares along a path.

    A path pairs the first steps and the last ones, and moves on by one step in either or in both. With `anywhere` it
    may begin and end at any step of the other series: subsequence warping. No band. Cells of equal distance from the
    first one are computed together, so memory is that of the query.

    >>> warped(np.array([[0.0], [3.0], [0.0]]), np.array([[0.0], [0.0], [3.0], [1.0]]))
    array([1.])
    """
    L, C = query_LC.shape
    M = len(other_MC)
    # reversed, an antidiagonal is a stretch; past the ends the cost is infinite
    beyond_LC = np.full((L - 1, C), np.inf)
    other_XC = np.concatenate([beyond_LC, other_MC, beyond_LC])[::-1]
    entry = 0.0 if anywhere else np.inf
    before_IC, last_IC = np.full((L + 1, C), np.inf), np.full((L + 1, C), np.inf)
    before_IC[0], last_IC[0] = 0.0, entry
    best_C = np.full(C, np.inf)
    for diagonal in range(L + M - 1):
        first = L + M - 2 - diagonal
        cost_LC = (query_LC - other_XC[first : first + L]) ** 2
        step_LC = np.minimum(np.minimum(before_IC[:-1], last_IC[:-1]), last_IC[1:])
        before_IC[0] = entry
        before_IC[1:] = cost_LC + step_LC
        before_IC, last_IC = last_IC, before_IC
        if anywhere or diagonal == L + M - 2:
            best_C = np.minimum(best_C, last_IC[L])
    distance_C: Array = np.sqrt(best_C)
    return distance_C
