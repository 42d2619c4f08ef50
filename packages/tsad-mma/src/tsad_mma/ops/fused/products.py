"""Matrix products within a kernel, and what they are made of."""

from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl

INTERPRETED = tl.constexpr(triton.knobs.runtime.interpret)
"""Whether kernels run in NumPy, on the CPU: for tests."""
launched: Callable[[Any], Any] = (lambda kernel: kernel) if INTERPRETED.value else torch.library.wrap_triton
"""A kernel as it is launched, so that `torch.compile` sees it."""


@triton.jit
def dot(left, right, PRECISION: tl.constexpr):
    """Return a matrix product, summed in float32."""
    if INTERPRETED:
        # products of bfloat16 are garbage in the interpreter
        product = tl.dot(left.to(tl.float32), right.to(tl.float32), input_precision="ieee")
    else:
        product = tl.dot(left, right, input_precision=PRECISION)
    return product


@triton.jit
def columns(pointer, first, A, E, stride_a, stride_e, A_PAD: tl.constexpr, CHUNK: tl.constexpr):
    """Return some columns of an A x E matrix, 0 where it has none."""
    a_A, e_E = tl.arange(0, A_PAD), first + tl.arange(0, CHUNK)
    at_AE = a_A[:, None] * stride_a + e_E[None, :] * stride_e
    return tl.load(pointer + at_AE, mask=(a_A < A)[:, None] & (e_E < E)[None, :], other=0.0)


@triton.jit
def vector(pointer, first, size, WIDTH: tl.constexpr):
    """Return some values as a row of float32, 0 where there are none."""
    index = first + tl.arange(0, WIDTH)
    return tl.load(pointer + index, mask=index < size, other=0.0).to(tl.float32)[None, :]
