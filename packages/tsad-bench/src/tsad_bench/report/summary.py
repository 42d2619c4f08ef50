"""What a detector's summary run says in MLflow: means, by data set and by condition."""

import pandas as pd
from tsad_core.corruption import Condition

from tsad_bench.results import COSTS, Results, complete, over_datasets, summarise
from tsad_bench.tracking import Point


def summary_points(results: Results) -> dict[str, list[Point]]:
    """Return the metrics of each detector's summary run.

    ``vus-pr`` is the macro mean over data sets in the first condition, ``ucr/vus-pr`` the mean over
    one data set, and ``train-anomalies-percent/vus-pr`` the curve over a condition's levels, the
    level being the step. What stands before the slash is a section of the UI's charts, which it
    sorts by name: ``all-data-sets`` comes first, ``usage`` last. A detector with cells that are not
    done has no mean, only its usage.
    """
    summary = summarise(results)
    state = complete(results)
    short = set(state.loc[state["done"] < state["planned"], "detector"])
    points: dict[str, list[Point]] = {}
    for detector, cells in results.frame.groupby("detector", sort=False):
        mine = summary[(summary["detector"] == detector) & summary["mean"].notna()]
        means = [] if detector in short else [*_macro(mine), *_by_dataset(mine), *_curves(mine)]
        points[str(detector)] = [*means, *_costs(cells)]
    return points


def _macro(summary: pd.DataFrame) -> list[Point]:
    first = _first_condition(summary)
    macro = over_datasets(first)
    rows = first if macro.empty else macro
    p95 = [Point(f"{row.metric}.p95", float(row.p95)) for row in rows.itertuples() if not pd.isna(row.p95)]
    return [Point(str(row.metric), float(row.mean)) for row in rows.itertuples()] + p95


def _by_dataset(summary: pd.DataFrame) -> list[Point]:
    first = _first_condition(summary)
    rows = pd.concat([over_datasets(first), first]).itertuples()
    return [Point(f"{row.dataset.replace(' ', '-')}/{row.metric}", float(row.mean)) for row in rows]


def _curves(summary: pd.DataFrame) -> list[Point]:
    """Return a point for each level, the mean over data sets, in a section named after kind and unit."""
    means = summary.groupby(["condition", "metric"], sort=False)["mean"].mean()
    points = []
    for (text, metric), mean in means.items():
        condition = Condition.parse(text)
        if condition.kind != "clean":
            section = f"{condition.name.replace(':', '-')}-{condition.unit}"
            points.append(Point(f"{section}/{metric}", float(mean), condition.level))
    return points


def _first_condition(summary: pd.DataFrame) -> pd.DataFrame:
    return summary[summary["condition"] == summary["condition"].iloc[0]] if len(summary) else summary


def _costs(cells: pd.DataFrame) -> list[Point]:
    counted = [Point(f"usage/cells-{status}", float(n)) for status, n in cells["status"].value_counts().items()]
    how = {cost: cells[cost].max() if cost.endswith("mb") else cells[cost].sum() for cost in COSTS}
    return counted + [Point(f"usage/{cost}", float(value)) for cost, value in how.items() if not pd.isna(value)]
