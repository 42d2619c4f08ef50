"""The tables of the page: text by cell, with shares to shade and the marks of the figures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tsad_bench.report import robustness
from tsad_bench.report.colours import Style
from tsad_bench.report.conditions import curve_rows, effect_note, head, notes
from tsad_bench.report.headline import Board
from tsad_bench.report.robustness import Curves
from tsad_bench.report.rows import number, signed, written
from tsad_bench.statistics import Components

Styles = Mapping[str, Style]


@dataclass(frozen=True)
class Grid:
    """A table of texts; the first column names the row."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    note: str = ""
    styles: Styles = field(default_factory=dict)
    """Rows named here get their detector's colour as a mark."""
    shares: Mapping[tuple[int, int], float] = field(default_factory=dict)
    """How deeply cells are shaded, 0 to 1, by row and column."""
    strong: frozenset[int] = frozenset()
    """Rows that stand out."""
    wide: bool = False
    """Whether it holds sentences, which may break."""
    folded: str = ""
    """What to click to see it, if it is not shown at once."""

    @property
    def words(self) -> set[int]:
        """The columns that hold words, not numbers."""
        columns = [[row[c] for row in self.rows] for c in range(len(self.heads))]
        return {c for c, texts in enumerate(columns) if 2 * sum(text[:1].isalpha() for text in texts) > len(texts)}


def of_board(board: Board, styles: Styles) -> Grid:
    """Return a headline table; who is above the floor stands out."""
    above = frozenset(number for number, row in enumerate(board.rows) if row.above)
    rows = [row.cells for row in board.rows]
    return Grid(board.heads, rows, title=board.title, note=board.note, styles=styles, strong=above)


def of_curves(curves: Curves, styles: Styles, *, folded: bool = False) -> Grid:
    """Return the values behind curves, with area, drop and worst level."""
    measured = robustness.measures(curves)
    heads, rows = curve_rows(curves, measured, area="area above best control")
    told = " ".join(notes(curves, measured))
    title = f"{curves.metric} under {curves.kind}"
    return Grid(heads, rows, title="" if folded else title, note=told, styles=styles, folded=title if folded else "")


def of_effect(effect: pd.DataFrame, kind: str, styles: Styles) -> Grid:
    """Return what a condition does beyond its sham."""
    rows = written(effect, signed)
    title = f"effect of {kind}: its values less those of its sham"
    heads = ["detector", *(head(kind, level) for level in effect.columns)]
    return Grid(heads, rows, title=title, note=effect_note(effect), styles=styles)


def of_medians(medians: pd.DataFrame) -> Grid:
    """Return the median difference of each pair with its interval."""
    rows = [
        [str(row.first), str(row.second), signed(row.median), f"{signed(row.low)} to {signed(row.high)}"]
        for row in medians.itertuples()
    ]
    told = f"Over {medians['units'].iloc[0]} series; positive where the first is better."
    heads = ["first", "second", "median difference", "95 % interval"]
    return Grid(heads, rows, note=told, folded=f"Median paired differences of {len(rows)} pairs")


def of_wins(shares: pd.DataFrame) -> Grid:
    """Return the win matrix, shaded by its shares."""
    note = "Share of series on which the row's detector beats the column's; the rest are losses and ties."
    if _holes(shares):
        note += " –: no series that both have done."
    return _matrix(shares, "beats", note=note, write=lambda value: f"{value:.0%}", shade=lambda value: value)


def of_agreement(found: pd.DataFrame, name: str) -> Grid:
    """Return Kendall's tau between the orders of detectors as a matrix."""
    names = list(dict.fromkeys([*found["first"], *found["second"]]))
    taus = pd.DataFrame(np.nan, index=names, columns=names)
    for row in found.itertuples():
        taus.loc[row.first, row.second] = taus.loc[row.second, row.first] = row.tau
    note = "Kendall's tau-b between the orders in which two put the detectors: 1 is the same, -1 the opposite."
    if _holes(taus):
        note += f" –: {'; '.join(dict.fromkeys(found.loc[found['tau'].isna(), 'reason']))}."
    return _matrix(taus, name, note=note, write=lambda tau: f"{tau:+z.2f}", shade=lambda tau: max(tau, 0.0))


def _holes(frame: pd.DataFrame) -> bool:
    """Return whether a value beside the diagonal is missing."""
    return bool(frame.isna().to_numpy()[~np.eye(len(frame), dtype=bool)].any())


def _matrix(
    frame: pd.DataFrame, corner: str, *, note: str, write: Callable[[float], str], shade: Callable[[float], float]
) -> Grid:
    values = frame.to_numpy(dtype=float)
    written = [["–" if np.isnan(value) else write(value) for value in row] for row in values]
    for own, texts in enumerate(written):
        texts[own] = ""
    rows = [[str(name), *texts] for name, texts in zip(frame.index, written, strict=True)]
    known = np.argwhere(~np.isnan(values))
    shares = {(int(r), int(c) + 1): shade(float(values[r, c])) for r, c in known}
    return Grid([corner, *map(str, frame.columns)], rows, note=note, shares=shares)


def of_slices(means: pd.DataFrame, title: str, styles: Styles, *, note: str) -> Grid:
    """Return means over slices of the series, with what its dashes mean."""
    return Grid(["detector", *map(str, means.columns)], written(means, number), title=title, note=note, styles=styles)


def of_lost(lost: pd.DataFrame, metric: str) -> Grid:
    """Return the series on which a control beats a detector."""
    rows = [
        [str(r.detector), str(r.control), f"{r.dataset}: {r.series}", number(r.value), number(r.theirs), number(r.gap)]
        for r in lost.itertuples()
    ]
    heads = ["detector", "control", "series", f"{metric} of the detector", "of the control", "gap"]
    return Grid(heads, rows, note="At most three series a detector, the widest gap first.")


def of_variance(found: Mapping[str, Iterable[Components]], styles: Styles) -> Grid:
    """Return standard deviations over seeds, by detector and condition."""
    rows = [
        [one.detector, condition, *map(_deviation, (one.seed, one.corruption, one.both)), str(one.series)]
        for condition, components in found.items()
        for one in components
    ]
    heads = ["detector", "condition", "model seeds", "corruption seeds", "both together", "series"]
    note = "Standard deviations inside a series, in the metric's unit; –: not measured with the seeds there are."
    return Grid(heads, rows, note=note, styles=styles)


def _deviation(variance: float | None) -> str:
    return "–" if variance is None else f"{variance**0.5:.4f}"
