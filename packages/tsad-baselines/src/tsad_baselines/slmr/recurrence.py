"""A gated recurrent unit over windows whose batch stands last, with a backward pass of its own.

It equals `torch.nn.GRU`, which on a CPU spends as long between its products as in them, and cannot be told that its
input is the same at every step. Letters: H hidden unit, G unit of a gate: reset, update and new, H of each.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsad_baselines.slmr.product import product


class Gru(nn.Module):
    """A gated recurrent unit that starts from nothing."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.weight_input, self.weight_hidden = (nn.Parameter(torch.empty(3 * hidden, n)) for n in (inputs, hidden))
        self.bias_input, self.bias_hidden = (nn.Parameter(torch.empty(3 * hidden)) for _ in range(2))

    def forward(self, inputs_CLB: Tensor, steps: int, precision: torch.dtype | None = None) -> Tensor:
        """Return the state after each of so many steps, shape (H, L, B); of one input step, it is that at each."""
        H = self.weight_hidden.shape[1]
        # of the second bias, only the new gate's is not simply added
        bias_G = self.bias_input + functional.pad(self.bias_hidden[: 2 * H], (0, H))
        gates_GLB = product(self.weight_input, inputs_CLB, precision) + bias_G[:, None, None]
        weight_GH = self.weight_hidden.to(precision or gates_GLB.dtype)
        given = gates_GLB.expand(-1, steps, -1), weight_GH, self.bias_hidden[2 * H :, None]
        states_HLB: Tensor = _Recur.apply(*given)
        return states_HLB


class _Recur(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates_GLB: Tensor, weight_GH: Tensor, bias_H1: Tensor) -> Tensor:
        G, L, B = gates_GLB.shape
        H = G // 3
        states_HLB = gates_GLB.new_empty(H, L, B)
        # what the gates were: reset, update, new, and what the state gave to the new one
        kept_LGB = gates_GLB.new_empty(L, 4 * H, B)
        state_HB = gates_GLB.new_zeros(H, B)
        for step in range(L):
            state_HB = _step(gates_GLB[:, step], weight_GH, bias_H1, state_HB, kept_LGB[step])
            states_HLB[:, step] = state_HB
        ctx.save_for_backward(weight_GH, states_HLB, kept_LGB)
        return states_HLB

    @staticmethod
    def backward(ctx: Any, grad_HLB: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight_GH, states_HLB, kept_LGB = ctx.saved_tensors
        H, L, B = states_HLB.shape
        gates_GLB, hidden_GLB = (grad_HLB.new_empty(3 * H, L, B) for _ in range(2))
        before_HLB = functional.pad(states_HLB[:, :-1], (0, 0, 1, 0))
        grad_HB = torch.zeros_like(grad_HLB[:, 0])
        for step in reversed(range(L)):
            grads = gates_GLB[:, step], hidden_GLB[:, step]
            grad_HB = grad_HB + grad_HLB[:, step]
            grad_HB = _step_back(grad_HB, weight_GH, before_HLB[:, step], kept_LGB[step], grads)
        rows_GN, rows_HN = (values.flatten(1).to(weight_GH.dtype) for values in (hidden_GLB, before_HLB))
        return gates_GLB, rows_GN @ rows_HN.mT, hidden_GLB[2 * H :].sum(dim=(1, 2))[:, None]


def _step(gates_GB: Tensor, weight_GH: Tensor, bias_H1: Tensor, state_HB: Tensor, kept_GB: Tensor) -> Tensor:
    """Return the state after a step; `kept_GB` is filled."""
    H = len(state_HB)
    hidden_GB = (weight_GH @ state_HB.to(weight_GH.dtype)).to(state_HB.dtype)
    open_GB = torch.add(gates_GB[: 2 * H], hidden_GB[: 2 * H], out=kept_GB[: 2 * H]).sigmoid_()
    given_HB = torch.add(hidden_GB[2 * H :], bias_H1, out=kept_GB[3 * H :])
    new_HB = torch.addcmul(gates_GB[2 * H :], open_GB[:H], given_HB, out=kept_GB[2 * H : 3 * H])
    # a hyperbolic tangent, in a quarter of the time
    new_HB.mul_(2).sigmoid_().mul_(2).sub_(1)
    return torch.lerp(new_HB, state_HB, open_GB[H:])


def _step_back(
    grad_HB: Tensor, weight_GH: Tensor, before_HB: Tensor, kept_GB: Tensor, grads: tuple[Tensor, Tensor]
) -> Tensor:
    """Return the gradient of the state before a step; those of its gates and of what the state gave are filled in."""
    gates_GB, hidden_GB = grads
    H = len(grad_HB)
    reset_HB, update_HB, new_HB, given_HB = kept_GB.view(4, H, -1)
    kept_HB = grad_HB * update_HB
    to_new_HB = torch.mul(grad_HB - kept_HB, 1 - new_HB * new_HB, out=gates_GB[2 * H :])
    torch.mul(kept_HB - kept_HB * update_HB, before_HB - new_HB, out=gates_GB[H : 2 * H])
    torch.mul(to_new_HB * given_HB, reset_HB - reset_HB * reset_HB, out=gates_GB[:H])
    hidden_GB[: 2 * H] = gates_GB[: 2 * H]
    torch.mul(to_new_HB, reset_HB, out=hidden_GB[2 * H :])
    back_HB: Tensor = kept_HB.add_(weight_GH.mT @ hidden_GB.to(weight_GH.dtype))
    return back_HB
