"""Missing values: cells at random, or in bursts."""

from collections.abc import Callable

import numpy as np

from tsad_core.corruption.part import Part, Strike
from tsad_core.series import Array
from tsad_core.windows import period

Order = Callable[[Part], Array]
"""What returns the cells of a part in the order in which they go missing.

A cell is its index in the values channel by channel.
"""


def lost(order: Order) -> Strike:
    """Return what makes NaN of the first `level` percent of the cells that are not missing yet."""

    def strike(part: Part) -> Array:
        values_CT = np.array(part.values_TC.T, order="C")
        cells_N = order(part)
        present_N = cells_N[~np.isnan(values_CT.reshape(-1)[cells_N])]
        gone_N = present_N[: round(len(present_N) * part.dose.level / 100)]
        values_CT.reshape(-1)[gone_N] = np.nan
        return values_CT.T

    return strike


def scattered(part: Part) -> Array:
    """Return the cells in random order."""
    return part.rng().permutation(part.values_TC.size)


def bursts(part: Part) -> Array:
    """Return the cells in bursts of one channel, in random order.

    A burst lasts half to one and a half periods of the clean training part, less where its segment ends.
    """
    rng = part.rng()
    steps, channels = part.values_TC.shape
    typical = period(part.series.train_TC)
    shortest, longest = (typical + 1) // 2, typical * 3 // 2
    cuts_N = np.cumsum(rng.integers(shortest, longest + 1, size=steps * channels // shortest + 1))
    starts_CS = np.arange(channels)[:, None] * steps + [start for start, _ in part.segments]
    edges_N = np.union1d(starts_CS, cuts_N[cuts_N < steps * channels])
    pieces = np.split(np.arange(steps * channels), edges_N[1:])
    return np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])
