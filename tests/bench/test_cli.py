"""The command line: quick to start, one line an error, clean at Ctrl-C."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from tsad_bench.cli import cli

TOML = """
name = "mine"
headline = "auc-pr"
metrics = ["auc-pr"]
detectors = ["trivial"]
datasets = [{ name = "tiny", options = { count = 4 } }]
"""


def call(*arguments: str):
    return CliRunner().invoke(cli, arguments)


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, tsad_bench.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "tsad_bench.cli" in loaded
    assert {"torch", "pandas", "sklearn", "mlflow", "matplotlib", "numpy", "pydantic"} & {*loaded} == set()


def test_help_and_version_answer() -> None:
    assert "resume" in call("--help").output
    assert call("--version").output.startswith("tsad-bench, version ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--suite", "smok"], "no suite named 'smok'"),
        (["run", "--suite", "smoke", "--detector", "k-mean"], "did you mean 'k-means'"),
        (["run", "--suite", "smoke", "--dataset", "synthetic:sines-9"], "no series 'sines-9'"),
        (["run", "--suite", "smoke", "--set", "k-means.windw=3"], "did you mean 'window'"),
        (["run", "--suite", "smoke", "--set", "k-means.window=true"], "window = True"),
        (["run", "--suite", "smoke", "--set", "window=3"], "NAME.OPTION=VALUE"),
        (["run", "--suite", "smoke", "--metric", "auc"], "did you mean"),
        (["run", "--suite", "smoke", "--dataset", "ucr", "--data-home", "nowhere"], "ucr"),
        (["resume", "nothing"], "no execution nothing"),
        (["resume"], "there is no execution"),
        (["rerun", "abc", "--tracking-uri", "sqlite:///x.db"], "there is no MLflow store"),
        (["report", "--tracking-uri", "sqlite:///x.db"], "there is no MLflow store"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_exit_code_2(arguments: list[str], words: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not Path("tsad-runs").exists()


def test_a_dry_run_prints_the_cells_and_runs_nothing() -> None:
    result = call("run", "--suite", "smoke", "--detector", "pca", "--dry-run")
    assert [line.split()[1:4] for line in result.stdout.splitlines()] == [
        ["pca", "on", "synthetic:sines-0,"],
        ["pca", "on", "synthetic:sines-1,"],
    ]
    assert list(Path.cwd().iterdir()) == []


def test_list_names_what_the_plugins_offer() -> None:
    assert "moving-average" in call("list", "detectors").stdout
    assert "ucr" in call("list", "datasets").stdout
    assert "vus-pr" in call("list", "metrics").stdout
    assert "robustness" in call("list", "suites").stdout


def test_check_names_plugins_data_and_store(tmp_path: Path) -> None:
    result = call("check", "--data-home", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "tsad-core 0.1.0" in result.stdout
    assert "synthetic: 6 series" in result.stdout
    assert "the first run makes it" in result.stdout


def test_completion_scripts_are_printed() -> None:
    assert "_TSAD_BENCH_COMPLETE=bash_complete" in call("completion", "bash").stdout


@pytest.mark.usefixtures("faulty", "store", "in_process")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_cleanly_and_says_how_to_resume(own_folder: Path, kind: signal.Signals) -> None:
    (own_folder / "mine.toml").write_text(TOML)
    command = [sys.executable, "-m", "tsad_bench", "run", "--suite", "mine.toml", "--jobs", "1"]
    slow = [*command, "--set", "trivial.pause=0.4"]
    # a test run in the background ignores interrupts, and what it starts would too
    inherited = signal.signal(kind, signal.SIG_DFL)
    process = subprocess.Popen(slow, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    signal.signal(kind, inherited)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and b'"cell"' not in b"".join(
        path.read_bytes() for path in own_folder.glob("tsad-runs/*/journal.jsonl")
    ):
        time.sleep(0.1)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    process.send_signal(kind)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert "tsad-bench resume mine-" in told
    assert _open_runs(own_folder) == 0
    assert [worker for worker in workers if worker.is_running()] == []
    again = call("resume")
    assert again.exit_code == 0, again.output
    assert "1.000" in again.stdout


def _open_runs(folder: Path) -> int:
    import sqlite3

    with sqlite3.connect(folder / "mlflow.db") as store:
        return store.execute("select count(*) from runs where status = 'RUNNING'").fetchone()[0]


@pytest.mark.usefixtures("faulty", "store", "in_process")
def test_a_run_in_which_nothing_is_done_ends_in_a_failure() -> None:
    Path("mine.toml").write_text(TOML.replace('"trivial"', '"raises"'))
    result = call("run", "--suite", "mine.toml", "--jobs", "1")
    assert result.exit_code == 1
    assert "no cell is done" in result.stderr
