"""What a cell records beside its metrics: its series' health, whether its scores solve it, how far they look ahead."""

import math
from collections.abc import Mapping
from typing import Any

from tsad_core import Array, Series, Skip, Undefined
from tsad_core.detector import Detector, Redrawn
from tsad_core.health import flags, health_of, separated
from tsad_core.look_ahead import look_ahead
from tsad_core.windows import period

WHOLE_PART = "all"
"""The look-ahead of a detector whose first score depends on the last step."""


def on_series(clean: Series) -> dict[str, Any]:
    """Return the flags of a series' health, and by what its twins are known."""
    health = health_of(clean)
    return {"health": list(flags(health)), "twin": health.twin_key}


def on_scores(inputs: Mapping[str, Array | None], clean: Series) -> dict[str, Any]:
    """Return whether some threshold on the scores alarms in every event and, a period's margin aside, nowhere else."""
    labels_T, scores_T = inputs["labels_T"], inputs["scores_T"]
    if labels_T is None or scores_T is None or not labels_T.any():
        return {}
    return {"solved": separated(labels_T, scores_T, margin=period(clean.train_TC))}


def on_detector(detector: Detector, series: Series) -> dict[str, Any]:
    """Return the look-ahead of a fitted detector in steps; nothing where it has none."""
    if isinstance(detector, Redrawn):
        return {}
    try:
        steps = look_ahead(detector, series.test_TC, series.test_starts)
    except (Skip, Undefined):
        return {}
    return {"look-ahead": WHOLE_PART if math.isinf(steps) else int(steps)}


def look_ahead_of(facts: dict[str, Any]) -> float:
    """Return the look-ahead that a cell recorded, in steps; infinite for the whole part, NaN where there is none."""
    recorded = facts.get("look-ahead", math.nan)
    return math.inf if recorded == WHOLE_PART else float(recorded)
