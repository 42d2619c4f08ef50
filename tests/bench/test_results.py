"""Tables of hand-made results: means, floors, what is missing."""

import numpy as np
import pytest
from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome
from tsad_bench.report.summary import summary_points
from tsad_bench.report.table import csv, folded, markdown
from tsad_bench.results import collect, common_subset, filled_by, over_datasets, summarise


def results(*rows, better="higher"):
    """Make results of (detector, dataset, series, seed, value or status or reason) rows."""
    pairs = []
    for detector, dataset, series, seed, value, *condition in rows:
        cell = Cell(detector, detector, dataset, series, seed=seed, condition=condition[0] if condition else "clean")
        outcome = Outcome(cell.slot)
        if isinstance(value, str):
            outcome.status, outcome.reason = "skipped", value
        elif value is None:
            outcome.undefined = {"m": "no event"}
        elif isinstance(value, list):
            outcome.metrics, outcome.draws = {"m": float(np.nanmean(np.array(value, dtype=float)))}, {"m": value}
        else:
            outcome.metrics = {"m": value}
        pairs.append((cell, outcome))
    return collect(pairs, metrics={"m": better}, headline="m")


def test_seeds_are_averaged_inside_a_series_first() -> None:
    made = results(
        ("a", "d", "s0", 0, 0.0), ("a", "d", "s0", 1, 1.0), ("a", "d", "s0", 2, 1.0), ("a", "d", "s1", 0, 0.0)
    )
    row = summarise(made).iloc[0]
    assert row["mean"] == pytest.approx(1 / 3)
    assert row["n"] == 2


def test_the_percentile_is_over_draws_of_the_mean_over_series() -> None:
    # the draws of the two series cancel out: every draw's mean is one half
    made = results(("random", "d", "s0", 0, [0.0, 1.0]), ("random", "d", "s1", 0, [1.0, 0.0]))
    row = summarise(made).iloc[0]
    assert row["mean"] == row["p95"] == 0.5


def test_an_undefined_metric_is_left_out_and_the_n_is_printed() -> None:
    table = markdown(results(("a", "d", "s0", 0, 0.25), ("a", "d", "s1", 0, None)))
    assert "0.250 (n=1)" in table


def test_a_metric_undefined_everywhere_is_a_dash_and_never_zero() -> None:
    table = markdown(results(("a", "d", "s0", 0, None)))
    assert "| a        | – " in table
    assert "nan" not in table


def test_below_a_table_stands_what_its_dashes_mean() -> None:
    table = markdown(
        results(("random", "d", "s0", 0, [0.1, 0.2]), ("a", "d", "s0", 0, None), ("b", "d", "s0", 0, "too long"))
    )
    told = table.split("### ")[1].splitlines()[-2]
    assert told.startswith("–: m: no event; look-ahead of random: noise has none; look-ahead of a: not measured; ")
    assert told.endswith("; cells are not done.")


def test_reasons_are_counted_over_series_that_differ_by_their_name_alone() -> None:
    made = results(
        *(("a", "d", name, 0, f"series {name}: too long") for name in ("s0", "s1", "s2")), ("b", "d", "s0", 0, 1.0)
    )
    assert "| a        | d       | skipped | too long | 3     |" in markdown(made)


def test_a_lone_condition_is_named_above_its_table() -> None:
    table = markdown(results(("a", "d", "s0", 0, 0.5, "level-drift@20")))
    assert "All of it under `level-drift@20`." in table
    assert "under" not in markdown(results(("a", "d", "s0", 0, 0.5)))


def test_a_number_over_some_series_never_stands_beside_one_over_all() -> None:
    made = results(
        ("random", "d", "s0", 0, 0.1),
        ("random", "d", "s1", 0, 0.3),
        ("a", "d", "s0", 0, 0.9),
        ("a", "d", "s1", 0, "too long"),
    )
    whole, common, filled, reasons = markdown(made).split("### ")[1:]
    assert "1 of 2 done" in whole
    assert "0.900" not in whole
    assert "0.200" in whole
    assert "0.900" in common
    assert "0.100" in common
    assert "0.200" not in common
    assert "0.600" in filled  # (0.9 + 0.3) / 2
    assert "too long" in reasons


def test_a_detector_without_any_result_does_not_empty_the_common_subset() -> None:
    made = results(("a", "d", "s0", 0, 0.5), ("b", "d", "s0", 0, "never"))
    assert set(common_subset(made).frame["detector"]) == {"a"}
    assert "0 of 1 done" in markdown(made)


def test_all_cells_lost_still_gives_a_table() -> None:
    assert "0 of 1 done" in markdown(results(("a", "d", "s0", 0, "never")))


def test_filling_leaves_what_is_done_alone() -> None:
    made = results(("random", "d", "s0", 0, 0.1), ("a", "d", "s0", 0, 0.9), ("b", "d", "s0", 0, "no"))
    frame = filled_by(made, "random").frame.set_index("detector")
    assert frame["m"].to_dict() == {"random": 0.1, "a": 0.9, "b": 0.1}


def test_data_sets_weigh_the_same_whatever_their_size() -> None:
    made = results(("a", "big", "s0", 0, 0.0), ("a", "big", "s1", 0, 0.0), ("a", "small", "s0", 0, 1.0))
    assert over_datasets(summarise(made))["mean"].tolist() == [0.5]
    values = {point.key: point.value for point in summary_points(made)["a"]}
    assert (values["m"], values["all-data-sets/m"], values["big/m"]) == (0.5, 0.5, 0.0)
    assert "all data sets" in markdown(made)


def test_the_overall_row_is_hidden_when_any_data_set_is_incomplete() -> None:
    made = results(
        ("a", "d", "s0", 0, 0.5), ("a", "e", "s0", 0, "no"), ("b", "d", "s0", 0, 0.25), ("b", "e", "s0", 0, 0.75)
    )
    overall = markdown(made).split("### all data sets\n")[1].split("###")[0]
    assert "1 of 2 done" in overall
    assert "0.500" in overall.split("| b ")[1]


def test_conditions_stand_side_by_side_and_become_stepped_metrics() -> None:
    made = results(
        ("a", "d", "s0", 0, 0.8, "train-anomalies@0"),
        ("a", "d", "s0", 0, 0.6, "train-anomalies@5"),
        ("a", "d", "s1", 0, 0.4, "train-anomalies@5"),
        ("a", "d", "s1", 0, 0.6, "train-anomalies@0"),
    )
    assert "| a        | 0.700 | 0.500 | 2 " in markdown(made)
    curve = {(p.key, p.step): p.value for p in summary_points(made)["a"] if p.key.startswith("train-anomalies")}
    assert curve == {
        ("train-anomalies-percent/m", 0): pytest.approx(0.7),
        ("train-anomalies-percent/m", 5): pytest.approx(0.5),
    }


def test_a_summary_with_missing_cells_has_counts_and_no_mean() -> None:
    points = summary_points(results(("a", "d", "s0", 0, 0.5), ("a", "d", "s1", 0, "no")))["a"]
    keys = {point.key for point in points}
    assert "m" not in keys
    assert {"usage/cells-done", "usage/cells-skipped"} <= keys


def test_a_data_set_with_missing_cells_costs_the_overall_mean_and_not_the_other_data_sets() -> None:
    made = results(("a", "d", "s0", 0, 0.5), ("a", "e", "s0", 0, 0.7), ("a", "e", "s1", 0, "no"))
    values = {point.key: point.value for point in summary_points(made)["a"]}
    assert values["d/m"] == 0.5
    assert not {"m", "e/m", "all-data-sets/m"} & set(values)


def test_the_percentile_over_data_sets_is_that_of_the_macro_mean() -> None:
    # each data set's 95th percentile is near 1, but no draw is high on both
    made = results(("random", "d", "s0", 0, [0.0, 1.0]), ("random", "e", "s0", 0, [1.0, 0.0]))
    assert over_datasets(summarise(made))["p95"].tolist() == [0.5]


def test_a_draw_without_a_value_on_some_series_is_left_out() -> None:
    made = results(("random", "d", "s0", 0, [0.0, 0.2, None]), ("random", "d", "s1", 0, [0.0, 0.2, 0.9]))
    row = summarise(made).iloc[0]
    np.testing.assert_allclose(row["draws"], [0.0, 0.2, np.nan])
    assert row["p95"] == pytest.approx(0.19)


def test_a_detector_missing_from_a_data_set_has_no_mean_over_all() -> None:
    made = results(
        ("a", "d", "s0", 0, 0.8),
        ("a", "e", "s0", 0, 0.2),
        ("b", "d", "s0", 0, 0.9),
        ("b", "e", "s0", 0, "no"),
    )
    common = markdown(made).split("### all data sets, common subset\n")[1].split("###")[0]
    assert "0.500" in common
    assert "0.900" not in common


def test_the_lowest_comes_first_where_lower_is_better() -> None:
    rows = [("a", "d", "s0", 0, 0.8), ("b", "d", "s0", 0, 0.2)]
    for better, order in (("higher", ["a", "b"]), ("lower", ["b", "a"])):
        lines = markdown(results(*rows, better=better)).splitlines()
        assert [line.split()[1] for line in lines if line.startswith("| ")][2:] == order


def test_the_csv_has_one_line_for_each_number() -> None:
    lines = csv(results(("a", "d", "s0", 0, 0.5), ("b", "d", "s0", 0, 0.25))).splitlines()
    assert lines[0] == "dataset,condition,detector,metric,mean,n,p95,planned,done,look-ahead"
    assert lines[1] == "d,clean,a,m,0.5,1,,1,1,"
    assert len(lines) == 3


def test_a_table_too_wide_is_folded_between_columns_and_loses_nothing() -> None:
    table = "### t\n\n| who | aa  | bb  | cc  |\n| --- | --- | --- | --- |\n| x   | 1   | 2   | 3   |\n\nend\n"
    assert folded(table, 80) == table
    narrow = folded(table, 20)
    assert max(len(line) for line in narrow.splitlines()) <= 20
    assert "| who | aa  | bb  |" in narrow
    assert "| who | cc  |\n| --- | --- |\n| x   | 3   |" in narrow
    assert narrow.startswith("### t")
    assert narrow.endswith("end\n")
