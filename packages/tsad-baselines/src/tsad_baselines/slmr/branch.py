"""The convolutions of half windows: features at four scales, and what is left of them.

Letters beside the usual ones: S step of a half window, D feature of a scale.
"""

from typing import cast

import torch
from torch import Tensor, nn

from tsad_baselines.slmr.convolution import convolve, prepare
from tsad_baselines.slmr.norm import Norm
from tsad_baselines.slmr.pool import pool
from tsad_baselines.slmr.product import product

_SCALES = 4
"""The published branch has a fifth, of which nothing is left: its features are taken from themselves."""


class Scale(nn.Module):
    """Features of a half window, and their convolution."""

    def __init__(self, channels: int, *, group: int, groups: int, reach: int) -> None:
        super().__init__()
        D = group * groups
        self.first, self.last = nn.Linear(channels, D, bias=False), nn.Linear(D, channels, bias=False)
        self.first_norm, self.norm = Norm(D), Norm(D)
        self.convolution = nn.Conv1d(D, D, 2 * reach + 1, groups=groups, bias=False)

    def features(self, half_CSB: Tensor, precision: torch.dtype) -> Tensor:
        """Return the features, shape (D, S, B)."""
        return torch.relu_(self.first_norm(pool(product(self.first.weight, half_CSB, precision))))

    def mix(self, features_DSB: Tensor, kernel: Tensor, *, pooled: bool) -> Tensor:
        """Return the features convolved."""
        mixed_DSB = convolve(features_DSB, kernel)
        return torch.relu_(self.norm(pool(mixed_DSB) if pooled else mixed_DSB))


class Branch(nn.Module):
    """What is left of half windows when the convolution of each scale is taken away; it goes into that of the next."""

    def __init__(self, channels: int, *, group: int, groups: int) -> None:
        super().__init__()
        sizes = {"group": group, "groups": groups}
        self.scales = nn.ModuleList(Scale(channels, **sizes, reach=reach) for reach in range(_SCALES))

    def kernels(self, steps: int, precision: torch.dtype) -> list[Tensor]:
        """Return the kernels of the scales for halves of so many steps, in the precision of all products."""
        return [prepare(scale.convolution.weight.to(precision), steps) for scale in self._scales]

    def forward(self, half_CSB: Tensor, kernels: list[Tensor], *, pooled: bool = False) -> Tensor:
        """Return what is left, shape (C, S, B). If `pooled`, what is convolved is pooled as well."""
        left_CSB, mixed_DSB = torch.zeros_like(half_CSB), None
        for scale, kernel in zip(self._scales, kernels, strict=True):
            features_DSB = scale.features(half_CSB, kernel.dtype)
            taken_DSB = features_DSB if mixed_DSB is None else features_DSB + mixed_DSB
            mixed_DSB = scale.mix(taken_DSB, kernel, pooled=pooled)
            left_CSB = left_CSB + product(scale.last.weight, features_DSB - mixed_DSB, kernel.dtype)
        return left_CSB

    @property
    def _scales(self) -> list[Scale]:
        return cast("list[Scale]", list(self.scales))
