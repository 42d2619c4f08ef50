"""Which tokens are hidden: at random or whole columns in training, one stretch of columns after the other in scoring.

Letters beside the usual ones: H row and W column of the grid of tokens, R rate, I stretch, Q token of a stretch.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array


@dataclass(frozen=True)
class Stretches:
    """Stretches of columns to hide, each one once."""

    of_equal_size: list[Tensor]
    """Tokens (I, Q) of the stretches of each size; those of a stretch row by row."""
    index_RW: Tensor
    """Which stretch belongs to each rate and column, counted through all sizes."""


def odd(share: float) -> int:
    """Return an odd number of columns near a number that need not be whole.

    >>> [odd(share) for share in (0.6, 2.5, 7.5, 12.5, 2.0)]
    [1, 3, 7, 13, 3]
    """
    low, high = math.floor(share), math.ceil(share)
    return next(width for width in (low, high, low + 1) if width % 2)


def stretches(rates: tuple[float, ...], *, rows: int, columns: int, device: str = "cpu") -> Stretches:
    """Return the stretches around each column for each rate, a share of the columns; cut at the ends.

    The same stretch may belong to several columns and rates: near an end, or where widths are equal.
    """
    centre_W = np.arange(columns)
    half_R1 = np.array([[odd(rate * columns) // 2] for rate in rates])
    bounds_RW2 = np.stack([(centre_W - half_R1).clip(0), (centre_W + half_R1).clip(max=columns - 1)], axis=-1)
    size_RW = bounds_RW2[..., 1] - bounds_RW2[..., 0] + 1
    # by size first, so that those of equal size follow each other
    unique_I3, index = np.unique(np.dstack([size_RW, bounds_RW2]).reshape(-1, 3), axis=0, return_inverse=True)
    of_equal_size = [_tokens(unique_I3[unique_I3[:, 0] == size, 1], size, rows, columns) for size in np.unique(size_RW)]
    index_RW = torch.from_numpy(index.reshape(size_RW.shape))
    return Stretches([tokens_IQ.to(device) for tokens_IQ in of_equal_size], index_RW.to(device))


def _tokens(first_I: Array, size: int, rows: int, columns: int) -> Tensor:
    column_IW = first_I[:, None] + np.arange(size)
    token_IHW = column_IW[:, None] + columns * np.arange(rows)[:, None]
    return torch.from_numpy(token_IHW.reshape(len(first_I), -1))


def random_tokens(windows: int, tokens: int, random: torch.Generator) -> Tensor:
    """Return what is hidden of windows (B, N): at random, on average more than a third, one token at least."""
    share_B1 = torch.rand(windows, 1, generator=random, device=random.device)
    known_B1 = (torch.cos(math.pi / 2 * share_B1) * tokens).floor().clamp(0, tokens - 1)
    rank_BN = torch.rand(windows, tokens, generator=random, device=random.device).argsort(1)
    return rank_BN >= known_B1


def random_columns(windows: int, longest: int, *, rows: int, columns: int, random: torch.Generator) -> Tensor:
    """Return what is hidden of windows (B, N): as many columns side by side as chance says, `longest` at most."""
    size_B1 = torch.randint(1, longest + 1, (windows, 1), generator=random, device=random.device)
    place_B1 = torch.rand(windows, 1, generator=random, device=random.device)
    # the stretch hangs over an end as often as one around each column does
    first_B1 = (place_B1 * columns).floor() - size_B1 // 2
    column_W = torch.arange(columns, device=random.device)
    hidden_BW = (column_W >= first_B1) & (column_W < first_B1 + size_B1)
    hidden_BW[:, 0] |= ~hidden_BW.any(1)
    return hidden_BW.repeat(1, rows)
