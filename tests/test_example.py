"""The example is what `tsad-bench new tsad-foo` writes, and works as a third party would install it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tsad_bench.new import write_package
from tsad_core import Registry

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "tsad-foo"
MADE_BY_TOOLS = re.compile(
    r"(^|/)(__pycache__|\.[a-z]+_cache|[\w-]+\.egg-info|dist|\.venv|tsad-runs|mlartifacts)/|mlflow\.db"
)


def contents(folder: Path) -> dict[str, str]:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in files.items() if not MADE_BY_TOOLS.search(name)}


def test_the_example_is_what_the_command_writes(tmp_path: Path) -> None:
    # to mend it: change the template, remove the example, `tsad-bench new tsad-foo --into examples`
    assert contents(EXAMPLE) == contents(write_package("tsad-foo", into=tmp_path, registry=Registry()))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_works_in_a_clean_environment(tmp_path: Path) -> None:
    def call(*command: str | Path) -> str:
        ran = subprocess.run(command, cwd=tmp_path, env=_clean(), capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    for package in (ROOT / "packages" / "tsad-core", ROOT / "packages" / "tsad-bench", EXAMPLE):
        call("uv", "build", "-q", "--wheel", "-o", "wheels", package)
    call("uv", "venv", "-q", "--python", "3.11", "venv")
    programs = tmp_path / "venv" / "bin"
    wheels = [str(wheel) for wheel in (tmp_path / "wheels").glob("*.whl")]
    call("uv", "pip", "install", "-q", "--python", programs / "python", "pytest", *wheels)
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    assert "5 passed" in call(programs / "pytest", "-q", "tests")
    listed = {kind: call(programs / "tsad-bench", "list", kind) for kind in ("detectors", "datasets", "metrics")}
    assert re.search(r"^foo +distance", listed["detectors"], re.MULTILINE)
    assert re.search(r"^foo-waves +", listed["datasets"], re.MULTILINE)
    assert re.search(r"^foo-recall +", listed["metrics"], re.MULTILINE)
    command = "tsad-bench run --suite smoke --detector foo --detector random --dataset foo-waves"
    program, *arguments = f"{command} --metric foo-recall --metric vus-pr".split()
    table = call(programs / program, *arguments).partition("\n### ")[2]
    assert re.search(r"^\| detector +\| foo-recall +\| vus-pr +\| series", table, re.MULTILINE), table
    noise = float(_row(table, "random")["vus-pr"].split()[0])
    assert float(_row(table, "foo")["vus-pr"]) > noise
    assert float(_row(table, "foo")["foo-recall"]) > 0.5
    assert _row(table, "foo")["series"] == "3"


def _clean() -> dict[str, str]:
    ours = {"PYTHONPATH", "VIRTUAL_ENV", "TSAD_PLUGINS", "MLFLOW_TRACKING_URI"}
    return {name: value for name, value in os.environ.items() if name not in ours}


def _row(table: str, detector: str) -> dict[str, str]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    (mine,) = [row for row in rows if row[0] == detector]
    return dict(zip(rows[0], mine, strict=True))
