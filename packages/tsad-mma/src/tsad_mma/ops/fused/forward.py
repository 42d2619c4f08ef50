"""The mixer block in one kernel: what lies between its input and its output never leaves the chip."""

import triton
import triton.language as tl

from tsad_mma.ops.fused.dropped import factors, row_keys
from tsad_mma.ops.fused.gelu import gelu
from tsad_mma.ops.fused.products import columns, dot, vector
from tsad_mma.ops.fused.rows import normed, places


@triton.jit(do_not_specialize=["tiles", "use", "dropped"])
def forward_kernel(
    x_ptr, gain_ptr, shift_ptr, w1_ptr, b1_ptr, w2_ptr, wg_ptr, bg_ptr, seed_ptr, b2_ptr, out_ptr, mixed_ptr,
    tiles, N, D, E, use, dropped,
    OVER_PATCHES: tl.constexpr, ROWS: tl.constexpr, A_PAD: tl.constexpr, D_PAD: tl.constexpr, CHUNK: tl.constexpr,
    GATED: tl.constexpr, DROP: tl.constexpr, FAST: tl.constexpr, PRECISION: tl.constexpr, SAVE: tl.constexpr,
):  # fmt: skip
    """Mix some rows, and if asked keep what the gate is given."""
    model = tl.program_id(1).to(tl.int64)
    A = N if OVER_PATCHES else D
    row_R, at_RA, inside_RA, feature_R = places(tl.program_id(0), tiles, N, D, OVER_PATCHES, ROWS, A_PAD, D_PAD)
    at_RA += model * tiles * N * D
    x_RA = tl.load(x_ptr + at_RA, mask=inside_RA, other=0.0)
    norm_ptr = gain_ptr + model * D, shift_ptr + model * D
    normed_RA = normed(x_RA, inside_RA, norm_ptr[0], norm_ptr[1], feature_R, D, OVER_PATCHES, A_PAD, D_PAD)
    normed_RA = normed_RA.to(w1_ptr.dtype.element_ty)
    key_R = row_keys(seed_ptr, use, row_R)
    mixed_RA = tl.zeros([ROWS, A_PAD], tl.float32)
    for first in range(0, E, CHUNK):
        w1_AE = columns(w1_ptr + model * E * A, first, A, E, 1, A, A_PAD, CHUNK)
        hidden_RE = gelu(dot(normed_RA, w1_AE, PRECISION) + vector(b1_ptr + model * E, first, E, CHUNK), FAST)
        if DROP:
            hidden_RE *= factors(key_R, first, dropped, CHUNK)
        w2_AE = columns(w2_ptr + model * E * A, first, A, E, E, 1, A_PAD, CHUNK)
        mixed_RA += dot(hidden_RE.to(w2_AE.dtype), tl.trans(w2_AE), PRECISION)
    mixed_RA += vector(b2_ptr + model * A, 0, A, A_PAD)
    if DROP:
        mixed_RA *= factors(row_keys(seed_ptr, use + 1, row_R), 0, dropped, A_PAD)
    rounded_RA = mixed_RA.to(w1_ptr.dtype.element_ty)
    if SAVE:
        saved_RA = model * tiles * N * D + row_R[:, None] * A + tl.arange(0, A_PAD)[None, :]
        tl.store(mixed_ptr + saved_RA, rounded_RA, mask=inside_RA)
    mixed_RA = rounded_RA.to(tl.float32)
    if GATED:
        wg_AA = columns(wg_ptr + model * A * A, 0, A, A, 1, A, A_PAD, A_PAD)
        mixed_RA *= gates(rounded_RA, wg_AA, bg_ptr + model * A, A, PRECISION)
    x_RA = tl.load(x_ptr + at_RA, mask=inside_RA, other=0.0)
    tl.store(out_ptr + at_RA, x_RA + mixed_RA, mask=inside_RA)


@triton.jit
def gates(mixed_RA, wg_AA, bg_ptr, A, PRECISION: tl.constexpr):
    """Return the weight of each mixed value; those of a row sum to 1."""
    A_PAD: tl.constexpr = mixed_RA.shape[1]
    bias_1A = tl.where((tl.arange(0, A_PAD) < A)[None, :], vector(bg_ptr, 0, A, A_PAD), float("-inf"))
    logit_RA = dot(mixed_RA, wg_AA, PRECISION) + bias_1A
    weight_RA = tl.exp(logit_RA - tl.max(logit_RA, axis=1)[:, None])
    return weight_RA / tl.sum(weight_RA, axis=1)[:, None]
