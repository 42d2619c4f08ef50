"""Rescoring gives the numbers that the run itself would have logged, to the last digit, without running a detector."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from mlflow import MlflowClient
from tsad_bench import run_suite
from tsad_bench.cli import cli
from tsad_bench.report.rebuild import rebuild
from tsad_bench.rerun import rerun
from tsad_bench.runner import newest_execution
from tsad_bench.suite import parse_suite

pytestmark = pytest.mark.usefixtures("faulty", "store", "in_process")

SUITE = """
name = "mine"
headline = "auc-roc"
metrics = METRICS
detectors = ["pca", "random"]
datasets = [{ name = "synthetic", options = { count = 2, train_steps = 600, test_steps = 600 } }]
[[conditions]]
kind = "clean"
[[conditions]]
kind = "resampling"
levels = [20]
"""
MORE = ["vus-pr", "f1", "hit-rate-100", "top-3"]


def run(*metrics: str, **how) -> pd.DataFrame:
    text = SUITE.replace("METRICS", str(list(metrics)).replace("'", '"'))
    return run_suite(parse_suite(text, source="here"), jobs=1, **how)


def uri() -> str:
    return f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def call(*arguments: str):
    return CliRunner().invoke(cli, ["rescore", *arguments])


def test_rescored_metrics_equal_those_of_a_run_and_reach_its_tables() -> None:
    whole = run("auc-roc", *MORE, artifacts="all")
    run("auc-roc", artifacts="all")
    execution = newest_execution()
    for metric in MORE:
        assert call("--run", execution, "--metric", metric).exit_code == 0
    again, _ = rebuild(uri(), execution)
    place = ["detector", "series", "condition"]
    left, right = (frame.set_index(place)[MORE].sort_index() for frame in (whole, again.frame))
    pd.testing.assert_frame_equal(left, right, check_exact=True)
    assert left["vus-pr"].notna().all()
    assert left["top-3"].isna().all()
    client = MlflowClient(uri())
    experiment = client.get_experiment_by_name("mine").experiment_id
    (summary,) = client.search_runs(
        [experiment], f"tags.`tsad.execution` = '{execution}' and tags.`tsad.detector` = 'pca'"
    )
    clean = left.xs("clean", level="condition")
    assert summary.data.metrics["vus-pr"] == clean.loc["pca", "vus-pr"].mean()
    assert "vus-pr" in Path(client.download_artifacts(summary.data.tags["mlflow.parentRunId"], "table.csv")).read_text()


def test_a_rerun_of_a_rescored_cell_computes_the_new_metric_too() -> None:
    run("auc-roc")
    assert call("--run", newest_execution(), "--metric", "f1", "--set", "f1.rate=0.1").exit_code == 0
    client = MlflowClient(uri())
    cells = client.get_experiment_by_name("mine/cells").experiment_id
    cell = client.search_runs([cells], "tags.`tsad.detector` = 'pca'", max_results=1)[0]
    assert "f1-rate-0.1" in cell.data.metrics
    again = rerun(cell.info.run_id, tracking_uri=uri())
    assert again.differences == []
    assert "f1-rate-0.1" in again.again.metrics


def test_one_cell_or_one_detector_may_be_named() -> None:
    run("auc-roc")
    client = MlflowClient(uri())
    by_name = {r.info.run_name: r for r in client.search_runs([client.get_experiment_by_name("mine").experiment_id])}
    cells = client.get_experiment_by_name("mine/cells").experiment_id
    cell = client.search_runs([cells], "tags.`tsad.detector` = 'random'", max_results=1)[0]
    one = call("--run", cell.info.run_id, "--metric", "auc-pr")
    assert [line.split()[0] for line in one.stdout.splitlines()] == ["random"]
    four = call("--run", by_name["pca"].info.run_id, "--metric", "auc-pr")
    assert [line.split()[0] for line in four.stdout.splitlines()] == ["pca"] * 4


@pytest.mark.parametrize(
    ("artifacts", "arguments", "words"),
    [
        ("none", ["--metric", "f1"], "no scores were kept"),
        ("scores", ["--metric", "hit-rate-100"], "no attribution was kept; run the suite with --artifacts all"),
        ("scores", ["--metric", "f2"], "no metric named 'f2'"),
        ("scores", ["--metric", "f1", "--set", "f1.rte=0.1"], "did you mean 'rate'"),
        ("scores", ["--metric", "f1", "--set", "pca.window=3"], "only options of f1"),
    ],
)
def test_what_cannot_be_rescored_is_one_line(artifacts: str, arguments: list[str], words: str) -> None:
    run("auc-roc", artifacts=artifacts, detectors=["pca"])
    result = call("--run", newest_execution(), *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_unknown_run_is_one_line() -> None:
    run("auc-roc", detectors=["pca"])
    result = call("--run", "nope", "--metric", "f1")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "no run or execution 'nope'" in result.stderr


def test_a_cell_without_scores_costs_itself_and_the_others_reach_the_tables() -> None:
    run("auc-roc", detectors=["pca"])
    client = MlflowClient(uri())
    cells = client.get_experiment_by_name("mine/cells").experiment_id
    first = client.search_runs([cells], max_results=1)[0]
    next((Path.cwd() / "mlartifacts").rglob(f"{first.info.run_id}/**/scores.parquet")).unlink()
    result = call("--run", newest_execution(), "--metric", "auc-pr")
    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 3
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: no scores were kept")
    assert "(cells: 1, the first: pca on synthetic:" in line
    frame = rebuild(uri(), newest_execution())[0].frame
    assert frame["auc-pr"].notna().sum() == 3
