"""How long a run may take, told before its first cell: from what its cells, or cells like them, took here before."""

import heapq
import json
import logging
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from tsad_bench.cells import Cell, Job, digest
from tsad_bench.journal import FILE, JournalError, executions, read_start
from tsad_bench.progress import clock
from tsad_bench.suite import Limits

logger = logging.getLogger(__name__)

NEWEST = 20
"""Executions that are looked at, newest first."""
TIMED = {"done", "skipped", "timed-out", "out-of-memory"}
"""How a cell ended that will take as long again; a fault may be mended by now."""

Record = Mapping[str, Mapping[str, Sequence[Sequence[str]]]]
"""The slots of each job, by a hash of the detector with its options, then by one of the data set with its own."""


class Group(NamedTuple):
    """What a cell has in common with others."""

    detector: str
    dataset: str
    job: str


class Guess(NamedTuple):
    """What a cell may take."""

    seconds: float
    elsewhere: bool = False
    """Whether its detector was timed on other data sets only."""


@dataclass
class Times:
    """What cells took here, the newest time of each, by their slots."""

    groups: dict[str, Group]
    seconds: dict[str, float] = field(default_factory=dict)
    executions: int = 0

    def add(self, folder: Path) -> None:
        """Take in an execution older than those before; of a broken journal, which may raise anything, nothing."""
        groups = _groups(read_start(folder).get("jobs", {})) | self.groups
        seconds = _shared_out(_spans(folder), groups)
        self.executions += bool(seconds)
        self.groups, self.seconds = groups, seconds | self.seconds

    def guesses(self, cells: Iterable[Cell]) -> dict[str, Guess]:
        """Return what each cell may take, by its slot; without those whose detector was never timed with their options.

        A cell that was timed takes as long again. Another takes the mean of its detector's cells on its data set, or
        else on any: their sum is asked for, and a median would miss the few long series that most of the time goes to.
        """
        placed = {slot: self.groups[slot] for slot in self.seconds if slot in self.groups}
        on_dataset = _means((group[:2], self.seconds[slot]) for slot, group in placed.items())
        on_any = _means((group.detector, self.seconds[slot]) for slot, group in placed.items())
        found = {}
        for slot in (cell.slot for cell in cells):
            group = self.groups[slot]
            if (seconds := self.seconds.get(slot, on_dataset.get(group[:2]))) is not None:
                found[slot] = Guess(seconds)
            elif group.detector in on_any:
                found[slot] = Guess(on_any[group.detector], elsewhere=True)
        return found


def estimate(jobs: Sequence[Job], root: Path, *, workers: int, limits: Limits) -> str:
    """Return a line on how long jobs may take, by the newest executions under `root`; with no jobs, an empty one."""
    if not jobs:
        return ""
    times = read_times(jobs, root)
    cells = [cell for job in jobs for cell in job.cells]
    guesses = times.guesses(cells)
    workers = min(workers, len(jobs))
    crew = f"with {_count(workers, 'worker')}"
    each = f"limit of {clock(limits.seconds)}"
    most = clock(max(_span(jobs, guesses, workers=workers, limit=limits.seconds, unknown=limits.seconds), 1))
    if not guesses:
        return f"no earlier cell here to estimate from: at most {most} {crew}, if each takes its {each}"
    about = clock(max(_span(jobs, guesses, workers=workers, limit=limits.seconds), 1))
    elsewhere = sum(guess.elsewhere for guess in guesses.values())
    line = f"about {about} {crew}, by {_count(times.executions, 'execution')} here"
    line += f" ({_count(elsewhere, 'cell')} by other data sets)" if elsewhere else ""
    if left := len(cells) - len(guesses):
        line += f", without {_count(left, 'cell')} never timed here; {most} if each of these takes its {each}"
    return line


def record(jobs: Iterable[Job]) -> Record:
    """Return what a journal keeps of jobs, so that a later run knows what was timed."""
    found: dict[str, dict[str, list[list[str]]]] = {}
    for job in jobs:
        cell = job.cells[0]
        options = {name: value for name, value in cell.options.items() if name != "seed"}
        detector, dataset = digest([cell.detector, options]), digest([cell.dataset, dict(cell.dataset_options)])
        found.setdefault(detector, {}).setdefault(dataset, []).append([cell.slot for cell in job.cells])
    return found


def read_times(jobs: Sequence[Job], root: Path) -> Times:
    """Return what the newest executions under `root` took, back to where all jobs are known, without broken ones."""
    times = Times(_groups(record(jobs)))
    wanted = {cell.slot for job in jobs for cell in job.cells}
    for folder in reversed(executions(root)[-NEWEST:]):
        try:
            times.add(folder)
        except (JournalError, OSError, ValueError, LookupError, TypeError, AttributeError):  # a run must not end on it
            logger.debug("%s: its journal is broken, and not estimated from", folder.name, exc_info=True)
        if wanted <= times.seconds.keys():
            break
    return times


def _groups(jobs: Record) -> dict[str, Group]:
    return {
        slot: Group(detector, dataset, slots[0])
        for detector, datasets in jobs.items()
        for dataset, fits in datasets.items()
        for slots in fits
        for slot in slots
    }


def _spans(folder: Path) -> Iterator[tuple[float, float, str]]:
    """Yield when each timed cell was begun and written, and its slot.

    The middle of a line, with draws by the thousand, is not parsed: that would take ten times as long.
    """
    with (folder / FILE).open("rb") as lines:
        for line in lines:
            if line.startswith(b'{"event":"cell",') and line.endswith(b"\n"):
                head, tail = line.partition(b',"reason":')[0], line.rpartition(b',"started":')[2]
                event = json.loads(head + b',"started":' + tail)
                if event["status"] in TIMED:
                    yield float(event["started"]), float(event["time"]), event["slot"]


def _shared_out(spans: Iterable[tuple[float, float, str]], groups: Mapping[str, Group]) -> dict[str, float]:
    """Return the seconds of each cell; time that a job's cells share, as when they are lost together, counts once."""
    seconds, reached = {}, dict[str, float]()
    for started, written, slot in sorted(spans):
        job = groups[slot].job if slot in groups else slot
        seconds[slot] = max(0.0, written - max(started, reached.get(job, started)))
        reached[job] = max(written, reached.get(job, written))
    return seconds


def _means(pairs: Iterable[tuple[Hashable, float]]) -> dict[Hashable, float]:
    values: dict[Hashable, list[float]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return {key: fmean(listed) for key, listed in values.items()}


def _span(
    jobs: Iterable[Job], guesses: Mapping[str, Guess], *, workers: int, limit: float, unknown: float = 0.0
) -> float:
    """Return the seconds until all workers are done, who take the jobs in order; no cell outlasts its limit."""
    busy = [0.0] * workers
    for job in jobs:
        seconds = sum(guesses.get(cell.slot, Guess(unknown)).seconds for cell in job.cells)
        heapq.heapreplace(busy, busy[0] + min(seconds, limit * len(job.cells)))
    return max(busy)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
