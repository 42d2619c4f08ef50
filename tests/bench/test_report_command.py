"""`tsad-bench report` on a real execution, in every format."""

import io
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from tsad_bench import run_suite
from tsad_bench.cli import cli
from tsad_bench.suite import parse_suite

QUICK = """
name = "mine"
summary = "A suite of tests."
headline = "auc-pr"
metrics = ["auc-pr"]
detectors = ["trivial", "random"]
datasets = [{ name = "tiny", options = { count = 2 } }]
"""

pytestmark = pytest.mark.usefixtures("faulty")


def call(*arguments: str):
    return CliRunner().invoke(cli, ["report", *arguments])


def test_an_execution_is_reported_in_every_format() -> None:
    run_suite(parse_suite(QUICK, source="here"), jobs=1)
    (execution,) = (folder.name for folder in Path("tsad-runs").iterdir())
    plain = call()
    assert plain.stdout.startswith("## auc-pr: tiny\n")
    assert "### tiny\n" in plain.stdout
    written = call(execution, "--format", "html", "--output", "page.html")
    assert written.exit_code == 0, written.output
    assert written.stdout == ""
    assert "page.html is written" in written.stderr
    page = Path("page.html").read_text(encoding="utf-8")
    # series of the same length with the same labels are twins, and count once
    for told in (execution, "A suite of tests.", "tiny", "numpy", "underpowered (1 of 5 series needed, p .50 at best)"):
        assert told in page
    # the cards are those that the execution logged, sources and all
    assert 'id="cards"' in page
    assert "src=" not in page
    frame = pd.read_csv(io.StringIO(call("--format", "csv").stdout)).set_index("detector")
    assert frame.loc["trivial", "standing"] == "underpowered"
    assert r"\toprule" in call("--format", "latex").stdout


def test_a_file_that_cannot_be_written_is_one_line() -> None:
    run_suite(parse_suite(QUICK, source="here"), jobs=1, artifacts="none")
    result = call("--output", "nowhere/page.html")
    assert result.exit_code == 2
    assert "cannot write nowhere/page.html: No such file or directory" in result.stderr


@pytest.mark.parametrize("arguments", [["--format", "pdf"], ["no-such-execution"]])
def test_what_is_not_there_is_an_error_for_the_user(arguments: list[str]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
