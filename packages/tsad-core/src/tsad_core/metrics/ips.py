"""InterFusion's interpretation score: hit rates of events that count as many times as they have detected steps.

Plain and corrected for chance. Steps are detected by the threshold that `rule` and `rate` derive from calibration.
"""

import math

import numpy as np

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.blame import Found, Units, average, checked, corrected, guilty, hit_rates
from tsad_core.metrics.inputs import spans
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule

_SOURCE = "IPS of Li et al., InterFusion, KDD 2021, as its public code computes it; there the threshold is the oracle's"
_CHANCE = "Then (value - chance) / (1 - chance), chance being what equal blame of all channels gets"


@metric(
    Card(
        name="ips-100",
        title="IPS (events by detected steps)",
        definition=(
            "HitRate@100% of each event's highest attribution over its detected steps; "
            "mean over events, each weighted by how many of its steps are detected."
        ),
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def ips_100(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
) -> float:
    """Return InterFusion's interpretation score, from 0 to 1; higher is better.

    The hit rate is that of `tsad_core.metrics.attribution.hit_rate_100`, but an event's blame of a channel is the
    highest at its detected steps, those above the threshold that `rule` and `rate` derive from calibration, and
    the event counts as many times as it has such steps. InterFusion takes the threshold of the best F1 instead.
    `Undefined` without a detected step in an event with a root cause, and where `hit_rate_100` is.

    Two detected steps blame channel 1, which is guilty; the third, of another event, blames channel 0, which is not.

    >>> labels_T, causes_TC = np.array([1, 1, 0, 1]), np.array([[0, 1], [0, 1], [0, 0], [0, 1]])
    >>> scores_T, blame_TC = np.array([5, 5, 0, 5]), np.array([[2, 0], [0, 3], [9, 9], [1, 0]])
    >>> found = {"scores_T": scores_T, "calibration_T": np.zeros(9)}
    >>> round(ips_100(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC, **found), 3)
    0.667
    """
    units = _units(labels_T, root_causes_TC, attribution_TC, Found(scores_T, calibration_T, "detected", rule, rate))
    return average(units, hit_rates(units, 100))


@metric(
    Card(
        name="ips-150",
        title="IPS@150% (events by detected steps)",
        definition=(
            "HitRate@150% of each event's highest attribution over its detected steps; "
            "mean over events, each weighted by how many of its steps are detected."
        ),
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def ips_150(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
) -> float:
    """Return InterFusion's interpretation score with 1.5 g places, rounded down, from 0 to 1; higher is better.

    As `ips_100`.

    Channels 0 and 1 are guilty, 0, 2 and 1 the three most blamed.

    >>> labels_T, causes_TC = np.array([0, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0]])
    >>> found = {"scores_T": labels_T, "calibration_T": np.zeros(9)}
    >>> blame_TC = np.array([[0, 0, 0, 0], [5, 3, 4, 1]])
    >>> ips_150(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC, **found)
    1.0
    """
    units = _units(labels_T, root_causes_TC, attribution_TC, Found(scores_T, calibration_T, "detected", rule, rate))
    return average(units, hit_rates(units, 150))


@metric(
    Card(
        name="ips-100-corrected",
        title="IPS (events by detected steps, chance-corrected)",
        definition=f"IPS of an event. {_CHANCE}; mean over events, each weighted by its detected steps.",
        source=_SOURCE,
        low=-math.inf,
        high=1,
        better="higher",
    )
)
def ips_100_corrected(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
) -> float:
    """Return `ips_100` with each event's hit rate corrected for chance: 0 by chance, 1 at best; higher is better.

    (HR - g / C) / (1 - g / C) for g guilty channels of C; an event in which all are is left out. `Undefined` if
    none is left, and where `ips_100` is.

    >>> labels_T, causes_TC = np.array([0, 1]), np.array([[0, 0, 0], [1, 0, 0]])
    >>> found = {"scores_T": labels_T, "calibration_T": np.zeros(9)}
    >>> blame_TC = causes_TC[:, ::-1]
    >>> round(ips_100_corrected(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC, **found), 9)
    -0.5
    """
    units = _units(labels_T, root_causes_TC, attribution_TC, Found(scores_T, calibration_T, "detected", rule, rate))
    return average(units, corrected(hit_rates)(units, 100))


@metric(
    Card(
        name="ips-150-corrected",
        title="IPS@150% (events by detected steps, chance-corrected)",
        definition=f"IPS@150% of an event. {_CHANCE}; mean over events, each weighted by its detected steps.",
        source=_SOURCE,
        low=-math.inf,
        high=1,
        better="higher",
    )
)
def ips_150_corrected(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
) -> float:
    """Return `ips_150` with each event's hit rate corrected for chance: 0 by chance, 1 at best; higher is better.

    Chance is its places over its channels; an event with a place for every channel is left out. `Undefined` if
    none is left, and where `ips_150` is.

    >>> labels_T, causes_TC = np.array([0, 1]), np.array([[0, 0, 0], [1, 0, 0]])
    >>> found = {"scores_T": labels_T, "calibration_T": np.zeros(9)}
    >>> ips_150_corrected(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=causes_TC, **found)
    1.0
    """
    units = _units(labels_T, root_causes_TC, attribution_TC, Found(scores_T, calibration_T, "detected", rule, rate))
    return average(units, corrected(hit_rates)(units, 150))


def _units(labels_T: Array, root_causes_TC: Array, attribution_TC: Array, found: Found) -> Units:
    anomalous_T, causes_TC = checked(labels_T, root_causes_TC, attribution_TC)
    return _by_detected_step(anomalous_T, causes_TC, np.asarray(attribution_TC), found.alarms(anomalous_T))


def _by_detected_step(anomalous_T: Array, causes_TC: Array, blame_TC: Array, alarmed_T: Array) -> Units:
    """Return detected events: blame is its highest at the detected steps, weight is how many they are."""
    starts_K, stops_K = spans(anomalous_T)
    steps_N = np.flatnonzero(anomalous_T & alarmed_T)
    count_K = np.searchsorted(steps_N, stops_K) - np.searchsorted(steps_N, starts_K)
    guilty_KC = guilty(anomalous_T, causes_TC)
    counted_K = (count_K > 0) & guilty_KC.any(axis=1)
    if not counted_K.any():
        raise Undefined("no event with a root cause is detected")
    # steps of events without a cause follow those of the event before: cut them off first
    steps_N = steps_N[np.repeat(counted_K[count_K > 0], count_K[count_K > 0])]
    first_U = np.cumsum(count_K[counted_K]) - count_K[counted_K]
    return Units(
        guilty_KC[counted_K], np.maximum.reduceat(blame_TC[steps_N], first_U, axis=0), count_K[counted_K].astype(float)
    )
