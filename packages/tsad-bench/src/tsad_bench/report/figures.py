"""The figures of a report: intervals, ranks, robustness curves, cost against accuracy, two scores of one series."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from tsad_core import Array

from tsad_bench.plots import thinned
from tsad_bench.report.colours import Style
from tsad_bench.report.conditions import head
from tsad_bench.report.headline import Board
from tsad_bench.report.robustness import NO_NOISE, Curves, severity
from tsad_bench.report.svg import FAINT, INK, figure, inline, spread
from tsad_bench.statistics import Ranks

WIDTH = 8.2
CHEAPEST = 1e-3
"""What costs less is drawn at this many seconds or MB: a logarithm knows no 0."""
_LINE = 0.24
"""Inches that a line of text takes."""
_LETTER = 5.6
"""Points that a letter of a name takes, at most on average."""
_SIDES = [(8, -3), (-8, -3), (0, 8), (0, -15), (8, 9), (8, -15), (-8, 9), (-8, -15), (0, 19), (0, -26)]
"""Where a name may stand by its point, in points; the first is taken where all are as good."""

Styles = Mapping[str, Style]
Box = tuple[float, float, float, float]
"""Left, low, right and high."""


def interval_figure(board: Board, styles: Styles, *, name: str) -> str:
    """Draw each detector's number with its interval, best on top; hollow markers are controls."""
    rows = [row for row in board.rows if not row.missing and row.number.value is not None]
    with figure(WIDTH, 0.8 + _LINE * 1.25 * max(len(rows), 1)) as drawing:
        axes = drawing.subplots()
        for place, row in enumerate(rows):
            style, number = styles[row.detector], row.number
            if number.low is not None:
                axes.plot([number.low, number.high], [place, place], color=style.colour, lw=2, solid_capstyle="butt")
            face = "none" if style.control else style.colour
            axes.plot(number.value, place, "o", ms=7, mew=1.8, mec=style.colour, mfc=face)
        axes.set_yticks(range(len(rows)), [row.detector for row in rows])
        axes.set(xlabel=board.metric, ylim=(len(rows) - 0.4, -0.6))
        axes.grid(axis="x", color=FAINT, lw=0.8)
        axes.set_axisbelow(True)
        return inline(drawing, name=name, alt=f"{board.title}: numbers and intervals; the table has them")


def rank_figure(ranks: Ranks, styles: Styles, *, name: str) -> str:
    """Draw a critical difference diagram: average ranks, best on the left; a bar joins who cannot be told apart."""
    count = len(ranks.detectors)
    half, bars = math.ceil(count / 2), len(ranks.groups)
    depth = bars * 0.45 + 0.6
    with figure(WIDTH, 0.9 + 0.3 * (depth + half)) as drawing:
        axes = drawing.subplots()
        margin = 0.22 * (count - 1)
        axes.set(xlim=(1 - margin, count + margin), ylim=(depth + half, -1.6))
        axes.axis("off")
        axes.plot([1, count], [0, 0], color=INK, lw=1.2)
        for tick in range(1, count + 1):
            axes.plot([tick, tick], [-0.2, 0], color=INK, lw=1.2)
            axes.text(tick, -0.35, str(tick), ha="center", va="bottom")
        for place, detector in enumerate(ranks.detectors):
            left = place < half
            line = depth + (place if left else count - 1 - place)
            _stem(axes, float(ranks.average_D[place]), line, detector, styles[detector], edge=1 if left else count)
        _bars(axes, ranks)
        return inline(drawing, name=name, alt="average ranks of the detectors; the table has them")


def _stem(axes: Any, rank: float, line: float, detector: str, style: Style, *, edge: int) -> None:
    """Lead from a rank on the axis to the detector's name beside it."""
    out = -1 if edge == 1 else 1
    axes.plot([rank, rank, edge], [0, line, line], color=style.colour, lw=1.6, ls=style.dash)
    axes.plot(rank, 0, style.marker, ms=6, color=style.colour, clip_on=False)
    axes.annotate(
        f"{detector}  {rank:.2f}",
        (edge, line),
        xytext=(4 * out, 0),
        textcoords="offset points",
        ha="right" if out < 0 else "left",
        va="center",
        annotation_clip=False,
    )


def _bars(axes: Any, ranks: Ranks) -> None:
    place = dict(zip(ranks.detectors, map(float, ranks.average_D), strict=True))
    for number, group in enumerate(ranks.groups):
        ends = [place[group[0]] - 0.04, place[group[-1]] + 0.04]
        axes.plot(ends, [0.4 + 0.45 * number] * 2, color=INK, lw=4, solid_capstyle="round")


def curve_figure(panels: Sequence[Curves], styles: Styles, *, name: str) -> str:
    """Draw all detectors over the levels of a kind of condition, and beside it its sham, if there is one."""
    rows = max(len(curves.means) for curves in panels)
    with figure(WIDTH if len(panels) > 1 else WIDTH * 0.75, max(3.2, 1.2 + _LINE * rows)) as drawing:
        for axes, curves in zip(np.ravel(drawing.subplots(1, len(panels), sharey=True)), panels, strict=True):
            _panel(axes, curves, styles)
        axes = drawing.axes[0]
        axes.set_ylabel(panels[0].metric)
        low, high = axes.get_ylim()
        for axes, curves in zip(drawing.axes, panels, strict=True):
            _name_ends(axes, curves, styles, gap=(high - low) * _LINE / (drawing.get_figheight() - 1.0))
        return inline(drawing, name=name, alt=f"{panels[0].metric} under {panels[0].kind}; the table has the numbers")


def _panel(axes: Any, curves: Curves, styles: Styles) -> None:
    places = _places(curves)
    for detector, values in curves.means.iterrows():
        style = styles[str(detector)]
        axes.plot(places, values, color=style.colour, ls=style.dash, marker=style.marker, ms=5, lw=1.6)
    axes.set_xticks(places, [head(curves.kind, level) for level in curves.means.columns])
    axes.set_title(curves.kind, fontsize=10)
    axes.grid(axis="y", color=FAINT, lw=0.8)


def _places(curves: Curves) -> list[float]:
    """Return where levels stand: at their severity; the clean series, which is at no finite one, a step before."""
    found = [severity(curves.kind, level) for level in curves.means.columns if level != NO_NOISE]
    step = found[1] - found[0] if len(found) > 1 else 1.0
    before = [found[0] - step if found else 0.0] if NO_NOISE in curves.means.columns else []
    return [*before, *found]


def _name_ends(axes: Any, curves: Curves, styles: Styles, *, gap: float) -> None:
    """Write each detector's name where its curve ends."""
    low, high = axes.get_ylim()
    places, last = _places(curves), {}
    for detector, values in curves.means.iterrows():
        known = np.flatnonzero(values.notna())
        if len(known) and known[-1] == len(places) - 1:
            last[str(detector)] = float(values.iloc[-1])
        elif len(known):
            end = places[known[-1]], float(values.iloc[known[-1]])
            axes.annotate(str(detector), end, xytext=(7, 0), textcoords="offset points", va="center", fontsize=9)
    heights = spread(list(last.values()), gap, low=low, high=high)
    for (detector, value), height in zip(last.items(), heights, strict=True):
        line = {"arrowstyle": "-", "color": styles[detector].colour, "lw": 0.7, "shrinkA": 1, "shrinkB": 4}
        axes.annotate(
            detector,
            (places[-1], value),
            xytext=(1.08, height),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=9,
            annotation_clip=False,
            arrowprops=line | {"relpos": (0, 0.5)},
        )


def cost_figure(
    points: Mapping[str, tuple[float, float, float]], styles: Styles, *, metric: str, better: str, name: str
) -> str:
    """Draw the headline (second) against seconds (first) and memory (third of each detector's numbers).

    A line joins the front: the detectors that nothing at most as dear beats. Names stay inside their panel.
    """
    seconds = {detector: (max(x, CHEAPEST), y) for detector, (x, y, _) in points.items() if math.isfinite(x)}
    memory = {detector: (max(x, CHEAPEST), y) for detector, (_, y, x) in points.items() if math.isfinite(x)}
    with figure(WIDTH, 3.9) as drawing:
        left, right = drawing.subplots(1, 2, sharey=True)
        _scatter(left, seconds, styles, label="seconds a cell, fit and score")
        _scatter(right, memory, styles, label="added memory in MB, at most")
        left.set_ylabel(metric)
        # names are placed in pixels, so panels must have their size before
        drawing.draw_without_rendering()
        drawing.set_layout_engine("none")
        for axes, shown in ((left, seconds), (right, memory)):
            joined = front(shown, better=better)
            _join(axes, joined)
            _label_points(axes, shown, joined)
        return inline(drawing, name=name, alt=f"{metric} against seconds and memory; the table has the numbers")


def front(points: Mapping[str, tuple[float, float]], *, better: str) -> list[tuple[float, float]]:
    """Return cost and value of the points that no other beats at the same cost or less, cheapest first.

    None where neither way is better.

    >>> front({"a": (1.0, 0.5), "b": (2.0, 0.4), "c": (3.0, 0.6)}, better="higher")
    [(1.0, 0.5), (3.0, 0.6)]
    """
    if better == "neither":
        return []
    sign = -1 if better == "lower" else 1
    kept: list[tuple[float, float]] = []
    for cost, value in sorted(points.values(), key=lambda point: (point[0], -sign * point[1])):
        if not kept or sign * value > sign * kept[-1][1]:
            kept.append((cost, value))
    return kept


def _join(axes: Any, joined: Sequence[tuple[float, float]]) -> None:
    axes.step([x for x, _ in joined], [y for _, y in joined], where="post", color=INK, lw=0.9, ls=":", zorder=0)


def _scatter(axes: Any, points: Mapping[str, tuple[float, float]], styles: Styles, *, label: str) -> None:
    axes.set(xscale="log", xlabel=label)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda _value, _place: "")
    axes.grid(color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    beside = _beside(points)
    axes.margins(x=beside / (1 - 2 * beside), y=0.15)
    for detector, (x, y) in points.items():
        style = styles[detector]
        axes.plot(x, y, style.marker, color=style.colour, ms=8, mew=1.8)


def _beside(names: Iterable[str]) -> float:
    """Return what share of a panel is kept free on either side: half the longest name, which then fits above all."""
    longest = max(map(len, names), default=0) * _LETTER / 72
    return min(max(longest / 2 / (WIDTH * 0.42), 0.1), 0.3)


def _label_points(axes: Any, points: Mapping[str, tuple[float, float]], joined: Sequence[tuple[float, float]]) -> None:
    """Name points, each on the side where its name stays inside and covers the least of points, names and line."""
    to_pixels, size = axes.transData.transform, axes.figure.dpi / 72
    panel = tuple(axes.bbox.extents)
    taken = [_box(to_pixels(point), "", (0, 0), size) for point in points.values()]
    taken += _steps([to_pixels(point) for point in joined], size)
    for detector, point in points.items():
        boxes = {side: _box(to_pixels(point), detector, side, size) for side in _SIDES}
        best = min(boxes, key=lambda side: _misplaced(boxes[side], taken, panel))
        taken.append(boxes[best])
        align = "left" if best[0] > 0 else "right" if best[0] < 0 else "center"
        axes.annotate(
            detector,
            point,
            xytext=best,
            textcoords="offset points",
            ha=align,
            fontsize=9,
            annotation_clip=False,
        )


def _misplaced(box: Box, taken: Sequence[Box], panel: Box) -> tuple[float, float]:
    """Return how much of a name is outside its panel, and how much else it covers."""
    outside = _overlap(box, box) - _overlap(box, panel)
    return round(outside), sum(_overlap(box, other) for other in taken)


def _steps(points: Sequence[tuple[float, float]], size: float) -> list[Box]:
    """Return the boxes of a line that goes to the right and then up or down, from point to point, in pixels."""
    boxes: list[Box] = []
    for (x, y), (right, end) in itertools.pairwise(points):
        boxes.append((x, y - size, right, y + size))
        boxes.append((right - size, min(y, end), right + size, max(y, end)))
    return boxes


def _box(point: tuple[float, float], text: str, offset: tuple[float, float], size: float) -> Box:
    """Return the corners of a name beside a point, or of the point itself, in pixels."""
    (x, y), (dx, dy) = point, offset
    width = _LETTER * len(text) * size if text else 10 * size
    left = x + dx * size - (0 if dx > 0 else width if dx < 0 else width / 2)
    low = y + dy * size - (0 if text else 5 * size)
    return left, low, left + width, low + 10 * size


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def mirror_figure(
    above: tuple[str, Array], below: tuple[str, Array], labels_T: Array, styles: Styles, *, name: str
) -> str:
    """Draw two scores of one series, one upwards, one downwards, each from its lowest to its highest."""
    with figure(WIDTH, 2.4) as drawing:
        axes = drawing.subplots()
        for (detector, scores_T), sign in ((above, 1), (below, -1)):
            low, high = float(scores_T.min()), float(scores_T.max())
            steps, values = thinned((scores_T - low) / max(high - low, 1e-12))
            axes.fill_between(steps, 0, sign * values, color=styles[detector].colour, lw=0.3)
            axes.text(0.005, 0.5 + 0.46 * sign, detector, transform=axes.transAxes, va="center", fontweight="bold")
        for start, stop in events_of(labels_T):
            axes.axvspan(start - 0.5, stop - 0.5, color=INK, alpha=0.14, lw=0)
        axes.axhline(0, color=INK, lw=0.8)
        axes.spines["left"].set_visible(False)
        axes.set(yticks=[], xlabel="step of the test part", ylim=(-1.15, 1.15))
        axes.margins(x=0)
        return inline(
            drawing, name=name, alt=f"scores of {above[0]} (upwards) and {below[0]} (downwards), events shaded"
        )


def events_of(labels_T: Array) -> Iterable[tuple[int, int]]:
    """Return where events start and stop."""
    edges = np.flatnonzero(np.diff(labels_T.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    return [(int(start), int(stop)) for start, stop in edges]
