"""The margins of events: which normal steps lie within reach of one, and how much their alarms count there.

Only the steps near an event are ever looked at, so the work does not grow with the length of the series.
Axes are K event, N step of a margin, D distance, J threshold (falling), W width of the margins.
A score's rank is the index of the first threshold that it reaches.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsad_core.metrics.inputs import spans
from tsad_core.series import Array

_FAR = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Ranking:
    """The scores, falling thresholds for them, and how many scores reach each."""

    scores_T: Array
    thresholds_J: Array
    alarms_J: Array

    def ranks(self, steps_N: Array) -> Array:
        """Return the index of the first threshold that each step's score reaches; every score reaches the last."""
        scores_N = self.scores_T[steps_N]
        return len(self.thresholds_J) - np.searchsorted(self.thresholds_J[::-1], scores_N, side="right")

    def caught(self, ranks_N: Array) -> Array:
        """Return how many of the ranks reach each threshold."""
        return np.cumsum(np.bincount(ranks_N, minlength=len(self.thresholds_J)))


@dataclass(frozen=True)
class Events:
    """The events: first step, step after the last, and rank of the highest score."""

    starts_K: Array
    stops_K: Array
    ranks_K: Array
    distance_K: Array
    """From the last step of each event to the first of the next."""


def find_events(anomalous_T: Array, ranks_N: Array) -> Events:
    """Return the events, given the ranks of the anomalous steps."""
    starts_K, stops_K = spans(anomalous_T)
    first_K = np.cumsum(stops_K - starts_K) - (stops_K - starts_K)
    best_K = np.minimum.reduceat(ranks_N, first_K)
    return Events(starts_K, stops_K, best_K, starts_K[1:] - stops_K[:-1] + 1)


@dataclass(frozen=True)
class Margin:
    """The normal steps within reach of an event."""

    reach_N: Array
    """The smallest radius at which an event reaches the step."""
    second_N: Array
    """The smallest radius at which a second one does."""
    owner_N: Array
    """The event that reaches it first."""
    distance_N: Array
    """How far away that is."""
    ranks_N: Array


def find_margin(events: Events, ranking: Ranking, *, radius: int, lag: int) -> Margin:
    """Return the normal steps within a radius of an event; behind an event the reach is `lag` steps shorter."""
    steps_N, gap_N = _neighbours(events, len(ranking.scores_T), radius)
    ends_K = np.concatenate([[-_FAR, -_FAR], events.stops_K - 1])
    starts_K = np.concatenate([events.starts_K, [_FAR, _FAR]])
    behind_N, ahead_N = steps_N - ends_K[gap_N + 1] + lag, starts_K[gap_N] - steps_N
    next_N = np.minimum(steps_N - ends_K[gap_N] + lag, starts_K[gap_N + 1] - steps_N)
    is_behind_N = behind_N <= ahead_N
    return Margin(
        reach_N=np.minimum(behind_N, ahead_N),
        second_N=np.minimum(np.maximum(behind_N, ahead_N), next_N),
        owner_N=np.where(is_behind_N, gap_N - 1, gap_N),
        distance_N=np.where(is_behind_N, behind_N - lag, ahead_N),
        ranks_N=ranking.ranks(steps_N),
    )


def _neighbours(events: Events, steps: int, radius: int) -> tuple[Array, Array]:
    """Return the normal steps at most `radius` from an event, each with its gap: gap g lies before event g."""
    from_G = np.concatenate([[0], events.stops_K])
    to_G = np.concatenate([events.starts_K, [steps]])
    after_G = np.minimum(to_G - from_G, radius)
    after_G[0] = 0
    before_G = np.minimum(to_G - from_G - after_G, radius)
    before_G[-1] = 0
    gap_G = np.arange(len(from_G))
    steps_N = _ranges(np.concatenate([from_G, to_G - before_G]), np.concatenate([after_G, before_G]))
    return steps_N, np.concatenate([np.repeat(gap_G, after_G), np.repeat(gap_G, before_G)])


def _ranges(first_G: Array, length_G: Array) -> Array:
    before_G = np.cumsum(length_G) - length_G
    return np.repeat(first_G - before_G, length_G) + np.arange(length_G.sum())


def soft_mass(margin: Margin, widths: range, *, thresholds: int, linear: bool) -> Array:
    """Return the sum of the soft labels of the margin's steps that reach each threshold, for each width.

    With `linear` labels a step within reach of two events has the higher label, else it has label 1.
    """
    reach = widths[-1] // 2
    count_DJ = np.zeros((reach + 1, thresholds))
    full_J = np.zeros(thresholds)
    soft_WJ = np.zeros((len(widths), thresholds))
    rings = zip(_by_value(margin.reach_N, reach), _by_value(margin.second_N, reach), strict=True)
    for radius, (ring_M, joined_M) in enumerate(rings):
        np.add.at(count_DJ, (margin.distance_N[ring_M], margin.ranks_N[ring_M]), 1)
        if not linear:
            np.subtract.at(count_DJ, (margin.distance_N[joined_M], margin.ranks_N[joined_M]), 1)
            full_J += np.bincount(margin.ranks_N[joined_M], minlength=thresholds)
        for width in range(max(2 * radius, 2, widths[0]), min(2 * radius + 1, widths[-1]) + 1):
            label_D = _labels(radius, width, linear=linear)
            soft_WJ[width - widths[0]] = label_D @ count_DJ[: radius + 1] + full_J
    return np.cumsum(soft_WJ, axis=1)


def _labels(radius: int, width: int, *, linear: bool) -> Array:
    """Soft labels at the distances 0 … radius of an event."""
    if linear:
        return np.linspace(1, np.sqrt(0.5), radius + 1)
    return np.sqrt(1 - np.arange(radius + 1) / width)


def hit_share_of_zones(events: Events, margin: Margin, ranking: Ranking, *, radius: int, slack: int) -> Array:
    """Return the share of zones that hold an alarm, by radius 0 … `radius` and threshold.

    A zone is an event with its margins, or several whose last and first steps are no more than twice the
    radius, and `slack`, apart.
    """
    ranks_K = events.ranks_K.copy()
    share_RJ = np.empty((radius + 1, len(ranking.thresholds_J)))
    for reach, ring_M in enumerate(_by_value(margin.reach_N, radius)):
        np.minimum.at(ranks_K, margin.owner_N[ring_M], margin.ranks_N[ring_M])
        first_G = np.flatnonzero(np.concatenate([[True], events.distance_K > 2 * reach + slack]))
        share_RJ[reach] = ranking.caught(np.minimum.reduceat(ranks_K, first_G)) / len(first_G)
    return share_RJ


def hit_share_of_events(events: Events, ranking: Ranking, *, radius: int) -> Array:
    """Return the share of events with an alarm in their reach, by radius 0 … `radius` and threshold, as TimeEval does.

    Events stay apart where their margins overlap. An event is also hit by an alarm on the step after its
    margin if that step lies in the margin of the next event.
    """
    distance_K = np.append(events.distance_K, _FAR)
    ranks_of = _lookup(ranking, often=3 * radius * len(events.starts_K))
    ranks_K = events.ranks_K.copy()
    share_RJ = np.empty((radius + 1, len(ranking.thresholds_J)))
    share_RJ[0] = ranking.caught(ranks_K) / len(ranks_K)
    stop = len(ranking.scores_T)
    for reach in range(1, radius + 1):
        for steps_K in (events.starts_K - reach, events.stops_K - 1 + reach):
            _improve(ranks_K, steps_K, ranks_of, stop)
        hit_K = ranks_K.copy()
        after_K = np.where(distance_K <= 2 * reach + 1, events.stops_K + reach, -1)
        _improve(hit_K, after_K, ranks_of, stop)
        share_RJ[reach] = ranking.caught(hit_K) / len(hit_K)
    return share_RJ


def _lookup(ranking: Ranking, *, often: int) -> Callable[[Array], Array]:
    """Return how to find the ranks of steps: in a table of all, if that many are asked for."""
    if often < len(ranking.scores_T):
        return ranking.ranks
    ranks_T = ranking.ranks(np.arange(len(ranking.scores_T)))
    return lambda steps_N: ranks_T[steps_N]


def _improve(ranks_K: Array, steps_K: Array, ranks_of: Callable[[Array], Array], stop: int) -> None:
    """Give each event the rank of its step, if that is better and the step exists."""
    inside_M = np.flatnonzero((steps_K >= 0) & (steps_K < stop))
    ranks_K[inside_M] = np.minimum(ranks_K[inside_M], ranks_of(steps_K[inside_M]))


def _by_value(values_N: Array, highest: int) -> list[Array]:
    """Positions of the values 0, 1, …, `highest`, one array each."""
    near_M = np.flatnonzero(values_N <= highest)
    near_M = near_M[np.argsort(values_N[near_M], kind="stable")]
    return np.split(near_M, np.searchsorted(values_N[near_M], np.arange(1, highest + 1)))
