"""Range-based precision and recall: runs of alarms against events, by how much of each the other covers, and where.

Precision is the mean over the runs of alarms, recall over the events, of a reward: the share of the run or event
that the other kind covers, its steps weighted by position, and divided by the number of pieces it is covered in.
"""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import spans
from tsad_core.metrics.points import harmonic
from tsad_core.metrics.rewards import Bias, Cardinality, precision_curve, prefix, recall_curves, reward
from tsad_core.metrics.sweep import Grid, alarms, anomalies, best, cuts
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule

Alpha = Annotated[float, Ge(0), Le(1)]
"""The part of an event's reward that its first alarm earns, wherever it lies."""

Samples = Annotated[int, Ge(0)]
"""Points of a curve: 0 for one at every distinct score, else about so many, taken as aeon's `max_samples` does (50)."""

_SOURCE = "Tatbul et al., NeurIPS 2018"


@metric(
    Card(
        name="range-precision",
        title="Range-based precision (label-free threshold)",
        definition="Mean over the runs of alarms of the share that lies in events, over the number of events it "
        "touches.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def range_precision(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
    bias: Bias = "flat",
    cardinality: Cardinality = "reciprocal",
) -> float:
    """Return the range-based precision, between 0 and 1; higher is better.

    The mean over the runs of alarms, ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``, of the weight of
    their anomalous steps over the weight of all, divided by how many events they touch unless ``cardinality="one"``.
    Step i of n weighs 1 (flat), n + 1 - i (front), i (back), or i up to n / 2 and n + 1 - i after it (middle).
    Without an alarm, or without an event, it is `Undefined`.

    One run lies in the event with two steps of three, the other not at all.

    >>> labels_T, scores_T = np.array([1, 1, 0, 0, 0]), np.array([20, 11, 12, 0, 13])
    >>> round(range_precision(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11)), 3)
    0.333
    """
    anomalous_T = anomalies(labels_T, scores_T)
    alarmed_T = alarms(scores_T, calibration_T, rule=rule, rate=rate)
    if not alarmed_T.any():
        raise Undefined("no alarm at this threshold")
    return range_precision_of(anomalous_T, alarmed_T, bias=bias, cardinality=cardinality)


def range_precision_of(anomalous_T: Array, alarmed_T: Array, *, bias: Bias, cardinality: Cardinality) -> float:
    """Return the mean reward of the runs of alarms, of which there is one at least."""
    return float(np.mean(reward(prefix(anomalous_T), *spans(alarmed_T), bias, cardinality)))


@metric(
    Card(
        name="range-recall",
        title="Range-based recall (label-free threshold)",
        definition="Mean over the events of a part for being found and a part for the share that is alarmed, over "
        "the number of runs of alarms.",
        source=_SOURCE + "; alpha = 0.2 as in TSB-AD",
        low=0,
        high=1,
        better="higher",
    )
)
def range_recall(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
    alpha: Alpha = 0.2,
    bias: Bias = "flat",
    cardinality: Cardinality = "reciprocal",
) -> float:
    """Return the range-based recall, between 0 and 1; higher is better.

    The mean over the events of ``alpha * found + (1 - alpha) * reward``: `found` is 1 if the event holds an alarm,
    ``scores_T > threshold(calibration_T, rule=rule, rate=rate)``, else 0; the reward is the weight of its alarms over
    that of its steps, weighted as in `range_precision`, divided by the runs of alarms in it unless
    ``cardinality="one"``. No alarm gives 0; without an event it is `Undefined`.

    Of 4 steps 2 are alarms, in two runs: ``0.2 + 0.8 * (2 / 4) / 2``.

    >>> labels_T, scores_T = np.array([1, 1, 1, 1, 0]), np.array([20, 0, 12, 0, 0])
    >>> range_recall(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    0.4
    """
    anomalous_T = anomalies(labels_T, scores_T)
    alarmed_T = alarms(scores_T, calibration_T, rule=rule, rate=rate)
    return range_recall_of(anomalous_T, alarmed_T, alpha=alpha, bias=bias, cardinality=cardinality)


def range_recall_of(
    anomalous_T: Array, alarmed_T: Array, *, alpha: float, bias: Bias, cardinality: Cardinality
) -> float:
    """Return the mean over the events of what being found and being covered earns."""
    reward_K = reward(prefix(alarmed_T), *spans(anomalous_T), bias, cardinality)
    return float(np.mean(alpha * (reward_K > 0) + (1 - alpha) * reward_K))


@metric(
    Card(
        name="range-f1",
        title="Range-based F1 (label-free threshold)",
        definition="Harmonic mean of range-based precision and recall, at a threshold from calibration.",
        source=_SOURCE + "; alpha = 0.2 for recall as in TSB-AD",
        low=0,
        high=1,
        better="higher",
    )
)
def range_f1(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
    alpha: Alpha = 0.2,
    bias: Bias = "flat",
    cardinality: Cardinality = "reciprocal",
) -> float:
    """Return the harmonic mean of `range_precision` and `range_recall`, between 0 and 1; higher is better.

    No alarm gives 0; without an event it is `Undefined`.

    Precision 1, recall 0.4.

    >>> labels_T, scores_T = np.array([1, 1, 1, 1, 0]), np.array([20, 0, 12, 0, 0])
    >>> round(range_f1(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11)), 3)
    0.571
    """
    anomalous_T = anomalies(labels_T, scores_T)
    alarmed_T = alarms(scores_T, calibration_T, rule=rule, rate=rate)
    return range_f1_of(anomalous_T, alarmed_T, alpha=alpha, bias=bias, cardinality=cardinality)


def range_f1_of(anomalous_T: Array, alarmed_T: Array, *, alpha: float, bias: Bias, cardinality: Cardinality) -> float:
    """Return the harmonic mean of range-based precision and recall; without an alarm it is 0."""
    if not alarmed_T.any():
        return 0.0
    precision = range_precision_of(anomalous_T, alarmed_T, bias=bias, cardinality=cardinality)
    recall = range_recall_of(anomalous_T, alarmed_T, alpha=alpha, bias=bias, cardinality=cardinality)
    return float(harmonic(precision, recall))


@metric(
    Card(
        name="range-f1-oracle",
        title="Range-based F1 (best threshold, chosen on the labels)",
        definition="The highest range-based F1 that any threshold reaches; the labels choose the threshold.",
        source=_SOURCE + "; alpha = 0.2 for recall as in TSB-AD",
        low=0,
        high=1,
        better="higher",
    )
)
def range_f1_oracle(
    *,
    labels_T: Array,
    scores_T: Array,
    alpha: Alpha = 0.2,
    bias: Bias = "flat",
    cardinality: Cardinality = "reciprocal",
    grid: Grid = 0,
) -> float:
    """Return the highest range-based F1 over all thresholds, between 0 and 1; higher is better.

    The maximum of `range_f1` over the alarms ``scores_T >= s`` for every distinct score s, exactly: as the threshold
    falls, an alarm only joins the runs on either side of it. Without an event it is `Undefined`.

    Three alarms, one run, three of the four steps: precision 1, recall ``0.2 + 0.8 * 3 / 4``.

    >>> round(range_f1_oracle(labels_T=np.array([1, 1, 1, 1, 0]), scores_T=np.array([20, 11, 12, 0, 5])), 3)
    0.889
    """
    anomalies(labels_T, scores_T)
    precision_A = precision_curve(labels_T, scores_T, bias, cardinality)
    found_A, reward_A = recall_curves(labels_T, scores_T, bias, cardinality)
    cut_J = cuts(scores_T, grid)
    return best(harmonic(precision_A[cut_J], (alpha * found_A + (1 - alpha) * reward_A)[cut_J]))


@metric(
    Card(
        name="range-auc-pr",
        title="Range-based AUC-PR",
        definition="Area under range-based precision over range-based recall, of all thresholds.",
        source=_SOURCE + "; the curve as in aeon's rp_rr_auc_score, the area in steps",
        low=0,
        high=1,
        better="higher",
    )
)
def range_auc_pr(
    *,
    labels_T: Array,
    scores_T: Array,
    alpha: Alpha = 0.2,
    bias: Bias = "flat",
    cardinality: Cardinality = "reciprocal",
    area: Literal["step", "trapezoid"] = "step",
    samples: Samples = 0,
) -> float:
    """Return the area under range-based precision over recall, between 0 and 1; higher is better.

    The alarms ``scores_T >= s`` for every distinct score s but the lowest are each a point of `range_recall` and
    `range_precision`, in the order of recall, then falling precision; alarms everywhere are the last point, of recall
    1 and precision the share of anomalous steps. The area is the sum of precision times rise of recall (``"step"``)
    or the trapezoids from recall 0 and precision 1 on, which flatter (``"trapezoid"``, aeon's with ``alpha=0.5,
    samples=50``). Constant scores get the share of anomalous steps, in steps. Without an event it is `Undefined`.

    Alarms at 9 have recall 0.6 and precision 1, at 5 recall 1 and precision 2/3, everywhere 1 and 1/2.

    >>> round(range_auc_pr(labels_T=np.array([1, 1, 0, 0]), scores_T=np.array([9, 5, 5, 1])), 4)
    0.8667
    """
    anomalous_T = anomalies(labels_T, scores_T)
    found_A, reward_A = recall_curves(labels_T, scores_T, bias, cardinality)
    cut_J = _sampled(cuts(scores_T, 0)[:-1], samples)
    recall_J = (alpha * found_A + (1 - alpha) * reward_A)[cut_J]
    precision_J = precision_curve(labels_T, scores_T, bias, cardinality)[cut_J]
    # recalls that differ by rounding alone are the same
    order_J = np.lexsort((-precision_J, recall_J.round(10)))
    recall_J = np.concatenate([[0.0], recall_J[order_J], [1.0]])
    precision_J = np.concatenate([[1.0], precision_J[order_J], [anomalous_T.mean()]])
    if area == "trapezoid":
        return float(np.trapezoid(precision_J, recall_J))
    return float(np.diff(recall_J) @ precision_J[1:])


def _sampled(cuts_J: Array, samples: int) -> Array:
    """Every n-th cut from the lowest threshold up, and that of the highest, as aeon takes them."""
    if not samples or len(cuts_J) <= samples:
        return cuts_J
    every = len(cuts_J) // max(samples - 1, 1)
    return np.union1d(cuts_J[::-1][::every], cuts_J[:1])
