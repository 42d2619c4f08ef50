"""Results by the health of their series: is a detector good only where a control alone would do?"""

from collections.abc import Iterable

import pandas as pd

from tsad_bench.report.rows import best_first
from tsad_bench.results import CONTROLS, FLOOR, Results, chosen, complete, summarise, under_plain

SOUND, SOLVED, TWINS = "sound", "solved-by-a-control", "twins"
PROPERTIES = frozenset({"constant-channels", "constant-in-training", "constant-in-test", "missing", "no-labels"})
"""Flags that make a series special, not a worse test."""


def slices(results: Results, dataset: str) -> dict[str, list[str]]:
    """Return names of series by what is remarked of them, if anything is.

    ``solved-by-a-control``: a threshold on a control's scores finds every event and nothing else.
    ``twins``: the same recording as another series, or as good as. The others are the flags of
    `tsad_core.health`. ``sound`` is what has none of these but `PROPERTIES`, and the first of each
    group of twins.
    """
    first = under_plain(results).frame
    cells = first[first["dataset"] == dataset]
    groups = {SOLVED: _solved(cells), TWINS: _twins(cells), **_flagged(cells)}
    found = {name: series for name, series in groups.items() if series}
    if not found:
        return {}
    doubled = set(groups[TWINS]) - set(_first_of_twins(cells))
    bad = doubled.union(*(series for name, series in found.items() if name not in {TWINS, *PROPERTIES}))
    return {SOUND: [name for name in cells["series"].unique() if name not in bad], **found}


def by_health(results: Results, dataset: str) -> pd.DataFrame:
    """Return the headline's mean of each detector (rows) over all series and over each slice (columns, with n)."""
    found = slices(results, dataset)
    if not found:
        return pd.DataFrame()
    first = under_plain(results)
    everything = first.frame.loc[first.frame["dataset"] == dataset, "series"].unique().tolist()
    columns = {"all": everything} | {name: series for name, series in found.items() if series}
    means = {f"{name} (n={len(series)})": _means(first, dataset, series) for name, series in columns.items()}
    whole = pd.DataFrame(means).drop(index=_short(first, dataset), errors="ignore")
    names = [name for name in first.frame["detector"].unique() if name in whole.index]
    return whole.loc[best_first(names, whole.iloc[:, 0], better=results.metrics[results.headline])]


def health_note(means: pd.DataFrame, results: Results) -> str:
    """Say what is missing from a table of `by_health`, if anything is: the sound series, or numbers."""
    sound = any(column.startswith(f"{SOUND} ") for column in means.columns)
    told = [] if sound else [f"No series is {SOUND}: something is remarked of each."]
    dashes = means.isna().any(axis=None)
    return " ".join([*told, *([f"–: {results.headline} is undefined on these series."] if dashes else [])])


def _means(results: Results, dataset: str, series: Iterable[str]) -> "pd.Series[float]":
    summary = summarise(chosen(results, dataset, series))
    return summary[summary["metric"] == results.headline].set_index("detector")["mean"]


def _short(results: Results, dataset: str) -> list[str]:
    state = complete(results)
    return list(state.loc[(state["dataset"] == dataset) & (state["done"] < state["planned"]), "detector"])


def _solved(cells: pd.DataFrame) -> list[str]:
    control = (cells["distribution"] == CONTROLS) & (cells["detector"] != FLOOR)
    return list(cells.loc[control & cells["solved"], "series"].unique())


def _twins(cells: pd.DataFrame) -> list[str]:
    known = cells[cells["twin"] != ""]
    sizes = known.groupby(["twin"])["series"].transform("nunique")
    return list(known.loc[sizes > 1, "series"].unique())


def _first_of_twins(cells: pd.DataFrame) -> list[str]:
    return list(cells[cells["twin"] != ""].groupby("twin", sort=False)["series"].first())


def _flagged(cells: pd.DataFrame) -> dict[str, list[str]]:
    told = cells[["series", "health"]].assign(flag=cells["health"].str.split()).explode("flag").dropna(subset="flag")
    return {str(flag): list(series.unique()) for flag, series in told.groupby("flag")["series"]}
