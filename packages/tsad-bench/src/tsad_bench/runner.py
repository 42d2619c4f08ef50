"""Runs and resumes executions: jobs to the executor, outcomes to the journal first, then to MLflow."""

import json
import logging
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsad_core import Registry, TsadError, find_plugins
from tsad_core.datasets.home import find_home
from tsad_core.options import Option

from tsad_bench import environment
from tsad_bench.cells import Cell, Job, Plan, plan, spell_out
from tsad_bench.executors.local import run_jobs
from tsad_bench.interrupts import held_back
from tsad_bench.journal import Journal, executions, read_start
from tsad_bench.measure import Artifacts, Outcome, Settings
from tsad_bench.progress import Progress, Silent
from tsad_bench.suite import Choice, Suite, narrow, read_suite, with_options

if TYPE_CHECKING:
    import pandas as pd

    from tsad_bench.results import Results
    from tsad_bench.tracking import Header, Tracker

logger = logging.getLogger(__name__)

ROOT = "tsad-runs"
"""Journals live here, in the working directory."""


class ResumeError(TsadError):
    """An execution that cannot go on as it began."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Everything that says what to run and how. It is the journal's first line."""

    suite: Suite
    """With everything spelt out: detectors, data sets and metrics by name."""
    tracking_uri: str
    home: str | None = None
    device: str | None = None
    workers: int = 1
    threads: int = 1
    artifacts: Artifacts = "scores"
    plots: int = 1
    """Series of each data set whose cells get a picture."""


@dataclass(frozen=True)
class Finished:
    """An execution that ran to its end."""

    execution: str
    results: "Results"
    untracked: str = ""
    """Why MLflow missed something, if it did."""


def run_suite(  # the Python face of `tsad-bench run`, with the same options
    suite: str | Suite,
    *,
    detectors: Iterable[str] = (),
    datasets: Iterable[str] = (),
    metrics: Iterable[str] = (),
    seeds: Iterable[int] = (),
    options: Mapping[str, Mapping[str, Option]] | None = None,
    jobs: int | None = None,
    device: str | None = None,
    data_home: str | Path | None = None,
    tracking_uri: str | None = None,
    artifacts: Artifacts = "scores",
    progress: Progress | None = None,
) -> "pd.DataFrame":
    """Run a suite and return one row a cell: who, where, status, reason, each metric, each cost.

    `suite` is the name of a shipped suite, a TOML file, or a `Suite`. `detectors`, `datasets`
    (``"ucr"`` or ``"ucr:SERIES"``), `metrics` and `seeds` narrow it; `options` sets options by
    name, as in ``{"k-means": {"window": 64}}``. The run is logged to `tracking_uri`, by default
    ``MLFLOW_TRACKING_URI`` or ``mlflow.db`` in the working directory. Raises `TsadError` for
    what the caller can mend; a cell that fails is a row with its reason.
    """
    registry = find_plugins()
    narrowed = narrow(
        read_suite(suite) if isinstance(suite, str) else suite,
        detectors=detectors,
        datasets=datasets,
        metrics=metrics,
        seeds=seeds,
    )
    order = make_order(
        narrowed,
        registry,
        options=options or {},
        jobs=jobs,
        device=device,
        data_home=Path(data_home) if data_home else None,
        tracking_uri=tracking_uri,
        artifacts=artifacts,
    )
    return begin(order, registry, progress=progress or Silent()).results.frame


def make_order(
    suite: Suite,
    registry: Registry,
    *,
    options: Mapping[str, Mapping[str, Option]],
    jobs: int | None = None,
    device: str | None = None,
    data_home: Path | None = None,
    tracking_uri: str | None = None,
    artifacts: Artifacts = "scores",
) -> Order:
    """Spell out a suite on this machine, and fix what else the run depends on."""
    from tsad_bench.tracking import default_uri

    home = find_home(data_home)
    cpus = environment.cpus()
    workers = jobs or cpus
    return Order(
        suite=with_options(spell_out(suite, registry, home=home), options),
        tracking_uri=tracking_uri or default_uri(),
        home=str(home.absolute()) if home else None,
        device=device,
        workers=workers,
        threads=max(1, cpus // workers),
        artifacts=artifacts,
    )


def plan_of(order: Order, registry: Registry) -> Plan:
    """Return the cells of an order, checked; no data is read."""
    return plan(order.suite, registry, home=Path(order.home) if order.home else None, device=order.device)


def newest_execution(root: Path = Path(ROOT)) -> str:
    """Return the name of the execution whose journal was written last."""
    found = executions(root)
    if not found:
        raise ResumeError(f"there is no execution in {root.absolute()}")
    return found[-1].name


def begin(order: Order, registry: Registry, *, progress: Progress, root: Path = Path(ROOT)) -> Finished:
    """Run an order from the start. Everything about it is checked before the first cell runs."""
    planned = plan_of(order, registry)
    execution = f"{order.suite.name}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    with Journal(root / execution) as journal:
        start = {"execution": execution, "order": _dump(order), "plugins": registry.plugins, "cells": planned.digest}
        journal.write("start", **start, environment=environment.tags(), command=sys.argv)
        return _carry_out(journal, planned, order, registry, progress)


def resume(execution: str, *, progress: Progress | None = None, root: Path = Path(ROOT)) -> Finished:
    """Finish an execution that was stopped, killed or not fully logged; a finished one is checked and left.

    Raises `ResumeError` if a plugin's version or the data at hand have changed since it began.
    """
    folder = root / execution
    start = read_start(folder)
    order = _load(start["order"])
    registry = find_plugins()
    for name, version in start["plugins"].items():
        if registry.plugins.get(name) != version:
            now = registry.plugins.get(name, "not installed")
            raise ResumeError(f"{execution} began with {name} {version}, now it is {now}; begin a new run")
    planned = plan_of(order, registry)
    if planned.digest != start["cells"]:
        raise ResumeError(f"the series at hand are not those that {execution} began with; begin a new run")
    with Journal(folder) as journal:
        return _carry_out(journal, planned, order, registry, progress or Silent())


def header_of(folder: Path) -> "Header":
    """Return what an execution's runs have in common, from its journal."""
    from tsad_bench.tracking import Header

    start = read_start(folder)
    order = _load(start["order"])
    metrics = {label: choice.model_dump() for label, choice in _metrics(order.suite).items()}
    tags = {
        **start["environment"],
        **{f"tsad.version.{name}": version for name, version in start["plugins"].items()},
        "tsad.suite": order.suite.name,
        "tsad.headline": order.suite.headline,
        "tsad.metrics": json.dumps(list(metrics)),
    }
    config = {"metrics": metrics, "threads": order.threads, "limits": order.suite.limits.model_dump()}
    return Header(start["execution"], order.suite.name, order.suite.summary, tags, config)


def _carry_out(journal: Journal, planned: Plan, order: Order, registry: Registry, progress: Progress) -> Finished:
    outcomes = journal.outcomes()
    settings = _settings(planned, order, journal.folder)
    progress.begin(len(planned.cells), len(outcomes))
    log = _Log(journal.folder, planned, order, progress)
    try:
        log.replay(outcomes)
        jobs = _remaining(planned, outcomes)
        cells = {cell.slot: cell for cell in planned.cells}
        workers = min(order.workers, max(len(jobs), 1))
        for outcome in run_jobs(jobs, settings, workers=workers, limits=order.suite.limits):
            with held_back():
                journal.write_outcome(outcome)
            outcomes[outcome.slot] = outcome
            log.cell(cells[outcome.slot], outcome)
            progress.ended(cells[outcome.slot], outcome)
        results = _results(planned, order, outcomes)
        log.finish(results, registry)
        journal.write("end")
    except BaseException:
        log.interrupt()
        raise
    finally:
        progress.close()
    return Finished(journal.folder.name, results, log.failure)


class _Log:
    """MLflow behind a fuse: a store that fails stops the logging, not the run; the journal keeps the rest."""

    def __init__(self, folder: Path, planned: Plan, order: Order, progress: Progress) -> None:
        self._folder, self._planned, self._order, self._progress = folder, planned, order, progress
        self._tracker: Tracker | None = None
        self.failure = ""
        self._guard(self._open)

    def replay(self, outcomes: Mapping[str, Outcome]) -> None:
        """Log what the journal holds and the store may not."""
        for cell in self._planned.cells:
            if cell.slot in outcomes:
                self.cell(cell, outcomes[cell.slot])

    def cell(self, cell: Cell, outcome: Outcome) -> None:
        """Log one cell; its files are dropped once the store has them."""
        folder = self._folder / "cells" / cell.slot
        if self._guard(lambda tracker: tracker.log_cell(cell, outcome, folder)):
            shutil.rmtree(folder, ignore_errors=True)

    def finish(self, results: "Results", registry: Registry) -> None:
        """Log plots of chosen cells, summaries and tables."""
        self._guard(lambda tracker: _plot_chosen(tracker, results, self._planned, self._order, registry))
        self._guard(lambda tracker: _summarise(tracker, results))

    def interrupt(self) -> None:
        """Leave no run open."""
        self._guard(lambda tracker: tracker.interrupt())

    def _open(self, _: Any) -> None:
        from tsad_bench.tracking import Tracker

        options = {cell.label: cell.options for cell in self._planned.cells}
        self._tracker = Tracker(self._order.tracking_uri, header_of(self._folder), options)

    def _guard(self, act: Any) -> bool:
        from tsad_bench.tracking import TrackingError

        if self.failure:
            return False
        try:
            with held_back():
                act(self._tracker)
        except TrackingError as error:
            self.failure = str(error)
            logger.debug("tracking stopped", exc_info=True)
            self._progress.say(f"{error}. The run goes on; its journal keeps everything.")
            return False
        return True


def _remaining(planned: Plan, outcomes: Mapping[str, Outcome]) -> list[Job]:
    left = [tuple(cell for cell in job.cells if cell.slot not in outcomes) for job in planned.jobs]
    return [Job(cells) for cells in left if cells]


def _settings(planned: Plan, order: Order, folder: Path) -> Settings:
    return Settings(
        metrics=planned.metrics,
        folder=str((folder / "cells").absolute()),
        home=order.home,
        artifacts=order.artifacts,
        threads=order.threads,
    )


def _results(planned: Plan, order: Order, outcomes: Mapping[str, Outcome]) -> "Results":
    from tsad_bench.results import collect

    pairs = [(cell, outcomes[cell.slot]) for cell in planned.cells]
    return collect(pairs, metrics=list(planned.metrics), headline=order.suite.headline)


def _plot_chosen(tracker: "Tracker", results: "Results", planned: Plan, order: Order, registry: Registry) -> None:
    """Add pictures to the cells of the first series of each data set, in the first condition and seed."""
    from tsad_bench.plots import plot_cell

    frame = results.frame
    chosen = frame[frame.groupby("dataset")["series"].transform(lambda s: s.isin(s.unique()[: order.plots]))]
    chosen = chosen[chosen["status"] == "done"].drop_duplicates(["detector", "dataset", "series"])
    cells = {cell.slot: cell for cell in planned.cells}
    for slot in chosen["slot"]:
        with tempfile.TemporaryDirectory() as folder:
            scores = tracker.fetch_scores(cells[slot], Path(folder))
            if scores is not None:
                picture = Path(folder) / "scores.png"
                plot_cell(cells[slot], scores, picture, home=_home(order), registry=registry)
                tracker.log_plot(cells[slot], picture)


def _summarise(tracker: "Tracker", results: "Results") -> None:
    from tsad_bench.report.summary import summary_points
    from tsad_bench.report.table import csv, markdown

    text = markdown(results)
    files = {"table.md": text, "table.csv": csv(results), "cells.csv": results.frame.to_csv(index=False)}
    note = f"{tracker.header.summary}\n\n{markdown(results, whole=False)}"
    tracker.finish(summary_points(results), files, note)


def _home(order: Order) -> Path | None:
    return Path(order.home) if order.home else None


def _metrics(suite: Suite) -> dict[str, Choice]:
    from tsad_bench.cells import labelled

    assert not isinstance(suite.metrics, str), "the order spells its suite out"
    return labelled([one for choice in suite.metrics for one in choice.expand()])


def _dump(order: Order) -> dict[str, Any]:
    fields = {name: getattr(order, name) for name in order.__dataclass_fields__}
    return fields | {"suite": json.loads(order.suite.model_dump_json())}


def _load(order: Mapping[str, Any]) -> Order:
    return Order(**{**order, "suite": Suite.model_validate(order["suite"])})
