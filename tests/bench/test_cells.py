"""What a suite comes down to: cells, jobs, keys."""

from dataclasses import replace

import pytest
from tsad_bench.cells import Cell, plan
from tsad_bench.measure import cell_key
from tsad_bench.suite import SuiteError, parse_suite
from tsad_core import DataError, OptionError, PluginError, find_plugins

SUITE = """
name = "mine"
headline = "auc-pr"
detectors = {detectors}
datasets = [{{ name = "tiny", options = {{ count = 2 }}{series} }}]
metrics = ["auc-pr"]
seeds = [0, 1]
"""

pytestmark = pytest.mark.usefixtures("faulty")


def planned(detectors: str, series: str = "", more: str = ""):
    suite = parse_suite(SUITE.format(detectors=detectors, series=series) + more, source="here")
    return plan(suite, find_plugins(), home=None)


def test_a_detector_without_a_seed_has_one_cell_a_series() -> None:
    cells = planned('["trivial", "raises"]').cells
    assert [(c.label, c.series, c.seed) for c in cells if c.detector == "raises"] == [
        ("raises", "t0", 0),
        ("raises", "t1", 0),
    ]
    assert sorted((c.series, c.options["seed"]) for c in cells if c.detector == "trivial") == [
        ("t0", 0),
        ("t0", 1),
        ("t1", 0),
        ("t1", 1),
    ]


def test_a_grid_gives_each_combination_a_label_of_its_own() -> None:
    cells = planned('[{ name = "trivial", grid = { pause = [0.0, 0.1] } }]').cells
    assert {cell.label for cell in cells} == {"trivial-pause-0.0", "trivial-pause-0.1"}
    assert len({cell.slot for cell in cells}) == len(cells) == 8


def test_a_preset_sets_options_below_those_that_are_given() -> None:
    cells = planned(
        '["trivial", "trivial:slow", { name = "trivial", preset = "slow", options = { pause = 0.2 } }]'
    ).cells
    assert {(cell.label, cell.options.get("pause")) for cell in cells} == {
        ("trivial", None),
        ("trivial:slow", 0.1),
        ("trivial:slow-pause-0.2", 0.2),
    }


def test_a_suites_preset_is_for_the_detectors_that_all_finds_and_that_have_it() -> None:
    suite = parse_suite('name = "mine"\npreset = "slow"\ndatasets = ["tiny"]\nmetrics = ["vus-pr"]', source="here")
    labels = {cell.label for cell in plan(suite, find_plugins(), home=None).cells}
    assert {"trivial:slow", "raises", "pca"} <= labels
    assert "trivial" not in labels


def test_conditions_that_touch_training_have_a_fit_each() -> None:
    more = '[[conditions]]\nkind = "train-anomalies"\nlevels = [0, 5]\n'
    assert len(planned('["raises"]', more=more).jobs) == 4


@pytest.mark.parametrize(
    ("detectors", "series", "error", "words"),
    [
        ('["trivia"]', "", PluginError, "did you mean 'trivial'"),
        ('[{ name = "trivial", options = { paus = 1.0 } }]', "", OptionError, "did you mean 'pause'"),
        ('[{ name = "trivial", options = { pause = "1" } }]', "", OptionError, "pause = '1'"),
        ('[{ name = "trivial", options = { seed = 3 } }]', "", SuiteError, "seeds"),
        ('["trivial:slo"]', "", OptionError, "no preset 'slo'; did you mean 'slow'"),
        ('["raises:slow"]', "", OptionError, "there are: none"),
        ('["trivial"]', ', series = ["t7"]', DataError, "'t7'"),
        ('["trivial", "trivial"]', "", SuiteError, "twice"),
        ('["trivial"]', ", grid = { count = [2, 2] }", SuiteError, "twice"),
        ('["trivial"]', ", grid = { cont = [2] }", OptionError, "did you mean 'count'"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(detectors: str, series: str, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        planned(detectors, series)


def test_what_is_named_twice_runs_once() -> None:
    suite = parse_suite(SUITE.format(detectors='["raises"]', series=', series = ["t0", "t0"]'), source="here")
    twice = suite.model_copy(update={"seeds": [0, 0]})
    assert len(plan(twice, find_plugins(), home=None).cells) == 1


def test_all_leaves_out_what_is_broken_and_says_so(monkeypatch, caplog) -> None:
    import tsad_faulty

    monkeypatch.setattr(tsad_faulty, "Trivial", object)
    monkeypatch.delattr(tsad_faulty, "Raises")
    suite = parse_suite(SUITE.format(detectors='"all"', series=""), source="here")
    labels = {cell.label for cell in plan(suite, find_plugins(), home=None).cells}
    assert {"trivial", "raises"} & labels == set()
    assert {"skips", "k-means"} <= labels
    assert "trivial of tsad-faulty is not a detector" in caplog.text
    assert "raises of tsad-faulty cannot be loaded" in caplog.text


def test_the_slot_is_the_cells_identity_and_not_its_label() -> None:
    cell = Cell("a", "a", "d", "s")
    assert cell.slot == replace(cell, label="other").slot
    assert len({cell.slot, replace(cell, seed=1).slot, replace(cell, options={"w": 1}).slot}) == 3


FACTS = {"distribution": "d", "version": "1", "options": {"w": 1}, "data": "x", "device": "cpu", "threads": 1}


@pytest.mark.parametrize("fact", ["version", "options", "data", "device", "precision", "kernels", "threads"])
def test_the_key_changes_with_whatever_can_change_a_score(fact: str) -> None:
    cell = Cell("a", "a", "d", "s")
    assert cell_key(cell, FACTS) != cell_key(cell, {**FACTS, fact: "another"})


def test_the_key_does_not_change_with_what_cannot() -> None:
    cell = Cell("a", "a", "d", "s")
    assert cell_key(cell, FACTS) == cell_key(replace(cell, label="b"), {**FACTS, "threshold": 0.5})
