"""MIXAD's event variant of the hit rate: blamed are the channels that rise and fall with the leading one.

Plain and corrected for chance. Options `events`, `rule` and `rate` are those of `tsad_core.metrics.attribution`.
"""

import math

import numpy as np

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.blame import Events, Found, Units, average, checked, corrected, hit_rates
from tsad_core.metrics.inputs import spans
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule

_SOURCE = "segment-wise interpretation in MIXAD's public code (arXiv 2410.22735)"
_CHANCE = "Then (value - chance) / (1 - chance), chance being what equal blame of all channels gets"


@metric(
    Card(
        name="hit-rate-100-mixad",
        title="HitRate@100% (MIXAD's event variant)",
        definition=(
            "Of the guilty channels at an event's first step, the share among those whose attribution correlates "
            "best with that of the channel that peaks highest; mean over events, each weighted by its length."
        ),
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def hit_rate_100_mixad(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    scores_T: Array | None = None,
    calibration_T: Array | None = None,
    events: Events = "all",
    rule: Rule = "quantile",
    rate: Rate = 0.01,
) -> float:
    """Return the hit rate of channels that rise and fall with the leading one, from 0 to 1; higher is better.

    The leader of an event is the channel with the highest attribution at any of its steps; it is ranked first, the
    others by the absolute correlation of their attribution with the leader's, 0 where one is constant; in an event
    of one step by their attribution. Leaders that tie share the event evenly. Guilty are the root causes at the
    event's first step; without one it is left out, and `Undefined` if none is left, or where `hit_rate_100` is.
    The boundaries of events are given away: do not compare with values per step.

    Channel 0 leads, 2 follows it downwards, 1 does not; 0 and 1 are guilty.

    >>> causes_TC, blame_TC = np.array([[1, 1, 0]] * 3), np.array([[1, 5, 7], [5, 0, 3], [9, 5, 0]])
    >>> hit_rate_100_mixad(labels_T=np.ones(3), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    0.5
    """
    units = _units(labels_T, root_causes_TC, attribution_TC, Found(scores_T, calibration_T, events, rule, rate))
    return average(units, hit_rates(units, 100))


@metric(
    Card(
        name="hit-rate-150-mixad",
        title="HitRate@150% (MIXAD's event variant)",
        definition="As hit-rate-100-mixad, among 1.5 times as many channels, rounded to the nearest.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def hit_rate_150_mixad(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    scores_T: Array | None = None,
    calibration_T: Array | None = None,
    events: Events = "all",
    rule: Rule = "quantile",
    rate: Rate = 0.01,
) -> float:
    """Return `hit_rate_100_mixad` with 1.5 g places, a half rounded to the even number; higher is better.

    Channel 0 leads, 2 follows it downwards, 1 does not; three places take all.

    >>> causes_TC, blame_TC = np.array([[1, 1, 0]] * 3), np.array([[1, 5, 7], [5, 0, 3], [9, 5, 0]])
    >>> hit_rate_150_mixad(labels_T=np.ones(3), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    1.0
    """
    units = _units(labels_T, root_causes_TC, attribution_TC, Found(scores_T, calibration_T, events, rule, rate))
    return average(units, hit_rates(units, 150))


@metric(
    Card(
        name="hit-rate-100-mixad-corrected",
        title="HitRate@100% (MIXAD's event variant, chance-corrected)",
        definition=f"hit-rate-100-mixad of an event. {_CHANCE}; mean over events, each weighted by its length.",
        source=_SOURCE,
        low=-math.inf,
        high=1,
        better="higher",
    )
)
def hit_rate_100_mixad_corrected(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    scores_T: Array | None = None,
    calibration_T: Array | None = None,
    events: Events = "all",
    rule: Rule = "quantile",
    rate: Rate = 0.01,
) -> float:
    """Return `hit_rate_100_mixad` with each event corrected for chance: 0 by chance, 1 at best; higher is better.

    Events in which all channels are guilty are left out; `Undefined` if none is left, and where
    `hit_rate_100_mixad` is.

    The share is 1/2 where chance is 2/3.

    >>> causes_TC, blame_TC = np.array([[1, 1, 0]] * 3), np.array([[1, 5, 7], [5, 0, 3], [9, 5, 0]])
    >>> value = hit_rate_100_mixad_corrected(labels_T=np.ones(3), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    >>> round(value, 9)
    -0.5
    """
    units = _units(labels_T, root_causes_TC, attribution_TC, Found(scores_T, calibration_T, events, rule, rate))
    return average(units, corrected(hit_rates)(units, 100))


@metric(
    Card(
        name="hit-rate-150-mixad-corrected",
        title="HitRate@150% (MIXAD's event variant, chance-corrected)",
        definition=f"hit-rate-150-mixad of an event. {_CHANCE}; mean over events, each weighted by its length.",
        source=_SOURCE,
        low=-math.inf,
        high=1,
        better="higher",
    )
)
def hit_rate_150_mixad_corrected(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    scores_T: Array | None = None,
    calibration_T: Array | None = None,
    events: Events = "all",
    rule: Rule = "quantile",
    rate: Rate = 0.01,
) -> float:
    """Return `hit_rate_150_mixad` with each event corrected for chance: 0 by chance, 1 at best; higher is better.

    Events with a place for every channel are left out; `Undefined` if none is left, and where
    `hit_rate_150_mixad` is.

    One guilty channel, the third of three, has two places: (0 - 2/3) / (1 - 2/3).

    >>> causes_TC, blame_TC = np.array([[0, 1, 0]] * 3), np.array([[1, 5, 7], [5, 0, 3], [9, 5, 0]])
    >>> value = hit_rate_150_mixad_corrected(labels_T=np.ones(3), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    >>> round(value, 9)
    -2.0
    """
    units = _units(labels_T, root_causes_TC, attribution_TC, Found(scores_T, calibration_T, events, rule, rate))
    return average(units, corrected(hit_rates)(units, 150))


def _units(labels_T: Array, root_causes_TC: Array, attribution_TC: Array, found: Found) -> Units:
    anomalous_T, causes_TC = checked(labels_T, root_causes_TC, attribution_TC)
    return _by_leader(found.among(anomalous_T, causes_TC), causes_TC, np.asarray(attribution_TC))


def _by_leader(anomalous_T: Array, causes_TC: Array, blame_TC: Array) -> Units:
    """Return events with a root cause at their first step, once for each channel that may lead them."""
    rows: list[tuple[Array, Array, float]] = []
    for start, stop in zip(*spans(anomalous_T), strict=True):
        if causes_TC[start].any():
            blames = _following(blame_TC[start:stop].astype(np.float64))
            rows += [(causes_TC[start], blame_C, (stop - start) / len(blames)) for blame_C in blames]
    if not rows:
        raise Undefined("no event has a root cause at its first step")
    guilty_U, blame_U, weight_U = zip(*rows, strict=True)
    return Units(np.array(guilty_U), np.array(blame_U), np.array(weight_U), rounding="nearest")


def _following(blame_LC: Array) -> list[Array]:
    """Return, for each leader, how closely the channels follow it: the leader itself before all others."""
    if len(blame_LC) == 1:
        return [blame_LC[0]]
    peak_C = blame_LC.max(axis=0)
    centred_LC = np.where(np.ptp(blame_LC, axis=0) > 0, blame_LC - blame_LC.mean(axis=0), 0.0)
    norm_C = np.linalg.norm(centred_LC, axis=0)
    unit_LC = centred_LC / np.where(norm_C > 0, norm_C, 1.0)
    leaders = np.flatnonzero(peak_C == peak_C.max())
    return [np.where(np.arange(len(peak_C)) == lead, 2.0, np.abs(unit_LC.T @ unit_LC[:, lead])) for lead in leaders]
