"""The gradients of the mixer block, in two kernels: of what goes in, and of the weights. The hidden layer is made anew.

Both add up in a fixed order, so equal inputs have equal gradients.
"""

import triton
import triton.language as tl

from tsad_mma.ops.fused.dropped import factors, row_keys
from tsad_mma.ops.fused.forward import gates
from tsad_mma.ops.fused.gelu import gelu_and_slope
from tsad_mma.ops.fused.products import columns, dot, vector
from tsad_mma.ops.fused.rows import block_count, normed, of_feature, over_features, over_patches, places, unit


@triton.jit(do_not_specialize=["tiles", "use", "dropped"])
def input_gradient_kernel(
    x_ptr, gain_ptr, shift_ptr, w1_ptr, b1_ptr, w2_ptr, wg_ptr, bg_ptr, seed_ptr, mixed_ptr, d_out_ptr,
    d_x_ptr, d_mixed_ptr, d_logit_ptr, d_gain_ptr, d_shift_ptr,
    tiles, N, D, E, use, dropped,
    OVER_PATCHES: tl.constexpr, ROWS: tl.constexpr, A_PAD: tl.constexpr, D_PAD: tl.constexpr, CHUNK: tl.constexpr,
    GATED: tl.constexpr, DROP: tl.constexpr, FAST: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Find the gradients of some rows' input, of what is mixed, of the gate's logits, and their share of the norm's."""
    block, model = tl.program_id(0), tl.program_id(1).to(tl.int64)
    A = N if OVER_PATCHES else D
    row_R, at_RA, inside_RA, feature_R = places(block, tiles, N, D, OVER_PATCHES, ROWS, A_PAD, D_PAD)
    at_RA += model * tiles * N * D
    saved_RA = model * tiles * N * D + row_R[:, None] * A + tl.arange(0, A_PAD)[None, :]
    d_mixed_RA = tl.load(d_out_ptr + at_RA, mask=inside_RA, other=0.0)
    if GATED:
        mixed_RA = tl.load(mixed_ptr + saved_RA, mask=inside_RA, other=0.0)
        wg_AA = columns(wg_ptr + model * A * A, 0, A, A, 1, A, A_PAD, A_PAD)
        d_mixed_RA, d_logit_RA = before_gate(d_mixed_RA, mixed_RA, wg_AA, bg_ptr + model * A, A, PRECISION)
        tl.store(d_logit_ptr + saved_RA, d_logit_RA, mask=inside_RA)
    if DROP:
        d_mixed_RA *= factors(row_keys(seed_ptr, use + 1, row_R), 0, dropped, A_PAD)
    d_mixed_RA = d_mixed_RA.to(w1_ptr.dtype.element_ty)
    tl.store(d_mixed_ptr + saved_RA, d_mixed_RA, mask=inside_RA)

    x_RA = tl.load(x_ptr + at_RA, mask=inside_RA, other=0.0)
    norm_ptr = gain_ptr + model * D, shift_ptr + model * D
    normed_RA = normed(x_RA, inside_RA, norm_ptr[0], norm_ptr[1], feature_R, D, OVER_PATCHES, A_PAD, D_PAD)
    normed_RA = normed_RA.to(w1_ptr.dtype.element_ty)
    key_R = row_keys(seed_ptr, use, row_R)
    d_normed_RA = tl.zeros([ROWS, A_PAD], tl.float32)
    for first in range(0, E, CHUNK):
        w1_AE = columns(w1_ptr + model * E * A, first, A, E, 1, A, A_PAD, CHUNK)
        before_RE = dot(normed_RA, w1_AE, PRECISION) + vector(b1_ptr + model * E, first, E, CHUNK)
        w2_AE = columns(w2_ptr + model * E * A, first, A, E, E, 1, A_PAD, CHUNK)
        d_hidden_RE = dot(d_mixed_RA, w2_AE, PRECISION) * gelu_and_slope(before_RE, FAST)[1]
        if DROP:
            d_hidden_RE *= factors(key_R, first, dropped, CHUNK)
        d_normed_RA += dot(d_hidden_RE.to(w1_AE.dtype), tl.trans(w1_AE), PRECISION)

    x_RA = tl.load(x_ptr + at_RA, mask=inside_RA, other=0.0)
    unit_RA, scale_RA = unit(x_RA, inside_RA, D, OVER_PATCHES, D_PAD)
    d_normed_RA = tl.where(inside_RA, d_normed_RA, 0.0)
    d_unit_RA = d_normed_RA * of_feature(norm_ptr[0], feature_R, D, OVER_PATCHES, A_PAD)
    d_x_RA = before_unit(d_unit_RA, unit_RA, scale_RA, D, OVER_PATCHES, D_PAD)
    tl.store(d_x_ptr + at_RA, tl.load(d_out_ptr + at_RA, mask=inside_RA, other=0.0) + d_x_RA, mask=inside_RA)
    d_D = tl.arange(0, D_PAD)
    part_D = (model * tl.num_programs(0) + block) * D + d_D
    tl.store(d_gain_ptr + part_D, over_patches(d_normed_RA * unit_RA, OVER_PATCHES, D_PAD), mask=d_D < D)
    tl.store(d_shift_ptr + part_D, over_patches(d_normed_RA, OVER_PATCHES, D_PAD), mask=d_D < D)


@triton.jit
def before_gate(d_gated_RA, mixed_RA, wg_AA, bg_ptr, A, PRECISION: tl.constexpr):
    """Return the gradients of what is mixed and of the gate's logits."""
    gate_RA = gates(mixed_RA, wg_AA, bg_ptr, A, PRECISION)
    d_gate_RA = d_gated_RA * mixed_RA.to(tl.float32)
    d_logit_RA = gate_RA * (d_gate_RA - tl.sum(d_gate_RA * gate_RA, axis=1)[:, None])
    d_logit_RA = d_logit_RA.to(mixed_RA.dtype)
    return d_gated_RA * gate_RA + dot(d_logit_RA, tl.trans(wg_AA), PRECISION), d_logit_RA


@triton.jit
def before_unit(d_unit_RA, unit_RA, scale_RA, D, OVER_PATCHES: tl.constexpr, D_PAD: tl.constexpr):
    """Return the gradient of values that were given mean 0 and variance 1."""
    mean = over_features(d_unit_RA, OVER_PATCHES, D_PAD) / D
    along = over_features(d_unit_RA * unit_RA, OVER_PATCHES, D_PAD) / D
    return scale_RA * (d_unit_RA - mean - unit_RA * along)


@triton.jit(do_not_specialize=["tiles", "use", "dropped"])
def weight_gradient_kernel(
    x_ptr, gain_ptr, shift_ptr, w1_ptr, b1_ptr, w2_ptr, wg_ptr, bg_ptr, seed_ptr, d_mixed_ptr,
    d_w1_ptr, d_b1_ptr, d_w2_ptr,
    tiles, N, D, E, use, dropped,
    OVER_PATCHES: tl.constexpr, ROWS: tl.constexpr, A_PAD: tl.constexpr, D_PAD: tl.constexpr, CHUNK: tl.constexpr,
    GATED: tl.constexpr, DROP: tl.constexpr, FAST: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Add up the gradients of some hidden units' weights over every so many blocks."""
    split, splits, model = tl.program_id(0), tl.num_programs(0), tl.program_id(1).to(tl.int64)
    A = N if OVER_PATCHES else D
    first = tl.program_id(2) * CHUNK
    w1_AE = columns(w1_ptr + model * E * A, first, A, E, 1, A, A_PAD, CHUNK)
    w2_AE = columns(w2_ptr + model * E * A, first, A, E, E, 1, A_PAD, CHUNK)
    b1_1E = vector(b1_ptr + model * E, first, E, CHUNK)
    norm_ptr = gain_ptr + model * D, shift_ptr + model * D
    d_w1_AE, d_w2_AE = tl.zeros([A_PAD, CHUNK], tl.float32), tl.zeros([A_PAD, CHUNK], tl.float32)
    d_b1_E = tl.zeros([CHUNK], tl.float32)
    for block in range(split, block_count(tiles, N, OVER_PATCHES, ROWS, D_PAD), splits):
        row_R, at_RA, inside_RA, feature_R = places(block, tiles, N, D, OVER_PATCHES, ROWS, A_PAD, D_PAD)
        x_RA = tl.load(x_ptr + model * tiles * N * D + at_RA, mask=inside_RA, other=0.0)
        normed_RA = normed(x_RA, inside_RA, norm_ptr[0], norm_ptr[1], feature_R, D, OVER_PATCHES, A_PAD, D_PAD)
        normed_RA = normed_RA.to(w1_ptr.dtype.element_ty)
        saved_RA = model * tiles * N * D + row_R[:, None] * A + tl.arange(0, A_PAD)[None, :]
        d_mixed_RA = tl.load(d_mixed_ptr + saved_RA, mask=inside_RA, other=0.0)
        hidden_RE, slope_RE = gelu_and_slope(dot(normed_RA, w1_AE, PRECISION) + b1_1E, FAST)
        d_hidden_RE = dot(d_mixed_RA, w2_AE, PRECISION) * slope_RE
        if DROP:
            factor_RE = factors(row_keys(seed_ptr, use, row_R), first, dropped, CHUNK)
            hidden_RE, d_hidden_RE = hidden_RE * factor_RE, d_hidden_RE * factor_RE
        d_b1_E += tl.sum(d_hidden_RE, axis=0)
        d_w1_AE += dot(tl.trans(normed_RA), d_hidden_RE.to(w1_AE.dtype), PRECISION)
        d_w2_AE += dot(tl.trans(d_mixed_RA), hidden_RE.to(w2_AE.dtype), PRECISION)
    a_A, e_E = tl.arange(0, A_PAD), first + tl.arange(0, CHUNK)
    inside_AE = (a_A < A)[:, None] & (e_E < E)[None, :]
    part = model * splits + split
    tl.store(d_b1_ptr + part * E + e_E, d_b1_E, mask=e_E < E)
    tl.store(d_w1_ptr + part * E * A + e_E[None, :] * A + a_A[:, None], d_w1_AE, mask=inside_AE)
    tl.store(d_w2_ptr + part * E * A + a_A[:, None] * E + e_E[None, :], d_w2_AE, mask=inside_AE)
