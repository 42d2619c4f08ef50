"""How pictures of cells look: a colour a role, events shaded, names as they are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tsad_core import Array

from tsad_bench.plots.thinning import thinned

COLOURS: Mapping[str, str] = {
    "observed": "black",
    "score": "#0072B2",
    "threshold": "#D55E00",
    "expected": "#CC79A7",
    "normal": "#009E73",
    "event": "#E69F00",
}
"""By role, the same in every picture (Okabe and Ito, Color Universal Design, 2008); causes are part of events."""
LABELS: Mapping[str, str] = {
    "observed": "observed",
    "score": "score",
    "threshold": "threshold (no labels)",
    "expected": "expected by the detector",
    "normal": "true normal",
    "event": "event",
}
CONTEXT = 50
"""Fewest steps that are shown before and after an event."""


WIDTHS: Mapping[str, float] = {"expected": 1.8, "normal": 1.4}
"""Of lines that others are drawn over; the others are thin."""


@dataclass(frozen=True)
class View:
    """Steps that a column of panels shows."""

    start: int
    stop: int
    name: str

    @property
    def slice(self) -> slice:
        """The view as an index."""
        return slice(self.start, self.stop)


def largest_event(labels_T: Array | None, scores_T: Array) -> View:
    """Return the longest event, the first of several; without any, the step with the highest score."""
    if labels_T is None or not labels_T.any():
        peak = int(np.argmax(scores_T))
        return View(peak, peak + 1, "highest score")
    events = runs(labels_T[None])
    _, start, stop = events[np.argmax(events[:, 2] - events[:, 1])]
    return View(int(start), int(stop), "largest event")


def around(event: View, steps: int) -> View:
    """Return a view of an event with as many steps before and after as it has itself, or `CONTEXT` if that is more."""
    margin = max(event.stop - event.start, CONTEXT)
    return View(max(event.start - margin, 0), min(event.stop + margin, steps), event.name)


def runs(flags_RN: Array) -> Array:
    """Return where each row is true: row, first place and the place after the last, a line a run."""
    edges_RN = np.diff(flags_RN.astype(np.int8), axis=1, prepend=0, append=0)
    row_N, start_N = np.nonzero(edges_RN == 1)
    return np.stack([row_N, start_N, np.nonzero(edges_RN == -1)[1]], axis=1)


def line(axes: Any, values_T: Array, view: View, *, role: str) -> None:
    """Draw the part of a line that a view shows, thinned."""
    steps_T, shown_T = thinned(values_T[view.slice])
    style = "--" if role == "normal" else "-"
    axes.plot(steps_T + view.start, shown_T, lw=WIDTHS.get(role, 0.8), color=COLOURS[role], ls=style)


def shade(axes: Any, labels_T: Array | None, view: View) -> None:
    """Shade the events of a view; the shortest stays visible."""
    if labels_T is None:
        return
    spans = [(start - 0.5 + view.start, stop - start) for _, start, stop in runs(labels_T[None, view.slice])]
    axes.broken_barh(
        spans, (0, 1), transform=axes.get_xaxis_transform(), color=COLOURS["event"], alpha=0.3, lw=1, zorder=0
    )


def name_rows(axes: Any, places: Iterable[float], names: Iterable[str]) -> None:
    """Write names beside rows; a dollar sign in one is a dollar sign."""
    axes.set_yticks(list(places), labels=list(names), fontsize="x-small", parse_math=False)


def finish(figure: Any, panels: Any, views: tuple[View, ...], *, roles: Iterable[str], title: str) -> None:
    """Give a picture its title, axes and legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    for axes, view in zip(panels[-1], views, strict=True):
        axes.set_xlim(view.start - 0.5, view.stop - 0.5)
        axes.set_xlabel(f"step ({view.name})")
    figure.suptitle(title, parse_math=False, fontsize="medium")
    handles = [
        Patch(color=COLOURS[role], alpha=0.3, label=LABELS[role])
        if role == "event"
        else Line2D(
            [], [], color=COLOURS[role], ls="--" if role in {"normal", "threshold"} else "-", label=LABELS[role]
        )
        for role in roles
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize="small", frameon=False)
