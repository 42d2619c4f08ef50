"""Areas under the curves of a ranking of steps: average precision and ROC.

Also here, because every metric of labels and scores begins with them: the check of what it is
given, and the memory that lets metrics called in turn on the same arrays share a sort.
"""

import functools
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tsad_core.errors import DataError, Undefined
from tsad_core.metric import Card, metric
from tsad_core.series import Array

Function = TypeVar("Function", bound=Callable[..., Any])


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


def check(labels_T: Array, **values: Array) -> Array:
    """Return the labels as bool; labels or values that no metric can use raise `DataError`.

    Values are finite, one per label; those whose name ends in ``_TC`` have a second axis, the channels.
    """
    anomalous_T = marks("labels_T", labels_T)
    for name, value in {"labels_T": labels_T, **values}.items():
        axes = len(name.rpartition("_")[2])
        given = np.asarray(value)
        if given.ndim != axes or len(given) != len(anomalous_T):
            wanted = (len(anomalous_T), "channels")[:axes]
            raise DataError(f"{name} has shape {given.shape}; expected {wanted}, one row per label")
        if not np.isfinite(given).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(given))[0])
            raise DataError(f"{name} is {given[where]} at {where}; a metric takes finite values only")
    return anomalous_T


def marks(name: str, given: Array) -> Array:
    """Return marks of 0 and 1 as bool; other values, such as soft labels, raise `DataError`."""
    values = np.asarray(given)
    if values.ndim == 0:
        raise DataError(f"{name} is a single value; expected one per step")
    if values.dtype == bool:
        return values
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        raise DataError(f"{name} holds {values[wrong][0]}; only 0 and 1 are allowed: round soft labels first")
    return values.astype(bool)


def shared(function: Function) -> Function:
    """Make a function of arrays keep its last result for as long as those arrays live.

    Only for read-only arrays, known by their identity: others may have changed since.
    """
    kept: dict[tuple[object, ...], tuple[object, list[object]]] = {}

    @functools.wraps(function)
    def call(*given: Any) -> Any:
        if any(_may_change(value) for value in given):
            return function(*given)
        arrays = [value for value in given if isinstance(value, np.ndarray)]
        key = tuple(id(value) if isinstance(value, np.ndarray) else value for value in given)
        found = kept.get(key)
        if found:
            return found[0]
        result = function(*given)
        kept.clear()
        # an identity may be given again once its array is gone, so the result goes with it
        kept[key] = result, [weakref.ref(array, lambda _: kept.pop(key, None)) for array in arrays]
        return result

    return call  # type: ignore[return-value]  # same signature


def _may_change(value: object) -> bool:
    if not isinstance(value, np.ndarray):
        return not isinstance(value, int)
    owner = value if value.base is None else value.base
    return value.flags.writeable or not isinstance(owner, np.ndarray) or owner.flags.writeable


@shared
def ascending(scores_T: Array) -> Array:
    """Return the scores in ascending order, not to be changed."""
    return np.sort(scores_T)
