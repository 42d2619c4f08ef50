"""The metric: how many of the events are noticed at all, at a threshold that no label went into."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from tsad_core import Array, Card, Undefined, metric
from tsad_core.metrics.inputs import check


@metric(
    Card(
        name="foo-recall",
        title="Recall of events",
        definition="Share of the labelled events with a score above a quantile of the calibration scores.",
        source="tsad-foo",
        low=0,
        high=1,
        better="higher",
    )
)
def recall(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, quantile: Annotated[float, Ge(0), Le(1)] = 0.99
) -> float:
    """Return the share of the events that hold at least one alarm; without an event it is `Undefined`."""
    anomalous_T = check(labels_T, scores_T=scores_T)
    edges = np.flatnonzero(np.diff(anomalous_T.astype(np.int8), prepend=0, append=0))
    if not edges.size:
        raise Undefined("no event in the labels")
    alarmed_T = scores_T > np.quantile(calibration_T, quantile)
    return float(np.mean([alarmed_T[start:stop].any() for start, stop in edges.reshape(-1, 2)]))
