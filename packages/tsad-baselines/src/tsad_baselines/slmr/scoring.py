"""Scoring: one forward a step, and each half of a window once."""

from dataclasses import dataclass

import torch
from torch import Tensor
from tsad_core import Array, nn

from tsad_baselines.slmr.model import Network
from tsad_baselines.slmr.pairs import Pairs

_AT_ONCE = {"cpu": 5_120, "cuda": 81_920}
"""Steps of windows that are worked on at once. On a CPU, what lies between layers stays in the cache."""


@dataclass(frozen=True)
class Seen:
    """What the network makes of the steps of a series, and of one more that nobody reads."""

    forecast_OT: Tensor
    """From the window before each; in the first window of a segment, as it is rebuilt."""
    rebuilt_OT: Tensor
    """From the window that ends with each; in the first window of a segment, from that."""
    gate_CT: Tensor
    """How much each channel counts in the same window."""


def see(model: Network, pairs: Pairs) -> Seen:
    """Return what a network makes of a part.

    The forecast of a step and how it is rebuilt are of windows that follow each other: one forward of each window gives
    both, where the published code takes two. The second half of a window is the first half of the next.
    """
    nn.keep_freed_memory()
    model.eval()
    C, T = pairs.series_CT.shape
    sizes = model.shape.outputs, model.shape.outputs, C
    seen = Seen(*(pairs.series_CT.new_zeros(size, T + 1) for size in sizes))
    with torch.inference_mode():
        _see_ends(model, pairs, seen)
        # later, since the last window of a segment forecasts the first step of the next
        _see_opening(model, pairs, seen)
    return seen


def errors(seen: Seen, pairs: Pairs) -> tuple[Array, Array]:
    """Return how far each step of a part is from its forecast and from how it is rebuilt, shape (T, O).

    0 where a value is missing. Steps before the first that has a window before it are given that one's.
    """
    values_OT = pairs.series_CT[: len(seen.forecast_OT)]
    both = ((expected_OT[:, :-1] - values_OT).abs().nan_to_num() for expected_OT in (seen.forecast_OT, seen.rebuilt_OT))
    forecast_TO, rebuilt_TO = (error_OT.T.double().cpu().numpy()[pairs.scored_T] for error_OT in both)
    return forecast_TO, rebuilt_TO


def _see_ends(model: Network, pairs: Pairs, seen: Seen) -> None:
    """Fill in the last step of each window, and the forecast of the step after it."""
    kernels = model.kernels()
    first_B = torch.unique(torch.cat([pairs.first_B, pairs.first_B + 1]))
    for part_B in first_B.split(_at_once(pairs)):
        read = model.read(_mixed(model, pairs, part_B, kernels), steps=slice(-1, None))
        end_B = part_B + pairs.window - 1
        seen.forecast_OT[:, end_B + 1] = read.forecast_OB
        seen.rebuilt_OT[:, end_B] = read.rebuilt_OLB[:, 0]
        seen.gate_CT[:, end_B] = read.gate_CB


def _see_opening(model: Network, pairs: Pairs, seen: Seen) -> None:
    """Fill in the first window of each segment."""
    step_L1 = torch.arange(pairs.window, device=pairs.opening_B.device)[:, None]
    for first_B in pairs.opening_B.split(_at_once(pairs)):
        read = model(pairs.values(first_B)[:, :-1].nan_to_num())
        seen.forecast_OT[:, first_B + step_L1] = seen.rebuilt_OT[:, first_B + step_L1] = read.rebuilt_OLB
        seen.gate_CT[:, first_B + step_L1] = read.gate_CB[:, None]


def _mixed(model: Network, pairs: Pairs, first_B: Tensor, kernels: list[Tensor]) -> Tensor:
    """Return the mixed windows that start there, in order."""
    odd_B = first_B - first_B[0]
    halves_CSN = pairs.halves(int(first_B[0]), int(odd_B[-1]) + 2)
    left_CSN = model.branch(halves_CSN, kernels)
    left_odd_CSN = model.branch(halves_CSN, kernels, pooled=True) if model.shape.odd_pool else left_CSN
    even_CSB = left_CSN[..., odd_B + 1] + halves_CSN[..., odd_B]
    odd_CSB = left_odd_CSN[..., odd_B] + halves_CSN[..., odd_B + 1]
    return model.cross(even_CSB, odd_CSB)


def _at_once(pairs: Pairs) -> int:
    return max(1, _AT_ONCE.get(pairs.series_CT.device.type, _AT_ONCE["cuda"]) // pairs.window)
