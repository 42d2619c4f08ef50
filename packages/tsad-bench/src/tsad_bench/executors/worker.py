"""A warm worker process: takes jobs from a pipe, sends back outcomes until the pipe closes."""

import logging
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from tsad_core import Registry, find_plugins

from tsad_bench.faithfulness.judging import Judgement, judge
from tsad_bench.measure import load_libraries, run_job

if TYPE_CHECKING:
    from tsad_bench.outcome import Settings


BEGUN = "begun"
"""Sent when everything is loaded that a job uses: from here on its time counts."""


def main() -> None:
    """Serve the connection whose file descriptor is the first argument."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    threading.Thread(target=_die_with_parent, args=(os.getppid(),), daemon=True).start()
    serve(Connection(int(sys.argv[1])))


def serve(connection: Any) -> None:
    """Answer each job with the outcomes of its cells, as they come."""
    registry: Registry = find_plugins()
    settings: Settings = connection.recv()
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        load_libraries(job.cells[0], settings, registry)
        connection.send(BEGUN)
        run = judge if isinstance(job, Judgement) else run_job
        for outcome in run(job, settings, registry):
            connection.send(outcome)


def _die_with_parent(parent: int) -> None:
    """End this process, and the group it leads, when its parent is gone: a killed run leaves nothing behind."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
