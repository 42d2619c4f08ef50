"""Whether a detector blames the channels that cause an anomaly."""

import numpy as np

from tsad_core.errors import DataError, Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import check, marks, spans
from tsad_core.metrics.ranking import auc_pr
from tsad_core.series import Array


@metric(
    Card(
        name="hit-rate-100",
        title="HitRate@100% (per event)",
        definition=(
            "Of the g guilty channels of an event, the share among the g channels "
            "with the highest mean attribution over its steps; mean over events."
        ),
        source="HitRate@P% of Su et al., OmniAnomaly, KDD 2019, per event instead of per step",
        low=0,
        high=1,
        better="higher",
    )
)
def hit_rate_100(*, labels_T: Array, root_causes_TC: Array, attribution_TC: Array) -> float:
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
    anomalous_T, causes_TC = _checked(labels_T, root_causes_TC, attribution_TC)
    blame_TC = np.asarray(attribution_TC)
    events = [slice(start, stop) for start, stop in zip(*spans(anomalous_T), strict=True)]
    guilty_EC = np.array([causes_TC[event].any(axis=0) for event in events])
    blame_EC = np.array([blame_TC[event].mean(axis=0, dtype=np.float64) for event in events])
    pairs = zip(guilty_EC, blame_EC, strict=True)
    return float(np.mean([_hits(guilty_C, blame_C) for guilty_C, blame_C in pairs if guilty_C.any()]))


def _hits(guilty_C: Array, blame_C: Array) -> float:
    places = int(guilty_C.sum())
    last = np.partition(blame_C, -places)[-places]
    above_C, tied_C = blame_C > last, blame_C == last
    left = places - above_C.sum()
    hits = (guilty_C & above_C).sum() + (guilty_C & tied_C).sum() * left / tied_C.sum()
    return float(hits / places)


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
def channel_auc_pr(*, labels_T: Array, root_causes_TC: Array, attribution_TC: Array) -> float:
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
    anomalous_T, causes_TC = _checked(labels_T, root_causes_TC, attribution_TC)
    blame_TC = np.asarray(attribution_TC)
    return auc_pr(labels_T=causes_TC[anomalous_T].ravel(), scores_T=blame_TC[anomalous_T].ravel())


def _checked(labels_T: Array, root_causes_TC: Array, attribution_TC: Array) -> tuple[Array, Array]:
    anomalous_T = check(labels_T, root_causes_TC=root_causes_TC, attribution_TC=attribution_TC)
    causes_TC = marks("root_causes_TC", root_causes_TC)
    if causes_TC.shape != np.shape(attribution_TC):
        raise DataError(f"attribution_TC has shape {np.shape(attribution_TC)}; root_causes_TC has {causes_TC.shape}")
    if causes_TC.shape[1] == 1:
        raise Undefined("there is one channel only: nothing to tell apart")
    if not anomalous_T.any():
        raise Undefined("no event in the labels")
    if not causes_TC[anomalous_T].any():
        raise Undefined("no event has a root cause")
    return anomalous_T, causes_TC
