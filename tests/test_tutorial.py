"""Every block of docs/tutorial.md runs, and prints what the page shows."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```\n(?:```text\n(.*?)^```|\n(\|.*?\n)(?=\n))?", re.MULTILINE | re.DOTALL)
BREAK = "-- next block --"
INSTALLS = re.compile(r"pip install (tsad-bench|-e './(?P<folder>[\w-]+)\[test\]')")
"""Lines that are not run: installing takes minutes and changes the environment; tests/test_example.py does it."""
COSTS = {"fit s", "score s", "memory MB"}
NUMBER = re.compile(r"-?\d+\.\d+")


class Block(NamedTuple):
    """A block of code, and what the page shows below it."""

    kind: str
    code: str
    text: str
    table: str


BLOCKS = [Block(*(part or "" for part in found)) for found in BLOCK.findall(PAGE)]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the page tells its reader to write."""
    folder = tmp_path_factory.mktemp("tutorial")
    for block in BLOCKS:
        if name := _file_name(block):
            (folder / name).write_text(block.code)
    return folder


@pytest.fixture(scope="module")
def packaged(workplace: Path) -> Path:
    """Return the folder after all commands but the long one, whose table is shown."""
    for block in BLOCKS:
        if block.kind == "sh" and not block.table:
            printed = "".join(obey(line, workplace) for line in block.code.splitlines())
            assert_alike(block.text, printed if block.text else "")
    return workplace


def test_no_block_of_the_page_is_overlooked() -> None:
    assert len(BLOCKS) == len(re.findall(r"^```(?!text)\w+$", PAGE, re.MULTILINE))
    shown = sum(bool(block.text or block.table) for block in BLOCKS)
    assert shown == len(re.findall(r"^```text$|^\| -", PAGE, re.MULTILINE))
    assert [_file_name(block) for block in BLOCKS if _file_name(block)] == ["forecast.py"]


def test_the_python_prints_what_the_page_shows(workplace: Path) -> None:
    blocks = [block for block in BLOCKS if block.kind == "python" and not _file_name(block)]
    script = f"\nprint({BREAK!r})\n".join(block.code for block in blocks)
    printed = run([sys.executable, "-W", "error", "-c", script], workplace).split(f"{BREAK}\n")
    for block, text in zip(blocks, printed, strict=True):
        assert_alike(block.text, text)


def test_the_commands_work(packaged: Path) -> None:
    assert re.search(r"^forecast ", run(["tsad-bench", "list", "detectors"], packaged), re.MULTILINE)


@pytest.mark.slow
def test_the_suite_prints_the_table_that_the_page_shows(packaged: Path) -> None:
    (block,) = [block for block in BLOCKS if block.table]
    _, title, all_metrics = obey(block.code.strip(), packaged).partition("\n### synthetic\n")
    assert title
    assert_alike(_without_costs(block.table), _without_costs(all_metrics))


@pytest.mark.parametrize(
    ("shown", "printed", "alike"),
    [
        ("a 0.5", "a  0.5", True),
        ("a 0.5", "a 0.6", True),
        ("a 0.5", "a 0.7", False),
        ("a 0.50", "a 0.52", False),
        ("a 5", "a 6", False),
        ("a 0.5", "b 0.5", False),
        ("a 0.5", "a 0.5 0.5", False),
    ],
)
def test_numbers_are_compared_to_their_last_digit(shown: str, printed: str, alike: bool) -> None:
    if alike:
        assert_alike(shown, printed)
    else:
        with pytest.raises(AssertionError):
            assert_alike(shown, printed)


def assert_alike(shown: str, printed: str) -> None:
    """Compare words exactly, and decimal numbers to one unit of the last digit shown."""
    assert [NUMBER.sub("#", line).split() for line in shown.splitlines()] == [
        NUMBER.sub("#", line).split() for line in printed.splitlines()
    ], printed
    for number, other in zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True):
        unit = 10.0 ** -len(number.partition(".")[2])
        assert abs(float(number) - float(other)) <= 1.001 * unit, printed


def obey(line: str, workplace: Path) -> str:
    if install := INSTALLS.fullmatch(line):
        if install["folder"]:
            pretend_installed(workplace / install["folder"], workplace / "site")
        return ""
    return run(shlex.split(line), workplace)


def pretend_installed(folder: Path, site: Path) -> None:
    """Leave what an editable install leaves: the metadata, and a way to the source."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    metadata = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "\n".join(f"{name} = {target}" for name, target in project["entry-points"]["tsad"].items())
    (metadata / "entry_points.txt").write_text(f"[tsad]\n{points}\n")
    (site / project["name"].replace("-", "_")).symlink_to(folder / "src" / project["name"].replace("-", "_"))


def run(command: list[str], workplace: Path) -> str:
    programs = Path(sys.executable).parent
    ours = {"TSAD_PLUGINS", "TSAD_DATA", "MLFLOW_TRACKING_URI"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(workplace / "site")}
    ran = subprocess.run(command, cwd=workplace, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{shlex.join(command)}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def _file_name(block: Block) -> str | None:
    match = re.match(r"# (\w+\.py)\n", block.code)
    return match and match[1]


def _without_costs(printed: str) -> str:
    return "\n".join(" | ".join(cells) for cells in _rows(printed))


def _rows(printed: str) -> Iterator[list[str]]:
    lines = [line.strip("| ").split("|") for line in printed.splitlines() if line.startswith("| ")]
    kept = [column for column, head in enumerate(lines[0]) if head.strip() not in COSTS] if lines else []
    for line in lines:
        if not set("".join(line)) <= set("- "):
            yield [line[column].strip() for column in kept]
