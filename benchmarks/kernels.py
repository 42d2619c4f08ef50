"""What the fused kernels take of a GPU, and the least time they could: no GPU is needed.

Run as ``python benchmarks/kernels.py --resources`` for registers, stack, shared memory and warpgroup products of each
kernel, compiled ahead of time for sm_80 and sm_90 (``--json`` for programs), or ``--floor`` for the floor of each on a
chip, in microseconds. The floor has four terms, and no kernel is faster than the largest:

- products: operations over the peak of the tensor cores;
- memory: what must be read and written once over the bandwidth;
- weights: what all blocks read of the weights over the bandwidth of the second cache;
- issue: instructions of GELU, dropout, norm and softmax over what the schedulers issue.
"""

import argparse
import itertools
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from tsad_mma.ops.fused.backward import input_gradient_kernel, weight_gradient_kernel
from tsad_mma.ops.fused.blocking import blocking
from tsad_mma.ops.fused.forward import forward_kernel

KERNELS = {"forward": forward_kernel, "input": input_gradient_kernel, "weight": weight_gradient_kernel}
SHAPES = {"ASD": (64, 64), "UCR": (32, 128)}
OTHERS = {"small": (16, 64), "long": (128, 64), "narrow": (33, 24)}
TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
EXPANSION = 6
_FLOAT32 = ("x", "out", "d_out", "d_x", "gain", "shift", "d_gain", "d_shift", "d_w1", "d_b1", "d_w2")


@dataclass(frozen=True)
class Chip:
    """Peaks of a GPU, a second: operations by type, bytes of memory and of the second cache, instructions."""

    operations: dict[str, float]
    memory: float
    cache: float
    issue: float


def chip(processors: int, hertz: float, **rest: Any) -> Chip:
    """Return a chip; each of its processors issues to 128 lanes at once."""
    return Chip(issue=processors * 128 * hertz, **rest)


# vendor's numbers without sparsity; fp32 is three products of TF32; the cache as measured by others
CHIPS = {
    "H100": chip(132, 1.755e9, operations={"bf16": 989e12, "fp32": 495e12 / 3}, memory=3.35e12, cache=5.5e12),
    "H200": chip(132, 1.755e9, operations={"bf16": 989e12, "fp32": 495e12 / 3}, memory=4.8e12, cache=5.5e12),
    "A100": chip(108, 1.41e9, operations={"bf16": 312e12, "fp32": 156e12 / 3}, memory=2.0e12, cache=3.5e12),
}
# counted in the source: for each hidden value, and for each mixed one
INSTRUCTIONS = {"forward": (18, 30), "input": (24, 60), "weight": (26, 20)}
DROPPED = 6
# products of A x E for each row, of A x A; tiles that are read and written in float32, in the weights' type
PRODUCTS = {"forward": (2, 1), "input": (3, 2), "weight": (4, 0)}
TRAFFIC = {"forward": (2, 0), "input": (3, 3), "weight": (1, 1)}


def floor(
    kernel: str, tiles: int, shape: tuple[int, int], *, over_patches: bool, dtype: str, on: Chip, drop: bool
) -> dict[str, float]:
    """Return the four terms of a kernel's floor, in microseconds."""
    (N, D), (large, square) = shape, PRODUCTS[kernel]
    A, rows = (N, tiles * D) if over_patches else (D, tiles * N)
    E, size = EXPANSION * A, 2 if dtype == "bf16" else 4
    sizes = blocking(kernel, N, D, over_patches=over_patches, dtype=TYPES[dtype])
    wide, narrow = TRAFFIC[kernel]
    blocks = sizes.count(tiles, N, over_patches=over_patches)
    weights = 0 if kernel == "weight" else blocks * (2 * A * E + A * A) * size
    again = -(-E // sizes.chunk) if kernel == "weight" else 1
    hidden, mixed = INSTRUCTIONS[kernel]
    issued = rows * (E * (hidden + DROPPED * drop) + A * mixed * again)
    return {
        "products": 1e6 * 2 * rows * (large * A * E + square * A * A) / on.operations[dtype],
        "memory": 1e6 * rows * A * (4 * wide + size * narrow) / on.memory,
        "weights": 1e6 * (weights + (again - 1) * rows * A * (4 * wide + size * narrow)) / on.cache,
        "issue": 1e6 * issued / on.issue,
    }


def compiled(kernel: str, shape: tuple[int, int], *, over_patches: bool, dtype: str, capability: int) -> dict[str, Any]:
    """Return what a kernel takes of a GPU of a capability, with dropout and gate."""
    sizes = blocking(kernel, *shape, over_patches=over_patches, dtype=TYPES[dtype], hopper=capability >= 90)
    constants = {
        "OVER_PATCHES": over_patches, "ROWS": sizes.rows, "A_PAD": sizes.mixed, "D_PAD": sizes.width,
        "CHUNK": sizes.chunk, "GATED": True, "DROP": True, "FAST": dtype == "bf16", "SAVE": True,
        "PRECISION": "tf32x3" if dtype == "fp32" else "ieee",
    }  # fmt: skip
    function = KERNELS[kernel]
    signature = {name: _type(name, constants, dtype) for name in function.arg_names}
    even = [i for i, name in enumerate(function.arg_names) if name.endswith("_ptr")]
    if all(size % 16 == 0 for size in shape):
        even += [function.arg_names.index(name) for name in ("N", "D", "E")]
    source = ASTSource(
        function,
        signature,
        {name: value for name, value in constants.items() if name in signature},
        {(i,): [["tt.divisibility", 16]] for i in even},
    )
    began = time.perf_counter()
    options = {"num_warps": sizes.warps, "num_stages": sizes.stages}
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    return {
        "rows": sizes.rows, "chunk": sizes.chunk, "warps": sizes.warps,
        **_resources(made.asm["cubin"]),
        "shared": made.metadata.shared,
        "wgmma": made.asm["ptx"].count("wgmma.mma_async"),
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def _type(name: str, constants: dict[str, Any], dtype: str) -> str:
    if name in constants:
        return "constexpr"
    if name == "seed_ptr":
        return "*i64"
    if name.endswith("_ptr"):
        return "*fp32" if name.removesuffix("_ptr") in _FLOAT32 else f"*{dtype}"
    return "i32"


def _resources(cubin: bytes) -> dict[str, int]:
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        told = subprocess.run([tool, "-res-usage", file.name], check=True, capture_output=True, text=True).stdout
    found = re.search(r"REG:(\d+) STACK:(\d+)", told)
    assert found is not None
    return {"registers": int(found[1]), "stack": int(found[2])}


def resources(shapes: dict[str, tuple[int, int]], types: list[str]) -> Iterator[dict[str, Any]]:
    """Yield what each kernel takes, for each chip, shape, side and type."""
    for capability, (name, shape), dtype, side, kernel in itertools.product(
        (90, 80), shapes.items(), types, ("patches", "features"), KERNELS
    ):
        row = {"sm": capability, "shape": name, "dtype": dtype, "side": side, "kernel": kernel}
        yield row | compiled(kernel, shape, over_patches=side == "patches", dtype=dtype, capability=capability)


def floors(batch: int) -> Iterator[dict[str, Any]]:
    """Yield the floor of each kernel for a batch of windows in two views: of 19 channels for ASD, of one for UCR."""
    tiles = {"ASD": 2 * 19 * batch, "UCR": 2 * batch}
    for on, (name, shape), side, kernel in itertools.product(CHIPS, SHAPES.items(), ("patches", "features"), KERNELS):
        terms = floor(kernel, tiles[name], shape, over_patches=side == "patches", dtype="bf16", on=CHIPS[on], drop=True)
        row = {"chip": on, "shape": name, "side": side, "kernel": kernel}
        yield row | {term: round(time, 1) for term, time in terms.items()}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", action="store_true")
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--all", action="store_true", help="other shapes, and fp32 too")
    parser.add_argument("--batch", type=int, default=256, help="windows of a batch, for the floor")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.resources and not given.floor:
        parser.error("take --resources or --floor")
    shapes, types = (SHAPES | OTHERS, list(TYPES)) if given.all else (SHAPES, ["bf16"])
    rows = floors(given.batch) if given.floor else resources(shapes, types)
    for number, row in enumerate(rows):
        if given.json:
            print(json.dumps(row), flush=True)
            continue
        if not number:
            print("".join(f"{name:>10}" for name in row))
        print("".join(f"{value:>10}" for value in row.values()), flush=True)


if __name__ == "__main__":
    main()
