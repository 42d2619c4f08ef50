"""The mixer block, by the implementation that is asked for where that takes what is given, else by the reference."""

from typing import Literal

from torch import Tensor
from tsad_core import OptionError

from tsad_mma.ops import onednn, reference
from tsad_mma.ops.reference import BlockWeights, Drop, keep

Kernels = Literal["onednn", "reference"]


def resolve(name: Literal["auto"] | Kernels, device: str) -> Kernels:
    """Return the implementation that an option ``kernels`` means; ``"auto"`` is the fastest for scoring there."""
    fits = device == "cpu" and onednn.AVAILABLE
    if name == "onednn" and not fits:
        raise OptionError(f"kernels = 'onednn' runs on a CPU whose PyTorch has oneDNN; device is {device}: take 'auto'")
    return name if name != "auto" else "onednn" if fits else "reference"


def mix_patches(tiles_BND: Tensor, weights: BlockWeights, drop: Drop = keep, kernels: Kernels = "reference") -> Tensor:
    """Return the tiles with their patches mixed, feature by feature."""
    if kernels == "onednn" and onednn.takes(tiles_BND, weights, drop):
        return onednn.mix_patches(tiles_BND, weights)
    return reference.mix_patches(tiles_BND, weights, drop)


def mix_features(tiles_BND: Tensor, weights: BlockWeights, drop: Drop = keep, kernels: Kernels = "reference") -> Tensor:
    """Return the tiles with their features mixed, patch by patch."""
    if kernels == "onednn" and onednn.takes(tiles_BND, weights, drop):
        return onednn.mix_features(tiles_BND, weights)
    return reference.mix_features(tiles_BND, weights, drop)
