"""Many small models trained at once: on a GPU, what leaves it idle one by one fills it together."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from tsad_core import Array, OptionError, nn

from tsad_mma.detector import MMA
from tsad_mma.masking import random_masks
from tsad_mma.model import Mixer, losses
from tsad_mma.ops import Drop
from tsad_mma.tiles import Tiles
from tsad_mma.training import Recipe, at_once, captured, dropout

_ALIKE = ("kernels_", "gelu_", "precision_", "device_", "width", "layers", "expansion", "gating")


def fit_together(detectors: Sequence[MMA], trains_TC: Sequence[Array]) -> None:
    """Fit each detector to a training part of its own, all in the same steps.

    They are as good as fits one by one and not equal to them: one stream of random numbers, of the first seed,
    serves all. Windows may be of any length, but all of as many patches.

    Raises:
        OptionError: if sizes or ways to train differ from detector to detector, or best weights are to be kept.

    """
    parts = [one._prepare(train_TC, (0,)) for one, train_TC in zip(detectors, trains_TC, strict=True)]  # noqa: SLF001
    tiles = [one._tiles(*fitted, one.train_stride_) for one, (fitted, _) in zip(detectors, parts, strict=True)]  # noqa: SLF001
    recipes = [one._recipe(len(own)) for one, own in zip(detectors, tiles, strict=True)]  # noqa: SLF001
    _check(detectors, recipes)
    models = [one._new_model() for one in detectors]  # noqa: SLF001
    train_together(models, tiles, recipes[0], detectors[0]._random(1))  # noqa: SLF001
    for one, model, (fitted, held_out) in zip(detectors, models, parts, strict=True):
        one._finish(model, held_out or fitted)  # noqa: SLF001


def _check(detectors: Sequence[MMA], recipes: Sequence[Recipe]) -> None:
    """Refuse models that cannot take the same steps."""
    for name in (*_ALIKE, "patches"):
        values = {getattr(one, name) if name != "patches" else one.window_ // one.patch_ for one in detectors}
        if len(values) > 1:
            raise OptionError(
                f"detectors fitted together have {name.rstrip('_')} = {sorted(map(str, values))}: give all one"
            )
    if len(set(recipes)) > 1:
        raise OptionError(f"detectors fitted together are trained in {len(set(recipes))} ways: give all one recipe")
    if any(one.keep == "best" for one in detectors):
        raise OptionError("keep = 'best' is for a fit by itself: take keep = 'last'")


def train_together(models: Sequence[Mixer], tiles: Sequence[Tiles], recipe: Recipe, random: torch.Generator) -> None:
    """Train models that differ in the length of their patches alone, each on tiles of its own."""
    stack = Stack(models)
    all_tiles = _AllTiles(tiles, stack.longest)
    drop = dropout(models[0], recipe.dropout, random)

    def loss(index_BM: Tensor) -> Tensor:
        drop.refresh()
        patches_MBNP = all_tiles.patches(index_BM.T)
        masks_MBN = random_masks(*patches_MBNP.shape[:3], ratio=recipe.mask_ratio, generator=random)
        return stack.losses(patches_MBNP, masks_MBN, recipe, drop).sum()

    descent = nn.descend(
        stack.weights.values(),
        loss,
        (all_tiles.draw(recipe.batch, random) for _ in range(recipe.steps)),
        learning_rate=recipe.learning_rate,
        gamma=recipe.decay ** (1 / recipe.steps),
        weight_decay=recipe.weight_decay,
        at_once=max(1, at_once(models[0], 2) // len(models)),
        captured=captured(models[0], random),
    )
    for _ in descent:
        pass
    stack.give_back()


class Stack:
    """The weights of several models, one above the other; patches are filled up to the longest with zeros."""

    def __init__(self, models: Sequence[Mixer]) -> None:
        self._models = models
        self.longest = max(model.shape.patch for model in models)
        first = models[0]
        shape = replace(first.shape, patch=self.longest)
        self._template = _Losses(Mixer(shape, precision=first.precision, how=first.how))
        self.weights = {
            name: torch.stack([_filled(own, like.shape) for own in owns]).requires_grad_()
            for (name, like), *owns in zip(
                self._template.model.named_parameters(), *(model.parameters() for model in models), strict=True
            )
        }
        lengths_M = torch.tensor([model.shape.patch for model in models])
        self._real_MP = (torch.arange(self.longest) < lengths_M[:, None]).to(first.head.weight.device)

    def losses(self, patches_MBNP: Tensor, masks_MBN: Tensor, recipe: Recipe, drop: Drop) -> Tensor:
        """Return the loss of each model on tiles of its own, shape (M,)."""

        def loss(weights: dict[str, Tensor], patches_BNP: Tensor, mask_BN: Tensor, real_P: Tensor) -> Tensor:
            named = {f"model.{name}": value for name, value in weights.items()}
            found: Tensor = functional_call(self._template, named, (patches_BNP, mask_BN, real_P, recipe, drop))
            return found

        found_M: Tensor = vmap(loss)(self.weights, patches_MBNP, masks_MBN, self._real_MP)
        return found_M

    @torch.no_grad()
    def give_back(self) -> None:
        """Give each model its weights."""
        for m, model in enumerate(self._models):
            for own, stacked in zip(model.parameters(), self.weights.values(), strict=True):
                own.copy_(stacked[m][tuple(slice(size) for size in own.shape)])


class _Losses(torch.nn.Module):
    """The loss of a model as a module, since weights can be given to those alone."""

    def __init__(self, model: Mixer) -> None:
        super().__init__()
        self.model = model

    def forward(self, patches_BNP: Tensor, mask_BN: Tensor, real_P: Tensor, recipe: Recipe, drop: Drop) -> Tensor:
        squared, contrast = losses(
            self.model, patches_BNP, mask_BN, temperature=recipe.temperature, drop=drop, real_P=real_P
        )
        return squared + recipe.contrast * contrast


class _AllTiles:
    """The tiles of several series, a batch of each at a time."""

    def __init__(self, tiles: Sequence[Tiles], longest: int) -> None:
        self._tiles, self._longest = tiles, longest
        device = tiles[0].series_CT.device
        self._count_M = torch.tensor([len(own) for own in tiles], device=device)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the numbers of tiles drawn at random, shape (B, M)."""
        shape = count, len(self._tiles)
        share_BM = torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)
        return (share_BM * self._count_M).long()

    def patches(self, index_MB: Tensor) -> Tensor:
        """Return the tiles of these numbers, shape (M, B, N, P); zeros fill patches up to the longest."""
        batches = [own.patches(index_B) for own, index_B in zip(self._tiles, index_MB, strict=True)]
        return torch.stack([_filled(batch, (*batch.shape[:2], self._longest)) for batch in batches])


def _filled(value: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a copy that ends with zeros."""
    filled = value.new_zeros(*shape)
    filled[tuple(slice(size) for size in value.shape)] = value.detach()
    return filled
