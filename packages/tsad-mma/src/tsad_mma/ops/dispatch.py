"""The mixer block, by the implementation that is asked for where that takes what is given, else by the reference."""

import importlib.util
import os
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from tsad_core import OptionError

from tsad_mma.ops import onednn, reference
from tsad_mma.ops.dropout import CounterDropout
from tsad_mma.ops.fused.blocking import fits
from tsad_mma.ops.reference import BlockWeights, Drop, Ends, keep

Kernels = Literal["triton", "onednn", "reference"]

_NEEDED = {
    "triton": "needs an NVIDIA GPU and the package triton",
    "onednn": "runs on a CPU whose PyTorch has oneDNN",
}


class How(NamedTuple):
    """How a mixer is computed."""

    kernels: Kernels = "reference"
    tf32x3: bool = False
    """Whether Triton's products of float32 are three of TF32 each, not one of float32."""
    fast_gelu: bool = False
    """Whether Triton's GELU is one whose error rounding to bfloat16 hides."""


PLAIN = How()
"""By the reference."""


def resolve(name: Literal["auto"] | Kernels, device: str, *, patches: int, width: int) -> Kernels:
    """Return the implementation that an option ``kernels`` means; ``"auto"`` is the fastest there.

    Tiles that are too large for Triton's kernels are the reference's.
    """
    cuda = device.startswith("cuda")
    runs = {"triton": _runs_triton(cuda=cuda), "onednn": device == "cpu" and onednn.AVAILABLE, "reference": True}
    if name == "auto":
        name = "triton" if cuda and runs["triton"] else "onednn" if runs["onednn"] else "reference"
    if not runs[name]:
        raise OptionError(f"kernels = {name!r} {_NEEDED[name]}; device is {device}: take 'auto'")
    return name if name != "triton" or fits(patches, width) else "reference"


def mix_patches(tiles_BND: Tensor, weights: BlockWeights, drop: Drop = keep, how: How = PLAIN) -> Tensor:
    """Return the tiles with their patches mixed, feature by feature."""
    if how.kernels == "triton" and _takes(tiles_BND, weights, drop):
        return _fused(tiles_BND, weights, drop, how, over_patches=True)
    if how.kernels == "onednn" and onednn.takes(tiles_BND, weights, drop):
        return onednn.mix_patches(tiles_BND, weights)
    return reference.mix_patches(tiles_BND, weights, drop)


def mix_features(tiles_BND: Tensor, weights: BlockWeights, drop: Drop = keep, how: How = PLAIN) -> Tensor:
    """Return the tiles with their features mixed, patch by patch."""
    if how.kernels == "triton" and _takes(tiles_BND, weights, drop):
        return _fused(tiles_BND, weights, drop, how, over_patches=False)
    if how.kernels == "onednn" and onednn.takes(tiles_BND, weights, drop):
        return onednn.mix_features(tiles_BND, weights)
    return reference.mix_features(tiles_BND, weights, drop)


def to_length_one(features: Tensor, how: How = PLAIN) -> Tensor:
    """Return vectors over the last axis, divided by their length."""
    if how.kernels == "triton" and features.dtype == torch.float32:
        from tsad_mma.ops.fused import length

        return length.to_length_one(features)
    return reference.to_length_one(features)


def average_draws(encoded_KBND: Tensor, features_BND: Tensor, ends: Ends, how: How = PLAIN) -> tuple[Tensor, Tensor]:
    """Return the mean values of rebuilt patches and the mean cosine of their embedding with the true one."""
    if how.kernels == "triton" and encoded_KBND.dtype == torch.float32 and not torch.is_grad_enabled():
        from tsad_mma.ops.fused import draws

        if draws.fits(*ends.embed_weight_DP.shape):
            return draws.average_draws(encoded_KBND, features_BND, ends)
    return reference.average_draws(encoded_KBND, features_BND, ends)


def _runs_triton(*, cuda: bool) -> bool:
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    return (cuda or interpreted) and importlib.util.find_spec("triton") is not None


def _takes(tiles_BND: Tensor, weights: BlockWeights, drop: Drop) -> bool:
    known = drop is keep or isinstance(drop, CounterDropout)
    _, N, D = tiles_BND.shape
    half = weights.fc1_weight_EA.dtype in {torch.float32, torch.bfloat16}
    return known and half and tiles_BND.dtype == torch.float32 and fits(N, D)


def _fused(tiles_BND: Tensor, weights: BlockWeights, drop: Drop, how: How, *, over_patches: bool) -> Tensor:
    # triton is loaded by whoever uses it
    from tsad_mma.ops.fused.mixer import Way, mix

    way = Way(over_patches=over_patches, tf32x3=how.tf32x3, fast=how.fast_gelu)
    return mix(tiles_BND, weights, way, drop if isinstance(drop, CounterDropout) else None)
