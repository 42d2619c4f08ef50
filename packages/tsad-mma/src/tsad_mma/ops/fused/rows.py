"""Rows of tiles: what a block mixes stands in a row, the features of a patch or a feature of all patches.

Over features, the rows of all tiles stand below each other. Over patches, the rows of a tile are its D
features, and a program works on whole tiles, since the norm of a patch needs all of them.
"""

import triton
import triton.language as tl


@triton.jit
def block_count(tiles, N, OVER_PATCHES: tl.constexpr, ROWS: tl.constexpr, D_PAD: tl.constexpr):
    """Return how many blocks of rows the tiles of a model make."""
    return tl.cdiv(tiles, ROWS // D_PAD) if OVER_PATCHES else tl.cdiv(tl.cast(tiles, tl.int64) * N, ROWS)


@triton.jit
def places(
    block, tiles, N, D, OVER_PATCHES: tl.constexpr, ROWS: tl.constexpr, A_PAD: tl.constexpr, D_PAD: tl.constexpr
):
    """Return the number of each row, where its values lie, which of them exist, and which feature a row is of."""
    local_R, a_A = tl.arange(0, ROWS), tl.arange(0, A_PAD)
    if OVER_PATCHES:
        tile_R = tl.cast(block, tl.int64) * (ROWS // D_PAD) + local_R // D_PAD
        feature_R = local_R % D_PAD
        row_R = tile_R * D + feature_R
        at_RA = (tile_R * N * D + feature_R)[:, None] + a_A[None, :] * D
        inside_RA = ((tile_R < tiles) & (feature_R < D))[:, None] & (a_A < N)[None, :]
    else:
        feature_R = local_R  # of no use
        row_R = tl.cast(block, tl.int64) * ROWS + local_R
        at_RA = row_R[:, None] * D + a_A[None, :]
        inside_RA = (row_R < tl.cast(tiles, tl.int64) * N)[:, None] & (a_A < D)[None, :]
    return row_R, at_RA, inside_RA, feature_R


@triton.jit
def unit(x_RA, inside_RA, D, OVER_PATCHES: tl.constexpr, D_PAD: tl.constexpr):
    """Return the values with mean 0 and variance 1 over the features of each patch, and their factor."""
    centred_RA = tl.where(inside_RA, x_RA - over_features(x_RA, OVER_PATCHES, D_PAD) / D, 0.0)
    scale_RA = tl.rsqrt(over_features(centred_RA * centred_RA, OVER_PATCHES, D_PAD) / D + 1e-5)
    return centred_RA * scale_RA, scale_RA


@triton.jit
def normed(
    x_RA, inside_RA, gain_ptr, shift_ptr, feature_R, D,
    OVER_PATCHES: tl.constexpr, A_PAD: tl.constexpr, D_PAD: tl.constexpr,
):  # fmt: skip
    """Return the values normed, scaled and shifted."""
    unit_RA, _ = unit(x_RA, inside_RA, D, OVER_PATCHES, D_PAD)
    gain = of_feature(gain_ptr, feature_R, D, OVER_PATCHES, A_PAD)
    shift = of_feature(shift_ptr, feature_R, D, OVER_PATCHES, A_PAD)
    return tl.where(inside_RA, unit_RA * gain + shift, 0.0)


@triton.jit
def of_feature(pointer, feature_R, D, OVER_PATCHES: tl.constexpr, A_PAD: tl.constexpr):
    """Return a number for each feature, in a shape that fits the values."""
    if OVER_PATCHES:
        values = tl.load(pointer + feature_R, mask=feature_R < D, other=0.0)[:, None]
    else:
        a_A = tl.arange(0, A_PAD)
        values = tl.load(pointer + a_A, mask=a_A < D, other=0.0)[None, :]
    return values


@triton.jit
def over_features(values_RA, OVER_PATCHES: tl.constexpr, D_PAD: tl.constexpr):
    """Return the sum over the features of each patch, in a shape that fits the values."""
    if OVER_PATCHES:
        ROWS: tl.constexpr = values_RA.shape[0]
        A_PAD: tl.constexpr = values_RA.shape[1]
        values_KDA = tl.reshape(values_RA, [ROWS // D_PAD, D_PAD, A_PAD])
        sums_KDA = tl.broadcast_to(tl.sum(values_KDA, axis=1)[:, None, :], [ROWS // D_PAD, D_PAD, A_PAD])
        sums = tl.reshape(sums_KDA, [ROWS, A_PAD])
    else:
        sums = tl.sum(values_RA, axis=1)[:, None]
    return sums


@triton.jit
def over_patches(values_RA, OVER_PATCHES: tl.constexpr, D_PAD: tl.constexpr):
    """Return the sum of each feature over all patches of the block, shape (D_PAD,)."""
    if OVER_PATCHES:
        sums_D = tl.sum(tl.reshape(tl.sum(values_RA, axis=1), [values_RA.shape[0] // D_PAD, D_PAD]), axis=0)
    else:
        sums_D = tl.sum(values_RA, axis=0)
    return sums_D
