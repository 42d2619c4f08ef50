"""Pictures of single cells: the series, the score, the threshold and the events."""

import itertools
from pathlib import Path

import numpy as np
from tsad_core import Array, Series
from tsad_core.thresholds import threshold

from tsad_bench.artifacts import read_scores

POINTS = 4000
"""A longer line is thinned to its lowest and highest value in each of half as many stretches."""
CHANNELS = 6


def plot_cell(folder: Path, series: Series, *, title: str) -> None:
    """Draw a series' test part above the scores kept in a cell's folder, as ``scores.png`` beside them.

    Events are shaded; the threshold is the label-free one from the calibration scores.
    """
    from matplotlib.figure import Figure

    scores_T, calibration_T = read_scores(folder)
    limit = threshold(calibration_T)
    figure = Figure(figsize=(12, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    for channel in range(min(series.test_TC.shape[1], CHANNELS)):
        above.plot(*thinned(series.test_TC[:, channel]), lw=0.8, label=series.channels[channel])
    below.plot(*thinned(scores_T), lw=0.8, color="black", label="score")
    below.axhline(limit, color="tab:red", lw=1, ls="--", label="threshold (no labels)")
    for axes in (above, below):
        _shade(axes, series.labels_T)
        legend = axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small")
        for text in legend.get_texts():
            text.set_parse_math(False)
        axes.margins(x=0)
    hidden = series.test_TC.shape[1] - CHANNELS
    more = f" ({hidden} more channels not shown)" if hidden > 0 else ""
    above.set_title(f"{title}{more}", parse_math=False)
    above.set(ylabel="value")
    below.set(xlabel="step of the test part", ylabel="score")
    figure.savefig(folder / "scores.png", dpi=100)


def thinned(values_T: Array) -> tuple[Array, Array]:
    """Return steps and values, thinned so that no peak is lost."""
    steps_T = np.arange(len(values_T))
    if len(values_T) <= POINTS:
        return steps_T, values_T
    edges = np.linspace(0, len(values_T), POINTS // 2 + 1).astype(int)
    stretches = [(start, values_T[start:stop]) for start, stop in itertools.pairwise(edges)]
    kept = np.unique([start + pick(part) for start, part in stretches for pick in (np.argmin, np.argmax)])
    return kept, values_T[kept]


def _shade(axes: "object", labels_T: Array | None) -> None:
    if labels_T is None:
        return
    edges = np.flatnonzero(np.diff(labels_T.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    for number, (start, stop) in enumerate(edges):
        label = "event" if number == 0 else None
        axes.axvspan(start - 0.5, stop - 0.5, color="tab:orange", alpha=0.3, lw=1, label=label)  # type: ignore[attr-defined]  # matplotlib has no types here
