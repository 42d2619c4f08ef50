"""The mixer block in plain PyTorch: what every fused kernel must equal.

A tile is one window of one channel: N patches by D features. Tiles are independent. Norm and residual
have the precision of the tile, what lies between them that of the weights. The functions are pure:
`torch.vmap` over stacked weights runs many small models at once.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, softmax

Drop = Callable[[Tensor], Tensor]
"""Dropout in training; `keep` otherwise."""


class BlockWeights(NamedTuple):
    """The weights of one block that mixes A values (patches or features) by way of E hidden ones."""

    norm_weight_D: Tensor
    norm_bias_D: Tensor
    fc1_weight_EA: Tensor
    fc1_bias_E: Tensor
    fc2_weight_AE: Tensor
    fc2_bias_A: Tensor
    gate_weight_AA: Tensor | None = None
    """None: no gate, what is mixed counts as it is."""
    gate_bias_A: Tensor | None = None


class Ends(NamedTuple):
    """The linear layers from features to values and back."""

    head_weight_PD: Tensor
    head_bias_P: Tensor
    embed_weight_DP: Tensor
    embed_bias_D: Tensor


def keep(values: Tensor) -> Tensor:
    """Return the values: no dropout."""
    return values


def mix_patches(tiles_BND: Tensor, weights: BlockWeights, drop: Drop = keep) -> Tensor:
    """Return the tiles with their patches mixed, feature by feature."""
    # laid out anew, or a product with copied weights is made for each tile
    normed_BDN = norm(tiles_BND, weights).transpose(-1, -2).contiguous()
    gated_BDN = gated_mlp(normed_BDN, weights, drop)
    return tiles_BND + gated_BDN.transpose(-1, -2)


def mix_features(tiles_BND: Tensor, weights: BlockWeights, drop: Drop = keep) -> Tensor:
    """Return the tiles with their features mixed, patch by patch."""
    return tiles_BND + gated_mlp(norm(tiles_BND, weights), weights, drop)


def gated_mlp(values_BXA: Tensor, weights: BlockWeights, drop: Drop = keep) -> Tensor:
    """Return two layers over the last axis, times the softmax of a third if there is one."""
    mixed_BXA = mlp(values_BXA, weights, drop)
    if weights.gate_weight_AA is None:
        return mixed_BXA
    gate_BXA = linear(mixed_BXA, weights.gate_weight_AA, weights.gate_bias_A)
    return mixed_BXA * softmax(gate_BXA, dim=-1)


def mlp(values_BXA: Tensor, weights: BlockWeights, drop: Drop = keep) -> Tensor:
    """Return two layers over the last axis."""
    hidden_BXE = drop(gelu(linear(values_BXA, weights.fc1_weight_EA, weights.fc1_bias_E)))
    return drop(linear(hidden_BXE, weights.fc2_weight_AE, weights.fc2_bias_A))


def norm(tiles_BND: Tensor, weights: BlockWeights) -> Tensor:
    """Return each patch with mean 0 and variance 1, scaled and shifted, in the precision of the matrices."""
    normed_BND = layer_norm(tiles_BND, tiles_BND.shape[-1:], weights.norm_weight_D, weights.norm_bias_D)
    return normed_BND.to(weights.fc1_weight_EA.dtype)


def to_length_one(features: Tensor) -> Tensor:
    """Return vectors over the last axis, divided by their length."""
    return features * torch.rsqrt(features.square().sum(dim=-1, keepdim=True) + 1e-4)


def average_draws(encoded_KBND: Tensor, features_BND: Tensor, ends: Ends) -> tuple[Tensor, Tensor]:
    """Return the mean values of rebuilt patches and the mean cosine of their embedding with the true one."""
    values_KBNP = linear(encoded_KBND, ends.head_weight_PD, ends.head_bias_P)
    again_KBND = to_length_one(linear(values_KBNP, ends.embed_weight_DP, ends.embed_bias_D))
    return values_KBNP.mean(dim=0), (again_KBND * features_BND).sum(dim=-1).mean(dim=0)
