"""Conditions: what the robustness suite does to a series before a detector sees it."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from tsad_core.datasets.synthetic import Event, Spread, chosen_kinds, inject, mark, plan_events
from tsad_core.errors import OptionError, Skip, did_you_mean
from tsad_core.series import Series


@dataclass(frozen=True)
class Condition:
    """A kind of corruption and its level; as text ``clean`` or ``train-anomalies@5``."""

    kind: str = "clean"
    level: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"no condition named {self.kind!r}; {did_you_mean(self.kind, KINDS)}")
        highest = KINDS[self.kind].highest
        if type(self.level) is not int or not 0 <= self.level <= highest:
            raise OptionError(
                f"condition {self.kind}: level = {self.level!r}; it must be a whole number, 0 to {highest}"
            )

    def __str__(self) -> str:
        return f"{self.kind}@{self.level}" if KINDS[self.kind].highest else self.kind

    @property
    def unit(self) -> str:
        """What the level counts."""
        return KINDS[self.kind].unit

    @property
    def touches(self) -> frozenset[str]:
        """Which parts change: ``train``, ``test``."""
        return KINDS[self.kind].touches

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form back."""
        kind, at, level = text.strip().partition("@")
        if not at:
            return cls(kind)
        if not (level.isascii() and level.isdigit()):
            raise OptionError(f"condition {text!r}: the level must be a whole number, as in train-anomalies@5")
        return cls(kind, int(level))


def corrupt(series: Series, condition: Condition, *, seed: int) -> Series:
    """Return the series under a condition; at level 0 it is returned as it is.

    What changes depends on the series, the condition and the seed alone, and a higher level
    changes what a lower one does and more. A series that cannot take it raises `Skip`.
    """
    return series if condition.level == 0 else KINDS[condition.kind].apply(series, condition.level, seed)


@dataclass(frozen=True)
class Kind:
    """A way to corrupt a series."""

    summary: str
    unit: str
    touches: frozenset[str]
    highest: int
    """The highest level; 0 if there are none."""
    apply: Callable[[Series, int, int], Series]


def _unchanged(series: Series, _: int, __: int) -> Series:
    return series


def _train_anomalies(series: Series, level: int, seed: int) -> Series:
    place_seed, value_seed = np.random.SeedSequence([seed, int(series.digest, 16)]).spawn(2)
    steps, channels = series.train_TC.shape
    lengths = _lengths(steps)
    plan = plan_events(
        np.random.default_rng(place_seed),
        starts=series.train_starts,
        steps=steps,
        channels=channels,
        kinds=chosen_kinds("all", channels),
        lengths=lengths,
    )
    events, excess = _at_least(round(steps * level / 100), plan, series, level)
    changed_TC = inject(
        series.train_TC,
        events,
        about=Spread.of(series.train_TC),
        period=lengths[0],
        rng=np.random.default_rng(value_seed),
    )
    # the last event is cut, not drawn shorter: at a higher level its first steps hold the same values
    cut = [*events[:-1], dataclasses.replace(events[-1], stop=events[-1].stop - excess)]
    marks_TC = mark(cut, changed_TC.shape)
    known_T = False if series.train_labels_T is None else series.train_labels_T
    return dataclasses.replace(
        series,
        train_TC=np.where(marks_TC, changed_TC, series.train_TC),
        train_labels_T=np.asarray(marks_TC.any(axis=1) | known_T),
    )


def _lengths(steps: int) -> tuple[int, int]:
    longest = min(max(steps // 400, 5), 100)
    return (longest + 1) // 2, longest


def _at_least(wanted: int, plan: Iterable[Event], series: Series, level: int) -> tuple[list[Event], int]:
    """Return the first events that make up the steps wanted, and by how many steps they exceed them."""
    events: list[Event] = []
    lacking = wanted
    for event in plan if wanted else ():
        events.append(event)
        lacking -= event.stop - event.start
        if lacking <= 0:
            return events, -lacking
    raise Skip(
        f"series {series.name}: its {len(series.train_TC)} training steps are too few "
        f"for simulated anomalies in {level} % of them"
    )


KINDS: Mapping[str, Kind] = {
    "clean": Kind("the series as it is", "", frozenset(), 0, _unchanged),
    "train-anomalies": Kind(
        "simulated anomalies in some percent of the training steps, all over the training part",
        "percent",
        frozenset({"train"}),
        30,
        _train_anomalies,
    ),
}
"""The conditions by kind."""
