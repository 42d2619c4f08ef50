"""The mixer block, by the name of its implementation."""

from tsad_mma.ops.dispatch import PLAIN, How, Kernels, mix_features, mix_patches, resolve
from tsad_mma.ops.dropout import CounterDropout
from tsad_mma.ops.reference import BlockWeights, Drop, keep

__all__ = [
    "PLAIN",
    "BlockWeights",
    "CounterDropout",
    "Drop",
    "How",
    "Kernels",
    "keep",
    "mix_features",
    "mix_patches",
    "resolve",
]
