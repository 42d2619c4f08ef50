"""What is hidden: whole columns in scoring, both single tokens and columns in training."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.timevqvae_ad.masking import odd, random_columns, random_tokens, stretches  # noqa: E402
from tsad_core import nn  # noqa: E402


@pytest.mark.parametrize(
    ("columns", "widths"), [(24, [3, 7, 13]), (39, [3, 11, 19]), (41, [5, 13, 21]), (25, [3, 7, 13]), (1, [1, 1, 1])]
)
def test_widths_are_those_of_the_published_periods(columns: int, widths: list[int]) -> None:
    assert [odd(rate * columns) for rate in (0.1, 0.3, 0.5)] == widths


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 24])
@pytest.mark.parametrize("rates", [(0.1,), (0.1, 0.1), (0.1, 0.3, 0.5), (1.0,)])
def test_every_column_of_every_rate_has_its_stretch_in_all_rows(columns: int, rates: tuple[float, ...]) -> None:
    found = stretches(rates, rows=3, columns=columns)
    hidden = [sorted(tokens.tolist()) for tokens_IQ in found.of_equal_size for tokens in tokens_IQ]
    assert len({tuple(tokens) for tokens in hidden}) == len(hidden)
    for rate, index_W in zip(rates, found.index_RW, strict=True):
        half = odd(rate * columns) // 2
        for centre, index in enumerate(index_W.tolist()):
            wanted = range(max(0, centre - half), min(columns, centre + half + 1))
            assert hidden[index] == [row * columns + column for row in range(3) for column in wanted]


def test_equal_stretches_of_several_rates_are_there_once() -> None:
    found = stretches((0.1, 0.1, 0.3), rows=1, columns=10)
    assert torch.equal(found.index_RW[0], found.index_RW[1])
    # a width of 1 everywhere; of 3 everywhere, cut at both ends
    assert sum(map(len, found.of_equal_size)) == 20


def test_random_tokens_hide_one_at_least_and_on_average_as_published() -> None:
    hidden_BN = random_tokens(4000, 75, nn.generator(0, "cpu"))
    assert hidden_BN.any(1).all()
    # one less two over pi, and what rounding down adds
    assert hidden_BN.float().mean().item() == pytest.approx(1 - 2 / np.pi + 0.5 / 75, abs=0.02)


@pytest.mark.parametrize(("columns", "longest"), [(1, 1), (5, 1), (24, 13)])
def test_random_columns_are_side_by_side_and_in_all_rows(columns: int, longest: int) -> None:
    hidden_BN = random_columns(500, longest, rows=3, columns=columns, random=nn.generator(0, "cpu"))
    hidden_BHW = hidden_BN.view(500, 3, columns)
    assert (hidden_BHW == hidden_BHW[:, :1]).all()
    size_B = hidden_BHW[:, 0].sum(1)
    assert size_B.min() >= 1
    assert size_B.max() == longest
    edges_B = hidden_BHW[:, 0].int().diff(dim=1).abs().sum(1)
    assert edges_B.max() <= 2
    assert hidden_BHW[:, 0].any(0).all()
