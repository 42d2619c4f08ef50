"""Hits among the highest peaks, for series with one event, as in the UCR Anomaly Archive."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import check, spans
from tsad_core.series import Array

Slack = Annotated[int, Ge(0)]
"""How many steps beside the event still count as the event."""


@metric(
    Card(
        name="ucr-hit",
        title="UCR accuracy",
        definition="Whether the highest score lies on the one event or within 100 steps of it.",
        source="Wu and Keogh, TKDE 2023 (UCR Anomaly Archive)",
        low=0,
        high=1,
        better="higher",
    )
)
def ucr_hit(*, labels_T: Array, scores_T: Array, slack: Slack = 100) -> float:
    """Return 1 if the highest score lies in [begin - slack, end + slack] of the one event, else 0.

    `begin` and `end` are the first and last anomalous step. If several steps share the highest score,
    the share of them that lies inside: what a random choice among them would hit on average. Between
    0 and 1; higher is better. Labels with no event, or with several, make it `Undefined`.

    >>> ucr_hit(labels_T=np.array([0, 0, 0, 1, 0, 0]), scores_T=np.array([0, 0, 9, 5, 0, 9]), slack=1)
    0.5
    """
    return _hit(labels_T, scores_T, slack=slack, peaks=1)


@metric(
    Card(
        name="top-3",
        title="Top-3 accuracy",
        definition="Whether one of the 3 highest peaks lies on the one event or within 100 steps of it.",
        source="after Lee et al., TimeVQVAE-AD, Pattern Recognition 2024; peaks by non-maximum suppression",
        low=0,
        high=1,
        better="higher",
    )
)
def top_3(*, labels_T: Array, scores_T: Array, slack: Slack = 100) -> float:
    """Return 1 if one of the three highest peaks lies in [begin - slack, end + slack] of the one event, else 0.

    The first peak is the highest step; steps within `slack` of a peak are out, and the next peak is
    the highest of the others. A peak tied between several steps is a hit with the share of them that
    lies inside; should it miss, the tied step farthest from the event is the peak. So the value is at
    least that of `ucr_hit`, and constant scores get about the chance of three random steps. Between 0 and 1;
    higher is better. Labels with no event, or with several, make it `Undefined`.

    The peaks are 9, 7 and 5: with slack 1, the 8 beside the 9 is none.

    >>> scores_T = np.array([0, 9, 8, 0, 7, 0, 0, 5, 0, 4])
    >>> top_3(labels_T=np.arange(10) == 7, scores_T=scores_T, slack=1)
    1.0
    >>> top_3(labels_T=np.arange(10) == 9, scores_T=scores_T, slack=0)
    0.0
    """
    return _hit(labels_T, scores_T, slack=slack, peaks=3)


@metric(
    Card(
        name="top-5",
        title="Top-5 accuracy",
        definition="Whether one of the 5 highest peaks lies on the one event or within 100 steps of it.",
        source="after Lee et al., TimeVQVAE-AD, Pattern Recognition 2024; peaks by non-maximum suppression",
        low=0,
        high=1,
        better="higher",
    )
)
def top_5(*, labels_T: Array, scores_T: Array, slack: Slack = 100) -> float:
    """Return 1 if one of the five highest peaks lies in [begin - slack, end + slack] of the one event, else 0.

    As `top_3`, with five peaks.

    >>> scores_T = np.array([0, 9, 8, 0, 7, 0, 0, 5, 0, 4])
    >>> top_5(labels_T=np.arange(10) == 9, scores_T=scores_T, slack=0)
    1.0
    """
    return _hit(labels_T, scores_T, slack=slack, peaks=5)


def _hit(labels_T: Array, scores_T: Array, *, slack: int, peaks: int) -> float:
    starts_K, stops_K = spans(check(labels_T, scores_T=scores_T))
    if len(starts_K) != 1:
        raise Undefined(f"the labels hold {len(starts_K)} events, not exactly one")
    first, last = starts_K[0] - slack, stops_K[0] - 1 + slack
    rest_T = np.array(scores_T, dtype=np.float64)
    missed = 1.0
    for _ in range(peaks):
        tied_N = np.flatnonzero(rest_T == rest_T.max())
        outside_N = tied_N[(tied_N < first) | (tied_N > last)]
        missed *= len(outside_N) / len(tied_N)
        if not missed:
            break
        peak = outside_N[0] if first - outside_N[0] > outside_N[-1] - last else outside_N[-1]
        rest_T[max(peak - slack, 0) : peak + slack + 1] = -np.inf
        if np.isneginf(rest_T.max()):
            break
    return 1 - missed
