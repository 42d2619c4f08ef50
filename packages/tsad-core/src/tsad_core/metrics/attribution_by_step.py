"""Whether a detector blames the guilty channels step by step: HitRate and NDCG as their papers average them.

Options are those of `tsad_core.metrics.attribution`. A step is ranked by itself, so its boundaries are not given away
as those of an event are; do not set the two side by side.
"""

import math

import numpy as np  # noqa: F401 - the examples' own

from tsad_core.metric import Card
from tsad_core.metrics.blame import Units, attribution, by_step, corrected, hit_rates, ndcgs
from tsad_core.series import Array

_HIT_RATE = "HitRate@P% of Su et al., OmniAnomaly, KDD 2019; TranAD's with rounding nearest"
_NDCG = "NDCG@P% of Tuli et al., TranAD, VLDB 2022 (scikit-learn's ndcg_score); theirs with rounding nearest"
_CHANCE = "Then (value - chance) / (1 - chance), chance being what equal blame of all channels gets"


@attribution(
    Card(
        name="hit-rate-100-by-step",
        title="HitRate@100% (per step)",
        definition=(
            "Of the g guilty channels of an anomalous step, the share among the g most blamed at it; "
            "mean over the anomalous steps with a guilty channel."
        ),
        source=_HIT_RATE,
        low=0,
        high=1,
        better="higher",
    ),
    by_step,
)
def hit_rate_100_by_step(units: Units) -> Array:
    """Return the mean share of a step's guilty channels among its g most blamed ones, from 0 to 1.

    As `hit_rate_100`, but each anomalous step with a root cause is ranked by itself and counts once, so long events
    weigh more. Higher is better; `Undefined` where `hit_rate_100` is.

    Of two guilty channels one is among the two most blamed, of one it is: (1/2 + 1) / 2.

    >>> labels_T, causes_TC = np.array([0, 1, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    >>> blame_TC = np.array([[0, 0, 0, 0], [9, 2, 5, 1], [2, 2, 5, 1]])
    >>> hit_rate_100_by_step(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC)
    0.75
    """
    return hit_rates(units, 100)


@attribution(
    Card(
        name="hit-rate-100-by-step-corrected",
        title="HitRate@100% (per step, chance-corrected)",
        definition=f"HitRate@100% of an anomalous step. {_CHANCE}; mean over steps.",
        source=_HIT_RATE,
        low=-math.inf,
        high=1,
        better="higher",
    ),
    by_step,
)
def hit_rate_100_by_step_corrected(units: Units) -> Array:
    """Return the mean over steps of (HR - chance) / (1 - chance): 0 by chance, 1 at best; higher is better.

    HR is `hit_rate_100_by_step` of one step, chance its places over its channels; steps with a place for every
    channel are left out. `Undefined` if none is left, and where `hit_rate_100_by_step` is.

    At the first step 1/2 where chance is 2/4, at the second 1 where it is 1/4.

    >>> labels_T, causes_TC = np.array([0, 1, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    >>> blame_TC = np.array([[0, 0, 0, 0], [9, 2, 5, 1], [2, 2, 5, 1]])
    >>> hit_rate_100_by_step_corrected(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC)
    0.5
    """
    return corrected(hit_rates)(units, 100)


@attribution(
    Card(
        name="ndcg-100-by-step",
        title="NDCG@100% (per step)",
        definition=(
            "Guilty channels among the g most blamed of an anomalous step, place k counting 1 / log2(k + 1), "
            "over that of the best ranking; mean over the anomalous steps with a guilty channel."
        ),
        source=_NDCG,
        low=0,
        high=1,
        better="higher",
    ),
    by_step,
)
def ndcg_100_by_step(units: Units) -> Array:
    """Return the mean normalised discounted cumulative gain of a step's g most blamed channels, from 0 to 1.

    As `ndcg_100`, but each anomalous step with a root cause is ranked by itself and counts once. Higher is better;
    `Undefined` where `ndcg_100` is.

    One of two is first, the other has no place: 1 / (1 + 1 / log2(3)) = .613; then 1.

    >>> labels_T, causes_TC = np.array([0, 1, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    >>> blame_TC = np.array([[0, 0, 0, 0], [9, 2, 5, 1], [2, 2, 5, 1]])
    >>> round(ndcg_100_by_step(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC), 3)
    0.807
    """
    return ndcgs(units, 100)


@attribution(
    Card(
        name="ndcg-100-by-step-corrected",
        title="NDCG@100% (per step, chance-corrected)",
        definition=f"NDCG@100% of an anomalous step. {_CHANCE}; mean over steps.",
        source=_NDCG,
        low=-math.inf,
        high=1,
        better="higher",
    ),
    by_step,
)
def ndcg_100_by_step_corrected(units: Units) -> Array:
    """Return the mean over steps of (NDCG - chance) / (1 - chance): 0 by chance, 1 at best; higher is better.

    NDCG is `ndcg_100_by_step` of one step, chance the same for equal blame; steps at which every channel is guilty
    are left out. `Undefined` if none is left, and where `ndcg_100_by_step` is.

    The first step blames all channels alike, the second the one guilty channel.

    >>> labels_T, causes_TC = np.array([0, 1, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    >>> blame_TC = np.array([[0, 0, 0, 0], [3, 3, 3, 3], [2, 2, 5, 1]])
    >>> round(ndcg_100_by_step_corrected(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC), 9)
    0.5
    """
    return corrected(ndcgs)(units, 100)


@attribution(
    Card(
        name="hit-rate-150-by-step",
        title="HitRate@150% (per step)",
        definition=(
            "Of the g guilty channels of an anomalous step, the share among the 1.5 g most blamed at it; "
            "mean over the anomalous steps with a guilty channel."
        ),
        source=_HIT_RATE,
        low=0,
        high=1,
        better="higher",
    ),
    by_step,
)
def hit_rate_150_by_step(units: Units) -> Array:
    """Return the mean share of a step's guilty channels among its 1.5 g most blamed ones, from 0 to 1.

    As `hit_rate_150`, but each anomalous step with a root cause is ranked by itself and counts once, so long events
    weigh more. Higher is better; `Undefined` where `hit_rate_150` is.

    Two guilty channels have three places, one has one, and all hit.

    >>> labels_T, causes_TC = np.array([0, 1, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    >>> blame_TC = np.array([[0, 0, 0, 0], [9, 2, 5, 1], [2, 2, 5, 1]])
    >>> hit_rate_150_by_step(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC)
    1.0
    """
    return hit_rates(units, 150)


@attribution(
    Card(
        name="hit-rate-150-by-step-corrected",
        title="HitRate@150% (per step, chance-corrected)",
        definition=f"HitRate@150% of an anomalous step. {_CHANCE}; mean over steps.",
        source=_HIT_RATE,
        low=-math.inf,
        high=1,
        better="higher",
    ),
    by_step,
)
def hit_rate_150_by_step_corrected(units: Units) -> Array:
    """Return the mean over steps of (HR - chance) / (1 - chance): 0 by chance, 1 at best; higher is better.

    HR is `hit_rate_150_by_step` of one step, chance its places over its channels; steps with a place for every
    channel are left out. `Undefined` if none is left, and where `hit_rate_150_by_step` is.

    Both steps hit all, so both are 1, whatever chance is.

    >>> labels_T, causes_TC = np.array([0, 1, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    >>> blame_TC = np.array([[0, 0, 0, 0], [9, 2, 5, 1], [2, 2, 5, 1]])
    >>> hit_rate_150_by_step_corrected(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC)
    1.0
    """
    return corrected(hit_rates)(units, 150)


@attribution(
    Card(
        name="ndcg-150-by-step",
        title="NDCG@150% (per step)",
        definition=(
            "Guilty channels among the 1.5 g most blamed of an anomalous step, place k counting 1 / log2(k + 1), "
            "over that of the best ranking; mean over the anomalous steps with a guilty channel."
        ),
        source=_NDCG,
        low=0,
        high=1,
        better="higher",
    ),
    by_step,
)
def ndcg_150_by_step(units: Units) -> Array:
    """Return the mean normalised discounted cumulative gain of a step's 1.5 g most blamed channels, from 0 to 1.

    As `ndcg_150`, but each anomalous step with a root cause is ranked by itself and counts once. Higher is better;
    `Undefined` where `ndcg_150` is.

    Guilty are the first and the third, (1 + 1 / log2(4)) / (1 + 1 / log2(3)) = .92; then the first.

    >>> labels_T, causes_TC = np.array([0, 1, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    >>> blame_TC = np.array([[0, 0, 0, 0], [9, 2, 5, 1], [2, 2, 5, 1]])
    >>> round(ndcg_150_by_step(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC), 2)
    0.96
    """
    return ndcgs(units, 150)


@attribution(
    Card(
        name="ndcg-150-by-step-corrected",
        title="NDCG@150% (per step, chance-corrected)",
        definition=f"NDCG@150% of an anomalous step. {_CHANCE}; mean over steps.",
        source=_NDCG,
        low=-math.inf,
        high=1,
        better="higher",
    ),
    by_step,
)
def ndcg_150_by_step_corrected(units: Units) -> Array:
    """Return the mean over steps of (NDCG - chance) / (1 - chance): 0 by chance, 1 at best; higher is better.

    NDCG is `ndcg_150_by_step` of one step, chance the same for equal blame; steps at which every channel is guilty
    are left out. `Undefined` if none is left, and where `ndcg_150_by_step` is.

    The first step blames all channels alike, the second the one guilty channel.

    >>> labels_T, causes_TC = np.array([0, 1, 1]), np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    >>> blame_TC = np.array([[0, 0, 0, 0], [3, 3, 3, 3], [2, 2, 5, 1]])
    >>> round(ndcg_150_by_step_corrected(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC), 9)
    0.5
    """
    return corrected(ndcgs)(units, 150)
