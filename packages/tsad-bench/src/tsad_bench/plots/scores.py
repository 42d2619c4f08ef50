"""A picture of a series and its score."""

from typing import Any

import numpy as np
from tsad_core import Array, Series

from tsad_bench.plots.look import COLOURS, View, finish, line, name_rows, shade

CHANNELS = 8
"""Most that are shown."""
_GAP = 0.15


def draw_scores(
    series: Series, scores_T: Array, limit: float, views: tuple[View, ...], blamed_C: Array, *, title: str
) -> Any:
    """Return a figure: channels one above the other, below them the score with its threshold."""
    from matplotlib.figure import Figure

    shown_C = np.sort(blamed_C[:CHANNELS])
    figure = Figure(figsize=(13, 2.8 + 0.5 * len(shown_C)), layout="constrained")
    panels = figure.subplots(2, 2, sharex="col", height_ratios=[0.6 + 0.5 * len(shown_C), 1.5])
    for (above, below), view in zip(panels.T, views, strict=True):
        _stack(above, series, shown_C, view)
        line(below, scores_T, view, role="score")
        below.axhline(limit, color=COLOURS["threshold"], lw=1, ls="--")
        for axes in (above, below):
            shade(axes, series.labels_T, view)
    panels[1, 0].set_ylabel("score")
    panels[1, 1].sharey(panels[1, 0])
    hidden = len(blamed_C) - len(shown_C)
    more = f" (the {len(shown_C)} channels that stand out most around the {views[1].name}; {hidden} not shown)"
    roles = ["observed", "score", "threshold", "event"]
    finish(figure, panels, views, roles=roles, title=title + more * (hidden > 0))
    return figure


def _stack(axes: Any, series: Series, shown_C: Array, view: View) -> None:
    """Draw channels one above the other, each on the scale of what is shown of it, which stands beside its name."""
    names = []
    for row, channel in enumerate(shown_C):
        values_T = series.test_TC[:, channel]
        low, high = _range(values_T[view.slice])
        line(axes, (values_T - low) / ((high - low) or 1) - row * (1 + _GAP), view, role="observed")
        names.append(f"{series.channels[channel]}\n{low:.3g} to {high:.3g}")
    name_rows(axes, [0.5 - row * (1 + _GAP) for row in range(len(names))], names)


def _range(values_T: Array) -> tuple[float, float]:
    known_T = values_T[~np.isnan(values_T)]
    return (float(known_T.min()), float(known_T.max())) if len(known_T) else (0.0, 0.0)
