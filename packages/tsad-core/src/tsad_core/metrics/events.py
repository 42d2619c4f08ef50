"""Alarms against labelled events: which are found, at the price of which false alarms, and how late.

An event is found when one of its steps is an alarm. The field knows three ways to count the false alarms:
each step of them against the found events (`event_f1`), each segment of them (`event_f1` with
``false_alarms="segments"``), or each step of them against the alarmed steps inside events (`composite_f1`).
"""

from typing import Literal

import numpy as np

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import spans
from tsad_core.metrics.points import harmonic, precision_of
from tsad_core.metrics.sweep import Grid, alarms, anomalies, best, sweep
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule

FalseAlarms = Literal["steps", "segments"]
"""What counts as one false alarm: a normal step that is one, or a run of alarms that touches no event."""


@metric(
    Card(
        name="event-recall",
        title="Event recall (label-free threshold)",
        definition="Share of the events that hold an alarm, at a threshold from calibration.",
        source="Hundman et al., KDD 2018",
        low=0,
        high=1,
        better="higher",
    )
)
def event_recall(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the share of the events that are found, between 0 and 1; higher is better.

    An event is found if one of its steps is an alarm, ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``.
    One minus it is the share of missed events. No alarm gives 0; without an event it is `Undefined`.

    The first of two events holds a score above 9.9.

    >>> labels_T, scores_T = np.array([1, 1, 0, 1]), np.array([5, 20, 11, 9])
    >>> event_recall(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.5
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return event_recall_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate))


def event_recall_of(anomalous_T: Array, alarmed_T: Array) -> float:
    """Return the share of the events that hold an alarm."""
    return float(np.mean(alarms_of_events(anomalous_T, alarmed_T) > 0))


def alarms_of_events(anomalous_T: Array, alarmed_T: Array) -> Array:
    """Return how many alarms each event holds."""
    starts_K, stops_K = spans(anomalous_T)
    before_T = np.concatenate([[0], np.cumsum(alarmed_T)])
    alarms_K: Array = before_T[stops_K] - before_T[starts_K]
    return alarms_K


@metric(
    Card(
        name="event-precision",
        title="Event precision (label-free threshold)",
        definition="Found events over found events plus false alarms, at a threshold from calibration.",
        source="Si et al., TimeSeriesBench, ISSRE 2024 (false alarms by steps); Hundman et al., KDD 2018 (by segments)",
        low=0,
        high=1,
        better="higher",
    )
)
def event_precision(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
    false_alarms: FalseAlarms = "steps",
) -> float:
    """Return found events over found events plus false alarms, between 0 and 1; higher is better.

    A false alarm is a normal step above ``threshold(calibration_T, rule=rule, rate=rate)`` or, with
    ``false_alarms="segments"``, a run of alarms that touches no event. Without an alarm, or without an event, it is
    `Undefined`.

    One event is found; the two false alarms are one segment.

    >>> given = {"labels_T": np.array([1, 0, 0, 0]), "scores_T": np.array([20, 9, 11, 12])}
    >>> round(event_precision(**given, calibration_T=np.arange(11)), 3)
    0.333
    >>> event_precision(**given, calibration_T=np.arange(11), false_alarms="segments")
    0.5
    """
    anomalous_T = anomalies(labels_T, scores_T)
    alarmed_T = alarms(scores_T, calibration_T, rule=rule, rate=rate)
    if not alarmed_T.any():
        raise Undefined("no alarm at this threshold")
    found, _, wrong = _tally(anomalous_T, alarmed_T, false_alarms)
    return found / (found + wrong)


@metric(
    Card(
        name="event-f1",
        title="Event F1 (label-free threshold)",
        definition="Harmonic mean of event precision and event recall, at a threshold from calibration.",
        source="Si et al., TimeSeriesBench, ISSRE 2024 (false alarms by steps); Hundman et al., KDD 2018 (by segments)",
        low=0,
        high=1,
        better="higher",
    )
)
def event_f1(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
    false_alarms: FalseAlarms = "steps",
) -> float:
    """Return the F1 of found events, missed events and false alarms, between 0 and 1; higher is better.

    ``2 found / (2 found + missed + false alarms)``, as in `event_precision`. With ``false_alarms="segments"`` a
    single alarm over the whole series is perfect: prefer steps. No alarm gives 0; without an event it is `Undefined`.

    One of two events is found, with two false alarms.

    >>> labels_T, scores_T = np.array([1, 0, 0, 1]), np.array([20, 11, 12, 5])
    >>> event_f1(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.4
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return event_f1_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate), false_alarms)


def event_f1_of(anomalous_T: Array, alarmed_T: Array, false_alarms: FalseAlarms) -> float:
    """Return the F1 of found and missed events and false alarms."""
    found, missed, wrong = _tally(anomalous_T, alarmed_T, false_alarms)
    return 2 * found / (2 * found + missed + wrong)


def _tally(anomalous_T: Array, alarmed_T: Array, false_alarms: FalseAlarms) -> tuple[int, int, int]:
    """Found events, missed events, false alarms."""
    alarms_K = alarms_of_events(anomalous_T, alarmed_T)
    found = int(np.count_nonzero(alarms_K))
    if false_alarms == "segments":
        wrong = np.count_nonzero(alarms_of_events(alarmed_T, anomalous_T) == 0)
    else:
        wrong = np.count_nonzero(alarmed_T) - alarms_K.sum()
    return found, len(alarms_K) - found, int(wrong)


@metric(
    Card(
        name="event-f1-oracle",
        title="Event F1 (best threshold, chosen on the labels)",
        definition="The highest event F1 that any threshold reaches, each alarmed normal step a false alarm.",
        source="Si et al., TimeSeriesBench, ISSRE 2024",
        low=0,
        high=1,
        better="higher",
    )
)
def event_f1_oracle(*, labels_T: Array, scores_T: Array, grid: Grid = 0) -> float:
    """Return the highest event F1 over all thresholds, between 0 and 1; higher is better.

    The maximum of `event_f1` over the alarms ``scores_T >= s`` for every distinct score s, exactly. False alarms
    count by steps only: by segments, an alarm at every step is one segment that finds every event, and the best is
    always 1. Without an event it is `Undefined`.

    At 5, both events are found, with two false alarms; at 20, one of them, with none.

    >>> round(event_f1_oracle(labels_T=np.array([1, 0, 0, 1]), scores_T=np.array([20, 11, 12, 5])), 3)
    0.667
    """
    found = sweep(labels_T, scores_T, grid)
    found_J = found.found(found.nth_N == 1)
    return best(2 * found_J / (found_J + found.alarms_J - found.true_J + len(found.length_K)))


@metric(
    Card(
        name="composite-f1",
        title="Composite F1 (label-free threshold)",
        definition="Harmonic mean of point-wise precision and event recall, at a threshold from calibration.",
        source="Garg et al., TNNLS 2021 (Fc1); TSB-AD's event-based F1",
        low=0,
        high=1,
        better="higher",
    )
)
def composite_f1(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the harmonic mean of point-wise precision and event recall, between 0 and 1; higher is better.

    ``2 P R / (P + R)``, P the share of the alarms ``scores_T > threshold(calibration_T, rule=rule, rate=rate)`` that
    are anomalous, R the share of the events that hold one. No alarm gives 0; without an event it is `Undefined`.

    One of three alarms is anomalous, one of two events found.

    >>> labels_T, scores_T = np.array([1, 0, 0, 1]), np.array([20, 11, 12, 5])
    >>> composite_f1(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.4
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return composite_f1_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate))


def composite_f1_of(anomalous_T: Array, alarmed_T: Array) -> float:
    """Return the harmonic mean of point-wise precision and event recall; without an alarm it is 0."""
    if not alarmed_T.any():
        return 0.0
    return float(harmonic(precision_of(anomalous_T, alarmed_T), event_recall_of(anomalous_T, alarmed_T)))


@metric(
    Card(
        name="composite-f1-oracle",
        title="Composite F1 (best threshold, chosen on the labels)",
        definition="The highest composite F1 that any threshold reaches; the labels choose the threshold.",
        source="Garg et al., TNNLS 2021 (Fc1)",
        low=0,
        high=1,
        better="higher",
    )
)
def composite_f1_oracle(*, labels_T: Array, scores_T: Array, grid: Grid = 0) -> float:
    """Return the highest composite F1 over all thresholds, between 0 and 1; higher is better.

    The maximum of `composite_f1` over the alarms ``scores_T >= s`` for every distinct score s, exactly.
    Without an event it is `Undefined`.

    At 20 precision is 1 and one of two events found; at 5 precision is 1/2 and both.

    >>> round(composite_f1_oracle(labels_T=np.array([1, 0, 0, 1]), scores_T=np.array([20, 11, 12, 5])), 3)
    0.667
    """
    found = sweep(labels_T, scores_T, grid)
    recall_J = found.found(found.nth_N == 1) / len(found.length_K)
    return best(harmonic(found.true_J / found.alarms_J, recall_J))


@metric(
    Card(
        name="detection-delay",
        title="Detection delay (steps)",
        definition="Mean number of steps from the start of an event to its first alarm, over the events found.",
        source="mean time to detection; read it beside event-recall, the share of the events found",
        low=0,
        high=float("inf"),
        better="lower",
    )
)
def detection_delay(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the mean steps from the start of an event to its first alarm, 0 or more; lower is better.

    Over the events that hold an alarm, ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``; an alarm at the
    first step has no delay, and one that began before the event none either. Without an event, or if none is
    found, it is `Undefined`.

    The first event is found a step late, the second at once, the third not at all.

    >>> labels_T, scores_T = np.array([1, 1, 0, 1, 0, 1]), np.array([5, 20, 0, 11, 0, 9])
    >>> detection_delay(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.5
    """
    anomalous_T = anomalies(labels_T, scores_T)
    starts_K, stops_K = spans(anomalous_T)
    alarmed_N = np.flatnonzero(alarms(scores_T, calibration_T, rule=rule, rate=rate))
    first_K = np.append(alarmed_N, len(anomalous_T))[np.searchsorted(alarmed_N, starts_K)]
    found_K = first_K < stops_K
    if not found_K.any():
        raise Undefined("no event holds an alarm at this threshold")
    return float((first_K - starts_K)[found_K].mean())
