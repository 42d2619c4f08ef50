"""What scoring makes of encoded patches: rebuilt values and their likeness to the true ones, means over the masks."""

import triton
import triton.language as tl
from torch import Tensor

from tsad_mma.ops.fused.products import columns, dot, launched, vector
from tsad_mma.ops.reference import Ends

_ROWS = 64


@triton.jit(do_not_specialize=["draws", "rows"])
def draws_kernel(
    encoded_ptr, feature_ptr, head_ptr, head_bias_ptr, embed_ptr, embed_bias_ptr, value_ptr, cosine_ptr,
    draws, rows, D, P,
    ROWS: tl.constexpr, D_PAD: tl.constexpr, P_PAD: tl.constexpr,
):  # fmt: skip
    """Rebuild some patches from each encoding, embed them again, and add up what comes of it."""
    row_R = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    d_D, p_P = tl.arange(0, D_PAD), tl.arange(0, P_PAD)
    inside_RD = (row_R < rows)[:, None] & (d_D < D)[None, :]
    at_RD = row_R[:, None] * D + d_D[None, :]
    feature_RD = tl.load(feature_ptr + at_RD, mask=inside_RD, other=0.0)
    head_DP = columns(head_ptr, 0, D, P, 1, D, D_PAD, P_PAD)
    embed_DP = columns(embed_ptr, 0, D, P, P, 1, D_PAD, P_PAD)
    value_RP, cosine_R = tl.zeros([ROWS, P_PAD], tl.float32), tl.zeros([ROWS], tl.float32)
    for draw in range(draws):
        encoded_RD = tl.load(encoded_ptr + tl.cast(draw, tl.int64) * rows * D + at_RD, mask=inside_RD, other=0.0)
        rebuilt_RP = dot(encoded_RD, head_DP, "tf32x3") + vector(head_bias_ptr, 0, P, P_PAD)
        again_RD = dot(rebuilt_RP, tl.trans(embed_DP), "tf32x3") + vector(embed_bias_ptr, 0, D, D_PAD)
        scale_R = tl.rsqrt(tl.sum(again_RD * again_RD, axis=1) + 1e-4)
        value_RP += rebuilt_RP
        cosine_R += tl.sum(again_RD * feature_RD, axis=1) * scale_R
    inside_RP = (row_R < rows)[:, None] & (p_P < P)[None, :]
    tl.store(value_ptr + row_R[:, None] * P + p_P[None, :], value_RP / draws, mask=inside_RP)
    tl.store(cosine_ptr + row_R, cosine_R / draws, mask=row_R < rows)


def average_draws(encoded_KBND: Tensor, features_BND: Tensor, ends: Ends) -> tuple[Tensor, Tensor]:
    """Return the mean values of rebuilt patches and the mean cosine of their embedding with the true one."""
    K, B, N, D = encoded_KBND.shape
    P = len(ends.head_bias_P)
    value_BNP, cosine_BN = encoded_KBND.new_empty(B, N, P), encoded_KBND.new_empty(B, N)
    if cosine_BN.numel():
        launched(draws_kernel)[(-(-B * N // _ROWS),)](
            *(value.contiguous() for value in (encoded_KBND, features_BND, *ends)), value_BNP, cosine_BN,
            K, B * N, D, P,
            ROWS=_ROWS, D_PAD=_padded(D), P_PAD=_padded(P), num_warps=8, num_stages=1,
        )  # fmt: skip
    return value_BNP, cosine_BN


def fits(D: int, P: int) -> bool:
    """Return whether the kernel takes patches of P values with D features."""
    return max(_padded(D), _padded(P)) <= 128


def _padded(size: int) -> int:
    return max(16, 1 << (size - 1).bit_length())
