"""The windows of a part, each with the step after it, gathered on the device."""

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array, nn


class Pairs:
    """The windows of a part that have a step after them in their segment. Nothing is copied until asked.

    A segment no longer than a window is led by copies of its first step, so that it has one pair.
    """

    def __init__(self, part_TC: Array, starts: tuple[int, ...], *, window: int, device: str) -> None:
        self.window = window
        T, bounds = len(part_TC), np.array([*starts, len(part_TC)])
        lengths = np.diff(bounds)
        leads = np.maximum(window + 1 - lengths, 0)
        led = np.repeat(np.arange(T), 1 + np.bincount(bounds[:-1], leads, minlength=T).astype(int))
        self.series_CT = nn.channels_first(part_TC[led], device)
        """The part with its leads; NaN where a value is missing."""
        first_T = np.repeat(bounds[:-1] + np.cumsum(leads) - leads, lengths)
        self.place_T = np.arange(T) + np.repeat(np.cumsum(leads), lengths)
        """Where in the series each step of the part stands."""
        self.scored_T = np.maximum(self.place_T, first_T + window)
        """Where the step stands whose score it gets: it, or the first in its segment that has a window before it."""
        self.first_B = torch.from_numpy(np.unique(self.scored_T) - window).to(device)
        """Where each window starts."""
        self.opening_B = torch.from_numpy(np.unique(first_T)).to(device)
        """Where each segment starts."""

    def __len__(self) -> int:
        return len(self.first_B)

    def values(self, first_B: Tensor) -> Tensor:
        """Return the windows that start there, each with the step after it, shape (C, L + 1, B); NaN where missing."""
        step_L1 = torch.arange(self.window + 1, device=first_B.device)[:, None]
        return self.series_CT[:, first_B + step_L1]

    def halves(self, first: int, count: int) -> Tensor:
        """Return the halves, every other step, from so many first steps in a row on, shape (C, S, B); 0 if missing."""
        reach = self.series_CT[:, first : first + self.window - 2 + count].nan_to_num()
        return reach.unfold(1, count, 2).contiguous()

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return where windows drawn at random start."""
        return self.first_B[torch.randint(len(self), (count,), generator=generator, device=generator.device)]

    def spread(self, count: int) -> Tensor:
        """Return where at most so many windows start, evenly over the part."""
        return self.first_B[:: -(-len(self) // count)]
