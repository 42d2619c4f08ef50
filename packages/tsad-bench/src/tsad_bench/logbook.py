"""What an execution writes to MLflow, behind a fuse."""

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from tsad_bench.cells import Cell, Plan
from tsad_bench.interrupts import held_back
from tsad_bench.journal import read_start
from tsad_bench.order import Order, load, metrics_of
from tsad_bench.outcome import Outcome
from tsad_bench.progress import Progress
from tsad_bench.results import Results
from tsad_bench.tracking import Header, Tracker, TrackingError

logger = logging.getLogger(__name__)


class Logbook:
    """MLflow behind a fuse: a store that fails stops the logging, not the run; the journal keeps the rest."""

    def __init__(self, folder: Path, planned: Plan, order: Order, progress: Progress) -> None:
        self._folder, self._planned, self._order, self._progress = folder, planned, order, progress
        self._tracker: Tracker | None = None
        self.failure = ""
        """Why the store missed something, if it did."""
        self._guard(lambda _: None)

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

    def finish(self, results: Results, *, ended: float) -> None:
        """Log summaries and tables."""
        from tsad_bench.report.cards import card_page
        from tsad_bench.report.headline import boards
        from tsad_bench.report.summary import summary_points
        from tsad_bench.report.table import markdown, tables

        shown = boards(results)
        files = tables(results, shown) | {"metrics.md": card_page(self._planned.cards)}
        note = f"{self._order.suite.summary}\n\n{markdown(results, shown, whole=False)}"
        self._guard(lambda tracker: tracker.finish(summary_points(results), files, note, ended=ended))

    def interrupt(self) -> None:
        """Leave no run open."""
        self._guard(lambda tracker: tracker.interrupt())

    def _guard(self, act: Callable[[Tracker], object]) -> bool:
        """Do something with the tracker, uninterrupted; after its first failure do nothing more."""
        if self.failure:
            return False
        try:
            with held_back():
                self._tracker = self._tracker or self._open()
                act(self._tracker)
        except TrackingError as error:
            self.failure = str(error)
            logger.debug("tracking stopped", exc_info=True)
            self._progress.say(f"{error}. The run goes on; its journal keeps everything.")
            return False
        return True

    def _open(self) -> Tracker:
        return Tracker(self._order.tracking_uri, header_of(self._folder), self._planned.cells)


def header_of(folder: Path) -> Header:
    """Return what an execution's runs have in common, from its journal."""
    start = read_start(folder)
    order = load(start["order"])
    metrics = {label: choice.model_dump(exclude_defaults=True) for label, choice in metrics_of(order.suite).items()}
    tags = {
        **start["environment"],
        **{f"tsad.version.{name}": version for name, version in start["plugins"].items()},
        "tsad.suite": order.suite.name,
        "tsad.headline": order.suite.headline,
        "tsad.metrics": json.dumps(start["metrics"]),
    }
    config = {"metrics": metrics, "threads": order.threads, "limits": order.suite.limits.model_dump()}
    if order.suite.faithfulness:
        config["faithfulness"] = order.suite.faithfulness.model_dump()
    return Header(start["execution"], order.suite.name, order.suite.summary, tags, config)
