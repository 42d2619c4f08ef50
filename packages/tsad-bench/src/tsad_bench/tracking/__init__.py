"""MLflow, and nothing else imports it: executions written, read back, amended."""

import os

# before MLflow is imported: a benchmark neither phones home nor waits for minutes on a server that is gone
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

from mlflow.entities import Run

from tsad_bench.tracking.amending import Recorded, add_metrics, announce_metric, fetch_scores, find_cells, log_again
from tsad_bench.tracking.reading import (
    cell_runs,
    chart_view,
    outcomes_of,
    read_cell,
    read_parent,
    read_plan,
    read_text,
)
from tsad_bench.tracking.store import TrackingError, reach, sqlite_file
from tsad_bench.tracking.writing import Header, Point, Tracker

__all__ = [
    "Header",
    "Point",
    "Recorded",
    "Run",
    "Tracker",
    "TrackingError",
    "add_metrics",
    "announce_metric",
    "cell_runs",
    "chart_view",
    "fetch_scores",
    "find_cells",
    "log_again",
    "outcomes_of",
    "reach",
    "read_cell",
    "read_parent",
    "read_plan",
    "read_text",
    "sqlite_file",
]
