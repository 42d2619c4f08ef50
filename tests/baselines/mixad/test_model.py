"""The model: what each window, step and node may see."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.mixad.model import Convolution, Shape, new_model  # noqa: E402 - it needs torch
from tsad_baselines.mixad.scoring import encode  # noqa: E402
from tsad_core import nn  # noqa: E402

SHAPE = Shape(nodes=3, units=4, slots=3, width=5, order=3)


@pytest.fixture
def model():
    return new_model(SHAPE, nn.generator(0, "cpu"))


@pytest.fixture(name="windows_TBN")
def some_windows():
    return torch.rand(6, 4, 3, generator=nn.generator(1, "cpu"))


@pytest.fixture(name="start_RH")
def states_to_start_from():
    return torch.rand(12, 9, generator=nn.generator(2, "cpu"))


@pytest.mark.parametrize(("shape", "count"), [(Shape(38), 377_597), (Shape(10, slots=2, order=2), 253_033)])
def test_the_published_models_have_as_many_parameters_as_published(shape: Shape, count: int) -> None:
    model = new_model(shape, nn.generator(0, "cpu"))
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_a_model_is_decided_by_its_generator_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = (new_model(SHAPE, nn.generator(seed, "cpu")).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["slots_MD"], other["slots_MD"])


def test_both_identities_of_a_convolution_are_one_product() -> None:
    layer = Convolution(2, 4, 3)
    torch.nn.init.normal_(layer.weight, generator=nn.generator(0, "cpu"))
    of_input, own, mixed = layer.split()
    rows = layer.weight.view(6, 3, 4)
    torch.testing.assert_close(torch.cat([of_input[:1], own]), rows[0] + rows[3])
    torch.testing.assert_close(torch.cat([of_input[1:, None], mixed.view(4, 2, 4)], dim=1), rows[[1, 2, 4, 5]])


def test_the_settled_graph_is_always_the_same_and_a_drawn_one_is_not(model) -> None:
    assert torch.equal(model.mix(), model.mix())
    noise = torch.randn(2, 3, 3, 2, generator=nn.generator(0, "cpu")) * 5
    assert not torch.equal(model.mix(noise), model.mix(-noise))


def test_windows_do_not_see_each_other(model, windows_TBN) -> None:
    mix = model.mix()
    together = model.encode(windows_TBN, mix).view(4, 3, -1)
    alone = model.encode(windows_TBN[:, 2:3], mix)
    torch.testing.assert_close(together[2], alone)


def test_a_node_without_edges_sees_itself_alone(model, windows_TBN) -> None:
    mix = -torch.eye(3).repeat_interleave(4, dim=0)
    changed_TBN = windows_TBN.clone()
    changed_TBN[..., 0] += 1
    before, after = (model.encode(windows, mix).view(4, 3, -1) for windows in (windows_TBN, changed_TBN))
    torch.testing.assert_close(before[:, 1:], after[:, 1:])
    assert not torch.allclose(before[:, 0], after[:, 0])


def test_attention_sums_to_one_and_slots_are_its_two_largest(model, windows_TBN) -> None:
    read = model.read(model.encode(windows_TBN, model.mix()))
    torch.testing.assert_close(read.attention_RM.sum(dim=1), torch.ones(12))
    order = read.attention_RM.argsort(dim=1, descending=True)
    assert torch.equal(read.nearest_RD, model.slots_MD[order[:, 0]])
    assert torch.equal(read.second_RD, model.slots_MD[order[:, 1]])


@pytest.mark.parametrize("taught", [[True] * 6, [False] * 6, [True, False, True, True, False, True]])
def test_decoding_in_stretches_is_decoding_step_by_step(model, windows_TBN, start_RH, taught) -> None:
    mix, state, expected = model.mix(), start_RH, []
    cell = model.decoder.on(mix, torch.float32)
    given = torch.zeros(1, 4, 3)
    for t, truth in enumerate(windows_TBN.flip(0)):
        state = _advance(cell, given, state)
        expected.append(model.head(state).view(1, 4, 3))
        given = truth[None] if taught[t] else expected[-1]
    rebuilt = model.decode(windows_TBN, start_RH, mix, taught)
    torch.testing.assert_close(rebuilt, torch.cat(expected[::-1]))


def test_rebuilding_is_decoding_untaught(model, windows_TBN, start_RH) -> None:
    with torch.no_grad():
        rebuilt = model.rebuild(start_RH, model.mix(), steps=6)
    torch.testing.assert_close(rebuilt, model.decode(windows_TBN, start_RH, model.mix(), [False] * 6))


def test_what_a_step_is_rebuilt_as_depends_on_no_truth_at_it_or_before(model, windows_TBN, start_RH) -> None:
    before = model.decode(windows_TBN, start_RH, model.mix(), [True] * 6)
    changed_TBN = windows_TBN.clone()
    changed_TBN[2] += 1
    after = model.decode(changed_TBN, start_RH, model.mix(), [True] * 6)
    torch.testing.assert_close(after[2:], before[2:])
    assert not torch.allclose(after[1], before[1])


@pytest.mark.parametrize("starts", [[0], [3, 4, 5], [0, 9, 4]])
def test_encoding_windows_that_share_steps_is_encoding_each(model, starts) -> None:
    values_SN = torch.rand(20, 3, generator=nn.generator(3, "cpu"))
    step_TB = torch.tensor(starts) + torch.arange(6)[:, None]
    cell = model.encoder.on(model.mix(), torch.float32)
    with torch.no_grad():
        shared = encode(values_SN, step_TB, cell, cell)
    torch.testing.assert_close(shared, model.encode(values_SN[step_TB], model.mix()))


def test_training_imports_neither_torchs_compiler_nor_sympy() -> None:
    program = """
import sys, numpy as np
from tsad_baselines.mixad import MIXAD
MIXAD(window=4, units=2, width=2, steps=1, device="cpu").fit(np.random.default_rng(0).normal(size=(50, 2)))
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert answer.strip() == "[]"


def _advance(cell, given_TBN, state_RH):
    from tsad_baselines.mixad.gru import unroll

    return unroll(*cell.project(given_TBN), state_RH, cell.recurrent)[0]
