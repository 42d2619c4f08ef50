"""Broken files: one clear line each, exit code 2, no traceback, and the other series keep their numbers."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tsad_bench.cli import cli

STEPS = 60


def machine(home: Path, number: int, **files: str) -> None:
    """Lay a machine of the Server Machine Dataset, with some of its files replaced."""
    table = "\n".join(",".join(f"{value:.3f}" for value in row) for row in np.random.default_rng(0).random((STEPS, 3)))
    labels = "\n".join("1" if 30 <= step < 40 else "0" for step in range(STEPS))
    whole = {"train": table, "test": table, "test_label": labels}
    for part, text in {**whole, **files}.items():
        path = home / f"smd/ServerMachineDataset/{part}/machine-1-{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def call(*arguments: str):
    return CliRunner().invoke(cli, ["run", "--suite", "smoke", "--detector", "moving-average", *arguments])


@pytest.mark.usefixtures("store", "in_process")
def test_each_broken_file_is_one_line_and_the_whole_ones_keep_their_numbers(tmp_path: Path) -> None:
    machine(tmp_path, 1)
    machine(tmp_path, 2, test="\n".join(["0.1,0.2"] * STEPS))
    machine(tmp_path, 3, test="\n".join(["0.1,0.2,oops"] * STEPS))
    machine(tmp_path, 4, test_label="\n".join(["0"] * (STEPS - 1)))
    machine(tmp_path, 5, train="")
    result = call("--dataset", "smd", "--data-home", str(tmp_path), "--metric", "auc-roc", "--jobs", "1")
    assert result.exit_code == 2
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    words = {
        "machine-1-2": "has 2 channels, but",
        "machine-1-3": "is not a table of numbers",
        "machine-1-4": "59 labels for 60 steps",
        "machine-1-5": "is empty",
    }
    assert len(lines) == len(words)
    for line, (name, fault) in zip(lines, words.items(), strict=True):
        assert name in line
        assert fault in line
    assert "Traceback" not in result.output
    assert "1 of 5 done" in result.stdout
    assert "common subset" in result.stdout


def test_a_truncated_zip_is_one_line_before_anything_runs(tmp_path: Path) -> None:
    machine(tmp_path / "whole", 1)
    archive = tmp_path / "smd/ServerMachineDataset.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as made:
        for path in (tmp_path / "whole").rglob("*.txt"):
            made.write(path, path.relative_to(tmp_path / "whole"))
    archive.write_bytes(archive.read_bytes()[:-40])
    result = call("--dataset", "smd", "--data-home", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"Error: {archive} is not a whole zip archive (File is not a zip file); get it again"
    ]
    assert not Path("tsad-runs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "smd"], "put the folder ServerMachineDataset"),
        (["--dataset", "csv"], "csv.path"),
        (["--dataset", "csv", "--set", "csv.path=nowhere.csv"], "nowhere.csv"),
        (["--dataset", "synthetic", "--set", "synthetic.cuont=2"], "did you mean 'count'"),
    ],
)
def test_what_is_missing_or_misspelt_is_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = call(*arguments, "--data-home", str(tmp_path))
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert words in line


def test_a_file_of_ones_own_that_cannot_be_read_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("a,b\n1,2\n3,oops\n", encoding="utf-8")
    result = call("--dataset", "csv", "--set", f"csv.path={file}", "--metric", "auc-roc")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "row 3, column 'b': 'oops' is not a number" in line
    assert not Path("tsad-runs").exists()
