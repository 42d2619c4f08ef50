"""How unlikely the tokens of windows are, and what that says of the steps.

Letters beside the usual ones: S span, R rate, H row and W column of the grid of tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array
from tsad_core.windows import moving_average, overlap_average

from tsad_baselines.timevqvae_ad.masking import Stretches
from tsad_baselines.timevqvae_ad.prior import Prior
from tsad_baselines.timevqvae_ad.tokenizer import Tokenizer
from tsad_baselines.timevqvae_ad.windows import Windows

_ENCODED = {"cpu": 128, "cuda": 8192}
"""Windows that are encoded at once."""
_SCORED = {"cpu": 1 << 13, "cuda": 1 << 18}
"""Tokens that the prior works on at once; a row of each takes a KiB or two a layer."""
_VALUES = 1 << 24
"""Values of steps that are worked on at once, 8 bytes each."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the models make of a part."""

    bar_TC: Array
    """How unlikely each channel is at each step, a mean over the bands."""
    bands_TH: Array
    """How unlikely each band is at each step, a mean over the channels."""


def see(models: tuple[Tokenizer, Prior], windows: Windows, stretches: Stretches, *, total: bool = False) -> Seen:
    """Return how unlikely each step is. Channels are worked on a few at a time, so that memory is bounded."""
    tokenizer, prior = models
    C, T = windows.series_CT.shape
    bar_TC, bands_TH = np.empty((T, C)), np.zeros((T, prior.sizes.rows))
    for channels in _few(C, len(windows.spans_S2) * prior.sizes.rows * windows.window):
        index_B = windows.of(channels)
        surprise_BRHW = surprises(prior, tokens_of(tokenizer, windows, index_B), windows.channels(index_B), stretches)
        # a window of which nothing is known tells nothing
        surprise_BRHW[~windows.known_CS[channels].ravel()] = 0
        joint_TCH = on_steps(surprise_BRHW, windows, channels.stop - channels.start, total=total)
        bar_TC[:, channels] = joint_TCH.mean(axis=2)
        bands_TH += joint_TCH.sum(axis=1) / C
    return Seen(bar_TC, bands_TH)


def tokens_of(tokenizer: Tokenizer, windows: Windows, index_B: Tensor) -> Tensor:
    """Return the tokens of windows, (B, N), in a byte each if that is enough."""
    tokenizer.eval()
    dtype = tokenizer.linear.weight.dtype
    small = torch.uint8 if tokenizer.sizes.codes <= 256 else torch.int32
    with torch.inference_mode():
        parts = index_B.split(at_once(_ENCODED, index_B.device))
        return torch.cat([tokenizer.tokens(windows.scored(part_B, dtype).values_BL).to(small) for part_B in parts])


def surprises(prior: Prior, tokens_BN: Tensor, channel_B: Tensor, stretches: Stretches) -> Array:
    """Return how unlikely the tokens around each column are, shape (B, R, H, W): means over what is hidden together.

    Windows with equal tokens are scored once.
    """
    prior.eval()
    # a channel without an embedding is like any other
    keys = torch.cat([tokens_BN, channel_B[:, None] * (len(prior.channel) > 0)], dim=1)
    unique, index_B = torch.unique(keys, dim=0, return_inverse=True)
    with torch.inference_mode():
        sizes = [_surprise(prior, unique, hidden_IQ) for hidden_IQ in stretches.of_equal_size]
    surprise_URWH = torch.cat(sizes, dim=1)[:, stretches.index_RW]
    return np.asarray(surprise_URWH[index_B].movedim(3, 2).cpu().numpy())


def on_steps(surprise_BRHW: Array, windows: Windows, channels: int, *, total: bool = False) -> Array:
    """Return for some channels the sum over the rates at each step, float64, (T, C, H).

    It is the mean over the windows that cover the step, or their total; windows are those of each channel in order.
    """
    spans_S2, steps = windows.spans_S2, windows.series_CT.shape[1]
    joint_BHW = surprise_BRHW.sum(1, dtype=np.float64)
    column_L = np.arange(windows.window) * joint_BHW.shape[2] // windows.window
    joint_SLCH = joint_BHW[..., column_L].reshape(channels, len(spans_S2), -1, windows.window).transpose(1, 3, 0, 2)
    joint_TCH = overlap_average(joint_SLCH, spans_S2, steps)
    return joint_TCH * _coverage(spans_S2, steps)[:, None, None] if total else joint_TCH


def smoothed(bar_TC: Array, *, window: int, starts: tuple[int, ...]) -> Array:
    """Return final scores, (T, C): half of what there is at a step, half of the mean over the window around it."""
    # the window around a step holds more steps before it than after it: turned round, since core's holds them after
    turned = tuple(len(bar_TC) - stop for stop in (len(bar_TC), *starts[:0:-1]))
    barbar_TC = moving_average(bar_TC[::-1], width=window, starts=turned)[::-1]
    return np.asarray((bar_TC + barbar_TC) / 2)


def at_once(sizes: dict[str, int], device: torch.device) -> int:
    """Return how many are worked on at once on a device."""
    return sizes.get(device.type, sizes["cuda"])


def _surprise(prior: Prior, keys: Tensor, hidden_IQ: Tensor) -> Tensor:
    """Return how unlikely the tokens of each stretch are, a mean for each row, (U, I, H)."""
    size = at_once(_SCORED, keys.device) // (len(hidden_IQ) * prior.sizes.tokens)
    parts = (prior.surprise(part[:, :-1], part[:, -1], hidden_IQ) for part in keys.long().split(max(1, size)))
    return torch.cat([part_BIQ.unflatten(2, (prior.sizes.rows, -1)).mean(3) for part_BIQ in parts])


def _few(channels: int, values: int) -> Iterator[slice]:
    size = max(1, _VALUES // values)
    for first in range(0, channels, size):
        yield slice(first, min(first + size, channels))


def _coverage(spans_S2: Array, steps: int) -> Array:
    """Return how many windows cover each step."""
    change_T = np.bincount(spans_S2[:, 0], minlength=steps + 1) - np.bincount(spans_S2[:, 1], minlength=steps + 1)
    return np.cumsum(change_T)[:steps]
