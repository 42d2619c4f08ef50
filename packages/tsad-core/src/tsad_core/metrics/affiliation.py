"""Affiliation: how near alarms and events are to each other, against what alarms at random places would be.

The zone of an event is what lies nearer to it than to any other: zones meet midway between events. In it, an alarm
at distance d is worth the probability that a random place of the zone is farther from the event, and a place of the
event the probability that a random place is farther from it than its nearest alarm. A step is an interval of
length 1, so all means are integrals, solved exactly.
"""

import numpy as np

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import shared, spans
from tsad_core.metrics.neighbours import larger_after, larger_before
from tsad_core.metrics.points import harmonic
from tsad_core.metrics.sweep import Grid, alarms, anomalies, best, changes, curve, cuts, fixed, ranks, restarted
from tsad_core.metrics.zones import Pieces, Zones, gap, inside, pieces_of, worth, zones_of
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule

_SOURCE = "Huet et al., KDD 2022"


@metric(
    Card(
        name="affiliation-precision",
        title="Affiliation precision (label-free threshold)",
        definition="Mean over the zones with an alarm of how near the alarms are to the event; random ones get about "
        "one half.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def affiliation_precision(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return how near the alarms are to the events, between 0 and 1; higher is better.

    For each zone with an alarm, ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``, the mean over the
    alarms of the probability that a random place of the zone is farther from the event; the mean over these zones.
    Without an alarm, or without an event, it is `Undefined`.

    Of 4 steps the first is the event, the second the alarm: its places are 0 to 1 off, and of the zone 3/4 to 2/4
    is farther off.

    >>> labels_T, scores_T = np.array([1, 0, 0, 0]), np.array([0, 11, 0, 0])
    >>> affiliation_precision(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.625
    """
    anomalous_T = anomalies(labels_T, scores_T)
    nearness, _ = affiliation_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate))
    if nearness is None:
        raise Undefined("no alarm at this threshold")
    return nearness


@metric(
    Card(
        name="affiliation-recall",
        title="Affiliation recall (label-free threshold)",
        definition="Mean over the events of how near their places are to an alarm of their zone; a random alarm gets "
        "about one half.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def affiliation_recall(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return how near the events are to alarms, between 0 and 1; higher is better.

    For each event, the mean over its places of the probability that a random place of its zone is farther from
    there than the nearest alarm, ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``, of the zone; 0 for a
    zone without one; the mean over the events. No alarm gives 0; without an event it is `Undefined`.

    Of 4 steps the first is the event, the second the alarm. A place y of the event is ``1 - y`` off, and places
    above 1 are farther off than that: 3/4 of the zone, plus those below ``2 y - 1``, 1/16 on average.

    >>> labels_T, scores_T = np.array([1, 0, 0, 0]), np.array([0, 11, 0, 0])
    >>> affiliation_recall(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.8125
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return affiliation_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate))[1]


@metric(
    Card(
        name="affiliation-f1",
        title="Affiliation F1 (label-free threshold)",
        definition="Harmonic mean of affiliation precision and recall, at a threshold from calibration. Random alarms "
        "get about one half and more: read it beside the controls.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def affiliation_f1(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the harmonic mean of `affiliation_precision` and `affiliation_recall`, between 0 and 1; higher is better.

    No alarm gives 0; without an event it is `Undefined`.

    Precision 5/8, recall 13/16.

    >>> labels_T, scores_T = np.array([1, 0, 0, 0]), np.array([0, 11, 0, 0])
    >>> round(affiliation_f1(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11)), 4)
    0.7065
    """
    anomalous_T = anomalies(labels_T, scores_T)
    nearness, reach = affiliation_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate))
    return float(harmonic(nearness or 0.0, reach))


@metric(
    Card(
        name="affiliation-f1-oracle",
        title="Affiliation F1 (best threshold, chosen on the labels)",
        definition="The highest affiliation F1 that any threshold reaches; random scores get about two thirds.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def affiliation_f1_oracle(*, labels_T: Array, scores_T: Array, grid: Grid = 0) -> float:
    """Return the highest affiliation F1 over all thresholds, between 0 and 1; higher is better.

    The maximum of `affiliation_f1` over the alarms ``scores_T >= s`` for every distinct score s, exactly: as the
    threshold falls, an alarm changes only the gap between alarms that it splits. Without an event it is `Undefined`.

    Alarms at 5 and above: precision 13/16, the mean of 1 and 5/8, and recall 1.

    >>> round(affiliation_f1_oracle(labels_T=np.array([1, 0, 0, 0]), scores_T=np.array([5, 11, 0, 0])), 4)
    0.8966
    """
    precision_A, recall_A = _sweep(labels_T, scores_T)
    cut_J = cuts(scores_T, grid)
    return best(harmonic(precision_A[cut_J], recall_A[cut_J]))


def affiliation_of(anomalous_T: Array, alarmed_T: Array) -> tuple[float | None, float]:
    """Return affiliation precision, None without an alarm, and recall."""
    zones = zones_of(anomalous_T)
    pieces = pieces_of(zones, *spans(alarmed_T))
    if not len(pieces.zone_M):
        return None, 0.0
    count = len(zones.start_K)
    width_K = np.bincount(pieces.zone_M, pieces.high_M - pieces.low_M, minlength=count)
    worth_K = np.bincount(pieces.zone_M, worth(zones, pieces), minlength=count)
    alarmed_K = width_K > 0
    return float(np.mean(worth_K[alarmed_K] / width_K[alarmed_K])), _recall(zones, pieces)


def _recall(zones: Zones, pieces: Pieces) -> float:
    first_M = np.diff(pieces.zone_M, prepend=-1) > 0
    last_M = np.append(first_M[1:], True)
    left_M = np.where(first_M, -np.inf, np.append(0, pieces.high_M[:-1]))
    none_M = np.full(last_M.sum(), np.inf)
    reached = inside(zones, pieces.zone_M, pieces.low_M, pieces.high_M).sum()
    reached += gap(zones, pieces.zone_M, left_M, pieces.low_M).sum()
    reached += gap(zones, pieces.zone_M[last_M], pieces.high_M[last_M], none_M).sum()
    return float(reached / len(zones.start_K))


@shared
def _sweep(labels_T: Array, scores_T: Array) -> tuple[Array, Array]:
    """Precision and recall after 0, 1, … alarms, in the order of falling scores."""
    anomalous_T = anomalies(labels_T, scores_T)
    zones, steps_T = zones_of(anomalous_T), np.arange(len(anomalous_T))
    pieces = pieces_of(zones, steps_T, steps_T + 1)
    return _precision_curve(zones, pieces, ranks(scores_T)), _recall_curve(zones, pieces, ranks(scores_T))


def _precision_curve(zones: Zones, pieces: Pieces, ranks_T: Array) -> Array:
    steps = len(ranks_T)
    when_M = ranks_T[pieces.source_M]
    order_M = np.argsort(pieces.zone_M * steps + when_M)
    zone_M, when_M = pieces.zone_M[order_M], when_M[order_M]
    first_M = np.diff(zone_M, prepend=-1) > 0
    worth_M = restarted(fixed(worth(zones, pieces), steps)[order_M], first_M)
    width_M = restarted(fixed(pieces.high_M - pieces.low_M, steps)[order_M], first_M)
    total_A = curve(changes(worth_M / width_M, first_M, steps), when_M, steps)
    zones_A = curve(fixed(first_M, steps), when_M, steps)
    return total_A / np.maximum(zones_A, 1)


def _recall_curve(zones: Zones, pieces: Pieces, ranks_T: Array) -> Array:
    steps = len(ranks_T)
    left_M = larger_before(-ranks_T)[pieces.source_M] + 1.0
    right_M = larger_after(-ranks_T)[pieces.source_M].astype(np.float64)
    left_M[left_M <= zones.low_K[pieces.zone_M]] = -np.inf
    right_M[right_M >= zones.high_K[pieces.zone_M]] = np.inf
    # all others split a gap that holds no part of the event
    some_M = (left_M < zones.stop_K[pieces.zone_M]) & (right_M > zones.start_K[pieces.zone_M])
    zone_M, low_M, high_M = pieces.zone_M[some_M], pieces.low_M[some_M], pieces.high_M[some_M]
    left_M, right_M = left_M[some_M], right_M[some_M]
    change_M = fixed(inside(zones, zone_M, low_M, high_M), steps)
    change_M += fixed(gap(zones, zone_M, left_M, low_M), steps) + fixed(gap(zones, zone_M, high_M, right_M), steps)
    change_M -= fixed(gap(zones, zone_M, left_M, right_M), steps)
    return curve(change_M, ranks_T[pieces.source_M[some_M]], steps) / len(zones.start_K)
