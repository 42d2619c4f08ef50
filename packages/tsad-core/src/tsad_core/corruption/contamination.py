"""Contaminated training: simulated anomalies in the training part, and a sham with normal segments instead."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsad_core.anomalies import Event, Spread, chosen_kinds, inject, mark, plan_events
from tsad_core.corruption.kind import Change, Dose
from tsad_core.corruption.segments import free_starts, pasted
from tsad_core.errors import Skip
from tsad_core.series import Array, Series


def train_anomalies(series: Series, dose: Dose) -> Change:
    """Put simulated anomalies into some percent of the training steps and label them."""
    _, value_seed = _streams(dose)
    contamination = _planned(series, dose)
    changed_TC = inject(
        series.train_TC,
        contamination.events,
        about=Spread.of(series.train_TC),
        period=_lengths(len(series.train_TC))[0],
        rng=np.random.default_rng(value_seed),
    )
    # the last event is cut, not drawn shorter: at a higher level its first steps hold the same values
    marks_TC = mark(contamination.cut, changed_TC.shape)
    known_T = False if series.train_labels_T is None else series.train_labels_T
    contaminated = replace(
        series,
        train_TC=np.where(marks_TC, changed_TC, series.train_TC),
        train_labels_T=np.asarray(marks_TC.any(axis=1) | known_T),
    )
    return Change(contaminated)


def sham_anomalies(series: Series, dose: Dose) -> Change:
    """Paste normal stretches of the same channels where `train_anomalies` puts its anomalies; no label is set."""
    contamination = _planned(series, dose)
    train_TC = np.array(series.train_TC)
    sources = _sources(series, contamination.events, dose.rng("sources"))
    for event, source in zip(contamination.cut, sources, strict=True):
        target = np.ix_(range(event.start, event.stop), event.channels)
        origin = np.ix_(range(source, source + event.stop - event.start), event.channels)
        train_TC[target] = pasted(series.train_TC[target], series.train_TC[origin])
    return Change(replace(series, train_TC=train_TC))


@dataclass(frozen=True)
class _Contamination:
    events: Sequence[Event]
    excess: int
    """By how many steps the events exceed what was asked for."""

    @property
    def cut(self) -> list[Event]:
        """The events with the last one shortened, so that the steps are exactly as many as were asked for."""
        last = self.events[-1]
        return [*self.events[:-1], replace(last, stop=last.stop - self.excess)]


def _streams(dose: Dose) -> list[np.random.SeedSequence]:
    """Return the seeds of places and of values, without the kind's name: the sham has the same places."""
    return np.random.SeedSequence(dose.entropy).spawn(2)


def _planned(series: Series, dose: Dose) -> _Contamination:
    steps, channels = series.train_TC.shape
    place_seed, _ = _streams(dose)
    plan = plan_events(
        np.random.default_rng(place_seed),
        starts=series.train_starts,
        steps=steps,
        channels=channels,
        kinds=chosen_kinds("all", channels),
        lengths=_lengths(steps),
    )
    return _at_least(round(steps * dose.level / 100), plan, series, dose.level)


def _lengths(steps: int) -> tuple[int, int]:
    longest = min(max(steps // 400, 5), 100)
    return (longest + 1) // 2, longest


def _at_least(wanted: int, plan: Iterable[Event], series: Series, level: int) -> _Contamination:
    """Return the first events that make up the steps wanted."""
    events: list[Event] = []
    lacking = wanted
    for event in plan if wanted else ():
        events.append(event)
        lacking -= event.stop - event.start
        if lacking <= 0:
            return _Contamination(events, -lacking)
    raise Skip(
        f"series {series.name}: its {len(series.train_TC)} training steps are too few "
        f"for simulated anomalies in {level} % of them"
    )


def _sources(series: Series, events: Iterable[Event], rng: np.random.Generator) -> Iterator[int]:
    """Yield for each event the first step of a normal stretch that does not overlap it, long enough for any event."""
    steps = len(series.train_TC)
    length = _lengths(steps)[1]
    known_T = np.zeros(steps, dtype=bool) if series.train_labels_T is None else series.train_labels_T
    free_N = free_starts(known_T, starts=series.train_starts, length=length)
    for event in events:
        yield _beside(event, free_N, length, rng, series.name)


def _beside(event: Event, free_N: Array, length: int, rng: np.random.Generator, name: str) -> int:
    low, high = np.searchsorted(free_N, [event.start - length + 1, event.stop])
    others = len(free_N) - int(high - low)
    if not others:
        raise Skip(
            f"series {name}: sham-anomalies finds no {length} normal training steps in one piece "
            f"beside steps {event.start} to {event.stop - 1}, which they should replace"
        )
    choice = int(rng.integers(others))
    return int(free_N[choice if choice < low else choice + high - low])
