"""Conditions in words, and the tables of what they do to detectors."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from tsad_core.corruption import kind_of

from tsad_bench.report import robustness
from tsad_bench.report.pipe import pipe_table
from tsad_bench.report.robustness import NO_NOISE, SHAMS, Curves
from tsad_bench.report.rows import best_first, number, signed, written
from tsad_bench.results import ALL, FLOOR, SHOWN_NOT_POOLED, Results, filled_by, pooled

_STRUCK = {"train": "The training part changes", "test": "The test part changes", "both": "Both parts change"}
_KEY = (
    "Area: by how much the curve lies above the best control's at the same levels, on average over levels (trapezoids, "
    "mildest to worst scaled to 0 to 1). Drop: level 0 less the worst level. Both turned round where lower is better."
)


def sentence(kind: str) -> str:
    """Say what a kind of condition does, to which part, and how its levels are read."""
    told, parts = kind_of(kind), kind.partition(":")[2]
    if not told.unit:
        return f"`{kind}`: {told.summary}."
    unit = "dB, lower is worse" if told.unit == "dB" else "numbers" if told.unit == "count" else told.unit
    struck = _STRUCK[parts or told.parts[0]]
    return f"`{kind}`: {told.summary}. {struck}; levels in {unit}; worse to the right."


def head(kind: str, level: float) -> str:
    """Write a level with its unit."""
    if level == NO_NOISE:
        return "clean"
    unit = kind_of(kind).unit
    return f"{level:.0f}{' %' if unit == 'percent' else ' dB' if unit == 'dB' else ''}"


def robustness_tables(results: Results) -> list[str]:
    """Return a table for each kind of condition: the headline by level, and what the curve comes to.

    They are over the pooled data sets, or over each data set if none are pooled. Where cells are missing,
    a table on the common subset and one with the floor's numbers in their place follow.
    """
    named = list(results.frame["dataset"].unique())
    chosen = [ALL] if pooled(named) else named
    parts = [
        part for kind in robustness.kinds(results) for dataset in chosen for part in _of_kind(results, kind, dataset)
    ]
    return [f"### robustness\n\n{_KEY}", *parts] if parts else []


def _of_kind(results: Results, kind: str, dataset: str) -> list[str]:
    whole = robustness.curves(results, kind, dataset=dataset)
    where = _where(results, dataset)
    title = f"### robustness under {kind}: {whole.metric}{where}"
    parts = [f"{title}\n\n{sentence(kind)}\n\n{table_of(whole)}"]
    if (whole.done < whole.planned).any(axis=None):
        common = robustness.comparable(results, kind)
        if len(common.frame):
            parts.append(f"{title}, common subset\n\n{table_of(robustness.curves(common, kind, dataset=dataset))}")
        if FLOOR in whole.means.index and whole.means.loc[FLOOR].notna().all():
            filled = robustness.curves(filled_by(results, FLOOR), kind, dataset=dataset)
            parts.append(f"{title}, missing cells filled by {FLOOR}\n\n{table_of(filled)}")
    return [*parts, *_effect(results, kind, dataset, where)]


def _where(results: Results, dataset: str) -> str:
    """Name the only data set that counts, where there are others."""
    named = list(results.frame["dataset"].unique())
    counted = pooled(named) if dataset == ALL else [dataset]
    return f" on {counted[0]}" if len(counted) == 1 < len(named) else ""


def table_of(curves: Curves) -> str:
    """Return curves as a table with a row a detector, best first, and notes on what is missing from it."""
    measured = robustness.measures(curves)
    heads, lines = curve_rows(curves, measured, area="area")
    return "\n\n".join([pipe_table(heads, lines), *notes(curves, measured)])


def curve_rows(curves: Curves, measured: pd.DataFrame, *, area: str) -> tuple[list[str], list[list[str]]]:
    """Return heads, with what the area is called, and a row a detector, best first: its values and its measures."""
    order = best_first(curves.means.index, over_levels(curves.means), better=curves.better)
    heads = ["detector", *(head(curves.kind, level) for level in curves.means.columns), area, "drop", "worst level"]
    return heads, [[str(name), *_values(curves, name), *_measures(measured.loc[name], curves.kind)] for name in order]


def over_levels(means: pd.DataFrame) -> "pd.Series[float]":
    """Return each detector's mean over levels (columns), by which tables rank; none where one is missing.

    A mean over other levels than its neighbours' would rank the easy levels. A level that nobody has does not count.
    """
    return means.dropna(axis=1, how="all").mean(axis=1, skipna=False)


def _values(curves: Curves, detector: str) -> list[str]:
    return [curves.shortfall(detector, level) or number(value) for level, value in curves.means.loc[detector].items()]


def _measures(row: "pd.Series[float]", kind: str) -> list[str]:
    worst = "–" if np.isnan(row["worst-level"]) else head(kind, row["worst-level"])
    return [signed(row["area"]), signed(row["drop"]), worst]


def notes(curves: Curves, measured: pd.DataFrame) -> list[str]:
    """Say over how many series curves are and what was left out, what they are held against, and what a dash is."""
    told = f"{curves.series} series{_left_out(curves.left_out)}."
    if curves.rivals:
        told += f" The best control is the best of {', '.join(curves.rivals)}{_absent(curves)}, at each level anew."
    reasons = list(_why(curves)) if measured.isna().any(axis=None) or curves.means.isna().any(axis=None) else []
    return [told, *([f"–: {'; '.join(reasons)}."] if reasons else [])]


def _absent(curves: Curves) -> str:
    absent = [name for name in curves.controls if name not in curves.rivals]
    return f" (without {', '.join(absent)}: values are missing)" if absent else ""


def _left_out(left_out: Mapping[tuple[str, str], str]) -> str:
    if not left_out:
        return ""
    # the reason of a series begins with its name, and is the same as that of others but for it
    counted = Counter(bare(reason, series) for (_, series), reason in left_out.items())
    told = "; ".join(f"{reason} ({n})" for reason, n in counted.most_common())
    return f", without {len(left_out)} that are left out for all detectors: {told}"


def bare(reason: str, series: str) -> str:
    """Return a reason without the name of its series, so that equal reasons can be counted."""
    return reason.removeprefix(f"series {series}: ")


def _why(curves: Curves) -> Iterable[str]:
    short = curves.done < curves.planned
    if short.any(axis=None):
        yield "area, drop, worst level: cells are not done"
    if (curves.means.isna() & ~short).any(axis=None):
        yield f"{curves.metric} is undefined"
    if curves.better == "neither":
        yield f"neither way is {curves.metric} better"
    elif not curves.rivals:
        yield "area: no control has all values"
    if curves.start is None:
        yield "drop: the suite has no level 0 of this condition"
    if curves.means.shape[1] == 1:
        yield "drop, worst level: there is one level"


def _effect(results: Results, kind: str, dataset: str, where: str) -> list[str]:
    effect = robustness.effect(results, kind, dataset=dataset)
    if effect.empty:
        return []
    lines = written(effect, signed)
    table = pipe_table(["detector", *(head(kind, level) for level in effect.columns)], lines)
    title = f"### effect of {kind}: {results.headline}{where}"
    told = f"The values under `{kind}` less those under `{SHAMS[kind]}`: what the anomalies do beyond being pasted."
    return ["\n\n".join(part for part in (title, told, table, effect_note(effect)) if part)]


def effect_note(effect: pd.DataFrame) -> str:
    """Say what the dashes in a table of effects mean, if it has any."""
    return "–: cells are not done, or the metric is undefined." if effect.isna().any(axis=None) else ""


def not_pooled(datasets: Iterable[str]) -> str:
    """Say which data sets are shown and not pooled, and why; nothing where there are none, or one alone."""
    named = list(dict.fromkeys(datasets))
    reasons: dict[str, list[str]] = {}
    for name in set(named) - set(pooled(named)):
        reasons.setdefault(SHOWN_NOT_POOLED[name], []).append(name)
    told = [f"{' and '.join(sorted(names))}: {reason}" for reason, names in sorted(reasons.items())]
    return f"Shown, not pooled: {'; '.join(told)}." if told else ""
