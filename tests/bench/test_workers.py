"""Runs in processes of their own: every way to fail is a status, two at once are the same to the last digit."""

import importlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from mlflow import MlflowClient
from tsad_bench import run_suite
from tsad_bench.journal import executions, read_outcomes
from tsad_bench.suite import parse_suite

FAULTY = Path(__file__).parent / "faulty"
HEAD = """
name = "mine"
headline = "auc-pr"
metrics = ["auc-pr", "f1", "hit-rate-100"]
"""
QUICK = (
    HEAD + 'detectors = ["trivial", "random"]\ndatasets = [{ name = "tiny", options = { count = 2 } }]\nseeds = [0, 1]'
)
# what hangs comes first: the others run beside it
FAULTS = (
    HEAD
    + """
detectors = ["hangs", "trivial", "raises", "exits", "quits", "killed", "hungry", "skips", "short", "nan", "mutates"]
datasets = [{ name = "tiny", options = { count = 1 } }]
[limits]
seconds = 12
memory_mb = 900
"""
)

pytestmark = pytest.mark.usefixtures("faulty", "store")


def run(text: str, *, jobs: int = 1) -> pd.DataFrame:
    return run_suite(parse_suite(text, source="here"), jobs=jobs, artifacts="none")


def test_every_way_to_fail_is_a_status_with_its_reason() -> None:
    frame = run(FAULTS, jobs=2).set_index("detector")
    assert frame["status"].to_dict() == {
        "trivial": "done",
        "raises": "failed",
        "exits": "failed",
        "quits": "failed",
        "killed": "failed",
        "hungry": "out-of-memory",
        "skips": "skipped",
        "short": "failed",
        "nan": "failed",
        "mutates": "failed",
        "hangs": "timed-out",
    }
    words = {
        "raises": "ZeroDivisionError: on purpose",
        "exits": "exited with code 3",
        "quits": "exited with code 1",
        "killed": "SIGKILL",
        "hungry": "the limit is 900 MiB",
        "skips": "needs 3 channels or more",
        "short": "10 scores for 11 steps",
        "nan": "not finite at step 0",
        "mutates": "read-only",
        "hangs": "took over 12 s",
    }
    assert {name: words[name] in frame.loc[name, "reason"] for name in words} == dict.fromkeys(words, True)
    assert frame.drop(index="trivial")["auc-pr"].isna().all()
    client = MlflowClient(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    cells = client.get_experiment_by_name("mine/cells").experiment_id
    (raised,) = client.search_runs([cells], "tags.`tsad.detector` = 'raises'")
    assert raised.data.tags["tsad.rerun"] == f"tsad-bench rerun {raised.info.run_id}"
    trace = Path(client.download_artifacts(raised.info.run_id, "traceback.txt")).read_text()
    assert 'raise ZeroDivisionError("on purpose")' in trace


def test_a_detector_that_dies_and_leaves_a_child_behind_is_found_out_at_once() -> None:
    frame = run(HEAD + 'detectors = ["forks"]\ndatasets = [{ name = "tiny", options = { count = 1 } }]')
    assert frame["status"].tolist() == ["failed"]
    assert "exited with code 7" in frame["reason"][0]
    assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "313"]]


def test_what_a_detector_leaks_is_not_held_against_the_next() -> None:
    # a cell of leaky takes some 300 MiB, two in one worker 500; trivial is slow enough for its worker to be looked at
    trivial = '{ name = "trivial", options = { pause = 0.5 } }'
    frame = run(HEAD + f'detectors = ["leaky", {trivial}]\ndatasets = ["tiny"]\n[limits]\nmemory_mb = 450')
    assert set(frame["status"]) == {"done"}


def test_what_ends_while_its_look_ahead_is_measured_keeps_its_numbers() -> None:
    text = HEAD + 'detectors = ["weary", "trivial"]\ndatasets = [{ name = "tiny", options = { count = 2 } }]'
    frame = run(text)
    assert set(frame["status"]) == {"done"}
    assert frame["auc-pr"].notna().all()
    first = frame[frame["series"] == "t0"].set_index("detector")["look-ahead"]
    assert first["trivial"] == 0
    assert np.isnan(first["weary"])


def test_loading_libraries_is_not_the_detectors_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # loaded here already, and at once: the worker alone takes longer than a cell may
    importlib.import_module("tsad_tardy")
    monkeypatch.setenv("TARDY_SECONDS", "4.5")
    suite = 'detectors = ["tardy"]\ndatasets = [{ name = "tiny", options = { count = 1 } }]\n[limits]\nseconds = 4'
    assert run(HEAD + suite)["status"].tolist() == ["done"]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder without a store in which two processes began to run the same suite at once, and finished."""
    folder = tmp_path_factory.mktemp("twice")
    (folder / "mine.toml").write_text(QUICK)
    command = [sys.executable, "-m", "tsad_bench", "run", "--suite", "mine.toml", "--jobs", "1", "--artifacts", "none"]
    how = {"cwd": folder, "env": plain_environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    both = [subprocess.Popen(command, text=True, **how) for _ in range(2)]
    told = [process.communicate(timeout=240)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    return folder


def plain_environment() -> dict[str, str]:
    """Return what the tests of this folder run in; a fixture of a module comes before theirs."""
    plain = {name: text for name, text in os.environ.items() if name not in {"MLFLOW_TRACKING_URI", "TSAD_PLUGINS"}}
    return plain | {"PYTHONPATH": str(FAULTY)}


def test_two_first_runs_at_once_share_a_store(twice: Path) -> None:
    with sqlite3.connect(twice / "mlflow.db") as store:
        assert store.execute("select count(*) from runs where status <> 'FINISHED'").fetchone() == (0,)
        assert store.execute("select count(*) from runs").fetchone() == (2 * (8 + 3),)


def test_the_same_seed_gives_the_same_numbers_to_the_last_digit(twice: Path) -> None:
    first, second = (
        {outcome.slot: (outcome.key, outcome.metrics, outcome.draws) for outcome in read_outcomes(folder)}
        for folder in executions(twice / "tsad-runs")
    )
    assert first == second
    assert len(first) == 8
    assert all({"auc-pr", "f1"} <= metrics.keys() for _, metrics, _ in first.values())
