"""Convolutions that mix no rows of a spectrum (B, C, H, W): down, up, and beside an identity.

On a processor they are fastest where the features of a place lie side by side: channels last.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

Drop = Callable[[Tensor], Tensor]


class _Snake(Function):
    """x + sin²(ax) / a, with a cosine for the values y and a sine for their slopes.

    The slope by x is 1 + sin(2ax), and that by a is (x sin(2ax) - (y - x)) / a. A place has as few as four features:
    rows of many places are worked on, and `a` is repeated along them.
    """

    @staticmethod
    def forward(ctx: Any, x_BCHW: Tensor, a_C: Tensor) -> Tensor:
        """Return the values."""
        x_RF, a_F = _as_rows(x_BCHW), a_C.repeat(x_BCHW.shape[3])
        cos_RF = (x_RF * (2 * a_F)).cos_()
        y_RF = torch.addcmul(x_RF, cos_RF, -0.5 / a_F, out=cos_RF).add_(0.5 / a_F)
        y_BCHW = _as_places(y_RF, x_BCHW)
        ctx.save_for_backward(x_BCHW, a_C, y_BCHW)
        return y_BCHW

    @staticmethod
    def backward(ctx: Any, slope_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Return the slopes of input and frequencies."""
        x_BCHW, a_C, y_BCHW = ctx.saved_tensors
        x_RF, y_RF, slope_RF = _as_rows(x_BCHW), _as_rows(y_BCHW), _as_rows(slope_BCHW)
        a_F = a_C.repeat(x_BCHW.shape[3])
        sine_RF = (x_RF * (2 * a_F)).sin_()
        through_RF = torch.addcmul(slope_RF, slope_RF, sine_RF, out=sine_RF)
        by_a_F = (through_RF * x_RF).addcmul_(slope_RF, y_RF, value=-1).sum(0) / a_F
        return _as_places(through_RF, x_BCHW), by_a_F.view(-1, len(a_C)).sum(0)


def _as_rows(x_BCHW: Tensor) -> Tensor:
    B, C, H, W = x_BCHW.shape
    return x_BCHW.permute(0, 2, 3, 1).reshape(B * H, W * C)


def _as_places(x_RF: Tensor, like_BCHW: Tensor) -> Tensor:
    B, C, H, W = like_BCHW.shape
    return x_RF.view(B, H, W, C).permute(0, 3, 1, 2)


class Snake(nn.Module):
    """x + sin²(ax) / a with a learnt frequency for each feature (Ziyin et al., 2020)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.full((1, features, 1, 1), 0.35))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the values."""
        y_BCHW: Tensor = _Snake.apply(x_BCHW, self.a.flatten())
        return y_BCHW


class Down(nn.Module):
    """Half as many columns."""

    def __init__(self, source: int, target: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(source, target, (1, 4), stride=(1, 2))
        self.bn, self.snake = nn.BatchNorm2d(target), Snake(target)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return features of half as many columns."""
        narrow: Tensor = self.snake(self.bn(self.conv(_replicate(x_BCHW))))
        return narrow


def _replicate(x_BCHW: Tensor) -> Tensor:
    """Return a spectrum with its first and its last column twice."""
    padded = torch.cat([x_BCHW[..., :1], x_BCHW, x_BCHW[..., -1:]], dim=3)
    return padded.contiguous(memory_format=torch.channels_last)


class Up(nn.Module):
    """Twice as many columns."""

    def __init__(self, source: int, target: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(source, target, (1, 4), stride=(1, 2), padding=(0, 1))
        self.bn, self.snake = nn.BatchNorm2d(target), Snake(target)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return features of twice as many columns."""
        wide: Tensor = self.snake(self.bn(self.conv(x_BCHW)))
        return wide


class Residual(nn.Module):
    """Two convolutions beside an identity, or beside a product if the number of features changes."""

    def __init__(self, source: int, target: int) -> None:
        super().__init__()
        self.snake1, self.conv1 = Snake(source), nn.Conv2d(source, target, (1, 3), padding=(0, 1))
        self.bn = nn.BatchNorm2d(target)
        self.snake2, self.conv2 = Snake(target), nn.Conv2d(target, target, (1, 3), padding=(0, 1))
        self.skip = nn.Identity() if source == target else nn.Conv2d(source, target, 1)
        self.drop: Drop | None = None

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return features as many as the block's target."""
        beside = self.conv2(self.snake2(self.bn(self.conv1(self.snake1(x_BCHW)))))
        # a callable of ours: torch's own dropout draws from the random state that all share
        added: Tensor = self.skip(x_BCHW) + (self.drop(beside) if self.drop and self.training else beside)
        return added
