"""Results by kind of anomaly, solved by hand: what is left for a kind, its number, its tables."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tsad_bench.cells import Cell, Job
from tsad_bench.evaluation import Loaded, Subject
from tsad_bench.kinds import MOST, by_kind, steps_left
from tsad_bench.measure import run_job
from tsad_bench.outcome import Outcome, Settings
from tsad_bench.report.kinds import EVERY, kind_grids, kind_rows, means
from tsad_bench.report.latex import latex
from tsad_bench.report.page import page
from tsad_bench.report.record import Record
from tsad_bench.report.table import markdown, numbers
from tsad_bench.results import Results, collect
from tsad_bench.suite import Choice
from tsad_core import Array, Detection, Series, Undefined, find_plugins
from tsad_core.corruption import Condition, corrupt
from tsad_core.metric import Card, metric

PERIOD = 10


@metric(Card("share", "", "Share of anomalous steps that score 1, less that of normal ones.", "", -1, 1, "higher"))
def share(*, labels_T: Array, scores_T: Array) -> float:
    """Return what share of anomalous steps score 1, less what share of normal ones do."""
    if labels_T.all():
        raise Undefined("no normal step")
    return float(scores_T[labels_T].mean() - scores_T[~labels_T].mean())


@metric(Card("length", "", "Anomalous steps, if there are 3 or more.", "", 3, np.inf, "neither"))
def length(*, labels_T: Array) -> float:
    """Return how many steps are anomalous; fewer than 3 are `Undefined`."""
    if labels_T.sum() < 3:
        raise Undefined("fewer than 3 anomalous steps")
    return float(labels_T.sum())


@metric(Card("steps", "", "Rows of every input.", "", 0, np.inf, "neither"))
def steps(
    *,
    labels_T: Array,
    calibration_T: Array,
    root_causes_TC: Array,
    attribution_TC: Array,
    normal_TC: Array,
    expected_TC: Array,
    observed_TC: Array,
    train_TC: Array,
) -> float:
    """Return how many steps of the test part it is given, if training and calibration are whole."""
    of_test = [labels_T, root_causes_TC, attribution_TC, normal_TC, expected_TC, observed_TC]
    assert len({len(values) for values in of_test}) == 1
    assert (len(train_TC), len(calibration_T)) == (500, 3)
    return len(labels_T)


def plant(events: Mapping[tuple[int, int], str], *, steps: int = 100, **given: object) -> Series:
    """A sine of period 10 with these events, by first step and the step after the last."""
    labels_T = np.zeros(steps, dtype=bool)
    for start, stop in events:
        labels_T[start:stop] = True
    train_TC = np.sin(np.arange(500) * 2 * np.pi / PERIOD)[:, None]
    made = {"train_TC": train_TC, "test_TC": train_TC[:steps], "labels_T": labels_T}
    return Series(name="s", event_kinds=tuple(events.values()), **{**made, **given})


def found(series: Series, scores_T: Array, function=share, condition: str = "clean", **reasons: Array) -> dict:
    """What a cell is told of kinds, after a way through JSON."""
    subject = Subject(series, corrupt(series, Condition.parse(condition), seed=0))
    metrics: Loaded = {"m": (function, {})}
    inputs = subject.inputs(Detection(np.asarray(scores_T, dtype=float), **reasons), np.zeros(3))
    return dict(json.loads(json.dumps(by_kind(inputs, subject, metrics, "m"))).get("kinds", {}))


def left(events: Mapping[tuple[int, int], str], kind: str, *, margin: int, steps: int = 30) -> list[int]:
    series = plant(events, steps=steps)
    return np.flatnonzero(~steps_left(series.labels_T, series.event_kinds, kind, margin=margin)).tolist()


def test_other_kinds_are_left_out_with_a_margin_on_both_sides() -> None:
    assert left({(5, 6): "a", (20, 22): "b"}, "a", margin=3) == [17, 18, 19, 20, 21, 22, 23, 24]
    assert left({(5, 6): "a", (20, 22): "b"}, "a", margin=0) == [20, 21]


def test_margins_end_with_the_series() -> None:
    events = {(0, 1): "b", (15, 16): "a", (28, 30): "b"}
    assert left(events, "a", margin=2) == [0, 1, 2, 26, 27, 28, 29]
    assert left({(0, 1): "a", (10, 11): "b", (29, 30): "a"}, "a", margin=99) == [*range(2, 28)]


def test_events_of_a_kind_stay_whole_and_apart_when_what_lies_between_is_left_out() -> None:
    events = {(5, 8): "a", (9, 10): "b", (11, 12): "a"}
    # step 9 alone: the normal steps 8 and 10 keep the two events two
    assert left(events, "a", margin=9) == [0, 1, 2, 3, 9, *range(13, 19)]


def test_of_one_kind_nothing_is_left_out() -> None:
    assert left({(5, 8): "a", (12, 13): "a"}, "a", margin=9) == []


def test_a_kind_that_is_found_and_one_that_is_missed_have_numbers_of_their_own() -> None:
    series = plant({(20, 22): "spike", (60, 64): "drift"})
    scores_T = np.zeros(100)
    # the spike is found; an alarm of its smoothing, 5 steps late, is not held against the drift, and one at 90 is
    scores_T[[20, 21, 26, 90]] = 1
    # of the drift are left: 100 steps less 22 of the spike, 4 of these anomalous; of the spike: less 24, 2 anomalous
    assert found(series, scores_T) == {
        "drift": [1, round(-1 / 74, 6)],
        "spike": [1, round(1 - 2 / 74, 6)],
    }


def test_one_kind_alone_has_the_number_of_the_cell() -> None:
    series = plant({(20, 22): "spike", (60, 61): "spike"})
    scores_T = np.random.default_rng(0).integers(0, 2, 100)
    whole = share(labels_T=series.labels_T, scores_T=scores_T)
    assert found(series, scores_T) == {"spike": [2, round(whole, 6)]}


def test_an_undefined_kind_has_no_number_and_costs_the_others_none() -> None:
    series = plant({(20, 22): "spike", (60, 64): "drift"})
    assert found(series, np.zeros(100), length) == {"drift": [1, 4.0], "spike": [1, None]}
    assert found(plant({(0, 9): "a"}, steps=9), np.zeros(9)) == {"a": [1, None]}


def test_without_kinds_labels_or_a_headline_nothing_is_told() -> None:
    assert found(plant({}), np.zeros(100)) == {}
    assert found(plant({}, labels_T=None), np.zeros(100)) == {}
    series = plant({(20, 22): "spike"})
    subject = Subject(series, corrupt(series, Condition(), seed=0))
    assert by_kind(subject.inputs(Detection(np.zeros(100)), np.zeros(3)), subject, {"m": (share, {})}, "") == {}


def test_every_input_of_a_metric_is_cut_alike_but_training_and_calibration() -> None:
    labels_T = plant({(20, 22): "spike", (60, 64): "drift"}).labels_T
    known = {"root_causes_TC": labels_T[:, None], "normal_TC": np.zeros((100, 1))}
    series = plant({(20, 22): "spike", (60, 64): "drift"}, **known)
    given_TC = np.zeros((100, 1))
    assert found(series, np.zeros(100), steps, attribution_TC=given_TC, expected_TC=given_TC) == {
        "drift": [1, 78.0],
        "spike": [1, 76.0],
    }


def test_on_a_slower_clock_kinds_are_those_of_the_clean_steps() -> None:
    series = plant({(20, 22): "spike", (60, 64): "drift"})
    slow = corrupt(series, Condition("resampling", 50), seed=0).series
    assert (len(slow.test_TC), slow.event_kinds) == (50, ())
    # carried back, the alarms of the drift are the steps 59 to 64: 2 of the 74 normal ones that are left
    assert found(series, slow.labels_T, condition="resampling@50")["drift"] == [1, round(1 - 2 / 74, 6)]


def test_of_a_test_part_cut_in_time_the_later_kinds_are_left() -> None:
    series = plant({(5, 7): "spike", (30, 32): "drift", (60, 61): "noise", (80, 81): "spike"})
    half = corrupt(series, Condition("real-anomalies", 0), seed=0).series
    assert half.event_kinds == ("noise", "spike")
    told = found(series, half.labels_T.astype(float), condition="real-anomalies@0")
    assert told == {"noise": [1, 1.0], "spike": [1, 1.0]}


def test_kinds_that_would_not_fit_in_a_tag_are_not_told() -> None:
    events = {(2 * n, 2 * n + 1): f"kind-{n}-{'x' * 40}" for n in range(50)}
    assert found(plant(events), np.zeros(100)) == {}
    assert MOST < 5000


def results(*rows, better: str = "higher") -> Results:
    """Make results of (detector, series, headline, kinds) rows, more as fields of the cell; no headline: not done."""
    pairs = []
    for detector, series, value, kinds, more in [(*row, {})[:5] for row in rows]:
        cell = Cell(detector, detector, **{"dataset": "d", **more}, series=series)
        outcome = Outcome(cell.slot, metrics={"m": value}, facts={"kinds": kinds} if kinds else {})
        outcome.facts["distribution"] = "tsad-core" if detector == "pca" else "tsad-foo"
        if value is None:
            outcome.metrics, outcome.status, outcome.reason = {}, "failed", "no"
        pairs.append((cell, outcome))
    return collect(pairs, metrics={"m": better}, headline="m")


TWO = (
    ("foo", "s0", 0.2, {"drift": [1, 0.1], "spike": [2, 0.9]}),
    ("foo", "s1", 0.4, {"spike": [3, 0.5]}),
    ("pca", "s0", 0.9, {"drift": [1, 0.8], "spike": [2, 0.6]}),
    ("pca", "s1", 0.7, {"spike": [3, 0.2]}),
)


def test_the_table_has_the_best_first_and_says_how_many_events_a_kind_has() -> None:
    (grid,) = kind_grids(results(*TWO))
    assert list(grid.heads) == ["detector", f"{EVERY} (n=6)", "drift (n=1)", "spike (n=5)"]
    assert grid.rows == [["pca", "0.800", "0.800", "0.400"], ["foo", "0.300", "0.100", "0.700"]]
    (grid,) = kind_grids(results(*TWO, better="lower"))
    assert [name for name, *_ in grid.rows] == ["foo", "pca"]


def test_seeds_are_averaged_inside_a_series_first() -> None:
    seeds = [("foo", "s0", 0.0, {"a": [1, value]}, {"seed": seed}) for seed, value in enumerate([0.0, 0.0, 0.6])]
    (grid,) = kind_grids(results(*seeds, ("foo", "s1", 0.0, {"a": [1, 1.0]})))
    assert grid.rows == [["foo", "0.000", "0.600"]]
    assert grid.heads[2] == "a (n=2)"


def test_conditions_but_the_plain_one_do_not_count() -> None:
    noisy = ("foo", "s0", 0.9, {"drift": [1, 0.9]}, {"condition": "white-noise@10"})
    (grid,) = kind_grids(results(*TWO[:2], noisy))
    assert grid.rows == [["foo", "0.300", "0.100", "0.700"]]


def test_numbers_over_some_series_never_stand_beside_numbers_over_all() -> None:
    lacking = ("bar", "s0", 0.5, {"spike": [2, None]}), ("bar", "s1", 0.5, {"spike": [3, 0.5]})
    failed = ("baz", "s0", 0.5, {"spike": [2, 1.0]}), ("baz", "s1", None, {})
    (grid,) = kind_grids(results(*TWO, *lacking, *failed))
    assert ["bar", "0.500", "–", "–"] in grid.rows
    assert "baz" not in [name for name, *_ in grid.rows]


def test_a_kind_that_nobody_has_a_number_for_has_no_column() -> None:
    (grid,) = kind_grids(results(("foo", "s0", 0.5, {"a": [1, None], "b": [1, 0.5]})))
    assert list(grid.heads) == ["detector", f"{EVERY} (n=2)", "b (n=1)"]


def test_data_sets_without_kinds_have_no_table() -> None:
    made = results(("foo", "s0", 0.5, {}), ("foo", "s0", 0.5, {"a": [1, 0.5]}, {"dataset": "e"}))
    assert [grid.title for grid in kind_grids(made)] == ["e by kind of anomaly: m"]
    plain = results(("foo", "s0", 0.5, {}))
    assert list(kind_grids(plain)) == []
    assert "kind" not in markdown(plain)
    assert list(numbers(plain).columns) == [name for name in numbers(made).columns if name != "events"]
    assert means(collect([], metrics={"m": "higher"}, headline="m")).empty


def test_every_form_of_the_report_has_the_table() -> None:
    made = results(*TWO)
    assert "| pca      | 0.800            | 0.800       | 0.400       |" in markdown(made)
    assert "by kind" not in markdown(made, whole=False)
    assert "pca & 0.800 & 0.800 & 0.400 \\\\" in latex([], kind_grids(made))
    assert "Results by kind of anomaly" in page(made, Record(suite="s", execution="e"))
    row = numbers(made).set_index(["detector", "metric"]).loc["foo", "m/spike"]
    assert (row["mean"], row["n"], row["events"]) == (pytest.approx(0.7), 2, 5)
    assert "m/every kind" not in set(kind_rows(made)["metric"])


def test_a_run_tells_kinds_and_no_other_number_changes(tmp_path: Path) -> None:
    options = {"train_steps": 400, "test_steps": 1000, "channels": 1, "kinds": "noise,trend"}
    choices = {"auc-roc": Choice(name="auc-roc"), "f1": Choice(name="f1")}
    plain = Settings(choices, str(tmp_path), artifacts="none")
    for detector in ("pca", "random"):
        job = Job((Cell(detector, detector, "synthetic", "sines-0", dataset_options=options),))
        (without,) = run_job(job, plain, find_plugins())
        (told,) = run_job(job, replace(plain, headline="auc-roc"), find_plugins())
        kinds = told.facts.pop("kinds")
        assert (told.metrics, told.undefined, told.draws) == (without.metrics, without.undefined, without.draws)
        assert (told.facts, told.key) == (without.facts, without.key)
        assert sorted(kinds) == ["noise", "trend"]
        assert all(events >= 1 and 0 <= value <= 1 for events, value in kinds.values())
