"""What a run of alarms earns by the events it covers, or an event by the alarms in it: once, and in a sweep."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tsad_core.metrics.inputs import shared, spans
from tsad_core.metrics.neighbours import larger_after, larger_before
from tsad_core.metrics.sweep import changes, curve, fixed, ranks, restarted, sweep
from tsad_core.series import Array

Bias = Literal["flat", "front", "middle", "back"]
"""Which steps of a run or event weigh most: all alike, or falling linearly from its first, middle or last one."""

Cardinality = Literal["reciprocal", "one"]
"""What x pieces cost: the reward is divided by x, or left as it is."""


@dataclass(frozen=True)
class Prefix:
    """Sums over the first n steps, n from 0 on, from which those over any run follow."""

    marked_T: Array
    count_A: Array
    """Marked steps."""
    moment_A: Array
    """Sum of the marked steps' positions."""
    begun_A: Array
    """First steps of marked runs."""


def prefix(marked_T: Array) -> Prefix:
    """Return the sums for the marked steps."""
    begins_T = marked_T & ~np.append(False, marked_T[:-1])
    sums = (np.append(0, np.cumsum(values_T)) for values_T in (marked_T, marked_T * np.arange(len(marked_T)), begins_T))
    return Prefix(marked_T, *sums)


def reward(marked: Prefix, starts_N: Array, stops_N: Array, bias: Bias, cardinality: Cardinality) -> Array:
    """Return for each run the weight of its marked steps over that of all, divided by its marked pieces."""
    share_N: Array = _weight(marked, starts_N, stops_N, bias) / _full_weight(stops_N - starts_N, bias)
    if cardinality == "one":
        return share_N
    pieces_N = marked.begun_A[stops_N] - marked.begun_A[starts_N + 1] + marked.marked_T[starts_N]
    return np.asarray(share_N / np.maximum(pieces_N, 1))


def _weight(marked: Prefix, starts_N: Array, stops_N: Array, bias: Bias) -> Array:
    if bias == "middle":
        middle_N = starts_N + (stops_N - starts_N) // 2
        return _weight(marked, starts_N, middle_N, "back") + _weight(marked, middle_N, stops_N, "front")
    count_N = marked.count_A[stops_N] - marked.count_A[starts_N]
    moment_N = marked.moment_A[stops_N] - marked.moment_A[starts_N]
    weights: dict[Bias, Array] = {
        "flat": count_N,
        "front": stops_N * count_N - moment_N,
        "back": moment_N - (starts_N - 1) * count_N,
    }
    return weights[bias]


def _full_weight(length_N: Array, bias: Bias) -> Array:
    if bias == "flat":
        return length_N
    if bias == "middle":
        half_N = length_N // 2
        return _full_weight(half_N, "back") + _full_weight(length_N - half_N, "front")
    return np.asarray(length_N * (length_N + 1) // 2)


@shared
def precision_curve(labels_T: Array, scores_T: Array, bias: Bias, cardinality: Cardinality) -> Array:
    """Return the mean reward of the runs of alarms after 0, 1, … alarms; labels are checked."""
    ranks_T, marked = ranks(scores_T), prefix(np.asarray(labels_T, dtype=bool))
    steps_T, steps = np.arange(len(ranks_T)), len(ranks_T)
    # the nearest steps that are no alarms yet when this one becomes one
    starts_T, stops_T = larger_before(ranks_T) + 1, larger_after(ranks_T)
    gain_T = _joined(marked, starts_T, stops_T, bias, cardinality)
    gain_T -= _joined(marked, starts_T, steps_T, bias, cardinality)
    gain_T -= _joined(marked, steps_T + 1, stops_T, bias, cardinality)
    total_A = curve(gain_T, ranks_T, steps)
    more_T = 1 - (starts_T < steps_T) - (steps_T + 1 < stops_T)
    return total_A / np.maximum(curve(fixed(more_T, steps), ranks_T, steps), 1)


def _joined(marked: Prefix, starts_T: Array, stops_T: Array, bias: Bias, cardinality: Cardinality) -> Array:
    """Rewards as `fixed`; 0 for an empty run."""
    some_T = starts_T < stops_T
    rewards_T = np.zeros(len(starts_T), dtype=np.int64)
    rewards_N = reward(marked, starts_T[some_T], stops_T[some_T], bias, cardinality)
    rewards_T[some_T] = fixed(rewards_N, len(starts_T))
    return rewards_T


@shared
def recall_curves(labels_T: Array, scores_T: Array, bias: Bias, cardinality: Cardinality) -> tuple[Array, Array]:
    """Return the share of the events found, and their mean reward, after 0, 1, … alarms; labels are checked."""
    found = sweep(labels_T, scores_T, 0)
    events, steps = len(found.length_K), len(scores_T)
    first_N = (found.nth_N == 1)[found.by_event_N]
    when_N = found.when_N[found.by_event_N]
    weight_N, more_N = _by_event(labels_T, scores_T, bias)
    share_N = restarted(weight_N, first_N) / _full_weight(found.length_K, bias)[np.cumsum(first_N) - 1]
    pieces_N = restarted(more_N, first_N) if cardinality == "reciprocal" else 1
    found_A = curve(fixed(first_N, steps), when_N, steps)
    return found_A / events, curve(changes(share_N / pieces_N, first_N, steps), when_N, steps) / events


def _by_event(labels_T: Array, scores_T: Array, bias: Bias) -> tuple[Array, Array]:
    """Weight of each anomalous step in its event, and by how many it changes the pieces there; event by event."""
    found, ranks_T = sweep(labels_T, scores_T, 0), ranks(scores_T)
    starts_K, stops_K = spans(np.asarray(labels_T, dtype=bool))
    steps_N, event_N = found.steps_N[found.by_event_N], found.event_N[found.by_event_N]
    start_N, stop_N = starts_K[event_N], stops_K[event_N]
    weight_N = _weight_of_step(steps_N - start_N, stop_N - start_N, bias)
    left_N = (steps_N > start_N) & (ranks_T[steps_N - 1] < ranks_T[steps_N])
    right_N = steps_N + 1 < stop_N
    right_N[right_N] = ranks_T[steps_N[right_N] + 1] < ranks_T[steps_N[right_N]]
    return weight_N, 1 - left_N.astype(np.int64) - right_N


def _weight_of_step(place_N: Array, length_N: Array, bias: Bias) -> Array:
    weights: dict[Bias, Array] = {
        "flat": np.ones_like(place_N),
        "front": length_N - place_N,
        "back": place_N + 1,
        "middle": np.where(place_N < length_N // 2, place_N + 1, length_N - place_N),
    }
    return weights[bias]
