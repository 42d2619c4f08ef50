"""The headline table: each detector's number with its interval, whether it is above the floor, and what it costs."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from tsad_bench.report.pipe import pipe_table
from tsad_bench.report.rows import (
    COST_HEADS,
    best_first,
    cells_of,
    cost,
    costs,
    look_ahead,
    number,
    shortfall,
    unmeasured,
)
from tsad_bench.results import ALL, Results, complete, plain_condition, pooled, under
from tsad_bench.statistics import Interval, Units, Verdict, intervals, units, verdicts

ALPHA = 0.05
"""Error rate of the verdicts; intervals hold 1 less it."""
HEADS = ["95 % interval", "against the floor", "series", "look-ahead", *COST_HEADS.values()]
KEY = (
    "Intervals by bootstrap over data sets (from 5 on), families of series, series and seeds. Few families make them "
    "too narrow: in simulations those of 3 held the truth in 81 %, of 6 in 92 %. Above the floor: better than every "
    "control, each time by a one-sided sign-flip test over series; p is that of the control hardest to beat."
)
COLUMNS = ["dataset", "condition", "detector", "metric", "low", "high", "standing", "hardest-control", "p", "why"]


@dataclass(frozen=True)
class Row:
    """A detector in the headline table."""

    detector: str
    number: Interval
    verdict: Verdict | None
    """None for a control: it is the floor."""
    missing: str
    """How many cells are done, if not all are; its number then is not shown beside the others'."""
    series: int
    """Planned ones."""
    look_ahead: str
    costs: tuple[str, ...]

    @property
    def value(self) -> str:
        """The number, or what stands in its place."""
        if self.missing or self.number.value is None:
            return self.missing or "–"
        return number(self.number.value)

    @property
    def interval(self) -> str:
        """The interval, or a dash."""
        if self.missing or self.number.low is None or self.number.high is None:
            return "–"
        return f"{number(self.number.low)} to {number(self.number.high)}"

    @property
    def counted(self) -> str:
        """Series with a value, of those that were planned."""
        known = self.number.series
        return str(self.series) if known == self.series else f"{known} of {self.series}"

    @property
    def standing(self) -> str:
        """The verdict in a few words."""
        return brief(self.verdict) if self.verdict else "control"

    @property
    def above(self) -> bool:
        """Whether the detector is above the floor."""
        return self.verdict is not None and self.verdict.standing == "above the floor"

    @property
    def cells(self) -> list[str]:
        """The row as tables show it."""
        return [self.detector, self.value, self.interval, self.standing, self.counted, self.look_ahead, *self.costs]


@dataclass(frozen=True)
class Board:
    """The headline table of one data set, or of all that are pooled; best detector first."""

    dataset: str
    metric: str
    condition: str
    better: str
    rows: tuple[Row, ...]
    unmeasured: tuple[str, ...] = ()
    """Which look-aheads and costs are missing, and why."""

    @property
    def heads(self) -> list[str]:
        """What stands above the columns."""
        return ["detector", self.metric, *HEADS]

    @property
    def title(self) -> str:
        """Which number of what this is."""
        under = "" if self.condition == "clean" else f" under {self.condition}"
        return f"{self.metric}: {self.dataset}{under}"

    @property
    def note(self) -> str:
        """What the dashes mean, if there are any."""
        told: dict[str, list[str]] = {}
        for row in self.rows:
            if reason := "cells are not done" if row.missing else row.number.reason:
                told.setdefault(reason, []).append(row.detector)
        parts = [f"{reason} ({_named(names, self.rows)})" for reason, names in told.items()]
        parts += self.unmeasured
        return f"–: {'; '.join(parts)}." if parts else ""

    @property
    def says_more(self) -> bool:
        """Whether there is an interval or a verdict in it, which no other table has."""
        judged = [row.verdict for row in self.rows if row.verdict and row.verdict.comparisons]
        return bool(judged) or any(row.number.low is not None for row in self.rows)


def boards(results: Results) -> list[Board]:
    """Return the headline tables: over all data sets if several are pooled, then of each."""
    if results.frame.empty:
        return []
    condition = plain_condition(results)
    plain = under(results, condition)
    over_all = [ALL] if len(pooled(plain.frame["dataset"])) > 1 else []
    return [_board(plain, condition, dataset) for dataset in [*over_all, *plain.frame["dataset"].unique()]]


def brief(verdict: Verdict) -> str:
    """Return a verdict in a few words, as in ``not above k-means (p .21)``."""
    hardest = verdict.hardest
    if verdict.standing == "undefined" or hardest is None:
        return f"undefined ({verdict.reason})"
    if verdict.standing == "underpowered":
        fewest = min(one.units for one in verdict.comparisons)
        told = f"underpowered ({fewest} of {needed()} series needed, p {_p(0.5**fewest)} at best"
    elif verdict.standing == "above the floor":
        told = f"above the floor (p {_p(hardest.p)}"
    else:
        told = f"not above {hardest.control} (p {_p(hardest.p)}"
    return f"{told}, {hardest.series} series)" if hardest.left_out else f"{told})"


def needed(alpha: float = ALPHA) -> int:
    """Return how many independent series a sign-flip test needs to reach a level.

    >>> needed(0.05)
    5
    """
    return math.ceil(-math.log2(alpha))


def markdown(boards: Iterable[Board]) -> list[str]:
    """Return the headline tables as Markdown, those that say more than the tables of all metrics do."""
    told = [board for board in boards if board.says_more]
    parts = ["\n\n".join(part for part in (f"## {b.title}", _pipes(b), b.note) if part) for b in told]
    return [*parts, KEY] if parts else []


def csv(results: Results, table: pd.DataFrame) -> str:
    """Return the numbers of `table`, a row each, with the headline's intervals and verdicts."""
    where = COLUMNS[:4]
    return str(table.merge(frame(results), how="left", on=where).to_csv(index=False))


def frame(results: Results) -> pd.DataFrame:
    """Return a row a detector and data set: interval, verdict, the hardest control and its p."""
    rows = [[board.dataset, board.condition, row.detector, board.metric, *_judged(row)] for board, row in _all(results)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _all(results: Results) -> Iterator[tuple[Board, Row]]:
    for board in boards(results):
        yield from ((board, row) for row in board.rows)


def _judged(row: Row) -> list[object]:
    hardest = row.verdict.hardest if row.verdict else None
    limits = [None, None] if row.missing else [row.number.low, row.number.high]
    standing = row.verdict.standing if row.verdict else "control"
    faced = [hardest.control, hardest.p] if hardest else ["", None]
    return [*limits, standing, *faced, row.verdict.reason if row.verdict else ""]


def _board(results: Results, condition: str, dataset: str) -> Board:
    better = results.metrics[results.headline]
    cells, state = cells_of(results, dataset), complete(results)
    numbers, judged = _statistics(results, None if dataset == ALL else dataset)
    spent = costs(cells)
    planned = cells.drop_duplicates(["detector", "dataset", "series"]).groupby("detector").size()
    rows = {
        name: Row(
            name,
            numbers[name],
            judged.get(name),
            shortfall(state, cells["dataset"].unique(), name),
            int(planned[name]),
            look_ahead(cells, name),
            tuple(cost(spent.loc[name, column]) for column in COST_HEADS),
        )
        for name in cells["detector"].unique()
    }
    shown = pd.Series({name: row.number.value for name, row in rows.items() if not row.missing}, dtype=float)
    ordered = tuple(rows[name] for name in best_first(rows, shown, better=better))
    return Board(dataset, results.headline, condition, better, ordered, tuple(unmeasured(results, cells)))


def _statistics(results: Results, dataset: str | None) -> tuple[Mapping[str, Interval], Mapping[str, Verdict]]:
    compared = units(results, datasets=[dataset] if dataset else None)
    numbers = {one.detector: one.number for one in intervals(compared, level=1 - ALPHA)}
    return numbers, {verdict.detector: verdict for verdict in _verdicts(compared)}


def _verdicts(compared: Units) -> list[Verdict]:
    if compared.better != "neither":
        return verdicts(compared, alpha=ALPHA)
    judged = [name for name in compared.detectors if name not in compared.controls]
    reason = f"neither way is {compared.metric} better"
    return [Verdict(name, compared.metric, compared.condition, "undefined", reason) for name in judged]


def _pipes(board: Board) -> str:
    return pipe_table(board.heads, [[text.replace("|", "/") for text in row.cells] for row in board.rows])


def _named(names: list[str], rows: tuple[Row, ...]) -> str:
    return "all" if len(names) == len(rows) else ", ".join(names)


def _p(value: float) -> str:
    """Write a p value as papers do: ``.21``, ``.004``, ``< .001``."""
    if value < 0.001:
        return "< .001"
    text = f"{value:.2f}" if value >= 0.095 else f"{value:.2g}"
    return text.removeprefix("0")
