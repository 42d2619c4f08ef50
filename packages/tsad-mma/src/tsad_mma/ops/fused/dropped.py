"""Dropout by a counter within a kernel: the same decisions as `tsad_mma.ops.dropout` takes."""

import triton
import triton.language as tl

from tsad_mma.ops import dropout

GOLDEN = tl.constexpr(dropout.GOLDEN)
LANES = tl.constexpr(dropout.LANES)
LEVELS = tl.constexpr(dropout.LEVELS)


@triton.jit
def row_keys(seed_ptr, use, row_R):
    """Return a key for each row of this program's model."""
    seed = tl.load(seed_ptr + tl.arange(0, 1))
    key = scramble(seed.to(tl.uint32)) ^ (seed >> 32).to(tl.uint32)
    key = scramble(key + tl.cast(use, tl.uint32) * GOLDEN)
    key = scramble(key + tl.program_id(1).to(tl.uint32) * GOLDEN)
    return scramble(key + row_R.to(tl.uint32))


@triton.jit
def factors(key_R, first, dropped, UNITS: tl.constexpr):
    """Return what the units from `first` on of each row are multiplied by."""
    SHARED: tl.constexpr = 4 if UNITS >= 4 * LANES else UNITS // LANES
    GROUPS: tl.constexpr = UNITS // (SHARED * LANES)
    lane_G1L = tl.arange(0, GROUPS * LANES).reshape(1, GROUPS, 1, LANES)
    word = lane_G1L + first // (4 * LANES) * LANES
    words = scramble(key_R[:, None, None, None] + word.to(tl.uint32) * GOLDEN)
    byte = (tl.arange(0, SHARED) + first // LANES % 4).to(tl.uint32)[None, None, :, None]
    kept = ((words >> (byte * 8)) & 0xFF) >= tl.cast(dropped, tl.uint32)
    factor = tl.where(kept, (1.0 * LEVELS) / (LEVELS - tl.cast(dropped, tl.float32)), 0.0)
    return tl.reshape(factor, [key_R.shape[0], UNITS])


@triton.jit
def scramble(word):
    """Return words of 32 bits, each bit of which depends on each bit of the word given."""
    word = (word ^ (word >> 16)) * 0x7FEB352D
    word = (word ^ (word >> 15)) * 0x846CA68B
    return word ^ (word >> 16)
