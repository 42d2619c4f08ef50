"""Whether a detector blames the channels that cause an event: HitRate per event, AUC-PR over cells.

Each also corrected for chance. Options that all of them share: ``events="detected"`` takes only events with a score
above the threshold that `rule` and `rate` derive from calibration; of P = 150 %, `rounding` says how many places
1.5 g are. Events without a root cause are left out.
"""

import math

import numpy as np

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.blame import Events, Found, Units, attribution, by_event, checked, corrected, hit_rates
from tsad_core.metrics.ranking import auc_pr, auc_pr_relative
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule

_HIT_RATE = "HitRate@P% of Su et al., OmniAnomaly, KDD 2019, per event instead of per step"
_CHANCE = "Then (value - chance) / (1 - chance), chance being what equal blame of all channels gets"


@attribution(
    Card(
        name="hit-rate-100",
        title="HitRate@100% (per event)",
        definition=(
            "Of the g guilty channels of an event, the share among the g channels "
            "with the highest mean attribution over its steps; mean over events."
        ),
        source=_HIT_RATE,
        low=0,
        high=1,
        better="higher",
    ),
    by_event,
)
def hit_rate_100(units: Units) -> Array:
    """Return the mean share of the guilty channels that are among the most blamed, from 0 to 1; higher is better.

    Per event: channels are ranked by their mean attribution over its steps, a channel is guilty if it
    is a root cause at any of them, and of g guilty channels the share among the first g counts.
    Channels that tie for the last place hit by expectation, so constant attribution gets g / C.
    Events without a root cause are left out. `Undefined` without an event, without any root cause in
    an event, and with a single channel.

    Channels 0 and 1 are guilty; 0 and 2 are blamed the most.

    >>> causes_TC, blame_TC = np.array([[0, 0, 0], [1, 1, 0]]), np.array([[0, 0, 0], [5, 1, 4]])
    >>> hit_rate_100(labels_T=np.array([0, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    0.5
    """
    return hit_rates(units, 100)


@attribution(
    Card(
        name="hit-rate-150",
        title="HitRate@150% (per event)",
        definition=(
            "Of the g guilty channels of an event, the share among the 1.5 g channels "
            "with the highest mean attribution over its steps; mean over events."
        ),
        source=_HIT_RATE,
        low=0,
        high=1,
        better="higher",
    ),
    by_event,
)
def hit_rate_150(units: Units) -> Array:
    """Return the mean share of the guilty channels that are among the 1.5 g most blamed, from 0 to 1.

    As `hit_rate_100`, with 1.5 g places instead of g, rounded down (OmniAnomaly: one guilty channel has one place)
    or, with ``rounding="nearest"``, as Python's ``round`` (TranAD, MIXAD: it has two). Higher is better.

    Channels 0 and 1 are guilty; 0, 2 and 1 are the three most blamed.

    >>> causes_TC, blame_TC = np.array([[0, 0, 0, 0], [1, 1, 0, 0]]), np.array([[0, 0, 0, 0], [5, 3, 4, 1]])
    >>> hit_rate_150(labels_T=np.array([0, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    1.0
    """
    return hit_rates(units, 150)


@attribution(
    Card(
        name="hit-rate-100-corrected",
        title="HitRate@100% (per event, chance-corrected)",
        definition=f"HitRate@100% of an event. {_CHANCE}: g of C channels; mean over events.",
        source=_HIT_RATE,
        low=-math.inf,
        high=1,
        better="higher",
    ),
    by_event,
)
def hit_rate_100_corrected(units: Units) -> Array:
    """Return the mean of (HR - g / C) / (1 - g / C) over events: 0 by chance, 1 at best; higher is better.

    HR is `hit_rate_100` of one event with g of C channels guilty. An event in which all are leaves nothing to
    tell and is left out; `Undefined` if none is left, and where `hit_rate_100` is.

    The share is 1/2 where chance is 2/3.

    >>> causes_TC, blame_TC = np.array([[0, 0, 0], [1, 1, 0]]), np.array([[0, 0, 0], [5, 1, 4]])
    >>> round(hit_rate_100_corrected(labels_T=np.array([0, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC), 9)
    -0.5
    """
    return corrected(hit_rates)(units, 100)


@attribution(
    Card(
        name="hit-rate-150-corrected",
        title="HitRate@150% (per event, chance-corrected)",
        definition=f"HitRate@150% of an event. {_CHANCE}: its places of C channels; mean over events.",
        source=_HIT_RATE,
        low=-math.inf,
        high=1,
        better="higher",
    ),
    by_event,
)
def hit_rate_150_corrected(units: Units) -> Array:
    """Return the mean of (HR - k / C) / (1 - k / C) over events: 0 by chance, 1 at best; higher is better.

    HR is `hit_rate_150` of one event that has k places for C channels: k / C, not g / C, is what random blame gets
    here. An event with a place for every channel is left out; `Undefined` if none is left, and where
    `hit_rate_150` is.

    Three places for four channels, and one of the two guilty ones has none: (1/2 - 3/4) / (1 - 3/4).

    >>> causes_TC, blame_TC = np.array([[0, 0, 0, 0], [1, 1, 0, 0]]), np.array([[0, 0, 0, 0], [5, 1, 4, 2]])
    >>> hit_rate_150_corrected(labels_T=np.array([0, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    -1.0
    """
    return corrected(hit_rates)(units, 150)


@metric(
    Card(
        name="channel-auc-pr",
        title="Channel AUC-PR (anomalous steps)",
        definition="Average precision of attribution against root causes, over all channels of all anomalous steps.",
        source="average precision, as scikit-learn's, over the cells of the anomalous steps",
        low=0,
        high=1,
        better="higher",
    )
)
def channel_auc_pr(
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
    """Return the average precision of the blame over the cells (step, channel) of anomalous steps; higher is better.

    Root causes are what to find, attribution is the ranking, as in `tsad_core.metrics.ranking.auc_pr`;
    normal steps are left out, so that it tells where, not when. From 0 to 1; constant attribution gets
    the share of guilty cells. `Undefined` without an event, without any root cause in an event, and
    with a single channel.

    Of four cells, those ranked first and third are guilty: precision 1/1 and 2/3.

    >>> causes_TC, blame_TC = np.array([[0, 0], [1, 0], [0, 1]]), np.array([[9, 9], [4, 3], [1, 2]])
    >>> channel_auc_pr(labels_T=np.array([0, 1, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    0.8333333333333333
    """
    found = Found(scores_T, calibration_T, events, rule, rate)
    guilty_N, blame_N = _cells(labels_T, root_causes_TC, attribution_TC, found)
    return auc_pr(labels_T=guilty_N, scores_T=blame_N)


@metric(
    Card(
        name="channel-auc-pr-corrected",
        title="Channel AUC-PR (anomalous steps, chance-corrected)",
        definition="(Channel AUC-PR - p) / (1 - p), p the share of guilty cells among those of the anomalous steps.",
        source="average precision, corrected for the value of constant attribution",
        low=-math.inf,
        high=1,
        better="higher",
    )
)
def channel_auc_pr_corrected(
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
    """Return how far `channel_auc_pr` rises from chance, 0, towards 1; higher is better.

    ``(channel_auc_pr - p) / (1 - p)`` with p the share of guilty cells, which constant attribution gets; all cells
    are ranked together, not event by event. `Undefined` if every cell is guilty, and where `channel_auc_pr` is.

    Average precision 5/6 where 1/2 is chance.

    >>> causes_TC, blame_TC = np.array([[0, 0], [1, 0], [0, 1]]), np.array([[9, 9], [4, 3], [1, 2]])
    >>> labels_T = np.array([0, 1, 1])
    >>> round(channel_auc_pr_corrected(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC), 4)
    0.6667
    """
    found = Found(scores_T, calibration_T, events, rule, rate)
    guilty_N, blame_N = _cells(labels_T, root_causes_TC, attribution_TC, found)
    if guilty_N.all():
        raise Undefined("every channel is guilty at every anomalous step")
    return auc_pr_relative(labels_T=guilty_N, scores_T=blame_N)


def _cells(labels_T: Array, root_causes_TC: Array, attribution_TC: Array, found: Found) -> tuple[Array, Array]:
    """Return which cells of the events that count are guilty, and how much each is blamed."""
    anomalous_T, causes_TC = checked(labels_T, root_causes_TC, attribution_TC)
    chosen_T = found.among(anomalous_T, causes_TC)
    return causes_TC[chosen_T].ravel(), np.asarray(attribution_TC)[chosen_T].ravel()
