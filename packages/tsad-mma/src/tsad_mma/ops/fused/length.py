"""Vectors divided by their length, in one pass forward and one backward."""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from tsad_mma.ops.fused.products import launched

_ROWS = 32


@triton.jit(do_not_specialize=["rows"])
def length_kernel(x_ptr, out_ptr, rows, D, ROWS: tl.constexpr, D_PAD: tl.constexpr):
    """Divide some rows by their length."""
    at_RD, inside_RD = _places(rows, D, ROWS, D_PAD)
    x_RD = tl.load(x_ptr + at_RD, mask=inside_RD, other=0.0)
    tl.store(out_ptr + at_RD, x_RD * _scale(x_RD), mask=inside_RD)


@triton.jit(do_not_specialize=["rows"])
def length_gradient_kernel(x_ptr, d_out_ptr, d_x_ptr, rows, D, ROWS: tl.constexpr, D_PAD: tl.constexpr):
    """Find the gradient of some rows: what points along a row does not count."""
    at_RD, inside_RD = _places(rows, D, ROWS, D_PAD)
    x_RD = tl.load(x_ptr + at_RD, mask=inside_RD, other=0.0)
    d_out_RD = tl.load(d_out_ptr + at_RD, mask=inside_RD, other=0.0)
    scale_R1 = _scale(x_RD)
    out_RD = x_RD * scale_R1
    along_R1 = tl.sum(out_RD * d_out_RD, axis=1)[:, None]
    tl.store(d_x_ptr + at_RD, scale_R1 * (d_out_RD - out_RD * along_R1), mask=inside_RD)


@triton.jit
def _places(rows, D, ROWS: tl.constexpr, D_PAD: tl.constexpr):
    row_R = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    d_D = tl.arange(0, D_PAD)
    return row_R[:, None] * D + d_D[None, :], (row_R < rows)[:, None] & (d_D < D)[None, :]


@triton.jit
def _scale(x_RD):
    return tl.rsqrt(tl.sum(x_RD * x_RD, axis=1) + 1e-4)[:, None]


def to_length_one(features: Tensor) -> Tensor:
    """Return vectors over the last axis, float32, divided by their length."""
    divided: Tensor = _forward(features)
    return divided


@torch.library.triton_op("tsad_mma::to_length_one", mutates_args={})
def _forward(features: Tensor) -> Tensor:
    features = features.contiguous()
    return _launch(length_kernel, [features], torch.empty_like(features))


@torch.library.triton_op("tsad_mma::to_length_one_backward", mutates_args={})
def _backward(features: Tensor, d_out: Tensor) -> Tensor:
    features = features.contiguous()
    return _launch(length_gradient_kernel, [features, d_out.contiguous()], torch.empty_like(features))


def _launch(kernel: Any, given: list[Tensor], found: Tensor) -> Tensor:
    D = found.shape[-1]
    rows = found.numel() // max(1, D)
    if rows:
        launched(kernel)[(-(-rows // _ROWS),)](
            *given, found, rows, D, ROWS=_ROWS, D_PAD=1 << (D - 1).bit_length(), num_warps=4
        )
    return found


@_forward.register_fake
@_backward.register_fake
def _(features: Tensor, *_: Tensor) -> Tensor:
    return torch.empty_like(features, memory_format=torch.contiguous_format)


_forward.register_autograd(
    lambda ctx, d_out: _backward(ctx.saved_tensors[0], d_out),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]),  # noqa: ARG005 - called by its name
)


@torch.library.register_vmap("tsad_mma::to_length_one")
def _(_: Any, axes: tuple[int], features: Tensor) -> tuple[Tensor, int]:
    divided: Tensor = _forward(features.movedim(axes[0], 0))
    return divided, 0
