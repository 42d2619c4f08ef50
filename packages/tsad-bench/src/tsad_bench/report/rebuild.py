"""Results rebuilt from the MLflow store alone."""

import json

from tsad_bench.results import Results, collect
from tsad_bench.tracking import TrackingError, read_cells, read_parent


def rebuild(uri: str, execution: str | None = None) -> Results:
    """Return the results of an execution, by default the newest.

    An execution that never ended is rebuilt from the cells it logged; its table then says so by
    its counts.
    """
    parent = read_parent(uri, execution)
    name, suite = parent.data.tags["tsad.execution"], parent.data.tags["tsad.suite"]
    pairs = read_cells(uri, name, suite)
    if not pairs:
        raise TrackingError(f"{name} has logged no cell yet; finish it with: tsad-bench resume {name}")
    metrics = json.loads(parent.data.tags["tsad.metrics"])
    return collect(pairs, metrics=metrics, headline=parent.data.tags["tsad.headline"])
