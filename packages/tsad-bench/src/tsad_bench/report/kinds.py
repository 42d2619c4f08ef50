"""Results by the kind of anomaly: which kinds does a detector find, and which does it miss?"""

import json
from collections.abc import Iterator

import pandas as pd

from tsad_bench.report.rows import best_first, number, written
from tsad_bench.report.tabular import Grid, Styles
from tsad_bench.results import PLACE, Results, under_plain

EVERY = "every kind"
NOTE = (
    "A kind is judged without the events of the other kinds and a training period on either side of each; n counts "
    "its events. Compare within a column: what noise gets depends on how many steps a kind has. Of a detector whose "
    "scores are drawn, the single kinds show the first draw."
)
DASHES = " –: without a number on a series where others have one."


def kind_grids(results: Results, styles: Styles | None = None) -> Iterator[Grid]:
    """Yield a table for each data set whose kinds of anomaly are known: detectors down, kinds across."""
    found = means(results)
    for dataset in found["dataset"].unique():
        table = by_kind(found, dataset, better=results.metrics[results.headline])
        title = f"{dataset} by kind of anomaly: {results.headline}"
        note = f"{NOTE}{DASHES if table.isna().any(axis=None) else ''}"
        yield Grid(["detector", *table.columns], written(table, number), title=title, note=note, styles=styles or {})


def by_kind(found: pd.DataFrame, dataset: str, *, better: str) -> pd.DataFrame:
    """Return, of `means`, those of each detector (rows, best first) over every kind and each (columns, n events)."""
    mine = found[found["dataset"] == dataset]
    table = mine.pivot_table("mean", index="detector", columns="kind").rename_axis(None, axis=1)
    table = table[sorted(table.columns, key=lambda kind: (kind != EVERY, kind))]
    table = table.loc[best_first(mine["detector"], table.iloc[:, 0], better=better)]
    events = mine.groupby("kind")["events"].first()
    return table.rename(columns={kind: f"{kind} (n={events[kind]})" for kind in table.columns})


def kind_rows(results: Results) -> pd.DataFrame:
    """Return a row for each data set, detector and kind, as `numbers` of all metrics has them: ``headline/kind``."""
    found = means(results)
    single = found[found["kind"] != EVERY]
    # beside metrics, which have none, the numbers of events are to stay whole
    named = single.assign(metric=f"{results.headline}/" + single["kind"], events=single["events"].astype("Int64"))
    return named.drop(columns="kind")


def means(results: Results) -> pd.DataFrame:
    """Return the headline's mean of each detector by kind: data set, condition, detector, kind, mean, n, events.

    Of the plain condition alone, and of series whose kinds are known. Seeds are averaged inside a series first; n
    counts series. A detector with cells that are not done is left out, and has no mean of a kind that it lacks on a
    series where others have it.
    """
    told = pd.DataFrame(_told(results), columns=[*PLACE, "series", "kind", "events", "value"])
    by_series = told.astype({"value": float}).groupby([*PLACE, "series", "kind"], sort=False)
    over_seeds = by_series.agg(value=("value", "mean"), events=("events", "first")).dropna()
    over_series = over_seeds.groupby([*PLACE, "kind"], sort=False)
    found = over_series.agg(mean=("value", "mean"), n=("value", "size"), events=("events", "sum")).reset_index()
    return found[found["n"] == found.groupby(["dataset", "kind"])["n"].transform("max")]


def _told(results: Results) -> Iterator[list[object]]:
    """Yield a row for each cell and kind, and one over every kind."""
    if results.frame.empty:
        return
    cells = under_plain(results).frame
    short = cells[cells["status"] != "done"].groupby(PLACE).groups
    for cell in cells[cells["kinds"] != ""].to_dict("records"):
        place = [cell[name] for name in PLACE]
        if tuple(place) in short:
            continue
        kinds = json.loads(cell["kinds"])
        total = sum(events for events, _ in kinds.values())
        for kind, (events, value) in {EVERY: (total, cell[results.headline]), **kinds}.items():
            yield [*place, cell["series"], kind, events, value]
