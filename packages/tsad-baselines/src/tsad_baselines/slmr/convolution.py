"""Convolution in groups along half windows whose batch stands last. Letter I: feature of a group."""

import torch
from torch import Tensor
from torch.nn import functional

_SHORT = 8
"""Steps up to which one product over all steps is faster than a convolution, although it multiplies zeros too."""


def prepare(weight_DIK: Tensor, steps: int) -> Tensor:
    """Return what `convolve` takes, for windows of so many steps: a group's matrix (G, I S, I S), or the weight."""
    D, size, K = weight_DIK.shape
    if K == 1:
        return weight_DIK.view(D // size, size, size)
    if steps > _SHORT:
        return weight_DIK[..., None]
    beyond = steps - 1 - K // 2
    padded = functional.pad(weight_DIK, (beyond, beyond))
    moved = [padded[..., steps - 1 - step : 2 * steps - 1 - step] for step in range(steps)]
    return torch.stack(moved, dim=1).view(D // size, size * steps, size * steps)


def convolve(values_DSB: Tensor, prepared: Tensor) -> Tensor:
    """Return features convolved along the middle axis, in groups, zeros beyond the ends; `prepare` made the prepared.

    It equals `torch.nn.functional.conv1d`.
    """
    values = values_DSB.to(prepared.dtype)
    if prepared.ndim == 4:
        size, K = prepared.shape[1:3]
        convolved = functional.conv2d(values[None], prepared, padding=(K // 2, 0), groups=len(values) // size)
    else:
        convolved = torch.bmm(prepared, values.view(len(prepared), prepared.shape[2], -1))
    return convolved.view(values_DSB.shape).to(values_DSB.dtype)
