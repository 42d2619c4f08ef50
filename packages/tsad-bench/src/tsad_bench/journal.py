"""The journal of an execution: one JSON line an event, appended and flushed before anything else is told.

It is what a run resumes from. A line that a crash or a full disk cut short is dropped when the
journal is opened again; its cell runs again.
"""

import contextlib
import fcntl
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Self

from tsad_core import TsadError

from tsad_bench.outcome import Outcome

FILE = "journal.jsonl"
Of = Literal["cell", "judge"]
"""Whose outcome: of a cell, or of a detector that judges what others blame."""


class JournalError(TsadError):
    """A journal that does not exist, is in use, or cannot be written."""


class Journal:
    """An open journal; only one process holds it at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / FILE).open("a+b", buffering=0)
        except OSError as error:
            raise self._unwritable(str(error.strerror)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise JournalError(f"{folder.name} is being run by another process") from None
        self._file.truncate(_whole_bytes(folder / FILE))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, event: str, **content: Any) -> None:
        """Append one event; a disk that takes no more raises `JournalError`."""
        line = json.dumps({"event": event, "time": time.time(), **content}, separators=(",", ":"), allow_nan=False)
        try:
            whole = self._file.write(line.encode() + b"\n") == len(line.encode()) + 1
        except OSError as error:
            raise self._unwritable(str(error.strerror)) from error
        if not whole:
            raise self._unwritable("the disk is full")

    def _unwritable(self, why: str) -> JournalError:
        return JournalError(f"cannot write {self.folder / FILE}: {why}; mend that, then resume {self.folder.name}")

    def write_outcome(self, outcome: Outcome, of: Of = "cell") -> None:
        """Append how a cell, or a judge, ended."""
        self.write(of, **asdict(outcome))

    def outcomes(self, of: Of = "cell") -> dict[str, Outcome]:
        """Return every cell's outcome so far, or what every judge found, by its slot."""
        return {outcome.slot: outcome for outcome in read_outcomes(self.folder, of)}


def read_events(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a journal in order, without a last line that was cut short."""
    path = folder / FILE
    if not path.exists():
        raise JournalError(f"there is no execution {folder.name} in {folder.parent}")
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)


def read_start(folder: Path) -> dict[str, Any]:
    """Return the first event: what the execution was to do."""
    start = next(read_events(folder), None)
    if start is None or start["event"] != "start":
        raise JournalError(f"the journal of {folder.name} does not say what to run; begin a new run")
    return start


def read_outcomes(folder: Path, of: Of = "cell") -> Iterator[Outcome]:
    """Yield the outcomes in a journal, of cells or of judges, in the order in which they ended."""
    for event in read_events(folder):
        if event["event"] == of:
            yield Outcome(**{key: value for key, value in event.items() if key not in {"event", "time"}})


def executions(root: Path) -> list[Path]:
    """Return the folders under `root` that hold a journal, oldest first."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(
            (path.parent for path in root.glob(f"*/{FILE}")), key=lambda folder: (folder / FILE).stat().st_mtime
        )
    return []


def _whole_bytes(path: Path) -> int:
    """Return the length of the part of a file that ends in a newline."""
    content = path.read_bytes()
    return content.rfind(b"\n") + 1
