"""Dynamic anomaly filtering: what looks anomalous is hidden, filled in from the rest, and only then rebuilt.

So an anomaly does not spoil the reconstruction of what is normal around it.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from tsad_mma.masking import whole
from tsad_mma.model import Mixer

LARGEST_SHARE = 0.4
"""Most of a tile's patches that are hidden at once: the rest must say what is normal."""


class Restored(NamedTuple):
    """Tiles as the model would have them, means over the masks."""

    values_BNP: Tensor
    dissimilarity_BN: Tensor


@dataclass(frozen=True)
class Limits:
    """Errors above which a patch is suspicious: one for each channel, or as in the authors' code."""

    patch_C: Tensor
    legacy_window: float = math.inf
    legacy_patch: float = math.inf
    legacy: bool = False

    def regions(self, error_BN: Tensor) -> tuple[Tensor, Tensor]:
        """Return which tiles to do again (B), and which of their patches to hide (B, N)."""
        C = len(self.patch_C)
        if self.legacy:
            return legacy_block(error_BN, C, window_limit=self.legacy_window, patch_limit=self.legacy_patch)
        return suspicious(error_BN, self.patch_C.repeat(len(error_BN) // C))


def restore(model: Mixer, patches_BNP: Tensor, masks_KBN: Tensor) -> Restored:
    """Return tiles as the model rebuilds them, without filtering."""
    return Restored(*model.score(patches_BNP, patches_BNP, masks_KBN))


def restore_filtered(model: Mixer, patches_BNP: Tensor, masks_2KBN: Tensor, limits: Limits) -> Restored:
    """Return tiles as the model rebuilds them; suspicious patches are filled in first.

    The first of each pair of masks is for the first pass, the second for tiles that are done again.
    """
    first = restore(model, patches_BNP, masks_2KBN[0])
    again_B, hidden_BN = limits.regions(patch_error(patches_BNP, first.values_BNP))
    if not again_B.any():
        return first
    patches_RNP = patches_BNP[again_B]
    filled_RNP = fill(model, patches_RNP, hidden_BN[again_B])
    second = model.score(filled_RNP, patches_RNP, masks_2KBN[1][:, again_B])
    return Restored(*(_replaced(old, again_B, new) for old, new in zip(first, second, strict=True)))


def fill(model: Mixer, patches_BNP: Tensor, hidden_BN: Tensor) -> Tensor:
    """Return tiles whose hidden patches are what the model makes of the others."""
    hidden_BN = hidden_BN & whole(patches_BNP)
    views = (hidden_BN | ~whole(patches_BNP))[None]
    filled_BNP = model.head(model.encode(model.features(patches_BNP), views)[0])
    return torch.where(hidden_BN[..., None], filled_BNP, patches_BNP)


def patch_error(patches_BNP: Tensor, values_BNP: Tensor) -> Tensor:
    """Return the mean absolute error of each patch; 0 where a value is missing, shape (B, N)."""
    return (patches_BNP - values_BNP).abs().mean(dim=-1).nan_to_num(0.0)


def suspicious(error_BN: Tensor, limit_B: Tensor) -> tuple[Tensor, Tensor]:
    """Return which tiles have a patch above their limit, and which patches these are: the worst, if too many."""
    most = max(1, int(LARGEST_SHARE * error_BN.shape[1]))
    least_B = error_BN.topk(most, dim=1).values[:, -1]
    hidden_BN = (error_BN > limit_B[:, None]) & (error_BN >= least_B[:, None])
    return hidden_BN.any(dim=1), hidden_BN


def legacy_block(error_BN: Tensor, channels: int, *, window_limit: float, patch_limit: float) -> tuple[Tensor, Tensor]:
    """Return the regions as the authors' code chooses them, channels of a window being neighbouring tiles.

    A window is done again if its mean error is above a limit. In all of its channels one stretch is
    hidden: around the middle one of the patches above the other limit, and as long as they are many.
    The last patch is never hidden, and a middle of 0 is taken for none.
    """
    error_WN = error_BN.view(-1, channels, error_BN.shape[1]).mean(dim=1)
    N = error_WN.shape[1]
    above_WN = error_WN > patch_limit
    count_W = above_WN.sum(dim=1)
    rank_WN = above_WN.cumsum(dim=1)
    middle_W = (above_WN & (rank_WN == (count_W[:, None] + 1) // 2)).int().argmax(dim=1)
    middle_W = torch.where(middle_W == 0, error_WN.argmax(dim=1), middle_W)
    width_W = count_W.clamp(max=int(LARGEST_SHARE * N))
    start_W = middle_W - width_W // 2
    start_W, stop_W = start_W.clamp(0, N - 1), (start_W + width_W).clamp(0, N - 1)
    patch_N = torch.arange(N, device=error_BN.device)
    hidden_WN = (patch_N >= start_W[:, None]) & (patch_N < stop_W[:, None])
    again_W = error_WN.mean(dim=1) > window_limit
    return again_W.repeat_interleave(channels), hidden_WN.repeat_interleave(channels, dim=0)


def _replaced(old: Tensor, again_B: Tensor, new: Tensor) -> Tensor:
    replaced = old.clone()
    replaced[again_B] = new
    return replaced
