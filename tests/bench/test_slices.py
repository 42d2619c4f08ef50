"""Slices by health, of hand-made results: who is where, and what is left when everything is remarked upon."""

import re

import pytest
from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome
from tsad_bench.report.slices import by_health, slices
from tsad_bench.report.table import csv, markdown
from tsad_bench.results import collect


def results(*rows, better: str = "higher"):
    """Make results of (detector, series, value, facts) rows."""
    pairs = []
    for detector, series, value, facts in rows:
        cell = Cell(detector, detector, "d", series)
        core = detector in {"random", "pca"}
        outcome = Outcome(cell.slot, metrics={} if value is None else {"m": value}, facts=dict(facts))
        outcome.facts["distribution"] = "tsad-core" if core else "tsad-foo"
        if value is None:
            outcome.status, outcome.reason = "failed", "no"
        pairs.append((cell, outcome))
    return collect(pairs, metrics={"m": better}, headline="m")


def test_series_without_remarks_need_no_slices() -> None:
    made = results(("foo", "a", 0.5, {}), ("foo", "b", 0.5, {"twin": "x"}))
    assert slices(made, "d") == {}
    assert by_health(made, "d").empty
    assert "health" not in markdown(made)


def test_a_series_is_solved_only_by_a_control_that_is_not_noise() -> None:
    made = results(
        ("random", "a", 0.5, {"solved": True}),
        ("foo", "b", 0.5, {"solved": True}),
        ("pca", "c", 0.5, {"solved": True}),
        ("pca", "a", 0.5, {"solved": False}),
        ("pca", "b", 0.5, {}),
    )
    assert slices(made, "d") == {"sound": ["a", "b"], "solved-by-a-control": ["c"]}


def test_of_twins_the_first_counts_as_sound() -> None:
    made = results(*(("foo", name, 0.5, {"twin": twin}) for name, twin in zip("abcd", "xyxz", strict=True)))
    assert slices(made, "d") == {"sound": ["a", "b", "d"], "twins": ["a", "c"]}


def test_a_twin_with_a_flag_of_its_own_is_not_sound() -> None:
    made = results(("foo", "a", 1.0, {"twin": "x", "health": ["dense"]}), ("foo", "b", 1.0, {"twin": "x"}))
    assert slices(made, "d") == {"sound": [], "twins": ["a", "b"], "dense": ["a"]}


def test_each_slice_has_its_mean_and_its_n() -> None:
    flagged = {"health": ["dense", "ends-in-anomaly"]}
    made = results(("foo", "a", 0.9, flagged), ("foo", "b", 0.1, {}), ("pca", "a", 1.0, flagged), ("pca", "b", 0.8, {}))
    table = by_health(made, "d")
    assert list(table.columns) == ["all (n=2)", "sound (n=1)", "dense (n=1)", "ends-in-anomaly (n=1)"]
    assert list(table.index) == ["pca", "foo"]
    assert table.loc["foo"].tolist() == pytest.approx([0.5, 0.1, 0.9, 0.9])
    assert "| foo      | 0.500 " in markdown(made)
    assert "by the health" not in markdown(made, whole=False)


def test_where_lower_is_better_the_lowest_comes_first() -> None:
    made = results(("foo", "a", 0.9, {"health": ["dense"]}), ("pca", "a", 0.1, {"health": ["dense"]}), better="lower")
    assert list(by_health(made, "d").index) == ["pca", "foo"]


def test_a_detector_with_cells_that_are_not_done_has_no_number_in_any_slice() -> None:
    flagged = {"health": ["dense"]}
    made = results(
        ("foo", "a", 0.9, flagged), ("foo", "b", None, {}), ("pca", "a", 0.5, flagged), ("pca", "b", 0.5, {})
    )
    assert list(by_health(made, "d").index) == ["pca"]


def test_a_slice_without_series_has_no_column_and_a_slice_without_numbers_says_why() -> None:
    made = results(("foo", "a", 0.9, {"health": ["dense"]}), ("foo", "b", 0.5, {"health": ["dense"]}))
    assert list(by_health(made, "d").columns) == ["all (n=2)", "dense (n=2)"]
    assert "No series is sound: something is remarked of each." in markdown(made)
    made.frame.loc[1, ["m", "health"]] = [float("nan"), "no-labels"]
    told = markdown(made).partition("by the health")[2]
    assert re.search(r"\| foo +\| 0.900 +\| – +\| 0.900 +\| – +\|", told)
    assert "–: m is undefined on these series." in told


def test_where_neither_way_is_better_detectors_stay_as_the_suite_has_them() -> None:
    rows = [(name, "a", value, {"health": ["dense"]}) for name, value in (("foo", 0.1), ("baz", 0.9), ("bar", 0.5))]
    assert list(by_health(results(*rows, better="neither"), "d").index) == ["foo", "baz", "bar"]


@pytest.mark.parametrize(("recorded", "shown"), [({"look-ahead": 24}, "24"), ({"look-ahead": "all"}, "all"), ({}, "–")])
def test_the_look_ahead_stands_in_every_table(recorded: dict, shown: str) -> None:
    made = results(("foo", "a", 0.9, recorded), ("foo", "b", 0.9, {}))
    rows = [[cell.strip() for cell in line.split("|")] for line in markdown(made).splitlines() if line.startswith("|")]
    assert rows[2][rows[0].index("look-ahead")] == shown
    assert "look-ahead" in csv(made).splitlines()[0]


def test_a_constant_channel_is_a_property_and_no_fault() -> None:
    made = results(("foo", "a", 0.9, {"health": ["constant-channels"]}), ("foo", "b", 0.9, {"health": ["dense"]}))
    assert slices(made, "d") == {"sound": ["a"], "constant-channels": ["a"], "dense": ["b"]}
