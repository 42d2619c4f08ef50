"""The table of an execution, as Markdown and CSV."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from tsad_bench.report.slices import FLOOR, by_health
from tsad_bench.results import ALL, COSTS, Results, common_subset, complete, filled_by, over_datasets, summarise

_COST_HEADS = {"fit-seconds": "fit s", "score-seconds": "score s", "added-memory-mb": "memory MB"}


def markdown(results: Results, *, whole: bool = True) -> str:
    """Return the tables as Markdown: one a data set, detectors down, metrics or conditions across.

    Numbers over all series never stand beside numbers over some: a detector with cells that are
    not done shows how many are, and two further tables compare on the series that all detectors
    did, and with the floor's numbers in place of what is missing. Without `whole`, a suite with
    several conditions shows its headline alone.
    """
    state = complete(results)
    short = state[state["done"] < state["planned"]]
    parts = _tables(results, "", state=state, whole=whole)
    if not short.empty:
        common = common_subset(results)
        if not common.frame.empty:
            parts += _tables(common, ", common subset", whole=whole)
        if FLOOR in set(results.frame["detector"]) - set(short["detector"]):
            parts += _tables(filled_by(results, FLOOR), f", missing cells filled by {FLOOR}", whole=whole)
        parts.append(_reasons(results))
    if whole:
        parts += _health(results)
    return "\n\n".join(parts) + "\n"


def tables(results: Results) -> dict[str, str]:
    """Return what an execution's parent run keeps, by file name."""
    return {
        "table.md": markdown(results),
        "table.csv": csv(results),
        "cells.csv": results.frame.to_csv(index=False),
    }


def csv(results: Results) -> str:
    """Return one line for each data set, condition, detector and metric."""
    summary = summarise(results)
    numbers = pd.concat([summary, over_datasets(summary)]).drop(columns="draws")
    merged = numbers.merge(complete(results), how="left")
    return str(merged.to_csv(index=False))


def _tables(results: Results, suffix: str, *, state: pd.DataFrame | None = None, whole: bool) -> list[str]:
    summary = summarise(results)
    by_series = pd.concat([summary, over_datasets(summary)])
    several = by_series["condition"].nunique() > 1
    parts = []
    for dataset in dict.fromkeys([*results.frame["dataset"], *by_series["dataset"]]):
        rows = by_series[by_series["dataset"] == dataset]
        title = f"{dataset}{suffix}"
        if not several:
            parts.append(f"### {title}\n\n{_by_metric(results, rows, dataset, state)}")
            continue
        metrics = list(results.metrics) if whole else [results.headline]
        for metric in metrics:
            chosen = _by_condition(results, rows[rows["metric"] == metric], dataset, state, metric=metric)
            parts.append(f"### {title}: {metric}\n\n{chosen}")
    return parts


def _by_metric(results: Results, rows: pd.DataFrame, dataset: str, state: pd.DataFrame | None) -> str:
    cells = _cells(results, dataset)
    how = {cost: "max" if cost.endswith("mb") else "sum" for cost in COSTS}
    costs = cells.groupby("detector").agg(how)
    lines = []
    headline = rows[rows["metric"] == results.headline]
    for detector in _order(cells, headline, better=results.metrics[results.headline]):
        mine = rows[rows["detector"] == detector].set_index("metric")
        n, note = _series(cells, dataset, detector), _shortfall(state, dataset, detector)
        numbers = ["–" if note or m not in mine.index else _number(mine.loc[m], n) for m in results.metrics]
        spent = [_cost(costs.loc[detector, cost]) for cost in _COST_HEADS]
        lines.append([detector, *numbers, note or str(n), _look_ahead(cells, detector), *spent])
    return pipe_table(["detector", *results.metrics, "series", "look-ahead", *_COST_HEADS.values()], lines)


def _by_condition(
    results: Results, rows: pd.DataFrame, dataset: str, state: pd.DataFrame | None, *, metric: str
) -> str:
    cells = _cells(results, dataset)
    conditions = list(dict.fromkeys(cells["condition"]))
    lines = []
    for detector in _order(cells, rows, better=results.metrics[metric]):
        mine = rows[rows["detector"] == detector].set_index("condition")
        n, note = _series(cells, dataset, detector), _shortfall(state, dataset, detector)
        numbers = ["–" if note or c not in mine.index else _number(mine.loc[c], n) for c in conditions]
        lines.append([detector, *numbers, note or str(n), _look_ahead(cells, detector)])
    return pipe_table(["detector", *conditions, "series", "look-ahead"], lines)


def _cells(results: Results, dataset: str) -> pd.DataFrame:
    frame = results.frame
    return frame if dataset == ALL else frame[frame["dataset"] == dataset]


def _order(cells: pd.DataFrame, rows: pd.DataFrame, *, better: str) -> list[str]:
    """Return the detectors, best first; those without a number follow as the suite has them."""
    best = rows.groupby("detector")["mean"].mean().dropna().sort_values(ascending=better == "lower", kind="stable")
    return list(dict.fromkeys([*map(str, best.index), *cells["detector"]]))


def _series(cells: pd.DataFrame, dataset: str, detector: str) -> int:
    """Return how many series, or over all data sets how many data sets, a detector was to run on."""
    return int(cells.loc[cells["detector"] == detector, "dataset" if dataset == ALL else "series"].nunique())


def _number(row: pd.Series, series: int) -> str:
    """Write a mean, its 95th percentile over draws if it has one, and its n if some series have no value."""
    if pd.isna(row["mean"]):
        return "–"
    text = f"{row['mean']:.3f}"
    if not pd.isna(row["p95"]):
        text += f" (p95 {row['p95']:.3f})"
    return text if row["n"] == series else f"{text} (n={row['n']})"


def _shortfall(state: pd.DataFrame | None, dataset: str, detector: str) -> str:
    """Say how many cells are done, if not all are."""
    if state is None:
        return ""
    mine = state[(state["detector"] == detector) & ((state["dataset"] == dataset) | (dataset == ALL))]
    done, planned = mine["done"].sum(), mine["planned"].sum()
    return f"{done} of {planned} done" if done < planned else ""


def _look_ahead(cells: pd.DataFrame, detector: str) -> str:
    """Write how many steps after a step its score looks at, at most: measured on the first series of each data set."""
    steps = cells.loc[cells["detector"] == detector, "look-ahead"].max()
    return "–" if pd.isna(steps) else "all" if np.isinf(steps) else f"{steps:.0f}"


def _cost(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:,.1f}"


def _health(results: Results) -> list[str]:
    """Show the headline by the health of the series, for each data set with something to remark."""
    sliced = {dataset: by_health(results, dataset) for dataset in results.frame["dataset"].unique()}
    title = f"by the health of its series: {results.headline}"
    return [f"### {dataset} {title}\n\n{_means(means)}" for dataset, means in sliced.items() if len(means)]


def _means(means: pd.DataFrame) -> str:
    numbers = means.map(lambda value: "–" if pd.isna(value) else f"{value:.3f}")
    return pipe_table(["detector", *means.columns], [[str(name), *row] for name, *row in numbers.itertuples()])


def _reasons(results: Results) -> str:
    """List the cells that are not done, by reason."""
    lost = results.frame[results.frame["status"] != "done"]
    counted = lost.groupby(["detector", "dataset", "status", "reason"], sort=False).size().reset_index(name="cells")
    lines = [[str(value).replace("|", "/") for value in row] for row in counted.itertuples(index=False)]
    return f"### cells without a result\n\n{pipe_table(list(counted.columns), lines)}"


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


def pipe_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return an aligned Markdown table."""
    widths = [max(len(row[i]) for row in [head, *lines]) for i in range(len(head))]
    ruled = [head, ["-" * width for width in widths], *lines]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in ruled)
