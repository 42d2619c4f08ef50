"""`tsad-bench data health`: what is solved, what comes twice, what cannot be read."""

import csv
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from click.testing import CliRunner
from tsad_bench.cli import cli
from tsad_core import Array

STEPS = 400


def call(*arguments: str, home: Path | None = None):
    return CliRunner().invoke(cli, ["data", "health", *arguments], env={"TSAD_DATA": str(home) if home else None})


def lay(home: Path, number: int, values_T: Array, *, begin: int = 300, end: int = 302) -> Path:
    """Lay a series of the archive; its training part is the first half."""
    path = home / "ucr" / f"{number:03}_UCR_Anomaly_s_{STEPS // 2}_{begin}_{end}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(" ".join(str(value) for value in values_T), encoding="utf-8")
    return home


def wave(seed: int = 0, spike: float = 0.0) -> Array:
    values_T = np.sin(np.arange(STEPS) * 2 * np.pi / 20) + np.random.default_rng(seed).normal(0, 0.1, STEPS)
    values_T[300] += spike
    return values_T


def rows(*arguments: str, home: Path) -> list[dict[str, str]]:
    result = call(*arguments, "--format", "csv", "--jobs", "1", home=home)
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_a_spike_is_solved_by_a_moving_average_and_nothing_at_all_is_not(tmp_path: Path) -> None:
    lay(tmp_path, 1, wave(spike=9.0))
    lay(tmp_path, 2, wave(seed=1), begin=350, end=351)
    first, second = rows("ucr", home=tmp_path)
    assert "moving-average" in first["solved_by"].split()
    assert second["solved_by"] == ""
    assert (first["train_steps"], first["test_steps"], first["events"], first["channels"]) == ("200", "200", "1", "1")


def test_twins_and_doubles_are_named(tmp_path: Path) -> None:
    lay(tmp_path, 1, wave(0))
    lay(tmp_path, 2, wave(1), begin=100 + 150, end=260)
    lay(tmp_path, 3, wave(1))
    lay(tmp_path, 4, wave(1) + 1)
    found = {row["series"]: row for row in rows("ucr", home=tmp_path)}
    assert found["001-s"]["twins"].split() == ["003-s", "004-s"]
    assert found["003-s"]["doubles"].split() == ["002-s"]
    assert found["002-s"]["twins"] == found["004-s"]["doubles"] == ""
    text = call("ucr", "--jobs", "1", home=tmp_path).stdout
    assert "001-s = 003-s = 004-s" in text
    assert "002-s = 003-s" in text
    assert "twin of an earlier one         2  2 without these" in text


def test_the_summary_counts_each_flag_and_says_what_it_means(tmp_path: Path) -> None:
    lay(tmp_path, 1, wave(), begin=399, end=400)
    lay(tmp_path, 2, wave(), begin=201, end=300)
    lay(tmp_path, 3, np.ones(STEPS))
    text = " ".join(call("ucr", "--jobs", "1", home=tmp_path).stdout.split())
    assert "of 3 series" in text
    assert "dense 1 more than 10% of the test part is anomalous" in text
    assert "ends-in-anomaly 1 the test part ends in an anomaly" in text
    assert "constant-channels 1 a channel has one value over the whole series" in text
    assert "none: no-labels, no-anomaly, train-anomalies" in text
    assert "003-s 1 1.50% constant-channels" in text


def test_what_cannot_be_read_is_one_line_and_the_others_are_examined(tmp_path: Path) -> None:
    lay(tmp_path, 1, wave()[:350], begin=360)
    lay(tmp_path, 2, wave(spike=9.0))
    result = call("ucr", "--jobs", "1", home=tmp_path)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "001_UCR_Anomaly_s_200_360_302.txt holds 350 values" in result.stderr
    assert "solved by moving-average" in result.stdout
    assert "cannot be read" in result.stdout
    broken, whole = rows("ucr", home=tmp_path)
    assert "holds 350 values" in broken["fault"]
    assert (broken["events"], whole["fault"]) == ("", "")


def test_nothing_that_can_be_read_is_still_a_table_and_a_csv(tmp_path: Path) -> None:
    lay(tmp_path, 1, wave()[:10])
    result = call("ucr", "--jobs", "1", home=tmp_path)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert rows("ucr", home=tmp_path)[0]["series"] == "001-s"


def test_several_processes_find_the_same_in_the_same_order(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        lay(tmp_path, number, wave(number, spike=3.0 * number))
    one, two = (call("ucr", "--format", "csv", "--jobs", jobs, home=tmp_path).stdout for jobs in "12")
    assert one == two
    assert [line.split(",")[1] for line in one.splitlines()[1:]] == ["001-s", "002-s", "003-s"]


def test_a_generated_data_set_takes_options_and_a_control_its_own(tmp_path: Path) -> None:
    options = ["--set", "synthetic.count=1", "--set", "pca.window=12", "--jobs", "1", "--format", "csv"]
    result = call("synthetic", *options)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.usefixtures("faulty")
def test_whatever_a_third_party_raises_is_one_line_that_names_it() -> None:
    result = call("unreadable", "tiny:t1", "--jobs", "1")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: data set unreadable of tsad-faulty: u0 raised OSError: no such luck",
    ]
    assert "t1" in result.stdout


def test_a_series_named_twice_is_examined_once(tmp_path: Path) -> None:
    lay(tmp_path, 1, wave())
    lay(tmp_path, 2, wave())
    assert [row["series"] for row in rows("ucr:002-s", "ucr", "ucr:001-s", home=tmp_path)] == ["002-s", "001-s"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ucr:001-t"], "no series '001-t'; did you mean '001-s'?"),
        (["usr"], "did you mean 'ucr'"),
        (["ucr", "--set", "pcb.window=3"], "'pcb', which is not examined here; did you mean 'pca'?"),
        (["ucr", "--set", "pca.windw=3"], "did you mean 'window'"),
        (["ucr", "--set", "window"], "NAME.OPTION=VALUE"),
        (["smd"], "the Server Machine Dataset is not in"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = call(*arguments, "--jobs", "1", home=lay(tmp_path, 1, wave()))
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr


@pytest.mark.parametrize(("kind", "everybody"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_an_interrupt_ends_at_once_and_leaves_no_process(tmp_path: Path, kind: int, everybody: bool) -> None:
    for number in range(1, 200):
        lay(tmp_path, number, wave(number))
    command = [sys.executable, "-m", "tsad_bench", "data", "health", "ucr", "--jobs", "2"]
    # a test run in the background ignores interrupts, and what it starts would too
    inherited = signal.signal(kind, signal.SIG_DFL)
    environment = os.environ | {"TSAD_DATA": str(tmp_path)}
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
    signal.signal(kind, inherited)
    started = psutil.Process(process.pid)
    # two workers, and Python's tracker of their semaphores
    while process.poll() is None and len(started.children()) < 3:
        time.sleep(0.05)
    workers = started.children()
    # Ctrl-C reaches every process of a terminal
    os.killpg(process.pid, kind) if everybody else process.send_signal(kind)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), told
    assert told.splitlines() == ["", "stopped; nothing was kept"]
    deadline = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
