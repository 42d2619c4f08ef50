"""The mixer block, by the name of its implementation."""

from tsad_mma.ops.dispatch import Kernels, mix_features, mix_patches, resolve
from tsad_mma.ops.reference import BlockWeights, Drop, keep

__all__ = ["BlockWeights", "Drop", "Kernels", "keep", "mix_features", "mix_patches", "resolve"]
