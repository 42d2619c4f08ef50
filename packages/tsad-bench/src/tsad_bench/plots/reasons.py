"""A picture of a detector's reasons: whom it blames, and what it expected instead."""

from typing import Any

import numpy as np
from tsad_core import Array, Detection, Series

from tsad_bench.plots.look import COLOURS, View, finish, line, name_rows, runs, shade
from tsad_bench.plots.thinning import pooled

CHANNELS = 3
"""So many of the most blamed are compared with what was expected of them."""
_NAMES = 30
"""Most that are written beside a heat map."""


def draw_reasons(series: Series, detection: Detection, views: tuple[View, ...], blamed_C: Array, *, title: str) -> Any:
    """Return a figure: attribution over channels and time, below it the most blamed channels."""
    from matplotlib.figure import Figure

    shown_C, attribution_TC = blamed_C[:CHANNELS], detection.attribution_TC
    heights = [1.3] * len(shown_C)
    if attribution_TC is not None:
        heights = [float(np.clip(0.1 * attribution_TC.shape[1], 1.3, 8)), *heights]
    figure = Figure(figsize=(13, sum(heights) + 1), layout="constrained")
    panels = figure.subplots(len(heights), 2, sharex="col", sharey="row", height_ratios=heights, squeeze=False)
    if attribution_TC is not None:
        _blame(figure, panels[0], series, attribution_TC, views)
    for row, channel in zip(panels[-len(shown_C) :], shown_C, strict=True):
        row[0].set_ylabel(series.channels[channel], parse_math=False)
        for axes, view in zip(row, views, strict=True):
            _compare(axes, series, detection, channel, view)
    given = {"expected": detection.expected_TC, "normal": series.normal_TC, "event": series.labels_T}
    roles = ["observed", *(role for role, values in given.items() if values is not None)]
    told = " (true causes outlined)" if attribution_TC is not None and series.root_causes_TC is not None else ""
    finish(figure, panels, views, roles=roles, title=title + told)
    return figure


def _compare(axes: Any, series: Series, detection: Detection, channel: int, view: View) -> None:
    layers = {"expected": detection.expected_TC, "normal": series.normal_TC, "observed": series.test_TC}
    for role, values_TC in layers.items():
        if values_TC is not None:
            line(axes, values_TC[:, channel], view, role=role)
    shade(axes, series.labels_T, view)


def _blame(figure: Any, row: Any, series: Series, attribution_TC: Array, views: tuple[View, ...]) -> None:
    """Draw attribution as a heat map; the darkest half per cent share a colour, lest one peak hide the rest."""
    low, high = np.quantile(attribution_TC, [0.5, 0.995])
    high = high if high > low else low + 1
    for axes, view in zip(row, views, strict=True):
        values_PC, width = pooled(attribution_TC[view.slice])
        P, C = values_PC.shape
        extent = (view.start - 0.5, view.start - 0.5 + P * width, C - 0.5, -0.5)
        image = axes.imshow(
            values_PC.T, aspect="auto", cmap="Greys", vmin=low, vmax=high, extent=extent, interpolation="nearest"
        )
        if series.root_causes_TC is not None:
            _outline(axes, pooled(series.root_causes_TC[view.slice])[0].T, view.start - 0.5, width)
    every = -(-C // _NAMES)
    name_rows(row[0], range(0, C, every), series.channels[::every])
    figure.colorbar(image, ax=list(row), label="attribution", pad=0.01, extend="max")


def _outline(axes: Any, causes_CP: Array, start: float, width: int) -> None:
    """Draw the edges of what is true, thinner where a column is many steps: else they hide what they are around."""
    from matplotlib.collections import LineCollection

    across = [((s, c), (e, c)) for c, s, e in _edges(causes_CP)]
    along = [((p, s), (p, e)) for p, s, e in _edges(causes_CP.T)]
    edges_N22 = np.array(across + along, dtype=float).reshape(-1, 2, 2)
    lines = edges_N22 * [width, 1] + [start, -0.5]
    axes.add_collection(
        LineCollection(list(lines), colors=COLOURS["event"], lw=1.2 if width == 1 else 0.5), autolim=False
    )


def _edges(flags_RN: Array) -> Array:
    """Return where neighbouring rows differ: the row below the edge, its first place and the place after its last."""
    return runs(np.diff(flags_RN.astype(np.int8), axis=0, prepend=0, append=0) != 0)
