"""What a part could have been: suspicious columns of its windows are drawn anew by the prior, and decoded.

Letters beside the usual ones: S sample, N token of a window, K code, W column of the grid of tokens.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array

from tsad_baselines.timevqvae_ad.prior import Prior
from tsad_baselines.timevqvae_ad.tokenizer import Tokenizer
from tsad_baselines.timevqvae_ad.windows import Windows

_AT_ONCE = 64
"""Windows that are drawn at once."""
_MOST = 0.9
"""Largest share of a window's columns that is drawn anew; the others are what the draw goes by."""
_NEVER_ZERO = 1e-5


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """What a part could have been instead: S samples in its units. Where nothing is suspicious, they are the part."""

    samples_STC: Array
    """Shape (S, T, C); gaps of the part are crossed by lines."""
    edited_TC: Array
    """Whether a step was drawn anew, shape (T, C)."""

    @property
    def low(self) -> Array:
        """The least of the samples, (T, C)."""
        return np.asarray(self.samples_STC.min(axis=0))

    @property
    def median(self) -> Array:
        """The median of the samples, (T, C)."""
        return np.asarray(np.median(self.samples_STC, axis=0))

    @property
    def high(self) -> Array:
        """The largest of the samples, (T, C)."""
        return np.asarray(self.samples_STC.max(axis=0))


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """By what and how tokens are drawn."""

    tokenizer: Tokenizer
    prior: Prior
    random: torch.Generator
    steps: int = 8
    temperature: float = 4.0
    """How much chance has a say in what is surest."""


def counterfactuals(sampler: Sampler, windows: Windows, excess_TC: Array, *, samples: int) -> Counterfactuals:
    """Return samples of a part in which columns that hold a positive excess are drawn anew.

    Of windows that overlap, the one counts in which a step is most central: a mean would narrow the range of samples.
    All other steps stay as they are.
    """
    original_TC = windows.series_CT.T.cpu().numpy()
    samples_STC, off_TC = np.tile(original_TC, (samples, 1, 1)), np.full(original_TC.shape, np.inf)
    for edit in _edits(sampler, windows, excess_TC, samples):
        nearer_N = edit.off_N < off_TC[edit.step_N, edit.channel_N]
        # of equal steps the last is kept, so the most central comes last
        order_N = np.argsort(-edit.off_N, kind="stable")
        order_N = order_N[nearer_N[order_N]]
        step_N, channel_N = edit.step_N[order_N], edit.channel_N[order_N]
        samples_STC[:, step_N, channel_N] = edit.drawn_SN[:, order_N]
        off_TC[step_N, channel_N] = edit.off_N[order_N]
    return Counterfactuals(samples_STC, np.isfinite(off_TC))


def expectation(sampler: Sampler, windows: Windows, excess_TC: Array, *, samples: int) -> Array:
    """Return the part (T, C) with the median of samples in the place of what is suspicious, a mean over windows."""
    original_TC = windows.series_CT.T.cpu().numpy()
    sum_TC, count_TC = np.zeros(original_TC.shape), np.zeros(original_TC.shape)
    for edit in _edits(sampler, windows, excess_TC, samples):
        np.add.at(sum_TC, (edit.step_N, edit.channel_N), np.median(edit.drawn_SN, axis=0))
        np.add.at(count_TC, (edit.step_N, edit.channel_N), 1)
    return np.where(count_TC > 0, sum_TC / np.maximum(count_TC, 1), original_TC)


@dataclass(frozen=True, eq=False)
class _Edit:
    """Steps that are drawn anew: where, how far from the middle of the window, and as what."""

    step_N: Array
    channel_N: Array
    off_N: Array
    drawn_SN: Array


def _edits(sampler: Sampler, windows: Windows, excess_TC: Array, samples: int) -> Iterator[_Edit]:
    index_B, columns_BW = _suspects(windows, excess_TC, sampler.tokenizer.sizes.columns)
    S, column_L = len(windows.spans_S2), np.arange(windows.window) * columns_BW.shape[1] // windows.window
    for part in (slice(first, first + _AT_ONCE) for first in range(0, len(index_B), _AT_ONCE)):
        drawn_SBL = _drawn(sampler, windows, index_B[part], columns_BW[part], samples)
        span_B2 = windows.spans_S2[index_B[part] % S]
        step_BL = span_B2[:, :1] + np.arange(windows.window)
        # what fills a shortened span is nobody's
        row_N, place_N = np.nonzero(columns_BW[part][:, column_L] & (step_BL < span_B2[:, 1:]))
        off_N = np.abs(place_N - (windows.window - 1) / 2)
        yield _Edit(step_BL[row_N, place_N], index_B[part][row_N] // S, off_N, drawn_SBL[:, row_N, place_N])


def _suspects(windows: Windows, excess_TC: Array, columns: int) -> tuple[Array, Array]:
    """Return the windows that are to be drawn anew, and their columns (B, W)."""
    S = len(windows.spans_S2)
    step_SL = windows.steps()
    columns_CSW = [suspicious(channel_T[step_SL], columns) for channel_T in excess_TC.T]
    columns_BW = np.concatenate(columns_CSW).reshape(S * excess_TC.shape[1], columns)
    index_B = np.flatnonzero(columns_BW.any(axis=1))
    return index_B, columns_BW[index_B]


def suspicious(excess_BL: Array, columns: int) -> Array:
    """Return which columns of windows hold a positive excess, (B, W).

    If nearly all do, the tenth that has least is left out.
    """
    column_L = np.arange(excess_BL.shape[1]) * columns // excess_BL.shape[1]
    first_W = np.searchsorted(column_L, np.arange(columns))
    excess_BW = np.maximum.reduceat(excess_BL, first_W, axis=1)
    rank_BW = (-excess_BW).argsort(axis=1, kind="stable").argsort(axis=1)
    return np.asarray((excess_BW > 0) & (rank_BW < max(1, math.floor(_MOST * columns))))


def _drawn(sampler: Sampler, windows: Windows, index_B: Array, columns_BW: Array, samples: int) -> Array:
    """Return samples of windows in the units of the series, (S, B, L)."""
    tokenizer = sampler.tokenizer
    index_R = torch.from_numpy(np.tile(index_B, samples)).to(windows.device)
    hidden_RW = torch.from_numpy(np.tile(columns_BW, (samples, 1))).to(windows.device)
    scored = windows.scored(index_R)
    with torch.inference_mode():
        hidden_RN = hidden_RW.repeat(1, tokenizer.sizes.rows)
        tokens_RN = resample(sampler, tokenizer.tokens(scored.values_BL), windows.channels(index_R), hidden_RN)
        drawn_RL = tokenizer.decode(tokens_RN).double() * scored.spread_B1 + scored.centre_B1
    return drawn_RL.view(samples, len(index_B), -1).cpu().numpy()


@torch.inference_mode()
def resample(sampler: Sampler, tokens_BN: Tensor, channel_B: Tensor, hidden_BN: Tensor) -> Tensor:
    """Return tokens of which the hidden ones are drawn by the prior, the surest first (Chang et al., CVPR 2022).

    Each step draws all that are hidden and hides the least sure of them again, ever fewer: of N that are hidden at
    first, N times a falling quarter of a cosine. What was known is never hidden.
    """
    count_B1 = hidden_BN.sum(1, keepdim=True)
    for done in (step / sampler.steps for step in range(1, sampler.steps + 1)):
        drawn_BN, sureness_BN = _guessed(sampler, tokens_BN, channel_B, hidden_BN)
        noise_BN = _gumbel(sureness_BN.shape, sampler.random) * sampler.temperature * (1 - done)
        tokens_BN = torch.where(hidden_BN, drawn_BN, tokens_BN)
        again_B1 = (count_B1 * math.cos(math.pi / 2 * done)).floor()
        order_BN = (sureness_BN + noise_BN).masked_fill(~hidden_BN, math.inf).argsort(1).argsort(1)
        hidden_BN = hidden_BN & (order_BN < again_B1)
    return tokens_BN


def _guessed(sampler: Sampler, tokens_BN: Tensor, channel_B: Tensor, hidden_BN: Tensor) -> tuple[Tensor, Tensor]:
    """Return a code for each token, drawn by how likely it is, and the logarithm of that."""
    prior = sampler.prior
    place_N = torch.arange(tokens_BN.shape[1], device=tokens_BN.device)
    logits_BNK = prior.logits(prior(prior.masked(tokens_BN, hidden_BN), channel_B), place_N)
    drawn_BN = (logits_BNK + _gumbel(logits_BNK.shape, sampler.random)).argmax(2)
    likely_BN = logits_BNK.softmax(2).gather(2, drawn_BN[..., None])[..., 0]
    return drawn_BN, (likely_BN + _NEVER_ZERO).log()


def _gumbel(shape: torch.Size, random: torch.Generator) -> Tensor:
    exponential = torch.empty(shape, device=random.device).exponential_(generator=random)
    return -exponential.clamp(min=1e-30).log()
