"""Areas under the curves of a ranking of steps: precision-recall, in two ways, and ROC."""

import math
from typing import Literal

import numpy as np

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import ascending, check
from tsad_core.series import Array


@metric(
    Card(
        name="auc-pr",
        title="AUC-PR (average precision)",
        definition="Mean, over the anomalous steps, of the precision of alarming all steps that score no lower.",
        source="average precision, as scikit-learn's average_precision_score",
        low=0,
        high=1,
        better="higher",
    )
)
def auc_pr(*, labels_T: Array, scores_T: Array) -> float:
    """Return the average precision, between 0 and 1; higher is better.

    The sum over descending distinct scores s of (R(s) - R(s+)) P(s), where P and R are precision and
    recall of the alarms ``scores_T >= s`` and s+ is the next higher score: no interpolation. Equal to
    scikit-learn's ``average_precision_score``. Constant scores, and random ones on average, get the
    share of anomalous steps; without an anomalous step it is `Undefined`.

    Two anomalous steps, ranked first and third: precision 1/1 and 2/3.

    >>> auc_pr(labels_T=np.array([1, 0, 1, 0]), scores_T=np.array([4, 3, 2, 1]))
    0.8333333333333333
    """
    anomalous_T = check(labels_T, scores_T=scores_T)
    anomalous_N = _anomalous(anomalous_T, scores_T)
    found_N = len(anomalous_N) - np.searchsorted(anomalous_N, anomalous_N)
    alarmed_N = len(scores_T) - np.searchsorted(ascending(scores_T), anomalous_N)
    return float(np.mean(found_N / alarmed_N))


@metric(
    Card(
        name="auc-pr-trapezoid",
        title="AUC-PR (trapezoid)",
        definition="Area of the trapezoids under the precision-recall curve, which starts at precision 1.",
        source="auc(recall, precision) of scikit-learn's precision_recall_curve; as in aeon",
        low=0,
        high=1,
        better="higher",
    )
)
def auc_pr_trapezoid(*, labels_T: Array, scores_T: Array) -> float:
    """Return the area under the linearly interpolated precision-recall curve, between 0 and 1; higher is better.

    The sum over descending distinct scores s of ``(R(s) - R(s+)) (P(s) + P(s+)) / 2`` in the terms of `auc_pr`,
    with precision 1 at recall 0. Equal to ``auc(recall, precision)`` of scikit-learn's ``precision_recall_curve``
    and to aeon's ``pr_auc_score``. Interpolation is generous: constant scores get ``(1 + share of anomalous
    steps) / 2``, so ties pay; prefer `auc_pr`. Without an anomalous step it is `Undefined`.

    Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1, after precision 1 at recall 0: ``1/2 + (1/2 + 2/3) / 4``.

    >>> round(auc_pr_trapezoid(labels_T=np.array([1, 0, 1, 0]), scores_T=np.array([4, 3, 2, 1])), 4)
    0.7917
    """
    anomalous_T = check(labels_T, scores_T=scores_T)
    anomalous_N = _anomalous(anomalous_T, scores_T)
    at_N, above_N = (_precision(ascending(scores_T), anomalous_N, side) for side in ("left", "right"))
    return float(np.mean(at_N + above_N) / 2)


def _precision(sorted_T: Array, anomalous_N: Array, side: Literal["left", "right"]) -> Array:
    """Precision at each anomalous step's score (left) or at the next higher one (right), where no alarm gives 1."""
    found_N = len(anomalous_N) - np.searchsorted(anomalous_N, anomalous_N, side)
    alarmed_N = len(sorted_T) - np.searchsorted(sorted_T, anomalous_N, side)
    return np.divide(found_N, alarmed_N, out=np.ones(len(found_N)), where=alarmed_N > 0)


@metric(
    Card(
        name="auc-pr-relative",
        title="AUC-PR (average precision, relative to prevalence)",
        definition="(AUC-PR - p) / (1 - p), p the share of anomalous steps: 0 for constant scores, 1 at best.",
        source="average precision, corrected for the score of constant scores",
        low=-math.inf,
        high=1,
        better="higher",
    )
)
def auc_pr_relative(*, labels_T: Array, scores_T: Array) -> float:
    """Return how far the average precision rises from prevalence towards 1; at most 1, higher is better.

    ``(auc_pr - p) / (1 - p)`` with p the share of anomalous steps, the value of constant scores and about that of
    random ones. Worse than that is negative, without a bound as p nears 1. Without an anomalous step, or without
    a normal one, it is `Undefined`.

    Average precision 5/6 where 1/2 is chance.

    >>> round(auc_pr_relative(labels_T=np.array([1, 0, 1, 0]), scores_T=np.array([4, 3, 2, 1])), 4)
    0.6667
    """
    return _relative(auc_pr(labels_T=labels_T, scores_T=scores_T), labels_T)


@metric(
    Card(
        name="auc-pr-trapezoid-relative",
        title="AUC-PR (trapezoid, relative to prevalence)",
        definition="(AUC-PR by trapezoids - p) / (1 - p), p the share of anomalous steps; constant scores get 1/2.",
        source="auc(recall, precision) of scikit-learn's precision_recall_curve, corrected for prevalence",
        low=-math.inf,
        high=1,
        better="higher",
    )
)
def auc_pr_trapezoid_relative(*, labels_T: Array, scores_T: Array) -> float:
    """Return how far `auc_pr_trapezoid` rises from prevalence towards 1; at most 1, higher is better.

    ``(auc_pr_trapezoid - p) / (1 - p)`` with p the share of anomalous steps. Random scores without ties get about
    0, but constant ones 1/2: the trapezoid's gift to ties. It may be negative, without a bound as p nears 1.
    Without an anomalous step, or without a normal one, it is `Undefined`.

    >>> auc_pr_trapezoid_relative(labels_T=np.array([1, 0, 0, 0]), scores_T=np.ones(4))
    0.5
    """
    return _relative(auc_pr_trapezoid(labels_T=labels_T, scores_T=scores_T), labels_T)


def _relative(area: float, labels_T: Array) -> float:
    prevalence = float(np.mean(labels_T))
    if prevalence == 1:
        raise Undefined("every step is anomalous")
    return (area - prevalence) / (1 - prevalence)


@metric(
    Card(
        name="auc-roc",
        title="AUC-ROC",
        definition="Probability that an anomalous step scores higher than a normal one; a tie counts one half.",
        source="Mann-Whitney statistic, as scikit-learn's roc_auc_score",
        low=0,
        high=1,
        better="higher",
    )
)
def auc_roc(*, labels_T: Array, scores_T: Array) -> float:
    """Return the area under the ROC curve, between 0 and 1; higher is better, and 1/2 is chance.

    The share of pairs of an anomalous and a normal step in which the anomalous one scores higher,
    ties counting one half. Equal to scikit-learn's ``roc_auc_score``. Without an anomalous step, or
    without a normal one, it is `Undefined`.

    Of the four pairs below, 3 are in order.

    >>> auc_roc(labels_T=np.array([1, 0, 1, 0]), scores_T=np.array([4, 3, 2, 1]))
    0.75
    """
    anomalous_T = check(labels_T, scores_T=scores_T)
    anomalous_N = _anomalous(anomalous_T, scores_T)
    normal = len(scores_T) - len(anomalous_N)
    if not normal:
        raise Undefined("every step is anomalous")
    # steps below plus steps not above, among all steps less those among the anomalous ones
    twice = _below(ascending(scores_T), anomalous_N) - _below(anomalous_N, anomalous_N)
    return twice / (2 * len(anomalous_N) * normal)


def _anomalous(anomalous_T: Array, scores_T: Array) -> Array:
    if not anomalous_T.any():
        raise Undefined("no event in the labels")
    return np.sort(np.asarray(scores_T)[anomalous_T])


def _below(sorted_T: Array, values_N: Array) -> int:
    return sum(int(np.searchsorted(sorted_T, values_N, side).sum()) for side in ("left", "right"))
