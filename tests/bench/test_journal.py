"""The journal: append-only, survives being cut short, held by one process."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tsad_bench.journal import FILE, Journal, JournalError, executions, read_start
from tsad_bench.outcome import Outcome


def test_outcomes_come_back_as_they_were(tmp_path: Path) -> None:
    outcome = Outcome("a", "done", metrics={"auc-pr": 0.1 + 0.2}, draws={"auc-pr": [0.1]}, facts={"x": None})
    with Journal(tmp_path / "run") as journal:
        journal.write_outcome(outcome)
        assert journal.outcomes() == {"a": outcome}


@pytest.mark.parametrize("torn", ['{"event":"cell","slot":"b"', "{", '{"event":"cell","slot":"b"}'])
def test_a_line_cut_short_is_dropped_and_the_next_one_is_whole(tmp_path: Path, torn: str) -> None:
    with Journal(tmp_path / "run") as journal:
        journal.write_outcome(Outcome("a"))
    with (tmp_path / "run" / FILE).open("a") as file:
        file.write(torn)
    with Journal(tmp_path / "run") as journal:
        journal.write_outcome(Outcome("c"))
        assert list(journal.outcomes()) == ["a", "c"]
    lines = (tmp_path / "run" / FILE).read_text().splitlines()
    assert [json.loads(line)["slot"] for line in lines] == ["a", "c"]


def test_two_processes_cannot_run_one_execution(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from tsad_bench.journal import Journal; Journal(Path({str(tmp_path / 'run')!r}))"
    with Journal(tmp_path / "run"):
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is being run by another process" in other.stderr
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_full_disk_is_one_clear_line_and_costs_no_earlier_cell(tmp_path: Path) -> None:
    with Journal(tmp_path / "run") as journal:
        journal.write_outcome(Outcome("a"))
        size = (tmp_path / "run" / FILE).stat().st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, before[1]))
        try:
            with pytest.raises(JournalError, match="resume run"):
                journal.write_outcome(Outcome("b"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
    with Journal(tmp_path / "run") as journal:
        assert list(journal.outcomes()) == ["a"]


def test_an_execution_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no execution nothing"):
        read_start(tmp_path / "nothing")
    assert executions(tmp_path / "nothing") == []


def test_a_journal_without_its_first_line_cannot_be_resumed(tmp_path: Path) -> None:
    Journal(tmp_path / "run").__exit__()
    with pytest.raises(JournalError, match="begin a new run"):
        read_start(tmp_path / "run")
