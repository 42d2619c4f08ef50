"""Blame against guilt: which channels cause an event, or a step, and how high an attribution ranks them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from tsad_core.errors import OptionError, Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import check, marks, same_shape, spans
from tsad_core.metrics.sweep import alarms
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule, threshold

Events = Literal["all", "detected"]
"""Which events count; detected are those with a score above the threshold that `rule` and `rate` derive."""

Rounding = Literal["down", "nearest"]
"""How many places 1.5 g are: OmniAnomaly rounds down, TranAD and MIXAD to the nearest, a half to the even one."""

_CHUNK = 4_000_000
"""Most values that are compared at once."""


@dataclass(frozen=True)
class Units:
    """Events or steps, each with a guilty channel or more, and how much each of their channels is blamed."""

    guilty_UC: Array
    blame_UC: Array
    weight_U: Array
    rounding: Rounding = "down"

    def places(self, percent: int) -> Array:
        """Return how many channels each unit may name: `percent` of the number of its guilty ones."""
        share_U = np.count_nonzero(self.guilty_UC, axis=1) * percent / 100
        whole_U = np.floor(share_U) if self.rounding == "down" else np.rint(share_U)
        places_U: Array = whole_U.astype(np.int64)
        return places_U


Measure = Callable[[Units, int], Array]
"""A value for each unit, given the percentage that says how many channels may be named."""


def hit_rates(units: Units, percent: int) -> Array:
    """Return the share of each unit's guilty channels that are among the most blamed ones."""
    hits_U = _gained(units, units.places(percent), np.ones(units.guilty_UC.shape[1]))
    rate_U: Array = hits_U / np.count_nonzero(units.guilty_UC, axis=1)
    return rate_U


def ndcgs(units: Units, percent: int) -> Array:
    """Return each unit's discounted gain, place k being worth 1 / log2(k + 1), over that of the best ranking."""
    worth_C = 1 / np.log2(np.arange(units.guilty_UC.shape[1]) + 2)
    best_U = np.cumsum(worth_C)[np.count_nonzero(units.guilty_UC, axis=1) - 1]
    ndcg_U: Array = _gained(units, units.places(percent), worth_C) / best_U
    return ndcg_U


def corrected(measure: Measure) -> Measure:
    """Return the measure as (value - chance) / (1 - chance), chance being its value for equal blame.

    Equal blame gets what random blame gets on average. Where chance is 1 already there is no value: NaN.
    """

    def values(units: Units, percent: int) -> Array:
        chance_U = measure(replace(units, blame_UC=np.zeros_like(units.blame_UC)), percent)
        room_U = np.where(chance_U < 1 - 1e-12, 1 - chance_U, np.nan)
        corrected_U: Array = (measure(units, percent) - chance_U) / room_U
        return corrected_U

    return values


def average(units: Units, values_U: Array) -> float:
    """Return the weighted mean of the units' values, those without one left out."""
    defined_U = ~np.isnan(values_U)
    if not defined_U.any():
        raise Undefined("every event leaves nothing to choose: all its channels are guilty, or may be named")
    return float(np.average(values_U[defined_U], weights=units.weight_U[defined_U]))


def _gained(units: Units, places_U: Array, worth_C: Array) -> Array:
    """Sum what the places of the guilty channels are worth; channels that tie share their places evenly."""
    total_C = np.concatenate([[0], np.cumsum(worth_C)])
    unit_G, channel_G = np.nonzero(units.guilty_UC)
    before_G, through_G = _ranks(units.blame_UC, unit_G, channel_G)
    last_G = places_U[unit_G]
    gain_G = total_C[np.minimum(through_G, last_G)] - total_C[np.minimum(before_G, last_G)]
    return np.bincount(unit_G, weights=gain_G / (through_G - before_G), minlength=len(places_U))


def _ranks(blame_UC: Array, unit_G: Array, channel_G: Array) -> tuple[Array, Array]:
    """Count the channels of a unit that are blamed more than a given one, and those that are not blamed less."""
    before_G, through_G = np.empty_like(unit_G), np.empty_like(unit_G)
    size = max(1, _CHUNK // blame_UC.shape[1])
    for part in (slice(start, start + size) for start in range(0, len(unit_G), size)):
        blame_CG = np.ascontiguousarray(blame_UC[unit_G[part]].T)
        own_G = blame_UC[unit_G[part], channel_G[part]]
        before_G[part], through_G[part] = (blame_CG > own_G).sum(axis=0), (blame_CG >= own_G).sum(axis=0)
    return before_G, through_G


def checked(labels_T: Array, root_causes_TC: Array, attribution_TC: Array) -> tuple[Array, Array]:
    """Return labels and root causes as bool, of a series in which there is somebody to blame."""
    anomalous_T = check(labels_T, root_causes_TC=root_causes_TC, attribution_TC=attribution_TC)
    causes_TC = marks("root_causes_TC", root_causes_TC)
    same_shape("root_causes_TC", {"root_causes_TC": causes_TC, "attribution_TC": attribution_TC})
    if causes_TC.shape[1] == 1:
        raise Undefined("there is one channel only: nothing to tell apart")
    if not anomalous_T.any():
        raise Undefined("no event in the labels")
    if not causes_TC[anomalous_T].any():
        raise Undefined("no event has a root cause")
    return anomalous_T, causes_TC


@dataclass(frozen=True)
class Found:
    """What tells which events are detected; without scores and calibration every event counts as such."""

    scores_T: Array | None
    calibration_T: Array | None
    events: Events
    rule: Rule
    rate: Rate

    def alarms(self, anomalous_T: Array) -> Array:
        """Return which scores are above the threshold."""
        if self.scores_T is None or self.calibration_T is None:
            raise OptionError(f"events = {self.events!r} needs scores_T and calibration_T; give both, or take 'all'")
        check(anomalous_T, scores_T=self.scores_T)
        return alarms(self.scores_T, self.calibration_T, rule=self.rule, rate=self.rate)

    def among(self, anomalous_T: Array, causes_TC: Array) -> Array:
        """Return the anomalous steps of the events that count."""
        if self.events == "all":
            self._check(anomalous_T)
            return anomalous_T
        first_K, length_K = _events(anomalous_T)
        alarmed_K = np.logical_or.reduceat(self.alarms(anomalous_T)[anomalous_T], first_K)
        chosen_T = np.zeros_like(anomalous_T)
        chosen_T[anomalous_T] = np.repeat(alarmed_K, length_K)
        if not causes_TC[chosen_T].any():
            raise Undefined("no event with a root cause is detected")
        return chosen_T

    def _check(self, anomalous_T: Array) -> None:
        """Refuse what `alarms` would refuse, though no alarm is asked for."""
        if self.scores_T is not None:
            check(anomalous_T, scores_T=self.scores_T)
        if self.calibration_T is not None:
            threshold(self.calibration_T, rule=self.rule, rate=self.rate)


def by_event(anomalous_T: Array, causes_TC: Array, blame_TC: Array) -> Units:
    """Return events: guilty is who is a root cause at any step, blame is its mean over the steps."""
    first_K, _ = _events(anomalous_T)
    guilty_KC = guilty(anomalous_T, causes_TC)
    # sums rank the channels of an event as means do
    blame_KC = np.add.reduceat(blame_TC[anomalous_T], first_K, axis=0, dtype=np.float64)
    known_K = guilty_KC.any(axis=1)
    return Units(guilty_KC[known_K], blame_KC[known_K], np.ones(np.count_nonzero(known_K)))


def by_step(anomalous_T: Array, causes_TC: Array, blame_TC: Array) -> Units:
    """Return the anomalous steps that have a root cause, each by itself."""
    steps_U = np.flatnonzero(anomalous_T & causes_TC.any(axis=1))
    return Units(causes_TC[steps_U], blame_TC[steps_U], np.ones(len(steps_U)))


def guilty(anomalous_T: Array, causes_TC: Array) -> Array:
    """Return which channels are a root cause at any step of each event."""
    guilty_KC: Array = np.logical_or.reduceat(causes_TC[anomalous_T], _events(anomalous_T)[0], axis=0)
    return guilty_KC


def _events(anomalous_T: Array) -> tuple[Array, Array]:
    """Return each event's place among the anomalous steps, and its length."""
    starts_K, stops_K = spans(anomalous_T)
    length_K = stops_K - starts_K
    return np.cumsum(length_K) - length_K, length_K


class Attribution(Protocol):
    """A metric of attribution, with the options that all of them have."""

    card: Card

    def __call__(
        self,
        *,
        labels_T: Array,
        root_causes_TC: Array,
        attribution_TC: Array,
        scores_T: Array | None = None,
        calibration_T: Array | None = None,
        events: Events = "all",
        rule: Rule = "quantile",
        rate: Rate = 0.01,
        rounding: Rounding = "down",
    ) -> float:
        """Return the mean over events or steps."""


Grouping = Callable[[Array, Array, Array], Units]


def attribution(card: Card, units_of: Grouping) -> Callable[[Callable[[Units], Array]], Attribution]:
    """Make a metric of a function from units to their values: their mean, under the decorated name and docstring.

    Its inputs and options are those of `Attribution`; `scores_T` and `calibration_T` serve ``events="detected"``, and
    are checked wherever they are given.
    """

    def decorate(measure: Callable[[Units], Array]) -> Attribution:
        def value(
            *,
            labels_T: Array,
            root_causes_TC: Array,
            attribution_TC: Array,
            scores_T: Array | None = None,
            calibration_T: Array | None = None,
            events: Events = "all",
            rule: Rule = "quantile",
            rate: Rate = 0.01,
            rounding: Rounding = "down",
        ) -> float:
            anomalous_T, causes_TC = checked(labels_T, root_causes_TC, attribution_TC)
            chosen_T = Found(scores_T, calibration_T, events, rule, rate).among(anomalous_T, causes_TC)
            units = replace(units_of(chosen_T, causes_TC, np.asarray(attribution_TC)), rounding=rounding)
            return average(units, measure(units))

        for name in ("__name__", "__qualname__", "__module__", "__doc__"):
            setattr(value, name, getattr(measure, name))
        return metric(card)(value)  # type: ignore[return-value]  # the function as given, with its card

    return decorate
