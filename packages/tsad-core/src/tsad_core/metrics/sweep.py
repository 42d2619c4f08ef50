"""From scores to alarms: at one threshold set without labels, or at every threshold in one sweep.

Without labels an alarm is a score above the threshold. A sweep takes each distinct score in turn as the
threshold and alarms the steps that reach it (``>=``), so the alarms are always the first so many steps of
`falling`: one sort serves every metric, and a set of alarms is known by their number, a cut.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from tsad_core.errors import Undefined
from tsad_core.metrics.inputs import check, shared, spans
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule, threshold

Grid = Annotated[int, Ge(0)]
"""Thresholds of an oracle: 0 for every distinct score, exactly; else so many even ones from the lowest score to the
highest, with alarms above them only. TSB-AD's grid is 100."""


def anomalies(labels_T: Array, scores_T: Array) -> Array:
    """Return which steps are anomalous; without any there is no value."""
    anomalous_T = check(labels_T, scores_T=scores_T)
    if not anomalous_T.any():
        raise Undefined("no event in the labels")
    return anomalous_T


def alarms(scores_T: Array, calibration_T: Array, *, rule: Rule, rate: Rate) -> Array:
    """Return which scores are above the threshold that a rule derives from calibration scores."""
    # a Python float would be rounded to the precision of float32 scores
    limit = np.float64(threshold(calibration_T, rule=rule, rate=rate))
    alarmed_T: Array = np.asarray(scores_T) > limit
    return alarmed_T


@shared
def falling(scores_T: Array) -> Array:
    """Return the steps from the highest score to the lowest, not to be changed."""
    return np.argsort(scores_T)[::-1]


@shared
def ranks(scores_T: Array) -> Array:
    """Return the place of each step in `falling`: no two are the same, not to be changed."""
    ranks_T = np.empty(len(scores_T), dtype=np.int64)
    ranks_T[falling(scores_T)] = np.arange(len(scores_T))
    return ranks_T


@shared
def cuts(scores_T: Array, grid: int) -> Array:
    """Return how many alarms each threshold yields, fewest first."""
    sorted_T = np.asarray(scores_T)[falling(scores_T)]
    if not grid:
        return np.append(np.flatnonzero(sorted_T[1:] != sorted_T[:-1]) + 1, len(sorted_T))
    thresholds_J = np.linspace(sorted_T[-1], sorted_T[0], grid)[::-1]
    return len(sorted_T) - np.searchsorted(sorted_T[::-1], thresholds_J, side="right")


@dataclass(frozen=True)
class Sweep:
    """What a sweep finds: N anomalous steps from the highest score to the lowest, K events, J cuts."""

    steps_N: Array
    when_N: Array
    """Place of each among all steps in `falling`."""
    event_N: Array
    nth_N: Array
    """Place of each among the steps of its event: 1 is the highest score."""
    by_event_N: Array
    """Their order event by event, the highest score of an event first."""
    length_K: Array
    alarms_J: Array
    """Cuts; of those that find equally many anomalous steps only the one with fewest alarms."""
    true_J: Array
    """Anomalous steps among the alarms."""

    def found(self, gain_N: Array) -> Array:
        """Return, for each cut, the sum of what the anomalous steps among the alarms gain."""
        gained: Array = np.concatenate([[0], np.cumsum(gain_N)])[self.true_J]
        return gained


@shared
def sweep(labels_T: Array, scores_T: Array, grid: int) -> Sweep:
    """Return what the events gain as the threshold falls; without an event there is no value."""
    anomalous_T = anomalies(labels_T, scores_T)
    starts_K, stops_K = spans(anomalous_T)
    length_K = stops_K - starts_K
    found_T = anomalous_T[falling(scores_T)]
    when_N = np.flatnonzero(found_T)
    steps_N = falling(scores_T)[when_N]
    event_N = np.searchsorted(starts_K, steps_N, side="right") - 1
    by_event_N = np.argsort(event_N, kind="stable")
    nth_N = np.empty_like(steps_N)
    nth_N[by_event_N] = np.arange(1, len(steps_N) + 1) - np.repeat(np.cumsum(length_K) - length_K, length_K)
    cut_J = cuts(scores_T, grid)
    true_J = np.searchsorted(when_N, cut_J)
    better_J = np.diff(true_J, prepend=0) > 0
    return Sweep(steps_N, when_N, event_N, nth_N, by_event_N, length_K, cut_J[better_J], true_J[better_J])


def best(values_J: Array) -> float:
    """Return the highest value, or 0, which is that of no alarm."""
    return float(np.max(values_J, initial=0.0))


def fixed(values: Array, steps: int) -> Array:
    """Return values of about 1 as integers: sums of them, and what is taken away again, leave no rounding behind."""
    return np.rint(values * _one(steps)).astype(np.int64)


def curve(changes_N: Array, when_N: Array, steps: int) -> Array:
    """Return the sum of the changes, made with `fixed`, after 0, 1, …, `steps` alarms."""
    changes_A = np.zeros(steps + 1, dtype=np.int64)
    np.add.at(changes_A, when_N + 1, changes_N)
    return np.cumsum(changes_A) / _one(steps)


def changes(values_N: Array, first_N: Array, steps: int) -> Array:
    """Return by how much each group's value changes, of values that lie group by group, as `fixed`."""
    fixed_N = fixed(values_N, steps)
    before_N = np.concatenate([[0], fixed_N[:-1]])
    return fixed_N - np.where(first_N, 0, before_N)


def restarted(values_N: Array, first_N: Array) -> Array:
    """Return cumulative sums that begin anew with each group, of values that lie group by group."""
    sums_N = np.cumsum(values_N)
    before_N = np.append(0, sums_N[:-1])[first_N]
    restarted_N: Array = sums_N - before_N[np.cumsum(first_N) - 1]
    return restarted_N


def _one(steps: int) -> float:
    return 2.0 ** (60 - steps.bit_length())
