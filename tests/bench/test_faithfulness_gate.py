"""The gate: which detectors' faithfulness may be shown, and what becomes of the numbers of the others."""

import pytest
from tsad_bench.cells import Cell
from tsad_bench.faithfulness.cards import CARDS
from tsad_bench.faithfulness.gate import gated, verdicts
from tsad_bench.faithfulness.untrained import untrained
from tsad_bench.outcome import Outcome
from tsad_core import Array, Detection, Series, detector
from tsad_core.controls import PCA

GOOD = {"detector": 0.4, "true-causes": 0.3, "largest-deviation": 0.2, "random": 0.0, "untrained": 0.1}


def pair(worth: dict[str, float], label: str = "d", series: str = "s", seed: int = 0) -> tuple[Cell, Outcome]:
    cell = Cell(label, label, "synthetic", series, seed=seed)
    metrics = {"vus-pr": 0.5, "faithfulness-deletion": 0.4, "faithfulness-insertion-self-circular": 0.3}
    return cell, Outcome(cell.slot, metrics=metrics, facts={"faithfulness": {"explainers": worth}})


@pytest.mark.parametrize(
    ("changed", "objection"),
    [
        ({}, ""),
        ({"true-causes": 0.2}, "true-causes 0.200 does not beat largest-deviation 0.200"),
        ({"largest-deviation": -0.1}, "largest-deviation -0.100 does not beat random 0.000"),
        ({"untrained": 0.5}, "detector 0.400 does not beat untrained 0.500"),
    ],
)
def test_numbers_are_shown_only_if_better_explanations_are_worth_more(
    changed: dict[str, float], objection: str
) -> None:
    verdict = verdicts([pair(GOOD | changed)])["d"]
    assert verdict.objection.endswith(objection)
    assert bool(verdict.objection) == bool(objection)


def test_the_gate_asks_the_mean_over_seeds_then_series() -> None:
    # mean over cells .4 > .35, over series .3 < .35
    seeds = [pair(GOOD | {"true-causes": 0.5, "largest-deviation": 0.35}, series="a", seed=seed) for seed in (0, 1)]
    other = [pair(GOOD | {"true-causes": 0.1, "largest-deviation": 0.35}, series="b")]
    assert verdicts(seeds)["d"].objection == ""
    assert "true-causes 0.300" in verdicts(seeds + other)["d"].objection


def test_without_a_series_of_known_causes_nothing_is_shown() -> None:
    assert "could not be tested" in verdicts([pair({"detector": 0.4})])["d"].objection


def test_a_detector_that_cannot_be_untrained_is_noted_and_passes() -> None:
    worth = {name: value for name, value in GOOD.items() if name != "untrained"}
    verdict = verdicts([pair(worth)])["d"]
    assert verdict.objection == ""
    assert "not applicable" in verdict.note


def test_each_detector_passes_by_itself_and_other_metrics_are_left_alone() -> None:
    bad = GOOD | {"true-causes": 0.0}
    elsewhere = pair({"detector": 0.4}, "bad", series="real")
    results = gated([pair(GOOD, "good"), pair(bad, "bad"), elsewhere])
    outcomes = {(cell.label, cell.series): outcome for cell, outcome in results}
    assert CARDS.keys() & outcomes["good", "s"].metrics.keys()
    for series in ("s", "real"):
        assert outcomes["bad", series].metrics == {"vus-pr": 0.5}
        assert set(outcomes["bad", series].undefined) == {
            "faithfulness-deletion",
            "faithfulness-insertion-self-circular",
        }
    assert elsewhere[1].metrics["faithfulness-deletion"] == 0.4


def test_cells_that_were_never_probed_are_left_as_they_are() -> None:
    cell = Cell("d", "d", "synthetic", "s")
    failed = Outcome(cell.slot, "failed", "why")
    assert gated([(cell, failed)]) == [(cell, failed)]
    assert verdicts([(cell, failed)]) == {}


@detector
class Descends:
    """Blames by how long it was trained."""

    steps: int = 50
    epochs: int = 3
    learning_rate: float = 0.1

    def fit(self, train_TC: Array) -> object:
        self.learnt_ = self.steps * self.learning_rate + self.epochs
        return self

    def detect(self, test_TC: Array) -> Detection:
        return Detection(test_TC[:, 0], attribution_TC=test_TC * 0 + self.learnt_)


def test_the_untrained_copy_takes_a_step_that_leads_nowhere_and_leaves_the_detector_alone() -> None:
    series = Series(name="s", train_TC=[[1.0], [2.0]], test_TC=[[3.0]])
    fitted = Descends().fit(series.train_TC)
    assert untrained(fitted, series)["untrained"].item() == pytest.approx(0, abs=1e-9)
    assert fitted.learnt_ == 8


def test_what_has_no_budget_has_no_untrained_copy() -> None:
    assert untrained(PCA(), Series(name="s", train_TC=[[1.0], [2.0]], test_TC=[[3.0]])) == {}
