"""The score of the Numenta Anomaly Benchmark (NAB): early alarms earn, false and missing ones cost.

NAB's windows are the labelled events here. NAB's own are wider: it spreads a tenth of a series' length evenly over
the windows around its anomalies, so that early alarms can earn too. What it calls probation, the first 15 %
without a score, is the training part here, which no metric sees.
"""

from typing import Literal

import numpy as np
from scipy.special import expit

from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import spans
from tsad_core.metrics.sweep import Grid, alarms, anomalies, best, changes, curve, cuts, fixed, ranks, sweep
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule

Profile = Literal["standard", "reward-low-fp", "reward-low-fn"]
"""What a false alarm and a missed event cost, against 1 for one found at once: .11 and 1, .22 and 1, or .11 and 2."""

_COSTS: dict[Profile, tuple[float, float]] = {
    "standard": (0.11, 1.0),
    "reward-low-fp": (0.22, 1.0),
    "reward-low-fn": (0.11, 2.0),
}


@metric(
    Card(
        name="nab-score",
        title="NAB score (label-free threshold)",
        definition="Found events, the earlier the better, less false alarms and missed events; 0 is no alarm, 100 is "
        "each event found at its first step without a false alarm.",
        source="Lavin and Ahmad, ICMLA 2015; NAB 1.1, with the labelled events as windows",
        low=-float("inf"),
        high=100,
        better="higher",
    )
)
def nab_score(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
    profile: Profile = "standard",
) -> float:
    """Return the NAB score at a threshold set without labels, at most 100; higher is better.

    With ``s(x) = 2 / (1 + exp(5 x)) - 1``: an event of n steps whose first alarm, ``scores_T > threshold(calibration_T,
    rule=rule, rate=rate)``, is its step i (from 0) earns ``s((i - n) / n) / s(-1)``; one without costs what the
    profile says. An alarm d steps after an event of n steps costs ``-s(d / (n - 1))`` of the profile's price, all of
    it for d > 3 (n - 1) or before any event. The sum is scaled to 0 for no alarm and 100 for perfect alarms.
    It has no lower bound. Without an event it is `Undefined`.

    The event is found at once; the false alarm before it costs .11 of the 2 between a miss and a find.

    >>> labels_T, scores_T = np.array([0, 0, 1, 1]), np.array([11, 0, 20, 0])
    >>> nab_score(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11))
    94.5
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return nab_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate), profile)


def nab_of(anomalous_T: Array, alarmed_T: Array, profile: Profile) -> float:
    """Return the NAB score of alarms."""
    false_alarm, miss = _COSTS[profile]
    starts_K, stops_K = spans(anomalous_T)
    alarmed_N = np.flatnonzero(alarmed_T)
    first_K = np.append(alarmed_N, len(anomalous_T))[np.searchsorted(alarmed_N, starts_K)]
    found_K = first_K < stops_K
    earned = (_earned(first_K - starts_K, stops_K - starts_K)[found_K] + miss).sum()
    lost = false_alarm * _lost(anomalous_T)[alarmed_T].sum()
    return float(100 * (earned - lost) / (len(starts_K) * (1 + miss)))


@metric(
    Card(
        name="nab-score-oracle",
        title="NAB score (best threshold, chosen on the labels)",
        definition="The highest NAB score that any threshold reaches, no alarm among them; as NAB itself chooses it.",
        source="Lavin and Ahmad, ICMLA 2015; NAB 1.1, with the labelled events as windows",
        low=0,
        high=100,
        better="higher",
    )
)
def nab_score_oracle(*, labels_T: Array, scores_T: Array, profile: Profile = "standard", grid: Grid = 0) -> float:
    """Return the highest NAB score over all thresholds, between 0 (no alarm) and 100; higher is better.

    The maximum of `nab_score` over the alarms ``scores_T >= s`` for every distinct score s, exactly, and over none.
    Without an event it is `Undefined`.

    Alarms at 20 have no false one.

    >>> nab_score_oracle(labels_T=np.array([0, 0, 1, 1]), scores_T=np.array([11, 0, 20, 0]))
    100.0
    """
    anomalous_T = anomalies(labels_T, scores_T)
    false_alarm, miss = _COSTS[profile]
    steps = len(anomalous_T)
    lost_A = curve(fixed(false_alarm * _lost(anomalous_T), steps), ranks(scores_T), steps)
    total_A = _earned_curve(labels_T, scores_T, miss) - lost_A
    return best(100 * total_A[cuts(scores_T, grid)] / (len(spans(anomalous_T)[0]) * (1 + miss)))


def _sigmoid(place_N: Array) -> Array:
    """Fall from nearly 1 at -1 through 0 at 0 to nearly -1 at 1."""
    scaled_N: Array = 2 * expit(-5 * place_N) - 1
    return scaled_N


def _earned(place_N: Array, length_N: Array) -> Array:
    """What an event earns whose first alarm is that far from its first step."""
    return _sigmoid((place_N - length_N) / length_N) / _sigmoid(np.array(-1.0))


def _lost(anomalous_T: Array) -> Array:
    """What a false alarm at each step costs, as a share of its price; 0 in events."""
    starts_K, stops_K = spans(anomalous_T)
    lost_T = np.ones(len(anomalous_T))
    # what lies farther than 3 widths behind an event costs all
    width_K = stops_K - starts_K - 1
    reach_K = np.minimum(3 * width_K, np.append(starts_K[1:], len(anomalous_T)) - stops_K)
    event_N = np.repeat(np.arange(len(starts_K)), reach_K)
    past_N = np.arange(1, len(event_N) + 1) - np.repeat(np.cumsum(reach_K) - reach_K, reach_K)
    lost_T[stops_K[event_N] - 1 + past_N] = -_sigmoid(past_N / width_K[event_N])
    lost_T[anomalous_T] = 0
    return lost_T


def _earned_curve(labels_T: Array, scores_T: Array, miss: float) -> Array:
    """What the events earn above missing them all, after 0, 1, … alarms."""
    found, steps = sweep(labels_T, scores_T, 0), len(scores_T)
    starts_K, _ = spans(np.asarray(labels_T, dtype=bool))
    event_N = found.event_N[found.by_event_N]
    # the later events lie a whole series lower, so that the smallest step so far begins anew with each
    fallen_N = np.minimum.accumulate(found.steps_N[found.by_event_N] - event_N * steps)
    first_N = fallen_N + event_N * steps - starts_K[event_N]
    value_N = _earned(first_N, found.length_K[event_N]) + miss
    new_N = (found.nth_N == 1)[found.by_event_N]
    return curve(changes(value_N, new_N, steps), found.when_N[found.by_event_N], steps)
