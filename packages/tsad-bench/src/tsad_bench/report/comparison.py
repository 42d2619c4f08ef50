"""Detectors against each other: who beats whom on how many series, and where a control beats a detector most."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from tsad_core import Undefined

from tsad_bench.report import robustness
from tsad_bench.report.headline import Board, boards
from tsad_bench.results import Results, plain_condition, under_plain
from tsad_bench.statistics import Components, Units, units, variance
from tsad_bench.statistics.ranks import DIGITS

LOST = ["detector", "control", "dataset", "series", "value", "theirs", "gap"]


def compared(results: Results) -> Units:
    """Return the headline under the plain condition, as statistics take it; `Undefined` where it has no direction."""
    if results.metrics[results.headline] == "neither":
        raise Undefined(f"neither way is {results.headline} better")
    return units(results, condition=plain_condition(results))


def wins(compared: Units) -> pd.DataFrame:
    """Return the share of series on which the row's detector beats the column's, of those that both have done.

    Ties are wins of neither. Best first: by how often a detector wins on average.
    """
    gains_SD = np.round(compared.gains_SD, DIGITS)
    both_DD = (~np.isnan(gains_SD)).T.astype(int) @ (~np.isnan(gains_SD)).astype(int)
    won_DD = (gains_SD[:, :, None] > gains_SD[:, None, :]).sum(axis=0)
    shares_DD = np.divide(won_DD, both_DD, out=np.full(both_DD.shape, math.nan), where=both_DD > 0)
    np.fill_diagonal(shares_DD, math.nan)
    frame = pd.DataFrame(shares_DD, index=list(compared.detectors), columns=list(compared.detectors))
    order = frame.mean(axis=1).sort_values(ascending=False, kind="stable").index
    return frame.loc[order, order]


def lost_series(compared: Units, *, most: int = 3) -> pd.DataFrame:
    """Return the series on which a control beats a detector by most, at most so many a detector, worst first.

    Of several controls it is the best on that series. One row each: `LOST`.
    """
    controls = [name for name in compared.detectors if name in compared.controls]
    gains = pd.DataFrame(compared.gains_SD, columns=list(compared.detectors))
    rows: list[list[object]] = []
    for detector in [name for name in compared.detectors if name not in compared.controls]:
        known = gains[gains[detector].notna() & gains[controls].notna().any(axis=1)] if controls else gains.iloc[:0]
        best = known[controls].max(axis=1) if len(known) else pd.Series(dtype=float)
        gap = (best - known[detector]).sort_values(ascending=False, kind="stable") if len(known) else best
        for series in gap[gap > 0].index[:most]:
            control = str(known.loc[series, controls].idxmax())
            rows.append(_lost(compared, int(series), detector, control))
    return pd.DataFrame(rows, columns=LOST).sort_values("gap", ascending=False, kind="stable", ignore_index=True)


def _lost(compared: Units, series: int, detector: str, control: str) -> list[object]:
    place = compared.places.iloc[series]
    ours, theirs = (compared.means_SD[series, compared.detectors.index(name)] for name in (detector, control))
    return [detector, control, place["dataset"], place["series"], ours, theirs, abs(theirs - ours)]


def spread_over_seeds(results: Results) -> Mapping[str, list[Components]]:
    """Return the variance components of detectors that have any, by condition: the plain one, and the worst levels."""
    conditions = [plain_condition(results)]
    for kind in robustness.kinds(results):
        conditions += list(robustness.levels(results, kind).values())[-1:]
    found = {condition: _measured(results, condition) for condition in dict.fromkeys(conditions)}
    return {condition: components for condition, components in found.items() if components}


def _measured(results: Results, condition: str) -> list[Components]:
    try:
        components = variance(units(results, condition=condition))
    except Undefined:
        return []
    return [one for one in components if one.seed is not None or one.corruption is not None]


def cost_points(results: Results, board: Board | None = None) -> dict[str, tuple[float, float, float]]:
    """Return each detector's mean seconds a cell, its headline and its most added memory, under the plain condition.

    The headline is that of `board`, by default of the first of `headline.boards`: the macro mean of
    tables; a detector with cells that are not done has none.
    """
    board = board or next(iter(boards(results)), None)
    values = {row.detector: row.number.value for row in board.rows if not row.missing} if board else {}
    plain = under_plain(results).frame
    done = plain[plain["status"] == "done"]
    seconds = (done["fit-seconds"] + done["score-seconds"]).groupby(done["detector"]).mean()
    memory = done.groupby("detector")["added-memory-mb"].max()
    return {
        str(name): (float(seconds[name]), value, float(memory[name]))
        for name, value in values.items()
        if value is not None and name in seconds
    }
