"""The headline table in Markdown, CSV and LaTeX: intervals, verdicts, what is missing."""

import io
import math
import re
from dataclasses import replace

import pandas as pd
import pytest
from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome
from tsad_bench.report import headline
from tsad_bench.report.comparison import compared, cost_points, lost_series, wins
from tsad_bench.report.figures import front
from tsad_bench.report.headline import boards
from tsad_bench.report.latex import escaped, latex
from tsad_bench.report.page import page
from tsad_bench.report.record import Record
from tsad_bench.report.rows import signed
from tsad_bench.report.table import markdown, metric_tables, numbers
from tsad_bench.results import Results, collect

CONTROLS = {"random", "pca"}


def results(values, *, better: str = "higher", dataset: str = "d") -> Results:
    """Make results of each detector's values by series; a text is the reason of a cell that is not done."""
    pairs = []
    for detector, by_series in values.items():
        for number, value in enumerate(by_series):
            cell = Cell(detector, detector, dataset, f"s{number}")
            outcome = Outcome(cell.slot, facts={"distribution": "tsad-core" if detector in CONTROLS else "tsad-foo"})
            outcome.costs = {"fit-seconds": 2.0, "score-seconds": 1.0, "added-memory-mb": 30.0}
            if isinstance(value, str):
                outcome.status, outcome.reason = "skipped", value
            else:
                outcome.metrics = {"m": value}
            pairs.append((cell, outcome))
    return collect(pairs, metrics={"m": better}, headline="m")


def row(made: Results, detector: str) -> headline.Row:
    (board,) = boards(made)
    return next(row for row in board.rows if row.detector == detector)


SIX = {"foo": [0.9] * 6, "bar": [0.1] * 6, "pca": [0.5] * 6, "random": [0.2] * 6}


def test_verdicts_are_told_in_a_few_words() -> None:
    made = results(SIX)
    # all six signs agree: p is 1 / 64
    assert row(made, "foo").standing == "above the floor (p .016)"
    assert row(made, "bar").standing == "not above pca (p 1.00)"
    assert row(made, "pca").standing == "control"


def test_few_series_are_underpowered_and_how_many_it_takes_is_told() -> None:
    made = results({"foo": [0.9] * 3, "pca": [0.5] * 3})
    assert row(made, "foo").standing == "underpowered (3 of 5 series needed, p .12 at best)"
    five = results({"foo": [0.9] * 5, "pca": [0.5] * 5})
    assert row(five, "foo").standing == "above the floor (p .031)"


def test_without_a_control_there_is_no_verdict_but_its_reason() -> None:
    assert row(results({"foo": [0.9, 0.8]}), "foo").standing == "undefined (no control has a result)"


def test_of_a_metric_without_direction_there_is_no_verdict() -> None:
    assert "neither way is m better" in row(results(SIX, better="neither"), "foo").standing


def test_where_lower_is_better_the_lowest_is_first_and_above_the_floor() -> None:
    (board,) = boards(results(SIX, better="lower"))
    assert [row.detector for row in board.rows] == ["bar", "random", "pca", "foo"]
    assert board.rows[0].above
    assert not board.rows[3].above


def test_a_number_over_some_series_is_not_shown_beside_those_over_all() -> None:
    made = results({"foo": [*[0.9] * 5, "too long"], "pca": [0.5] * 6})
    foo = row(made, "foo")
    assert (foo.value, foo.interval, foo.counted) == ("5 of 6 done", "–", "5 of 6")
    assert foo.standing == "above the floor (p .031, 5 series)"
    assert boards(made)[0].rows[-1].detector == "foo"


def test_the_number_lies_in_its_interval_and_a_single_series_has_none() -> None:
    values = [0.1, 0.5, 0.9, 0.3]
    number = row(results({"foo": values}), "foo").number
    assert number.value == pytest.approx(0.45)
    assert number.low is not None
    assert number.high is not None
    assert min(values) <= number.low < 0.45 < number.high <= max(values)
    (board,) = boards(results({"foo": [0.9]}))
    assert board.rows[0].interval == "–"
    assert "a single family of series in d" in board.note


def test_every_dash_has_its_reason_below_the_table_in_each_format() -> None:
    made = results({"foo": [*[0.9] * 5, "too long"], "pca": [0.5] * 6, "random": [0.2] * 6})
    noise = made.frame.loc[made.frame["detector"] == "random", "slot"]
    made = replace(made, draws={slot: {"m": [0.2]} for slot in noise})
    made.frame.loc[made.frame["detector"] == "pca", ["look-ahead", "added-memory-mb"]] = [24, math.nan]
    told = (
        "cells are not done (foo); look-ahead of random: noise has none; look-ahead of foo: not measured; "
        "memory of pca: not measured."
    )
    (board,) = boards(made)
    assert board.note == f"–: {told}"
    assert f"\n\n–: {told}\n\n" in markdown(made).partition("\n### ")[0]
    assert f"--: {told}" in latex([board])
    assert f"–: {told}" in page(made, Record("e")).partition('<section id="ranks"')[0]


def test_a_detector_that_shows_no_number_is_not_ranked_by_the_one_it_hides() -> None:
    made = results({"foo": [*[0.9] * 5, "too long"], "bar": [0.1] * 6, "pca": [0.5] * 6})
    (whole, *_) = metric_tables(made, "clean")
    assert [line[0] for line in whole.lines] == ["pca", "bar", "foo"]


def test_where_neither_way_is_better_detectors_stay_as_the_suite_has_them() -> None:
    made = results({"foo": [0.5], "bar": [0.9], "pca": [0.1]}, better="neither")
    assert [row.detector for row in boards(made)[0].rows] == ["foo", "bar", "pca"]
    assert [line[0] for line in metric_tables(made, "clean")[0].lines] == ["foo", "bar", "pca"]
    assert front({"a": (1.0, 0.5), "b": (2.0, 0.9)}, better="neither") == []
    assert "Neither way is m better" in page(made, Record("e"))


def test_what_rounds_to_nothing_has_no_sign() -> None:
    made = results({"foo": [-0.0001, -0.0002]})
    assert (row(made, "foo").value, row(made, "foo").interval) == ("0.000", "0.000 to 0.000")
    assert "-0.000" not in markdown(made)
    assert [signed(-0.0001), signed(0.0001), signed(-0.0006)] == ["0.000", "0.000", "-0.001"]


def test_the_number_is_that_of_the_table_of_all_metrics() -> None:
    made = results({"foo": [0.123, 0.456], "pca": [0.2, 0.4]})
    assert row(made, "foo").value == "0.289"
    assert markdown(made).count("0.289") == 2


def test_markdown_begins_with_the_headline_where_it_says_more_than_the_other_tables() -> None:
    assert markdown(results(SIX)).startswith("## m: d\n\n| detector | m ")
    assert markdown(results({"foo": [0.5]})).startswith("### d\n")


def test_the_csv_has_intervals_and_verdicts_beside_the_headline() -> None:
    made = results(SIX)
    frame = pd.read_csv(io.StringIO(headline.csv(made, numbers(made)))).set_index("detector")
    assert list(frame.columns[-5:]) == ["high", "standing", "hardest-control", "p", "why"]
    assert frame.loc["foo", "standing"] == "above the floor"
    assert frame.loc["foo", "hardest-control"] == "pca"
    assert frame.loc["foo", "p"] == 1 / 64
    assert frame.loc["pca", "standing"] == "control"
    assert frame.loc["foo", "low"] == pytest.approx(0.9)


def test_of_nothing_done_there_is_a_headline_without_numbers() -> None:
    made = results({"foo": ["no"], "pca": ["no"]})
    assert [row.value for row in boards(made)[0].rows] == ["0 of 1 done"] * 2
    assert boards(results({})) == []
    assert "begin{table}" in latex(boards(made))


def test_latex_is_bold_for_the_best_of_those_above_the_floor_alone() -> None:
    assert re.findall(r"\\textbf\{(.*?)\}", latex(boards(results(SIX)))) == ["0.900"]
    below = {"foo": [0.3] * 6, "pca": [0.5] * 6}
    assert "textbf{" not in latex(boards(results(below)))
    # two series decide nothing, however good
    assert "textbf{" not in latex(boards(results({"foo": [0.9] * 2, "pca": [0.5] * 2})))


def test_latex_is_balanced_and_every_line_has_as_many_cells_as_there_are_columns() -> None:
    text = latex(boards(results({"<b>&|_%$^~#{\\": [0.9] * 6, "pca": [0.5] * 6})))
    bare = re.sub(r"\\[{}]", "", text)
    depth = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    assert re.findall(r"\\begin\{(\w+)\}", text) == list(reversed(re.findall(r"\\end\{(\w+)\}", text)))
    columns = re.search(r"begin\{tabular\}\{(\w+)\}", text)
    assert columns
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(lines) == 3
    assert {len(re.split(r"(?<!\\)&", line)) for line in lines} == {len(columns[1])}
    caption = text.split("caption{")[1].split("\n")[0]
    assert "95 \\%" in text
    assert not re.search(r"(?<!\\)%", caption)


@pytest.mark.parametrize("sign", list("&%$#_{}"))
def test_what_means_something_to_latex_is_escaped(sign: str) -> None:
    assert escaped(f"a{sign}b") == f"a\\{sign}b"


def test_a_backslash_becomes_one_command_and_its_braces_stay_its_own() -> None:
    assert escaped("a\\b^~") == r"a\textbackslash{}b\textasciicircum{}\textasciitilde{}"


def test_wins_are_shares_of_series_and_ties_are_wins_of_neither() -> None:
    made = results({"foo": [0.9, 0.5, 0.1, "no"], "pca": [0.5, 0.5, 0.5, 0.5], "random": [0.0, 0.0, 0.0, 0.0]})
    shares = wins(compared(made))
    assert shares.loc["foo", "pca"] == pytest.approx(1 / 3)
    assert shares.loc["pca", "foo"] == pytest.approx(1 / 3)
    assert shares.loc["foo", "random"] == 1
    assert shares.loc["random", "foo"] == 0
    assert shares.loc["pca", "random"] == 1
    assert pd.isna(shares.loc["foo", "foo"])


def test_lost_series_are_those_with_the_widest_gap_to_the_best_control_there() -> None:
    made = results({"foo": [0.9, 0.1, 0.4], "pca": [0.5, 0.5, 0.2], "random": [0.1, 0.6, 0.45]})
    lost = lost_series(compared(made))
    assert lost[["detector", "control", "series"]].to_numpy().tolist() == [
        ["foo", "random", "s1"],
        ["foo", "random", "s2"],
    ]
    assert lost["gap"].tolist() == pytest.approx([0.5, 0.05])
    assert lost_series(compared(made), most=1)["series"].tolist() == ["s1"]
    lower = lost_series(compared(results({"foo": [0.9], "pca": [0.5]}, better="lower")))
    assert lower[["value", "theirs", "gap"]].to_numpy().tolist() == [[0.9, 0.5, pytest.approx(0.4)]]
    assert lost_series(compared(results({"foo": [0.1]}))).empty


def test_the_cost_of_a_detector_is_seconds_a_cell_and_the_most_memory() -> None:
    assert cost_points(results({"foo": [0.2, 0.4]}))["foo"] == (3.0, pytest.approx(0.3), 30.0)
    assert "foo" not in cost_points(results({"foo": [0.2, "no"]}))
