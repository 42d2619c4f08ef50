"""What a detector keeps of its training part to judge itself by: the end, since neighbours of a window tell of it."""

import math

from tsad_core.series import Array
from tsad_core.windows import starts_within

Part = tuple[Array, tuple[int, ...]]
"""Steps, and the first steps of their segments."""


def split(part_TC: Array, starts: tuple[int, ...], *, share: float, least: int) -> tuple[Part, Part | None]:
    """Return what is trained on, and what is held out: a share at the end, `least` steps of it; none if over half.

    >>> import numpy as np
    >>> fitted, held_out = split(np.zeros((10, 1)), (0, 6), share=0.2, least=3)
    >>> len(fitted[0]), fitted[1], len(held_out[0]), held_out[1]
    (7, (0, 6), 3, (0,))
    """
    tail = max(least, math.ceil(share * len(part_TC)))
    stop = len(part_TC) - tail if share and 2 * tail <= len(part_TC) else len(part_TC)
    fitted = part_TC[:stop], starts_within(starts, 0, stop)
    if stop == len(part_TC):
        return fitted, None
    return fitted, (part_TC[stop:], starts_within(starts, stop, len(part_TC)))
