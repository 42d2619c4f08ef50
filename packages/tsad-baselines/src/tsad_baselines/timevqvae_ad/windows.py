"""Windows of the single channels of a part, each z-scored by itself. Letter beside the usual ones: S span."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array, gaps


class Scored(NamedTuple):
    """Windows in their own units."""

    values_BL: Tensor
    centre_B1: Tensor
    spread_B1: Tensor


class Windows:
    """The windows of all channels on a device; window b is that of channel b // S at span b % S.

    A span shorter than a window repeats its last step to fill; gaps are crossed by a line. Windows of a channel that
    deviate by less than `least_C` count as constant.
    """

    def __init__(
        self,
        part_TC: Array,
        spans_S2: Array,
        starts: tuple[int, ...],
        *,
        window: int,
        least_C: Array,
        device: str,
    ) -> None:
        self.window, self.spans_S2 = window, spans_S2
        self._least_C = torch.from_numpy(least_C).to(device)
        # float64: whatever is far out still has a square, and large values lose no digits to their mean
        self.series_CT = torch.from_numpy(np.ascontiguousarray(filled(part_TC, starts).T)).to(device)
        self.known_CS = _any_known(part_TC, spans_S2)
        self._spans_S2 = torch.from_numpy(spans_S2).to(device)

    def steps(self) -> Array:
        """Return the steps of each span, (S, L)."""
        return np.asarray(np.minimum(self.spans_S2[:, :1] + np.arange(self.window), self.spans_S2[:, 1:] - 1))

    def __len__(self) -> int:
        return len(self.series_CT) * len(self._spans_S2)

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.series_CT.device

    def of(self, channels: slice) -> Tensor:
        """Return the windows of some channels, in order."""
        S = len(self.spans_S2)
        return torch.arange(channels.start * S, channels.stop * S, device=self.device)

    def channels(self, index_B: Tensor) -> Tensor:
        """Return the channel of each window."""
        return index_B // len(self._spans_S2)

    def scored(self, index_B: Tensor, dtype: torch.dtype = torch.float32) -> Scored:
        """Return windows less their mean, in unbiased standard deviations."""
        span_B2 = self._spans_S2[index_B % len(self._spans_S2)]
        step_BL = span_B2[:, :1] + torch.arange(self.window, device=self.device)
        step_BL = torch.minimum(step_BL, span_B2[:, 1:] - 1)
        channel_B1 = self.channels(index_B)[:, None]
        values_BL = self.series_CT[channel_B1, step_BL]
        centre_B1 = values_BL.mean(1, keepdim=True)
        spread_B1 = torch.maximum(values_BL.std(1, keepdim=True), self._least_C[channel_B1])
        return Scored(((values_BL - centre_B1) / spread_B1).to(dtype), centre_B1, spread_B1)


def filled(part_TC: Array, starts: tuple[int, ...]) -> Array:
    """Return a part with lines across its gaps, float64; 0 in a segment of which nothing is known."""
    part_TC = np.asarray(part_TC, dtype=np.float64)
    missing_TC = np.isnan(part_TC)
    if not missing_TC.any():
        return part_TC
    across_TC = gaps.by_channel(part_TC, starts, lambda values_T: gaps.line(values_T, 1))
    return np.where(missing_TC, np.nan_to_num(across_TC), part_TC)


def _any_known(part_TC: Array, spans_S2: Array) -> Array:
    """Return whether anything is known of each channel in each span, (C, S)."""
    known_CS = np.ones((part_TC.shape[1], len(spans_S2)), dtype=bool)
    for channel in np.flatnonzero(np.isnan(part_TC).any(axis=0)):
        known_T = np.pad(~np.isnan(part_TC[:, channel]), (1, 0)).cumsum()
        known_CS[channel] = known_T[spans_S2[:, 1]] > known_T[spans_S2[:, 0]]
    return known_CS
