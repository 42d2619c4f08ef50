"""Results of an execution: one row a cell, and what tables make of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from tsad_core import Array

from tsad_bench import remarks
from tsad_bench.cells import Cell
from tsad_bench.faithfulness.gate import gated
from tsad_bench.outcome import Outcome

ALL = "all data sets"
CONTROLS = "tsad-core"
"""The distribution whose detectors are the controls."""
FLOOR = "random"
"""The control whose numbers stand in for missing ones."""
PLACE = ["dataset", "condition", "detector"]
COSTS = ("fit-seconds", "score-seconds", "peak-memory-mb", "added-memory-mb")

_NASA = "their labels are known to be flawed and mark much of some test parts (Wu and Keogh, TKDE 2021)"
SHOWN_NOT_POOLED: Mapping[str, str] = {
    "smap": _NASA,
    "msl": _NASA,
    "nab": "its labels are windows of time around anomalies, over 10 % of the test part in 50 of its 58 series",
}
"""Data sets that are left out of means over data sets, with the reason."""


@dataclass(frozen=True)
class Results:
    """Every cell of an execution with how it ended."""

    frame: pd.DataFrame
    """One row a cell: who, where, how it ended, each metric, each cost."""
    metrics: Mapping[str, str]
    """Which way each metric is better: ``higher``, ``lower`` or ``neither``."""
    headline: str
    draws: Mapping[str, Mapping[str, Sequence[float | None]]] = field(default_factory=dict)
    """By slot: the values behind a row that is reported as a distribution."""
    undefined: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By slot: why metrics of a cell that is done have no value."""


def collect(pairs: Iterable[tuple[Cell, Outcome]], *, metrics: Mapping[str, str], headline: str) -> Results:
    """Make results of cells and their outcomes."""
    pairs = gated(pairs)
    rows = [_row(cell, outcome, metrics) for cell, outcome in pairs]
    draws = {outcome.slot: outcome.draws for _, outcome in pairs if outcome.draws}
    undefined = {outcome.slot: outcome.undefined for _, outcome in pairs if outcome.undefined}
    return Results(pd.DataFrame(rows), dict(metrics), headline, draws, undefined)


def _row(cell: Cell, outcome: Outcome, metrics: Iterable[str]) -> dict[str, object]:
    row: dict[str, object] = {
        "dataset": cell.source,
        "series": cell.series,
        "detector": cell.label,
        "condition": cell.condition,
    }
    row |= {"seed": cell.seed, "corruption_seed": cell.corruption_seed, "slot": cell.slot, "key": outcome.key}
    row |= {"status": outcome.status, "reason": outcome.reason}
    row |= {metric: outcome.metrics.get(metric, np.nan) for metric in metrics}
    row |= {"look-ahead": remarks.look_ahead_of(outcome.facts), "fault": outcome.facts.get("fault", "")}
    row |= {"health": " ".join(outcome.facts.get("health", [])), "twin": outcome.facts.get("twin", "")}
    row |= {"solved": bool(outcome.facts.get("solved")), "distribution": outcome.facts.get("distribution", "")}
    row["kinds"] = json.dumps(outcome.facts["kinds"]) if "kinds" in outcome.facts else ""
    return row | {cost: outcome.costs.get(cost, np.nan) for cost in COSTS}


def summarise(results: Results) -> pd.DataFrame:
    """Return one row for each data set, condition, detector and metric: mean over series, n, 95th percentile.

    Seeds are averaged inside a series first. The percentile is over draws, each draw's value being
    its mean over series: the bar that noise clears one time in twenty.
    """
    done = results.frame[results.frame["status"] == "done"]
    rows = []
    for place, cells in done.groupby(PLACE, sort=False):
        over_seeds = cells.groupby("series")[list(results.metrics)].mean()
        for metric in results.metrics:
            by_series = over_seeds[metric].dropna()
            mean = by_series.mean() if len(by_series) else np.nan
            draws_D = _drawn(results, cells.loc[cells[metric].notna(), "slot"], metric)
            rows.append([*place, metric, mean, len(by_series), _p95(draws_D), draws_D])
    return pd.DataFrame(rows, columns=[*PLACE, "metric", "mean", "n", "p95", "draws"])


def over_datasets(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the macro mean over the data sets that are pooled of each metric, where there is more than one.

    A detector that is missing from a data set has none: its mean would be over other data sets
    than its neighbours'.
    """
    summary = summary[summary["dataset"].isin(pooled(summary["dataset"]))]
    if summary["dataset"].nunique() < 2:
        return summary.iloc[:0]
    present = summary.groupby(["condition", "detector"])["dataset"].transform("nunique")
    whole = summary[(present == summary["dataset"].nunique()) & summary["mean"].notna()]
    rows = []
    for (condition, detector, metric), place in whole.groupby(["condition", "detector", "metric"], sort=False):
        drawn = [draws_D for draws_D in place["draws"] if len(draws_D)]
        draws_D = np.mean(drawn, axis=0) if len(drawn) == len(place) else np.empty(0)
        rows.append([ALL, condition, detector, metric, place["mean"].mean(), len(place), _p95(draws_D), draws_D])
    return pd.DataFrame(rows, columns=summary.columns)


def pooled(datasets: Iterable[str]) -> list[str]:
    """Return the data sets that a mean is over: the only one, or all but those of `SHOWN_NOT_POOLED`."""
    named = list(dict.fromkeys(datasets))
    return named if len(named) == 1 else [dataset for dataset in named if dataset not in SHOWN_NOT_POOLED]


def _p95(draws_D: Array) -> float:
    return float(np.nanquantile(draws_D, 0.95)) if len(draws_D) else np.nan


def complete(results: Results) -> pd.DataFrame:
    """Return, for each data set, condition and detector, how many cells are planned and done, and the look-ahead."""
    cells = results.frame.assign(done=results.frame["status"] == "done")
    counted = {"planned": ("done", "size"), "done": ("done", "sum"), "look-ahead": ("look-ahead", "max")}
    return cells.groupby(PLACE, sort=False).agg(**counted).reset_index()


def common_subset(results: Results) -> Results:
    """Keep the series on which every detector that ended any cell ended all of them."""
    frame = results.frame
    alive = frame.groupby(PLACE)["status"].transform(lambda status: (status == "done").any())
    bad = frame[alive & (frame["status"] != "done")]
    gone = set(zip(bad["dataset"], bad["condition"], bad["series"], strict=True))
    places = zip(frame["dataset"], frame["condition"], frame["series"], strict=True)
    kept = frame[alive & np.array([place not in gone for place in places])]
    return replace(results, frame=kept)


def controls_of(results: Results) -> list[str]:
    """Return the detectors that come with the benchmark's core: the controls."""
    frame = results.frame
    return list(frame.loc[frame["distribution"] == CONTROLS, "detector"].unique())


def under(results: Results, condition: str) -> Results:
    """Keep the cells under one condition."""
    return replace(results, frame=results.frame[results.frame["condition"] == condition])


def plain_condition(results: Results) -> str:
    """Return the condition that speaks for a detector as it is: ``clean``, or the first where a suite has no such."""
    conditions = [] if results.frame.empty else list(results.frame["condition"].unique())
    return "clean" if "clean" in conditions else next(iter(conditions), "clean")


def under_plain(results: Results) -> Results:
    """Keep the cells under the condition that speaks for detectors as they are."""
    return under(results, plain_condition(results))


def chosen(results: Results, dataset: str, series: Iterable[str]) -> Results:
    """Keep some series of one data set."""
    frame = results.frame
    kept = frame[(frame["dataset"] == dataset) & frame["series"].isin(list(series))]
    return replace(results, frame=kept)


def filled_by(results: Results, floor: str) -> Results:
    """Give every cell that is not done the metrics of the floor's cell on the same series and condition."""
    frame = results.frame.copy()
    where = ["dataset", "series", "condition"]
    floors = frame[frame["detector"] == floor].groupby(where)[list(results.metrics)].mean()
    missing = frame["status"] != "done"
    places = pd.MultiIndex.from_frame(frame.loc[missing, where])
    frame.loc[missing, list(results.metrics)] = floors.reindex(places).to_numpy()
    frame.loc[missing, "status"] = "done"
    return replace(results, frame=frame)


def _drawn(results: Results, slots: Iterable[str], metric: str) -> Array:
    """Return each draw's mean over cells; a draw without a value somewhere has none."""
    drawn = [results.draws[slot][metric] for slot in slots if slot in results.draws]
    return np.mean(np.array(drawn, dtype=float), axis=0) if drawn else np.empty(0)
