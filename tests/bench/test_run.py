"""Runs: the store holds everything, reports and reruns come from it, resume changes nothing that is done."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pandas as pd
import pytest
from mlflow import MlflowClient
from tsad_bench import resume, run_suite
from tsad_bench.journal import read_outcomes
from tsad_bench.report.rebuild import rebuild
from tsad_bench.report.table import csv, markdown
from tsad_bench.rerun import rerun
from tsad_bench.runner import newest_execution
from tsad_bench.suite import parse_suite
from tsad_bench.tracking import chart_view, read_cell, read_parent
from tsad_bench.tracking.writing import TAG_LIMIT, _shortened

pytestmark = pytest.mark.usefixtures("faulty", "store", "in_process")

HEAD = """
name = "mine"
summary = "A suite of tests."
headline = "auc-pr"
metrics = ["auc-pr", "f1", "hit-rate-100"]
"""
QUICK = (
    HEAD + 'detectors = ["trivial", "random"]\ndatasets = [{ name = "tiny", options = { count = 2 } }]\nseeds = [0, 1]'
)


def run(text: str, *, artifacts: str = "none", **more) -> pd.DataFrame:
    return run_suite(parse_suite(text, source="here"), jobs=2, artifacts=artifacts, **more)


def test_the_store_holds_what_people_compare_apart_from_the_cells() -> None:
    frame = run(QUICK, artifacts="scores")
    client = MlflowClient(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("mine").experiment_id])
    by_name = {run.info.run_name: run for run in runs}
    execution = newest_execution()
    assert set(by_name) == {execution, "trivial", "random"}
    trivial = by_name["trivial"]
    assert trivial.data.tags["mlflow.parentRunId"] == by_name[execution].info.run_id
    mean = frame[frame["detector"] == "trivial"].groupby("series")["auc-pr"].mean().mean()
    assert trivial.data.metrics["auc-pr"] == mean
    assert trivial.data.metrics["tiny/auc-pr"] == mean
    assert trivial.data.metrics["usage/cells-done"] == 4
    assert by_name["random"].data.metrics["auc-pr.p95"] > by_name["random"].data.metrics["auc-pr"]
    files = {file.path for file in client.list_artifacts(by_name[execution].info.run_id)}
    assert files == {"plan.json", "table.md", "table.csv", "cells.csv", "metrics.md"}
    logged = [used.dataset for run in runs for used in run.inputs.dataset_inputs]
    assert [(dataset.name, json.loads(dataset.profile)["series"]) for dataset in logged] == [("tiny", 2)] * 3
    assert len({dataset.digest for dataset in logged}) == 1
    cells = client.search_runs([client.get_experiment_by_name("mine/cells").experiment_id])
    assert len(cells) == 8
    tags = cells[0].data.tags
    wanted = {
        "execution",
        "cell",
        "key",
        "commit",
        "device",
        "series",
        "seed",
        "status",
        "summary",
        "version.tsad-core",
    }
    assert {name for name in wanted if f"tsad.{name}" not in tags} == set()
    assert "the series does not say" in tags["undefined.hit-rate-100"]
    assert "hit-rate-100" not in cells[0].data.metrics
    assert {"usage/fit-seconds", "usage/score-seconds", "usage/peak-memory-mb"} <= set(cells[0].data.metrics)


def test_a_note_that_is_too_long_ends_with_a_whole_line() -> None:
    row = "| detector | 0.500 |\n"
    short, long = row * 10, row * 1000
    assert _shortened(short) == short
    kept, _, rest = _shortened(long).rpartition("\n\n")
    assert rest == "The rest is in table.md."
    assert set(kept.splitlines()) == {row.strip()}
    assert TAG_LIMIT - 50 < len(_shortened(long)) <= TAG_LIMIT


def test_kept_scores_give_the_recorded_metric_again() -> None:
    from tsad_core.metrics.ranking import auc_pr

    frame = run(QUICK, artifacts="all", detectors=["trivial"], seeds=[0]).set_index("series")
    client = MlflowClient(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    for cell in client.search_runs([client.get_experiment_by_name("mine/cells").experiment_id]):
        scores = pd.read_parquet(client.download_artifacts(cell.info.run_id, "scores.parquet"))
        test = scores[scores["part"] == "test"]
        value = auc_pr(labels_T=test["label"].to_numpy(bool), scores_T=test["score"].to_numpy(float))
        assert value == frame.loc[cell.data.tags["tsad.series"], "auc-pr"]
        assert {"observed-0", "observed-1"} <= set(scores)


def test_without_artifacts_nothing_but_numbers_is_kept() -> None:
    run(QUICK, artifacts="none", seeds=[0])
    assert list(Path.cwd().glob("**/scores.parquet")) == []


def test_the_report_from_the_store_alone_is_the_table_of_the_run(own_folder: Path) -> None:
    frame = run(QUICK)
    uri = f"sqlite:///{own_folder / 'mlflow.db'}"
    (own_folder / "tsad-runs").rename(own_folder / "elsewhere")
    again, lacks = rebuild(uri)
    assert lacks == ""
    client = MlflowClient(uri)
    (parent,) = client.search_runs(["1"], "tags.`tsad.parent` = 'true'")
    assert markdown(again) == Path(client.download_artifacts(parent.info.run_id, "table.md")).read_text()
    assert csv(again) == Path(client.download_artifacts(parent.info.run_id, "table.csv")).read_text()
    assert sorted(again.frame["auc-pr"]) == sorted(frame["auc-pr"])


def test_a_cell_run_again_from_its_record_is_the_same_to_the_last_digit(own_folder: Path) -> None:
    run(QUICK)
    uri = f"sqlite:///{own_folder / 'mlflow.db'}"
    client = MlflowClient(uri)
    cells = client.search_runs([client.get_experiment_by_name("mine/cells").experiment_id])
    random = next(cell for cell in cells if cell.data.tags["tsad.detector"] == "random")
    compared = rerun(random.info.run_id, tracking_uri=uri)
    assert compared.differences == []
    assert compared.again.metrics == compared.recorded.metrics != {}
    client.log_metric(random.info.run_id, "auc-pr", 0.123)
    _, recorded, _ = read_cell(uri, random.info.run_id)
    (difference,) = replace(compared, recorded=recorded).differences
    assert difference.startswith("auc-pr: recorded 0.123, now ")


def test_a_store_that_cannot_be_reached_stops_no_run_and_resume_logs_the_rest(own_folder: Path) -> None:
    blocked = own_folder / "store"
    blocked.write_text("a file where a folder should be")
    uri = f"sqlite:///{blocked / 'mlflow.db'}"
    frame = run(QUICK, tracking_uri=uri, artifacts="scores")
    assert set(frame["status"]) == {"done"}
    blocked.unlink()
    blocked.mkdir()
    finished = resume(newest_execution())
    assert finished.untracked == ""
    assert len(rebuild(uri)[0].frame) == len(frame)


def test_resume_of_a_finished_execution_changes_nothing(own_folder: Path) -> None:
    run(QUICK)
    folder = own_folder / "tsad-runs" / newest_execution()
    before = len(list(read_outcomes(folder)))
    with sqlite3.connect(own_folder / "mlflow.db") as store:
        numbers = store.execute("select count(*) from metrics").fetchone()
    resume(newest_execution())
    assert len(list(read_outcomes(folder))) == before
    with sqlite3.connect(own_folder / "mlflow.db") as store:
        assert store.execute("select count(*) from runs").fetchone() == (8 + 3,)
        assert store.execute("select count(*) from runs where status = 'RUNNING'").fetchone() == (0,)
        assert store.execute("select count(*) from metrics").fetchone() == numbers


def test_resume_refuses_another_version_of_a_plugin(own_folder: Path) -> None:
    from tsad_bench.runner import ResumeError

    run(QUICK)
    journal = own_folder / "tsad-runs" / newest_execution() / "journal.jsonl"
    lines = journal.read_text().splitlines()
    start = json.loads(lines[0])
    start["plugins"]["tsad-faulty"] = "0.0"
    journal.write_text("\n".join([json.dumps(start), *lines[1:]]) + "\n")
    with pytest.raises(ResumeError, match=r"began with tsad-faulty 0\.0, now it is 0\.1"):
        resume(newest_execution())


def test_the_view_of_the_ui_is_of_this_executions_detectors_sorted_by_the_headline(own_folder: Path) -> None:
    run(QUICK)
    run(QUICK)
    uri = f"sqlite:///{own_folder / 'mlflow.db'}"
    path, _, query = chart_view(read_parent(uri, suite="mine")).partition("?")
    asked = parse_qs(query)
    assert path == "#/experiments/1/runs"
    assert asked["orderByKey"] == ["metrics.`auc-pr`"]
    shown = MlflowClient(uri).search_runs(["1"], asked["searchFilter"][0])
    assert sorted(each.data.tags["tsad.detector"] for each in shown) == ["random", "trivial"]
    assert {each.data.tags["tsad.execution"] for each in shown} == {newest_execution()}


def test_chosen_cells_have_a_picture() -> None:
    run(QUICK, artifacts="scores")
    pictures = list(Path.cwd().glob("mlartifacts/*/artifacts/scores.png"))
    assert len(pictures) == 2  # two detectors, the first series, the first seed
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_a_metric_at_fault_costs_itself_and_not_the_cell() -> None:
    frame = run(HEAD.replace('"f1"', '"m-raises", "m-nan"') + 'detectors = ["trivial"]\ndatasets = ["tiny"]')
    assert set(frame["status"]) == {"done"}
    assert frame["auc-pr"].notna().all()
    assert frame[["m-raises", "m-nan"]].isna().all(axis=None)
    (reason,) = {outcome.undefined["m-raises"] for outcome in read_outcomes(Path("tsad-runs") / newest_execution())}
    assert reason == "the metric failed: ZeroDivisionError: in the metric"


def test_a_data_set_that_cannot_be_read_is_a_failed_cell() -> None:
    frame = run(HEAD + 'detectors = ["trivial"]\ndatasets = ["unreadable"]')
    assert frame["reason"].tolist() == ["OSError: no such luck"]
    assert frame["key"].tolist() == [""]


def test_the_grid_of_a_data_set_makes_data_sets_of_its_own() -> None:
    frame = run(HEAD + 'detectors = ["trivial"]\ndatasets = [{ name = "tiny", grid = { steps = [60, 200] } }]')
    assert frame.groupby("dataset").size().to_dict() == {"tiny-steps-200": 3, "tiny-steps-60": 3}


def test_cell_runs_say_their_condition_and_seed() -> None:
    run(QUICK + '\n[[conditions]]\nkind = "white-noise"\nlevels = [10]')
    client = MlflowClient(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    cells = client.search_runs([client.get_experiment_by_name("mine/cells").experiment_id])
    names = [run.info.run_name for run in cells]
    assert "trivial on tiny:t0 under white-noise@10, seed 1" in names
    assert len(set(names)) == len(names)


def test_a_long_reason_of_odd_characters_is_one_short_line() -> None:
    frame = run(HEAD + 'detectors = ["verbose"]\ndatasets = [{ name = "tiny", options = { count = 1 } }]')
    (reason,) = frame["reason"]
    assert reason.startswith("ValueError: caf\\udce9")
    assert len(reason) < 400


def test_a_report_on_several_conditions_has_levels_in_order_and_a_page_of_curves(own_folder: Path) -> None:
    levels = '[[conditions]]\nkind = "train-anomalies"\nlevels = [10, 0, 5]\n'
    text = HEAD + 'detectors = ["random"]\ndatasets = [{ name = "synthetic", options = { count = 1 } }]\n' + levels
    run(text)
    uri = f"sqlite:///{own_folder / 'mlflow.db'}"
    results, _ = rebuild(uri)
    assert "| detector | 0 %   | 5 %   | 10 %  | area" in markdown(results)
    files = {file.path for file in MlflowClient(uri).list_artifacts(read_parent(uri).info.run_id)}
    assert "robustness.csv" in files


def test_a_report_on_a_part_says_what_is_missing(own_folder: Path) -> None:
    run(QUICK)
    uri = f"sqlite:///{own_folder / 'mlflow.db'}"
    client = MlflowClient(uri)
    cells = client.search_runs([client.get_experiment_by_name("mine/cells").experiment_id])
    client.delete_run(next(cell for cell in cells if cell.data.tags["tsad.detector"] == "trivial").info.run_id)
    results, lacks = rebuild(uri)
    assert "has logged 7 of 8 cells" in lacks
    assert "3 of 4 done" in markdown(results)


def test_facts_too_long_for_a_tag_lose_the_longest_and_stay_readable(caplog: pytest.LogCaptureFixture) -> None:
    from tsad_bench.tracking.writing import _fitting

    assert json.loads(_fitting({"a": 1, "long": "x" * 5000, "b": [2]})) == {"a": 1, "b": [2]}
    assert "long" in caplog.text
    assert json.loads(_fitting({"a": "y" * 4900})) == {"a": "y" * 4900}
