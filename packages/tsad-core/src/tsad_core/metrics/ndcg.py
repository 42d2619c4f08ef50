"""Whether a detector ranks the channels that cause an event first: NDCG per event, plain and corrected for chance.

Options are those of `tsad_core.metrics.attribution`.
"""

import math

import numpy as np  # noqa: F401 - the examples' own

from tsad_core.metric import Card
from tsad_core.metrics.blame import Units, attribution, by_event, corrected, ndcgs
from tsad_core.series import Array

_NDCG = "NDCG@P% of Tuli et al., TranAD, VLDB 2022 (scikit-learn's ndcg_score), per event instead of per step"
_CHANCE = "Then (value - chance) / (1 - chance), chance being what equal blame of all channels gets"


@attribution(
    Card(
        name="ndcg-100",
        title="NDCG@100% (per event)",
        definition=(
            "Guilty channels among the g most blamed of an event, place k counting 1 / log2(k + 1), "
            "over the same sum if all g places were guilty; mean over events."
        ),
        source=_NDCG,
        low=0,
        high=1,
        better="higher",
    ),
    by_event,
)
def ndcg_100(units: Units) -> Array:
    """Return the mean normalised discounted cumulative gain of the g most blamed channels, from 0 to 1.

    Events, guilt and blame are those of `hit_rate_100`, but a hit counts 1 / log2(k + 1) at place k, over the sum
    that g hits would have. Ties share the mean of their places, as in scikit-learn's ``ndcg_score``. Higher is
    better; `Undefined` where `hit_rate_100` is.

    Of two guilty channels one is first, the other last: 1 / (1 + 1 / log2(3)).

    >>> causes_TC, blame_TC = np.array([[0, 0, 0], [1, 1, 0]]), np.array([[0, 0, 0], [5, 1, 4]])
    >>> round(ndcg_100(labels_T=np.array([0, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC), 3)
    0.613
    """
    return ndcgs(units, 100)


@attribution(
    Card(
        name="ndcg-150",
        title="NDCG@150% (per event)",
        definition=(
            "Guilty channels among the 1.5 g most blamed of an event, place k counting 1 / log2(k + 1), "
            "over the same sum if the first g places were guilty; mean over events."
        ),
        source=_NDCG,
        low=0,
        high=1,
        better="higher",
    ),
    by_event,
)
def ndcg_150(units: Units) -> Array:
    """Return the mean normalised discounted cumulative gain of the 1.5 g most blamed channels, from 0 to 1.

    As `ndcg_100`, with the places of `hit_rate_150`. Higher is better.

    Of two guilty channels one is first, the other third: (1 + 1 / log2(4)) / (1 + 1 / log2(3)).

    >>> causes_TC, blame_TC = np.array([[0, 0, 0], [1, 1, 0]]), np.array([[0, 0, 0], [5, 1, 4]])
    >>> round(ndcg_150(labels_T=np.array([0, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC), 2)
    0.92
    """
    return ndcgs(units, 150)


@attribution(
    Card(
        name="ndcg-100-corrected",
        title="NDCG@100% (per event, chance-corrected)",
        definition=f"NDCG@100% of an event. {_CHANCE}; mean over events.",
        source=_NDCG,
        low=-math.inf,
        high=1,
        better="higher",
    ),
    by_event,
)
def ndcg_100_corrected(units: Units) -> Array:
    """Return the mean of (NDCG - chance) / (1 - chance) over events: 0 by chance, 1 at best; higher is better.

    NDCG is `ndcg_100` of one event, chance the same for equal blame: g / C for g of C guilty channels. Events in
    which all are guilty are left out; `Undefined` if none is left, and where `ndcg_100` is.

    >>> causes_TC, blame_TC = np.array([[0, 0, 0], [1, 0, 0]]), np.array([[0, 0, 0], [4, 5, 1]])
    >>> round(ndcg_100_corrected(labels_T=np.array([0, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC), 9)
    -0.5
    """
    return corrected(ndcgs)(units, 100)


@attribution(
    Card(
        name="ndcg-150-corrected",
        title="NDCG@150% (per event, chance-corrected)",
        definition=f"NDCG@150% of an event. {_CHANCE}; mean over events.",
        source=_NDCG,
        low=-math.inf,
        high=1,
        better="higher",
    ),
    by_event,
)
def ndcg_150_corrected(units: Units) -> Array:
    """Return the mean of (NDCG - chance) / (1 - chance) over events: 0 by chance, 1 at best; higher is better.

    NDCG is `ndcg_150` of one event, chance the same for equal blame. Events in which all channels are guilty are
    left out; `Undefined` if none is left, and where `ndcg_150` is.

    >>> causes_TC, blame_TC = np.array([[0, 0, 0], [1, 1, 0]]), np.array([[0, 0, 0], [7, 7, 7]])
    >>> ndcg_150_corrected(labels_T=np.array([0, 1]), root_causes_TC=causes_TC, attribution_TC=blame_TC)
    0.0
    """
    return corrected(ndcgs)(units, 150)
