"""Tiles: the windows of a series, one channel at a time, cut into patches on the device."""

import torch
from torch import Tensor
from tsad_core import Array, nn, windows


class Tiles:
    """The tiles of a part, numbered window by window and channel by channel within. Nothing is copied until asked."""

    def __init__(self, part_TC: Array, spans_B2: Array, *, window: int, patch: int, device: str) -> None:
        self.series_CT = nn.channels_first(part_TC, device)
        self.spans_B2 = torch.from_numpy(spans_B2).to(device)
        self._window, self._patch = window, patch

    def __len__(self) -> int:
        return len(self.spans_B2) * len(self.series_CT)

    def patches(self, index_B: Tensor) -> Tensor:
        """Return the tiles of these numbers, shape (B, N, P); NaN where a value is missing or past the end."""
        C = len(self.series_CT)
        values_BL = nn.gather(self.series_CT, self.spans_B2[index_B // C], index_B % C, window=self._window)
        return values_BL.view(len(values_BL), -1, self._patch)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the numbers of tiles drawn at random."""
        return torch.randint(len(self), (count,), generator=generator, device=generator.device)


def tiles_of(part_TC: Array, *, window: int, patch: int, stride: int, starts: tuple[int, ...], device: str) -> Tiles:
    """Return the tiles that cover a part, at a stride; none crosses a start."""
    spans_B2 = windows.cover(len(part_TC), window=window, stride=min(stride, window), starts=starts)
    return Tiles(part_TC, spans_B2, window=window, patch=patch, device=device)
