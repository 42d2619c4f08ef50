"""`tsad-bench new`: a package that works as it is, whole or not at all."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from tsad_bench.cli import cli

ODD = ["", ".", "../x", "a/b", "tsad-", "tsad-3d", "Tsad-Foo", "tsad_foo", "tsad foo", "tsad--foo", "-x", "tsad-é"]
TAKEN = [
    ("tsad-core", "Python already has tsad_core"),
    ("numpy", "Python already has numpy"),
    ("json", "Python already has json"),
    ("lambda", "Python already has lambda"),
    ("tsad-k-means", "tsad-core offers k-means"),
    ("tsad-none", "class None"),
    ("tsad-detection", "class Detection"),
    ("tsad-self", "class Self"),
]


def new(*arguments: str):
    return CliRunner().invoke(cli, ["new", *arguments])


def inside(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize(("name", "words"), [(name, "cannot name a package") for name in ODD] + TAKEN)
def test_a_name_that_cannot_be_used_is_one_line_and_nothing_is_written(own_folder: Path, name: str, words: str) -> None:
    result = new("--into", "deep/er", "--", name)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert inside(own_folder) == []


def test_a_folder_that_holds_something_is_left_alone(own_folder: Path) -> None:
    (own_folder / "tsad-mine").mkdir()
    (own_folder / "tsad-mine" / "thesis.tex").write_text("three years")
    result = new("tsad-mine")
    assert result.exit_code == 2
    assert "not an empty folder" in result.stderr
    assert inside(own_folder) == [own_folder / "tsad-mine", own_folder / "tsad-mine" / "thesis.tex"]


def test_a_file_of_that_name_is_left_alone(own_folder: Path) -> None:
    (own_folder / "tsad-mine").write_text("a file")
    assert new("tsad-mine").exit_code == 2
    assert inside(own_folder) == [own_folder / "tsad-mine"]


def test_an_empty_folder_is_filled(own_folder: Path) -> None:
    (own_folder / "tsad-mine").mkdir()
    assert new("tsad-mine").exit_code == 0
    assert (own_folder / "tsad-mine" / "pyproject.toml").exists()


def test_a_folder_that_cannot_be_made_is_one_line(own_folder: Path) -> None:
    (own_folder / "file").write_text("in the way")
    result = new("tsad-mine", "--into", "file")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: cannot write file/tsad-mine: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_package_whose_writing_is_interrupted_is_not_there(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, left = Path.write_text, iter(range(3))

    def stopping(path: Path, text: str, **how: str) -> int:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return write(path, text, **how)

    monkeypatch.setattr(Path, "write_text", stopping)
    assert new("tsad-mine").exit_code == 1
    assert inside(own_folder) == []


@pytest.mark.parametrize(
    ("name", "module", "entry", "cls"),
    [
        ("tsad-my-detector", "tsad_my_detector", "my-detector", "MyDetector"),
        ("tsad-foo-bar", "tsad_foo_bar", "foo-bar", "FooBar"),
        ("robust2", "robust2", "robust2", "Robust2"),
    ],
)
def test_names_follow_from_that_of_the_package(own_folder: Path, name: str, module: str, entry: str, cls: str) -> None:
    assert new(name).exit_code == 0
    folder = own_folder / name
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["entry-points"]) == (name, {"tsad": {entry: f"{module}.plugin"}})
    plugin = (folder / "src" / module / "plugin.py").read_text()
    assert f'Entry("{entry}", "{module}.detector:{cls}"' in plugin
    assert f'Entry("{entry}-waves", "{module}.dataset:waves"' in plugin
    assert f'Entry("{entry}-recall", "{module}.metric:recall"' in plugin
    assert [path.name for path in (folder / "tests").iterdir()] == [f"test_{entry.replace('-', '_')}.py"]


def test_no_name_of_the_template_is_left(own_folder: Path) -> None:
    assert new("tsad-bar").exit_code == 0
    files = inside(own_folder / "tsad-bar")
    assert len([path for path in files if path.is_file()]) == 10
    assert [path for path in files if "foo" in path.name or path.suffix == ".tmpl"] == []
    assert [path for path in files if path.is_file() and "foo" in path.read_text().lower()] == []


def test_the_package_asks_for_this_version_of_the_core(own_folder: Path) -> None:
    new("tsad-bar")
    needs = tomllib.loads((own_folder / "tsad-bar" / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"tsad-core>={version('tsad-core')}" in needs


def test_the_next_three_commands_are_told_for_any_folder() -> None:
    lines = new("tsad-bar", "--into", "my work").stdout.splitlines()
    assert lines[0].startswith("my work/tsad-bar holds")
    assert [line.partition("   #")[0].strip() for line in lines[1:]] == [
        "pip install -e './my work/tsad-bar[test]'",
        "pytest 'my work/tsad-bar'",
        "tsad-bench run --suite smoke --detector bar --detector random --dataset bar-waves",
    ]


def test_the_tests_of_a_new_package_pass(own_folder: Path) -> None:
    assert new("tsad-my-detector").exit_code == 0
    folder = own_folder / "tsad-my-detector"
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", str(folder)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "5 passed" in ran.stdout
