"""The nearest step on either side with a larger value, for every step at once, in n log n at worst."""

import numpy as np

from tsad_core.series import Array

# steps answered at a time: few enough for the cache
_CHUNK = 1 << 16


def larger_after(values_T: Array) -> Array:
    """Return the nearest later step with a larger value, or the number of steps where there is none.

    >>> larger_after(np.array([2, 1, 3, 0])).tolist()
    [2, 2, 4, 4]
    """
    return len(values_T) - 1 - larger_before(values_T[::-1])[::-1]


def larger_before(values_T: Array) -> Array:
    """Return the nearest earlier step with a larger value, or -1 where there is none.

    >>> larger_before(np.array([2, 1, 3, 0])).tolist()
    [-1, 0, -1, 2]
    """
    levels = _maxima(np.ascontiguousarray(values_T))
    starts = range(0, len(values_T), _CHUNK)
    return np.concatenate([_before(levels, start, min(start + _CHUNK, len(values_T))) for start in starts])


def _before(levels: list[Array], start: int, stop: int) -> Array:
    """Answer for a chunk of steps: climb to a block that holds the answer, and down into it."""
    before_T = np.full(stop - start, -1)
    steps_N, blocks_N = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    for level, (found_N, left_N) in reversed(list(enumerate(_climb(levels, np.arange(start, stop))))):
        steps_N, blocks_N = np.concatenate([steps_N, found_N]), np.concatenate([blocks_N, left_N])
        if level:
            right_N = 2 * blocks_N + 1
            blocks_N = right_N - (levels[level - 1][right_N] <= levels[0][steps_N])
    before_T[steps_N - start] = blocks_N
    return before_T


def _maxima(values_T: Array) -> list[Array]:
    """Maxima over blocks of 1, 2, 4, … steps; a last block that is not full is left out."""
    levels = [values_T]
    while len(levels[-1]) > 1:
        whole = len(levels[-1]) // 2 * 2
        levels.append(np.maximum(levels[-1][:whole:2], levels[-1][1:whole:2]))
    return levels


def _climb(levels: list[Array], steps_N: Array) -> list[tuple[Array, Array]]:
    """For each level, the steps whose answer lies in a block of that size, and that block."""
    found, blocks_N = [], steps_N
    for maxima_M in levels:
        left_N = np.maximum(blocks_N - 1, 0)
        here_N = (blocks_N % 2 == 1) & (maxima_M[left_N] > levels[0][steps_N])
        found.append((steps_N[here_N], left_N[here_N]))
        on_N = ~here_N & (blocks_N > 0)
        steps_N, blocks_N = steps_N[on_N], blocks_N[on_N] // 2
    return found
