"""Areas under the curves of a ranking of steps: average precision and ROC."""

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
