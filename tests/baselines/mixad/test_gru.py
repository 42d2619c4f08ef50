"""The graph GRU: equal to a plain one, forwards and back, for any number of nodes, windows and steps."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.mixad.gru import Recurrent, states, unroll  # noqa: E402 - it needs torch

SHAPES = [(1, 1, 1, 1, 1), (1, 3, 2, 4, 2), (4, 1, 5, 3, 2), (7, 2, 3, 2, 4)]
"""Steps, windows, nodes, units, terms."""


def example(shape, dtype=torch.float64):
    T, B, N, H, J = shape
    random = torch.Generator().manual_seed(T + B + N)
    shapes = [(T, B * N, 2 * H), (T, B * N, H), (B * N, H), (J * N, N), (H, 2 * H), (J * H, 2 * H), (H, H), (J * H, H)]
    return [torch.randn(shape, generator=random, dtype=torch.float64).to(dtype).requires_grad_() for shape in shapes]


def plain(gate_TRG, update_TRH, state_RH, mix_MN, *weights):
    """One step after the other, one term after the other."""
    found = []
    for gate_RG, update_RH in zip(gate_TRG, update_TRH, strict=True):
        reset, keep = torch.sigmoid(gate_RG + convolved(state_RH, mix_MN, *weights[:2])).chunk(2, dim=1)
        candidate = torch.tanh(update_RH + convolved(reset * state_RH, mix_MN, *weights[2:]))
        state_RH = keep * state_RH + (1 - keep) * candidate
        found.append(state_RH)
    return torch.stack(found)


def convolved(values_RH, mix_MN, own, mixed):
    N, H = mix_MN.shape[1], values_RH.shape[1]
    values_BNH = values_RH.reshape(-1, N, H)
    result = values_BNH @ own
    for j, weight in enumerate(mixed.split(H)):
        result = result + torch.einsum("nm,bmh->bnh", mix_MN[j :: len(mix_MN) // N], values_BNH) @ weight
    return result.flatten(0, 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_states_are_those_of_a_plain_gru(shape) -> None:
    given = example(shape)
    expected = plain(*given)
    torch.testing.assert_close(unroll(*given[:3], Recurrent(*given[3:])), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_a_plain_gru(shape) -> None:
    given = example(shape)
    weight = torch.randn(shape[0], shape[1] * shape[2], shape[3], generator=torch.Generator().manual_seed(9)).double()
    expected = torch.autograd.grad((plain(*given) * weight).sum(), given)
    found = torch.autograd.grad((unroll(*given[:3], Recurrent(*given[3:])) * weight).sum(), given)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_states_without_gradients_are_the_same(shape) -> None:
    gate, update, start, *weights = example(shape)
    with torch.no_grad():
        made = states(lambda t, _: (gate[t], update[t]), start, Recurrent(*weights), steps=shape[0])
        found = [state.clone() for state in made]
    torch.testing.assert_close(torch.stack(found), unroll(gate, update, start, Recurrent(*weights)), rtol=0, atol=0)


def test_inputs_may_depend_on_the_state_before() -> None:
    gate, update, start, *weights = example((3, 2, 2, 2, 1))
    before = []
    with torch.no_grad():

        def inputs(t, state):
            before.append(state.clone())
            return gate[t], update[t]

        after = [state.clone() for state in states(inputs, start, Recurrent(*weights), steps=3)]
    assert torch.equal(before[0], start)
    assert all(torch.equal(one, other) for one, other in zip(before[1:], after[:-1], strict=True))


def test_bfloat16_is_near_and_its_states_stay_in_full_precision() -> None:
    full = [part.detach().mul(0.3).requires_grad_() for part in example((6, 3, 4, 8, 2), dtype=torch.float32)]
    low = [
        part.detach().to(torch.float32 if k == 2 else torch.bfloat16).requires_grad_() for k, part in enumerate(full)
    ]
    one, other = (unroll(*given[:3], Recurrent(*given[3:])) for given in (full, low))
    assert other.dtype == torch.float32
    torch.testing.assert_close(other, one, rtol=0, atol=0.03)
    one.sum().backward()
    other.sum().backward()
    for exact, near in zip(full, low, strict=True):
        assert near.grad.dtype == near.dtype
        assert (near.grad.float() - exact.grad).norm() < 0.05 * exact.grad.norm() + 1e-3
