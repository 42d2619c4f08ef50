"""Volume under the surface (VUS): areas under range-aware curves, averaged over the width of the events' margins.

At margin width w an event's neighbours count as partly anomalous, so that a detector that is a little early
or late is not charged with a miss and a false alarm. `range_curves` computes all four definitions.
"""

from tsad_core.errors import Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.range_curves import Definition, Grid, volumes
from tsad_core.metrics.widths import Window, width
from tsad_core.series import Array


@metric(
    Card(
        name="vus-pr",
        title="VUS-PR (default window: training period)",
        definition="Area under the range-aware precision-recall curve, averaged over margin widths up to the window.",
        source="Paparrizos et al., VLDB 2022; as in TSB-AD 1.5 and vus 0.0.6 (250 thresholds)",
        low=0,
        high=1,
        better="higher",
    )
)
def vus_pr(
    *,
    labels_T: Array,
    scores_T: Array,
    train_TC: Array | None = None,
    observed_TC: Array | None = None,
    window: Window = "period",
    definition: Definition = "tsb-ad",
    grid: Grid = 250,
) -> float:
    """Return the volume under the range-aware precision-recall surface, between 0 and 1; higher is better.

    For every width w in 0..window and each of `grid` thresholds at evenly spaced ranks, with alarms
    ``scores_T >= threshold``: a normal step at distance ``d <= w // 2`` of one event has the soft label
    ``sqrt(1 - d / w)``, and 1 within reach of two or more; TP is the sum of the labels over the alarms,
    precision is TP / alarms, and recall is ``min(TP / (P + soft / 2), 1)`` times the share of events,
    merged where their margins overlap, that hold an alarm; P counts anomalous steps and `soft` is the
    soft part of TP. The area is the sum of precision times rise of recall. That is TSB-AD 1.5 and vus
    0.0.6; the other definitions differ from it so:

    - ``"mma"``, the copy in the MMA repository: `soft` is the sum of all soft labels, alarmed or not, and
      the area is that of the trapezoids from precision 1 at recall 0.
    - ``"aeon"`` 1.6: as ``"mma"``, the margin behind an event one step shorter, events merged where their
      margins touch.
    - ``"timeeval"`` 1.5 by default: as ``"mma"``, the soft label falls in a line from 1 in the event to
      ``sqrt(1/2)`` at distance ``w // 2``, the higher one counts where margins overlap, events are not merged
      (and the first step after an event's margin still hits it, if it lies in the margin of the next).

    The window is in steps or a rule: the period of the training part (default; needs `train_TC`),
    ``"event-mean"`` or ``"event-median"`` length, or ``"mma-events"``, which read the labels, or
    ``"tsb-file"``, TSB-AD's own, which needs `train_TC` and `observed_TC` and looks at the test part: for
    parity only.

    Constant scores are one alarm that covers every step. Without an anomalous step it is `Undefined`;
    without a normal one it is 1.

    The highest score comes one step late. Widths 0 and 1 have no margin: average precision 1/2. At
    width 2 the late step has label ``r = sqrt(1/2)`` and recall ``r / (1 + r/2) = 0.522``, so the area is
    ``0.522 * r + 0.478 * (1 + r) / 2 = 0.777``.

    >>> import numpy as np
    >>> given = {"labels_T": np.array([0, 1, 0, 0]), "scores_T": np.array([0, 1, 2, 0])}
    >>> round(vus_pr(**given, window=2), 3)
    0.592

    In aeon the late step has label 0 even at width 2: precision is 0 first, then 1/2 at recall 1, so the
    trapezoid holds 1/4 at widths 0 and 1; at width 2, where the step before the event has label r, it holds
    ``0.739 * 0.25 + 0.261 * 0.463 = 0.306``.

    >>> round(vus_pr(**given, window=2, definition="aeon"), 3)
    0.269
    """
    steps = width(window, labels_T=labels_T, train_TC=train_TC, observed_TC=observed_TC)
    return volumes(labels_T, scores_T, definition, steps, grid)[1]


@metric(
    Card(
        name="vus-roc",
        title="VUS-ROC (default window: training period)",
        definition="Area under the range-aware ROC curve, averaged over margin widths up to the window.",
        source="Paparrizos et al., VLDB 2022; as in TSB-AD 1.5 and vus 0.0.6 (250 thresholds)",
        low=0,
        high=1,
        better="higher",
    )
)
def vus_roc(
    *,
    labels_T: Array,
    scores_T: Array,
    train_TC: Array | None = None,
    observed_TC: Array | None = None,
    window: Window = "period",
    definition: Definition = "tsb-ad",
    grid: Grid = 250,
) -> float:
    """Return the volume under the range-aware ROC surface, between 0 and 1; higher is better.

    Terms and options are those of `vus_pr`; the false-positive rate is ``(alarms - TP) / (T - P - soft / 2)``,
    and the area is that of the trapezoids from (0, 0) through all thresholds to (1, 1). Random scores get more
    than 1/2, because margins forgive: compare with the random control. Without an anomalous
    step, or without a normal one, it is `Undefined`.

    The highest score comes one step late: 2/3 at widths 0 and 1, 0.918 at width 2.

    >>> import numpy as np
    >>> round(vus_roc(labels_T=np.array([0, 1, 0, 0]), scores_T=np.array([0, 1, 2, 0]), window=2), 3)
    0.751
    """
    steps = width(window, labels_T=labels_T, train_TC=train_TC, observed_TC=observed_TC)
    volume = volumes(labels_T, scores_T, definition, steps, grid)[0]
    if volume is None:
        raise Undefined("every step is anomalous")
    return volume
