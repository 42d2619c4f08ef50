"""Alarms against labels step by step: precision, recall, F1 and false alarms at a threshold, and the best F1."""

import numpy as np

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import check
from tsad_core.metrics.sweep import Grid, alarms, anomalies, best, sweep
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule, threshold


@metric(
    Card(
        name="precision",
        title="Precision (label-free threshold)",
        definition="Share of the alarms that are anomalous steps, at a threshold from calibration.",
        source="point-wise precision, as scikit-learn's precision_score",
        low=0,
        high=1,
        better="higher",
    )
)
def precision(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the share of the alarms that are anomalous steps, between 0 and 1; higher is better.

    ``TP / (TP + FP)`` of the alarms ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``. Without an
    alarm, or without an anomalous step, it is `Undefined`.

    The threshold is 9.9: two hits, one false alarm.

    >>> labels_T, scores_T = np.array([1, 1, 1, 0, 0]), np.array([20, 12, 5, 11, 9])
    >>> round(precision(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11)), 3)
    0.667
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return precision_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate))


def precision_of(anomalous_T: Array, alarmed_T: Array) -> float:
    """Return the share of the alarms that are anomalous; without an alarm there is none."""
    if not alarmed_T.any():
        raise Undefined("no alarm at this threshold")
    return float(np.count_nonzero(alarmed_T & anomalous_T) / np.count_nonzero(alarmed_T))


@metric(
    Card(
        name="recall",
        title="Recall (label-free threshold)",
        definition="Share of the anomalous steps that are alarms, at a threshold from calibration.",
        source="point-wise recall, as scikit-learn's recall_score; no point adjustment",
        low=0,
        high=1,
        better="higher",
    )
)
def recall(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the share of the anomalous steps that are alarms, between 0 and 1; higher is better.

    ``TP / (TP + FN)`` of the alarms ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``. No alarm
    gives 0; without an anomalous step it is `Undefined`.

    Of three anomalous steps, two are above 9.9.

    >>> labels_T, scores_T = np.array([1, 1, 1, 0, 0]), np.array([20, 12, 5, 11, 9])
    >>> round(recall(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11)), 3)
    0.667
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return recall_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate))


def recall_of(anomalous_T: Array, alarmed_T: Array) -> float:
    """Return the share of the anomalous steps that are alarms."""
    return float(np.count_nonzero(alarmed_T & anomalous_T) / np.count_nonzero(anomalous_T))


@metric(
    Card(
        name="f1",
        title="F1 (label-free threshold)",
        definition="Harmonic mean of point-wise precision and recall of the scores above a threshold from calibration.",
        source="point-wise F1, as scikit-learn's f1_score; no point adjustment",
        low=0,
        high=1,
        better="higher",
    )
)
def f1(*, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01) -> float:
    """Return the point-wise F1 at a threshold set without labels, between 0 and 1; higher is better.

    ``2 TP / (2 TP + FP + FN)`` of the alarms ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``,
    step by step. No alarm gives 0; without an anomalous step it is `Undefined`.

    The threshold is 9.9: one hit, one miss, one false alarm.

    >>> labels_T, scores_T = np.array([1, 1, 0, 0]), np.array([20, 5, 11, 9])
    >>> f1(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.5
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return f1_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate))


def f1_of(anomalous_T: Array, alarmed_T: Array) -> float:
    """Return the point-wise F1 of alarms."""
    hits = np.count_nonzero(alarmed_T & anomalous_T)
    return float(2 * hits / (np.count_nonzero(alarmed_T) + np.count_nonzero(anomalous_T)))


@metric(
    Card(
        name="f1-oracle",
        title="F1 (best threshold, chosen on the labels)",
        definition="The highest point-wise F1 that any threshold reaches; the labels choose the threshold.",
        source="best F1 over the precision-recall curve, as from scikit-learn's precision_recall_curve",
        low=0,
        high=1,
        better="higher",
    )
)
def f1_oracle(*, labels_T: Array, scores_T: Array, grid: Grid = 0) -> float:
    """Return the highest point-wise F1 over all thresholds, between 0 and 1; higher is better.

    The maximum of `f1` over the alarms ``scores_T >= s`` for every distinct score s, exactly. Constant scores
    alarm every step and get ``2 p / (1 + p)`` for a share p of anomalous steps. Without an anomalous step it is
    `Undefined`.

    Alarms at 4 and above: two hits, one false alarm, no miss.

    >>> f1_oracle(labels_T=np.array([1, 0, 1, 0]), scores_T=np.array([9, 5, 4, 1]))
    0.8
    """
    found = sweep(labels_T, scores_T, grid)
    return best(2 * found.true_J / (found.alarms_J + len(found.steps_N)))


def harmonic(precision_J: Array | float, recall_J: Array | float) -> Array:
    """Return the harmonic mean of precision and recall, 0 where both are."""
    total_J = np.maximum(np.add(precision_J, recall_J), np.finfo(np.float64).tiny)
    return np.asarray(2 * precision_J * recall_J / total_J)


@metric(
    Card(
        name="false-alarm-rate",
        title="False-alarm rate (realised)",
        definition="Share of the normal steps that score above a threshold from calibration.",
        source="false-positive rate; set it against nominal-false-alarm-rate",
        low=0,
        high=1,
        better="lower",
    )
)
def false_alarm_rate(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the share of the normal steps that are alarms, between 0 and 1; lower is better.

    ``FP / (FP + TN)`` of the alarms ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``. A
    calibrated detector has a value near `rate`. Without a normal step it is `Undefined`.

    Of two normal steps, one is above 9.9.

    >>> labels_T, scores_T = np.array([1, 1, 0, 0]), np.array([20, 5, 11, 9])
    >>> false_alarm_rate(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.5
    """
    normal_T = _normal(labels_T, scores_T)
    alarmed_T = alarms(scores_T, calibration_T, rule=rule, rate=rate)
    return float(np.count_nonzero(alarmed_T & normal_T) / np.count_nonzero(normal_T))


@metric(
    Card(
        name="false-alarms-per-1000",
        title="False alarms per 1,000 normal steps",
        definition="How many of 1,000 normal steps score above a threshold from calibration.",
        source="false-alarm-rate times 1,000",
        low=0,
        high=1000,
        better="lower",
    )
)
def false_alarms_per_1000(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return how many of 1,000 normal steps are alarms, between 0 and 1,000; lower is better.

    ``1000 FP / (FP + TN)``, as `false_alarm_rate`.

    >>> labels_T, scores_T = np.array([1, 1, 0, 0]), np.array([20, 5, 11, 9])
    >>> false_alarms_per_1000(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    500.0
    """
    given = {"labels_T": labels_T, "scores_T": scores_T, "calibration_T": calibration_T}
    return 1000 * false_alarm_rate(**given, rule=rule, rate=rate)


@metric(
    Card(
        name="nominal-false-alarm-rate",
        title="False-alarm rate (nominal)",
        definition="The false-alarm rate that the threshold of false-alarm-rate was set for: its option rate.",
        source="the option itself; defined where false-alarm-rate is",
        low=0,
        high=1,
        better="neither",
    )
)
def nominal_false_alarm_rate(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return `rate`, wherever `false_alarm_rate` with the same options has a value.

    It stands beside the realised rate in tables; neither direction is better.

    >>> scores_T = np.arange(11)
    >>> nominal_false_alarm_rate(labels_T=scores_T > 9, scores_T=scores_T, calibration_T=scores_T, rate=0.05)
    0.05
    """
    _normal(labels_T, scores_T)
    threshold(calibration_T, rule=rule, rate=rate)
    return rate


def _normal(labels_T: Array, scores_T: Array) -> Array:
    normal_T: Array = ~check(labels_T, scores_T=scores_T)
    if not normal_T.any():
        raise Undefined("no normal step in the labels")
    return normal_T
