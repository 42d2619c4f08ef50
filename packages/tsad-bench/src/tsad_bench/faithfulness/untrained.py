"""An untrained copy of a detector: what its explanations owe to the series and the architecture alone."""

import logging
from collections.abc import Mapping
from typing import Any

from tsad_core import Array, OptionError, Series
from tsad_core.calibration import split
from tsad_core.detector import Detector, detect, fit
from tsad_core.windows import period, starts_within

logger = logging.getLogger(__name__)

UNTRAINED = "untrained"

_STANDSTILL = 1e-12
"""A learning rate at which nothing is learnt."""


def untrained(detector: Detector, series: Series) -> dict[str, Array]:
    """Return the blame of an untrained copy of a detector under the name ``untrained``; nothing where there is none.

    The copy takes one of its optimiser's steps, or one epoch, at a learning rate of next to nothing: it has the
    scales of the training part, and the weights that it began with. What has no such options cannot be untrained.
    """
    options = _standing_still(detector.get_params())
    if not options:
        return {}
    try:
        copy = type(detector)(**{**detector.get_params(), **options})
    except OptionError:
        logger.warning("there is no untrained copy", exc_info=True)
        return {}
    stop, _ = split(len(series.train_TC), gap=period(series.train_TC))
    fit(copy, series.train_TC[:stop], starts_within(series.train_starts, 0, stop))
    blame_TC = detect(copy, series.test_TC, series.test_starts).attribution_TC
    return {} if blame_TC is None else {UNTRAINED: blame_TC}


def _standing_still(given: Mapping[str, Any]) -> dict[str, Any]:
    slow = {"learning_rate": _STANDSTILL} if "learning_rate" in given else {}
    if "steps" in given:
        return {"steps": 1, **({"epochs": 0} if given.get("epochs") else {}), **slow}
    return {"epochs": 1, **slow} if "epochs" in given and slow else {}
