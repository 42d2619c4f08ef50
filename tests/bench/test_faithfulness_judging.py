"""Faithfulness before other judges: who judges whom, what their mean is, and that a run that is cut short keeps it."""

from pathlib import Path

import numpy as np
import pytest
from tsad_bench.cells import Cell, Job
from tsad_bench.environment import default_uri
from tsad_bench.faithfulness.cards import OTHERS, names
from tsad_bench.faithfulness.cell import margin
from tsad_bench.faithfulness.gate import may_judge
from tsad_bench.faithfulness.infill import infill
from tsad_bench.faithfulness.judging import Judgement, judge, judgements, with_others
from tsad_bench.faithfulness.probe import Probe, Scale, areas, probe
from tsad_bench.interrupts import Interrupted
from tsad_bench.journal import read_outcomes
from tsad_bench.measure import run_job
from tsad_bench.outcome import Held, Outcome, Settings
from tsad_bench.report.rebuild import rebuild
from tsad_bench.runner import ROOT, newest_execution, resume, run_suite
from tsad_bench.suite import Choice, Faithfulness, Suite
from tsad_core import Registry, find_plugins
from tsad_core.calibration import split
from tsad_core.controls import PCA, MovingAverage
from tsad_core.datasets.synthetic import synthetic
from tsad_core.windows import period

DELETION, INSERTION = names(OTHERS)
QUICK = Faithfulness(orders=2, events=2, self_circular=False)
SMALL = {"count": 1, "train_steps": 600, "test_steps": 600}
GOOD = {"detector": 0.4, "true-causes": 0.3, "largest-deviation": 0.2, "random": 0.0}
MISJUDGES = GOOD | {"true-causes": 0.1}


def pair(label: str, worth: dict[str, float] = GOOD, **place: object) -> tuple[Cell, Outcome]:
    cell = Cell(label, label, **{"dataset": "synthetic", "series": "s", **place})
    undefined = dict.fromkeys(names(OTHERS), "pending")
    facts = {"faithfulness": {"explainers": worth}}
    return cell, Outcome(cell.slot, metrics={"faithfulness-deletion": 0.4}, undefined=undefined, facts=facts)


def told(judgement: Judgement) -> tuple[str, int, list[tuple[str, int]]]:
    return judgement.judge.label, judgement.judge.seed, [(cell.label, cell.seed) for cell in judgement.explained]


def test_each_detector_in_its_lowest_seed_judges_every_cell_of_the_others() -> None:
    pairs = [pair("a", seed=1), pair("a", seed=0), pair("b", seed=0)]
    assert [told(judgement) for judgement in judgements(pairs)] == [
        ("a", 0, [("b", 0)]),
        ("b", 0, [("a", 1), ("a", 0)]),
    ]


def test_series_and_conditions_are_judged_apart_and_a_lone_detector_judges_nobody() -> None:
    apart = [pair("a"), pair("b", series="t"), pair("c", condition="train-anomalies@5"), pair("d", corruption_seed=1)]
    assert judgements(apart) == []


def test_a_judge_before_whom_a_worse_explanation_wins_is_judged_and_does_not_judge() -> None:
    pairs = [pair("a"), pair("bad", MISJUDGES)]
    assert may_judge(pairs) == {"a"}
    assert [told(judgement) for judgement in judgements(pairs)] == [("a", 0, [("bad", 0)])]


def test_one_that_an_untrained_copy_beats_may_still_judge() -> None:
    assert may_judge([pair("a", GOOD | {"untrained": 0.9})]) == {"a"}


def test_without_a_series_of_known_causes_nobody_may_judge() -> None:
    assert may_judge([pair("a", {"detector": 0.4})]) == set()


def test_a_cell_whose_probe_did_not_end_neither_judges_nor_is_judged() -> None:
    cell, outcome = pair("c")
    outcome.facts.clear()
    assert [told(judgement) for judgement in judgements([pair("a"), pair("b"), (cell, outcome)])] == [
        ("a", 0, [("b", 0)]),
        ("b", 0, [("a", 0)]),
    ]


def test_a_cell_gets_the_mean_over_its_judges_and_one_that_failed_is_left_out() -> None:
    pairs = [pair("a"), pair("b"), pair("c"), pair("d")]
    slots = {cell.label: cell.slot for cell, _ in pairs}
    judged = {
        slots["b"]: Outcome(slots["b"], facts={"judged": {slots["a"]: [0.1, 0.4], slots["c"]: [0.7, 0.9]}}),
        slots["c"]: Outcome(slots["c"], facts={"judged": {slots["a"]: [0.3, 0.8]}}),
        slots["d"]: Outcome(slots["d"], "failed", "it broke"),
    }
    found = {cell.label: outcome for cell, outcome in with_others(pairs, judged)}
    assert found["a"].metrics[DELETION] == pytest.approx(0.2)
    assert found["a"].metrics[INSERTION] == pytest.approx(0.6)
    assert found["a"].metrics["faithfulness-deletion"] == 0.4
    assert found["a"].undefined == {}
    assert found["a"].facts["faithfulness-others"] == {"b": [0.1, 0.4], "c": [0.3, 0.8]}
    assert found["c"].metrics[DELETION] == 0.7


def test_without_a_judge_that_ended_the_reasons_are_told() -> None:
    pairs = [pair("a"), pair("b"), pair("bad", MISJUDGES)]
    slot = pairs[1][0].slot
    found = {cell.label: outcome for cell, outcome in with_others(pairs, {slot: Outcome(slot, "failed", "it broke")})}
    assert found["a"].undefined[DELETION] == "b: it broke"
    assert "did not come to its end" in found["b"].undefined[DELETION]
    ((_, alone),) = with_others([pair("a")], {})
    assert "no other detector of this series may judge" in alone.undefined[INSERTION]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return find_plugins()


def fitted(detector: str, folder: Path, registry: Registry) -> Cell:
    cell = Cell(detector, detector, "synthetic", "sines-0", dataset_options=SMALL)
    list(run_job(Job((cell,)), settings(folder), registry))
    return cell


def settings(folder: Path) -> Settings:
    return Settings({"auc-pr": Choice(name="auc-pr")}, str(folder), faithfulness=QUICK, artifacts="none")


def test_a_judge_asks_its_own_scores_of_what_another_blames(tmp_path: Path, registry: Registry) -> None:
    blamer, other = (fitted(name, tmp_path, registry) for name in ("moving-average", "pca"))
    *before, outcome = judge(Judgement(other, (blamer,)), settings(tmp_path), registry)
    assert [type(message) for message in before] == [Held] * len(before)
    assert before[0].outcome.status == "failed"
    series = synthetic(**SMALL)["sines-0"]()
    stop, tail = split(600, gap=period(series.train_TC))
    pca = PCA().fit(series.train_TC[:stop])
    blame_TC = MovingAverage().fit(series.train_TC[:stop]).detect(series.test_TC).attribution_TC
    scale = Scale.of(pca.detect(series.train_TC[tail:]).scores_T.astype(np.float32))
    setup = Probe(
        series, infill(series).values_TC, lambda x, s: pca.detect(x).scores_T, scale, margin(pca, series.train_TC), 2
    )
    expected = areas(list(probe(setup, {"it": blame_TC}, events=2)), "it")
    assert outcome.facts["judged"] == {blamer.slot: pytest.approx(expected, abs=1e-4)}


def test_a_judge_that_was_not_kept_is_a_reason_and_no_crash(tmp_path: Path, registry: Registry) -> None:
    cell = Cell("pca", "pca", "synthetic", "sines-0", dataset_options=SMALL)
    *_, outcome = judge(Judgement(cell, (cell,)), settings(tmp_path), registry)
    assert (outcome.slot, outcome.status) == (cell.slot, "failed")
    assert "holds no detector" in outcome.reason


SUITE = Suite(
    name="judged",
    detectors=["moving-average", "pca", "random"],
    datasets=[{"name": "synthetic", "options": SMALL}],
    metrics=["vus-pr"],
    faithfulness=QUICK.model_dump(),
)


def test_a_run_stopped_before_its_judges_comes_to_the_same_numbers(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_suite(SUITE, jobs=1).set_index("detector")
    assert whole.loc[["moving-average", "pca"], [DELETION, INSERTION]].notna().all(axis=None)
    assert whole.loc["random", [DELETION, INSERTION]].isna().all()
    with monkeypatch.context() as stopped:
        stopped.setattr("tsad_bench.runner.judgements", interrupt)
        with pytest.raises(Interrupted):
            run_suite(SUITE, jobs=1)
    for _ in range(2):  # the second time it is finished, and stays as it is
        again = resume(newest_execution()).results.frame.set_index("detector")
        assert again[[DELETION, INSERTION]].equals(whole[[DELETION, INSERTION]])
    found = {outcome.slot for outcome in read_outcomes(own_folder / ROOT / newest_execution(), "judge")}
    assert found == set(whole.loc[["moving-average", "pca"], "slot"])
    stored = rebuild(default_uri(), newest_execution())[0].frame.set_index("detector")
    assert stored[[DELETION, INSERTION]].equals(whole[[DELETION, INSERTION]])


def interrupt(pairs: object) -> None:
    raise KeyboardInterrupt
