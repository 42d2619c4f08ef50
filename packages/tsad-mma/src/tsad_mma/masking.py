"""Which patches are hidden: at random, and always where a value is missing."""

import torch
from torch import Tensor


def random_masks(*shape: int, ratio: float, generator: torch.Generator) -> Tensor:
    """Return masks of the last axis, each with the same number hidden: all but ``floor(N (1 - ratio))``.

    The complement of a mask is the second view: it hides what the first one shows.
    """
    noise = torch.rand(shape, generator=generator, device=generator.device)
    # 10 (1 - 0.9) is a little less than 1
    shown = int(shape[-1] * (1 - ratio) + 1e-9)
    return noise >= noise.sort(dim=-1).values[..., shown : shown + 1]


def whole(patches_BNP: Tensor) -> Tensor:
    """Return which patches miss no value, shape (B, N)."""
    return ~patches_BNP.isnan().any(dim=-1)
