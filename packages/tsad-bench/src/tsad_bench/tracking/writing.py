"""Writes an execution: two experiments a suite, one for what people compare, one for single cells.

``robustness`` holds a parent run per execution with one summary run a detector under it;
``robustness/cells`` holds one run a cell, tied to its summary by a tag. Every call finds by its
tags what an earlier, killed call left behind and finishes it, so nothing is logged twice.
"""

import itertools
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag

from tsad_bench.cells import Cell, digest
from tsad_bench.outcome import Outcome
from tsad_bench.tracking.store import OPEN, alone, experiment, search, told_plainly

logger = logging.getLogger(__name__)

PLAN = "plan.json"
DRAWS = "draws.json"
TAG_LIMIT = 5000
BATCH = 900


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


class Tracker:
    """One execution's place in the store. All methods may be repeated."""

    def __init__(self, uri: str, header: Header, cells: Sequence[Cell]) -> None:
        self.uri, self.header = uri, header
        self._data: dict[tuple[str, str], str] = {}
        with told_plainly(uri):
            with alone(uri):
                self._client = MlflowClient(uri)
                self._experiment = experiment(self._client, uri, header.suite)
                self._cells = experiment(self._client, uri, f"{header.suite}/cells")
                self._describe()
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
        if "data" in outcome.facts:
            self._data[cell.source, cell.series] = outcome.facts["data"]
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
        """Log each detector's summary, the data sets and the tables, and close all runs of the execution.

        Everything is stamped with the time at which the last cell ended, so that saying it again changes nothing.
        """
        stamp = round(ended * 1000)
        with told_plainly(self.uri):
            for run_id in [self.parent, *self.summaries.values()]:
                self._client.log_inputs(run_id, _inputs(self._data))
            for label, points in summaries.items():
                self._log_metrics(self.summaries[label], [Metric(p.key, p.value, stamp, p.step) for p in points])
                self._client.set_terminated(self.summaries[label], "FINISHED", stamp)
            for name, text in files.items():
                self._client.log_text(self.parent, text, name)
            self._client.set_tag(self.parent, "mlflow.note.content", _shortened(note))
            self._client.set_terminated(self.parent, "FINISHED", stamp)

    def interrupt(self) -> None:
        """Close the open runs of an execution that was stopped; `resume` opens them again."""
        with told_plainly(self.uri):
            for run_id in [*self.summaries.values(), self.parent]:
                self._client.set_terminated(run_id, "KILLED")

    def _describe(self) -> None:
        """Say in the list of experiments what each is."""
        cells = f"The single cells of {self.header.suite}: scores, pictures, tracebacks, how to rerun them."
        for experiment_id, text in ((self._experiment, self.header.summary), (self._cells, cells)):
            self._client.set_experiment_tag(experiment_id, "mlflow.note.content", text)

    def _mine(self, experiment: str) -> list[Run]:
        return search(self._client, experiment, f"tags.`tsad.execution` = '{self.header.execution}'")

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
        run = self._client.create_run(self._cells, start_time=started, run_name=cell.place, tags=self._tags(tags))
        return str(run.info.run_id)

    def _tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        return {"tsad.execution": self.header.execution, **self.header.tags, **tags}

    def _fill(self, run_id: str, outcome: Outcome) -> None:
        params = [Param(name, str(value)) for name, value in outcome.facts.get("options", {}).items()]
        values = values_of(outcome) | {f"usage/{name}": value for name, value in outcome.costs.items()}
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
            self._client.log_text(run_id, json.dumps(outcome.draws), DRAWS)
        for file in sorted(folder.glob("*")):
            self._client.log_artifact(run_id, str(file))


def _told(outcome: Outcome) -> dict[str, str]:
    """Return what a cell's tags say about how it ended. One call sets them all: each further one costs."""
    facts = {name: value for name, value in outcome.facts.items() if name != "options"}
    tags = {
        "tsad.status": outcome.status,
        "tsad.key": outcome.key,
        "tsad.reason": outcome.reason,
        "tsad.device": str(facts.get("device", "")),
        "tsad.facts": _fitting(facts),
        **{f"undefined.{name}": reason for name, reason in outcome.undefined.items()},
    }
    return {name: text[:TAG_LIMIT] for name, text in tags.items() if text}


def _fitting(facts: Mapping[str, Any]) -> str:
    """Return facts as JSON that fits a tag, without the longest ones if need be: half of it could not be read back."""
    sizes = {name: len(json.dumps({name: value})) for name, value in facts.items()}
    shortest = sorted(sizes, key=sizes.__getitem__)
    kept = {
        name
        for name, size in zip(shortest, itertools.accumulate(sizes[name] for name in shortest), strict=True)
        if size <= TAG_LIMIT
    }
    if left := facts.keys() - kept:
        logger.warning("facts too long for the store: %s", ", ".join(sorted(left)))
    return json.dumps({name: value for name, value in facts.items() if name in kept})


def _inputs(data: Mapping[tuple[str, str], str]) -> list[DatasetInput]:
    """Return MLflow's form of the data sets whose series, by name, have these digests."""
    by_dataset: dict[str, dict[str, str]] = {}
    for (dataset, series), found in sorted(data.items()):
        by_dataset.setdefault(dataset, {})[series] = found
    context = [InputTag("mlflow.data.context", "evaluation")]
    return [
        DatasetInput(
            Dataset(
                name=dataset,
                digest=digest(series),
                source_type="tsad",
                source=json.dumps({"dataset": dataset}),
                profile=json.dumps({"series": len(series), "digests": series}),
            ),
            context,
        )
        for dataset, series in by_dataset.items()
    ]


def _shortened(note: str) -> str:
    """Cut a note between lines, so that no table breaks off inside a row."""
    if len(note) <= TAG_LIMIT:
        return note
    rest = "\n\nThe rest is in table.md."
    return note[: TAG_LIMIT - len(rest)].rpartition("\n")[0] + rest


def values_of(outcome: Outcome) -> dict[str, float]:
    """Return an outcome's metrics by the names they are logged under; of draws, the 95th percentile too."""
    return outcome.metrics | {f"{name}.p95": _p95(values) for name, values in outcome.draws.items()}


def _p95(values: Iterable[float | None]) -> float:
    return float(np.nanquantile(np.array(list(values), dtype=float), 0.95))
