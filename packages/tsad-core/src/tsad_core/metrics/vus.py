"""Volume under the surface (VUS): areas under range-aware curves, averaged over the width of the events' margins.

At margin width w an event's neighbours count as partly anomalous: a normal step at distance
``d <= w // 2`` of one event has the soft label ``sqrt(1 - d / w)``, and 1 within reach of two or more.
Only the steps near an event are ever looked at, so beyond one sort the work does not grow with
the length of the series.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from tsad_core import windows
from tsad_core.errors import OptionError, Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import ascending, check, shared, spans
from tsad_core.series import Array

Window = Annotated[int, Ge(0)] | Literal["period"]
"""Largest width of the margins in steps, or ``"period"``: the main period of the training part."""

THRESHOLDS = 250
"""How many points each curve has: thresholds at evenly spaced ranks."""

_FAR = np.iinfo(np.int64).max // 4


@metric(
    Card(
        name="vus-pr",
        title="VUS-PR (window: training period)",
        definition="Area under the range-aware precision-recall curve, averaged over margin widths up to the window.",
        source="Paparrizos et al., VLDB 2022; as in TSB-AD 1.5 and vus 0.0.6 (250 thresholds)",
        low=0,
        high=1,
        better="higher",
    )
)
def vus_pr(*, labels_T: Array, scores_T: Array, train_TC: Array | None = None, window: Window = "period") -> float:
    """Return the volume under the range-aware precision-recall surface, between 0 and 1; higher is better.

    For every width w in 0..window and each of 250 thresholds at evenly spaced ranks, with alarms
    ``scores_T >= threshold``: TP is the sum of the labels over the alarms (1 in an event, soft beside it),
    precision is TP / alarms, and recall is ``min(TP / (P + soft / 2), 1)`` times the share of events,
    merged where their margins touch, that hold an alarm; P counts anomalous steps and `soft` is the
    soft part of TP. The area is the sum of precision times rise of recall. `train_TC` is
    needed for ``window="period"`` only. Constant scores are one alarm that covers every step. Without an
    anomalous step it is `Undefined`; without a normal one it is 1.

    The highest score comes one step late. Widths 0 and 1 have no margin: average precision 1/2. At
    width 2 the late step has label ``r = sqrt(1/2)`` and recall ``r / (1 + r/2) = 0.522``, so the area is
    ``0.522 * r + 0.478 * (1 + r) / 2 = 0.777``.

    >>> round(vus_pr(labels_T=np.array([0, 1, 0, 0]), scores_T=np.array([0, 1, 2, 0]), window=2), 3)
    0.592
    """
    return _volumes(labels_T, scores_T, _width(window, train_TC))[1]


@metric(
    Card(
        name="vus-roc",
        title="VUS-ROC (window: training period)",
        definition="Area under the range-aware ROC curve, averaged over margin widths up to the window.",
        source="Paparrizos et al., VLDB 2022; as in TSB-AD 1.5 and vus 0.0.6 (250 thresholds)",
        low=0,
        high=1,
        better="higher",
    )
)
def vus_roc(*, labels_T: Array, scores_T: Array, train_TC: Array | None = None, window: Window = "period") -> float:
    """Return the volume under the range-aware ROC surface, between 0 and 1; higher is better.

    Terms are those of `vus_pr`; the false-positive rate is ``(alarms - TP) / (T - P - soft / 2)``, and the area
    is that of the trapezoids from (0, 0) through all thresholds to (1, 1). Random scores get more than 1/2,
    because margins forgive: compare with the random control. Without an anomalous
    step, or without a normal one, it is `Undefined`.

    The highest score comes one step late: 2/3 at widths 0 and 1, 0.918 at width 2.

    >>> round(vus_roc(labels_T=np.array([0, 1, 0, 0]), scores_T=np.array([0, 1, 2, 0]), window=2), 3)
    0.751
    """
    volume = _volumes(labels_T, scores_T, _width(window, train_TC))[0]
    if volume is None:
        raise Undefined("every step is anomalous")
    return volume


def _width(window: Window, train_TC: Array | None) -> int:
    if window == "period":
        if train_TC is None:
            raise OptionError("window = 'period' needs train_TC; give it, or a window in steps")
        return _period(train_TC)
    if window < 0:
        raise OptionError(f"window = {window}; a window is 0 steps or more")
    return window


@shared
def _period(train_TC: Array) -> int:
    return windows.period(train_TC)


@shared
def _volumes(labels_T: Array, scores_T: Array, window: int) -> tuple[float | None, float]:
    """Return the volumes under the ROC and the precision-recall surface; axes are W margin width, J threshold."""
    anomalous_T = check(labels_T, scores_T=scores_T)
    positives = np.count_nonzero(anomalous_T)
    if not positives:
        raise Undefined("no event in the labels")
    if positives == len(anomalous_T):
        # every alarm is right; there is no false-positive rate
        return None, 1.0
    thresholds_J, alarms_J = _thresholds(scores_T)
    ranks_N = _ranks(np.asarray(scores_T)[anomalous_T], thresholds_J)
    events = _events(anomalous_T, ranks_N)
    margin = _margin(events, np.asarray(scores_T), thresholds_J, reach=window // 2)
    soft_WJ = _soft(margin, window)
    true_WJ = _caught(ranks_N) + soft_WJ
    positive_WJ = positives + soft_WJ / 2
    recall_WJ = np.minimum(true_WJ / positive_WJ, 1) * _existence(events, margin, window)
    false_rate_WJ = (alarms_J - true_WJ) / (len(anomalous_T) - positive_WJ)
    return _roc(false_rate_WJ, recall_WJ), _pr(true_WJ / alarms_J, recall_WJ)


def _roc(false_rate_WJ: Array, recall_WJ: Array) -> float:
    ends: Any = {"pad_width": ((0, 0), (1, 1)), "constant_values": ((0, 0), (0, 1))}
    return float(np.trapezoid(np.pad(recall_WJ, **ends), np.pad(false_rate_WJ, **ends)).mean())


def _pr(precision_WJ: Array, recall_WJ: Array) -> float:
    return float((np.diff(recall_WJ, prepend=0) * precision_WJ).sum(axis=1).mean())


def _thresholds(scores_T: Array) -> tuple[Array, Array]:
    """Falling thresholds, and how many scores reach each."""
    sorted_T = ascending(scores_T)
    ranks_J = np.linspace(0, len(sorted_T) - 1, THRESHOLDS).astype(np.int64)
    thresholds_J = sorted_T[len(sorted_T) - 1 - ranks_J]
    return thresholds_J, len(sorted_T) - np.searchsorted(sorted_T, thresholds_J)


def _ranks(scores_N: Array, thresholds_J: Array) -> Array:
    """Index of the first threshold that each score reaches; every score reaches the last."""
    return len(thresholds_J) - np.searchsorted(thresholds_J[::-1], scores_N, side="right")


def _caught(ranks_N: Array) -> Array:
    """How many of the steps reach each threshold."""
    return np.cumsum(np.bincount(ranks_N, minlength=THRESHOLDS))


@dataclass(frozen=True)
class _Events:
    """The events K: first step, step after the last, and rank of the highest score."""

    starts_K: Array
    stops_K: Array
    ranks_K: Array
    steps: int


def _events(anomalous_T: Array, ranks_N: Array) -> _Events:
    starts_K, stops_K = spans(anomalous_T)
    first_K = np.cumsum(stops_K - starts_K) - (stops_K - starts_K)
    return _Events(starts_K, stops_K, np.minimum.reduceat(ranks_N, first_K), len(anomalous_T))


@dataclass(frozen=True)
class _Margin:
    """The normal steps N within reach of an event, nearest first."""

    distance_N: Array
    """To the nearest event."""
    second_N: Array
    """To the second nearest event."""
    owner_N: Array
    """Which event is the nearest."""
    ranks_N: Array


def _margin(events: _Events, scores_T: Array, thresholds_J: Array, *, reach: int) -> _Margin:
    steps_N, gap_N = _neighbours(events, reach)
    ends_K = np.concatenate([[-_FAR, -_FAR], events.stops_K - 1])
    starts_K = np.concatenate([events.starts_K, [_FAR, _FAR]])
    left_N, right_N = steps_N - ends_K[gap_N + 1], starts_K[gap_N] - steps_N
    next_N = np.minimum(steps_N - ends_K[gap_N], starts_K[gap_N + 1] - steps_N)
    distance_N = np.minimum(left_N, right_N)
    second_N = np.minimum(np.maximum(left_N, right_N), next_N)
    owner_N = np.where(left_N <= right_N, gap_N - 1, gap_N)
    order_N = np.argsort(distance_N, kind="stable")
    ranks_N = _ranks(scores_T[steps_N], thresholds_J)
    return _Margin(distance_N[order_N], second_N[order_N], owner_N[order_N], ranks_N[order_N])


def _neighbours(events: _Events, reach: int) -> tuple[Array, Array]:
    """Return the normal steps at most `reach` from an event, each with its gap: gap g lies before event g."""
    from_G = np.concatenate([[0], events.stops_K])
    to_G = np.concatenate([events.starts_K, [events.steps]])
    after_G = np.minimum(to_G - from_G, reach)
    after_G[0] = 0
    before_G = np.minimum(to_G - from_G - after_G, reach)
    before_G[-1] = 0
    gap_G = np.arange(len(from_G))
    steps = _ranges(np.concatenate([from_G, to_G - before_G]), np.concatenate([after_G, before_G]))
    return steps, np.concatenate([np.repeat(gap_G, after_G), np.repeat(gap_G, before_G)])


def _ranges(first_G: Array, length_G: Array) -> Array:
    before_G = np.cumsum(length_G) - length_G
    return np.repeat(first_G - before_G, length_G) + np.arange(length_G.sum())


def _soft(margin: _Margin, window: int) -> Array:
    """Sum of the soft labels of the margin's steps that reach each threshold, for each width."""
    reach = window // 2
    count_DJ = np.zeros((reach + 1, THRESHOLDS))
    np.add.at(count_DJ, (margin.distance_N, margin.ranks_N), 1)
    full_J = np.zeros(THRESHOLDS)
    soft_WJ = np.zeros((window + 1, THRESHOLDS))
    for radius, joined_M in enumerate(_by_value(margin.second_N, reach)):
        # within reach of a second event the label is no longer soft
        np.subtract.at(count_DJ, (margin.distance_N[joined_M], margin.ranks_N[joined_M]), 1)
        full_J += np.bincount(margin.ranks_N[joined_M], minlength=THRESHOLDS)
        for width in range(max(2 * radius, 2), min(2 * radius + 1, window) + 1):
            label_D = np.sqrt(1 - np.arange(radius + 1) / width)
            soft_WJ[width] = label_D @ count_DJ[: radius + 1] + full_J
    return np.cumsum(soft_WJ, axis=1)


def _existence(events: _Events, margin: _Margin, window: int) -> Array:
    """Share of the events that hold an alarm, by threshold and width; events with touching margins are one."""
    distance_K = events.starts_K[1:] - events.stops_K[:-1] + 1
    ranks_K = events.ranks_K.copy()
    share_RJ = np.empty((window // 2 + 1, THRESHOLDS))
    for radius, ring_M in enumerate(_by_value(margin.distance_N, window // 2)):
        np.minimum.at(ranks_K, margin.owner_N[ring_M], margin.ranks_N[ring_M])
        first_G = np.flatnonzero(np.concatenate([[True], distance_K > 2 * radius]))
        share_RJ[radius] = _caught(np.minimum.reduceat(ranks_K, first_G)) / len(first_G)
    return share_RJ[np.arange(window + 1) // 2]


def _by_value(values_N: Array, highest: int) -> list[Array]:
    """Positions of the values 0, 1, …, `highest`, one array each."""
    near_M = np.flatnonzero(values_N <= highest)
    near_M = near_M[np.argsort(values_N[near_M], kind="stable")]
    return np.split(near_M, np.searchsorted(values_N[near_M], np.arange(1, highest + 1)))
