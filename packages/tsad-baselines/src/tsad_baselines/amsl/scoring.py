"""Scoring: each view of each window rebuilt, and its errors at the steps where they belong."""

from dataclasses import dataclass

import torch
from tsad_core import Array, nn

from tsad_baselines.amsl.model import Network, R
from tsad_baselines.amsl.views import Draws, back
from tsad_baselines.amsl.windows import Ranges, Windows


@dataclass(frozen=True)
class Seen:
    """What the network makes of a part, means over windows."""

    error_TC: Array
    """Squared errors, summed over views; 0 where a value is missing."""
    error_TR: Array
    """Squared errors of each view, mean over channels."""
    expected_TC: Array
    """The raw view as it is rebuilt."""


def see(model: Network, windows: Windows, ranges: Ranges, table: Draws, *, at_once: int) -> Seen:
    """Return what a network makes of a part. Neither its head nor entropies are computed.

    Draws follow a window's place in its segment, so that a segment scores as it would alone.
    """
    nn.keep_freed_memory()
    C, T = windows.series_CT.shape
    like = windows.series_CT.new_zeros((), dtype=torch.float64)
    errors, shares, expected = (nn.Overlap(T, size, like=like) for size in (C, R, C))
    with torch.inference_mode():
        place_B = windows.places()
        for number_B in windows.numbers().split(at_once):
            draws, spans_B2 = table.of(place_B[number_B]), windows.spans_B2[number_B]
            views_RBCL, known_RBCL = windows.shown(number_B, draws)
            scaled_RBCL = ranges.scaled(views_RBCL)
            rebuilt_RBCL = model.rebuild(scaled_RBCL)
            error_RBCL = back((rebuilt_RBCL - scaled_RBCL).square().double() * known_RBCL, draws)
            errors.add(error_RBCL.sum(dim=0), spans_B2)
            shares.add(error_RBCL.mean(dim=2).transpose(0, 1), spans_B2)
            expected.add(ranges.raw(rebuilt_RBCL[0]).double(), spans_B2)
    return Seen(errors.mean(), shares.mean(), expected.mean())
