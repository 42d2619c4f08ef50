"""What a detector's summary run says in MLflow: means, by data set and by condition."""

from collections.abc import Iterable, Iterator

import pandas as pd
from tsad_core.corruption import kind_of

from tsad_bench.report import robustness
from tsad_bench.report.robustness import NO_NOISE, SHAMS
from tsad_bench.results import COSTS, PLACE, Results, complete, over_datasets, pooled, summarise, under_plain
from tsad_bench.tracking import Point

_KINDS_OF = {sham: kind for kind, sham in SHAMS.items()}
_MEASURES = ["area", "drop"]


def summary_points(results: Results) -> dict[str, list[Point]]:
    """Return the metrics of each detector's summary run.

    ``vus-pr`` is the macro mean over the pooled data sets under the plain condition, ``ucr/vus-pr`` the
    mean over one data set. What stands before the slash is a section of the UI's charts, which it sorts
    by name: ``all-data-sets`` comes first, ``usage`` last. A mean over cells of which some are not
    done is missing.

    ``train-anomalies-percent/vus-pr`` is the curve over a condition's levels, the level being the step,
    with its sham (``vus-pr.sham``) and what is left without it (``vus-pr.effect``) beside it. Noise is
    stepped by how many dB its signal-to-noise ratio is below that of the clean series, taken as 10 dB above the
    least noise that a suite can have: all curves get worse to the right, and none ends at step 0, of
    which the UI makes bars. A level with cells that are not done is missing. ``robustness/drop.train-anomalies``
    and the like are what `tsad_bench.report.robustness.measures` makes of the headline's curve; what tells
    them apart stands first, because the UI cuts titles.
    """
    first = under_plain(results)
    state = complete(first)
    summary = summarise(first).merge(state.loc[state["done"] == state["planned"], PLACE], on=PLACE)
    curves = _curves(results) + _measures(results)
    points: dict[str, list[Point]] = {}
    for detector, cells in results.frame.groupby("detector", sort=False):
        mine = summary[summary["detector"] == detector]
        datasets = cells["dataset"].unique()
        drawn = [point for name, point in curves if name == detector]
        points[str(detector)] = [*_overall(mine, datasets), *_by_dataset(mine), *drawn, *_costs(cells)]
    return points


def _overall(summary: pd.DataFrame, datasets: Iterable[str]) -> list[Point]:
    """Return the means that a detector is known by; none where a pooled data set is missing, or none is pooled."""
    wanted = pooled(datasets)
    known = summary[summary["dataset"].isin(wanted) & summary["mean"].notna()]
    if not wanted or set(summary["dataset"]) < set(wanted):
        return []
    macro = over_datasets(known)
    rows = macro if len(wanted) > 1 else known
    p95 = [Point(f"{row.metric}.p95", float(row.p95)) for row in rows.itertuples() if not pd.isna(row.p95)]
    return [Point(str(row.metric), float(row.mean)) for row in rows.itertuples()] + p95 + _sections(macro)


def _by_dataset(summary: pd.DataFrame) -> list[Point]:
    return _sections(summary[summary["mean"].notna()])


def _sections(summary: pd.DataFrame) -> list[Point]:
    rows = summary.itertuples()
    return [Point(f"{row.dataset.replace(' ', '-')}/{row.metric}", float(row.mean)) for row in rows]


def _curves(results: Results) -> list[tuple[str, Point]]:
    """Return each detector's points: all values of all kinds and metrics, and what the anomalies do beyond the sham."""
    points: list[tuple[str, Point]] = []
    for kind in robustness.kinds(results) if _is_poolable(results) else []:
        for metric in results.metrics:
            values = robustness.curves(results, kind, metric=metric).means
            points += _stepped(values, kind, f"{_section(_KINDS_OF.get(kind, kind))}/{metric}{_suffix(kind)}")
            effect = robustness.effect(results, kind, metric=metric)
            points += _stepped(effect, kind, f"{_section(kind)}/{metric}.effect")
    return points


def _measures(results: Results) -> list[tuple[str, Point]]:
    points: list[tuple[str, Point]] = []
    kinds = [kind for kind in robustness.kinds(results) if kind not in _KINDS_OF]
    for kind in kinds if _is_poolable(results) else []:
        measured = robustness.measures(robustness.curves(results, kind))[_MEASURES]
        for detector, row in measured.iterrows():
            keys = [f"robustness/{name}.{_dashed(kind)}" for name in row.index]
            points += [(detector, Point(key, float(v))) for key, v in zip(keys, row, strict=True) if not pd.isna(v)]
    return points


def _is_poolable(results: Results) -> bool:
    return bool(pooled(results.frame["dataset"]))


def _stepped(values: pd.DataFrame, kind: str, key: str) -> Iterator[tuple[str, Point]]:
    for level in values.columns:
        for detector, value in values[level].dropna().items():
            yield str(detector), Point(key, float(value), _step(kind, level))


def _step(kind: str, level: float) -> int:
    if kind_of(kind).unit == "dB":
        return 0 if level == NO_NOISE else _clean_dB(kind) - round(level)
    return round(level)


def _section(kind: str) -> str:
    unit = kind_of(kind).unit
    return f"{_dashed(kind)}-{f'{_clean_dB(kind)}-minus-dB' if unit == 'dB' else unit}"


def _clean_dB(kind: str) -> int:  # noqa: N802 - dB is written so
    return round(kind_of(kind).highest) + 10


def _suffix(kind: str) -> str:
    return ".sham" if kind in _KINDS_OF else ""


def _dashed(kind: str) -> str:
    return kind.replace(":", "-")


def _costs(cells: pd.DataFrame) -> list[Point]:
    counted = [Point(f"usage/cells-{status}", float(n)) for status, n in cells["status"].value_counts().items()]
    how = {cost: cells[cost].max() if cost.endswith("mb") else cells[cost].sum() for cost in COSTS}
    return counted + [Point(f"usage/{cost}", float(value)) for cost, value in how.items() if not pd.isna(value)]
