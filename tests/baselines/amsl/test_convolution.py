"""Convolutions padded as the authors' framework does, against loops."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.amsl.convolution import Doubled, Same  # noqa: E402

PLANES = [(1, 1), (4, 4), (1, 5), (3, 6)]


def example(rows: int, columns: int):
    return torch.randn(2, 2, rows, columns, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def cells(rows: int, columns: int):
    return np.ndindex(rows, columns, 4, 4)


@pytest.mark.parametrize("size", PLANES)
def test_a_convolution_has_one_row_of_zeros_before_and_two_after(size) -> None:
    layer, values = Same(2, 3).double(), example(*size)
    kernel, wanted = layer.weight.detach().numpy(), np.zeros((2, 3, *size))
    for row, column, i, j in cells(*size):
        y, x = row + i - 1, column + j - 1
        if 0 <= y < size[0] and 0 <= x < size[1]:
            wanted[:, :, row, column] += values[:, :, y, x].numpy() @ kernel[:, :, i, j].T
    wanted += layer.bias.detach().numpy()[:, None, None]
    np.testing.assert_allclose(layer(values).detach(), wanted)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", PLANES)
def test_a_transposed_convolution_is_the_whole_one_cut_to_its_stride_times_the_size(size, stride: int) -> None:
    values = example(*size)
    layer = (Same(2, 3, transposed=True) if stride == 1 else Doubled(2, 3)).double()
    # inputs, outputs, rows, columns
    kernel = layer.weight.detach().flip(2, 3).transpose(0, 1) if stride == 1 else layer.weight.detach()
    wanted = np.zeros((2, 3, stride * size[0], stride * size[1]))
    for row, column, i, j in cells(*size):
        y, x = stride * row + i - 1, stride * column + j - 1
        if 0 <= y < wanted.shape[2] and 0 <= x < wanted.shape[3]:
            wanted[:, :, y, x] += values[:, :, row, column].numpy() @ kernel[:, :, i, j].numpy()
    wanted += layer.bias.detach().numpy()[:, None, None]
    np.testing.assert_allclose(layer(values).detach(), wanted)


@pytest.mark.parametrize("transposed", [False, True])
def test_zeros_in_front_are_added_or_left_out(transposed: bool) -> None:
    layer, values = Same(2, 3, transposed=transposed).double(), example(6, 7)
    more = torch.nn.functional.pad(values, (3, 0, 2, 0))
    np.testing.assert_allclose(layer(values, (2, 3)).detach(), layer(more).detach())
    np.testing.assert_allclose(layer(values, (-1, -3)).detach(), layer(values)[..., 1:, 3:].detach())
