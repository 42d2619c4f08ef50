"""The windows of a part, as the network sees their views: gathered, filled, and brought to 0 … 1."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array, nn, windows

from tsad_baselines.amsl.views import Draws, arranged, views

_FAR = 1e15
"""What is farther out ends there: its square is still finite."""


class Windows:
    """The windows that cover a part at a stride. Nothing is copied until asked.

    What is missing, or beyond the end of a segment that is shorter than a window, is read as a channel's filling.
    """

    def __init__(
        self, part_TC: Array, fill_C: Array, *, window: int, stride: int, starts: tuple[int, ...], device: str
    ) -> None:
        self.window = window
        self.series_CT = nn.channels_first(part_TC, device)
        self.fill_C1 = torch.from_numpy(fill_C.astype(np.float32)[:, None]).to(device)
        spans_B2 = windows.cover(len(part_TC), window=window, stride=min(stride, window), starts=starts)
        self.spans_B2 = torch.from_numpy(spans_B2).to(device)
        self._starts = starts

    def __len__(self) -> int:
        return len(self.spans_B2)

    def numbers(self, at_most: int | None = None) -> Tensor:
        """Return the numbers of all windows, or of at most so many, evenly over the part."""
        stride = 1 if at_most is None else -(-len(self) // at_most)
        return torch.arange(0, len(self), stride, device=self.spans_B2.device)

    def places(self) -> Tensor:
        """Return the number of each window within its segment."""
        first_B = self.spans_B2[:, 0].contiguous()
        segment_B = torch.searchsorted(first_B.new_tensor(self._starts), first_B, right=True)
        return self.numbers() - torch.searchsorted(segment_B, segment_B)

    def values(self, number_B: Tensor) -> Tensor:
        """Return windows of these numbers, shape (B, C, L); NaN where a value is missing."""
        C, device = len(self.series_CT), number_B.device
        spans_N2 = self.spans_B2[number_B].repeat_interleave(C, dim=0)
        channel_N = torch.arange(C, device=device).repeat(len(number_B))
        values_NL = nn.gather(self.series_CT, spans_N2, channel_N, window=self.window)
        return values_NL.view(len(number_B), C, self.window)

    def shown(self, number_B: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the views of windows in the units of the part, and which of their values are known."""
        values_BCL = self.values(number_B)
        known_BCL = ~values_BCL.isnan()
        filled_BCL = torch.where(known_BCL, values_BCL, self.fill_C1)
        return views(filled_BCL, draws), arranged(known_BCL, draws)


class Ranges(NamedTuple):
    """What brings views to 0 … 1: their least values and their spans, by channel, or by channel and step."""

    low_RCL: Tensor
    span_RCL: Tensor

    def scaled(self, views_RBCL: Tensor) -> Tensor:
        """Return views brought to 0 … 1, if they are like those that were learnt from."""
        scaled_RBCL = (views_RBCL - self.low_RCL[:, None]) / self.span_RCL[:, None]
        return scaled_RBCL.clamp_(-_FAR, _FAR)

    def raw(self, rebuilt_BCL: Tensor) -> Tensor:
        """Return raw views, as they are rebuilt, in the units of the part."""
        return rebuilt_BCL * self.span_RCL[0] + self.low_RCL[0]


def learn_ranges(windows: Windows, table: Draws, *, cells: bool, at_once: int) -> Ranges:
    """Return the ranges of the views of windows: of a channel, or of each of its `cells`; 1 where nothing varies."""
    axes = (1,) if cells else (1, 3)
    low, high = torch.tensor(torch.inf), torch.tensor(-torch.inf)
    for number_B in windows.numbers().split(at_once):
        views_RBCL, known_RBCL = windows.shown(number_B, table.of(number_B))
        low = torch.minimum(low.to(views_RBCL), _masked(views_RBCL, ~known_RBCL, torch.inf).amin(axes, keepdim=True))
        high = torch.maximum(high.to(views_RBCL), _masked(views_RBCL, ~known_RBCL, -torch.inf).amax(axes, keepdim=True))
    known, span = low <= high, high - low
    varies = known & (span > 1e-6 * torch.maximum(low.abs(), high.abs()))
    return Ranges(torch.where(known, low, 0.0)[:, 0], torch.where(varies, span, 1.0)[:, 0])


def _masked(values: Tensor, missing: Tensor, value: float) -> Tensor:
    return values.masked_fill(missing, value)
