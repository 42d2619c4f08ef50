"""Run jobs on this machine: a few warm processes, watched for time and memory from outside."""

import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path

import psutil

from tsad_bench.cells import Cell, Job
from tsad_bench.environment import THREAD_VARIABLES
from tsad_bench.faithfulness.judging import Judgement
from tsad_bench.outcome import Held, Outcome, Settings, Status
from tsad_bench.suite import Limits

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
LOAD_SECONDS = 300.0
"""Most that a worker may take to load the libraries of a job, which is not the detector's time."""
PROBE_SECONDS = 300.0
"""Most that is spent on finding out more of a detector whose cells are done."""
RETIRE_SHARE = 0.5
"""A worker that holds more than this share of the memory limit after a job is not given another."""


@dataclass
class Worker:
    """One process and what it is busy with."""

    process: subprocess.Popen[bytes]
    connection: Connection
    log: Path
    log_from: int = 0
    """Where in the log its present job begins."""
    waiting: list[Cell] = field(default_factory=list)
    """Cells of its job that have no outcome yet."""
    held: Outcome | None = None
    """The outcome of a cell that it has more to say of."""
    begun: bool = False
    """Whether it has loaded what its job uses."""
    since: float = 0.0
    """When the present cell began, on the monotonic clock."""
    peak_mb: float = 0.0
    """The most memory it was seen to hold since then."""

    def kill(self) -> None:
        """End the process, and all that it started, at once."""
        started = _descendants(self.process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        self.connection.close()


def run_jobs(jobs: Sequence[Job | Judgement], settings: Settings, *, workers: int, limits: Limits) -> Iterator[Outcome]:
    """Yield each cell's outcome as it comes; closing the iterator ends the workers.

    A detector that raises, hangs, exits, is killed or outgrows the limits costs its own job only.
    """
    queue = list(reversed(jobs))
    crew: list[Worker] = []
    numbers = itertools.count()
    try:
        while queue or crew:
            while queue and len(crew) < workers:
                crew.append(_start(settings, number=next(numbers)))
                _give(crew[-1], queue.pop())
            for worker in list(crew):
                yield from _attend(worker, limits)
                if worker.waiting:
                    continue
                if queue and _fit_for_more(worker, limits):
                    _give(worker, queue.pop())
                else:
                    worker.kill()
                    crew.remove(worker)
            wait([worker.connection for worker in crew], timeout=POLL_SECONDS)
    finally:
        for worker in crew:
            worker.kill()


def _fit_for_more(worker: Worker, limits: Limits) -> bool:
    """Return whether a worker may take another job; one that has grown gives way to a fresh one.

    What a detector leaks must not be held against the next.
    """
    alive = worker.process.poll() is None and not worker.connection.closed
    return alive and _resident_mb(worker.process.pid) < limits.memory_mb * RETIRE_SHARE


def _start(settings: Settings, *, number: int) -> Worker:
    ours, theirs = Pipe()
    log = Path(settings.folder) / f"worker-{number}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(settings.threads))
    with theirs, log.open("ab") as output:
        process = subprocess.Popen(
            # -P: a queue.py in the working directory must not stand in for the library's
            [sys.executable, "-P", "-m", "tsad_bench.executors.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    worker = Worker(process, ours, log)
    with contextlib.suppress(BrokenPipeError):
        ours.send(settings)
    return worker


def _give(worker: Worker, job: Job | Judgement) -> None:
    worker.waiting, worker.held, worker.since, worker.peak_mb = list(job.cells), None, time.monotonic(), 0.0
    worker.begun, worker.log_from = False, worker.log.stat().st_size
    with contextlib.suppress(BrokenPipeError):  # a worker that is gone is found when it is attended to
        worker.connection.send(job)


def _attend(worker: Worker, limits: Limits) -> Iterator[Outcome]:
    """Yield what a worker has sent; end it, and its job, if it is gone or over a limit."""
    gone = worker.process.poll() is not None  # asked first: what it sent before its end is still read below
    try:
        while worker.connection.poll():
            message = worker.connection.recv()
            if isinstance(message, Held):
                worker.held = message.outcome
            elif isinstance(message, Outcome):
                worker.waiting = [cell for cell in worker.waiting if cell.slot != message.slot]
                yield message
            worker.begun, worker.since, worker.peak_mb = True, time.monotonic(), 0.0
    except (EOFError, OSError):
        yield from _lost(worker, "failed", _how_it_ended(worker))
        return
    if not worker.waiting:
        return
    if gone:  # its pipe may be held open by what it started
        yield from _lost(worker, "failed", _how_it_ended(worker))
        return
    worker.peak_mb = max(worker.peak_mb, held := _resident_mb(worker.process.pid))
    limit = _seconds(worker, limits)
    if (seconds := time.monotonic() - worker.since) > limit:
        yield from _lost(worker, "timed-out", f"took over {limit:g} s (ended after {seconds:.1f} s)")
    elif held > limits.memory_mb:
        yield from _lost(worker, "out-of-memory", f"held {held:,.0f} MiB; the limit is {limits.memory_mb:,.0f} MiB")


def _seconds(worker: Worker, limits: Limits) -> float:
    """Return how long a worker may go on with what it does now."""
    if not worker.begun:
        return max(limits.seconds, LOAD_SECONDS)
    probing = worker.held is not None and len(worker.waiting) == 1
    return min(limits.seconds, PROBE_SECONDS) if probing else limits.seconds


def _lost(worker: Worker, status: Status, reason: str) -> Iterator[Outcome]:
    """End a worker and give its job's remaining cells their outcome."""
    since = time.time() - (time.monotonic() - worker.since)
    worker.kill()
    tail = worker.log.read_bytes()[worker.log_from :].decode(errors="replace")[-4000:]
    for cell in worker.waiting:
        logger.info("%s: %s", cell.place, reason)
        if worker.held and worker.held.slot == cell.slot:
            yield worker.held
            continue
        costs = {"peak-memory-mb": worker.peak_mb}
        yield Outcome(cell.slot, status, reason, traceback=tail, costs=costs, started=since, ended=time.time())
    worker.waiting = []


def _how_it_ended(worker: Worker) -> str:
    try:
        code = worker.process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "the worker closed its pipe"
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; the system may have run out of memory" if -code == signal.SIGKILL else ""
        return f"the worker was ended by {name}{hint}"
    return f"the worker exited with code {code}; what it printed last is kept as the traceback"


def _resident_mb(pid: int) -> float:
    """Return the resident memory of a process and its children in MiB."""
    total = 0
    for process in _descendants(pid, itself=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total / 2**20


def _descendants(pid: int, *, itself: bool = False) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [*([process] if itself else []), *process.children(recursive=True)]
    return []
