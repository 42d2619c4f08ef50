"""The windows of a part on the device, gathered by their numbers: steps first, then windows, then nodes."""

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array, gaps, windows


class Windows:
    """All windows of a part, one after the other. A gap holds the last known value before it.

    The window of a segment that is shorter repeats its last step.
    """

    def __init__(self, part_TC: Array, *, window: int, starts: tuple[int, ...], device: str) -> None:
        known_TC = ~np.isnan(part_TC)
        self.values_TN = torch.from_numpy(_filled(part_TC, known_TC, starts)).to(device)
        self.known_TN = torch.from_numpy(known_TC).to(device)
        self.window, self.starts = window, starts
        spans_B2 = windows.cover(len(part_TC), window=window, starts=starts)
        self.spans_B2 = torch.from_numpy(spans_B2).to(device)

    def __len__(self) -> int:
        return len(self.spans_B2)

    def steps(self, index_B: Tensor) -> Tensor:
        """Return the steps of windows, shape (L, B)."""
        first_B, stop_B = self.spans_B2[index_B].t()
        return torch.minimum(first_B + torch.arange(self.window, device=first_B.device)[:, None], stop_B - 1)

    def numbers(self) -> Tensor:
        """Return the numbers of all windows."""
        return torch.arange(len(self), device=self.spans_B2.device)

    def whole(self) -> Tensor:
        """Return the numbers of the windows that no segment cuts short."""
        return (self.spans_B2.diff(dim=1)[:, 0] == self.window).nonzero()[:, 0]

    def covering(self, stride: int) -> Tensor:
        """Return which windows cover the part at a stride."""
        spans_B2 = windows.cover(len(self.values_TN), window=self.window, stride=stride, starts=self.starts)
        return torch.isin(self.spans_B2[:, 0], torch.from_numpy(spans_B2[:, 0]).to(self.spans_B2.device))


def _filled(part_TC: Array, known_TC: Array, starts: tuple[int, ...]) -> Array:
    if known_TC.all():
        return np.array(part_TC, dtype=np.float32)
    before_TC = gaps.by_channel(part_TC, starts, lambda values_T: gaps.last_period(values_T, 1))
    return np.where(known_TC, part_TC, np.nan_to_num(before_TC, nan=0.0)).astype(np.float32)
