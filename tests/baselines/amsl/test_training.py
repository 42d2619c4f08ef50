"""Training and scoring: what counts in the loss, how views are scaled, and where errors go."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.amsl.model import Read, Shape, new_model  # noqa: E402
from tsad_baselines.amsl.scoring import see  # noqa: E402
from tsad_baselines.amsl.training import head_loss, rebuilding_loss  # noqa: E402
from tsad_baselines.amsl.views import VIEWS, draw  # noqa: E402
from tsad_baselines.amsl.windows import Ranges, Windows, learn_ranges  # noqa: E402
from tsad_core import nn  # noqa: E402

R = 7


def part(steps: int, channels: int = 2):
    return np.random.default_rng(0).normal(5, 3, size=(steps, channels)).astype(np.float32)


def windows_of(part_TC, *, window: int = 8, stride: int = 2, starts=(0,)) -> Windows:
    fill_C = np.zeros(part_TC.shape[1])
    return Windows(part_TC, fill_C, window=window, stride=stride, starts=starts, device="cpu")


def table_of(windows: Windows, count: int = 5):
    return draw(count, len(windows.series_CT), windows.window, nn.stream(0, 0, "cpu"))


def test_the_error_is_a_mean_over_known_values_summed_over_views() -> None:
    shown, known = torch.zeros(R, 1, 1, 4), torch.tensor([True, True, False, False]).expand(R, 1, 1, 4)
    rebuilt = torch.tensor([1.0, 3.0, 100.0, 100.0]).expand(R, 1, 1, 4)
    assert rebuilding_loss(rebuilt, shown, known).item() == pytest.approx(R * 5)
    assert rebuilding_loss(rebuilt, shown, torch.zeros_like(known)).item() == 0


def test_the_head_is_wrong_by_the_cross_entropy_of_each_view() -> None:
    sure = Read(torch.empty(0), 100 * torch.eye(R)[:, None].expand(R, 3, R), torch.zeros(()))
    unsure = sure._replace(logit_RBR=torch.zeros(R, 3, R))
    assert head_loss(sure).item() == pytest.approx(0, abs=1e-6)
    assert head_loss(unsure).item() == pytest.approx(R * np.log(R))


@pytest.mark.parametrize("cells", [False, True])
def test_every_view_of_the_windows_learnt_from_lies_in_0_to_1(cells: bool) -> None:
    windows = windows_of(part(60))
    table = table_of(windows, len(windows))
    ranges = learn_ranges(windows, table, cells=cells, at_once=4)
    scaled = ranges.scaled(windows.shown(windows.numbers(), table)[0])
    axes = (1,) if cells else (1, 3)
    np.testing.assert_allclose(scaled.amin(axes), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.amax(axes), 1, atol=1e-6)
    np.testing.assert_allclose(ranges.raw(scaled[0]), windows.values(windows.numbers()), atol=1e-4)


def test_the_range_of_a_channel_is_that_of_its_known_values() -> None:
    part_TC = np.array([[1.0, np.nan, 7], [np.nan, np.nan, 7], [5.0, np.nan, 7]], dtype=np.float32)
    windows = windows_of(part_TC, window=3)
    ranges = learn_ranges(windows, table_of(windows), cells=False, at_once=1)
    assert ranges.low_RCL[0, :, 0].tolist() == [1, 0, 7]
    assert ranges.span_RCL[0, :, 0].tolist() == [4, 1, 1]
    assert ranges.low_RCL[VIEWS.index("negate"), :, 0].tolist() == [-5, 0, -7]


def test_missing_values_and_the_end_of_a_short_segment_are_filled_and_unknown() -> None:
    part_TC = part(6, 1)
    part_TC[1] = np.nan
    windows = windows_of(part_TC, window=4, starts=(0, 4))
    shown, known = windows.shown(windows.numbers(), table_of(windows, 2))
    assert known[0, :, 0].tolist() == [[True, False, True, True], [True, True, False, False]]
    assert shown[0, 0, 0, 1] == shown[0, 1, 0, 2] == 0
    assert known[VIEWS.index("reverse"), 1, 0].tolist() == [False, False, True, True]


class Zeros:
    """A network that rebuilds nothing."""

    def rebuild(self, views_RBCL):
        return torch.zeros_like(views_RBCL)


def test_errors_go_to_the_steps_whose_values_views_show() -> None:
    spike_TC = np.zeros((40, 2), dtype=np.float32)
    spike_TC[17, 1] = 2
    windows = windows_of(spike_TC)
    table = table_of(windows)
    ranges = Ranges(torch.zeros(R, 2, 1), torch.ones(R, 2, 1))
    seen = see(Zeros(), windows, ranges, table._replace(noise_BCL=0 * table.noise_BCL), at_once=3)
    for name in ("raw", "noise", "negate", "reverse", "permute", "scale"):
        error_T = seen.error_TR[:, VIEWS.index(name)]
        assert np.flatnonzero(error_T).tolist() == [17]
    for name in ("raw", "noise", "negate", "reverse", "permute"):
        # of two channels
        assert seen.error_TR[17, VIEWS.index(name)] == pytest.approx(2**2 / 2)
    assert seen.error_TC[17].argmax() == 1
    np.testing.assert_allclose(seen.error_TC.mean(axis=1), seen.error_TR.sum(axis=1))


def test_a_window_scores_the_mean_of_its_steps() -> None:
    windows = windows_of(part(24), stride=8)
    model = new_model(Shape(channels=2, window=8, filters=2, slots=3), nn.stream(0, 1, "cpu"))
    table = table_of(windows, len(windows))
    ranges = learn_ranges(windows, table, cells=False, at_once=8)
    seen = see(model, windows, ranges, table, at_once=8)
    with torch.no_grad():
        shown = ranges.scaled(windows.shown(windows.numbers(), table)[0])
        wanted_B = (model.rebuild(shown) - shown).square().mean(dim=(2, 3)).sum(dim=0)
    np.testing.assert_allclose(seen.error_TC.mean(axis=1).reshape(3, 8).mean(axis=1), wanted_B, rtol=1e-5)
