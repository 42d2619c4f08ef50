"""Views of windows: hand-solved cases, and the way back."""

import numpy as np
import pytest
from scipy.signal import savgol_filter

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.amsl.views import VIEWS, Draws, arranged, back, draw, order, smoothing, views  # noqa: E402
from tsad_core import nn  # noqa: E402

SHAPES = [(1, 1), (3, 4), (1, 7), (2, 125), (45, 10)]


def drawn(channels: int, steps: int, windows: int = 5) -> Draws:
    return draw(windows, channels, steps, nn.stream(0, 0, "cpu"))


def windows_of(channels: int, steps: int, windows: int = 5):
    return torch.randn(windows, channels, steps, generator=nn.stream(1, 0, "cpu")) + 3


def seen(name: str, values_BCL, draws: Draws):
    return views(values_BCL, draws)[VIEWS.index(name)]


def test_views_have_their_true_names_in_the_published_order() -> None:
    assert VIEWS == ("raw", "noise", "negate", "reverse", "permute", "scale", "smooth")


@pytest.mark.parametrize(("channels", "steps"), [(3, 4), (1, 7), (2, 125), (45, 10)])
def test_noise_has_a_power_5_db_below_that_of_the_window(channels: int, steps: int) -> None:
    values = windows_of(channels, steps)
    noise = seen("noise", values, drawn(channels, steps)) - values
    ratio_B = values.square().mean(dim=(1, 2)) / noise.var(dim=(1, 2), unbiased=False)
    np.testing.assert_allclose(10 * torch.log10(ratio_B), 5.0, rtol=1e-4)
    np.testing.assert_allclose(noise.mean(dim=(1, 2)), 0.0, atol=1e-5)


def test_one_cell_and_silence_get_no_noise() -> None:
    one = windows_of(1, 1)
    np.testing.assert_allclose(seen("noise", one, drawn(1, 1)), one)
    assert (seen("noise", torch.zeros(5, 2, 6), drawn(2, 6)) == 0).all()


def test_hand_solved_views_of_one_window() -> None:
    values = torch.arange(10.0)[None, None]
    permutation = order(torch.tensor([[4, 0, 1, 2, 3]]), 10)
    draws = Draws(torch.zeros(1, 1, 10), permutation, torch.tensor([1.5]))
    assert seen("raw", values, draws).tolist() == [[list(range(10))]]
    assert seen("negate", values, draws).tolist() == [[[-step for step in range(10)]]]
    assert seen("reverse", values, draws).tolist() == [[list(range(9, -1, -1))]]
    assert seen("permute", values, draws).tolist() == [[[2, 3, 4, 5, 6, 7, 8, 9, 0, 1]]]
    assert seen("scale", values, draws).tolist() == [[[1.5 * step for step in range(10)]]]


@pytest.mark.parametrize("steps", [5, 25, 125])
def test_permuted_are_five_blocks_the_same_for_all_channels(steps: int) -> None:
    values = torch.arange(float(steps)).expand(5, 2, steps)
    moved = seen("permute", values, drawn(2, steps)).view(5, 2, 5, steps // 5)
    assert (moved[:, 0] == moved[:, 1]).all()
    assert (moved.diff(dim=3) == 1).all()
    assert (moved[:, 0, :, 0].sort(dim=1).values == torch.arange(0.0, steps, steps // 5)).all()


def test_every_permutation_of_blocks_and_every_factor_is_drawn() -> None:
    draws = draw(4000, 1, 5, nn.stream(0, 0, "cpu"))
    assert len(draws.order_BL.unique(dim=0)) == 120
    assert draws.factor_B.unique().tolist() == pytest.approx([0.5, 0.8, 1.5, 2.0])


@pytest.mark.parametrize("steps", [11, 12, 40, 125])
def test_smoothing_is_scipys_savitzky_golay_filter(steps: int) -> None:
    values = windows_of(3, steps).double()
    wanted = savgol_filter(values.numpy(), 11, 2, axis=2)
    np.testing.assert_allclose(seen("smooth", values, drawn(3, steps)), wanted, atol=1e-9)


@pytest.mark.parametrize("steps", range(1, 11))
def test_a_short_window_is_smoothed_by_a_shorter_filter(steps: int) -> None:
    width = steps - 1 + steps % 2
    wanted = savgol_filter(np.eye(steps), width, min(2, width - 1), axis=0)
    np.testing.assert_allclose(smoothing(steps), wanted, atol=1e-9)


@pytest.mark.parametrize(("channels", "steps"), SHAPES)
def test_what_belongs_to_steps_of_views_finds_back_to_them(channels: int, steps: int) -> None:
    values, draws = windows_of(channels, steps), drawn(channels, steps)
    shown = arranged(values, draws)
    for name in ("reverse", "permute"):
        assert (shown[VIEWS.index(name)] == seen(name, values, draws)).all()
    returned = back(shown, draws)
    assert shown.shape == returned.shape == (7, 5, channels, steps)
    assert (returned == values).all()


def test_draws_repeat_after_the_last() -> None:
    draws = drawn(2, 8, windows=3)
    assert (draws.of(torch.tensor([1, 4])).noise_BCL == draws.noise_BCL[1]).all()
