"""The seven views of a window, and the way back to its steps. Letters: R view, C channel, L step of a window."""

import functools
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

VIEWS = ("raw", "noise", "negate", "reverse", "permute", "scale", "smooth")
_NOISE_RATIO = 10**0.5
"""Power of a window over that of its noise: 5 dB."""
_BLOCKS = 5
_FACTORS = (0.5, 2.0, 1.5, 0.8)
_WIDTH, _DEGREE = 11, 2


class Draws(NamedTuple):
    """What is random in the views of some windows."""

    noise_BCL: Tensor
    """Of mean 0 and deviation 1 over each window."""
    order_BL: Tensor
    """Which step stands where once blocks are permuted."""
    factor_B: Tensor

    def of(self, number_B: Tensor) -> Self:
        """Return the draws of windows of these numbers; after the last comes the first."""
        return type(self)(*(drawn[number_B % len(drawn)] for drawn in self))


def draw(windows: int, channels: int, steps: int, random: torch.Generator) -> Draws:
    """Return draws for so many windows."""
    noise_BCL = torch.randn(windows, channels, steps, generator=random, device=random.device)
    noise_BCL -= noise_BCL.mean(dim=(1, 2), keepdim=True)
    noise_BCL /= noise_BCL.square().mean(dim=(1, 2), keepdim=True).sqrt().clamp(min=1e-6)
    place_BK = torch.rand(windows, _BLOCKS, generator=random, device=random.device).argsort(dim=1)
    choice_B = torch.randint(len(_FACTORS), (windows,), generator=random, device=random.device)
    return Draws(noise_BCL, order(place_BK, steps), torch.tensor(_FACTORS, device=random.device)[choice_B])


def order(place_BK: Tensor, steps: int) -> Tensor:
    """Return which step stands where, from the place of each block; blocks differ in length by a step at most.

    >>> order(torch.tensor([[1, 0, 2, 3, 4]]), 10).tolist()
    [[2, 3, 0, 1, 4, 5, 6, 7, 8, 9]]
    """
    step_L = torch.arange(steps, device=place_BK.device)
    block_L = step_L * place_BK.shape[1] // steps
    return (place_BK[:, block_L] * steps + step_L).argsort(dim=1)


def views(values_BCL: Tensor, draws: Draws) -> Tensor:
    """Return the seven views of windows, in the order of `VIEWS`, shape (R, B, C, L)."""
    level_B11 = (values_BCL.square().mean(dim=(1, 2), keepdim=True) / _NOISE_RATIO).sqrt()
    noisy_BCL = torch.addcmul(values_BCL, level_B11, draws.noise_BCL)
    smooth_BCL = values_BCL @ smoothing(values_BCL.shape[2]).to(values_BCL).mT
    scaled_BCL = values_BCL * draws.factor_B[:, None, None]
    moved_BCL = permuted(values_BCL, draws.order_BL)
    return torch.stack(
        [values_BCL, noisy_BCL, -values_BCL, values_BCL.flip(2), moved_BCL, scaled_BCL, smooth_BCL],
    )


def arranged(values_BCL: Tensor, draws: Draws) -> Tensor:
    """Return in what order the views show the steps of windows, shape (R, B, C, L); values stay as they are."""
    kept_BCL, moved_BCL = values_BCL, permuted(values_BCL, draws.order_BL)
    return torch.stack([kept_BCL, kept_BCL, kept_BCL, kept_BCL.flip(2), moved_BCL, kept_BCL, kept_BCL])


def back(values_RBCL: Tensor, draws: Draws) -> Tensor:
    """Return what belongs to steps of views at the steps of the windows: the inverse of `arranged`."""
    back_RBCL = values_RBCL.clone()
    reverse, permute = VIEWS.index("reverse"), VIEWS.index("permute")
    back_RBCL[reverse] = values_RBCL[reverse].flip(2)
    back_RBCL[permute] = permuted(values_RBCL[permute], draws.order_BL.argsort(dim=1))
    return back_RBCL


def permuted(values_BCL: Tensor, order_BL: Tensor) -> Tensor:
    """Return windows with their steps in an order of each."""
    return values_BCL.gather(2, order_BL[:, None].expand_as(values_BCL))


@functools.lru_cache(maxsize=8)
def smoothing(steps: int) -> Tensor:
    """Return the matrix (L, L) of a Savitzky-Golay filter of 11 steps and degree 2.

    Both ends are those of the parabola through the outermost 11 steps. Shorter windows have a shorter filter.
    """
    width = min(_WIDTH, steps - 1 + steps % 2)
    powers = np.vander(np.arange(width) - width // 2, _DEGREE + 1)
    fit = powers @ np.linalg.pinv(powers)
    matrix_LL = np.zeros((steps, steps))
    for step, first in enumerate(np.clip(np.arange(steps) - width // 2, 0, steps - width)):
        matrix_LL[step, first : first + width] = fit[step - first]
    return torch.from_numpy(matrix_LL)
