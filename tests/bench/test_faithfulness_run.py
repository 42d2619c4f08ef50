"""Faithfulness in a run: what it adds to cells, what it may not cost them, and how a suite asks for it."""

import sys
from pathlib import Path

import pytest
from tsad_bench.cells import Cell, Job
from tsad_bench.executors import local
from tsad_bench.faithfulness.cards import CARDS, OTHERS, cards, names
from tsad_bench.measure import run_job
from tsad_bench.outcome import Held, Outcome, Settings
from tsad_bench.suite import Choice, Faithfulness, Limits, Suite, SuiteError, parse_suite
from tsad_core import Registry, find_plugins

QUICK = Faithfulness(orders=2, events=2, self_circular=False, others=False)
NAMES = ["faithfulness-deletion", "faithfulness-insertion"]
SMALL = {"count": 1, "train_steps": 600, "test_steps": 600}
WEARY = """
import time
from tsad_core import Detection, Entry, detector, hookimpl

@hookimpl
def tsad_detectors():
    return [Entry("tires", "tsad_tires:Tires", "a detector that calibrates and scores, and then hangs")]

@detector
class Tires:
    def fit(self, train_TC):
        self.calls_ = 0
        return self

    def detect(self, test_TC):
        self.calls_ += 1
        if self.calls_ > 2:
            time.sleep(600)
        return Detection(abs(test_TC).mean(axis=1), attribution_TC=abs(test_TC))
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return find_plugins()


def settings(folder: Path, **more: object) -> Settings:
    return Settings({"auc-pr": Choice(name="auc-pr")}, str(folder), faithfulness=QUICK, artifacts="none", **more)


def job(*conditions: str, detector: str = "pca") -> Job:
    cells = [Cell(detector, detector, "synthetic", "sines-0", condition=c, dataset_options=SMALL) for c in conditions]
    return Job(tuple(cells))


def test_a_done_cell_gets_its_faithfulness_and_no_cost_of_it(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = job("clean")
    messages = list(run_job(whole, settings(tmp_path, probed=frozenset([whole.cells[0].slot])), registry))
    assert [type(message) for message in messages[:-1]] == [Held] * (len(messages) - 1)
    assert len(messages) > 3
    outcome = messages[-1]
    assert {name for name in NAMES if outcome.metrics[name] > 0} == set(NAMES)
    assert outcome.undefined == {}
    assert "look-ahead" in outcome.facts
    assert outcome.costs["score-seconds"] < outcome.ended - outcome.started


def test_the_cell_of_the_unchanged_test_part_waits_and_others_are_told_why(tmp_path: Path, registry: Registry) -> None:
    whole = job("white-noise@10", "clean", "dead-channels@1")
    first = frozenset([whole.cells[0].slot])
    messages = list(run_job(whole, settings(tmp_path, probed=first), registry))
    outcomes = [message for message in messages if isinstance(message, Outcome)]
    assert [outcome.slot for outcome in outcomes] == [whole.cells[index].slot for index in (0, 2, 1)]
    assert {message.outcome.slot for message in messages if isinstance(message, Held)} == {whole.cells[1].slot}
    assert set(outcomes[0].undefined) == set(NAMES)
    assert "leaves the test part as it is" in outcomes[0].undefined[NAMES[0]]
    assert set(NAMES) <= outcomes[2].metrics.keys()
    assert "look-ahead" in outcomes[2].facts


def test_without_the_key_nothing_is_probed_or_spoken_of(tmp_path: Path, registry: Registry) -> None:
    plain = Settings({"auc-pr": Choice(name="auc-pr")}, str(tmp_path), artifacts="none")
    (outcome,) = run_job(job("clean"), plain, registry)
    assert not CARDS.keys() & {**outcome.metrics, **outcome.undefined}.keys()


def test_a_probe_that_hangs_is_ended_and_costs_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tsad_tires.py").write_text(WEARY)
    info = tmp_path / "tsad_tires-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tsad-tires\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[tsad]\ntires = tsad_tires\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(local, "PROBE_SECONDS", 1.0)
    (outcome,) = local.run_jobs([job("clean", detector="tires")], settings(tmp_path), workers=1, limits=Limits())
    sys.modules.pop("tsad_tires", None)
    assert outcome.status == "done"
    assert "auc-pr" in outcome.metrics
    assert set(outcome.undefined) == set(NAMES)
    assert "did not come to its end" in outcome.undefined[NAMES[0]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", None),
        ("faithfulness = false", None),
        ("faithfulness = true", Faithfulness()),
        ("[faithfulness]\norders = 5\nevents = 3", Faithfulness(orders=5, events=3)),
        ("faithfulness = { self_circular = false }", Faithfulness(self_circular=False)),
    ],
)
def test_a_suite_asks_by_a_switch_or_a_table_and_reads_back_what_it_wrote(
    text: str, wanted: Faithfulness | None
) -> None:
    suite = parse_suite(f'name = "s"\n{text}', source="here")
    assert suite.faithfulness == wanted
    assert Suite.model_validate_json(suite.model_dump_json()) == suite


@pytest.mark.parametrize("text", ["faithfulness = 3", "faithfulness = { orders = 0 }", "faithfulness = { order = 1 }"])
def test_a_table_that_is_wrong_is_one_line(text: str) -> None:
    with pytest.raises(SuiteError, match=r"key '(faithfulness|order|orders)'"):
        parse_suite(f'name = "s"\n{text}', source="here")


def test_every_number_has_a_card_and_the_circular_ones_say_so() -> None:
    assert cards(None) == {}
    assert list(cards(QUICK)) == NAMES
    assert set(cards(Faithfulness(self_circular=False))) == {*NAMES, *names(OTHERS)}
    assert cards(Faithfulness()) == CARDS
    assert all(card.name == name and card.better == "higher" for name, card in CARDS.items())
    assert all("Circular" in CARDS[f"{name}-self-circular"].definition for name in NAMES)
