"""Real anomalies in training: events of the test part, pasted into the training part."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tsad_core.corruption.kind import Change, Dose
from tsad_core.corruption.segments import free_starts, pasted
from tsad_core.errors import Skip
from tsad_core.series import Array, Series
from tsad_core.windows import period, starts_within

Span = tuple[int, int]
"""The first step of an event and the step after its last."""


def real_anomalies(series: Series, dose: Dose) -> Change:
    """Paste the events of the test part's first half into the training part, and keep the second half to be scored.

    One period of the clean training part lies between the halves as an embargo. The scored half is the
    same for every level and seed.
    """
    events, embargo = _events(series, dose.kind), period(series.train_TC)
    if len(events) < 2:
        raise Skip(f"series {series.name}: {dose.kind} needs 2 events or more in the test part; it has {len(events)}")
    halves = _halves(events, embargo)
    if halves is None:
        raise Skip(
            f"series {series.name}: {dose.kind} needs events on both sides of an embargo of {embargo} steps "
            f"in the test part; its {len(events)} events lie too close together"
        )
    donors, first = halves
    half = _from(_with_donors(series, events[:donors], dose), first)
    return Change(half, test_from_T=np.arange(first, len(series.test_TC)))


def legacy_leak_anomalies(series: Series, dose: Dose) -> Change:
    """Paste every event of the test part into the training part, and score the whole test part: a leak."""
    events = _events(series, dose.kind)
    if not events:
        raise Skip(f"series {series.name}: {dose.kind} needs an event or more in the test part; it has none")
    return Change(_with_donors(series, events, dose))


def _events(series: Series, kind: str) -> list[Span]:
    """Return the test part's events, in order; one that reaches over the start of a segment counts as two."""
    if series.labels_T is None:
        raise Skip(f"series {series.name}: {kind} needs labels of the test part; it has none")
    pieces = zip(series.test_starts, np.split(series.labels_T, series.test_starts[1:]), strict=True)
    return [(begin + start, begin + stop) for begin, labels_T in pieces for start, stop in _runs(labels_T)]


def _runs(labels_T: Array) -> list[Span]:
    edges = np.flatnonzero(np.diff(labels_T.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _halves(events: Sequence[Span], embargo: int) -> tuple[int, int] | None:
    """Return how many events are donors and where the scored half starts; None if no cut leaves events on both sides.

    Of all cuts right after an event, that with the most equal numbers of events, and then the most
    events, counts. An embargo that would end in an event lasts until the event is over.
    """
    cuts = []
    for donors, (_, stop) in enumerate(events[:-1], start=1):
        later = bisect_left(events, (stop + embargo,))
        scored, first = len(events) - later, max(stop + embargo, events[later - 1][1])
        if scored:
            cuts.append((abs(donors - scored), -donors - scored, donors, first))
    return min(cuts)[2:] if cuts else None


def _from(series: Series, first: int) -> Series:
    """Return the series with the test part from a step on."""
    names = ("test_TC", "labels_T", "root_causes_TC", "normal_TC")
    parts = {name: getattr(series, name) for name in names}
    later: dict[str, Any] = {name: None if part is None else part[first:] for name, part in parts.items()}
    starts = starts_within(series.test_starts, first, len(series.test_TC))
    return replace(series, **later, test_starts=starts, event_kinds=_kinds_from(series, first))


def _kinds_from(series: Series, first: int) -> tuple[str, ...]:
    """Return the kinds, if known, of the events that a step or a later one is part of."""
    if not series.event_kinds or series.labels_T is None:
        return ()
    return series.event_kinds[sum(stop <= first for _, stop in _runs(series.labels_T)) :]


def _with_donors(series: Series, donors: Sequence[Span], dose: Dose) -> Series:
    """Paste each donor event `level` times, in all channels, into normal training steps; a higher level adds more."""
    rng = dose.rng("places")
    train_TC, steps = np.array(series.train_TC), len(series.train_TC)
    labels_T = np.zeros(steps, dtype=bool) if series.train_labels_T is None else np.array(series.train_labels_T)
    for start, stop in [*donors] * dose.level:
        first = _place(series, labels_T, stop - start, rng, dose)
        here = slice(first, first + stop - start)
        train_TC[here] = pasted(train_TC[here], series.test_TC[start:stop])
        labels_T[here] = True
    return replace(series, train_TC=train_TC, train_labels_T=labels_T)


def _place(series: Series, labels_T: Array, length: int, rng: np.random.Generator, dose: Dose) -> int:
    # a normal step between neighbours keeps them two events
    near_T = np.convolve(labels_T, [1, 1, 1])[1:-1] > 0
    free_N = free_starts(near_T, starts=series.train_starts, length=length)
    if not len(free_N):
        raise Skip(
            f"series {series.name}: {dose.kind}@{dose.level} finds no {length} normal steps in one piece "
            f"among its {len(labels_T)} training steps"
        )
    return int(rng.choice(free_N))
