"""Results rebuilt from the MLflow store alone."""

import json

from tsad_bench.results import Results, collect
from tsad_bench.tracking import TrackingError, read_cells, read_parent


def rebuild(uri: str, execution: str | None = None) -> tuple[Results, str]:
    """Return the results of an execution, by default the newest, and what they lack, if they lack cells.

    An execution that is not finished is rebuilt from the cells it has logged so far.
    """
    parent = read_parent(uri, execution)
    name, suite = parent.data.tags["tsad.execution"], parent.data.tags["tsad.suite"]
    pairs = read_cells(uri, name, suite)
    if not pairs:
        raise TrackingError(f"{name} has logged no cell yet; finish it with: tsad-bench resume {name}")
    metrics = json.loads(parent.data.tags["tsad.metrics"])
    planned = int(parent.data.tags["tsad.planned"])
    lacks = f"{name} has logged {len(pairs)} of {planned} cells; the rest: tsad-bench resume {name}"
    results = collect(pairs, metrics=metrics, headline=parent.data.tags["tsad.headline"])
    return results, lacks if len(pairs) < planned else ""
