"""Results rebuilt from the MLflow store alone."""

import json
from collections.abc import Iterable

from tsad_bench.outcome import Outcome
from tsad_bench.results import Results, collect
from tsad_bench.tracking import Run, cell_runs, outcomes_of, read_parent, read_plan


def rebuild(uri: str, execution: str | None = None) -> tuple[Results, str]:
    """Return the results of an execution, by default the newest, and what they lack, if they lack cells.

    An execution that is not finished is rebuilt from the cells it has logged so far.
    """
    parent = read_parent(uri, execution)
    tags = parent.data.tags
    return rebuild_from(uri, parent, cell_runs(uri, tags["tsad.execution"], tags["tsad.suite"]))


def rebuild_from(uri: str, parent: Run, runs: Iterable[Run]) -> tuple[Results, str]:
    """Return the same from the parent run of an execution and the runs of its cells."""
    name, logged, planned = parent.data.tags["tsad.execution"], outcomes_of(uri, runs), read_plan(uri, parent)
    pairs = [(cell, logged.get(cell.slot, Outcome(cell.slot, "waiting", "not logged yet"))) for cell in planned]
    metrics = json.loads(parent.data.tags["tsad.metrics"])
    lacks = f"{name} has logged {len(logged)} of {len(planned)} cells; the rest: tsad-bench resume {name}"
    results = collect(pairs, metrics=metrics, headline=parent.data.tags["tsad.headline"])
    return results, lacks if len(logged) < len(planned) else ""
