"""Range AUC: areas under range-aware curves at one width of the events' margins."""

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.range_curves import Definition, Grid, range_areas
from tsad_core.metrics.widths import Window, width
from tsad_core.series import Array


@metric(
    Card(
        name="r-auc-pr",
        title="R-AUC-PR (default window: training period)",
        definition="Area under the range-aware precision-recall curve at one margin width, the window.",
        source="Paparrizos et al., VLDB 2022; as in vus 0.0.6, TSB-UAD 0.0.3 and MMA (250 thresholds)",
        low=0,
        high=1,
        better="higher",
    )
)
def r_auc_pr(
    *,
    labels_T: Array,
    scores_T: Array,
    train_TC: Array | None = None,
    observed_TC: Array | None = None,
    window: Window = "period",
    definition: Definition = "tsb-ad",
    grid: Grid = 250,
) -> float:
    """Return the area under the range-aware precision-recall curve, between 0 and 1; higher is better.

    Terms and options are those of `vus_pr`, at the one width w = window. ``"aeon"`` and ``"timeeval"`` are the
    slice of their volume at that width. ``"tsb-ad"`` and ``"mma"`` are one number here, `RangeAUC` of vus 0.0.6,
    TSB-UAD 0.0.3 and the MMA repository: the volume of ``"mma"`` at one width, but events are merged already
    where their margins touch. (`RangeAUC` of TSB-AD 1.5 raises for every series with a margin.)
    Without an anomalous step it is `Undefined`; without a normal one it is 1.

    The highest score comes one step late and has the label ``r = sqrt(1/2)``, as has the step before the event.
    Recall is ``r / (1 + r) = 0.414`` at precision r, then 1 at precision ``(1 + r) / 2``; from precision 1 at
    recall 0 that makes ``0.414 * (1 + r) / 2 + 0.586 * (r + 0.854) / 2``.

    >>> import numpy as np
    >>> round(r_auc_pr(labels_T=np.array([0, 1, 0, 0]), scores_T=np.array([0, 1, 2, 0]), window=2), 3)
    0.811
    """
    steps = width(window, labels_T=labels_T, train_TC=train_TC, observed_TC=observed_TC)
    return range_areas(labels_T, scores_T, definition, steps, grid)[1]


@metric(
    Card(
        name="r-auc-roc",
        title="R-AUC-ROC (default window: training period)",
        definition="Area under the range-aware ROC curve at one margin width, the window.",
        source="Paparrizos et al., VLDB 2022; as in vus 0.0.6, TSB-UAD 0.0.3 and MMA (250 thresholds)",
        low=0,
        high=1,
        better="higher",
    )
)
def r_auc_roc(
    *,
    labels_T: Array,
    scores_T: Array,
    train_TC: Array | None = None,
    observed_TC: Array | None = None,
    window: Window = "period",
    definition: Definition = "tsb-ad",
    grid: Grid = 250,
) -> float:
    """Return the area under the range-aware ROC curve, between 0 and 1; higher is better.

    Terms and definitions are those of `r_auc_pr`, the curve is that of `vus_roc`. Random scores get more than
    1/2, because margins forgive. Without an anomalous step, or without a normal one, it is `Undefined`.

    In the example of `r_auc_pr` both alarms leave ``1 - r`` false of ``4 - (1 + r)``, a rate of 0.128; recall
    is 0.414 after the first of them, 1 after the second: ``0.128 * 0.414 / 2 + (1 - 0.128)``.

    >>> import numpy as np
    >>> round(r_auc_roc(labels_T=np.array([0, 1, 0, 0]), scores_T=np.array([0, 1, 2, 0]), window=2), 3)
    0.899
    """
    steps = width(window, labels_T=labels_T, train_TC=train_TC, observed_TC=observed_TC)
    area = range_areas(labels_T, scores_T, definition, steps, grid)[0]
    if area is None:
        raise Undefined("every step is anomalous")
    return area
