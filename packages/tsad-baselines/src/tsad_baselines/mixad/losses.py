"""The four losses: of what is rebuilt, and three that keep queries near slots and slots in use."""

import math
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import log_softmax, mse_loss, triplet_margin_loss

from tsad_baselines.mixad.model import Read


class Losses(NamedTuple):
    """The terms of the loss, each a number."""

    error: Tensor
    contrast: Tensor
    consistency: Tensor
    balance: Tensor


def losses(rebuilt: Tensor, windows: Tensor, known: Tensor, read: Read, *, legacy_balance: bool = False) -> Losses:
    """Return the losses of windows; known says which of their values count."""
    error = ((rebuilt - windows).abs() * known).sum() / known.sum().clamp(min=1)
    # the slots are not drawn to the queries: gradients stop there, as published
    nearest, second = read.nearest_RD.detach(), read.second_RD.detach()
    contrast = triplet_margin_loss(read.query_RD, nearest, second, margin=1.0)
    balanced = legacy_balance_of if legacy_balance else balance_of
    return Losses(error, contrast, mse_loss(read.query_RD, nearest), balanced(read.attention_RM))


def balance_of(attention_RM: Tensor) -> Tensor:
    """Return how far the mean attention is from equal shares (Kullback-Leibler)."""
    return _from_equal(attention_RM.mean(dim=0).clamp(min=1e-12).log())


def legacy_balance_of(attention_RM: Tensor) -> Tensor:
    """Return the same of a softmax of sums, over the slots once more, as in the authors' code.

    Sums of thousands of rows differ by hundreds: their softmax is one slot, whatever the shares.
    """
    return _from_equal(log_softmax(attention_RM.sum(dim=0), dim=0)) / attention_RM.shape[1]


def _from_equal(log_share_M: Tensor) -> Tensor:
    return -log_share_M.mean() - math.log(len(log_share_M))
