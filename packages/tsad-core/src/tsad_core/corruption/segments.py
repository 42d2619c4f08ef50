"""Stretches of a part: where one fits, and how its values are put in."""

from collections.abc import Sequence

import numpy as np

from tsad_core.series import Array


def free_starts(taken_T: Array, *, starts: Sequence[int], length: int) -> Array:
    """Return the first steps of all stretches of `length` steps within one segment that hold no taken step, int64.

    >>> free_starts(np.array([0, 0, 1, 0, 0, 0], dtype=bool), starts=(0, 5), length=2).tolist()
    [0, 3]
    """
    first_N = np.arange(max(len(taken_T) - length + 1, 0))
    taken_before_T = np.concatenate([[0], np.cumsum(taken_T)])
    segment_T = np.searchsorted(starts, np.arange(len(taken_T)), side="right")
    clear_N = taken_before_T[first_N + length] == taken_before_T[first_N]
    return np.asarray(first_N[clear_N & (segment_T[first_N] == segment_T[first_N + length - 1])])


def pasted(host_LC: Array, guest_LC: Array) -> Array:
    """Return the guest's values in place of the host's; where either is missing, the host stays as it is."""
    return np.where(np.isnan(host_LC) | np.isnan(guest_LC), host_LC, guest_LC)
