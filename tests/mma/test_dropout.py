"""Dropout by a counter."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_mma.ops import CounterDropout  # noqa: E402 - it needs torch

SHAPE = torch.Size((8, 50, 384))


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5])
def test_as_many_are_dropped_as_asked_and_the_mean_stays(rate: float) -> None:
    factors = CounterDropout(rate, 0, "cpu").factors(0, SHAPE)
    dropped = round(rate * 256) / 256
    assert abs((factors == 0).float().mean() - dropped) < 0.005
    assert factors.max() == pytest.approx(1 / (1 - dropped))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_neighbours_are_dropped_independently(axis: int) -> None:
    kept = (CounterDropout(0.5, 1, "cpu").factors(0, SHAPE) > 0).float() - 0.5
    for step in (1, 2, 16, 32):
        if step < SHAPE[axis]:
            pairs = kept.narrow(axis, 0, SHAPE[axis] - step) * kept.narrow(axis, step, SHAPE[axis] - step)
            assert abs(pairs.mean()) < 0.004


def test_each_use_each_seed_and_each_model_drops_other_values() -> None:
    drop = CounterDropout(0.5, 0, "cpu")
    first = drop.factors(0, SHAPE)
    others = [drop.factors(1, SHAPE), CounterDropout(0.5, 1, "cpu").factors(0, SHAPE)]
    others += [CounterDropout(0.5, 1 << 32, "cpu").factors(0, SHAPE), drop.factors(0, torch.Size((2, *SHAPE)))[1]]
    drop.refresh()
    others.append(drop.factors(0, SHAPE))
    for other in others[:-1]:
        assert abs(((first > 0) == (other > 0)).float().mean() - 0.5) < 0.01
    assert torch.equal(others[-1], others[1])  # refreshing is taking the next seed


def test_a_place_keeps_its_fate_whatever_is_beside_it() -> None:
    drop = CounterDropout(0.5, 0, "cpu")
    whole = drop.factors(0, SHAPE)
    assert torch.equal(drop.factors(0, torch.Size((3, 50, 384))), whole[:3])
    assert torch.equal(drop.factors(0, torch.Size((8, 50, 100))), whole[:, :, :100])


def test_calls_count_as_uses_until_refreshed() -> None:
    drop = CounterDropout(0.5, 4, "cpu")
    ones = torch.ones(SHAPE)
    first, second = drop(ones), drop(ones)
    assert not torch.equal(first, second)
    again = CounterDropout(0.5, 4, "cpu")
    assert torch.equal(again(ones), first)
    assert torch.equal(drop.factors(1, SHAPE), second)


def test_without_a_rate_values_stay() -> None:
    ones = torch.ones(2, 3, 4)
    assert CounterDropout(0.0, 0, "cpu")(ones) is ones
