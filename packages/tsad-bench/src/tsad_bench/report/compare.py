"""Two executions side by side: where they differ beyond the spread of seeds, and what was different about them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tsad_core import Array, TsadError
from tsad_core.corruption import Condition

from tsad_bench.report.pipe import pipe_table
from tsad_bench.report.rebuild import rebuild_from
from tsad_bench.report.rows import number
from tsad_bench.results import ALL, Results, pooled
from tsad_bench.statistics import Units, intervals, units
from tsad_bench.statistics.units import known_mean
from tsad_bench.tracking import cell_runs, read_parent

A, B = "A", "B"
PLACE = ["detector", "dataset", "series", "condition"]
"""What two cells must have in common to be compared; their seeds are averaged."""
COSTS: Mapping[str, str] = {"fit-seconds": "fit", "score-seconds": "score", "added-memory-mb": "memory"}
RESAMPLES = 1000


class CompareError(TsadError):
    """Two executions that have nothing to compare."""


@dataclass(frozen=True)
class Side:
    """One of two executions."""

    name: str
    results: Results
    tags: Mapping[str, str]
    """Of its parent run: versions, commit, system."""
    options: Mapping[str, Mapping[str, str]]
    """By slot: the options of each cell's detector, resolved."""
    data: Mapping[str, str]
    """By slot: the digest of each cell's series."""
    lacks: str = ""
    """What is missing, if the execution is not finished."""


@dataclass(frozen=True)
class Difference:
    """One metric of one detector under one condition in both executions, over the series that both did."""

    metric: str
    detector: str
    condition: str
    data: str
    series: int
    first: float
    second: float
    difference: float
    """The second less the first."""
    spread: float | None
    """Standard deviation over seeds inside a series, pooled; None with a single seed."""
    low: float | None
    high: float | None
    """The paired interval of the difference, over families of series, series and seeds."""
    why_no_interval: str
    identical: bool

    @property
    def beyond(self) -> list[str]:
        """What the difference goes beyond: twice the spread of ``seeds``, the interval over ``series``."""
        seeds = self.spread is not None and abs(self.difference) > 2 * self.spread
        series = self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)
        return ["seeds"] * seeds + ["series"] * series


def read_side(uri: str, execution: str) -> Side:
    """Return an execution from the store; one that is not finished with the cells it has logged so far."""
    parent = read_parent(uri, execution)
    tags = parent.data.tags
    runs = cell_runs(uri, execution, tags["tsad.suite"])
    results, lacks = rebuild_from(uri, parent, runs)
    options = {run.data.tags["tsad.cell"]: dict(run.data.params) for run in runs}
    facts = {run.data.tags["tsad.cell"]: json.loads(run.data.tags.get("tsad.facts", "{}")) for run in runs}
    data = {slot: str(found["data"]) for slot, found in facts.items() if "data" in found}
    return Side(execution, results, tags, options, data, lacks)


def compare(first: Side, second: Side) -> str:
    """Return as Markdown how two executions differ, on the cells that both did.

    A difference is told as beyond `seeds` where it exceeds twice the standard deviation over seeds inside
    a series, and as beyond `series` where its paired 95 % bootstrap interval leaves out 0. Else the two are
    not told apart, or undecided where neither is measured.
    """
    found = differences(first, second)
    parts = [f"# {first.name} (A) against {second.name} (B)", _summary(found)]
    parts += [_table(rows, first.results.metrics[metric], metric) for metric, rows in _by_metric(found).items()]
    parts += [_costs(first, second), _only_one(first, second), _circumstances(first, second)]
    return "\n\n".join(part for part in parts if part) + "\n"


def differences(first: Side, second: Side) -> list[Difference]:
    """Return all differences, of the headline first; `CompareError` if no cell was done by both."""
    common = _done(first.results).intersection(_done(second.results))
    metrics = [name for name in first.results.metrics if name in second.results.metrics]
    if not len(common) or not metrics:
        lacks = "a done cell (same detector, data set, series and condition)" if metrics else "a metric"
        raise CompareError(
            f"{first.name} and {second.name} do not have {lacks} in common; tsad-bench report shows each"
        )
    pair = pd.concat([_at(first.results, common).assign(side=A), _at(second.results, common).assign(side=B)])
    metrics.sort(key=lambda name: name != first.results.headline)
    return [
        difference
        for metric in metrics
        for (detector, condition), cells in pair.groupby(["detector", "condition"], sort=False)
        for data, rows in _scopes(cells)
        for difference in _difference(rows, metric, detector, condition, data)
    ]


def seed_spread(values_SDCM: Array) -> float | None:
    """Return the standard deviation over model seeds inside a series, pooled by degrees of freedom.

    None where no series has two seeds: the spread is then not measured.
    """
    deviations_SDCM = values_SDCM - known_mean(values_SDCM, axis=3)[..., None]
    freedom = int(np.maximum((~np.isnan(values_SDCM)).sum(axis=3) - 1, 0).sum())
    return float(np.sqrt(np.nansum(deviations_SDCM**2) / freedom)) if freedom else None


def _done(results: Results) -> pd.MultiIndex:
    """Return the places of which all cells are done."""
    done = (results.frame["status"] == "done").groupby([results.frame[name] for name in PLACE], sort=False).all()
    return done.index[done]


def _at(results: Results, places: pd.MultiIndex) -> pd.DataFrame:
    return results.frame[pd.MultiIndex.from_frame(results.frame[PLACE]).isin(places)]


def _scopes(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield what a mean is over: the data sets that tables pool, then each of the others."""
    names = list(cells["dataset"].unique())
    together = pooled(names)
    if together:
        yield (ALL if len(together) > 1 else together[0]), cells[cells["dataset"].isin(together)]
    for name in names:
        if name not in together:
            yield name, cells[cells["dataset"] == name]


def _difference(cells: pd.DataFrame, metric: str, detector: str, condition: str, data: str) -> Iterator[Difference]:
    """Yield the difference on the series where both have a value, if there are any."""
    both = _units(cells, metric)
    if len(both.detectors) < 2 or both.places.empty:
        return
    first, second = (both.detectors.index(side) for side in (A, B))
    estimates = intervals(both, resamples=RESAMPLES)
    above = estimates[second].above
    assert above is not None, "A stands where the best control does"
    numbers = [estimates[side].number.value for side in (first, second)]
    assert numbers[0] is not None, "both have done a series of each data set that is left"
    assert numbers[1] is not None, "both have done a series of each data set that is left"
    yield Difference(
        metric,
        detector,
        condition,
        data,
        series=len(both.places),
        first=numbers[0],
        second=numbers[1],
        difference=numbers[1] - numbers[0],
        spread=seed_spread(both.values_SDCM),
        low=above.low,
        high=above.high,
        why_no_interval=above.reason,
        identical=bool((both.means_SD[:, first] == both.means_SD[:, second]).all()),
    )


def _units(cells: pd.DataFrame, metric: str) -> Units:
    """Return the two executions as statistics take detectors; whichever way is better, gains are B less A."""
    sides = cells.assign(detector=cells["side"])
    results = Results(sides, {metric: "higher"}, metric)
    return units(results, datasets=cells["dataset"].unique(), controls=[A]).complete()


def _by_metric(found: list[Difference]) -> dict[str, list[Difference]]:
    return {name: [one for one in found if one.metric == name] for name in dict.fromkeys(one.metric for one in found)}


def _summary(found: list[Difference]) -> str:
    if all(one.identical for one in found):
        return "On the cells that both did, all numbers are the same to the last digit."
    counts = [sum(kind in one.beyond for one in found) for kind in ("seeds", "series")]
    unmeasured = sum(one.spread is None for one in found)
    told = f"; of {unmeasured} the spread of seeds is not measured: there is one seed" if unmeasured else ""
    return (
        f"On the cells that both did: of {len(found)} differences {counts[0]} go beyond twice the spread of seeds "
        f"inside a series, and {counts[1]} have a paired 95 % interval over series that leaves out 0{told}."
    )


def _table(rows: list[Difference], better: str, metric: str) -> str:
    heads = ["detector", "condition", "data", "series", A, B, "B − A", "interval", "spread of seeds", "B is"]
    lines = [
        [
            *(row.detector, row.condition, row.data, str(row.series), number(row.first), number(row.second)),
            *(_fine(row.difference, "+"), _interval(row), _spread(row), _verdict(row, better)),
        ]
        for row in rows
    ]
    reasons = list(dict.fromkeys(row.why_no_interval for row in rows if row.why_no_interval))
    below = f"\n\n– under interval: {'; '.join(reasons)}." if reasons else ""
    told = "neither way is better" if better == "neither" else f"{better} is better"
    return f"## {metric} ({told})\n\n{pipe_table(heads, lines)}{below}"


def _interval(row: Difference) -> str:
    return "–" if row.low is None or row.high is None else f"{_fine(row.low, '+')} to {_fine(row.high, '+')}"


def _spread(row: Difference) -> str:
    return "not measured: one seed" if row.spread is None else _fine(row.spread)


def _fine(value: float, sign: str = "") -> str:
    """Write a number with three decimals or, where these would be all 0, with two digits that are not."""
    text = f"{value:{sign}.3f}"
    if text.strip("+-0."):
        return text
    return f"{value:{sign}.2g}" if value else "0.000"


def _verdict(row: Difference, better: str) -> str:
    if row.identical:
        return "identical"
    if row.spread is None and row.low is None:
        return "undecided"
    if not row.beyond:
        return "not told apart"
    gain = {"higher": row.difference, "lower": -row.difference}.get(better)
    way = "different" if gain is None else "better" if gain > 0 else "worse"
    return f"{way} beyond {' and '.join(row.beyond)}"


def _costs(first: Side, second: Side) -> str:
    """Return how many times A's cost B's cells cost on average, by detector."""
    common = _done(first.results).intersection(_done(second.results))
    means = [_at(side.results, common).groupby("detector", sort=False)[list(COSTS)].mean() for side in (first, second)]
    ratios = means[1] / means[0].where(means[0] > 0)
    lines = [
        [str(name), *("–" if pd.isna(value) else f"{value:.2f}" for value in row)] for name, *row in ratios.itertuples()
    ]
    below = "\n\n–: not measured, or nothing in A." if ratios.isna().any(axis=None) else ""
    return f"## cost of a cell, B as a multiple of A\n\n{pipe_table(['detector', *COSTS.values()], lines)}{below}"


def _only_one(first: Side, second: Side) -> str:
    """List what only one of the executions did, and what became of it in the other."""
    cells = [*_missing(first, second, A), *_missing(second, first, B)]
    ours, theirs = first.results.metrics, second.results.metrics
    metrics = [[A, name] for name in ours if name not in theirs] + [[B, name] for name in theirs if name not in ours]
    heads = ["only in", "detector", "data set", "condition", "series", "in the other"]
    tables = [pipe_table(heads, cells)] if cells else []
    tables += [pipe_table(["only in", "metric"], metrics)] if metrics else []
    return "\n\n".join(["## what only one did", *tables]) if tables else ""


def _missing(side: Side, other: Side, letter: str) -> Iterator[list[str]]:
    places = _done(side.results).difference(_done(other.results), sort=False)
    if not len(places):
        return
    frame = other.results.frame
    lost = frame[frame["status"] != "done"].groupby(PLACE)["status"].first()
    told = places.to_frame(index=False).assign(other=lost.reindex(places).fillna("not planned").to_numpy())
    told["condition"] = [Condition.parse(text).name for text in told["condition"]]
    by = ["detector", "dataset", "condition", "other"]
    for (detector, dataset, kind, became), rows in told.groupby(by, sort=False):
        yield [letter, detector, dataset, kind, str(rows["series"].nunique()), became]


def _circumstances(first: Side, second: Side) -> str:
    """List versions, options and data that differ, of the cells that both did."""
    common = _done(first.results).intersection(_done(second.results))
    ours, theirs = ({**_tags(side), **_options(side, common), **_data(side, common)} for side in (first, second))
    names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    if not names:
        return "Versions, options and data are the same in both."
    lines = [[name, ours.get(name, "–"), theirs.get(name, "–")] for name in names]
    flat = [[text.replace("|", "/") for text in line] for line in lines]
    below = "\n\n–: it has none." if any("–" in line for line in lines) else ""
    return f"## what was different\n\n{pipe_table(['', A, B], flat)}{below}"


def _tags(side: Side) -> dict[str, str]:
    """Return versions, the commit and the system."""
    named = [name for name in side.tags if name.startswith("tsad.version.") or name in {"tsad.commit", "tsad.system"}]
    return {name.removeprefix("tsad.").replace(".", " ", 1): side.tags[name] for name in sorted(named)}


def _options(side: Side, common: pd.MultiIndex) -> dict[str, str]:
    """Return every value that an option of a detector has in any cell; seeds apart."""
    values: dict[str, set[str]] = {}
    cells = _at(side.results, common)
    for detector, slot in zip(cells["detector"], cells["slot"], strict=True):
        for name, value in side.options.get(slot, {}).items():
            if name != "seed":
                values.setdefault(f"option {detector}.{name}", set()).add(value)
    return {name: ", ".join(sorted(found)) for name, found in values.items()}


def _data(side: Side, common: pd.MultiIndex) -> dict[str, str]:
    """Return the digest of each series."""
    cells = _at(side.results, common)
    places = zip(cells["dataset"], cells["series"], cells["slot"], strict=True)
    return {f"data {dataset}:{series}": side.data[slot] for dataset, series, slot in places if slot in side.data}
