"""Areas under range-aware curves, at one width of the events' margins or averaged over widths.

Every published definition gives the steps around an event soft labels, scales recall by the share of events
that hold an alarm, and integrates over thresholds. They differ in what `Rules` says.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from tsad_core.errors import OptionError, Undefined, did_you_mean
from tsad_core.metrics.inputs import ascending, check, shared
from tsad_core.metrics.margins import (
    Events,
    Margin,
    Ranking,
    find_events,
    find_margin,
    hit_share_of_events,
    hit_share_of_zones,
    soft_mass,
)
from tsad_core.series import Array

Definition = Literal["tsb-ad", "aeon", "timeeval", "mma"]
"""Whose definition to follow: the same name means different numbers in these packages."""

Grid = Annotated[int, Ge(2)]
"""How many thresholds a curve has, at evenly spaced ranks of the scores; every peer's default is 250."""


@dataclass(frozen=True)
class Rules:
    """What one definition does that another does not."""

    lag: int = 0
    """How many steps the margin behind an event is shorter than the one before it."""
    linear: bool = False
    """Whether soft labels fall in a line to ``sqrt(1/2)``, and the higher one counts where margins overlap."""
    zones: Literal["overlapping", "touching", "apart"] = "overlapping"
    """Which events count as one, with their margins, when recall asks what share of them holds an alarm."""
    alarmed: bool = False
    """Whether soft labels count among the positives only where they are alarmed."""
    stairs: bool = False
    """Whether precision stays level between thresholds, instead of rising in a line from 1 at recall 0."""


VOLUME_RULES = {
    "tsb-ad": Rules(alarmed=True, stairs=True),
    "aeon": Rules(lag=1, zones="touching"),
    "timeeval": Rules(linear=True, zones="apart"),
    "mma": Rules(),
}
"""Of the volumes, by definition."""

RANGE_RULES = VOLUME_RULES | {"tsb-ad": Rules(zones="touching"), "mma": Rules(zones="touching")}
"""Of the areas at one width: the VUS authors' packages compute these by another formula than their volumes."""

Areas = tuple[float | None, float]
"""Under the ROC curve, ``None`` where every step is anomalous, and under the precision-recall curve."""


@shared
def volumes(labels_T: Array, scores_T: Array, definition: str, window: int, grid: int) -> Areas:
    """Return the areas averaged over the widths 0 … `window`."""
    return _areas(labels_T, scores_T, _rules(VOLUME_RULES, definition), range(window + 1), grid)


@shared
def range_areas(labels_T: Array, scores_T: Array, definition: str, window: int, grid: int) -> Areas:
    """Return the areas at the width `window`."""
    return _areas(labels_T, scores_T, _rules(RANGE_RULES, definition), range(window, window + 1), grid)


def _rules(known: dict[str, Rules], definition: str) -> Rules:
    if definition not in known:
        raise OptionError(f"definition = {definition!r}; {did_you_mean(definition, known)}")
    return known[definition]


def _areas(labels_T: Array, scores_T: Array, rules: Rules, widths: range, grid: int) -> Areas:
    """Axes are W width, J threshold."""
    anomalous_T = check(labels_T, scores_T=scores_T)
    positives = np.count_nonzero(anomalous_T)
    if not positives:
        raise Undefined("no event in the labels")
    if positives == len(anomalous_T):
        # every alarm is right; there is no false-positive rate
        return None, 1.0
    radius, ranking = widths[-1] // 2, _ranking(scores_T, grid)
    ranks_N = ranking.ranks(anomalous_T)
    events = find_events(anomalous_T, ranks_N)
    margin = find_margin(events, ranking, radius=radius, lag=rules.lag)
    soft_WJ = soft_mass(margin, widths, thresholds=grid, linear=rules.linear)
    true_WJ = ranking.caught(ranks_N) + soft_WJ
    # the last threshold alarms every step
    positive_WJ = positives + (soft_WJ if rules.alarmed else soft_WJ[:, -1:]) / 2
    share_RJ = _hit_share(events, margin, ranking, rules, radius)
    recall_WJ = np.minimum(true_WJ / positive_WJ, 1) * share_RJ[np.array(widths) // 2]
    false_rate_WJ = (ranking.alarms_J - true_WJ) / (len(anomalous_T) - positive_WJ)
    return _roc(false_rate_WJ, recall_WJ), _pr(true_WJ / ranking.alarms_J, recall_WJ, stairs=rules.stairs)


def _ranking(scores_T: Array, grid: int) -> Ranking:
    if grid < 2:
        raise OptionError(f"grid = {grid}; a curve has 2 thresholds or more")
    sorted_T = ascending(scores_T)
    ranks_J = np.linspace(0, len(sorted_T) - 1, grid).astype(np.int64)
    thresholds_J = sorted_T[len(sorted_T) - 1 - ranks_J]
    return Ranking(np.asarray(scores_T), thresholds_J, len(sorted_T) - np.searchsorted(sorted_T, thresholds_J))


def _hit_share(events: Events, margin: Margin, ranking: Ranking, rules: Rules, radius: int) -> Array:
    if rules.zones == "apart":
        return hit_share_of_events(events, ranking, radius=radius)
    slack = (rules.zones == "touching") - rules.lag
    return hit_share_of_zones(events, margin, ranking, radius=radius, slack=slack)


def _roc(false_rate_WJ: Array, recall_WJ: Array) -> float:
    ends: Any = {"pad_width": ((0, 0), (1, 1)), "constant_values": ((0, 0), (0, 1))}
    return float(np.trapezoid(np.pad(recall_WJ, **ends), np.pad(false_rate_WJ, **ends)).mean())


def _pr(precision_WJ: Array, recall_WJ: Array, *, stairs: bool) -> float:
    rise_WJ = np.diff(recall_WJ, prepend=0)
    if not stairs:
        before_WJ = np.concatenate([np.ones((len(precision_WJ), 1)), precision_WJ[:, :-1]], axis=1)
        precision_WJ = (precision_WJ + before_WJ) / 2
    return float((rise_WJ * precision_WJ).sum(axis=1).mean())
