"""Training: a budget of steps on random windows whose views are drawn anew, and the weights that are kept."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from tsad_core import nn

from tsad_baselines.amsl.model import Drop, Network, R, Read, keep
from tsad_baselines.amsl.views import Draws, draw
from tsad_baselines.amsl.windows import Ranges, Windows

_LOOKS = 10
_LOOKED_AT = 64
_DROPPED = 0.5
_EPSILON = 1e-7
"""Adam's, as the authors' framework has it."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained."""

    steps: int
    batch: int
    learning_rate: float
    decay: float
    head_weight: float
    entropy_weight: float
    at_once: int
    """Most windows that are trained on at once."""


@dataclass(frozen=True)
class Material:
    """Windows, what brings their views to 0 … 1, and draws for each; without them, views are drawn anew."""

    windows: Windows
    ranges: Ranges
    table: Draws | None = None

    def shown(self, number_B: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the views of windows as the network sees them, and which of their values are known."""
        C, L = len(self.windows.series_CT), self.windows.window
        draws = draw(len(number_B), C, L, random) if self.table is None else self.table.of(number_B)
        views_RBCL, known_RBCL = self.windows.shown(number_B, draws)
        return self.ranges.scaled(views_RBCL), known_RBCL


def train(
    model: Network, material: Material, recipe: Recipe, random: torch.Generator, held_out: Material | None = None
) -> None:
    """Train a network. With held-out windows, the weights of least loss on them are kept, otherwise the last."""
    nn.keep_freed_memory()
    drop = nn.Dropout(_DROPPED, random, dtype=torch.float32, size=1 << 18)

    def loss(number_B: Tensor) -> Tensor:
        drop.refresh()
        return loss_of(model, *material.shown(number_B, random), recipe, drop)

    best = None if held_out is None else nn.Best(model, _look(model, held_out, recipe, random))
    count = len(material.windows)
    drawn = (torch.randint(count, (recipe.batch,), generator=random, device=random.device) for _ in range(recipe.steps))
    descent = nn.descend(
        model.parameters(),
        loss,
        drawn,
        learning_rate=recipe.learning_rate,
        gamma=recipe.decay ** (1 / recipe.steps),
        epsilon=_EPSILON,
        at_once=recipe.at_once,
    )
    for step in descent:
        if best is not None and (step * _LOOKS) % recipe.steps < _LOOKS:
            best.look()
    if best is not None:
        best.restore()


def loss_of(model: Network, views_RBCL: Tensor, known_RBCL: Tensor, recipe: Recipe, drop: Drop = keep) -> Tensor:
    """Return the loss of views: their errors, how well the head tells them apart, and the memories' entropy."""
    read: Read = model(views_RBCL, drop)
    error = rebuilding_loss(read.rebuilt_RBCL, views_RBCL, known_RBCL)
    beside = recipe.head_weight * head_loss(read) + recipe.entropy_weight * read.entropy
    return error + beside


def rebuilding_loss(rebuilt_RBCL: Tensor, views_RBCL: Tensor, known_RBCL: Tensor) -> Tensor:
    """Return the mean squared error over the known values of each view, summed over views."""
    square_RBCL = (rebuilt_RBCL - views_RBCL).square() * known_RBCL
    return square_RBCL.sum() * R / known_RBCL.sum().clamp(min=1)


def head_loss(read: Read) -> Tensor:
    """Return the cross entropy of what view each is, mean over windows, summed over views."""
    B = read.logit_RBR.shape[1]
    view_N = torch.arange(R, device=read.logit_RBR.device).repeat_interleave(B)
    return R * functional.cross_entropy(read.logit_RBR.flatten(0, 1).float(), view_N)


def _look(model: Network, held_out: Material, recipe: Recipe, random: torch.Generator) -> Callable[[], float]:
    """Return what measures the loss on some of the held-out windows; their views are the same at each look."""
    number_B = held_out.windows.numbers(_LOOKED_AT)

    def look() -> float:
        with torch.no_grad():
            parts = number_B.split(recipe.at_once)
            losses = [loss_of(model, *held_out.shown(part_B, random), recipe) * len(part_B) for part_B in parts]
        return float(sum(losses)) / len(number_B)

    return look
