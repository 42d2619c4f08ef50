"""Results of an execution: one row a cell, and what tables make of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tsad_bench.cells import Cell
from tsad_bench.measure import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

ALL = "all data sets"
PLACE = ["dataset", "condition", "detector"]
COSTS = ("fit-seconds", "score-seconds", "peak-memory-mb", "added-memory-mb")


@dataclass(frozen=True)
class Results:
    """Every cell of an execution with how it ended."""

    frame: pd.DataFrame
    """One row a cell: who, where, how it ended, each metric, each cost."""
    metrics: Sequence[str]
    headline: str
    draws: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    """By slot: the values behind a row that is reported as a distribution."""


def collect(pairs: "Iterable[tuple[Cell, Outcome]]", *, metrics: Sequence[str], headline: str) -> Results:
    """Make results of cells and their outcomes."""
    pairs = list(pairs)
    rows = [_row(cell, outcome, metrics) for cell, outcome in pairs]
    draws = {outcome.slot: outcome.draws for _, outcome in pairs if outcome.draws}
    return Results(pd.DataFrame(rows), list(metrics), headline, draws)


def _row(cell: Cell, outcome: Outcome, metrics: Sequence[str]) -> dict[str, object]:
    named = {k: v for k, v in asdict(cell).items() if k not in {"label", "options", "dataset_options"}}
    row = {**named, "detector": cell.label, "slot": cell.slot, "key": outcome.key, "status": outcome.status}
    row |= {"reason": outcome.reason}
    row |= {metric: outcome.metrics.get(metric, np.nan) for metric in metrics}
    return row | {cost: outcome.costs.get(cost, np.nan) for cost in COSTS}


def summarise(results: Results) -> pd.DataFrame:
    """Return one row for each data set, condition, detector and metric: mean over series, n, 95th percentile.

    Seeds are averaged inside a series first. The percentile is over draws, each draw's value being
    its mean over series: the bar that noise clears one time in twenty.
    """
    done = results.frame[results.frame["status"] == "done"]
    rows = []
    for place, cells in done.groupby(PLACE, sort=False):
        for metric in results.metrics:
            by_series = cells.groupby("series")[metric].mean().dropna()
            draws = _drawn(results, cells.loc[cells[metric].notna(), "slot"], metric)
            p95 = float(np.quantile(draws, 0.95)) if len(draws) else np.nan
            mean = by_series.mean() if len(by_series) else np.nan
            rows.append([*place, metric, mean, len(by_series), p95])
    return pd.DataFrame(rows, columns=[*PLACE, "metric", "mean", "n", "p95"])


def over_datasets(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the macro mean over data sets of each metric, where there is more than one."""
    if summary["dataset"].nunique() < 2:
        return summary.iloc[:0]
    defined = summary.dropna(subset=["mean"])
    grouped = defined.groupby(["condition", "detector", "metric"], sort=False)
    macro = grouped.agg(mean=("mean", "mean"), n=("dataset", "size"), p95=("p95", "mean")).reset_index()
    return macro.assign(dataset=ALL)[summary.columns]


def complete(results: Results) -> pd.DataFrame:
    """Return, for each data set, condition and detector, how many cells are planned and done."""
    cells = results.frame.assign(done=results.frame["status"] == "done")
    return cells.groupby(PLACE, sort=False).agg(planned=("done", "size"), done=("done", "sum")).reset_index()


def common_subset(results: Results) -> Results:
    """Keep the series on which every detector that ended any cell ended all of them."""
    frame = results.frame
    alive = frame.groupby(PLACE)["status"].transform(lambda status: (status == "done").any())
    bad = frame[alive & (frame["status"] != "done")]
    gone = set(zip(bad["dataset"], bad["condition"], bad["series"], strict=True))
    places = zip(frame["dataset"], frame["condition"], frame["series"], strict=True)
    kept = frame[alive & np.array([place not in gone for place in places])]
    return Results(kept, results.metrics, results.headline, results.draws)


def filled_by(results: Results, floor: str) -> Results:
    """Give every cell that is not done the metrics of the floor's cell on the same series and condition."""
    frame = results.frame.copy()
    where = ["dataset", "series", "condition"]
    floors = frame[frame["detector"] == floor].groupby(where)[list(results.metrics)].mean()
    missing = frame["status"] != "done"
    places = pd.MultiIndex.from_frame(frame.loc[missing, where])
    frame.loc[missing, list(results.metrics)] = floors.reindex(places).to_numpy()
    frame.loc[missing, "status"] = "done"
    return Results(frame, results.metrics, results.headline, results.draws)


def _drawn(results: Results, slots: "Iterable[str]", metric: str) -> np.ndarray:
    drawn = [results.draws[slot][metric] for slot in slots if slot in results.draws]
    return np.mean(drawn, axis=0) if drawn else np.empty(0)
