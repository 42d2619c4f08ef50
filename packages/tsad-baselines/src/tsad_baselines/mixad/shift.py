"""The score: how far the memory's activations shift from one step to the next, channel by channel, without seasons."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from torch import Tensor
from tsad_core import Array
from tsad_core.windows import moving_average

Deseasonal = Literal["causal", "stl", "none"]
_SEASONS = 13
"""Periods that say what a season is like: what the published STL smooths over."""
_EDGE, _EVERY = 5, 256
_CHUNK = 2_000_000
"""Most values that are worked on at once."""


def divergence(before_BNM: Tensor, after_BNM: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of activations, over the number of slots, shape (B, N)."""
    one, other = _shares(before_BNM), _shares(after_BNM)
    log_middle = ((one + other) / 2 + 1e-12).log()
    parts = [((share + 1e-12) * ((share + 1e-12).log() - log_middle)).mean(dim=-1) for share in (one, other)]
    return (parts[0] + parts[1]) / 2


def _shares(activation_BNM: Tensor) -> Tensor:
    positive = activation_BNM.double().clamp(min=1e-12)
    return positive / positive.sum(dim=-1, keepdim=True)


def by_step(shift_BC: Array, spans_B2: Array, starts: tuple[int, ...], clean: "Clean") -> Array:
    """Return the shifts of all windows step by step, each segment's cleaned by itself.

    Steps before the end of a segment's second window take the first shift there is; 0 if there is none.
    """
    shift_TC = np.zeros((int(spans_B2[-1, 1]), shift_BC.shape[1]))
    first_S = np.searchsorted(spans_B2[:, 0], starts)
    for start, first, stop in zip(starts, first_S, [*first_S[1:], len(spans_B2)], strict=True):
        rows_BC = np.concatenate([shift_BC[first + 1 : stop][:1], shift_BC[first + 1 : stop]])
        if len(rows_BC):
            cleaned_BC = clean(rows_BC)
            shift_TC[start : spans_B2[first, 1]] = cleaned_BC[0]
            shift_TC[spans_B2[first, 1] - 1 : spans_B2[stop - 1, 1]] = cleaned_BC
    return shift_TC


@dataclass(frozen=True)
class Clean:
    """What is taken off the shifts of a segment."""

    deseasonal: Deseasonal
    period: int
    legacy_period: bool = False
    legacy_erasure: bool = False

    def __call__(self, shift_TC: Array) -> Array:
        """Return what is left."""
        if self.legacy_erasure:
            shift_TC = legacy_erased(shift_TC)
        if self.deseasonal == "causal":
            return shift_TC - usual_season(shift_TC, self.period)
        if self.deseasonal == "stl":
            periods = legacy_periods(shift_TC) if self.legacy_period else [self.period] * shift_TC.shape[1]
            return shift_TC - stl_season(shift_TC, periods)
        return shift_TC


def usual_season(shift_TC: Array, period: int) -> Array:
    """Return what the same phase of up to 13 periods before lay above its surroundings, on average.

    One period of nothing is counted with them: what was seen once counts half. Surroundings are the
    mean over the period that ends at a step, so that nothing here looks ahead.
    """
    season_TC = np.empty_like(shift_TC)
    size = max(1, _CHUNK // len(shift_TC))
    for some in (slice(first, first + size) for first in range(0, shift_TC.shape[1], size)):
        season_TC[:, some] = _season(shift_TC[:, some], period)
    return season_TC


def _season(shift_TC: Array, period: int) -> Array:
    T, C = shift_TC.shape
    above_TC = shift_TC - moving_average(shift_TC, width=period, trailing=True)
    phases_KPC = np.pad(above_TC, ((0, -T % period), (0, 0))).reshape(-1, period, C)
    sums_KPC = np.cumsum(phases_KPC, axis=0)
    sums_KPC[_SEASONS:] -= sums_KPC[:-_SEASONS].copy()
    before_KPC = np.concatenate([np.zeros_like(sums_KPC[:1]), sums_KPC[:-1]])
    count_K = np.minimum(np.arange(len(before_KPC)), _SEASONS)
    return np.asarray((before_KPC / (count_K + 1)[:, None, None]).reshape(-1, C)[:T])


def stl_season(shift_TC: Array, periods: Sequence[int]) -> Array:
    """Return the seasonal part by STL over the whole part, each channel with its period; 0 for less than two."""
    season_TC = np.zeros_like(shift_TC)
    for channel, period in enumerate(periods):
        if len(shift_TC) >= 2 * period:
            season_TC[:, channel] = stl()(shift_TC[:, channel], period=period, seasonal=_SEASONS).fit().seasonal
    return season_TC


def legacy_periods(shift_TC: Array) -> list[int]:
    """Return periods as the authors' code finds them: a tenth of the strongest one of the spectrum; 62 if below 2."""
    power_FC = np.abs(np.fft.rfft(shift_TC, axis=0))
    frequency_F = np.fft.rfftfreq(len(shift_TC), d=0.1)
    strongest_C = frequency_F[1:][power_FC[1:].argmax(axis=0)] if len(shift_TC) > 1 else np.ones(shift_TC.shape[1])
    return [period if period >= 2 else 62 for period in np.round(1 / strongest_C).astype(int).tolist()]


def legacy_erased(shift_TC: Array) -> Array:
    """Return shifts with zeros within 5 rows of a multiple of 256: there the authors' code draws another graph."""
    row_T = np.arange(len(shift_TC))
    from_edge_T = np.minimum(row_T % _EVERY, -row_T % _EVERY)
    return np.where(from_edge_T[:, None] <= _EDGE, 0.0, shift_TC)


def stl() -> Any:
    """Return statsmodels' class of seasonal decompositions; without statsmodels, an error that says how to get it."""
    try:
        return importlib.import_module("statsmodels.tsa.seasonal").STL
    except ImportError as error:
        raise ImportError('deseasonal = "stl" needs statsmodels: pip install "tsad-baselines[stl]"') from error
