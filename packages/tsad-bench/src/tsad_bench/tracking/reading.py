"""Reads executions back from the store alone."""

import json
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlencode

from mlflow import MlflowClient
from mlflow.entities import Run

from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome, Status
from tsad_bench.tracking.store import OPEN, TrackingError, existing, search, text_of, told_plainly
from tsad_bench.tracking.writing import DRAWS, PLAN


def read_plan(uri: str, parent: Run) -> list[Cell]:
    """Return the cells that an execution is made of, in order."""
    with told_plainly(uri):
        return [Cell(**cell) for cell in json.loads(text_of(existing(uri), parent.info.run_id, PLAN))]


def outcomes_of(uri: str, runs: Iterable[Run]) -> dict[str, Outcome]:
    """Return the outcome of every cell whose run is closed, by its slot."""
    with told_plainly(uri):
        client = existing(uri)
        return {run.data.tags["tsad.cell"]: outcome_of(client, run) for run in runs if run.info.status not in OPEN}


def cell_runs(uri: str, execution: str, suite: str, *, slot: str = "") -> list[Run]:
    """Return the runs of an execution's cells, or of one cell, also those that are still open."""
    wanted = {"execution": execution, "cell": slot}
    query = " and ".join(f"tags.`tsad.{name}` = '{value}'" for name, value in wanted.items() if value)
    with told_plainly(uri):
        client = existing(uri)
        experiment = client.get_experiment_by_name(f"{suite}/cells")
        return search(client, experiment.experiment_id, query) if experiment else []


def read_text(uri: str, run: Run, name: str) -> str:
    """Return the text of a file that a run keeps; nothing if it has none of that name."""
    with told_plainly(uri):
        client = existing(uri)
        kept = {file.path for file in client.list_artifacts(run.info.run_id)}
        return text_of(client, run.info.run_id, name) if name in kept else ""


def read_cell(uri: str, run_id: str) -> tuple[Cell, Outcome, dict[str, Any]]:
    """Return one cell's configuration, its recorded outcome, and what else a rerun needs."""
    with told_plainly(uri):
        client = existing(uri)
        ids = [experiment.experiment_id for experiment in client.search_experiments()]
        found = client.search_runs(ids, f"attributes.run_id = '{run_id}'", max_results=1) if ids else []
        if not found:
            raise TrackingError(f"there is no run {run_id!r} in {uri}; the MLflow UI shows the ids of cells")
        run = found[0]
        if "tsad.config" not in run.data.tags:
            raise TrackingError(f"run {run_id} is not a cell; cells are in the experiments that end in /cells")
        return cell_of(run), outcome_of(client, run), json.loads(run.data.tags["tsad.config"])


def read_parent(uri: str, execution: str | None = None, *, suite: str | None = None) -> Run:
    """Return the parent run of an execution, or of the newest one, of one suite or of any."""
    with told_plainly(uri):
        client = existing(uri)
        ids = [e.experiment_id for e in client.search_experiments() if not e.name.endswith("/cells")]
        wanted = {"parent": "true", "execution": execution, "suite": suite}
        query = " and ".join(f"tags.`tsad.{name}` = '{value}'" for name, value in wanted.items() if value)
        runs = client.search_runs(ids, query, max_results=1, order_by=["attributes.start_time DESC"]) if ids else []
    if not runs:
        of_suite = f" of the suite {suite}" if suite else ""
        raise TrackingError(f"{uri} holds no execution{f' {execution}' if execution else ''}{of_suite}")
    return runs[0]


def chart_view(parent: Run) -> str:
    """Return the part of the UI's address that shows an execution's detectors as charts.

    Sorted by a metric, the UI lists runs flat: detectors stand side by side, not folded under their parent.
    """
    view = {
        "compareRunsMode": "CHART",
        "workflowType": "machine_learning",
        "searchFilter": f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'",
        "orderByKey": f"metrics.`{parent.data.tags['tsad.headline']}`",
        "orderByAsc": "false",
    }
    return f"#/experiments/{parent.info.experiment_id}/runs?{urlencode(view)}"


def cell_of(run: Run) -> Cell:
    """Return the cell that a run is of."""
    return Cell(**json.loads(run.data.tags["tsad.config"])["cell"])


def outcome_of(client: MlflowClient, run: Run) -> Outcome:
    """Return how a cell ended, from its run."""
    tags, metrics = run.data.tags, run.data.metrics
    outcome = Outcome(
        slot=tags["tsad.cell"],
        status=cast("Status", tags.get("tsad.status", "failed")),
        reason=tags.get("tsad.reason", ""),
        key=tags.get("tsad.key", ""),
        metrics={k: v for k, v in metrics.items() if "/" not in k and not k.endswith(".p95")},
        costs={k.removeprefix("usage/"): v for k, v in metrics.items() if k.startswith("usage/")},
        undefined={k.removeprefix("undefined."): v for k, v in tags.items() if k.startswith("undefined.")},
        facts=json.loads(tags.get("tsad.facts", "{}")),
    )
    if any(name.endswith(".p95") for name in metrics):
        outcome.draws = json.loads(text_of(client, run.info.run_id, DRAWS))
    return outcome
