"""Reading memories: what queries recall from the slots of a bank, and how spread their attention is."""

from typing import Any

import torch
from torch import Tensor


def recall(query_RND: Tensor, bank_RMD: Tensor) -> Tensor:
    """Return for each query the mean slot of its bank, weighted by a softmax of dot products."""
    return torch.softmax(query_RND @ bank_RMD.mT, dim=-1) @ bank_RMD


def recall_with_entropy(query_RND: Tensor, bank_RMD: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `recall` does, and the entropy of each query's weights, shape (R, N)."""
    recalled: tuple[Tensor, Tensor] = _Recall.apply(query_RND, bank_RMD)
    return recalled


class _Recall(torch.autograd.Function):
    """The entropy is the logarithm of the softmax's sum, less the query times what it recalls.

    So it takes no logarithm of a weight, which may be 0. Its gradient is one more direction in that of the recalled.
    """

    @staticmethod
    def forward(ctx: Any, query_RND: Tensor, bank_RMD: Tensor) -> tuple[Tensor, Tensor]:
        logit_RNM = query_RND @ bank_RMD.mT
        largest_RN1, slot_RN1 = logit_RNM.max(dim=-1, keepdim=True)
        weight_RNM = torch.softmax(logit_RNM, dim=-1)
        recalled_RND = weight_RNM @ bank_RMD
        ctx.save_for_backward(query_RND, bank_RMD, weight_RNM, recalled_RND)
        # the largest weight is one over the sum of all, in units of the largest
        sum_RN1 = _wide(largest_RN1) - _wide(weight_RNM.gather(-1, slot_RN1)).log()
        return recalled_RND, sum_RN1[..., 0] - _dot(query_RND, recalled_RND)

    @staticmethod
    def backward(ctx: Any, grad_RND: Tensor, grad_RN: Tensor) -> tuple[Tensor, Tensor]:
        query_RND, bank_RMD, weight_RNM, recalled_RND = ctx.saved_tensors
        joined_RND = torch.addcmul(grad_RND, grad_RN[..., None].to(query_RND.dtype), query_RND, value=-1)
        back_RNM = joined_RND @ bank_RMD.mT
        back_RNM -= _dot(joined_RND, recalled_RND)[..., None].to(back_RNM.dtype)
        back_RNM *= weight_RNM
        # turned around, so that no product copies an array of all slots
        back_RDM = query_RND.mT @ back_RNM + grad_RND.mT @ weight_RNM
        return back_RNM @ bank_RMD, back_RDM.mT


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return (_wide(one) * _wide(other)).sum(dim=-1)


def _wide(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()
