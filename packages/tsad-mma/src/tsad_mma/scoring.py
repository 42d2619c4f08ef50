"""Scoring: all windows of a part under several masks, averaged back to steps."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array, nn

from tsad_mma.filtering import Limits, Restored, patch_error, restore, restore_filtered
from tsad_mma.masking import random_masks, whole
from tsad_mma.model import Mixer
from tsad_mma.tiles import Tiles
from tsad_mma.training import at_once


@dataclass(frozen=True)
class Seen:
    """A part as the model would have it."""

    values_TC: Array
    dissimilarity_TC: Array
    patch_error_BC: Array
    """Mean absolute error of each patch of each window; NaN where a value is missing."""


def see(
    model: Mixer, tiles: Tiles, *, draws: int, mask_ratio: float, random: torch.Generator, limits: Limits | None = None
) -> Seen:
    """Return what the model makes of a part; with limits, what lies above them is filled in first."""
    nn.keep_freed_memory()
    C, steps = tiles.series_CT.shape
    values, unlike = (nn.Overlap(steps, C, like=tiles.series_CT) for _ in range(2))
    errors: list[Array] = []
    for spans_W2, patches_BNP in _chunks(tiles, C, max(1, at_once(model, 2 * draws) // C)):
        B, N, P = patches_BNP.shape
        # drawn window by window, so that the masks of a window depend on no later one
        masks_2KBN = random_masks(B, 2, draws, N, ratio=mask_ratio, generator=random).permute(1, 2, 0, 3)
        with torch.inference_mode():
            restored = _restored(model, patches_BNP, masks_2KBN, limits)
        values.add(restored.values_BNP.reshape(-1, C, N * P), spans_W2)
        unlike.add(restored.dissimilarity_BN.repeat_interleave(P, dim=1).view(-1, C, N * P), spans_W2)
        errors.append(_by_channel(patches_BNP, restored, C))
    return Seen(values.mean(), unlike.mean(), np.concatenate(errors))


def root_mean_square(excess_TC: Array) -> Array:
    """Return what is unusual at each step, from what is unusual in each channel."""
    return np.asarray(np.sqrt(np.square(excess_TC).mean(axis=1)))


def _restored(model: Mixer, patches_BNP: Tensor, masks_2KBN: Tensor, limits: Limits | None) -> Restored:
    if limits is None:
        return restore(model, patches_BNP, masks_2KBN[0])
    if not limits.legacy:
        return restore_filtered(model, patches_BNP, masks_2KBN, limits)
    singly = [
        restore_filtered(model, patches_BNP, masks_2KBN[:, k : k + 1], limits) for k in range(masks_2KBN.shape[1])
    ]
    return Restored(*(torch.stack(draws).mean(dim=0) for draws in zip(*singly, strict=True)))


def _chunks(tiles: Tiles, channels: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield spans of some windows and the tiles of all their channels."""
    for first in range(0, len(tiles.spans_B2), size):
        spans_W2 = tiles.spans_B2[first : first + size]
        index_B = torch.arange(first * channels, (first + len(spans_W2)) * channels, device=spans_W2.device)
        yield spans_W2, tiles.patches(index_B)


def _by_channel(patches_BNP: Tensor, restored: Restored, channels: int) -> Array:
    error_BN = patch_error(patches_BNP, restored.values_BNP).where(whole(patches_BNP), torch.nan)
    error_WCN = error_BN.view(-1, channels, error_BN.shape[1])
    return np.asarray(error_WCN.transpose(1, 2).flatten(0, 1).double().cpu().numpy())
