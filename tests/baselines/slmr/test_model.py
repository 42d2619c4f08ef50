"""The network's own kernels equal PyTorch's; what may be left out of it, is."""

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.nn import functional  # noqa: E402 - it needs torch
from tsad_baselines.slmr.convolution import convolve, prepare  # noqa: E402
from tsad_baselines.slmr.masking import random_masks  # noqa: E402
from tsad_baselines.slmr.model import Shape, new_model  # noqa: E402
from tsad_baselines.slmr.norm import Norm  # noqa: E402
from tsad_baselines.slmr.pool import pool  # noqa: E402
from tsad_baselines.slmr.product import product  # noqa: E402
from tsad_baselines.slmr.recurrence import Gru  # noqa: E402
from tsad_core import nn  # noqa: E402

TINY = {"group": 2, "groups": 3, "hidden": 8, "forecast_hidden": 7, "rebuilt_hidden": 6}


def tiny(channels: int = 3, seed: int = 0, precision=None, **changes):
    shape = Shape(**{"channels": channels, "outputs": channels, **TINY, **changes})
    return new_model(shape, nn.generator(seed, "cpu"), precision=precision)


def noise(*shape: int, seed: int = 1):
    return torch.randn(shape, generator=nn.generator(seed, "cpu"), dtype=torch.float64)


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 50])
def test_pooling_is_max_pooling_and_so_are_its_gradients(steps: int) -> None:
    # whole numbers: half of the neighbours are equal
    values = noise(4, steps, 6).mul(2).round().requires_grad_()
    theirs = values.detach().clone().requires_grad_()
    weights = noise(4, steps, 6, seed=2)
    ours = pool(values)
    rows_DBS = functional.max_pool1d(theirs.permute(0, 2, 1), 3, stride=1, padding=1)
    (ours * weights).sum().backward()
    (rows_DBS.permute(0, 2, 1) * weights).sum().backward()
    assert torch.equal(ours, rows_DBS.permute(0, 2, 1))
    torch.testing.assert_close(values.grad, theirs.grad)


@pytest.mark.parametrize("steps", [1, 2, 5, 8, 9, 40])
@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_convolution_is_pytorchs_for_short_windows_and_long(steps: int, size: int) -> None:
    weight, values = noise(6, 2, size).requires_grad_(), noise(6, steps, 4, seed=2)
    ours = convolve(values, prepare(weight, steps))
    theirs = functional.conv1d(values.permute(2, 0, 1), weight, padding=size // 2, groups=3).permute(1, 2, 0)
    torch.testing.assert_close(ours, theirs)
    gradients = [torch.autograd.grad(result.square().sum(), weight)[0] for result in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_norm_is_batch_norm_with_its_gradients_and_statistics() -> None:
    ours, theirs = Norm(4).double(), torch.nn.BatchNorm1d(4).double()
    torch.nn.init.normal_(theirs.weight, generator=nn.generator(3, "cpu"))
    ours.load_state_dict({name: value for name, value in theirs.state_dict().items() if "num" not in name})
    values = noise(4, 5, 6).requires_grad_()
    copied = values.detach().clone().requires_grad_()
    for _ in range(2):
        got, wanted = ours(values), theirs(copied.permute(2, 0, 1)).permute(1, 2, 0)
        torch.testing.assert_close(got, wanted)
        (got.sin().sum()).backward()
        (wanted.sin().sum()).backward()
    torch.testing.assert_close(values.grad, copied.grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(values), theirs(copied.permute(2, 0, 1)).permute(1, 2, 0))


def test_the_norm_of_a_single_value_is_finite() -> None:
    norm = Norm(2)
    assert norm(torch.ones(2, 1, 1)).isfinite().all()
    assert norm.running_var.isfinite().all()


@pytest.mark.parametrize("same", [False, True], ids=["an input a step", "one input"])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_recurrent_unit_is_pytorchs_with_all_its_gradients(steps: int, same: bool) -> None:
    ours, theirs = Gru(3, 4).double(), torch.nn.GRU(3, 4).double()
    names = ("weight_input", "weight_hidden", "bias_input", "bias_hidden")
    pairs = dict(zip(names, theirs.parameters(), strict=True))
    ours.load_state_dict({name: value.detach() for name, value in pairs.items()})
    inputs = noise(3, 1 if same else steps, 5).requires_grad_()
    copied = inputs.detach().clone().requires_grad_()
    states = ours(inputs, steps)
    wanted = theirs(copied.expand(-1, steps, -1).permute(1, 2, 0))[0].permute(2, 0, 1)
    torch.testing.assert_close(states, wanted)
    weights = noise(4, steps, 5, seed=2)
    (states * weights).sum().backward()
    (wanted * weights).sum().backward()
    torch.testing.assert_close(inputs.grad, copied.grad)
    for name, value in pairs.items():
        torch.testing.assert_close(ours.get_parameter(name).grad, value.grad)


def test_products_are_returned_as_precise_as_their_values_came() -> None:
    weight, values = noise(4, 3).float(), noise(3, 2, 5).float()
    exact = torch.einsum("dc,csb->dsb", weight, values)
    assert torch.allclose(product(weight, values), exact, atol=1e-6)
    rough = product(weight, values, torch.bfloat16)
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.1


def test_the_even_half_moves_the_running_statistics_first() -> None:
    whole, halves = tiny(window=4).train(), tiny(window=4).train()
    windows = torch.rand(3, 4, 8, generator=nn.generator(0, "cpu"))
    whole(windows)
    for first in (1, 0):
        halves.branch(windows[:, first::2], halves.kernels())
    for name, value in whole.branch.named_buffers():
        torch.testing.assert_close(value, halves.branch.get_buffer(name))


def test_hidden_values_come_in_stretches_of_the_right_length_and_share() -> None:
    masks = random_masks(40, 60, 300, ratio=0.1, length=4.0, generator=nn.generator(0, "cpu")).numpy()
    assert masks.mean() == pytest.approx(0.1, rel=0.03)
    for step in (0, 1, 30, 59):
        assert masks[:, step].mean() == pytest.approx(0.1, rel=0.1)
    stays = masks[:, 1:][masks[:, :-1]].mean()
    begins = masks[:, 1:][~masks[:, :-1]].mean()
    assert stays == pytest.approx(3 / 4, rel=0.03)
    assert begins == pytest.approx(0.1 / 0.9 / 4, rel=0.03)


def test_masks_have_no_memory_but_the_last_step() -> None:
    masks = random_masks(40, 30, 500, ratio=0.3, length=2.0, generator=nn.generator(0, "cpu")).numpy()
    before, last, now = masks[:, :-2], masks[:, 1:-1], masks[:, 2:]
    for state in (False, True):
        stays = [now[(last == state) & (before == earlier)].mean() for earlier in (False, True)]
        assert stays[0] == pytest.approx(stays[1], abs=0.01)


@pytest.mark.parametrize("channels", [1, 7, 16, 40])
def test_channels_and_windows_of_a_batch_are_masked_apart(channels: int) -> None:
    masks = random_masks(channels, 10, 400, ratio=0.3, length=3.0, generator=nn.generator(0, "cpu")).numpy()
    rows = masks.transpose(0, 2, 1).reshape(-1, 10).astype(float)
    correlation = np.corrcoef(rows[: len(rows) // 2, 5], rows[len(rows) // 2 :, 5])[0, 1]
    assert abs(correlation) < 0.2


def test_nothing_is_hidden_if_nothing_is_to_be() -> None:
    assert not random_masks(3, 10, 50, ratio=0.0, length=3.0, generator=nn.generator(0, "cpu")).any()


@pytest.mark.parametrize("channels", [1, 6, 15, 16, 40])
def test_the_gate_has_a_hidden_unit_however_few_the_channels(channels: int) -> None:
    model = tiny(channels)
    assert model.squeeze.out_features == max(1, channels // 16)
    gate = model.eval()(torch.rand(channels, 10, 2)).gate_CB
    assert gate.shape == (channels, 2)
    assert ((gate > 0) & (gate < 1)).all()


def test_the_scrambled_state_gives_each_step_a_few_units_and_the_other_all() -> None:
    state = torch.arange(8.0)[:, None]
    assert tiny(window=4).repeated(state)[:, 0, 0].tolist() == list(range(8))
    scrambled = tiny(window=4, scrambled=True).repeated(state)[..., 0]
    assert scrambled.T.tolist() == [[2 * w + j // 4 for j in range(8)] for w in range(4)]


def test_a_network_is_decided_by_its_generator_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = (nn.pack(tiny(seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_what_is_packed_is_unpacked_with_its_running_statistics() -> None:
    trained, fresh = tiny().train(), tiny(seed=1)
    trained(torch.rand(3, 10, 8))
    nn.unpack(fresh, nn.pack(trained))
    for name, value in trained.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], value)
    assert (fresh.norm.running_mean != 0).any()


@pytest.mark.parametrize(
    ("channels", "published", "outputs"), [(51, 479_616, 51), (38, 438_138, 38), (55, 476_000, 1), (25, 389_568, 1)]
)
def test_the_network_is_as_large_as_published_less_what_does_nothing(channels, published: int, outputs: int) -> None:
    model = new_model(Shape(channels=channels, outputs=outputs), nn.generator(0, "cpu"))
    ours = sum(parameter.numel() for parameter in model.parameters())
    scale_of_zeros, unused_layer = 180 * (2 * channels + 2), 600 * (channels + 2)
    outer_taps_of_the_gate = 2 * 2 * channels * (channels // 16)
    assert ours + scale_of_zeros + unused_layer + outer_taps_of_the_gate == published


def test_training_imports_neither_torchs_compiler_nor_sympy() -> None:
    program = """
import sys
from tsad_core import nn
from tsad_baselines.slmr.model import Shape, new_model
model = new_model(Shape(channels=2, outputs=2, group=1, hidden=2), nn.generator(0, "cpu"))
loss = lambda part: model(part).rebuilt_OLB.square().sum()
list(nn.descend(model.parameters(), loss, [nn.torch.ones(2, 10, 3)], learning_rate=0.1, at_once=10))
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert answer.strip() == "[]"
