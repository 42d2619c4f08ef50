"""Convolutions of 4 x 4 as the authors' framework pads them, their transposes, and pooling."""

import torch
from torch import Tensor, nn
from torch.nn import functional

KERNEL = 4


class Same(nn.Conv2d):
    """A convolution that keeps the size: one row and column of zeros before, two after.

    If `transposed` it is two before and one after: a transposed convolution whose kernel is stored turned around.
    """

    def __init__(self, inputs: int, outputs: int, *, transposed: bool = False) -> None:
        super().__init__(inputs, outputs, KERNEL)
        self.before = 2 if transposed else 1

    def forward(self, values: Tensor, front: tuple[int, int] = (0, 0)) -> Tensor:
        """Return the convolution, in the precision of the values, of a plane with more zeros in front; or with fewer.

        With fewer, it is the convolution without its first rows and columns.
        """
        rows, columns = (self.before + more for more in front)
        after = KERNEL - 1 - self.before
        padded = functional.pad(values, (columns, after, rows, after))
        return functional.conv2d(padded, *cast(self, values))


class Doubled(nn.ConvTranspose2d):
    """A transposed convolution of stride 2: a plane of twice the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, KERNEL, stride=2, padding=1)

    def forward(self, values: Tensor) -> Tensor:  # type: ignore[override]  # no output size is asked for
        """Return the larger plane, in the precision of the values."""
        weight, bias = cast(self, values)
        if not torch.is_grad_enabled():
            return functional.conv_transpose2d(values, weight, bias, stride=2, padding=1)
        # oneDNN takes a third of its time for the gradient of a bias
        return functional.conv_transpose2d(values, weight, stride=2, padding=1).add_(bias[:, None, None])


def cast(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return a layer's weight and bias in the precision of values."""
    assert layer.bias is not None
    return layer.weight.to(values.dtype), layer.bias.to(values.dtype)
