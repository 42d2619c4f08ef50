"""The MLP-Mixer masked autoencoder: patches to features, mixed under a mask, and back.

Channels are never mixed, so the model knows tiles only: one window of one channel, N patches of P
steps. A NaN makes its patch a hidden one, in both views, and counts in no loss.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tsad_mma.masking import whole
from tsad_mma.ops import (
    PLAIN,
    BlockWeights,
    Drop,
    Ends,
    How,
    average_draws,
    keep,
    mix_features,
    mix_patches,
    to_length_one,
)

_LEAST = -1e9


@dataclass(frozen=True)
class Shape:
    """The sizes of a model."""

    patches: int
    patch: int
    width: int = 64
    layers: int = 3
    expansion: int = 6
    gated: bool = True


class Rebuilt(NamedTuple):
    """What the model makes of tiles."""

    values_KBNP: Tensor
    """Each patch as predicted from the view in which it was hidden, for each of K masks."""
    features_KBND: Tensor
    """Its embedding."""


class Block(nn.Module):
    """The weights of one mixer block over an axis of some size."""

    def __init__(self, size: int, shape: Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.fc1 = nn.Linear(size, size * shape.expansion)
        self.fc2 = nn.Linear(size * shape.expansion, size)
        self.gate = nn.Linear(size, size) if shape.gated else None

    def weights(self, dtype: torch.dtype) -> BlockWeights:
        """Return the weights, the matrices in a precision."""
        layers = [layer for layer in (self.fc1, self.fc2, self.gate) if layer is not None]
        matrices = [value.to(dtype) for layer in layers for value in (layer.weight, layer.bias)]
        return BlockWeights(self.norm.weight, self.norm.bias, *matrices)


class Layer(nn.Module):
    """One mixer layer: over the patches, over the features, and to length one."""

    def __init__(self, shape: Shape, how: How) -> None:
        super().__init__()
        self.how = how
        self.patch = Block(shape.patches, shape)
        self.feature = Block(shape.width, shape)

    def forward(self, tiles_BND: Tensor, dtype: torch.dtype, drop: Drop) -> Tensor:
        """Return the mixed tiles."""
        return self.over_features(self.over_patches(tiles_BND, dtype, drop), dtype, drop)

    def over_patches(self, tiles_BND: Tensor, dtype: torch.dtype, drop: Drop) -> Tensor:
        """Return the tiles after the layer's first half."""
        return mix_patches(tiles_BND, self.patch.weights(dtype), drop, self.how)

    def over_features(self, mixed_BND: Tensor, dtype: torch.dtype, drop: Drop) -> Tensor:
        """Return the tiles after the second half, which looks at each patch alone."""
        mixed_BND = mix_features(mixed_BND, self.feature.weights(dtype), drop, self.how)
        return to_length_one(mixed_BND, self.how)


class Mixer(nn.Module):
    """The masked autoencoder of tiles. Matrix products of the mixer run in `precision`, the rest in float32."""

    def __init__(self, shape: Shape, *, precision: torch.dtype | None = None, how: How = PLAIN) -> None:
        super().__init__()
        self.shape, self.precision, self.how = shape, precision, how
        self.embed = nn.Linear(shape.patch, shape.width)
        self.layers = nn.ModuleList(Layer(shape, how) for _ in range(shape.layers))
        self.head = nn.Linear(shape.width, shape.patch)

    def forward(self, patches_BNP: Tensor, masks_KBN: Tensor, drop: Drop = keep) -> Rebuilt:
        """Return what the model makes of tiles under each of K masks and their complements."""
        return self.rebuild(self.features(patches_BNP), masks_KBN, whole(patches_BNP), drop)

    def features(self, patches_BNP: Tensor) -> Tensor:
        """Return the embedding of patches, of length one."""
        return to_length_one(self.embed(patches_BNP.nan_to_num()), self.how)

    def rebuild(self, features_BND: Tensor, masks_KBN: Tensor, whole_BN: Tensor, drop: Drop = keep) -> Rebuilt:
        """Return what the model makes of embedded tiles: every patch from the view that hides it."""
        values_KBNP = self.head(drop(self._hidden(features_BND, masks_KBN, whole_BN, drop)))
        return Rebuilt(values_KBNP, self.features(values_KBNP))

    def score(self, shown_BNP: Tensor, true_BNP: Tensor, masks_KBN: Tensor) -> tuple[Tensor, Tensor]:
        """Return tiles as the model rebuilds them, and how unlike each patch is to the true one; means over the masks.

        One minus the cosine, shape (B, N); 0 where a value is missing.
        """
        encoded_KBND = self._hidden(self.features(shown_BNP), masks_KBN, whole(shown_BNP), keep)
        ends = Ends(self.head.weight, self.head.bias, self.embed.weight, self.embed.bias)
        values_BNP, cosine_BN = average_draws(encoded_KBND, self.features(true_BNP), ends, self.how)
        return values_BNP, torch.where(whole(true_BNP), 1 - cosine_BN, 0.0)

    def _hidden(self, features_BND: Tensor, masks_KBN: Tensor, whole_BN: Tensor, drop: Drop) -> Tensor:
        """Return the mixed features of every patch in the view that hides it."""
        views = torch.stack([masks_KBN | ~whole_BN, ~masks_KBN | ~whole_BN])
        first_KBND, second_KBND = self._patches_mixed(features_BND, views, drop)
        # what follows looks at each patch alone: choosing before it is choosing after it, at half the cost
        chosen_KBND = torch.where(masks_KBN[..., None], first_KBND, second_KBND)
        return self._encoded(chosen_KBND, drop)

    def encode(self, features_BND: Tensor, hidden_VBN: Tensor, drop: Drop = keep) -> Tensor:
        """Return the mixed features of tiles in views that hide patches, shape (V…, B, N, D)."""
        return self._encoded(self._patches_mixed(features_BND, hidden_VBN, drop), drop)

    def _patches_mixed(self, features_BND: Tensor, hidden_VBN: Tensor, drop: Drop) -> Tensor:
        """Return tiles in views as they are after the last layer's first half."""
        # a patch of zeros has the embedding of the bias alone: the mask's token
        token_D = to_length_one(self.embed.bias, self.how)
        views = torch.where(hidden_VBN[..., None], token_D, features_BND)
        mixed = views.flatten(0, -3)
        for layer in self.layers[:-1]:
            mixed = layer(mixed, self._dtype, drop)
        return self._last.over_patches(mixed, self._dtype, drop).view(views.shape)

    def _encoded(self, mixed: Tensor, drop: Drop) -> Tensor:
        return self._last.over_features(mixed.flatten(0, -3), self._dtype, drop).view(mixed.shape)

    @property
    def _last(self) -> Layer:
        last = self.layers[-1]
        assert isinstance(last, Layer)
        return last

    @property
    def _dtype(self) -> torch.dtype:
        return self.precision or self.head.weight.dtype


def new_model(
    shape: Shape,
    generator: torch.Generator,
    *,
    precision: torch.dtype | None = None,
    how: How = PLAIN,
) -> Mixer:
    """Return a model with weights drawn by the generator, as `torch.nn.Linear` would draw its own."""
    # not on the meta device: to leave it imports sympy, a second
    with torch.random.fork_rng(devices=[]):
        model = Mixer(shape, precision=precision, how=how).to(generator.device)
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
    return model


def losses(
    model: Mixer,
    patches_BNP: Tensor,
    mask_BN: Tensor,
    *,
    temperature: float = 0.1,
    drop: Drop = keep,
    real_P: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean squared error of hidden values, and how badly rebuilt patches tell true ones apart.

    Values of a patch that are not `real_P` count in no mean.
    """
    whole_BN = whole(patches_BNP)
    features_BND = model.features(patches_BNP)
    rebuilt = model.rebuild(features_BND, mask_BN[None], whole_BN, drop)
    contrast = _contrast(features_BND, rebuilt.features_KBND[0], whole_BN, temperature)
    known_BNP = ~patches_BNP.isnan() if real_P is None else ~patches_BNP.isnan() & real_P
    return _squared_error(patches_BNP, rebuilt.values_KBNP[0], known_BNP), contrast


def _squared_error(patches_BNP: Tensor, values_BNP: Tensor, known_BNP: Tensor) -> Tensor:
    error_BNP = torch.where(known_BNP, patches_BNP.nan_to_num() - values_BNP, 0.0)
    return error_BNP.square().sum() / known_BNP.sum().clamp(min=1)


def _contrast(features_BND: Tensor, rebuilt_BND: Tensor, whole_BN: Tensor, temperature: float) -> Tensor:
    """Return the cross entropy of finding each true patch among the rebuilt ones of its tile."""
    logits_BNN = features_BND @ rebuilt_BND.transpose(1, 2) / temperature
    logits_BNN = torch.where(whole_BN[:, None, :], logits_BNN, _LEAST)
    surprise_BN = logits_BNN.logsumexp(dim=2) - logits_BNN.diagonal(dim1=1, dim2=2)
    return torch.where(whole_BN, surprise_BN, 0.0).sum() / whole_BN.sum().clamp(min=1)
