"""Runs and resumes executions: jobs to the executor, outcomes to the journal first, then to MLflow."""

import logging
import secrets
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tsad_core import DataError, Registry, TsadError, find_plugins
from tsad_core.options import Option

from tsad_bench import environment
from tsad_bench.cells import Cell, Job, Plan
from tsad_bench.estimate import estimate, record
from tsad_bench.executors.local import run_jobs
from tsad_bench.faithfulness.gate import gated
from tsad_bench.faithfulness.judging import Judgement, awaits, judgements, with_others
from tsad_bench.interrupts import Interrupted, held_back
from tsad_bench.journal import Journal, Of, executions, read_start
from tsad_bench.measure import first_cells, read_series
from tsad_bench.order import Order, dump, load, make_order, plan_of
from tsad_bench.outcome import Artifacts, Outcome, Settings
from tsad_bench.progress import Progress, Silent
from tsad_bench.suite import Suite, narrow, read_suite

if TYPE_CHECKING:
    import pandas as pd

    from tsad_bench.logbook import Logbook
    from tsad_bench.results import Results

logger = logging.getLogger(__name__)

ROOT = "tsad-runs"
"""Journals live here, in the working directory."""


class ResumeError(TsadError):
    """An execution that cannot go on as it began."""


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


def newest_execution(root: Path = Path(ROOT)) -> str:
    """Return the name of the execution whose journal was written last."""
    found = executions(root)
    if not found:
        raise ResumeError(f"there is no execution in {root.absolute()}")
    return found[-1].name


def begin(order: Order, registry: Registry, *, progress: Progress, root: Path = Path(ROOT)) -> Finished:
    """Run an order from the start. Everything about it is checked before the first cell runs."""
    planned = plan_of(order, registry)
    _check_lone_series(planned, order, registry)
    execution = f"{order.suite.name}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    with Journal(root / execution) as journal:
        start = {"execution": execution, "order": dump(order), "plugins": _versions(registry)}
        start |= {"cells": {"count": len(planned.cells), "digest": planned.digest}, "metrics": planned.better}
        start |= {"jobs": record(planned.jobs)}
        journal.write("start", **start, environment=environment.tags(), command=sys.argv)
        return _carry_out(journal, planned, order, progress)


def resume(execution: str, *, progress: Progress | None = None, root: Path = Path(ROOT)) -> Finished:
    """Finish an execution that was stopped, killed or not fully logged; a finished one is checked and left.

    Raises `ResumeError` if a plugin's version, or which series there are, has changed since it began.
    """
    folder = root / execution
    start = read_start(folder)
    order = load(start["order"])
    registry = find_plugins()
    versions = _versions(registry)
    for name, version in start["plugins"].items():
        if versions.get(name) != version:
            now = versions.get(name, "not installed")
            raise ResumeError(f"{execution} began with {name} {version}, now it is {now}; begin a new run")
    planned = plan_of(order, registry)
    if planned.digest != start["cells"]["digest"]:
        raise ResumeError(f"the series at hand are not those that {execution} began with; begin a new run")
    with Journal(folder) as journal:
        return _carry_out(journal, planned, order, progress or Silent())


def _carry_out(journal: Journal, planned: Plan, order: Order, progress: Progress) -> Finished:
    from tsad_bench.logbook import Logbook

    log = Logbook(journal.folder, planned, order, progress)
    running = _Running(journal, planned, order, _settings(planned, order, journal.folder), log, progress)
    try:
        outcomes = running.judged(running.cells())
        log.replay(outcomes)
        results = _results(planned, order, outcomes)
        log.finish(results, ended=max(outcome.ended for outcome in outcomes.values()))
        journal.write("end")
        if not log.failure:
            shutil.rmtree(running.settings.folder, ignore_errors=True)
    except BaseException as error:
        log.interrupt()
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(journal.folder.name) from None
        raise
    finally:
        progress.close()
    return Finished(journal.folder.name, results, log.failure)


@dataclass(frozen=True)
class _Running:
    """An execution between its start and its end."""

    journal: Journal
    planned: Plan
    order: Order
    settings: Settings
    log: "Logbook"
    progress: Progress

    def cells(self) -> dict[str, Outcome]:
        """Run the cells that have no outcome yet; return how every cell ended, by its slot."""
        outcomes = self.journal.outcomes()
        left = _remaining(self.planned, outcomes)
        self.progress.begin(len(self.planned.cells), len(outcomes))
        if left:
            root, limits = self.journal.folder.parent, self.order.suite.limits
            self.progress.say(estimate(left, root, workers=self.order.workers, limits=limits))
        whole = {cell.slot: cell for cell in self.planned.cells if not awaits(cell, self.settings.faithfulness)}
        self.log.replay({slot: outcome for slot, outcome in outcomes.items() if slot in whole})
        cells = {cell.slot: cell for cell in self.planned.cells}
        for outcome in self._run(left, cells, of="cell"):
            outcomes[outcome.slot] = outcome
            if outcome.slot in whole:
                self.log.cell(whole[outcome.slot], outcome)
        return outcomes

    def judged(self, outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
        """Have each detector judge what the others blame; return all outcomes as they are shown."""
        pairs = [(cell, outcomes[cell.slot]) for cell in self.planned.cells]
        budget = self.settings.faithfulness
        if budget is None or not budget.others:
            return {cell.slot: outcome for cell, outcome in gated(pairs)}
        asked = judgements(pairs)
        judged = self.journal.outcomes(of="judge")
        left = [judgement for judgement in asked if judgement.judge.slot not in judged]
        if left:
            self.progress.close()
            self.progress.begin(len(asked), len(asked) - len(left), "judges")
        cells = {judgement.judge.slot: judgement.judge for judgement in left}
        judged |= {outcome.slot: outcome for outcome in self._run(left, cells, of="judge")}
        return {cell.slot: outcome for cell, outcome in gated(with_others(pairs, judged))}

    def _run(self, jobs: Sequence[Job | Judgement], cells: Mapping[str, Cell], *, of: Of) -> Iterator[Outcome]:
        workers = min(self.order.workers, max(len(jobs), 1))
        for outcome in run_jobs(jobs, self.settings, workers=workers, limits=self.order.suite.limits):
            with held_back():
                self.journal.write_outcome(outcome, of)
            yield outcome
            self.progress.ended(cells[outcome.slot], outcome)


def _check_lone_series(planned: Plan, order: Order, registry: Registry) -> None:
    """Read what is the only series of its data set, such as a file of one's own: a fault there costs the whole run."""
    first = {(cell.source, cell.series): cell for cell in planned.cells}
    count = Counter(source for source, _ in first)
    for (source, _), cell in first.items():
        if count[source] == 1:
            _try(cell, Settings(planned.metrics, "", home=order.home), registry)


def _try(cell: Cell, settings: Settings, registry: Registry) -> None:
    try:
        read_series(cell, settings, registry)
    except DataError:
        raise
    except Exception:  # a plugin's fault, and told by its cells
        logger.debug("%s cannot be read", cell.place, exc_info=True)


def _versions(registry: Registry) -> dict[str, str]:
    return {**registry.plugins, "tsad-bench": environment.version("tsad-bench") or ""}


def _remaining(planned: Plan, outcomes: Mapping[str, Outcome]) -> list[Job]:
    left = [tuple(cell for cell in job.cells if cell.slot not in outcomes) for job in planned.jobs]
    return [Job(cells) for cells in left if cells]


def _settings(planned: Plan, order: Order, folder: Path) -> Settings:
    return Settings(
        metrics=planned.metrics,
        headline=order.suite.headline,
        folder=str((folder / "cells").absolute()),
        pictures=first_cells(planned.cells, order.pictures) if order.artifacts != "none" else frozenset(),
        probed=first_cells(planned.cells, 1),
        faithfulness=order.suite.faithfulness,
        home=order.home,
        artifacts=order.artifacts,
        threads=order.threads,
    )


def _results(planned: Plan, order: Order, outcomes: Mapping[str, Outcome]) -> "Results":
    from tsad_bench.results import collect

    pairs = [(cell, outcomes[cell.slot]) for cell in planned.cells]
    return collect(pairs, metrics=planned.better, headline=order.suite.headline)
