"""What conditions do to detectors: curves over levels, the area above the best control's, the drop."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from tsad_core.corruption import Condition, kind_of

from tsad_bench.results import ALL, Results, controls_of, pooled

SHAMS: Mapping[str, str] = {"train-anomalies": "sham-anomalies"}
"""Kinds of condition with the control that does the same without its anomalies."""
NO_NOISE = math.inf
"""The level of the clean series under a kind whose levels are signal-to-noise ratios."""
COLUMNS = ["dataset", "condition", "unit", "metric", "detector", "measure", "level", "value", "note"]

_GAIN: Mapping[str, float] = {"higher": 1.0, "lower": -1.0, "neither": math.nan}
_Place = tuple[str, str]
"""A data set and a series of it."""


@dataclass(frozen=True, eq=False)
class Curves:
    """All detectors over the levels of one kind of condition, in one metric, all over the same series."""

    kind: str
    """With its parts, as in ``white-noise:both``."""
    metric: str
    better: str
    means: pd.DataFrame
    """Detectors down, levels across from mild to worst: the mean over data sets of the mean over series of the mean
    over seeds and corruption seeds. NaN where cells are not done, or where the metric has no value."""
    done: pd.DataFrame
    """How many cells behind each value are done."""
    planned: pd.DataFrame
    """How many there are to be."""
    controls: tuple[str, ...]
    left_out: Mapping[_Place, str]
    """Series that the kind cannot strike or the metric cannot measure, with the reason."""
    series: int
    """How many are left."""

    @property
    def start(self) -> float | None:
        """The level at which series are as they are, or are measured as if; None if the suite has none."""
        start = NO_NOISE if kind_of(self.kind).unit == "dB" else 0.0
        return start if start in self.means.columns else None

    def shortfall(self, detector: str, level: float) -> str:
        """Say how many cells are done, if not all are."""
        done, planned = self.done.loc[detector, level], self.planned.loc[detector, level]
        return f"{done:.0f} of {planned:.0f} done" if done < planned else ""

    @property
    def rivals(self) -> list[str]:
        """The controls that have a value at every level, so that the best of them is the best of the same ones.

        None where neither way is better: there is no best.
        """
        if self.better == "neither":
            return []
        whole = self.means.loc[list(self.controls)].notna().all(axis=1)
        return [control for control in self.controls if whole[control]]


def kinds(results: Results) -> list[str]:
    """Return the kinds of condition of a suite, each with its parts, in the suite's order; ``clean`` is none."""
    conditions = [Condition.parse(text) for text in results.frame["condition"].unique()]
    return list(dict.fromkeys(condition.name for condition in conditions if condition.kind != "clean"))


def levels(results: Results, kind: str) -> dict[float, str]:
    """Return the conditions of a kind by their level, from mild to worst.

    Level 0 comes first: the kind's own, or else the clean cells, if the suite has any. Where levels are
    in dB, the clean cells are at `NO_NOISE`. `real-anomalies` scores another part than the clean cells do:
    its level 0 can only be its own.
    """
    texts = list(results.frame["condition"].unique())
    known = {float(c.level): str(c) for c in map(Condition.parse, texts) if c.name == kind}
    start = NO_NOISE if kind_of(kind).unit == "dB" else kind_of(kind).neutral
    if "clean" in texts and start is not None:
        known = {float(start): "clean"} | known
    return dict(sorted(known.items(), key=lambda item: severity(kind, item[0])))


def severity(kind: str, level: float) -> float:
    """Return a number that rises as a kind's levels get worse: the level itself, but of dB less it."""
    return -level if kind_of(kind).unit == "dB" else level


def curves(
    results: Results, kind: str, *, metric: str = "", dataset: str = ALL, controls: Collection[str] | None = None
) -> Curves:
    """Return the curves of all detectors over a kind's levels, by default of the headline over the pooled data sets.

    A value stands for all cells of its detector and level, or it is missing. Series that the kind
    cannot strike (each detector's cell is skipped for the same reason at some level) and series where
    the metric is undefined for a detector that has it elsewhere are left out of all values alike.
    """
    metric = metric or results.headline
    cells = _cells(results, kind, metric, dataset)
    left_out = _unfit(results, cells, metric)
    n = len(set(_places(cells)) - set(left_out))
    chosen = controls_of(results) if controls is None else controls
    present = tuple(detector for detector in cells["detector"].unique() if detector in chosen)
    means, done, planned = _values(cells, levels(results, kind), left_out)
    return Curves(kind, metric, results.metrics[metric], means, done, planned, present, left_out, n)


def _values(
    cells: pd.DataFrame, levels: Iterable[float], left_out: Collection[_Place]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return means, how many cells are done and how many are planned, each with detectors down and levels across."""
    kept = cells[[place not in left_out for place in _places(cells)]] if left_out else cells
    by_series = _by_series(kept).reset_index()
    by_dataset = by_series.groupby(["detector", "level", "dataset"], as_index=False)["value"].mean()
    shape = {"index": cells["detector"].unique(), "columns": list(levels)}
    means = by_dataset.pivot_table(index="detector", columns="level", values="value").reindex(**shape)
    done, planned = (
        by_series.pivot_table(index="detector", columns="level", values=name, aggfunc="sum").reindex(**shape).fillna(0)
        for name in ("done", "planned")
    )
    return means.where(done == planned), done, planned


def _cells(results: Results, kind: str, metric: str, dataset: str) -> pd.DataFrame:
    """Return the cells at a kind's levels, of one data set or of the pooled ones."""
    frame = results.frame
    chosen = [dataset] if dataset != ALL else pooled(frame["dataset"])
    level_of = {text: level for level, text in levels(results, kind).items()}
    cells = frame[frame["dataset"].isin(chosen) & frame["condition"].isin(list(level_of))]
    done = cells["status"] == "done"
    return cells.assign(level=cells["condition"].map(level_of), done=done, value=cells[metric].where(done))


def _by_series(cells: pd.DataFrame) -> pd.DataFrame:
    """Average seeds and corruption seeds inside each series."""
    keys = ["detector", "dataset", "series", "level"]
    return cells.groupby(keys, sort=False).agg(value=("value", "mean"), done=("done", "sum"), planned=("done", "size"))


def _places(cells: pd.DataFrame) -> Iterator[_Place]:
    return zip(cells["dataset"], cells["series"], strict=True)


def _unfit(results: Results, cells: pd.DataFrame, metric: str) -> dict[_Place, str]:
    """Return the series that a kind cannot strike, and those that a metric cannot measure, with the reason."""
    return _undefined(results, cells, metric) | _refused(cells)


def _refused(cells: pd.DataFrame) -> dict[_Place, str]:
    skipped = cells.assign(skipped=cells["status"] == "skipped")
    if not skipped["skipped"].any():
        return {}
    found = skipped.groupby(["dataset", "series", "level"], sort=False).agg(
        skipped=("skipped", "all"), reasons=("reason", "nunique"), reason=("reason", "first")
    )
    refused = found[found["skipped"] & (found["reasons"] == 1)].reset_index()
    return dict(zip(_places(refused), refused["reason"], strict=True))


def _undefined(results: Results, cells: pd.DataFrame, metric: str) -> dict[_Place, str]:
    if not (cells["value"].isna() & cells["done"]).any():
        return {}
    by_series = _by_series(cells).reset_index()
    measured = by_series.groupby("detector")["value"].transform("count") > 0
    empty = by_series[measured & by_series["value"].isna() & (by_series["done"] > 0)]
    without = cells[cells["slot"].isin(list(results.undefined)) & cells["value"].isna()]
    told = {
        place: results.undefined[slot].get(metric, "")
        for place, slot in zip(_places(without), without["slot"], strict=True)
    }
    return {place: told.get(place) or f"{metric} is undefined" for place in _places(empty)}


def comparable(results: Results, kind: str) -> Results:
    """Keep the series on which all detectors that ended any cell at every level of a kind ended all of them.

    The detectors that ended none at some level go too. All values of all curves are then over the same series.
    """
    cells = _cells(results, kind, results.headline, ALL)
    cells = pd.concat([cells, *(_cells(results, kind, results.headline, name) for name in _others(results))])
    at_level = cells.groupby(["dataset", "detector", "level"])["done"].any()
    alive = at_level.groupby(["dataset", "detector"]).all()
    lives = alive.reindex(pd.MultiIndex.from_frame(cells[["dataset", "detector"]])).to_numpy(bool)
    gone = set(_places(cells[lives & ~cells["done"]]))
    kept = cells[lives & np.array([place not in gone for place in _places(cells)], dtype=bool)]
    return replace(results, frame=results.frame.loc[kept.index])


def _others(results: Results) -> list[str]:
    """Return the data sets that are shown, not pooled."""
    names = list(results.frame["dataset"].unique())
    return [name for name in names if name not in pooled(names)]


def measures(curves: Curves) -> pd.DataFrame:
    """Return what each detector's curve comes to, each measure missing where a value that it needs is.

    ``level-0``: the value at the level that leaves series as they are.
    ``area``: by how much the curve lies above the best control's, on average over levels: the integral,
    by the trapezoid rule, of the value less the best control's value at the same level, over levels
    scaled to 0 for the mildest and 1 for the worst. Where levels are in dB, the mildest is the mildest
    noise: the clean series is at no finite level. A single level's difference stands for itself.
    ``drop``: the value at level 0 less that at the worst level; below 0 if all levels beyond 0 are better.
    ``worst-level``: the level beyond 0 with the worst value, the mildest of several.

    Where lower is better, all differences are turned round, so that more area is good and more drop is bad.
    """
    gain = curves.means * _GAIN[curves.better]
    start = curves.start
    beyond = gain[[level for level in gain.columns if level != start]]
    whole = beyond[beyond.notna().all(axis=1)] if beyond.shape[1] else beyond.iloc[:0]
    worst = whole.idxmin(axis=1).reindex(gain.index)
    first = gain[start] if start is not None else pd.Series(math.nan, index=gain.index)
    return pd.DataFrame(
        {
            "level-0": curves.means[start] if start is not None else first,
            "area": _area(curves, gain),
            "drop": first - whole.min(axis=1).reindex(gain.index),
            "worst-level": worst.astype(float),
        }
    )


def _area(curves: Curves, gain: pd.DataFrame) -> "pd.Series[float]":
    finite = gain[[level for level in gain.columns if math.isfinite(level)]]
    if not curves.rivals or finite.empty:
        return pd.Series(math.nan, index=gain.index)
    above = finite - finite.loc[curves.rivals].max()
    if above.shape[1] == 1:
        return above.iloc[:, 0]
    severities = np.array([severity(curves.kind, level) for level in above.columns])
    scaled = (severities - severities[0]) / (severities[-1] - severities[0])
    return pd.Series(np.trapezoid(above.to_numpy(), scaled, axis=1), index=above.index)


def effect(results: Results, kind: str, *, metric: str = "", dataset: str = ALL) -> pd.DataFrame:
    """Return the curves of a kind less those of its sham, at the levels beyond 0 that both have.

    What is left is due to the anomalies themselves, not to pasting. Both are over the series that both
    can strike; nothing where the suite has not both.
    """
    sham, metric = SHAMS.get(kind, ""), metric or results.headline
    if not {kind, sham} <= set(kinds(results)):
        return pd.DataFrame()
    cells = {name: _cells(results, name, metric, dataset) for name in (kind, sham)}
    unfit = {place: why for frame in cells.values() for place, why in _unfit(results, frame, metric).items()}
    of_kind, of_sham = (_values(frame, levels(results, name), unfit)[0] for name, frame in cells.items())
    both = [level for level in of_kind.columns if level in of_sham.columns and level != 0]
    return of_kind[both] - of_sham[both]


def datasets_of(results: Results) -> list[str]:
    """Return what curves can be over: all pooled data sets if they are several, and each data set."""
    names = list(results.frame["dataset"].unique())
    return [ALL, *names] if len(pooled(names)) > 1 else names


def frame(results: Results, *, controls: Collection[str] | None = None) -> pd.DataFrame:
    """Return every number as a row: for each data set, kind, metric and detector its values, effects and measures."""
    rows = [
        row
        for dataset in datasets_of(results)
        for kind in kinds(results)
        for metric in results.metrics
        for row in _rows(results, kind, metric, dataset, controls)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(
    results: Results, kind: str, metric: str, dataset: str, controls: Collection[str] | None
) -> Iterator[list[object]]:
    found = curves(results, kind, metric=metric, dataset=dataset, controls=controls)
    place = [dataset, kind, kind_of(kind).unit, metric]
    for detector, level, value in _entries(found.means):
        yield [*place, detector, "value", level, value, found.shortfall(detector, level)]
    for detector, level, value in _entries(effect(results, kind, metric=metric, dataset=dataset)):
        yield [*place, detector, "effect", level, value, ""]
    for detector, measure, value in _entries(measures(found)):
        yield [*place, detector, measure, math.nan, value, ""]


def _entries(table: pd.DataFrame) -> Iterable[tuple[str, float, float]]:
    return [(name, column, row[column]) for name, row in table.iterrows() for column in table.columns]
