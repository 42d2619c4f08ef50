"""The network of SLMR: split convolutions, a gate over channels, a recurrent state, two heads.

Arrays have the batch as their last axis: products, norms and pools then run along whole rows of memory. Letters
beside the usual ones: S step of a half window, H hidden unit, O channel of the output.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tsad_baselines.slmr.branch import Branch
from tsad_baselines.slmr.norm import Norm
from tsad_baselines.slmr.pool import pool
from tsad_baselines.slmr.recurrence import Gru


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a network."""

    channels: int
    outputs: int
    """Channels that are forecast and rebuilt, the first ones."""
    window: int = 10
    """Even."""
    group: int = 30
    """Features of each group of a scale."""
    groups: int = 6
    hidden: int = 150
    forecast_hidden: int = 150
    rebuilt_hidden: int = 150
    reduction: int = 16
    """Channels to a hidden unit of the gate; it has one at least."""
    scrambled: bool = False
    """Whether the state is repeated unit by unit instead of as a whole."""
    odd_pool: bool = False
    """Whether the half with the first step is pooled once more in each scale."""


Drop = Callable[[Tensor], Tensor]


def keep(values: Tensor) -> Tensor:
    """Return the values: no dropout."""
    return values


class Read(NamedTuple):
    """What the network reads from windows."""

    forecast_OB: Tensor
    """The step after each window."""
    rebuilt_OLB: Tensor
    gate_CB: Tensor
    """How much each channel counts, in 0 … 1."""


class Network(nn.Module):
    """The network of windows (C, L, B). Its large products run in `precision`, the rest in that of its weights."""

    def __init__(self, shape: Shape, *, precision: torch.dtype | None = None) -> None:
        super().__init__()
        self.shape, self.precision = shape, precision
        C, H = shape.channels, shape.hidden
        narrow = max(1, C // shape.reduction)
        self.branch, self.norm = Branch(C, group=shape.group, groups=shape.groups), Norm(C)
        self.squeeze, self.excite = nn.Linear(C, narrow), nn.Linear(narrow, C)
        self.encoder = Gru(C, H)
        self.ahead, self.forecast = nn.Linear(H, shape.forecast_hidden), nn.Linear(shape.forecast_hidden, shape.outputs)
        self.decoder, self.rebuild = Gru(H, shape.rebuilt_hidden), nn.Linear(shape.rebuilt_hidden, shape.outputs)

    def forward(self, windows_CLB: Tensor, drop: Drop = keep) -> Read:
        """Return what the network makes of windows. The halves are normed one after the other, the even one first."""
        odd_CSB, even_CSB = windows_CLB[:, 0::2], windows_CLB[:, 1::2]
        kernels = self.kernels()
        from_even_CSB = self.branch(even_CSB, kernels)
        from_odd_CSB = self.branch(odd_CSB, kernels, pooled=self.shape.odd_pool)
        return self.read(self.cross(odd_CSB + from_even_CSB, even_CSB + from_odd_CSB), drop)

    def kernels(self) -> list[Tensor]:
        """Return the kernels of the branch for windows of the network's length."""
        return self.branch.kernels(self.shape.window // 2, self._dtype)

    def cross(self, even_CSB: Tensor, odd_CSB: Tensor) -> Tensor:
        """Return windows (C, L, B) from their new halves: one half and what is left of the other, not yet pooled."""
        new_even_CSB, new_odd_CSB = (torch.relu_(self.norm(pool(half_CSB))) for half_CSB in (even_CSB, odd_CSB))
        return torch.stack([new_odd_CSB, new_even_CSB], dim=2).flatten(1, 2)

    def read(self, mixed_CLB: Tensor, drop: Drop = keep, *, steps: slice = slice(None)) -> Read:
        """Return what is read from mixed windows; of their rebuilt steps, those asked for."""
        gate_CB = self.gate(mixed_CLB)
        state_HB = self.encoder(mixed_CLB * gate_CB[:, None], self.shape.window, self._dtype)[:, -1]
        forecast_OB = affine(self.forecast, torch.relu(drop(affine(self.ahead, state_HB))))
        states_HLB = self.decoder(self.repeated(state_HB), self.shape.window, self._dtype)
        return Read(forecast_OB, affine(self.rebuild, states_HLB[:, steps]), gate_CB)

    def gate(self, mixed_CLB: Tensor) -> Tensor:
        """Return how much each channel counts, from its mean over the window."""
        return torch.sigmoid(affine(self.excite, torch.relu(affine(self.squeeze, mixed_CLB.mean(dim=1)))))

    def repeated(self, state_HB: Tensor) -> Tensor:
        """Return what the decoder sees: the state, (H, 1, B) if it is the same at every step."""
        if not self.shape.scrambled:
            return state_HB[:, None]
        H, L = len(state_HB), self.shape.window
        # each unit so many times, cut into steps
        unit_LH = torch.arange(L * H, device=state_HB.device).view(L, H) // L
        return state_HB[unit_LH.mT]

    @property
    def _dtype(self) -> torch.dtype:
        return self.precision or self.rebuild.weight.dtype


def affine(layer: nn.Linear, values: Tensor) -> Tensor:
    """Return a layer's product over the first axis, with its bias."""
    rows_DN = torch.addmm(layer.bias[:, None], layer.weight, values.flatten(1))
    return rows_DN.view(-1, *values.shape[1:])


def new_model(shape: Shape, generator: torch.Generator, *, precision: torch.dtype | None = None) -> Network:
    """Return a network with weights drawn by the generator, as PyTorch's layers would draw their own."""
    # not on the meta device: to leave it imports sympy, a second
    with torch.random.fork_rng(devices=[]):
        model = Network(shape, precision=precision).to(generator.device)
    for module in model.modules():
        bound = _bound(module)
        for parameter in module.parameters(recurse=False) if bound else ():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
    # the published gate has convolutions of kernel 3, of which but the middle ever counts
    for layer in (model.squeeze, model.excite):
        layer.weight.data /= math.sqrt(3)
        layer.bias.data /= math.sqrt(3)
    return model


def _bound(module: nn.Module) -> float:
    """Return within what the weights of a layer are drawn; 0 for what has none, and for norms."""
    if isinstance(module, Gru):
        return 1 / math.sqrt(module.weight_hidden.shape[1])
    if isinstance(module, nn.Linear | nn.Conv1d):
        return 1 / math.sqrt(module.weight[0].numel())
    return 0.0
