"""A cell's headline by the kind of anomaly: the same metric on what is left without the events of the other kinds."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tsad_core import Array
from tsad_core.metric import INPUTS
from tsad_core.metrics.inputs import spans
from tsad_core.windows import period

from tsad_bench.evaluation import Loaded, Subject, evaluate_into
from tsad_bench.outcome import Outcome

logger = logging.getLogger(__name__)

MOST = 3000
"""Characters, as JSON, that the kinds of a cell may take: all its facts share one tag of 5000."""
DIGITS = 6

_OF_TEST = frozenset(INPUTS) - {"calibration_T", "train_TC"}


def by_kind(inputs: Mapping[str, Array | None], subject: Subject, metrics: Loaded, headline: str) -> dict[str, Any]:
    """Return the fact ``kinds`` of a cell, nothing where the kinds of its events or its headline are not known.

    It holds, by kind, how many events there are and the headline on them alone, or None where that is undefined.
    The margin left out around events of other kinds is the period of the clean training part.
    """
    kinds, labels_T = subject.evaluated.event_kinds, inputs["labels_T"]
    if not kinds or labels_T is None or headline not in metrics:
        return {}
    margin, chosen = period(subject.clean.train_TC), {headline: metrics[headline]}
    told = {}
    for kind in sorted(set(kinds)):
        left_T = steps_left(labels_T, kinds, kind, margin=margin)
        told[kind] = [kinds.count(kind), _value(_at(inputs, left_T), chosen)]
    if len(json.dumps(told)) > MOST:
        logger.warning("series %s: its %d kinds of events are too many to be told", subject.clean.name, len(told))
        return {}
    return {"kinds": told}


def steps_left(labels_T: Array, kinds: Sequence[str], kind: str, *, margin: int) -> Array:
    """Return which steps one kind of event is judged on: all but the other kinds' events and a margin around each.

    A margin ends one step short of an event of the kind itself, so that two of them never become one.

    >>> labels_T = np.array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
    >>> steps_left(labels_T, ("trend", "noise"), "noise", margin=2).astype(int).tolist()
    [1, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    """
    left_T = np.ones(len(labels_T), dtype=bool)
    events = list(zip(kinds, *spans(labels_T), strict=True))
    for named, start, stop in events:
        if named != kind:
            left_T[max(start - margin, 0) : stop + margin] = False
    for named, start, stop in events:
        if named == kind:
            left_T[max(start - 1, 0) : stop + 1] = True
    return left_T


def _at(inputs: Mapping[str, Array | None], left_T: Array) -> dict[str, Array | None]:
    """Return what metrics may name at some steps of the test part; training and calibration stay whole."""
    return {
        name: values[left_T] if name in _OF_TEST and values is not None else values for name, values in inputs.items()
    }


def _value(inputs: Mapping[str, Array | None], chosen: Loaded) -> float | None:
    told = Outcome()
    evaluate_into(told, inputs, chosen)
    return next((round(value, DIGITS) for value in told.metrics.values()), None)
