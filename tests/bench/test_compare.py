"""Two executions compared: differences solved by hand, and what stands beside them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tsad_bench.cells import Cell
from tsad_bench.cli import cli
from tsad_bench.environment import default_uri
from tsad_bench.outcome import Outcome
from tsad_bench.report.compare import CompareError, Difference, Side, compare, differences, seed_spread
from tsad_bench.results import collect


def side(name: str, *rows: tuple, metrics: tuple[str, ...] = ("m",), better: str = "higher", **given) -> Side:
    """Make an execution of (detector, series, seed, value or status, more of the cell) rows."""
    pairs = []
    for detector, series, seed, value, *more in rows:
        cell = Cell(
            detector, detector, **({"dataset": "d", "series": series, "seed": seed} | (more[0] if more else {}))
        )
        outcome = Outcome(cell.slot, costs={"fit-seconds": 2.0 if name == "old" else 5.0, "score-seconds": 0.0})
        if isinstance(value, str):
            outcome.status, outcome.reason = value, value
        elif value is not None:
            outcome.metrics = {"m": value, "n": -value}
        pairs.append((cell, outcome))
    results = collect(pairs, metrics=dict.fromkeys(metrics, better), headline=metrics[0])
    slots = [cell.slot for cell, _ in pairs]
    options = {slot: given.get("options", {}) for slot in slots}
    data = dict.fromkeys(slots, given.get("digest", "same"))
    return Side(name, results, given.get("tags", {}), options, data)


def only(found: list[Difference]) -> Difference:
    (one,) = found
    return one


def test_a_difference_is_of_means_over_series_of_means_over_seeds() -> None:
    old = side("old", ("x", "a", 0, 0.2), ("x", "a", 1, 0.4), ("x", "b", 0, 0.5), ("x", "b", 1, 0.7))
    new = side("new", ("x", "a", 0, 0.4), ("x", "a", 1, 0.6), ("x", "b", 0, 0.6), ("x", "b", 1, 0.6))
    one = only(differences(old, new))
    assert (one.first, one.second, one.series) == (pytest.approx(0.45), pytest.approx(0.55), 2)
    assert one.difference == pytest.approx(0.1)
    # squared deviations from each series' mean .02 + .02 + .02 + 0, on 4 degrees of freedom
    assert one.spread == pytest.approx(np.sqrt(0.06 / 4))
    assert "seeds" not in one.beyond
    assert not one.identical


def test_only_a_difference_of_more_than_twice_the_spread_is_beyond_the_seeds() -> None:
    def pair(gain: float) -> Difference:
        values = [("x", "a", 0, 0.2), ("x", "a", 1, 0.3)]
        return only(differences(side("old", *values), side("new", *((d, s, i, v + gain) for d, s, i, v in values))))

    # the spread is .1 / sqrt(2)
    assert pair(0.13).beyond == []
    assert pair(0.15).beyond == ["seeds"]
    assert pair(-0.15).beyond == ["seeds"]


def test_a_gain_on_every_series_is_beyond_the_series_and_one_family_has_no_interval() -> None:
    names = "abcdefgh"
    old = side("old", *(("x", name, 0, 0.1 * place) for place, name in enumerate(names)))
    new = side("new", *(("x", name, 0, 0.1 * place + 0.02 + 0.001 * place) for place, name in enumerate(names)))
    one = only(differences(old, new))
    assert one.beyond == ["series"]
    assert one.spread is None
    assert 0.02 <= one.low <= one.difference <= one.high <= 0.027
    alone = only(differences(side("old", ("x", "a", 0, 0.1)), side("new", ("x", "a", 0, 0.2))))
    assert (alone.low, alone.high) == (None, None)
    assert "nothing to resample" in alone.why_no_interval
    told = compare(old, new)
    assert "not measured: one seed" in told
    assert "better beyond series" in told


def cells_of(table: str, detector: str) -> dict[str, str]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return dict(zip(rows[0], next(row for row in rows if row[0] == detector), strict=True))


@pytest.mark.parametrize("step", [1e-4, 3e-9])
def test_a_difference_that_is_told_is_seen_however_small(step: float) -> None:
    values = [("x", name, 0, 0.5 + 0.01 * place) for place, name in enumerate("abcdefgh")]
    told = compare(side("old", *values), side("new", *((d, s, i, v - step) for d, s, i, v in values)))
    row = cells_of(told, "x")
    assert row["B is"] == "worse beyond series"
    numbers = [row["B − A"], *row["interval"].split(" to ")]
    assert [float(number) for number in numbers] == pytest.approx([-step] * 3, rel=0.05)


def test_no_difference_has_no_sign() -> None:
    values = [("x", "a", 0, 0.5), ("x", "a", 1, 0.7), ("y", "a", 0, 0.5)]
    row = cells_of(compare(side("old", *values), side("new", *values[1::-1], ("y", "a", 0, 0.6))), "x")
    assert row["B − A"] == "0.000"


def test_where_nothing_is_told_that_is_said_in_a_word() -> None:
    values = [("x", "a", 0, 0.2), ("x", "a", 1, 0.3), ("y", "a", 0, 0.2)]
    told = compare(side("old", *values), side("new", *((d, s, i, v + 0.01) for d, s, i, v in values)))
    assert cells_of(told, "x")["B is"] == "not told apart"
    assert cells_of(told, "y")["B is"] == "undecided"


@pytest.mark.parametrize(("better", "word"), [("higher", "worse"), ("lower", "better"), ("neither", "different")])
def test_which_way_is_better_is_the_metrics_to_say(better: str, word: str) -> None:
    values = [("x", "a", 0, 0.9), ("x", "a", 1, 0.91)]
    old = side("old", *values, better=better)
    new = side("new", *((d, s, i, v - 0.5) for d, s, i, v in values), better=better)
    assert f"{word} beyond seeds" in compare(old, new)


def test_a_spread_of_seeds_needs_two_in_some_series() -> None:
    assert seed_spread(np.ones((3, 2, 1, 1))) is None
    assert seed_spread(np.array([1.0, np.nan]).reshape(1, 1, 1, 2)) is None
    assert seed_spread(np.empty((0, 2, 1, 2))) is None
    # corruption seeds are no seeds of the model
    assert seed_spread(np.array([[1.0, 3.0], [11.0, 13.0]]).reshape(1, 1, 2, 2)) == pytest.approx(np.sqrt(2))


def test_series_that_one_has_not_done_count_for_neither_and_are_listed() -> None:
    old = side("old", ("x", "a", 0, 0.2), ("x", "b", 0, 0.9), ("y", "a", 0, 0.5))
    new = side("new", ("x", "a", 0, 0.3), ("x", "b", 0, "failed"), ("z", "a", 0, 0.1), metrics=("m", "n"))
    one = only(differences(old, new))
    assert (one.first, one.second, one.series) == (0.2, 0.3, 1)
    told = [[cell.strip() for cell in line.strip("|").split("|")] for line in compare(old, new).splitlines()]
    assert ["A", "x", "d", "clean", "1", "failed"] in told
    assert ["A", "y", "d", "clean", "1", "not planned"] in told
    assert ["B", "z", "d", "clean", "1", "not planned"] in told
    # a table of their own: they are neither detectors nor data sets
    assert told[told.index(["only in", "metric"]) + 2] == ["B", "n"]


def test_flawed_data_sets_stand_beside_the_mean_not_in_it() -> None:
    rows = [("x", "a", 0, 0.2), ("x", "a", 0, 0.4, {"dataset": "e"}), ("x", "a", 0, 0.9, {"dataset": "smap"})]
    found = {one.data: one.first for one in differences(side("old", *rows), side("new", *rows))}
    assert found == {"all data sets": pytest.approx(0.3), "smap": 0.9}


def test_the_same_execution_is_identical_and_nothing_was_different() -> None:
    old = side("old", ("x", "a", 0, 0.2), ("x", "a", 1, 0.3))
    told = compare(old, old)
    assert "the same to the last digit" in told
    assert "Versions, options and data are the same" in told
    assert "what only one did" not in told


def test_versions_options_data_and_costs_that_differ_are_told() -> None:
    rows = [("x", "a", 0, 0.2)]
    old = side("old", *rows, tags={"tsad.version.numpy": "2.0", "tsad.commit": "c"}, options={"k": "1", "seed": "0"})
    new = side("new", *rows, tags={"tsad.version.numpy": "2.1", "tsad.commit": "c"}, options={"j": "1"}, digest="other")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in compare(old, new).splitlines()]
    assert ["version numpy", "2.0", "2.1"] in lines
    assert ["option x.k", "1", "–"] in lines
    assert ["option x.j", "–", "1"] in lines
    assert ["data d:a", "same", "other"] in lines
    assert not any(line[0] in {"commit", "option x.seed"} for line in lines)
    assert ["x", "2.50", "–", "–"] in lines
    assert ["–: not measured, or nothing in A."] in lines
    assert lines[-1] == ["–: it has none."]


def test_a_metric_without_a_value_in_one_of_them_is_left_out() -> None:
    old, new = side("old", ("x", "a", 0, 0.2), ("y", "a", 0, 0.1)), side("new", ("x", "a", 0, None), ("y", "a", 0, 0.1))
    assert [one.detector for one in differences(old, new)] == ["y"]


def test_executions_without_a_cell_or_a_metric_in_common_cannot_be_compared() -> None:
    old = side("old", ("x", "a", 0, 0.2))
    with pytest.raises(CompareError, match=r"old and new do not have a done cell"):
        compare(old, side("new", ("x", "b", 0, 0.2)))
    with pytest.raises(CompareError, match=r"do not have a metric in common"):
        compare(old, side("new", ("x", "a", 0, 0.2), metrics=("n",)))


@pytest.mark.usefixtures("store")
def test_the_command_compares_executions_of_the_store_and_names_one_that_is_not_there(own_folder: Path) -> None:
    log("old", 0.2, own_folder, window=3)
    log("new", 0.2, own_folder, window=5)
    told = CliRunner().invoke(cli, ["compare", "old", "new"])
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("# old (A) against new (B)")
    assert "the same to the last digit" in told.stdout
    assert re.search(r"option x.window +\| 3 +\| 5 +\|", told.stdout)
    assert "version" not in told.stdout.partition("what was different")[2]
    gone = CliRunner().invoke(cli, ["compare", "old", "gone"])
    assert gone.exit_code == 2
    assert gone.stderr.startswith("Error: ")
    assert "no execution gone" in gone.stderr


def log(execution: str, value: float, folder: Path, **options: int) -> None:
    """Log an execution of one cell to the default store, without running it."""
    from tsad_bench.tracking import Header, Tracker

    tags = {"tsad.suite": "tiny", "tsad.headline": "m", "tsad.metrics": json.dumps({"m": "higher"})}
    cell = Cell("x", "x", "d", "a", options=options)
    outcome = Outcome(cell.slot, metrics={"m": value}, facts={"options": options, "data": "same"}, started=1, ended=2)
    tracker = Tracker(
        default_uri(), Header(execution, "tiny", "a test", tags | {"tsad.version.numpy": "2"}, {}), [cell]
    )
    tracker.log_cell(cell, outcome, folder / "none")
    tracker.finish({}, {}, "", ended=2)
