"""How one cell ended: everything that is recorded about it, and what every job of an execution shares."""

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tsad_core import DataError, Skip

from tsad_bench.suite import Choice, Faithfulness

logger = logging.getLogger(__name__)

Status = Literal["done", "skipped", "failed", "timed-out", "out-of-memory", "waiting"]
"""How a cell ended; ``waiting`` stands only in reports on an execution that is not finished."""
Artifacts = Literal["none", "scores", "all"]

REASON, TRACEBACK = 300, 20_000
"""Most characters that are recorded of each."""


@dataclass(frozen=True)
class Settings:
    """What every job of an execution shares."""

    metrics: Mapping[str, Choice]
    folder: str
    """Where a cell's artefacts are written."""
    headline: str = ""
    """The metric that is also computed by kind of anomaly, if any."""
    pictures: frozenset[str] = frozenset()
    """Slots of the cells that get one."""
    probed: frozenset[str] = frozenset()
    """Slots of the cells whose detector's look-ahead is measured."""
    faithfulness: Faithfulness | None = None
    """What the probe of faithfulness may cost; none if it is not wanted."""
    home: str | None = None
    artifacts: Artifacts = "scores"
    threads: int = 1


@dataclass
class Outcome:
    """How one cell ended: everything that is recorded about it, ready for JSON."""

    slot: str = ""
    status: Status = "done"
    reason: str = ""
    traceback: str = ""
    key: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    draws: dict[str, list[float | None]] = field(default_factory=dict)
    """Of a detector that is reported as a distribution: each metric's value in every draw, if it has one."""
    costs: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    started: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True)
class Held:
    """An outcome that stands should the process end before it can say more of the cell."""

    outcome: Outcome


def ended(error: Exception) -> Outcome:
    """Turn what a cell raised into its outcome."""
    if isinstance(error, Skip):
        return Outcome(status="skipped", reason=brief(str(error)))
    out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    text = _printable("".join(traceback.format_exception(error))[-TRACEBACK:])
    logger.warning("a cell failed\n%s", text)
    reason = brief(f"{type(error).__name__}: {error}".rstrip(": "))
    return Outcome(status="out-of-memory" if out_of_memory else "failed", reason=reason, traceback=text)


def unread(error: DataError) -> Outcome:
    """Turn what reading a series raised into an outcome: the data is at fault, so there is no traceback."""
    return Outcome(status="failed", reason=brief(str(error)), facts={"fault": "data"})


def brief(text: str) -> str:
    """Return the first line, in characters that every file and store takes."""
    line = next(iter(text.strip().splitlines()), "")
    return _printable(line if len(line) <= REASON else f"{line[:REASON]}…")


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
