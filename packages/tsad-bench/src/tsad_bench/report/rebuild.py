"""Results rebuilt from the MLflow store alone."""

import json

from tsad_bench.outcome import Outcome
from tsad_bench.results import Results, collect
from tsad_bench.tracking import read_outcomes, read_parent, read_plan


def rebuild(uri: str, execution: str | None = None) -> tuple[Results, str]:
    """Return the results of an execution, by default the newest, and what they lack, if they lack cells.

    An execution that is not finished is rebuilt from the cells it has logged so far.
    """
    parent = read_parent(uri, execution)
    name = parent.data.tags["tsad.execution"]
    logged = read_outcomes(uri, name, parent.data.tags["tsad.suite"])
    planned = read_plan(uri, parent)
    pairs = [(cell, logged.get(cell.slot, Outcome(cell.slot, "waiting", "not logged yet"))) for cell in planned]
    metrics = json.loads(parent.data.tags["tsad.metrics"])
    lacks = f"{name} has logged {len(logged)} of {len(planned)} cells; the rest: tsad-bench resume {name}"
    results = collect(pairs, metrics=metrics, headline=parent.data.tags["tsad.headline"])
    return results, lacks if len(logged) < len(planned) else ""
