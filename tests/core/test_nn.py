"""Windows on the device, cheap dropout, descent, and back to steps."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest
from tsad_core import OptionError, windows

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_core import nn  # noqa: E402 - it needs torch


@pytest.mark.parametrize(
    ("steps", "window", "stride", "starts"), [(1, 1, 1, (0,)), (7, 3, 2, (0,)), (40, 9, 4, (0, 5, 23))]
)
def test_gathered_windows_are_those_of_numpy(steps: int, window: int, stride: int, starts: tuple[int, ...]) -> None:
    series_TC = np.random.default_rng(0).normal(size=(steps, 2)).astype(np.float32)
    spans_B2 = windows.cover(steps, window=window, stride=stride, starts=starts)
    series_CT = nn.channels_first(series_TC, "cpu")
    for channel in (0, 1):
        channel_B = torch.full((len(spans_B2),), channel)
        ours = nn.gather(series_CT, torch.from_numpy(spans_B2), channel_B, window=window).numpy()
        for values_L, (start, stop) in zip(ours, spans_B2, strict=True):
            np.testing.assert_array_equal(values_L[: stop - start], series_TC[start:stop, channel])
            assert np.isnan(values_L[stop - start :]).all()


@pytest.mark.parametrize(
    ("steps", "window", "stride", "starts"), [(1, 1, 1, (0,)), (7, 3, 2, (0,)), (40, 9, 4, (0, 5, 23))]
)
def test_overlapping_windows_average_as_in_numpy(steps: int, window: int, stride: int, starts: tuple[int, ...]) -> None:
    spans_B2 = windows.cover(steps, window=window, stride=stride, starts=starts)
    values_BCL = np.random.default_rng(0).normal(size=(len(spans_B2), 3, window)).astype(np.float32)
    overlap = nn.Overlap(steps, 3, like=torch.empty(0))
    for part in np.array_split(np.arange(len(spans_B2)), 2):
        overlap.add(torch.from_numpy(values_BCL[part]), torch.from_numpy(spans_B2[part]))
    wanted_TC = windows.overlap_average(values_BCL.transpose(0, 2, 1), spans_B2, steps)
    np.testing.assert_allclose(overlap.mean(), wanted_TC, atol=1e-6)


def test_a_series_is_copied_so_that_it_may_be_read_only() -> None:
    series_TC = np.ones((4, 2), dtype=np.float32)
    series_TC.flags.writeable = False
    nn.channels_first(series_TC, "cpu").zero_()
    assert series_TC.all()


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_drops_its_share_and_keeps_the_mean(rate: float, dtype) -> None:
    drop = nn.Dropout(rate, nn.generator(0, "cpu"), dtype=dtype, size=1 << 17)
    dropped = drop(torch.ones(300, 200, dtype=dtype)).float()
    assert abs(float((dropped == 0).float().mean()) - rate) < 0.01
    assert abs(float(dropped.mean()) - 1) < 0.03
    assert len(dropped.unique()) == 2


def test_dropout_differs_from_use_to_use_but_not_from_seed_to_equal_seed() -> None:
    one, same = (nn.Dropout(0.5, nn.generator(7, "cpu"), dtype=torch.float32, size=1 << 10) for _ in range(2))
    uses = [[drop(torch.ones(64)) for _ in range(20)] for drop in (one, same)]
    assert torch.equal(torch.stack(uses[0]), torch.stack(uses[1]))
    assert len(torch.stack(uses[0]).unique(dim=0)) > 15


def test_refreshing_dropout_sixteen_times_draws_every_factor_anew() -> None:
    drop = nn.Dropout(0.5, nn.generator(0, "cpu"), dtype=torch.float32, size=1 << 12)
    drop(torch.ones(4))
    before = drop._factors.clone()
    for part in range(16):
        drop.refresh()
        changed = (drop._factors != before).view(16, -1).any(dim=1)
        assert changed.tolist() == [k <= part for k in range(16)]


def test_dropout_takes_values_larger_than_its_store() -> None:
    drop = nn.Dropout(0.5, nn.generator(0, "cpu"), dtype=torch.float32, size=16)
    assert 0.4 < float(drop(torch.ones(5000)).bool().float().mean()) < 0.6


def test_no_dropout_leaves_values_alone() -> None:
    values = torch.rand(5)
    assert nn.Dropout(0.0, nn.generator(0, "cpu"), dtype=torch.float32)(values) is values


@pytest.mark.parametrize("learning_rate", [0.1, (0.1, 0.05, 0.025)])
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_descent_in_parts_is_adamw_on_the_whole_batch(at_once: int, learning_rate: float | tuple[float, ...]) -> None:
    ours, theirs = (torch.nn.Parameter(torch.ones(4)) for _ in range(2))
    batches = list(torch.rand(3, 8, 4, generator=nn.generator(0, "cpu")))

    def loss(weights, batch):
        return ((batch @ weights) ** 2).mean()

    rates = {"learning_rate": learning_rate, "weight_decay": 0.01, "gamma": 0.5}
    steps = nn.descend([ours], lambda batch: loss(ours, batch), batches, **rates, at_once=at_once)
    assert list(steps) == [1, 2, 3]
    optimiser = torch.optim.AdamW([theirs], lr=0.1, weight_decay=0.01)
    for k, batch in enumerate(batches):
        optimiser.param_groups[0]["lr"] = 0.1 * 0.5**k
        optimiser.zero_grad()
        loss(theirs, batch).backward()
        optimiser.step()
    torch.testing.assert_close(ours, theirs)


def test_a_parameter_without_a_gradient_stays_as_it_is() -> None:
    used, unused = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    steps = nn.descend([used, unused], lambda part: (used * part).sum(), [torch.ones(1, 2)] * 2, learning_rate=0.1)
    assert list(steps) == [1, 2]
    assert torch.equal(unused, torch.ones(2))
    assert (used < 1).all()


def test_precision_is_what_was_asked_for() -> None:
    assert nn.resolve_precision("float32", "cpu") == "float32"
    assert nn.resolve_precision("bfloat16", "cpu") == "bfloat16"
    assert nn.resolve_precision("auto", "cpu") in nn.PRECISIONS
    assert nn.resolve_precision("auto", "mps") == "float32"


def test_auto_finds_a_device_and_a_wrong_name_is_told() -> None:
    assert nn.resolve_device("auto") in {"cpu", "cuda"}
    with pytest.raises(OptionError, match=r"device = 'warp:9' is not to be had here; allowed: auto, cpu, cuda"):
        nn.resolve_device("warp:9")


class _Graph:
    """A CUDA graph on a CPU: what is recorded is run again by `replay`, and not while it is recorded."""

    def __init__(self) -> None:
        self.generators = []
        self.replays = 0

    def register_generator_state(self, generator) -> None:
        self.generators.append(generator)

    def replay(self) -> None:
        self.replays += 1


def test_a_captured_step_is_recorded_once_and_replayed_with_each_batch(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "CUDAGraph", _Graph)
    for name in ("graph", "stream"):
        monkeypatch.setattr(torch.cuda, name, lambda _: contextlib.nullcontext())
    for name in ("Stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda _: SimpleNamespace(wait_stream=lambda _: None))
    seen, random = [], nn.generator(0, "cpu")
    take = nn.Captured(seen.append, random)
    for number in range(6):
        take(torch.full((2,), number))
    graph, recorded = take._graph, seen.pop()
    assert [int(batch[0]) for batch in seen] == [0, 1, 2]
    assert (graph.replays, graph.generators) == (3, [random])
    assert recorded.tolist() == [5, 5]  # what it replays reads the batch of the last step


def test_steps_that_are_captured_go_where_others_go(monkeypatch) -> None:
    monkeypatch.setattr(nn, "Captured", lambda step, _: step)
    ends = []
    for captured in (None, nn.generator(0, "cpu")):
        weight = torch.ones(3, requires_grad=True)
        batches = (torch.full((4, 3), float(k)) for k in range(5))
        loss = lambda batch, weight=weight: (batch @ weight - 1).square().mean()  # noqa: E731
        assert list(nn.descend([weight], loss, batches, learning_rate=0.1, gamma=0.5, captured=captured))[-1] == 5
        ends.append(weight.detach())
    torch.testing.assert_close(*ends)
    assert (ends[0] - 1).abs().min() > 0.05


def test_the_best_weights_are_those_of_least_loss() -> None:
    model = torch.nn.Linear(1, 1)
    losses = iter([3.0, 1.0, 2.0])
    best = nn.Best(model, lambda: next(losses))
    for weight in (10.0, 20.0, 30.0):
        torch.nn.init.constant_(model.weight, weight)
        best.look()
    best.restore()
    assert model.weight.item() == 20


def test_a_gradient_is_cut_to_a_length_and_epsilon_slows_a_step() -> None:
    def moved(**options) -> torch.Tensor:
        weight = torch.zeros(2, requires_grad=True)
        for _ in nn.descend(
            [weight], lambda batch: (batch @ weight).sum(), [torch.ones(1, 2)], learning_rate=0.1, **options
        ):
            pass
        return weight.detach()

    # a first step of Adam is g / (|g| + epsilon) of the rate
    torch.testing.assert_close(moved(epsilon=1.0), torch.full((2,), -0.05))
    cut = 0.1 / 2**0.5
    torch.testing.assert_close(moved(epsilon=1.0, longest=0.1), torch.full((2,), -0.1 * cut / (cut + 1)))


def test_streams_of_a_seed_are_independent_and_repeatable() -> None:
    draws = [
        torch.rand(8, generator=nn.stream(seed, number, "cpu")) for seed, number in ((0, 0), (0, 1), (1, 0), (0, 0))
    ]
    assert torch.equal(draws[0], draws[3])
    assert not torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
