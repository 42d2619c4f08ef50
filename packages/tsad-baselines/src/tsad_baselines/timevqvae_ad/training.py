"""Training: a budget of steps for each stage, on random windows, with schedules that end where they should."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tsad_core import nn

from tsad_baselines.timevqvae_ad.blocks import Residual
from tsad_baselines.timevqvae_ad.masking import odd, random_columns, random_tokens
from tsad_baselines.timevqvae_ad.prior import NONE, Chance, Prior, keep
from tsad_baselines.timevqvae_ad.tokenizer import Tokenizer
from tsad_baselines.timevqvae_ad.windows import Windows

_FIRST = 256
"""Windows whose vectors the codes start from."""
_LEAST_RATE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a stage is trained."""

    steps: int
    batch: int
    learning_rate: float
    dropout: float = 0.0
    """Share of features that are dropped, and of looks of the prior."""
    layer_dropout: float = 0.0
    """Chance of each half of a layer of the prior to be skipped."""
    token_dropout: float = 0.0
    """Share of the features of known tokens that are dropped."""
    widest: float = 0.5
    """Largest share of the columns that is hidden as a stretch."""
    columns: bool = True
    """Whether every other window has columns hidden instead of single tokens."""


def schedule(steps: int, peak: float) -> list[float]:
    """Return the learning rate of each step: a tenth of them up to the peak, then half a cosine down to 1e-6.

    >>> [round(rate, 2) for rate in schedule(20, 1.0)[:3]], schedule(20, 1.0)[-1]
    ([0.5, 1.0, 0.99], 1e-06)
    """
    rising = max(1, steps // 10)
    falling = max(1, steps - rising)
    up = [peak * (step + 1) / rising for step in range(rising)]
    half = (peak - _LEAST_RATE) / 2
    return up + [_LEAST_RATE + half * (1 + math.cos(math.pi * (step + 1) / falling)) for step in range(steps - rising)]


def train_tokenizer(
    model: Tokenizer, windows: Windows, recipe: Recipe, random: torch.Generator, *, kmeans: bool
) -> None:
    """Train stage 1: windows rebuilt from their codes, and vectors near their codes."""
    nn.keep_freed_memory()
    model.train()
    if kmeans:
        _start(model, windows, random)
    store = nn.Dropout(recipe.dropout, random, dtype=torch.float32, size=1 << 20)
    for block in model.modules():
        if isinstance(block, Residual):
            block.drop = store if recipe.dropout else None

    def loss(index_B: Tensor) -> Tensor:
        store.refresh()
        losses = model.losses(windows.scored(index_B).values_BL, random)
        return losses.rebuilt + losses.commitment

    _descend(model, loss, _batches(len(windows), recipe, random), recipe)


def train_prior(model: Prior, tokens_BN: Tensor, channel_B: Tensor, recipe: Recipe, random: torch.Generator) -> None:
    """Train stage 2 on the tokens of windows: some hidden, told from the others."""
    nn.keep_freed_memory()
    model.train()
    stores = [
        nn.Dropout(rate, random, dtype=dtype, size=1 << 20)
        for rate, dtype in ((recipe.dropout, model.dtype), (recipe.token_dropout, model.embed.dtype))
    ]
    chance = _chance(recipe, stores, random)

    def loss(index_B: Tensor) -> Tensor:
        for store in stores:
            store.refresh()
        hidden_BN = hide(model, len(index_B), recipe, random)
        return prior_loss(model, tokens_BN[index_B].long(), channel_B[index_B], hidden_BN, chance)

    _descend(model, loss, _batches(len(tokens_BN), recipe, random), recipe)


def prior_loss(model: Prior, tokens_BN: Tensor, channel_B: Tensor, hidden_BN: Tensor, chance: Chance = NONE) -> Tensor:
    """Return the mean negative logarithm of the likelihood of hidden tokens."""
    x_BND = model(model.masked(tokens_BN, hidden_BN), channel_B, chance)
    hidden_R = hidden_BN.flatten().nonzero()[:, 0]
    logits_RK = model.logits(x_BND.flatten(0, 1)[hidden_R], hidden_R % tokens_BN.shape[1])
    return functional.cross_entropy(logits_RK, tokens_BN.flatten()[hidden_R])


def _descend(
    model: torch.nn.Module, loss: Callable[[Tensor], Tensor], batches: Iterator[Tensor], recipe: Recipe
) -> None:
    rates = schedule(recipe.steps, recipe.learning_rate)
    for _ in nn.descend(model.parameters(), loss, batches, learning_rate=rates, weight_decay=0.01):
        pass


def hide(model: Prior, windows: int, recipe: Recipe, random: torch.Generator) -> Tensor:
    """Return which tokens of windows are hidden, (B, N): in every other window whole columns, unless that is off."""
    of_tokens_BN = random_tokens(windows, model.sizes.tokens, random)
    if not recipe.columns:
        return of_tokens_BN
    columns = model.sizes.tokens // model.sizes.rows
    longest = odd(recipe.widest * columns)
    of_columns_BN = random_columns(windows, longest, rows=model.sizes.rows, columns=columns, random=random)
    every_other_B1 = torch.arange(windows, device=random.device)[:, None] % 2 == 0
    return torch.where(every_other_B1, of_columns_BN, of_tokens_BN)


def _chance(recipe: Recipe, stores: Sequence[nn.Dropout], random: torch.Generator) -> Chance:
    places = np.random.default_rng(random.initial_seed())
    drop, thin = (
        store if rate else keep for store, rate in zip(stores, (recipe.dropout, recipe.token_dropout), strict=True)
    )
    return Chance(drop, thin, lambda: bool(places.random() < recipe.layer_dropout))


def _start(model: Tokenizer, windows: Windows, random: torch.Generator) -> None:
    """Put the codes at the means of vectors of some windows."""
    index_B = torch.randint(len(windows), (_FIRST,), generator=random, device=random.device)
    with torch.no_grad():
        vectors_BDHW = model.encode(windows.scored(index_B).values_BL)
    model.quantiser.start(vectors_BDHW.permute(0, 2, 3, 1).flatten(0, 2), random)


def _batches(windows: int, recipe: Recipe, random: torch.Generator) -> Iterator[Tensor]:
    for _ in range(recipe.steps):
        yield torch.randint(windows, (recipe.batch,), generator=random, device=random.device)
