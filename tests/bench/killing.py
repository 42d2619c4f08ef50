"""Run one execution to its end through a chain of processes, each killed at a given moment.

Started by test_kill.py as a process of its own. It loads everything once and forks: the first child
begins the run, every further one resumes it, and each dies by SIGKILL where its moment says. Their
workers are forked too, since forty that load their libraries take minutes. It prints one line a
child: the moment and how the child ended.
"""

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from mlflow import MlflowClient
from tsad_bench import runner, tracking
from tsad_bench.executors import local, worker
from tsad_bench.journal import Journal
from tsad_bench.order import make_order
from tsad_bench.progress import Silent
from tsad_bench.suite import parse_suite
from tsad_core import find_plugins

SUITE = """
name = "killed"
headline = "auc-pr"
detectors = [{ name = "trivial", options = { pause = 0.2 } }, { name = "raises" }, "random"]
datasets = [{ name = "tiny", options = { count = 8 } }]
metrics = ["auc-pr", "vus-pr"]
"""

LATE = (
    "matplotlib.backends.backend_agg",
    "mlflow.store.tracking.sqlalchemy_store",
    "pyarrow.parquet",
    "tsad_bench.logbook",
    "tsad_bench.plots",
    "tsad_bench.report.cards",
    "tsad_bench.report.summary",
    "tsad_bench.report.table",
    "tsad_core.controls",
)
"""What a run imports when it needs it."""

# owner, method, at which call of it, before or after it
MOMENTS = [
    (Journal, "write", 1, "after"),
    (MlflowClient, "create_experiment", 1, "after"),
    (MlflowClient, "create_run", 1, "after"),
    (MlflowClient, "create_run", 1, "after"),
    (MlflowClient, "log_batch", 1, "before"),
    (Journal, "write_outcome", 1, "before"),
    (Journal, "write_outcome", 1, "after"),
    (Journal, "write_outcome", 1, "halfway"),
    (tracking.Tracker, "_create_cell", 1, "after"),
    (tracking.Tracker, "_fill", 1, "after"),
    (MlflowClient, "log_artifact", 1, "after"),
    (MlflowClient, "log_text", 1, "after"),
    (MlflowClient, "set_terminated", 1, "before"),
    (MlflowClient, "set_terminated", 1, "after"),
    (tracking.Tracker, "log_cell", 3, "after"),
    0.3,
    0.8,
    1.5,
    (tracking.Tracker, "finish", 1, "before"),
    (tracking.Tracker, "finish", 1, "after"),
]


def main() -> None:
    """Go through all moments, then let one more process finish."""
    for module in LATE:
        import_module(module)
    for moment in [*MOMENTS, None]:
        child = os.fork()
        if child == 0:
            work(moment)
            os._exit(0)
        if isinstance(moment, float):
            time.sleep(moment)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
        print(json.dumps([str(moment), ended]), flush=True)


def work(moment: object) -> None:
    """Begin the run, or go on with it, until the moment comes."""
    local.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": Forked})
    if isinstance(moment, tuple):
        plant(*moment)
    if not any(Path(runner.ROOT).glob("*/journal.jsonl")):
        registry = find_plugins()
        order = make_order(parse_suite(SUITE, source="here"), registry, options={"random": {"draws": 3}}, jobs=2)
        runner.begin(order, registry, progress=Silent())
    else:
        runner.resume(runner.newest_execution())


class Forked:
    """A worker that has everything loaded; to its parent, what `Popen` would be."""

    def __init__(self, command: list[str], *, pass_fds: list[int], stdout: IO[bytes], **_: Any) -> None:
        self._process = get_context("fork").Process(target=serve, args=(command, pass_fds[0], stdout.fileno()))
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        return self._process.exitcode


def serve(command: list[str], connection: int, output: int) -> None:
    """Be a worker that inherits nothing but its connection: not the lock of the journal either."""
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, connection)
    os.closerange(connection + 1, os.sysconf("SC_OPEN_MAX"))
    sys.argv = command[command.index("-m") + 1 :]
    worker.main()


def plant(owner: type, method: str, call: int, when: str) -> None:
    """Replace a method by one that kills this process at its given call."""
    original = getattr(owner, method)
    calls = 0

    def killing(self: object, *arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call and when == "halfway":
            self._file.write(b'{"event":"cell","slot":"to')
        if calls == call and when in {"before", "halfway"}:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(self, *arguments, **named)
        if calls == call and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, method, killing)


if __name__ == "__main__":
    sys.exit(main())
