"""Windows of a part, and scores of one forward a step: the same as two forwards of each window by itself."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.slmr import scoring  # noqa: E402 - it needs torch
from tsad_baselines.slmr.model import Shape, new_model  # noqa: E402
from tsad_baselines.slmr.pairs import Pairs  # noqa: E402
from tsad_baselines.slmr.scoring import errors, see  # noqa: E402
from tsad_baselines.slmr.training import losses  # noqa: E402
from tsad_core import nn  # noqa: E402

SIZES = {"group": 2, "groups": 3, "hidden": 8, "forecast_hidden": 7, "rebuilt_hidden": 6}


def tiny(**changes):
    model = new_model(Shape(**{"channels": 2, "outputs": 2, **SIZES, **changes}), nn.generator(0, "cpu")).double()
    model.train()
    model(torch.rand(2, model.shape.window, 64, generator=nn.generator(1, "cpu")).double())
    return model.eval()


def pairs_of(part_TC, starts=(0,), window: int = 10) -> Pairs:
    pairs = Pairs(part_TC, starts, window=window, device="cpu")
    pairs.series_CT = pairs.series_CT.double()
    return pairs


def noise(steps: int, channels: int = 2):
    # as float32 holds them
    return np.random.default_rng(0).normal(size=(steps, channels)).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize(
    ("steps", "starts", "windows"),
    [
        (1, (0,), [0]),
        (10, (0,), [0]),
        (11, (0,), [0]),
        (13, (0,), [0, 1, 2]),
        (14, (0, 1, 2), [0, 11, 22, 23]),
        (30, (0, 15), [0, 1, 2, 3, 4, 15, 16, 17, 18, 19]),
    ],
)
def test_no_window_with_the_step_after_it_crosses_a_start(steps: int, starts, windows) -> None:
    pairs = Pairs(np.arange(float(steps))[:, None], starts, window=10, device="cpu")
    assert pairs.first_B.tolist() == windows
    values = pairs.values(pairs.first_B)[0]
    segments = np.searchsorted(starts, values.numpy(), side="right")
    assert (segments == segments[:1]).all()
    assert (np.diff(values.numpy(), axis=0) <= 1).all()


def test_a_segment_no_longer_than_a_window_is_led_by_its_first_step() -> None:
    pairs = Pairs(np.array([[5.0], [7.0], [8.0]]), (0, 1), window=3, device="cpu")
    assert pairs.series_CT.tolist() == [[5, 5, 5, 5, 7, 7, 7, 8]]
    assert pairs.place_T.tolist() == [3, 6, 7]
    assert pairs.scored_T.tolist() == [3, 7, 7]


def test_halves_are_every_other_step_from_each_on() -> None:
    pairs = Pairs(np.arange(20.0)[:, None], (0,), window=6, device="cpu")
    assert pairs.halves(3, 4)[0].T.tolist() == [[3, 5, 7], [4, 6, 8], [5, 7, 9], [6, 8, 10]]


@pytest.mark.parametrize("at_once", [10, 70, 5120])
@pytest.mark.parametrize("changes", [{}, {"odd_pool": True, "scrambled": True}, {"window": 2}, {"window": 24}])
def test_one_forward_gives_what_two_give_of_each_window_by_itself(monkeypatch, changes, at_once: int) -> None:
    monkeypatch.setitem(scoring._AT_ONCE, "cpu", at_once)
    model = tiny(**changes)
    W = model.shape.window
    part_TC = noise(90)
    part_TC[40, 1] = np.nan
    seen = see(model, pairs_of(part_TC, (0, 33), window=W))
    for start, stop in ((0, 33), (33, 90)):
        for step in range(start + W, stop):
            before, upto = (_alone(model, part_TC[last - W : last]) for last in (step, step + 1))
            torch.testing.assert_close(seen.forecast_OT[:, step], before.forecast_OB[:, 0])
            torch.testing.assert_close(seen.rebuilt_OT[:, step], upto.rebuilt_OLB[:, -1, 0])
            torch.testing.assert_close(seen.gate_CT[:, step], upto.gate_CB[:, 0])
        opening = _alone(model, part_TC[start : start + W])
        torch.testing.assert_close(seen.rebuilt_OT[:, start : start + W], opening.rebuilt_OLB[..., 0])
        torch.testing.assert_close(seen.forecast_OT[:, start : start + W], opening.rebuilt_OLB[..., 0])


def _alone(model, window_LC):
    with torch.no_grad():
        return model(torch.from_numpy(np.nan_to_num(window_LC).T[..., None].copy()))


def test_errors_of_the_first_steps_are_those_of_the_first_scored_one() -> None:
    part_TC = noise(60)
    part_TC[25, 0] = np.nan
    pairs = pairs_of(part_TC, (0, 40))
    seen = see(tiny(), pairs)
    for error_TO, expected_OT in zip(errors(seen, pairs), (seen.forecast_OT, seen.rebuilt_OT), strict=True):
        naive_TO = np.nan_to_num(np.abs(part_TC - expected_OT[:, :-1].numpy().T))
        np.testing.assert_allclose(error_TO[10:40], naive_TO[10:40])
        np.testing.assert_allclose(error_TO[50:], naive_TO[50:])
        assert (error_TO[:10] == error_TO[10]).all()
        assert (error_TO[40:50] == error_TO[50]).all()
        assert error_TO[25, 0] == 0


def test_missing_values_count_in_no_loss() -> None:
    model = tiny()
    known = torch.rand(2, 11, 6, generator=nn.generator(2, "cpu")).double()
    gappy = torch.cat([known, torch.full_like(known, torch.nan)], dim=2)
    torch.testing.assert_close(losses(model, gappy), losses(model, known))


def test_a_loss_of_nothing_is_0_with_finite_gradients() -> None:
    model = tiny()
    model.train()
    forecast, rebuilt = losses(model, torch.full((2, 11, 6), torch.nan).double())
    (forecast + rebuilt).backward()
    assert forecast.item() == rebuilt.item() == pytest.approx(0, abs=1e-5)
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in model.parameters())


def test_what_a_mask_hides_is_hidden_from_the_network_and_counts_in_the_loss() -> None:
    model = tiny()
    values = torch.rand(2, 11, 6, generator=nn.generator(2, "cpu")).double()
    mask = torch.zeros(2, 10, 6, dtype=torch.bool)
    mask[0, 3] = True
    read = model(values[:, :-1].masked_fill(mask, 0.0))
    wanted = (read.rebuilt_OLB - values[:, :-1]).square().mean().sqrt()
    torch.testing.assert_close(losses(model, values, mask)[1], wanted)
    assert not torch.isclose(losses(model, values)[1], wanted)


def test_of_few_targets_the_loss_is_theirs_alone() -> None:
    model = tiny(outputs=1)
    values = torch.rand(2, 11, 6, generator=nn.generator(2, "cpu")).double()
    read = model(values[:, :-1])
    forecast, rebuilt = losses(model, values)
    torch.testing.assert_close(forecast, (read.forecast_OB - values[:1, -1]).square().mean().sqrt())
    torch.testing.assert_close(rebuilt, (read.rebuilt_OLB - values[:1, :-1]).square().mean().sqrt())
