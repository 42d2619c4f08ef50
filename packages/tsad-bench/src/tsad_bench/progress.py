"""How a run tells where it is: a bar in a terminal, plain lines elsewhere, nothing for the Python API."""

import sys
import time
from collections import Counter
from typing import Protocol

from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome

PLAIN_SECONDS = 10.0


class Progress(Protocol):
    """Is told how a run goes on."""

    def begin(self, total: int, done: int, of: str = "cells") -> None:
        """There are `total` cells, `done` of them from before; or so many of something else."""

    def ended(self, cell: Cell, outcome: Outcome) -> None:
        """A cell ended."""

    def say(self, message: str) -> None:
        """Something a person should know."""

    def close(self) -> None:
        """The run is over."""


class Silent:
    """Says nothing."""

    def begin(self, total: int, done: int, of: str = "cells") -> None:
        """Ignore it."""

    def ended(self, cell: Cell, outcome: Outcome) -> None:
        """Ignore it."""

    def say(self, message: str) -> None:
        """Ignore it."""

    def close(self) -> None:
        """Ignore it."""


class Plain:
    """Writes lines to standard error: one for each fault, else one every ten seconds."""

    def begin(self, total: int, done: int, of: str = "cells") -> None:
        """Remember when and where the run began."""
        self._of = of
        self._total, self._before, self._count = total, done, Counter[str]()
        self._began = self._told = time.monotonic()
        self.say(f"{total - done} {of} to run" + (f", {done} done before" if done else ""))

    def ended(self, cell: Cell, outcome: Outcome) -> None:
        """Tell of a fault at once, of the rest now and then."""
        self._count[outcome.status] += 1
        if outcome.status not in {"done", "skipped"}:
            self.say(f"{outcome.status}: {cell.place}: {outcome.reason}")
        ran = self._count.total()
        if time.monotonic() - self._told > PLAIN_SECONDS or self._before + ran == self._total:
            self._told = time.monotonic()
            left = (self._told - self._began) / ran * (self._total - self._before - ran)
            self.say(f"{self._before + ran}/{self._total} {self._of}, {faults(self._count)} failed, {clock(left)} left")

    def say(self, message: str) -> None:
        """Write one line."""
        print(message, file=sys.stderr, flush=True)  # noqa: T201 - this is the command line's voice

    def close(self) -> None:
        """Leave the last line as it is."""


class Bar:
    """Draws a bar on standard error with cells done, failed and the time left."""

    def begin(self, total: int, done: int, of: str = "cells") -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._count = Counter[str]()
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]} failed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(of, total=total, completed=done, failed=0)
        self._bar.start()

    def ended(self, cell: Cell, outcome: Outcome) -> None:
        """Move the bar; print a fault above it."""
        self._count[outcome.status] += 1
        if outcome.status not in {"done", "skipped"}:
            self.say(f"{outcome.status}: {cell.place}: {outcome.reason}")
        self._bar.update(self._task, advance=1, failed=faults(self._count))

    def say(self, message: str) -> None:
        """Print one line above the bar."""
        self._bar.console.print(message, markup=False, highlight=False)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.stop()


def faults(count: Counter[str]) -> int:
    """Return how many cells neither are done nor were skipped."""
    return count.total() - count["done"] - count["skipped"]


def clock(seconds: float) -> str:
    """Write seconds as people do."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
