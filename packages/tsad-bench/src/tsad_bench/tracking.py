"""MLflow: two experiments a suite, one for what people compare, one for single cells.

``robustness`` holds a parent run per execution with one summary run a detector under it;
``robustness/cells`` holds one run a cell, tied to its summary by a tag. Every call finds by its
tags what an earlier, killed call left behind and finishes it, so nothing is logged twice.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import numpy as np
from tsad_core import TsadError

from tsad_bench.cells import Cell
from tsad_bench.measure import Outcome, Status

# a benchmark neither phones home nor waits for minutes on a server that is gone
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

from alembic.util import CommandError
from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

OPEN = ("RUNNING", "SCHEDULED")
PLAN = "plan.json"
EXPERIMENT = {"mlflow.experimentKind": "custom_model_development"}
"""Makes the UI open on runs and charts; without it, it takes every experiment for a chat model's."""
TAG_LIMIT = 5000
BATCH = 900


class TrackingError(TsadError):
    """The MLflow store cannot be reached or written. The journal keeps what it missed."""


@dataclass(frozen=True)
class Header:
    """What an execution's runs have in common."""

    execution: str
    suite: str
    summary: str
    tags: Mapping[str, str]
    """Versions, commit and the like, set on every run."""
    config: Mapping[str, Any]
    """What, beside the cell, `rerun` needs."""


@dataclass(frozen=True)
class Point:
    """One metric value of a summary run."""

    key: str
    value: float
    step: int = 0


@contextmanager
def told_plainly(uri: str) -> Iterator[None]:
    """Turn what MLflow raises into one clear line."""
    try:
        yield
    except (MlflowException, OSError, SQLAlchemyError, CommandError) as error:
        first = str(error).strip().splitlines()
        raise TrackingError(f"the MLflow store {uri} failed: {first[0] if first else type(error).__name__}") from error


class Tracker:
    """One execution's place in the store. All methods may be repeated."""

    def __init__(self, uri: str, header: Header, cells: Sequence[Cell]) -> None:
        self.uri, self.header = uri, header
        with told_plainly(uri):
            with _alone(uri):
                self._client = MlflowClient(uri)
                self._experiment = _experiment(self._client, uri, header.suite)
                self._cells = _experiment(self._client, uri, f"{header.suite}/cells")
            found = self._mine(self._cells)
            self._runs = {run.data.tags["tsad.cell"]: str(run.info.run_id) for run in found}
            self._closed = {run.data.tags["tsad.cell"] for run in found if run.info.status not in OPEN}
            mine = {run.data.tags.get("tsad.detector", ""): run for run in self._mine(self._experiment)}
            self.parent = self._reopened(mine.get("")) or self._create_parent()
            self._client.log_text(self.parent, json.dumps([asdict(cell) for cell in cells]), PLAN)
            self.summaries = {}
            for cell in {cell.label: cell for cell in cells}.values():
                run_id = self._reopened(mine.get(cell.label)) or self._create_summary(cell.label)
                params = {"detector": cell.label, **{k: v for k, v in cell.options.items() if k != "seed"}}
                self._client.log_batch(run_id, params=[Param(name, str(value)) for name, value in params.items()])
                self.summaries[cell.label] = run_id

    def log_cell(self, cell: Cell, outcome: Outcome, folder: Path) -> None:
        """Log how a cell ended, with the files in `folder`; a cell that is logged already is left as it is."""
        if cell.slot in self._closed:
            return
        with told_plainly(self.uri):
            run_id = self._runs.get(cell.slot) or self._create_cell(cell, outcome)
            self._runs[cell.slot] = run_id
            self._fill(run_id, outcome)
            self._log_files(run_id, outcome, folder)
            status = "FINISHED" if outcome.status in {"done", "skipped"} else "FAILED"
            self._client.set_terminated(run_id, status, round(outcome.ended * 1000))
            self._closed.add(cell.slot)

    def finish(
        self, summaries: Mapping[str, Iterable[Point]], files: Mapping[str, str], note: str, *, ended: float
    ) -> None:
        """Log each detector's summary and the tables, and close all runs of the execution.

        Everything is stamped with the time at which the last cell ended, so that saying it again changes nothing.
        """
        stamp = round(ended * 1000)
        with told_plainly(self.uri):
            for label, points in summaries.items():
                self._log_metrics(self.summaries[label], [Metric(p.key, p.value, stamp, p.step) for p in points])
                self._client.set_terminated(self.summaries[label], "FINISHED", stamp)
            for name, text in files.items():
                self._client.log_text(self.parent, text, name)
            self._client.set_tag(self.parent, "mlflow.note.content", note[:TAG_LIMIT])
            self._client.set_terminated(self.parent, "FINISHED", stamp)

    def interrupt(self) -> None:
        """Close the open runs of an execution that was stopped; `resume` opens them again."""
        with told_plainly(self.uri):
            for run_id in [*self.summaries.values(), self.parent]:
                self._client.set_terminated(run_id, "KILLED")

    def _mine(self, experiment: str) -> list[Run]:
        return _search(self._client, experiment, f"tags.`tsad.execution` = '{self.header.execution}'")

    def _reopened(self, run: Run | None) -> str:
        if run is None:
            return ""
        if run.info.status not in OPEN:
            self._client.update_run(run.info.run_id, status="RUNNING")
        return str(run.info.run_id)

    def _create_parent(self) -> str:
        run = self._client.create_run(
            self._experiment,
            run_name=self.header.execution,
            tags=self._tags({"tsad.parent": "true", "mlflow.note.content": self.header.summary}),
        )
        return str(run.info.run_id)

    def _create_summary(self, label: str) -> str:
        tags = self._tags({"mlflow.parentRunId": self.parent, "tsad.detector": label})
        return str(self._client.create_run(self._experiment, run_name=label, tags=tags).info.run_id)

    def _create_cell(self, cell: Cell, outcome: Outcome) -> str:
        tags = {
            "tsad.cell": cell.slot,
            "tsad.summary": self.summaries[cell.label],
            "tsad.detector": cell.label,
            "tsad.dataset": cell.source,
            "tsad.series": cell.series,
            "tsad.condition": cell.condition,
            "tsad.seed": str(cell.seed),
            "tsad.config": json.dumps({"cell": asdict(cell), **self.header.config}),
            **_told(outcome),
        }
        started = round(outcome.started * 1000)
        name = f"{cell.label} {cell.source}:{cell.series}"
        run = self._client.create_run(self._cells, start_time=started, run_name=name, tags=self._tags(tags))
        return str(run.info.run_id)

    def _tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        return {"tsad.execution": self.header.execution, **self.header.tags, **tags}

    def _fill(self, run_id: str, outcome: Outcome) -> None:
        params = [Param(name, str(value)) for name, value in outcome.facts.get("options", {}).items()]
        values = outcome.metrics | {f"usage/{name}": value for name, value in outcome.costs.items()}
        values |= {f"{name}.p95": value for name, value in _p95(outcome).items()}
        stamp = round(outcome.ended * 1000)
        self._client.log_batch(
            run_id,
            metrics=[Metric(name, value, stamp, 0) for name, value in values.items()],
            params=params,
            tags=[RunTag("tsad.rerun", f"tsad-bench rerun {run_id}")],
        )

    def _log_metrics(self, run_id: str, metrics: list[Metric]) -> None:
        for first in range(0, len(metrics), BATCH):
            self._client.log_batch(run_id, metrics=metrics[first : first + BATCH])

    def _log_files(self, run_id: str, outcome: Outcome, folder: Path) -> None:
        if outcome.traceback:
            self._client.log_text(run_id, outcome.traceback, "traceback.txt")
        if outcome.draws:
            self._client.log_text(run_id, json.dumps(outcome.draws), "draws.json")
        for file in sorted(folder.glob("*")):
            self._client.log_artifact(run_id, str(file))


def read_plan(uri: str, parent: Run) -> list[Cell]:
    """Return the cells that an execution is made of, in order."""
    with told_plainly(uri):
        return [Cell(**cell) for cell in json.loads(_text(_existing(uri), parent.info.run_id, PLAN))]


def read_outcomes(uri: str, execution: str, suite: str) -> dict[str, Outcome]:
    """Return the outcome of every cell that an execution has logged, by its slot."""
    with told_plainly(uri):
        client = _existing(uri)
        experiment = client.get_experiment_by_name(f"{suite}/cells")
        if experiment is None:
            return {}
        query = f"tags.`tsad.execution` = '{execution}'"
        runs = _search(client, experiment.experiment_id, query)
        logged = {run.data.tags["tsad.cell"]: run for run in runs if run.info.status not in OPEN}
        return {slot: _outcome(client, run) for slot, run in logged.items()}


def read_cell(uri: str, run_id: str) -> tuple[Cell, Outcome, dict[str, Any]]:
    """Return one cell's configuration, its recorded outcome, and what else a rerun needs."""
    with told_plainly(uri):
        client = _existing(uri)
        run = client.get_run(run_id)
        if "tsad.config" not in run.data.tags:
            raise TrackingError(f"run {run_id} is not a cell; cells are in the experiments that end in /cells")
        return _cell(run), _outcome(client, run), json.loads(run.data.tags["tsad.config"])


def read_parent(uri: str, execution: str | None = None, *, suite: str | None = None) -> Run:
    """Return the parent run of an execution, or of the newest one, of one suite or of any."""
    with told_plainly(uri):
        client = _existing(uri)
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
        "searchFilter": f"tags.`tsad.execution` = '{parent.data.tags['tsad.execution']}'",
        "orderByKey": f"metrics.`{parent.data.tags['tsad.headline']}`",
        "orderByAsc": "false",
    }
    return f"#/experiments/{parent.info.experiment_id}/runs?{urlencode(view)}"


def reach(uri: str) -> None:
    """Raise `TrackingError` if a store cannot be read."""
    with told_plainly(uri):
        _existing(uri).search_experiments(max_results=1)


def _existing(uri: str) -> MlflowClient:
    """Open a store to read from; an SQLite file that is not there is an error, and is not made."""
    path = sqlite_file(uri)
    if path and not path.exists():
        raise TrackingError(f"there is no MLflow store {uri} yet; the first run makes it")
    return MlflowClient(uri)


def sqlite_file(uri: str) -> Path | None:
    """Return the file behind an SQLite address, or nothing for another kind of store."""
    return Path(make_url(uri).database or "") if uri.startswith("sqlite:///") else None


@contextmanager
def _alone(uri: str) -> Iterator[None]:
    """Let one process at a time open an SQLite store: two that make it at once ruin it."""
    path = sqlite_file(uri)
    if path is None:
        yield
        return
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _experiment(client: MlflowClient, uri: str, name: str) -> str:
    known: Experiment | None = client.get_experiment_by_name(name)
    if known is None:
        return str(client.create_experiment(name, artifact_location=_artifact_root(uri), tags=EXPERIMENT))
    if known.lifecycle_stage == "deleted":
        raise TrackingError(f"the MLflow experiment {name!r} is in the trash of {uri}; restore it or empty the trash")
    return str(known.experiment_id)


def _artifact_root(uri: str) -> str | None:
    """Keep artefacts beside an SQLite file; a server decides for itself."""
    path = sqlite_file(uri)
    return (path.absolute().parent / "mlartifacts").as_uri() if path else None


def _search(client: MlflowClient, experiment: str, query: str) -> list[Run]:
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs([experiment], query, max_results=1000, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs


def _cell(run: Run) -> Cell:
    return Cell(**json.loads(run.data.tags["tsad.config"])["cell"])


def _outcome(client: MlflowClient, run: Run) -> Outcome:
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
        outcome.draws = json.loads(_text(client, run.info.run_id, "draws.json"))
    return outcome


def _told(outcome: Outcome) -> dict[str, str]:
    """Return what a cell's tags say about how it ended. One call sets them all: each further one costs."""
    facts = {name: value for name, value in outcome.facts.items() if name != "options"}
    tags = {
        "tsad.status": outcome.status,
        "tsad.key": outcome.key,
        "tsad.reason": outcome.reason,
        "tsad.device": str(facts.get("device", "")),
        "tsad.facts": json.dumps(facts),
        **{f"undefined.{name}": reason for name, reason in outcome.undefined.items()},
    }
    return {name: text[:TAG_LIMIT] for name, text in tags.items() if text}


def _text(client: MlflowClient, run_id: str, name: str) -> str:
    return Path(client.download_artifacts(run_id, name)).read_text(encoding="utf-8")


def _p95(outcome: Outcome) -> dict[str, float]:
    return {name: float(np.nanquantile(np.array(values, dtype=float), 0.95)) for name, values in outcome.draws.items()}
