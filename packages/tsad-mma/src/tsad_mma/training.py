"""Training: a budget of steps on random tiles, and the weights that are kept."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from tsad_core import nn

from tsad_mma.masking import random_masks
from tsad_mma.model import Mixer, losses
from tsad_mma.ops import CounterDropout, Drop, keep
from tsad_mma.tiles import Tiles

AT_ONCE = {"cpu": 1 << 18, "cuda": 1 << 24}
"""Most values of a mixer's tiles that are worked on at once. On a CPU, what lies between layers stays in the cache."""
_LOOKS = 10
_LOOKED_AT = 256


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained."""

    steps: int
    batch: int
    learning_rate: float
    decay: float
    weight_decay: float
    dropout: float
    mask_ratio: float
    contrast: float
    temperature: float


def train(model: Mixer, tiles: Tiles, recipe: Recipe, random: torch.Generator, held_out: Tiles | None = None) -> None:
    """Train a model on tiles. With held-out tiles, the weights of least loss on them are kept, otherwise the last."""
    nn.keep_freed_memory()
    drop = dropout(model, recipe.dropout, random)

    def loss(index_B: Tensor) -> Tensor:
        drop.refresh()
        return masked_loss(model, tiles.patches(index_B), recipe, random, drop)

    best = None if held_out is None else nn.Best(model, _look(model, held_out, recipe, random))
    descent = nn.descend(
        model.parameters(),
        loss,
        (tiles.draw(recipe.batch, random) for _ in range(recipe.steps)),
        learning_rate=recipe.learning_rate,
        gamma=recipe.decay ** (1 / recipe.steps),
        weight_decay=recipe.weight_decay,
        at_once=at_once(model, 2),
        captured=captured(model, random),
    )
    for step in descent:
        if best is not None and (step * _LOOKS) % recipe.steps < _LOOKS:
            best.look()
    if best is not None:
        best.restore()


def dropout(model: Mixer, rate: float, random: torch.Generator) -> nn.Dropout | CounterDropout:
    """Return the dropout that a model's kernels know."""
    if model.how.kernels == "triton":
        return CounterDropout(rate, random.initial_seed(), str(random.device))
    return nn.Dropout(rate, random, dtype=model.precision or torch.float32)


def captured(model: Mixer, random: torch.Generator) -> torch.Generator | None:
    """Return the generator if a model's steps can be captured."""
    return random if model.how.kernels == "triton" and random.device.type == "cuda" else None


def masked_loss(
    model: Mixer, patches_BNP: Tensor, recipe: Recipe, random: torch.Generator, drop: Drop = keep
) -> Tensor:
    """Return the loss of tiles under masks drawn at random."""
    mask_BN = random_masks(*patches_BNP.shape[:2], ratio=recipe.mask_ratio, generator=random)
    squared, contrast = losses(model, patches_BNP, mask_BN, temperature=recipe.temperature, drop=drop)
    return squared + recipe.contrast * contrast


def at_once(model: Mixer, views: int) -> int:
    """Return how many tiles, each in so many views, a model works on at once."""
    device = model.head.weight.device.type
    tile = model.shape.patches * model.shape.width
    return max(1, AT_ONCE.get(device, AT_ONCE["cuda"]) // (tile * views))


def _look(model: Mixer, tiles: Tiles, recipe: Recipe, random: torch.Generator) -> Callable[[], float]:
    """Return what measures the loss on some of the tiles, under the same masks each time."""
    index_B = tiles.draw(min(len(tiles), _LOOKED_AT), random)
    seed = random.initial_seed()

    def look() -> float:
        again = nn.generator(seed, str(index_B.device))
        parts = torch.split(index_B, at_once(model, 2))
        with torch.no_grad():
            return sum(float(masked_loss(model, tiles.patches(part), recipe, again)) * len(part) for part in parts)

    return look
