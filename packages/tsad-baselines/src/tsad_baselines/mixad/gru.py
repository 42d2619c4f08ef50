"""A GRU whose products are graph convolutions, unrolled over steps, with its gradients written out.

A row R is a node (a channel) of one window; the nodes of a window are neighbours, so that a graph mixes blocks of N
rows. What the inputs add to the gates is given: only what meets the state is done here, step by step.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

aten = torch.ops.aten

Inputs = Callable[[int, Tensor], tuple[Tensor, Tensor]]
"""From a step and the state before it: what the inputs add to both gates (R, 2H) and to the candidate (R, H)."""


class Recurrent(NamedTuple):
    """What the state meets, in the precision of the products."""

    mix_MN: Tensor
    """What a node takes from the others: M = J N rows, the J terms of a node side by side."""
    gate_own_HG: Tensor
    gate_mixed_KG: Tensor
    """K = J H rows, a term after the other; G = 2H columns, the reset gate's first."""
    update_own_HH: Tensor
    update_mixed_KH: Tensor


class Downstream(NamedTuple):
    """Room for the gradients of what a step was given."""

    gate_RG: Tensor
    update_RH: Tensor
    mix_MN: Tensor
    """The sum over all steps, in the precision of the parameters."""


class Step(NamedTuple):
    """What steps leave behind for the way back; with an axis T in front, of many."""

    state_RH: Tensor
    """The state after the step. It alone has the precision of the parameters."""
    gates_RG: Tensor
    reset_RH: Tensor
    candidate_RH: Tensor
    state_mixed_RK: Tensor
    reset_mixed_RK: Tensor


def unroll(gate_TRG: Tensor, update_TRH: Tensor, state_RH: Tensor, weights: Recurrent) -> Tensor:
    """Return the states after each step, shape (T, R, H), for inputs that are all known."""
    states_TRH: Tensor = _Unrolled.apply(gate_TRG, update_TRH, state_RH, *weights)
    return states_TRH


def states(inputs: Inputs, state_RH: Tensor, weights: Recurrent, *, steps: int) -> Iterator[Tensor]:
    """Yield the state after each step, in a memory that the next but one overwrites. No gradients."""
    rooms = [_room((), state_RH, weights) for _ in range(2)]
    for t in range(steps):
        _step(*inputs(t, state_RH), state_RH, weights, rooms[t % 2])
        state_RH = rooms[t % 2].state_RH
        yield state_RH


class _Unrolled(torch.autograd.Function):
    """Steps of a GRU. PyTorch's own gradients would take half as long again, and more memory."""

    @staticmethod
    def forward(ctx: Any, gate_TRG: Tensor, update_TRH: Tensor, state_RH: Tensor, *weights: Tensor) -> Tensor:
        tape = _room((len(gate_TRG),), state_RH, Recurrent(*weights))
        before_RH = state_RH
        for t in range(len(gate_TRG)):
            _step(gate_TRG[t], update_TRH[t], before_RH, Recurrent(*weights), _at(tape, t))
            before_RH = tape.state_RH[t]
        ctx.save_for_backward(state_RH, *weights, *tape)
        return tape.state_RH

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, ...]:
        state_RH, *saved = ctx.saved_tensors
        weights, tape = Recurrent(*saved[:5]), Step(*saved[5:])
        low = weights.mix_MN.dtype
        own_TRH = torch.cat([state_RH[None], tape.state_RH[:-1]]).to(low)
        upstream_TRH = upstream[0].to(low)
        d_gate, d_update = torch.empty_like(tape.gates_RG), torch.empty_like(tape.candidate_RH)
        d_mix_MN = torch.zeros_like(weights.mix_MN, dtype=state_RH.dtype)
        # the first laid out anew here, or each product would do it
        back = Recurrent(weights.mix_MN.t().contiguous(), *(weight.t() for weight in weights[1:]))
        d_state_RH = torch.zeros_like(upstream_TRH[0])
        for t in reversed(range(len(own_TRH))):
            down = Downstream(d_gate[t], d_update[t], d_mix_MN)
            d_state_RH = _back(d_state_RH.add_(upstream_TRH[t]), own_TRH[t], back, _at(tape, t), down)
        lefts = own_TRH, tape.state_mixed_RK, tape.reset_RH, tape.reset_mixed_RK
        rights = d_gate, d_gate, d_update, d_update
        # of all steps at once: one long product each
        d_weights = (_product(left, right) for left, right in zip(lefts, rights, strict=True))
        return d_gate, d_update, d_state_RH.to(state_RH.dtype), d_mix_MN.to(low), *d_weights


def _step(gate_RG: Tensor, update_RH: Tensor, state_RH: Tensor, weights: Recurrent, out: Step) -> None:
    own_RH = state_RH.to(out.reset_RH.dtype)
    _mix(weights.mix_MN, own_RH, out=out.state_mixed_RK)
    torch.addmm(gate_RG, own_RH, weights.gate_own_HG, out=out.gates_RG)
    reset_RH, keep_RH = out.gates_RG.addmm_(out.state_mixed_RK, weights.gate_mixed_KG).sigmoid_().chunk(2, dim=1)
    torch.mul(reset_RH, own_RH, out=out.reset_RH)
    _mix(weights.mix_MN, out.reset_RH, out=out.reset_mixed_RK)
    torch.addmm(update_RH, out.reset_RH, weights.update_own_HH, out=out.candidate_RH)
    candidate_RH = _tanh(out.candidate_RH.addmm_(out.reset_mixed_RK, weights.update_mixed_KH).to(state_RH.dtype))
    out.candidate_RH.copy_(candidate_RH)
    torch.lerp(candidate_RH, state_RH, keep_RH.to(state_RH.dtype), out=out.state_RH)


def _back(d_after_RH: Tensor, own_RH: Tensor, back: Recurrent, done: Step, down: Downstream) -> Tensor:
    """Return the gradient of the state before a step; fill in those of the inputs, and add to that of the mix.

    `back` holds the weights the other way round.
    """
    reset_RH, keep_RH = done.gates_RG.chunk(2, dim=1)
    to_reset_RH, to_keep_RH = down.gate_RG.chunk(2, dim=1)
    kept_RH = d_after_RH * keep_RH
    aten.tanh_backward(d_after_RH - kept_RH, done.candidate_RH, grad_input=down.update_RH)
    d_mixed_RK = down.update_RH @ back.update_mixed_KH
    _add_mix(down.mix_MN, d_mixed_RK, done.reset_RH)
    d_reset_RH = torch.addmm(_unmix(back.mix_MN, d_mixed_RK), down.update_RH, back.update_own_HH)
    aten.sigmoid_backward(d_reset_RH * own_RH, reset_RH, grad_input=to_reset_RH)
    aten.sigmoid_backward(d_after_RH * (own_RH - done.candidate_RH), keep_RH, grad_input=to_keep_RH)
    d_mixed_RK = down.gate_RG @ back.gate_mixed_KG
    _add_mix(down.mix_MN, d_mixed_RK, own_RH)
    d_own_RH = torch.addmm(_unmix(back.mix_MN, d_mixed_RK), down.gate_RG, back.gate_own_HG)
    return kept_RH.addcmul_(d_reset_RH, reset_RH).add_(d_own_RH)


def _room(axes: tuple[int, ...], state_RH: Tensor, weights: Recurrent) -> Step:
    """Return memory for what steps leave behind."""
    R, H = state_RH.shape
    sizes = (2 * H, H, H, len(weights.gate_mixed_KG), len(weights.gate_mixed_KG))
    like = weights.gate_own_HG
    return Step(state_RH.new_empty(*axes, R, H), *(like.new_empty(*axes, R, size) for size in sizes))


def _at(tape: Step, t: int) -> Step:
    return Step(*(values[t] for values in tape))


def _mix(mix_MN: Tensor, values_RH: Tensor, *, out: Tensor) -> None:
    """Put what each node takes from the nodes of its window into rows of J H values."""
    (M, N), H = mix_MN.shape, values_RH.shape[1]
    B = len(values_RH) // N
    torch.bmm(mix_MN.expand(B, M, N), values_RH.view(B, N, H), out=out.view(B, M, H))


def _unmix(unmix_NM: Tensor, d_mixed_RK: Tensor) -> Tensor:
    """Return the gradient of what was mixed."""
    N, M = unmix_NM.shape
    B, H = len(d_mixed_RK) // N, d_mixed_RK.shape[1] * N // M
    return torch.bmm(unmix_NM.expand(B, N, M), d_mixed_RK.view(B, M, H)).view(-1, H)


def _add_mix(d_mix_MN: Tensor, d_mixed_RK: Tensor, values_RH: Tensor) -> None:
    """Add what one mixing gives to the gradient of the mix."""
    M, N = d_mix_MN.shape
    B, H = len(values_RH) // N, values_RH.shape[1]
    d_mix_MN += torch.bmm(d_mixed_RK.view(B, M, H), values_RH.view(B, N, H).mT).sum(dim=0)


def _product(left_TRK: Tensor, right_TRH: Tensor) -> Tensor:
    """Return the gradient of weights between what they were given and what flows back to what they gave, (K, H)."""
    return (right_TRH.flatten(0, 1).t() @ left_TRK.flatten(0, 1)).t()


def _tanh(values: Tensor) -> Tensor:
    """Return the hyperbolic tangent, in place: PyTorch's sigmoid takes a tenth of the time of its tangent."""
    return values.mul_(2).sigmoid_().mul_(2).sub_(1)
