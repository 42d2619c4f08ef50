"""What an execution was: suite, command, versions, data, metric cards, from the store and its journal."""

import contextlib
import json
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tsad_core import Array, TsadError

from tsad_bench.artifacts import SCORES, read_scores
from tsad_bench.journal import JournalError, read_start
from tsad_bench.report.pipe import cells_of_pipes
from tsad_bench.tracking import Run, cell_runs, fetch_scores, read_parent, read_text

CARDS = "metrics.md"


@dataclass(frozen=True)
class Record:
    """What a page says of an execution beside its results."""

    execution: str
    suite: str = ""
    summary: str = ""
    lacks: str = ""
    """What is missing from the results, if the execution is not finished."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """When, where and from which commit it ran, by what command."""
    versions: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[tuple[str, int, str]] = ()
    """Name, number of series and digest of each data set."""
    cards: Sequence[Sequence[str]] = ()
    """The table of metric cards, its heads first."""


@dataclass(frozen=True)
class Scores:
    """Scores that a cell kept, with the labels of the steps."""

    scores_T: Array
    labels_T: Array


def read_record(uri: str, execution: str | None = None, *, lacks: str = "", root: Path = Path("tsad-runs")) -> Record:
    """Return the record of an execution, by default the newest.

    The command stands in its journal alone, so it is told where that is at hand, in `root`.
    """
    parent = read_parent(uri, execution)
    tags = parent.data.tags
    versions = {name.removeprefix("tsad.version."): tags[name] for name in sorted(tags) if "tsad.version." in name}
    return Record(
        execution=tags["tsad.execution"],
        suite=tags["tsad.suite"],
        summary=tags.get("mlflow.note.content", "").partition("\n")[0],
        lacks=lacks,
        facts=_facts(parent, root / tags["tsad.execution"]),
        versions=versions,
        datasets=_datasets(parent),
        cards=_cards(uri, parent),
    )


def read_kept(uri: str, suite: str, execution: str, slot: str) -> Scores | None:
    """Return the scores that a cell kept, with its labels; None where either is not there."""
    with contextlib.suppress(TsadError, OSError), tempfile.TemporaryDirectory() as folder:
        for run in cell_runs(uri, execution, suite, slot=slot):
            fetch_scores(uri, run.info.run_id, Path(folder))
            return _scores(Path(folder))
    return None


def _scores(folder: Path) -> Scores | None:
    import pandas as pd

    scores_T, _ = read_scores(folder)
    labels = pd.read_parquet(folder / SCORES, columns=["label"])["label"].iloc[: len(scores_T)]
    return None if labels.isna().any() else Scores(scores_T, np.asarray(labels, dtype=bool))


def _facts(parent: Run, folder: Path) -> dict[str, str]:
    tags, info = parent.data.tags, parent.info
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(info.start_time / 1000))
    lasted = f", {(info.end_time - info.start_time) / 60000:.1f} minutes" if info.end_time else ""
    told = {
        "command": _command(folder),
        "began": began + lasted,
        "system": tags.get("tsad.system", ""),
        "commit": tags.get("tsad.commit", ""),
    }
    return {name: text for name, text in told.items() if text}


def _command(folder: Path) -> str:
    """Return the command line, without the folder of the program."""
    try:
        program, *arguments = read_start(folder).get("command") or [""]
    except JournalError:
        return ""
    return shlex.join([Path(program).name, *arguments]) if program else ""


def _datasets(parent: Run) -> list[tuple[str, int, str]]:
    used = [one.dataset for one in parent.inputs.dataset_inputs] if parent.inputs else []
    return [(one.name, int(json.loads(one.profile or "{}").get("series", 0)), one.digest) for one in used]


def _cards(uri: str, parent: Run) -> list[list[str]]:
    """Return the cards as the execution logged them; none if it has not come so far."""
    with contextlib.suppress(TsadError):
        if text := read_text(uri, parent, CARDS):
            return cells_of_pipes(text)
    return []
