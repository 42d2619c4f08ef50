"""The mixer block, by the name of its implementation."""

from tsad_mma.ops.reference import BlockWeights, Drop, mix_features, mix_patches

__all__ = ["BlockWeights", "Drop", "mix_features", "mix_patches"]
