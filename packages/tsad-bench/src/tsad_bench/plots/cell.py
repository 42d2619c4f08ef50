"""The pictures of a cell, drawn from what it kept."""

from pathlib import Path

import numpy as np
from tsad_core import Array, Detection, Series
from tsad_core.thresholds import threshold

from tsad_bench.artifacts import read_detection
from tsad_bench.plots.look import View, around, largest_event
from tsad_bench.plots.reasons import draw_reasons
from tsad_bench.plots.scores import draw_scores


def plot_cell(folder: Path, series: Series, *, title: str) -> None:
    """Draw what a cell kept in its folder, beside it: ``scores.png`` and, where it kept reasons, ``reasons.png``.

    The first shows series, score, events and the label-free threshold; the second attribution with
    the true causes outlined, and what was expected against what was observed. Both show the whole
    test part and the largest event, and of more channels than fit those that are blamed most for it.
    """
    detection, calibration_T = read_detection(folder)
    event = largest_event(series.labels_T, detection.scores_T)
    steps = len(detection.scores_T)
    views = View(0, steps, "whole test part"), around(event, steps)
    blamed_C = most_blamed(series, detection, event.start, event.stop)
    figure = draw_scores(series, detection.scores_T, threshold(calibration_T), views, blamed_C, title=title)
    figure.savefig(folder / "scores.png", dpi=100)
    if detection.attribution_TC is not None or detection.expected_TC is not None:
        draw_reasons(series, detection, views, blamed_C, title=title).savefig(folder / "reasons.png", dpi=100)


def most_blamed(series: Series, detection: Detection, start: int, stop: int) -> Array:
    """Return all channels, the most blamed for some steps first.

    Blame is the mean attribution; without it the mean distance from what was expected; without that
    the mean distance from the training mean in standard deviations.
    """
    observed_TC = series.test_TC[start:stop]
    if detection.attribution_TC is not None:
        blame_TC = detection.attribution_TC[start:stop]
    elif detection.expected_TC is not None:
        blame_TC = np.abs(observed_TC - detection.expected_TC[start:stop])
    else:
        blame_TC = np.abs(observed_TC - _filled(series.train_TC).mean(axis=0)) / _spread(series)
    return np.argsort(-_filled(blame_TC).mean(axis=0), kind="stable")


def _spread(series: Series) -> Array:
    spread_C = _filled(series.train_TC).std(axis=0)
    return np.where(spread_C > 0, spread_C, 1.0)


def _filled(values_TC: Array) -> Array:
    return np.nan_to_num(values_TC, nan=0.0)
