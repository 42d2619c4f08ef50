"""What goes wrong with whole channels: some stand still, some change places."""

from dataclasses import replace

import numpy as np

from tsad_core.corruption.kind import Change, Dose
from tsad_core.corruption.part import Part
from tsad_core.errors import Skip
from tsad_core.series import Array, Series


def dead_channels(part: Part) -> Array:
    """Return the values with `level` channels that keep the last value they had, from random onsets on.

    Only channels that move are struck, the same in both parts, and one of these at least is left.
    Each independent segment has its own onsets, in its first half.
    """
    values_TC, rng = np.array(part.values_TC), part.rng()
    dying = _dying(part)
    for start, stop in part.segments:
        onsets_C = [part.onset(rng, (start, stop)) for _ in range(values_TC.shape[1])]
        for channel in dying:
            values_TC[start:stop, channel] = _held(values_TC[start:stop, channel], onsets_C[channel] - start)
    return values_TC


def permuted_channels(series: Series, dose: Dose) -> Change:
    """Let `level` percent of the channels, two or more, change places; root causes and normal values move along."""
    source_C = _permutation(series, dose)
    moved = replace(
        series,
        test_TC=series.test_TC[:, source_C],
        root_causes_TC=None if series.root_causes_TC is None else series.root_causes_TC[:, source_C],
        normal_TC=None if series.normal_TC is None else series.normal_TC[:, source_C],
    )
    if "train" not in dose.touches:
        return Change(moved)
    names = tuple(series.channels[c] for c in source_C)
    return Change(replace(moved, train_TC=series.train_TC[:, source_C], channels=names))


def _dying(part: Part) -> list[int]:
    struck = [getattr(part.series, f"{name}_TC") for name in part.dose.touches]
    moving = [c for c in range(part.values_TC.shape[1]) if any(_moves(values_TC[:, c]) for values_TC in struck)]
    level = part.dose.level
    if level >= len(moving):
        raise Skip(
            f"series {part.series.name}: dead-channels@{level} needs {level + 1} channels or more that move; "
            f"it has {len(moving)}"
        )
    return [int(c) for c in part.shared_rng().permutation(moving)[:level]]


def _moves(values_T: Array) -> bool:
    known_N = values_T[~np.isnan(values_T)]
    return bool((known_N != known_N[:1]).any())


def _held(values_L: Array, onset: int) -> Array:
    """Return a segment of a channel that stands still after a step, at the first value it has if it had none."""
    present_N = np.flatnonzero(~np.isnan(values_L))
    if not len(present_N):
        return values_L
    last = present_N[max(int(np.searchsorted(present_N, onset, side="right")) - 1, 0)]
    still_L = np.isnan(values_L) | (np.arange(len(values_L)) <= onset)
    return np.where(still_L, values_L, values_L[last])


def _permutation(series: Series, dose: Dose) -> Array:
    """Return for each channel the one that takes its place: one cycle, through more channels at a higher level."""
    channels = series.test_TC.shape[1]
    if channels < 2:
        raise Skip(f"series {series.name}: permuted-channels needs 2 channels or more; it has 1")
    cycle_N = dose.rng("channels").permutation(channels)[: max(2, round(channels * dose.level / 100))]
    source_C = np.arange(channels)
    source_C[cycle_N] = np.roll(cycle_N, -1)
    return source_C
