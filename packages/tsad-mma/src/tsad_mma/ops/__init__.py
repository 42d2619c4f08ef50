"""The mixer block, by the name of its implementation."""

from tsad_mma.ops.dispatch import (
    PLAIN,
    How,
    Kernels,
    average_draws,
    mix_features,
    mix_patches,
    resolve,
    to_length_one,
)
from tsad_mma.ops.dropout import CounterDropout
from tsad_mma.ops.reference import BlockWeights, Drop, Ends, keep

__all__ = [
    "PLAIN",
    "BlockWeights",
    "CounterDropout",
    "Drop",
    "Ends",
    "How",
    "Kernels",
    "average_draws",
    "keep",
    "mix_features",
    "mix_patches",
    "resolve",
    "to_length_one",
]
