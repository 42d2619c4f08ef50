"""How large the blocks of a kernel are: a fixed table, so that nothing is tuned where a model runs.

`benchmarks/kernels.py --resources` prints what each choice takes in registers and shared memory.
"""

from dataclasses import dataclass
from typing import Literal

import torch

Kernel = Literal["forward", "input", "weight"]

SPLITS = 32
"""Partial sums of a weight gradient, at most."""
_LARGEST, _WIDEST = 8192, 128
"""Most padded values of a tile, and of a row: more do not fit into the registers of a program."""
_LEAST = 16
"""Tensor cores multiply no smaller matrices."""
TABLE: dict[tuple[Kernel, int], tuple[int, int, int, int]] = {
    ("forward", 64): (128, 64, 8, 2),
    ("forward", 128): (64, 64, 8, 2),
    ("input", 32): (128, 32, 8, 2),
    ("input", 64): (64, 32, 4, 2),
    ("input", 128): (64, 16, 8, 2),
    ("weight", 32): (128, 32, 8, 1),
    ("weight", 64): (64, 32, 4, 1),
    ("weight", 128): (64, 16, 8, 1),
}
"""By the kernel and the most padded values of a row: rows, chunk, warps, stages; for bfloat16 on sm_90."""
_BEFORE_HOPPER: dict[tuple[Kernel, int], tuple[int, int, int, int]] = {("input", 64): (64, 16, 8, 2)}


@dataclass(frozen=True)
class Blocking:
    """The block of one kernel: so many rows, so many hidden values of each at a time."""

    rows: int
    mixed: int
    """Padded values of a row."""
    width: int
    """Padded features of a patch."""
    chunk: int
    warps: int
    stages: int

    def __post_init__(self) -> None:
        """See that tensor cores can multiply what the block is made of; the interpreter would multiply anything."""
        assert min(self.rows, self.mixed, self.chunk) >= _LEAST
        assert self.rows % self.width == 0 or self.width > self.rows

    def count(self, tiles: int, N: int, *, over_patches: bool) -> int:
        """Return how many blocks it takes for so many tiles."""
        return -(-tiles // (self.rows // self.width)) if over_patches else -(-tiles * N // self.rows)


def fits(N: int, D: int) -> bool:
    """Return whether the kernels take tiles of N patches with D features."""
    return max(N, D) <= _WIDEST and _padded(N) * _padded(D) <= _LARGEST


def key(kernel: Kernel, N: int, D: int, *, over_patches: bool) -> tuple[Kernel, int]:
    """Return the row of the table that tells the block of a kernel."""
    mixed = _padded(N if over_patches else D)
    return kernel, min(size for name, size in TABLE if name == kernel and size >= mixed)


def blocking(
    kernel: Kernel, N: int, D: int, *, over_patches: bool, dtype: torch.dtype, hopper: bool = True
) -> Blocking:
    """Return the block that a kernel works in."""
    width, mixed = _padded(D), _padded(N if over_patches else D)
    table = TABLE if hopper else TABLE | _BEFORE_HOPPER
    rows, chunk, warps, stages = table[key(kernel, N, D, over_patches=over_patches)]
    if dtype == torch.float32:
        rows, chunk, stages = 64, 16, 1
    return Blocking(max(rows, width) if over_patches else rows, mixed, width, chunk, warps, stages)


def _padded(size: int) -> int:
    return max(_LEAST, 1 << (size - 1).bit_length())
