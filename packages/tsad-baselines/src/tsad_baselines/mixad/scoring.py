"""Scoring: all windows of a part, one after the other: how the memory's activations shift, and what is rebuilt."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tsad_core import Array, nn

from tsad_baselines.mixad.gru import states
from tsad_baselines.mixad.model import CellOnGraph, Mixad
from tsad_baselines.mixad.shift import divergence
from tsad_baselines.mixad.windows import Windows

AT_ONCE = {"cpu": 1 << 11, "cuda": 1 << 18}
"""Most rows (windows times channels) that are scored at once."""


@dataclass(frozen=True)
class Seen:
    """What the model makes of a part."""

    shift_BC: Array
    """How far the activations of each window are from those of the window before; 0 for the first."""
    rebuilt_TC: Array | None
    """The part as it is rebuilt, mean over windows."""


def see(model: Mixad, windows: Windows, *, rebuild_stride: int = 0, noise: torch.Generator | None = None) -> Seen:
    """Return what the model makes of a part on the settled graph; at a stride, if it is given, windows are rebuilt.

    With noise, activations are random numbers, as in the authors' code.
    """
    nn.keep_freed_memory()
    shifts, rebuilt = Shifts(noise), _Rebuilt(model, windows, rebuild_stride) if rebuild_stride else None
    with torch.inference_mode():
        mix_MN = model.mix()
        exact, fast = (model.encoder.on(mix_MN, dtype) for dtype in (mix_MN.dtype, model.dtype))
        for index_B in windows.numbers().split(model.at_once(AT_ONCE)):
            state_RH = encode(windows.values_TN, windows.steps(index_B), exact, fast)
            read = model.read(state_RH)
            shifts.add(read.attention_RM.unflatten(0, (len(index_B), -1)))
            if rebuilt is not None:
                rebuilt.add(index_B, torch.cat([state_RH, read.value_RD], dim=1), mix_MN)
    return Seen(shifts.all(), None if rebuilt is None else rebuilt.mean())


def encode(values_SN: Tensor, step_TB: Tensor, exact: CellOnGraph, fast: CellOnGraph) -> Tensor:
    """Return the states (R, H) that windows at these steps of a part lead to, by a cell in full and in less precision.

    What an input adds is the same in all windows that hold its step: it is computed once, in full precision.
    """
    first, stop = int(step_TB.min()), int(step_TB.max()) + 1
    gate_SNG, update_SNH = (part.to(fast.gate_bias_G.dtype) for part in exact.project(values_SN[first:stop, None]))
    index_TB = step_TB - first
    T, B = index_TB.shape
    # of windows that follow each other nothing is copied
    regular = bool((index_TB == torch.arange(T + B - 1, device=index_TB.device).unfold(0, B, 1)).all())

    def inputs(t: int, _: Tensor) -> tuple[Tensor, Tensor]:
        held = slice(t, t + B) if regular else index_TB[t]
        return gate_SNG[held].flatten(0, 1), update_SNH[held].flatten(0, 1)

    state_RH = values_SN.new_zeros(B * values_SN.shape[1], update_SNH.shape[2])
    *_, last_RH = states(inputs, state_RH, fast.recurrent, steps=T)
    return last_RH


class Shifts:
    """Collects the activations of windows, in their order, and tells how each shifts from the one before."""

    def __init__(self, noise: torch.Generator | None = None) -> None:
        self._noise = noise
        self._last_NM: Tensor | None = None
        self._shifts: list[Array] = []

    def add(self, activation_BNM: Tensor) -> None:
        """Add the activations of the windows that follow."""
        if self._noise is not None:
            activation_BNM = torch.randn(activation_BNM.shape, generator=self._noise, device=self._noise.device)
        before_NM = activation_BNM[0] if self._last_NM is None else self._last_NM
        before_BNM = torch.cat([before_NM[None], activation_BNM[:-1]])
        self._shifts.append(divergence(before_BNM, activation_BNM).cpu().numpy())
        self._last_NM = activation_BNM[-1]

    def all(self) -> Array:
        """Return all shifts, shape (B, C)."""
        return np.concatenate(self._shifts)


class _Rebuilt:
    """Collects windows as they are rebuilt, some of them, and gives their mean at each step."""

    def __init__(self, model: Mixad, windows: Windows, stride: int) -> None:
        self._model, self._windows = model, windows
        self._chosen_B = windows.covering(stride)
        self._overlap = nn.Overlap(*windows.values_TN.shape, like=windows.values_TN)

    def add(self, index_B: Tensor, state_RH: Tensor, mix_MN: Tensor) -> None:
        """Rebuild those of some windows that are chosen."""
        chosen_B = self._chosen_B[index_B]
        if chosen_B.any():
            chosen_RH = state_RH.unflatten(0, (len(index_B), -1))[chosen_B].flatten(0, 1)
            rebuilt_TBN = self._model.rebuild(chosen_RH, mix_MN, steps=self._windows.window)
            self._overlap.add(rebuilt_TBN.permute(1, 2, 0), self._windows.spans_B2[index_B[chosen_B]])

    def mean(self) -> Array:
        """Return the means, shape (T, C)."""
        return self._overlap.mean()
