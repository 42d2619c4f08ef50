"""What a row of a table says of a detector beside its numbers: series, what is missing, look-ahead, cost."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from tsad_bench.results import ALL, COSTS, Results, pooled

COST_HEADS = {"fit-seconds": "fit s", "score-seconds": "score s", "added-memory-mb": "memory MB"}


def cells_of(results: Results, dataset: str) -> pd.DataFrame:
    """Return the cells of a data set, or of all that are pooled."""
    frame = results.frame
    return frame[frame["dataset"].isin(pooled(frame["dataset"]) if dataset == ALL else [dataset])]


def best_first(detectors: Iterable[str], means: "pd.Series[float]", *, better: str) -> list[str]:
    """Return the detectors by their means; those without a number follow as the suite has them.

    Where neither way is better, all stay as the suite has them.
    """
    suite = list(dict.fromkeys(detectors))
    if better == "neither":
        return suite
    known = means.reindex(suite).dropna()
    best = known.sort_values(ascending=better == "lower", kind="stable")
    return list(dict.fromkeys([*map(str, best.index), *suite]))


def shortfall(state: pd.DataFrame, datasets: Iterable[str], detector: str) -> str:
    """Say how many cells are done on the data sets of a table, if not all are."""
    mine = state[(state["detector"] == detector) & state["dataset"].isin(list(datasets))]
    done, planned = mine["done"].sum(), mine["planned"].sum()
    return f"{done} of {planned} done" if done < planned else ""


def look_ahead(cells: pd.DataFrame, detector: str) -> str:
    """Write how many steps after a step its score looks at, at most: measured on the first series of each data set."""
    steps = cells.loc[cells["detector"] == detector, "look-ahead"].max()
    return "–" if pd.isna(steps) else "all" if np.isinf(steps) else f"{steps:.0f}"


def unmeasured(results: Results, cells: pd.DataFrame) -> Iterator[str]:
    """Say why detectors with done cells have no look-ahead, or no memory."""
    done = cells[cells["status"] == "done"]
    unknown = done.groupby("detector", sort=False)[["look-ahead", "added-memory-mb"]].max().isna()
    without, no_memory = (list(unknown.index[unknown[column]]) for column in unknown)
    drawn = set(done.loc[done["slot"].isin(list(results.draws)), "detector"])
    if noise := [name for name in without if name in drawn]:
        yield f"look-ahead of {', '.join(noise)}: noise has none"
    if others := [name for name in without if name not in drawn]:
        yield f"look-ahead of {', '.join(others)}: not measured"
    if no_memory:
        yield f"memory of {', '.join(no_memory)}: not measured"


def costs(cells: pd.DataFrame) -> pd.DataFrame:
    """Return what each detector's cells cost: all seconds, and the most memory; NaN where none is known."""
    by_detector = cells.groupby("detector")
    total, most = by_detector[list(COSTS)].sum(min_count=1), by_detector[list(COSTS)].max()
    return pd.DataFrame({cost: (most if cost.endswith("mb") else total)[cost] for cost in COSTS})


def cost(value: float) -> str:
    """Write a cost."""
    return "–" if pd.isna(value) else f"{value:,.1f}"


def number(value: float) -> str:
    """Write a mean."""
    # z: what rounds to 0 has no sign
    return "–" if np.isnan(value) else f"{value:z.3f}"


def written(frame: pd.DataFrame, write: Callable[[float], str]) -> list[list[str]]:
    """Return the rows of a table: the name of each, and its numbers as they are written."""
    return [[str(name), *map(write, row)] for name, *row in frame.itertuples()]


def signed(value: float) -> str:
    """Write a difference."""
    if np.isnan(value):
        return "–"
    text = f"{value:+.3f}"
    return text if text.strip("+-0.") else "0.000"
