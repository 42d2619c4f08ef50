"""Curves, areas and drops of hand-made results, solved by hand; and what tables and summaries say of them."""

import math

import pandas as pd
import pytest
from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome
from tsad_bench.report import robustness
from tsad_bench.report.conditions import sentence
from tsad_bench.report.summary import summary_points
from tsad_bench.report.table import markdown, tables
from tsad_bench.report.tabular import of_effect
from tsad_bench.results import Results, collect
from tsad_core.corruption import KINDS

CONTROLS = {"random", "pca", "k-means"}


def results(*rows, better: str = "higher") -> Results:
    """Make results of (detector, condition, value or reason, more) rows; more: what else its cell has, and a status."""
    pairs = []
    for detector, condition, value, *more in rows:
        place = {"dataset": "d", "series": "s0"} | (more[0] if more else {})
        status = place.pop("status", "skipped")
        cell = Cell(detector, detector, condition=condition, **place)
        outcome = Outcome(cell.slot, facts={"distribution": "tsad-core" if detector in CONTROLS else "tsad-foo"})
        if isinstance(value, str):
            outcome.status, outcome.reason = status, value
        elif value is None:
            outcome.undefined = {"m": "no event"}
        else:
            outcome.metrics = {"m": value}
        pairs.append((cell, outcome))
    return collect(pairs, metrics={"m": better}, headline="m")


def curve(detector: str, kind: str, values: dict[int, float | str | None], **place) -> list[tuple]:
    return [(detector, f"{kind}@{level}", value, dict(place)) for level, value in values.items()]


def points_of(made: Results, detector: str) -> dict[tuple[str, int], float]:
    return {(p.key, p.step): p.value for p in summary_points(made)[detector] if not p.key.startswith("usage/")}


def test_the_area_is_the_integral_of_the_distance_from_the_best_control_at_each_level() -> None:
    made = results(
        *curve("foo", "missing-values", {0: 0.9, 10: 0.7, 40: 0.1}),
        *curve("pca", "missing-values", {0: 0.5, 10: 0.1, 40: 0.0}),
        *curve("random", "missing-values", {0: 0.2, 10: 0.2, 40: 0.2}),
    )
    measured = robustness.measures(robustness.curves(made, "missing-values"))
    # above the best control: .4, .5, -.1 at 0, 1/4, 1
    assert measured.loc["foo", "area"] == pytest.approx(0.25 * 0.45 + 0.75 * 0.2)
    assert measured.loc["random", "area"] == pytest.approx(-0.25 * 0.3 / 2)
    assert measured.loc["foo", ["level-0", "drop", "worst-level"]].tolist() == pytest.approx([0.9, 0.8, 40])
    assert measured.loc["random", "drop"] == 0


def test_the_controls_may_be_named() -> None:
    made = results(*curve("foo", "level-drift", {0: 0.9, 10: 0.9}), *curve("bar", "level-drift", {0: 0.4, 10: 0.2}))
    assert robustness.measures(robustness.curves(made, "level-drift"))["area"].isna().all()
    measured = robustness.measures(robustness.curves(made, "level-drift", controls=["bar"]))
    assert measured["area"].to_dict() == {"foo": pytest.approx(0.6), "bar": 0.0}


def test_the_worst_level_need_not_be_the_last_and_a_gain_is_a_drop_below_zero() -> None:
    made = results(
        *curve("foo", "level-drift", {0: 0.5, 10: 0.2, 20: 0.4, 30: 0.2}),
        *curve("bar", "level-drift", {0: 0.5, 10: 0.8, 20: 0.7, 30: 0.9}),
    )
    measured = robustness.measures(robustness.curves(made, "level-drift"))
    assert measured["worst-level"].to_dict() == {"foo": 10, "bar": 20}
    assert measured["drop"].to_dict() == {"foo": pytest.approx(0.3), "bar": pytest.approx(-0.2)}


def test_where_lower_is_better_more_area_is_good_and_more_drop_is_bad() -> None:
    made = results(
        *curve("foo", "level-drift", {0: 0.1, 10: 0.3}), *curve("pca", "level-drift", {0: 0.5, 10: 0.5}), better="lower"
    )
    foo = robustness.measures(robustness.curves(made, "level-drift")).loc["foo"]
    assert foo.to_dict() == {
        "level-0": 0.1,
        "area": pytest.approx(0.3),
        "drop": pytest.approx(0.2),
        "worst-level": 10,
    }


def test_where_neither_way_is_better_there_is_a_curve_and_nothing_else() -> None:
    made = results(*curve("pca", "level-drift", {0: 0.1, 10: 0.3}), better="neither")
    found = robustness.curves(made, "level-drift")
    assert found.means.loc["pca"].tolist() == [0.1, 0.3]
    assert robustness.measures(found).drop(columns="level-0").isna().all(axis=None)
    told = markdown(made)
    assert "neither way is m better" in told
    assert "best control is" not in told


def test_where_neither_way_is_better_detectors_stay_as_the_suite_has_them() -> None:
    rows = [row for name, value in (("pca", 0.1), ("foo", 0.5)) for row in curve(name, "level-drift", {0: value, 5: 0})]
    assert order_of(results(*rows, better="neither")) == ["pca", "foo"]
    assert order_of(results(*rows)) == ["foo", "pca"]


def order_of(made: Results) -> list[str]:
    """Return the detectors as the table of curves has them, which is as the table of levels has them."""
    tables = markdown(made).split("### ")
    found = [
        [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")][2:]
        for table in tables
        if table.startswith(("robustness under", "d: m under")) and "common" not in table and "filled" not in table
    ]
    assert found[0] == found[-1]
    assert len(found) == 2
    return found[0]


def test_a_detector_without_a_level_is_not_ranked_by_the_mean_of_the_others() -> None:
    made = results(
        *curve("foo", "missing-values", {0: 0.9, 10: "never takes NaN"}),
        *curve("bar", "missing-values", {0: 0.8, 10: 0.2}),
        *curve("pca", "missing-values", {0: 0.7, 10: 0.6}),
    )
    assert order_of(made) == ["pca", "bar", "foo"]


def test_a_level_that_nobody_has_ranks_nobody() -> None:
    made = results(
        *curve("bar", "missing-values", {0: 0.2, 10: "no"}, status="failed"),
        *curve("pca", "missing-values", {0: 0.7, 10: "no"}, status="failed"),
    )
    assert order_of(made) == ["pca", "bar"]


def test_the_clean_cells_stand_at_level_0_of_a_kind_without_its_own() -> None:
    made = results(("pca", "clean", 0.9), *curve("pca", "missing-values", {10: 0.8, 5: 0.7}))
    found = robustness.curves(made, "missing-values")
    assert list(found.means.columns) == [0, 5, 10]
    assert found.means.loc["pca"].tolist() == [0.9, 0.7, 0.8]
    own = results(("pca", "clean", 0.9), *curve("pca", "missing-values", {0: 0.6, 5: 0.5}))
    assert robustness.curves(own, "missing-values").means.loc["pca", 0] == 0.6


def test_real_anomalies_have_a_level_0_of_their_own_or_none() -> None:
    made = results(("pca", "clean", 0.9), *curve("pca", "real-anomalies", {1: 0.5, 2: 0.2}))
    measured = robustness.measures(robustness.curves(made, "real-anomalies")).loc["pca"]
    assert measured[["level-0", "drop"]].isna().all()
    assert measured["area"] == 0
    assert "the suite has no level 0" in markdown(made)
    own = results(("pca", "clean", 0.9), *curve("pca", "real-anomalies", {0: 0.4, 2: 0.1}))
    assert robustness.measures(robustness.curves(own, "real-anomalies")).loc["pca", "drop"] == pytest.approx(0.3)


def test_noise_runs_from_clean_to_the_lowest_ratio_and_its_area_begins_at_the_mildest_noise() -> None:
    made = results(
        ("foo", "clean", 1.0),
        ("pca", "clean", 0.0),
        *curve("foo", "white-noise", {0: 0.2, 20: 0.6, -20: 0.4}),
        *curve("pca", "white-noise", {0: 0.0, 20: 0.0, -20: 0.0}),
    )
    found = robustness.curves(made, "white-noise")
    assert list(found.means.columns) == [math.inf, 20, 0, -20]
    foo = robustness.measures(found).loc["foo"]
    assert foo.tolist() == pytest.approx([1.0, 0.5 * 0.4 + 0.5 * 0.3, 0.8, 0])
    assert "| clean | 20 dB | 0 dB  | -20 dB |" in markdown(made)


def test_one_level_alone_is_its_own_area_and_has_no_drop() -> None:
    made = results(*curve("foo", "white-noise", {10: 0.6}), *curve("pca", "white-noise", {10: 0.5}))
    foo = robustness.measures(robustness.curves(made, "white-noise")).loc["foo"]
    assert foo["area"] == pytest.approx(0.1)
    assert math.isnan(foo["drop"])


def test_level_0_alone_has_no_worst_level() -> None:
    made = results(*curve("pca", "level-drift", {0: 0.6}))
    measured = robustness.measures(robustness.curves(made, "level-drift")).loc["pca"]
    assert measured[["drop", "worst-level"]].isna().all()


def test_corruption_seeds_are_averaged_in_a_series_series_in_a_data_set_and_data_sets_last() -> None:
    made = results(
        *curve("pca", "level-drift", {5: 0.0}, corruption_seed=0),
        *curve("pca", "level-drift", {5: 1.0}, corruption_seed=1),
        *curve("pca", "level-drift", {5: 0.1}, series="s1"),
        *curve("pca", "level-drift", {5: 0.7}, dataset="e"),
    )
    assert robustness.curves(made, "level-drift").means.loc["pca", 5] == pytest.approx((0.3 + 0.7) / 2)
    assert robustness.curves(made, "level-drift", dataset="e").means.loc["pca", 5] == 0.7


def test_a_level_with_missing_cells_is_missing_with_their_count_and_the_others_stand() -> None:
    made = results(
        *curve("foo", "missing-values", {0: 0.9, 5: 0.8, 10: 0.7}),
        *curve("foo", "missing-values", {0: 0.9, 5: 0.8, 10: "NaN"}, series="s1", status="failed"),
        *curve("pca", "missing-values", {0: 0.5, 5: 0.4, 10: 0.1}),
        *curve("pca", "missing-values", {0: 0.5, 5: 0.4, 10: 0.3}, series="s1"),
    )
    found = robustness.curves(made, "missing-values")
    assert found.means.loc["foo", [0, 5]].tolist() == [0.9, 0.8]
    assert math.isnan(found.means.loc["foo", 10])
    assert found.shortfall("foo", 10) == "1 of 2 done"
    assert robustness.measures(found).loc["foo", ["area", "drop", "worst-level"]].isna().all()
    assert robustness.measures(found).loc["pca", "drop"] == pytest.approx(0.3)
    points = points_of(made, "foo")
    assert points["missing-values-percent/m", 5] == 0.8
    assert ("missing-values-percent/m", 10) not in points
    assert "| foo      | 0.900 | 0.800 | 1 of 2 done |" in markdown(made)


def test_the_common_subset_holds_the_same_series_at_every_level() -> None:
    made = results(
        *curve("foo", "missing-values", {0: 0.9, 10: 0.7}),
        *curve("foo", "missing-values", {0: 0.1, 10: "no"}, series="s1", status="failed"),
        *curve("bar", "missing-values", {0: 0.9, 10: "never takes NaN"}),
        *curve("bar", "missing-values", {0: 0.9, 10: "never takes NaN"}, series="s1"),
        *curve("pca", "missing-values", {0: 0.5, 10: 0.1}),
        *curve("pca", "missing-values", {0: 0.7, 10: 0.3}, series="s1"),
    )
    common = robustness.curves(robustness.comparable(made, "missing-values"), "missing-values")
    assert common.means.loc["foo"].tolist() == [0.9, 0.7]
    assert common.means.loc["pca"].tolist() == [0.5, 0.1]
    assert "bar" not in common.means.index
    assert "m under missing-values" in markdown(made)
    assert "common subset" in markdown(made, whole=False)


def test_a_control_with_missing_values_is_no_rival_and_that_is_said() -> None:
    made = results(
        *curve("foo", "level-drift", {0: 0.9, 5: 0.9}),
        *curve("pca", "level-drift", {0: 0.8, 5: "no"}, status="failed"),
        *curve("k-means", "level-drift", {0: 0.5, 5: 0.5}),
    )
    found = robustness.curves(made, "level-drift")
    assert found.rivals == ["k-means"]
    assert robustness.measures(found).loc["foo", "area"] == pytest.approx(0.4)
    assert "best of k-means (without pca: values are missing)" in markdown(made, whole=False)


def test_a_series_that_no_detector_could_be_given_is_left_out_for_all_and_counted() -> None:
    refused = {0: "series s1: needs 2 events", 1: "series s1: needs 2 events"}
    made = results(
        *curve("foo", "real-anomalies", {0: 0.9, 1: 0.5}),
        *curve("foo", "real-anomalies", refused, series="s1"),
        *curve("pca", "real-anomalies", {0: 0.4, 1: 0.3}),
        *curve("pca", "real-anomalies", refused, series="s1"),
    )
    found = robustness.curves(made, "real-anomalies")
    assert found.means.loc["foo"].tolist() == [0.9, 0.5]
    assert found.left_out == {("d", "s1"): "series s1: needs 2 events"}
    assert "1 series, without 1 that are left out for all detectors: needs 2 events (1)." in markdown(made, whole=False)


def test_a_series_that_each_detector_refuses_for_a_reason_of_its_own_stays_missing() -> None:
    made = results(
        *curve("foo", "level-drift", {0: "too long", 5: "too long"}),
        *curve("pca", "level-drift", {0: "too short", 5: "too short"}),
    )
    found = robustness.curves(made, "level-drift")
    assert found.left_out == {}
    assert found.shortfall("foo", 0) == "0 of 1 done"


def test_a_series_without_the_metric_is_left_out_at_every_level_and_for_everyone() -> None:
    made = results(
        *curve("foo", "level-drift", {0: 0.9, 5: 0.5}),
        *curve("foo", "level-drift", {0: 0.1, 5: None}, series="s1"),
        *curve("pca", "level-drift", {0: 0.4, 5: 0.2}),
        *curve("pca", "level-drift", {0: 1.0, 5: 1.0}, series="s1"),
        # it never has the metric: it takes nothing from the others
        *curve("mute", "level-drift", {0: None, 5: None}),
        *curve("mute", "level-drift", {0: None, 5: None}, series="s1"),
    )
    found = robustness.curves(made, "level-drift")
    assert found.left_out == {("d", "s1"): "no event"}
    assert found.means.loc[["foo", "pca"]].to_numpy().tolist() == [[0.9, 0.5], [0.4, 0.2]]
    assert found.means.loc["mute"].isna().all()


def test_the_effect_is_the_curve_less_its_shams_over_the_series_that_both_can_strike() -> None:
    made = results(
        *curve("foo", "train-anomalies", {0: 0.9, 5: 0.5, 10: 0.3}),
        *curve("foo", "train-anomalies", {0: 0.9, 5: 0.9, 10: 0.9}, series="s1"),
        *curve("foo", "sham-anomalies", {5: 0.7, 20: 0.6}),
        *curve("foo", "sham-anomalies", {5: "no normal stretch", 20: "no normal stretch"}, series="s1"),
    )
    effect = robustness.effect(made, "train-anomalies")
    assert list(effect.columns) == [5]
    assert effect.loc["foo", 5] == pytest.approx(-0.2)
    assert robustness.effect(made, "sham-anomalies").empty
    tiny = pd.DataFrame({5: [-0.0001, math.nan]}, index=["foo", "bar"])
    grid = of_effect(tiny, "train-anomalies", {})
    assert grid.rows == [["foo", "0.000"], ["bar", "–"]]
    assert grid.note == "–: cells are not done, or the metric is undefined."
    assert "### effect of train-anomalies: m" in markdown(made, whole=False)
    assert robustness.effect(results(*curve("foo", "train-anomalies", {0: 0.9})), "train-anomalies").empty


def test_data_sets_that_are_not_pooled_are_shown_with_the_reason() -> None:
    made = results(
        ("pca", "clean", 0.2),
        ("pca", "clean", 0.4, {"dataset": "e"}),
        ("pca", "clean", 0.9, {"dataset": "nab"}),
        *curve("pca", "level-drift", {5: 0.1}),
        *curve("pca", "level-drift", {5: 0.3}, dataset="e"),
        *curve("pca", "level-drift", {5: 0.9}, dataset="nab"),
    )
    assert robustness.curves(made, "level-drift").means.loc["pca"].tolist() == pytest.approx([0.3, 0.2])
    assert points_of(made, "pca")["m", 0] == pytest.approx(0.3)
    assert points_of(made, "pca")["nab/m", 0] == 0.9
    assert "Shown, not pooled: nab: its labels are windows" in markdown(made)
    assert "| pca      | 0.300 | 2 " in markdown(made)


def test_data_sets_none_of_which_is_pooled_have_no_mean_and_one_alone_has() -> None:
    both = results(("pca", "clean", 0.2, {"dataset": "smap"}), ("pca", "clean", 0.4, {"dataset": "msl"}))
    assert set(points_of(both, "pca")) == {("smap/m", 0), ("msl/m", 0)}
    assert "msl and smap: their labels" in markdown(both)
    alone = results(("pca", "clean", 0.2, {"dataset": "smap"}), *curve("pca", "level-drift", {5: 0.1}, dataset="smap"))
    assert points_of(alone, "pca")["m", 0] == 0.2
    assert points_of(alone, "pca")["level-drift-percent/m", 5] == 0.1
    assert "not pooled" not in markdown(alone)


def test_of_one_pooled_data_set_beside_others_its_mean_is_the_overall_one() -> None:
    made = results(("pca", "clean", 0.2), ("pca", "clean", 0.9, {"dataset": "nab"}))
    assert points_of(made, "pca")["m", 0] == 0.2
    assert "all data sets" not in markdown(made)


def test_the_table_over_the_only_pooled_data_set_names_it() -> None:
    made = results(
        *curve("pca", "level-drift", {0: 0.9, 5: 0.8}, dataset="nab"),
        *curve("pca", "level-drift", {0: 0.4, 5: 0.3}),
    )
    section = markdown(made, whole=False).split("### robustness under level-drift: m on d\n")[1]
    assert "| pca      | 0.400 | 0.300 " in section
    assert "0.900" not in section


def test_curves_are_stepped_so_that_the_last_value_is_that_of_the_worst_level() -> None:
    made = results(
        ("pca", "clean", 0.9),
        *curve("pca", "white-noise:both", {10: 0.5, -10: 0.1}),
        *curve("pca", "train-anomalies", {5: 0.6}),
        *curve("pca", "sham-anomalies", {5: 0.8}),
    )
    points = points_of(made, "pca")
    noise, train = "white-noise-both-70-minus-dB/m", "train-anomalies-percent/m"
    assert {place: value for place, value in points.items() if place[0] == noise} == {
        (noise, 0): 0.9,
        (noise, 60): 0.5,
        (noise, 80): 0.1,
    }
    assert points[train, 0] == points[f"{train}.sham", 0] == 0.9
    assert points[train, 5] == 0.6
    assert points[f"{train}.sham", 5] == 0.8
    assert points[f"{train}.effect", 5] == pytest.approx(-0.2)
    assert points["robustness/drop.white-noise-both", 0] == pytest.approx(0.8)
    assert points["robustness/area.white-noise-both", 0] == 0
    assert all(type(step) is int for _, step in points)


def test_a_condition_that_a_detector_refuses_does_not_cost_it_its_clean_mean() -> None:
    made = results(
        ("foo", "clean", 0.9),
        ("random", "clean", 0.1),
        ("foo", "missing-values@5", "no NaN"),
        ("random", "missing-values@5", 0.1),
    )
    points = points_of(made, "foo")
    assert points["m", 0] == 0.9
    assert points["missing-values-percent/m", 0] == 0.9
    assert not any(key.startswith("robustness/") for key, _ in points)
    assert "| foo      | 0.900 | 1 " in markdown(made)


def test_levels_of_a_kind_stand_together_from_mild_to_worst_under_a_sentence() -> None:
    made = results(
        *curve("pca", "pink-noise", {0: 0.1}),
        *curve("pca", "missing-values", {30: 0.2, 0: 0.9, 10: 0.3}),
        *curve("pca", "pink-noise", {20: 0.4}),
    )
    table = markdown(made, whole=False)
    assert "| detector | 20 dB | 0 dB " in table
    assert "| detector | 0 %   | 10 %  | 30 % " in table
    assert "The test part changes; levels in dB, lower is worse; worse to the right." in table


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_sentence(kind: str) -> None:
    assert KINDS[kind].summary in sentence(kind)
    for parts in KINDS[kind].parts:
        assert sentence(f"{kind}:{parts}").startswith(f"`{kind}:{parts}`")


def test_the_csv_holds_every_number_once() -> None:
    made = results(
        *curve("foo", "level-drift", {0: 0.9, 5: 0.5}, dataset="d"),
        *curve("foo", "level-drift", {0: 0.7, 5: "no"}, dataset="e", status="failed"),
    )
    files = tables(made)
    frame = robustness.frame(made)
    assert files["robustness.csv"].startswith("dataset,condition,unit,metric,detector,measure,level,value,note\n")
    assert len(frame) == 3 * (2 + 4)  # each data set and both: two levels and four measures
    assert not frame.duplicated(["dataset", "measure", "level"]).any()
    over_all = frame[(frame["dataset"] == "all data sets") & (frame["measure"] == "value")].set_index("level")
    assert over_all.loc[0, "value"] == pytest.approx(0.8)
    assert pd.isna(over_all.loc[5, "value"])
    assert over_all.loc[5, "note"] == "1 of 2 done"
    assert "robustness.csv" not in tables(results(("foo", "clean", 0.5)))


def test_of_nothing_done_there_is_a_table_and_no_number() -> None:
    made = results(*curve("pca", "level-drift", {0: "no", 5: "no"}, status="failed"))
    assert "0 of 1 done" in markdown(made)
    assert points_of(made, "pca") == {}
    assert robustness.frame(made)["value"].isna().all()


def test_of_a_series_that_the_condition_refuses_alone_nothing_is_left_and_that_is_said() -> None:
    made = results(*curve("pca", "real-anomalies", {0: "series s0: 1 event", 1: "series s0: 1 event"}))
    assert robustness.curves(made, "real-anomalies").series == 0
    assert "0 series, without 1 that are left out for all detectors: 1 event (1)" in markdown(made, whole=False)
    assert points_of(made, "pca") == {}
