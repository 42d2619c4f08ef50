"""Simulated anomalies: plan where, put them in."""

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from tsad_core.errors import OptionError, did_you_mean
from tsad_core.series import Array


@dataclass(frozen=True)
class Event:
    """One simulated anomaly: steps `start` up to, not including, `stop` of some channels."""

    kind: str
    start: int
    stop: int
    channels: tuple[int, ...]


def chosen_kinds(kinds: str, channels: int) -> tuple[str, ...]:
    """Return the kinds that ``"all"`` or a comma-separated choice stands for, given the number of channels.

    A single channel has no relation to break, so ``"all"`` leaves that kind out.
    """
    if kinds == "all":
        return tuple(kind for kind in KINDS if channels > 1 or kind not in _RELATIONS)
    names = tuple(dict.fromkeys(name.strip() for name in kinds.split(",")))
    for name in names:
        if name not in KINDS:
            raise OptionError(f"no kind of anomaly named {name!r}; {did_you_mean(name, ['all', *KINDS])}")
        if channels == 1 and name in _RELATIONS:
            raise OptionError(f"kinds = {kinds!r}: {name} needs 2 channels or more")
    return names


def plan_events(
    rng: np.random.Generator,
    *,
    starts: Sequence[int],
    steps: int,
    channels: int,
    kinds: Sequence[str],
    lengths: tuple[int, int],
) -> Iterator[Event]:
    """Yield places of disjoint events until nothing more fits, each few of them spread over the whole part.

    A caller takes as many as it wants; the first ones do not depend on how many. `lengths`, in steps, are
    those of the shortest and the longest event that is no point; the shortest is also the least
    gap after an event. None crosses one of the `starts` of independent segments.
    """
    shortest, longest = lengths
    slots = _slots((*starts, steps), longest + shortest)
    for (begin, end), kind in zip(_spread(slots, rng), _deck(kinds, rng), strict=False):
        length = 1 if kind in _POINTS else int(rng.integers(shortest, longest + 1))
        start = begin + int(rng.integers(end - shortest - length - begin + 1))
        yield Event(kind, start, start + length, _some(channels, rng))


@dataclass(frozen=True)
class Spread:
    """Where the values of each channel lie: what anomalies are measured in."""

    centre_C: Array
    scale_C: Array
    """Median absolute deviation; if zero the standard deviation; 1 for a constant channel."""
    low_C: Array
    high_C: Array

    @classmethod
    def of(cls, values_TC: Array) -> Self:
        """Measure a part of a series; missing values count for nothing."""
        absent_C = np.isnan(values_TC).all(axis=0)
        known_TC = np.where(absent_C, 0.0, values_TC.astype(np.float64))
        low_C, centre_C, high_C = np.nanquantile(known_TC, [0.1, 0.5, 0.9], axis=0)
        mad_C, std_C = np.nanmedian(np.abs(known_TC - centre_C), axis=0), np.nanstd(known_TC, axis=0)
        scale_C = np.select([mad_C > 0, std_C > 0], [mad_C, std_C], default=1.0)
        # float32 must still tell an anomaly from what it replaces
        return cls(centre_C, np.maximum(scale_C, 1e-5 * np.nanmax(np.abs(known_TC), axis=0)), low_C, high_C)

    def at(self, channels: Sequence[int]) -> Self:
        """Return the same of some channels."""
        chosen = list(channels)
        return type(self)(self.centre_C[chosen], self.scale_C[chosen], self.low_C[chosen], self.high_C[chosen])


def inject(clean_TC: Array, events: Iterable[Event], *, about: Spread, period: int, rng: np.random.Generator) -> Array:
    """Return the series with its events put in, float32; every cell of an event differs, missing ones stay missing.

    `period`, in steps, is that of the square waves.
    """
    changed_TC = clean_TC.astype(np.float32)
    for event in events:
        cells = np.ix_(range(event.start, event.stop), event.channels)
        part_LC, spread = clean_TC[cells].astype(np.float64), about.at(event.channels)
        changed_LC = _apart(KINDS[event.kind](part_LC, spread, period, rng), part_LC, 0.1 * spread.scale_C)
        changed_TC[cells] = np.where(np.isnan(part_LC), np.nan, changed_LC)
    return changed_TC


def mark(events: Iterable[Event], shape: tuple[int, ...]) -> Array:
    """Return which channels are anomalous at which steps, bool."""
    marks_TC = np.zeros(shape, dtype=bool)
    for event in events:
        marks_TC[event.start : event.stop, list(event.channels)] = True
    return marks_TC


def kinds_within(events: Iterable[Event], labels_T: Array) -> tuple[str, ...]:
    """Return for each run of labels, in order of time, the kind of the event that it lies in: its `event_kinds`.

    An event of which nothing is labelled has none, one that is labelled in pieces has one for each.
    """
    planned = sorted(events, key=lambda event: event.start)
    firsts = [event.start for event in planned]
    runs = np.flatnonzero(np.diff(labels_T.astype(np.int8), prepend=0) == 1).tolist()
    return tuple(planned[bisect_right(firsts, run) - 1].kind for run in runs)


def _slots(edges: Sequence[int], least: int) -> list[tuple[int, int]]:
    cuts = [np.linspace(a, b, (b - a) // least + 1).astype(int).tolist() for a, b in itertools.pairwise(edges)]
    return [slot for segment in cuts for slot in itertools.pairwise(segment)]


def _spread(slots: Sequence[tuple[int, int]], rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    # strides near the golden section visit every slot once and leave no stretch out for long
    n = len(slots)
    if not n:
        return
    stride = next(s for s in itertools.count(round(0.618 * n)) if math.gcd(s, n) == 1)
    first = int(rng.integers(n))
    yield from (slots[(first + i * stride) % n] for i in range(n))


def _deck(kinds: Sequence[str], rng: np.random.Generator) -> Iterator[str]:
    while True:
        yield from (kinds[i] for i in rng.permutation(len(kinds)))


def _some(channels: int, rng: np.random.Generator) -> tuple[int, ...]:
    number = int(rng.integers(1, max(1, channels // 2) + 1))
    return tuple(sorted(rng.choice(channels, size=number, replace=False).tolist()))


def _apart(changed_LC: Array, clean_LC: Array, least_C: Array) -> Array:
    moved_LC = changed_LC - clean_LC
    # so written that a missing value in place of a present one counts as too near
    return np.where(np.abs(moved_LC) >= least_C, changed_LC, clean_LC + np.copysign(least_C, moved_LC))


def _signs(shape: int | tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.choice([-1.0, 1.0], size=shape)


def _point_global(clean_LC: Array, spread: Spread, _: int, rng: np.random.Generator) -> Array:
    away_LC = np.where(clean_LC < spread.centre_C, -1.0, 1.0)
    return clean_LC + away_LC * rng.uniform(6, 10, clean_LC.shape) * spread.scale_C


def _point_contextual(clean_LC: Array, spread: Spread, *_: object) -> Array:
    return np.where(clean_LC < spread.centre_C, spread.high_C, spread.low_C)


def _shapelet(clean_LC: Array, spread: Spread, period: int, rng: np.random.Generator) -> Array:
    turns_L = (np.arange(len(clean_LC)) / period + rng.random()) % 1
    return np.where(turns_L[:, None] < 0.5, spread.high_C, spread.low_C)


def _seasonal(clean_LC: Array, _: Spread, __: int, rng: np.random.Generator) -> Array:
    # its own values at twice or three times the speed, forth and back, so that nothing outside is read
    L = len(clean_LC)
    ahead_L = (int(rng.integers(2, 4)) * np.arange(1, L + 1)) % (2 * L)
    return clean_LC[np.minimum(ahead_L, 2 * L - 1 - ahead_L)]


def _trend(clean_LC: Array, spread: Spread, _: int, rng: np.random.Generator) -> Array:
    ramp_L = np.arange(1, len(clean_LC) + 1) / len(clean_LC)
    C = clean_LC.shape[1]
    return clean_LC + ramp_L[:, None] * _signs(C, rng) * rng.uniform(3, 6, C) * spread.scale_C


def _noise(clean_LC: Array, spread: Spread, _: int, rng: np.random.Generator) -> Array:
    return clean_LC + rng.uniform(1, 2) * rng.standard_normal(clean_LC.shape) * spread.scale_C


def _level_shift(clean_LC: Array, spread: Spread, _: int, rng: np.random.Generator) -> Array:
    C = clean_LC.shape[1]
    return clean_LC + _signs(C, rng) * rng.uniform(2, 4, C) * spread.scale_C


def _correlation_break(clean_LC: Array, spread: Spread, *_: object) -> Array:
    return 2 * spread.centre_C - clean_LC


Change = Callable[[Array, Spread, int, np.random.Generator], Array]

KINDS: Mapping[str, Change] = {
    "point-global": _point_global,
    "point-contextual": _point_contextual,
    "shapelet": _shapelet,
    "seasonal": _seasonal,
    "trend": _trend,
    "noise": _noise,
    "level-shift": _level_shift,
    "correlation-break": _correlation_break,
}
"""How each kind changes the cells of an event, in units of the channel's spread.

A global point leaves the channel's range; a contextual one stays in it, on the wrong side; a
shapelet is a square wave; seasonal is twice or three times the frequency; a broken correlation
is the channel mirrored at its median, normal for itself.
"""
_POINTS = frozenset({"point-global", "point-contextual"})
_RELATIONS = frozenset({"correlation-break"})
