"""Adds to runs that are closed: a metric that was computed afterwards, and the tables that then hold it."""

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Metric, Run, RunTag

from tsad_bench.artifacts import SCORES
from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome
from tsad_bench.tracking.reading import cell_of, outcome_of
from tsad_bench.tracking.store import TrackingError, existing, search, text_of, told_plainly
from tsad_bench.tracking.writing import DRAWS, Point, values_of


class Recorded(NamedTuple):
    """A cell with the id of its run and how it ended."""

    run_id: str
    cell: Cell
    outcome: Outcome


def find_cells(uri: str, run: str) -> tuple[Run, list[Recorded]]:
    """Return an execution's parent run, and the cells that `run` names.

    `run` is the id of a cell's run, of a detector's summary or of a parent, or an execution's name.
    """
    with told_plainly(uri):
        client = existing(uri)
        tags = _tags_of(client, run)
        parent = _parent(client, tags["tsad.suite"], tags["tsad.execution"])
        wanted = {name: tags[f"tsad.{name}"] for name in ("execution", "cell", "detector") if f"tsad.{name}" in tags}
        query = " and ".join(f"tags.`tsad.{name}` = '{value}'" for name, value in wanted.items())
        experiment = client.get_experiment_by_name(f"{tags['tsad.suite']}/cells")
        runs = search(client, experiment.experiment_id, query) if experiment else []
        return parent, [Recorded(str(run.info.run_id), cell_of(run), outcome_of(client, run)) for run in runs]


def fetch_scores(uri: str, run_id: str, folder: Path) -> None:
    """Copy a cell's kept scores into a folder."""
    with told_plainly(uri):
        client = existing(uri)
        if SCORES not in {file.path for file in client.list_artifacts(run_id)}:
            raise TrackingError("no scores were kept; run the suite with --artifacts scores or all")
        client.download_artifacts(run_id, SCORES, str(folder))


def add_metrics(uri: str, run_id: str, choices: Mapping[str, Mapping[str, Any]], outcome: Outcome) -> None:
    """Log metrics to a cell's run, or why they have no value, and have `rerun` compute them too."""
    with told_plainly(uri):
        client = existing(uri)
        config = json.loads(client.get_run(run_id).data.tags["tsad.config"])
        config["metrics"] |= choices
        tags = {"tsad.config": json.dumps(config), **{f"undefined.{k}": v for k, v in outcome.undefined.items()}}
        stamp = round(time.time() * 1000)
        client.log_batch(
            run_id,
            metrics=[Metric(name, value, stamp, 0) for name, value in values_of(outcome).items()],
            tags=[RunTag(name, text) for name, text in tags.items()],
        )
        if outcome.draws:
            kept = json.loads(text_of(client, run_id, DRAWS))
            client.log_text(run_id, json.dumps(kept | outcome.draws), DRAWS)


def announce_metric(uri: str, parent: Run, label: str, better: str) -> None:
    """Let an execution's reports show a metric that its cells now hold."""
    with told_plainly(uri):
        known = json.loads(parent.data.tags["tsad.metrics"])
        existing(uri).set_tag(parent.info.run_id, "tsad.metrics", json.dumps(known | {label: better}))


def log_again(uri: str, parent: Run, summaries: Mapping[str, Iterable[Point]], files: Mapping[str, str]) -> None:
    """Log the summaries and tables of an execution that is closed."""
    with told_plainly(uri):
        client = existing(uri)
        stamp = round(time.time() * 1000)
        query = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
        runs = {run.data.tags["tsad.detector"]: run for run in search(client, parent.info.experiment_id, query)}
        for label, points in summaries.items():
            metrics = [Metric(p.key, p.value, stamp, p.step) for p in points if _new(p, runs[label])]
            client.log_batch(runs[label].info.run_id, metrics=metrics)
        for name, text in files.items():
            client.log_text(parent.info.run_id, text, name)


def _new(point: Point, run: Run) -> bool:
    return point.key not in run.data.metrics


def _tags_of(client: MlflowClient, run: str) -> dict[str, str]:
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    by_id = f"attributes.run_id = '{run}'"
    by_name = f"tags.`tsad.execution` = '{run}' and tags.`tsad.parent` = 'true'"
    for query in (by_id, by_name):
        found = client.search_runs(ids, query, max_results=1) if ids else []
        if found and "tsad.execution" in found[0].data.tags:
            return dict(found[0].data.tags)
    raise TrackingError(f"there is no run or execution {run!r} in the store; the MLflow UI shows the ids")


def _parent(client: MlflowClient, suite: str, execution: str) -> Run:
    experiment = client.get_experiment_by_name(suite)
    query = f"tags.`tsad.execution` = '{execution}' and tags.`tsad.parent` = 'true'"
    found = client.search_runs([experiment.experiment_id], query, max_results=1) if experiment else []
    if not found:
        raise TrackingError(f"the store no longer holds the parent run of {execution}")
    return found[0]
