"""The table of an execution, as Markdown and CSV."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
from tsad_core.corruption import Condition

from tsad_bench.report import headline, robustness
from tsad_bench.report.conditions import bare, head, not_pooled, over_levels, robustness_tables, sentence
from tsad_bench.report.headline import Board
from tsad_bench.report.kinds import kind_grids, kind_rows
from tsad_bench.report.pipe import pipe_table
from tsad_bench.report.robustness import SHAMS
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
    written,
)
from tsad_bench.report.slices import by_health, health_note
from tsad_bench.results import (
    ALL,
    FLOOR,
    Results,
    common_subset,
    complete,
    filled_by,
    over_datasets,
    plain_condition,
    summarise,
    under,
)


@dataclass(frozen=True)
class Table:
    """All metrics of all detectors on one data set, or over all."""

    title: str
    heads: list[str]
    lines: list[list[str]]
    note: str
    """What its dashes mean, if it has any."""


def markdown(results: Results, boards: Sequence[Board] | None = None, *, whole: bool = True) -> str:
    """Return the tables as Markdown: the headline with intervals and verdicts, all metrics, what conditions do.

    Of all metrics there is a table a data set, detectors down, metrics across. Numbers over all
    series never stand beside numbers over some: a detector with cells that are not done shows how
    many are, and two further tables compare on the series that all detectors did, and with the
    floor's numbers in place of what is missing. Below a table stands what its dashes mean. Several
    kinds of condition are shown by the headline alone, without `whole` over all data sets alone;
    `csv` and `robustness.frame` have the rest. `boards` are those of the headline, if they are at hand.
    """
    kinds, boards = _crossed(results), headline.boards(results) if boards is None else boards
    parts = [*headline.markdown(boards), *_plain(results), not_pooled(results.frame["dataset"])]
    parts += robustness_tables(results) if kinds else []
    metrics = list(results.metrics) if len(set(kinds) - set(SHAMS.values())) == 1 else [results.headline]
    parts += [table for kind in kinds if whole for table in _under(results, kind, metrics)]
    if (results.frame["status"] != "done").any():
        parts.append(_reasons(results))
    parts += [*_health(results), *_kinds(results)] if whole else []
    return "\n\n".join(part for part in parts if part) + "\n"


def tables(results: Results, boards: Sequence[Board] | None = None) -> dict[str, str]:
    """Return what an execution's parent run keeps, by file name."""
    files = {
        "table.md": markdown(results, boards),
        "table.csv": csv(results),
        "cells.csv": results.frame.to_csv(index=False),
    }
    if robustness.kinds(results):
        files["robustness.csv"] = robustness.frame(results).to_csv(index=False)
    return files


def csv(results: Results) -> str:
    """Return one line for each data set, condition, detector and metric."""
    return str(numbers(results).to_csv(index=False))


def numbers(results: Results) -> pd.DataFrame:
    """Return one row for each data set, condition, detector and metric: mean, n, percentile, cells done.

    Where kinds of anomaly are known, the headline of each is a row too, with its number of events.
    """
    summary = summarise(results)
    every = pd.concat([summary, over_datasets(summary)]).drop(columns="draws")
    if len(by_kind := kind_rows(results)):
        every = pd.concat([every, by_kind])
    return every.merge(complete(results), how="left")


def _crossed(results: Results) -> list[str]:
    """Return the kinds of condition that have tables of their own; a lone condition needs none."""
    return robustness.kinds(results) if results.frame["condition"].nunique() > 1 else []


def _plain(results: Results) -> list[str]:
    """Show all metrics on the clean series, or under the first condition where a suite has no such."""
    plain, told = plain_condition(results), under_what(results)
    return [
        "\n\n".join(part for part in (f"### {t.title}", told, pipe_table(t.heads, t.lines), t.note) if part)
        for t in metric_tables(results, plain)
    ]


def under_what(results: Results) -> str:
    """Say under which condition all metrics are shown, where it is not the series as they are."""
    plain = plain_condition(results)
    if plain == "clean":
        return ""
    extent = "All of it" if results.frame["condition"].nunique() == 1 else "All metrics"
    return f"{extent} under `{plain}`. {sentence(Condition.parse(plain).name)}"


def metric_tables(results: Results, condition: str) -> list[Table]:
    """Return the tables of all metrics under one condition, over all data sets first.

    Where cells are missing, those on the common subset and those with the floor's numbers in their place follow.
    """
    return [
        _by_metric(variant, rows, dataset, f"{dataset}{suffix}")
        for suffix, variant in _variants(under(results, condition), common_subset)
        for dataset, rows in _numbers(variant)
    ]


def _under(results: Results, kind: str, metrics: Iterable[str]) -> list[str]:
    """Show metrics by the levels of a kind of condition."""
    at_levels = results.frame["condition"].isin(list(robustness.levels(results, kind).values()))
    chosen = replace(results, frame=results.frame[at_levels], metrics={name: results.metrics[name] for name in metrics})
    return [
        f"### {dataset}{suffix}: {metric} under {kind}\n\n{sentence(kind)}\n\n{table}"
        for suffix, variant in _variants(chosen, partial(robustness.comparable, kind=kind))
        for dataset, rows in _numbers(variant)
        for metric in metrics
        for table in [_by_level(variant, rows[rows["metric"] == metric], dataset, kind, metric)]
    ]


def _variants(results: Results, common: Callable[[Results], Results]) -> Iterator[tuple[str, Results]]:
    """Yield results as they are and, where cells are missing, two ways to compare nonetheless."""
    yield "", results
    state = complete(results)
    short = state[state["done"] < state["planned"]]
    if short.empty:
        return
    subset = common(results)
    if len(subset.frame):
        yield ", common subset", subset
    if FLOOR in set(state["detector"]) - set(short["detector"]):
        yield f", missing cells filled by {FLOOR}", filled_by(results, FLOOR)


def _numbers(results: Results) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the means over all data sets, then those over each."""
    if results.frame.empty:
        return
    summary = summarise(results)
    over = over_datasets(summary)
    numbers = pd.concat([over, summary])
    for dataset in dict.fromkeys([*over["dataset"], *results.frame["dataset"]]):
        yield dataset, numbers[numbers["dataset"] == dataset]


def _by_metric(results: Results, rows: pd.DataFrame, dataset: str, title: str) -> Table:
    cells, state = cells_of(results, dataset), complete(results)
    spent = costs(cells)
    notes = {name: shortfall(state, cells["dataset"].unique(), name) for name in cells["detector"].unique()}
    means = rows.loc[rows["metric"] == results.headline].set_index("detector")["mean"]
    shown = means[[not notes[name] for name in means.index]]
    lines = []
    for detector in best_first(notes, shown, better=results.metrics[results.headline]):
        mine = rows[rows["detector"] == detector].set_index("metric")
        n, note = _series(cells, dataset, detector), notes[detector]
        numbers = ["–" if note or m not in mine.index else _number(mine.loc[m], n) for m in results.metrics]
        paid = [cost(spent.loc[detector, name]) for name in COST_HEADS]
        lines.append([detector, *numbers, note or str(n), look_ahead(cells, detector), *paid])
    heads = ["detector", *results.metrics, "series", "look-ahead", *COST_HEADS.values()]
    return Table(title, heads, lines, _dashes(results, cells, list(results.metrics)))


def _by_level(results: Results, rows: pd.DataFrame, dataset: str, kind: str, metric: str) -> str:
    cells, levels = cells_of(results, dataset), robustness.levels(results, kind)
    notes = _shortfalls(results, cells, list(levels.values()))
    means = rows.pivot_table(index="detector", columns="condition", values="mean").reindex_like(notes)
    lines = []
    for detector in best_first(notes.index, over_levels(means.where(notes == "")), better=results.metrics[metric]):
        mine = rows[rows["detector"] == detector].set_index("condition")
        n = _series(cells, dataset, detector)
        numbers = [
            note or ("–" if text not in mine.index else _number(mine.loc[text], n))
            for text, note in notes.loc[detector].items()
        ]
        lines.append([detector, *numbers, str(n), look_ahead(cells, detector)])
    heads = ["detector", *(head(kind, level) for level in levels), "series", "look-ahead"]
    note = _dashes(results, cells, [metric])
    return "\n\n".join(part for part in (pipe_table(heads, lines), note) if part)


def _shortfalls(results: Results, cells: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """Return by detector and condition how many cells are done, if not all are, and nothing else."""
    state, datasets = complete(results), cells["dataset"].unique()
    names = cells["detector"].unique()
    at = {text: state[state["condition"] == text] for text in conditions}
    return pd.DataFrame({text: [shortfall(at[text], datasets, name) for name in names] for text in conditions}, names)


def _series(cells: pd.DataFrame, dataset: str, detector: str) -> int:
    """Return how many series, or over all data sets how many data sets, a detector was to run on."""
    return int(cells.loc[cells["detector"] == detector, "dataset" if dataset == ALL else "series"].nunique())


def _number(row: pd.Series, series: int) -> str:
    """Write a mean, its 95th percentile over draws if it has one, and its n if some series have no value."""
    if pd.isna(row["mean"]):
        return "–"
    text = number(row["mean"])
    if not pd.isna(row["p95"]):
        text += f" (p95 {number(row['p95'])})"
    return text if row["n"] == series else f"{text} (n={row['n']})"


def _dashes(results: Results, cells: pd.DataFrame, metrics: Iterable[str]) -> str:
    """Say below a table why it has dashes, and numbers over fewer series, if it has any."""
    reasons = [*_undefined(results, cells, metrics), *unmeasured(results, cells)]
    if (cells["status"] != "done").any():
        reasons.append("cells are not done")
    return f"–: {'; '.join(reasons)}." if reasons else ""


def _undefined(results: Results, cells: pd.DataFrame, metrics: Iterable[str]) -> Iterator[str]:
    told = [results.undefined[slot] for slot in cells["slot"] if slot in results.undefined]
    by_reason: dict[str, dict[str, None]] = {}
    for metric in metrics:
        for reason in dict.fromkeys(undefined[metric] for undefined in told if metric in undefined):
            by_reason.setdefault(reason, {})[metric] = None
    yield from (f"{', '.join(named)}: {reason}" for reason, named in by_reason.items())


def _health(results: Results) -> list[str]:
    """Show the headline by the health of the series, for each data set with something to remark."""
    sliced = {dataset: by_health(results, dataset) for dataset in results.frame["dataset"].unique()}
    title = f"by the health of its series: {results.headline}"
    return [
        "\n\n".join(part for part in (f"### {dataset} {title}", _means(means), health_note(means, results)) if part)
        for dataset, means in sliced.items()
        if len(means)
    ]


def _kinds(results: Results) -> list[str]:
    """Show the headline by kind of anomaly, for each data set that tells them."""
    return [f"### {grid.title}\n\n{pipe_table(grid.heads, grid.rows)}\n\n{grid.note}" for grid in kind_grids(results)]


def _means(means: pd.DataFrame) -> str:
    return pipe_table(["detector", *means.columns], written(means, number))


def _reasons(results: Results) -> str:
    counted = lost_cells(results)
    lines = [[str(value).replace("|", "/") for value in row] for row in counted.itertuples(index=False)]
    return f"### cells without a result\n\n{pipe_table(list(counted.columns), lines)}"


def lost_cells(results: Results) -> pd.DataFrame:
    """Return how many cells are not done, by detector, data set, condition, status and reason."""
    lost = results.frame[results.frame["status"] != "done"]
    reasons = [bare(reason, series) for reason, series in zip(lost["reason"], lost["series"], strict=True)]
    kinds = [Condition.parse(text).name for text in lost["condition"]]
    by = ["detector", "dataset", *(["condition"] if _crossed(results) else []), "status", "reason"]
    return lost.assign(reason=reasons, condition=kinds).groupby(by, sort=False).size().reset_index(name="cells")


def folded(text: str, width: int) -> str:
    """Return Markdown whose tables are cut, between columns, into tables no wider than a terminal.

    Each piece begins with the first column again.
    """
    blocks = re.split(r"((?:^\|.*\n?)+)", text, flags=re.MULTILINE)
    return "".join(_fold(block, width) if block.startswith("|") else block for block in blocks)


def _fold(table: str, width: int) -> str:
    rows = [line.strip("|").split("|") for line in table.splitlines()]
    pieces, used = [[0]], 0
    for column in range(1, len(rows[0])):
        size = len(rows[0][column]) + 1
        if used + size > width - len(rows[0][0]) - 2 and len(pieces[-1]) > 1:
            pieces.append([0])
            used = 0
        pieces[-1].append(column)
        used += size
    tables = ["\n".join("|" + "|".join(row[c] for c in piece) + "|" for row in rows) for piece in pieces]
    return "\n\n".join(tables) + "\n"
