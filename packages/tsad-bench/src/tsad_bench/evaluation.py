"""From scores to numbers: what metrics are given, every step of it on the clean clock, and what they make of it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from tsad_core import Array, Detection, Metric, Registry, Series, Undefined
from tsad_core.corruption import Condition, Corrupted, corrupt
from tsad_core.metric import evaluate

from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome, brief
from tsad_bench.plugins import load_metric
from tsad_bench.suite import Choice

logger = logging.getLogger(__name__)

Loaded = Mapping[str, tuple[Metric, Mapping[str, Any]]]
"""Metrics by their label, each with its options."""


@dataclass(frozen=True)
class Subject:
    """The series of a cell, clean and as the detector sees it."""

    clean: Series
    corrupted: Corrupted

    @cached_property
    def evaluated(self) -> Series:
        """What metrics see: the test part as the detector saw it, with its labels, on the clean clock."""
        series, clock_T = self.corrupted.series, self.corrupted.clock_T
        if clock_T is None:
            return series
        return replace(self.clean, test_TC=series.test_TC[clock_T], missing=series.missing)

    def inputs(self, detection: Detection, calibration_T: Array) -> dict[str, Array | None]:
        """Return everything that metrics may name, of what a detector gave."""
        return self.kept_inputs(self.corrupted.on_clean_clock(detection), calibration_T)

    def kept_inputs(self, detection: Detection, calibration_T: Array) -> dict[str, Array | None]:
        """Return everything that metrics may name, of what is on the clean clock already; training values are clean."""
        return {
            "labels_T": self.evaluated.labels_T,
            "scores_T": as_kept(detection.scores_T),
            "calibration_T": calibration_T,
            "root_causes_TC": self.evaluated.root_causes_TC,
            "attribution_TC": _rounded(detection.attribution_TC),
            "normal_TC": self.evaluated.normal_TC,
            "expected_TC": _rounded(detection.expected_TC),
            "observed_TC": self.evaluated.test_TC,
            "train_TC": self.clean.train_TC,
        }


def under_condition(clean: Series, cell: Cell, *, part: str) -> Corrupted:
    """Return a series under the cell's condition, if that touches the part, else as it is."""
    condition = Condition.parse(cell.condition)
    return corrupt(clean, condition if part in condition.touches else Condition(), seed=cell.corruption_seed)


def as_kept(scores_T: Array) -> Array:
    """Round scores to float32, as they are stored: what is computed from them later is then the same."""
    kept_T = scores_T.astype(np.float32).astype(np.float64)
    kept_T.flags.writeable = False
    return kept_T


def load_metrics(choices: Mapping[str, Choice], registry: Registry) -> Loaded:
    """Return the metrics that a suite names, by label."""
    return {label: (load_metric(registry, c.name, c.options), c.options) for label, c in choices.items()}


def evaluate_into(outcome: Outcome, inputs: Mapping[str, Array | None], metrics: Loaded) -> None:
    """Add each metric's value to an outcome, or why it has none."""
    for label, (function, options) in metrics.items():
        try:
            outcome.metrics[label] = evaluate(function, inputs, options)
        except Undefined as undefined:
            outcome.undefined[label] = str(undefined)
        except Exception as error:  # a metric at fault costs itself, not the cell
            logger.exception("metric %s failed", label)
            outcome.undefined[label] = brief(f"the metric failed: {type(error).__name__}: {error}")


def _rounded(values_TC: Array | None) -> Array | None:
    return None if values_TC is None else np.asarray(values_TC, dtype=np.float32)
