"""The estimate before the first cell: sums that a person can check, from journals made by hand."""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner
from tsad_bench import journal as journals
from tsad_bench import runner
from tsad_bench.cells import Cell, Job
from tsad_bench.cli import cli
from tsad_bench.estimate import estimate, read_times, record
from tsad_bench.journal import FILE, Journal
from tsad_bench.order import make_order
from tsad_bench.outcome import Outcome
from tsad_bench.progress import Silent
from tsad_bench.suite import Limits, read_suite
from tsad_core import find_plugins

HALF_AN_HOUR = Limits(seconds=1800)
TWO = """
name = "two"
headline = "auc-pr"
metrics = ["auc-pr"]
detectors = ["moving-average"]
datasets = [{ name = "synthetic", series = ["sines-0", "sines-1"] }]
"""


def cell(detector: str, series: str = "a", *, dataset: str = "ucr", condition: str = "clean", **options: int) -> Cell:
    return Cell(detector, detector, dataset, series, condition=condition, options=options)


def alone(*cells: Cell) -> list[Job]:
    return [Job((one,)) for one in cells]


def timed(
    root: Path,
    name: str,
    jobs: list[Job],
    spans: list[tuple[float, float]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    status: str = "done",
    old: bool = False,
) -> None:
    """Write a journal as a run would, each cell begun at the first of its two times and written at the second."""
    cells = [cell for job in jobs for cell in job.cells]
    with Journal(root / name) as journal:
        journal.write("start", execution=name, **({} if old else {"jobs": record(jobs)}))
        for one, (started, written) in zip(cells, spans, strict=True):
            monkeypatch.setattr(journals.time, "time", lambda written=written: written)
            journal.write_outcome(Outcome(one.slot, status, "as it were", started=started, ended=started))
    monkeypatch.undo()


def told(jobs: list[Job], root: Path, *, workers: int = 1) -> str:
    return estimate(jobs, root, workers=workers, limits=HALF_AN_HOUR)


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_without_a_journal_only_the_limit_is_known(tmp_path: Path, folder: str) -> None:
    jobs = [*alone(cell("pca"), cell("pca", "b")), Job((cell("mma"), cell("mma", condition="white-noise-10")))]
    assert told(jobs, tmp_path / folder, workers=3) == (
        "no earlier cell here to estimate from: at most 60 min with 3 workers, if each takes its limit of 30 min"
    )


def test_nothing_to_run_says_nothing(tmp_path: Path) -> None:
    assert not told([], tmp_path)


def test_cells_that_were_timed_take_as_long_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = alone(cell("pca"), cell("pca", "b"), cell("mma"))
    timed(tmp_path, "one", jobs, [(0, 10), (10, 30), (30, 70)], monkeypatch)
    assert told(jobs, tmp_path) == "about 70 s with 1 worker, by 1 execution here"
    assert told(jobs, tmp_path, workers=2) == "about 50 s with 2 workers, by 1 execution here"
    assert told(jobs, tmp_path, workers=9) == "about 40 s with 3 workers, by 1 execution here"
    assert told(jobs[1:], tmp_path) == "about 60 s with 1 worker, by 1 execution here"


@pytest.mark.parametrize("old", [True, False])
def test_the_newest_time_counts_and_a_journal_without_groups_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    jobs = alone(cell("pca"), cell("pca", "b"))
    timed(tmp_path, "z-older", jobs, [(0, 10), (10, 20)], monkeypatch, old=old)
    os.utime(tmp_path / "z-older" / FILE, (0, 0))
    timed(tmp_path, "a-newer", jobs[:1], [(100, 150)], monkeypatch, old=old)
    assert told(jobs, tmp_path) == "about 60 s with 1 worker, by 2 executions here"
    assert told(jobs[:1], tmp_path) == "about 50 s with 1 worker, by 1 execution here"


def test_another_series_takes_the_mean_of_its_data_set_in_whatever_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = alone(*(cell("mma", series, seed=seed) for seed, series in enumerate("abc")))
    before += alone(cell("mma", dataset="smd", seed=0), cell("pca"))
    timed(tmp_path, "one", before, [(0, 10), (10, 20), (20, 150), (40, 1000), (0, 900)], monkeypatch)
    assert told(alone(cell("mma", "d", seed=7)), tmp_path) == "about 50 s with 1 worker, by 1 execution here"


def test_another_data_set_takes_the_mean_of_all_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = alone(cell("mma"), cell("mma", dataset="smd"))
    timed(tmp_path, "one", before, [(0, 10), (10, 60)], monkeypatch)
    jobs = alone(cell("mma"), cell("mma", dataset="asd"))
    assert told(jobs, tmp_path) == "about 40 s with 1 worker, by 1 execution here (1 cell by other data sets)"


@pytest.mark.parametrize("unseen", [cell("amsl"), cell("mma", window=256)], ids=["detector", "options"])
def test_what_was_never_timed_is_counted_with_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unseen: Cell
) -> None:
    timed(tmp_path, "one", alone(cell("mma", window=64)), [(0, 600)], monkeypatch)
    assert told(alone(cell("mma", window=64), unseen), tmp_path) == (
        "about 10 min with 1 worker, by 1 execution here, without 1 cell never timed here; "
        "40 min if each of these takes its limit of 30 min"
    )


def test_time_that_cells_of_a_job_share_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Job(tuple(cell("mma", condition=name) for name in ("clean", "white-noise-10", "white-noise-0")))
    timed(tmp_path, "lost", [shared], [(0, 60), (0, 60), (0, 60)], monkeypatch, status="timed-out")
    assert told([shared], tmp_path) == "about 60 s with 1 worker, by 1 execution here"
    os.utime(tmp_path / "lost" / FILE, (0, 0))
    timed(tmp_path, "probed", [shared], [(0, 80), (20, 30), (30, 45)], monkeypatch)
    assert told([shared], tmp_path) == "about 80 s with 1 worker, by 1 execution here"


def test_a_night_between_two_cells_of_a_job_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Job((cell("mma"), cell("mma", condition="white-noise-10")))
    timed(tmp_path, "resumed", [shared], [(0, 20), (40_000, 40_030)], monkeypatch)
    assert told([shared], tmp_path) == "about 50 s with 1 worker, by 1 execution here"


def test_a_fault_is_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(tmp_path, "one", alone(cell("mma")), [(0, 1)], monkeypatch, status="failed")
    assert told(alone(cell("mma")), tmp_path).startswith("no earlier cell here")


def test_a_lower_limit_than_before_is_kept_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(tmp_path, "one", alone(cell("mma")), [(0, 600)], monkeypatch)
    line = estimate(alone(cell("mma")), tmp_path, workers=1, limits=Limits(seconds=60))
    assert line == "about 60 s with 1 worker, by 1 execution here"


def test_a_clock_that_went_back_takes_no_time_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = alone(cell("mma"), cell("pca"))
    timed(tmp_path, "one", jobs, [(100, 30), (0, 40)], monkeypatch)
    assert told(jobs, tmp_path) == "about 40 s with 1 worker, by 1 execution here"


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"\n",
        b"\xff\xfe\x00\n",
        b"[]\n",
        b"7\n",
        b'{"time":1}\n',
        b'{"event":"start","jobs":null}\n',
        b'{"event":"start","jobs":{"a":{"b":[[]]}}}\n',
        b'{"event":"start"}\n{"event":"cell",\n',
        b'{"event":"start"}\n{"event":"cell","time":1,"reason":"","started":0}\n',
        b'{"event":"start"}\n{"event":"cell","time":"x","slot":"a","status":"done","reason":"","started":0}\n',
        b'{"event":"start"}\n{"event":"cell","time":1,"slot":[],"status":"done","reason":"","started":0}\n',
    ],
)
def test_a_broken_journal_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: bytes) -> None:
    jobs = alone(cell("mma"))
    timed(tmp_path, "whole", jobs, [(0, 10)], monkeypatch)
    os.utime(tmp_path / "whole" / FILE, (0, 0))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / FILE).write_bytes(lines)
    assert told(jobs, tmp_path) == "about 10 s with 1 worker, by 1 execution here"


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = alone(cell("mma"), cell("pca"))
    timed(tmp_path, "one", jobs, [(0, 10), (10, 30)], monkeypatch)
    path = tmp_path / "one" / FILE
    path.write_bytes(path.read_bytes()[:-1])
    assert list(read_times(jobs, tmp_path).seconds) == [jobs[0].cells[0].slot]


def test_times_are_read_from_between_reasons_and_facts_that_look_like_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = cell("mma")
    odd = ',"started":5,"reason":"'
    with Journal(tmp_path / "one") as journal:
        journal.write("start", jobs=record(alone(one)))
        monkeypatch.setattr(journals.time, "time", lambda: 50.0)
        journal.write_outcome(Outcome(one.slot, "done", odd, odd, facts={"x": odd, "started": 9}, started=20, ended=30))
    monkeypatch.undo()
    assert read_times(alone(one), tmp_path).seconds == {one.slot: 30.0}


def test_what_the_journal_keeps_of_jobs_is_json_that_tells_them_apart() -> None:
    jobs = alone(cell("mma", seed=0), cell("mma", seed=1), cell("mma", window=9), cell("mma", dataset="smd"))
    jobs += alone(dataclasses.replace(cell("mma"), dataset_options={"count": 2}))
    kept = json.loads(json.dumps(record(jobs)))
    assert sorted([len(fits) for datasets in kept.values() for fits in datasets.values()]) == [1, 1, 1, 2]
    assert sorted(len(datasets) for datasets in kept.values()) == [1, 3]


class Said(Silent):
    """Keeps what a run says, and where its cells ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def ended(self, cell: Cell, outcome: Outcome) -> None:
        self.lines.append(outcome.status)

    def say(self, message: str) -> None:
        self.lines.append(message)


def at_once(jobs: Sequence[Job], *_: object, **__: object) -> Iterator[Outcome]:
    now = time.time()
    return (Outcome(cell.slot, "skipped", started=now, ended=now) for job in jobs for cell in job.cells)


def test_a_run_tells_once_before_its_first_cell_and_the_next_one_knows_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run_jobs", at_once)
    logbook = Mock(Logbook=Mock(return_value=Mock(failure="")))
    monkeypatch.setitem(sys.modules, "tsad_bench.logbook", logbook)  # the real one imports MLflow
    registry = find_plugins()
    suite = Path("two.toml")
    suite.write_text(TWO)
    order = make_order(read_suite(str(suite)), registry, options={}, jobs=1)
    runner.begin(order, registry, progress=(first := Said()))
    assert first.lines[0].startswith("no earlier cell here to estimate from: at most ")
    assert first.lines[1:] == ["skipped", "skipped"]

    known = "about 1 s with 1 worker, by 1 execution here"
    path = Path(runner.ROOT, execution := runner.newest_execution(), FILE)
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(whole[:2]))
    runner.resume(execution, progress=(rest := Said()))
    assert rest.lines == [known, "skipped"]
    runner.resume(execution, progress=(nothing := Said()))
    assert nothing.lines == []

    dry = CliRunner().invoke(cli, ["run", "--suite", str(suite), "--jobs", "1", "--dry-run"])
    assert (dry.stderr, len(dry.stdout.splitlines())) == (f"{known}\n", 2)
