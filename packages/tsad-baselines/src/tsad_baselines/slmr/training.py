"""Training: a budget of steps on random windows, and the weights that are kept."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from tsad_core import nn

from tsad_baselines.slmr.masking import random_masks
from tsad_baselines.slmr.model import Drop, Network, keep
from tsad_baselines.slmr.pairs import Pairs

_LOOKS = 10
_LOOKED_AT, _AT_ONCE = 1024, 256
_LEAST = 1e-12
"""Least mean square that a root is taken of: at 0 its slope is infinite."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained."""

    steps: int
    batch: int
    learning_rate: float
    decay: float
    dropout: float
    mask_ratio: float
    mask_length: float


def train(model: Network, pairs: Pairs, recipe: Recipe, random: torch.Generator, held_out: Pairs | None = None) -> None:
    """Train a network on pairs. With held-out pairs, the weights of least loss on them are kept, otherwise the last."""
    nn.keep_freed_memory()
    drop = nn.Dropout(recipe.dropout, random, dtype=torch.float32, size=1 << 18)

    def loss(first_B: Tensor) -> Tensor:
        drop.refresh()
        values_CLB = pairs.values(first_B)
        forecast, rebuilt = losses(model, values_CLB, _masks(values_CLB, recipe, random), drop)
        return forecast + rebuilt

    best = None if held_out is None else nn.Best(model, _look(model, held_out))
    model.train()
    descent = nn.descend(
        model.parameters(),
        loss,
        (pairs.draw(recipe.batch, random) for _ in range(recipe.steps)),
        learning_rate=recipe.learning_rate,
        gamma=recipe.decay ** (1 / recipe.steps),
    )
    for step in descent:
        if best is not None and (step * _LOOKS) % recipe.steps < _LOOKS:
            best.look()
    if best is not None:
        best.restore()


def losses(
    model: Network, values_CLB: Tensor, masks_CLB: Tensor | None = None, drop: Drop = keep
) -> tuple[Tensor, Tensor]:
    """Return the root mean square error of forecasts and that of rebuilt windows, from windows and the step after each.

    What a mask hides is hidden from the network, not from the loss; what is missing, from both.
    """
    known_CLB, values_CLB = ~values_CLB.isnan(), values_CLB.nan_to_num()
    windows_CLB = values_CLB[:, :-1]
    read = model(windows_CLB if masks_CLB is None else windows_CLB.masked_fill(masks_CLB, 0.0), drop)
    known_OLB, values_OLB = known_CLB[: model.shape.outputs], values_CLB[: model.shape.outputs]
    forecast = _root(read.forecast_OB - values_OLB[:, -1], known_OLB[:, -1])
    return forecast, _root(read.rebuilt_OLB - values_OLB[:, :-1], known_OLB[:, :-1])


def _look(model: Network, held_out: Pairs) -> Callable[[], float]:
    """Return what measures the loss on some of the held-out pairs, nothing masked."""
    first_B = held_out.spread(_LOOKED_AT)

    def look() -> float:
        model.eval()
        with torch.no_grad():
            sums = [sum(losses(model, held_out.values(part_B))) * len(part_B) for part_B in first_B.split(_AT_ONCE)]
        model.train()
        return float(sum(sums)) / len(first_B)

    return look


def _masks(values_CLB: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    C, L, B = values_CLB.shape
    return random_masks(C, L - 1, B, ratio=recipe.mask_ratio, length=recipe.mask_length, generator=random)


def _root(error: Tensor, known: Tensor) -> Tensor:
    """Return the root of the mean square over the known values."""
    mean = (error.square() * known).sum() / known.sum().clamp(min=1)
    return (mean + _LEAST).sqrt()
