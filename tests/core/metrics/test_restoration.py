"""Metrics of what normal would have looked like keep their promises."""

import doctest
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tsad_core.errors import DataError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import restoration, restoration_distances, subsequences
from tsad_core.metrics.restoration import restoration_harm, restoration_skill
from tsad_core.metrics.restoration_distances import (
    restoration_dtw_global,
    restoration_dtw_local,
    restoration_ed_global,
    restoration_ed_local,
)
from tsad_core.metrics.subsequences import nearest, warped
from tsad_core.testing import check_metric

Metric = Callable[..., float]
Inputs = dict[str, np.ndarray]
PAIR = [restoration_skill, restoration_harm]
LOCAL, GLOBAL = [restoration_ed_local, restoration_dtw_local], [restoration_ed_global, restoration_dtw_global]
EVERY = pytest.mark.parametrize("metric", [*PAIR, *LOCAL, *GLOBAL])
quick = settings(max_examples=80, deadline=None, derandomize=True)


def three_steps() -> Inputs:
    """Two channels; the event is the middle step, channel 0 its cause, 10 too high, of which 2 are expected."""
    return {
        "labels_T": np.array([0, 1, 0]),
        "root_causes_TC": np.array([[0, 0], [1, 0], [0, 0]]),
        "normal_TC": np.zeros((3, 2)),
        "observed_TC": np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 0.0]]),
        "expected_TC": np.array([[3.0, 0.0], [2.0, 4.0], [0.0, 0.0]]),
        "train_TC": np.array([[-1.0, -2.0], [1.0, 2.0]]),
    }


@pytest.mark.parametrize("module", [restoration, restoration_distances, subsequences])
def test_examples_run(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@EVERY
def test_it_keeps_the_contract(metric: Metric) -> None:
    check_metric(metric)


def test_skill_is_the_share_of_the_distance_undone_in_guilty_cells() -> None:
    given = three_steps()
    assert evaluate(restoration_skill, given) == pytest.approx(1 - 2 / 10)
    given["expected_TC"][1, 0] = -20
    assert evaluate(restoration_skill, given) == pytest.approx(-1)


def test_harm_is_in_deviations_of_each_channel_over_the_other_cells() -> None:
    # off by 3 in a channel with deviation 1, by 4 in one with deviation 2, of five cells
    assert evaluate(restoration_harm, three_steps()) == pytest.approx(np.sqrt((3**2 + 2**2) / 5))


def test_without_a_known_cause_every_channel_of_the_event_counts() -> None:
    given = three_steps()
    given["root_causes_TC"][1] = 0
    assert evaluate(restoration_skill, given) == pytest.approx(1 - np.sqrt(2**2 + 4**2) / 10)
    assert evaluate(restoration_harm, given) == pytest.approx(np.sqrt(3**2 / 4))


def test_a_cause_outside_events_does_not_count() -> None:
    given = three_steps()
    given["root_causes_TC"][0] = 1
    assert evaluate(restoration_skill, given) == evaluate(restoration_skill, three_steps())
    assert evaluate(restoration_harm, given) == evaluate(restoration_harm, three_steps())


def test_expecting_what_is_observed_has_neither_skill_nor_harm() -> None:
    given = three_steps()
    given["expected_TC"] = given["observed_TC"]
    assert [evaluate(metric, given) for metric in PAIR] == [0, 0]


def test_expecting_the_mean_of_noise_does_a_harm_of_one() -> None:
    rng = np.random.default_rng(0)
    train_TC, normal_TC = rng.normal([0, 9], [1, 30], (5000, 2)), rng.normal([0, 9], [1, 30], (5000, 2))
    causes_TC = np.zeros((5000, 2))
    causes_TC[7] = 1
    given = {"labels_T": causes_TC[:, 0], "root_causes_TC": causes_TC, "normal_TC": normal_TC, "train_TC": train_TC}
    given |= {"observed_TC": normal_TC + causes_TC, "expected_TC": np.broadcast_to([0.0, 9.0], (5000, 2))}
    assert evaluate(restoration_harm, given) == pytest.approx(1, abs=0.03)


def test_a_channel_that_is_constant_in_training_has_no_harm_to_count() -> None:
    given = three_steps()
    given["train_TC"][:, 1] = 0.1
    assert evaluate(restoration_harm, given) == pytest.approx(np.sqrt(3**2 / 2))
    given["train_TC"][:] = 0.1
    with pytest.raises(Undefined, match="varies"):
        evaluate(restoration_harm, given)


def test_missing_cells_are_left_out() -> None:
    given, there = three_steps(), three_steps()
    given["observed_TC"][0, 0] = given["train_TC"][1, 1] = np.nan
    there["train_TC"][1, 1] = there["train_TC"][0, 1] = 5
    assert evaluate(restoration_skill, given) == evaluate(restoration_skill, three_steps())
    # one value is left of channel 1, which is constant then; of channel 0 the last step is
    assert evaluate(restoration_harm, given) == 0
    given["observed_TC"][1, 0] = np.nan
    with pytest.raises(Undefined, match="nothing to restore"):
        evaluate(restoration_skill, given)


@pytest.mark.parametrize("metric", PAIR)
def test_of_the_pair_neither_stands_alone(metric: Metric) -> None:
    given = three_steps()
    with pytest.raises(Undefined, match="without its anomalies"):
        evaluate(metric, {**given, "normal_TC": None})
    with pytest.raises(Undefined, match="nothing to restore"):
        evaluate(metric, {**given, "observed_TC": given["normal_TC"]})


@pytest.mark.parametrize("metric", PAIR)
def test_where_there_is_no_harm_to_count_there_is_no_skill(metric: Metric) -> None:
    with pytest.raises(Undefined, match="no normal cell"):
        evaluate(metric, three_steps() | {"labels_T": np.ones(3), "root_causes_TC": np.ones((3, 2))})
    with pytest.raises(Undefined, match="varies"):
        evaluate(metric, three_steps() | {"train_TC": np.ones((2, 2))})


@EVERY
def test_without_an_event_there_is_no_value(metric: Metric) -> None:
    with pytest.raises(Undefined, match="no event"):
        evaluate(metric, three_steps() | {"labels_T": np.zeros(3)})


@EVERY
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_expected_values_must_be_numbers(metric: Metric, value: float) -> None:
    given = three_steps()
    given["expected_TC"][0, 1] = value
    with pytest.raises(DataError, match="expected_TC is"):
        evaluate(metric, given)


@EVERY
@pytest.mark.parametrize("name", ["normal_TC", "observed_TC", "train_TC", "expected_TC"])
def test_infinite_values_and_other_shapes_are_refused(metric: Metric, name: str) -> None:
    if name not in metric.__annotations__:
        return
    given = three_steps()
    given[name] = given[name] + np.inf
    with pytest.raises(DataError, match=name):
        evaluate(metric, given)
    given[name] = np.zeros((3, 5))
    with pytest.raises(DataError, match=r"has 5\b|\(3, 5\)"):
        evaluate(metric, given)


@EVERY
def test_the_order_of_channels_changes_nothing(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    labels_T = np.zeros(60, dtype=bool)
    labels_T[[0, 1, 2, 30, 31, 32, 33, 59]] = True
    given = {name: rng.normal(size=(60, 4)) for name in ("normal_TC", "observed_TC", "expected_TC", "train_TC")}
    given |= {"labels_T": labels_T, "root_causes_TC": labels_T[:, None] & (rng.random((60, 4)) < 0.5)}
    moved = {name: values[:, [2, 0, 3, 1]] if values.ndim == 2 else values for name, values in given.items()}
    assert evaluate(metric, moved, {"shortest": 3} if metric not in PAIR else {}) == pytest.approx(
        evaluate(metric, given, {"shortest": 3} if metric not in PAIR else {})
    )


def plain_warping(one_L: list[float], other_M: list[float], *, anywhere: bool) -> float:
    """Dynamic time warping, cell by cell."""
    cost = {(-1, -1): 0.0}
    for j in range(len(other_M)):
        cost[-1, j] = 0.0 if anywhere else np.inf
    for i in range(len(one_L)):
        cost[i, -1] = np.inf
        for j in range(len(other_M)):
            before = min(cost[i - 1, j - 1], cost[i - 1, j], cost[i, j - 1])
            cost[i, j] = (one_L[i] - other_M[j]) ** 2 + before
    ends = range(len(other_M)) if anywhere else [len(other_M) - 1]
    return float(np.sqrt(min(cost[len(one_L) - 1, j] for j in ends)))


values = arrays(np.float64, st.tuples(st.integers(1, 7), st.just(2)), elements=st.integers(-4, 4).map(float))


@quick
@given(values, values, st.booleans())
def test_warping_is_that_of_the_plain_recursion(one_LC: np.ndarray, other_MC: np.ndarray, anywhere: bool) -> None:
    expected = [plain_warping(list(one_LC[:, c]), list(other_MC[:, c]), anywhere=anywhere) for c in range(2)]
    assert warped(one_LC, other_MC, anywhere=anywhere) == pytest.approx(expected)


@quick
@given(values, values, st.sampled_from([0.0, 1e6]))
def test_the_nearest_stretch_is_that_of_a_search(one_LC: np.ndarray, other_MC: np.ndarray, level: float) -> None:
    query_LC, series_TC = sorted([one_LC, other_MC], key=len)
    L = len(query_LC)
    stretches = [series_TC[start : start + L] for start in range(len(series_TC) - L + 1)]
    expected = np.min([np.linalg.norm(query_LC - stretch, axis=0) for stretch in stretches], axis=0)
    assert nearest(query_LC + level, series_TC + level) == pytest.approx(expected, abs=1e-9)


def test_the_nearest_of_many_stretches_is_found_to_the_last_digit() -> None:
    rng = np.random.default_rng(5)
    series_TC = 1e4 + 100 * rng.normal(size=(3000, 2)).cumsum(axis=0)
    query_LC = series_TC[1234:1334] + 1e-3
    assert nearest(query_LC, series_TC) == pytest.approx(np.full(2, 1e-3 * 10), rel=1e-9)


def spiky() -> Inputs:
    """One channel of 12 steps; the event is the two steps from 5, training has a ramp."""
    labels_T = np.zeros(12)
    labels_T[5:7] = 1
    normal_TC = np.zeros((12, 1))
    expected_TC = np.arange(12.0)[:, None]
    return {"labels_T": labels_T, "normal_TC": normal_TC, "expected_TC": expected_TC, "train_TC": expected_TC[3:]}


@pytest.mark.parametrize(
    ("shortest", "steps"), [(1, [5, 6]), (2, [5, 6]), (3, [5, 6, 7]), (4, [4, 5, 6, 7]), (99, list(range(12)))]
)
def test_short_events_are_widened_about_their_middle(shortest: int, steps: list[int]) -> None:
    value = evaluate(restoration_ed_local, spiky(), {"shortest": shortest})
    assert value == pytest.approx(np.sqrt(sum(t**2 for t in steps)))


def test_widened_events_stay_inside_the_series() -> None:
    given = spiky()
    given["labels_T"] = np.array([1] + [0] * 10 + [1])
    ends = [sum(t**2 for t in range(4)), sum(t**2 for t in range(8, 12))]
    assert evaluate(restoration_ed_local, given, {"shortest": 4}) == pytest.approx(np.mean(np.sqrt(ends)))


def test_no_shortest_means_the_period_of_the_training_part() -> None:
    wave_TC = np.sin(np.arange(400) * 2 * np.pi / 20)[:, None]
    labels_T = np.zeros(400)
    labels_T[200] = 1
    given = {"labels_T": labels_T, "normal_TC": wave_TC, "expected_TC": wave_TC + 1, "train_TC": wave_TC}
    assert evaluate(restoration_ed_local, given) == pytest.approx(np.sqrt(20))


@pytest.mark.parametrize("metric", GLOBAL)
def test_what_occurs_in_training_is_at_no_distance(metric: Metric) -> None:
    assert evaluate(metric, spiky(), {"shortest": 4}) == pytest.approx(0)
    far = spiky()
    far["train_TC"] = far["train_TC"] + 100
    assert evaluate(metric, far, {"shortest": 4}) > 1


def test_an_event_longer_than_training_has_no_nearest_stretch() -> None:
    with pytest.raises(Undefined, match="shorter than an event"):
        evaluate(restoration_ed_global, spiky(), {"shortest": 10})


@pytest.mark.parametrize("metric", [*LOCAL, *GLOBAL])
def test_normal_stretches_are_drawn_once_for_a_seed_and_hold_no_anomaly(metric: Metric) -> None:
    given = spiky()
    given["expected_TC"] = np.where(given["labels_T"][:, None] > 0, 1e6, given["expected_TC"])
    options = {"shortest": 1, "region": "normal"}
    by_seed = [evaluate(metric, given, options | {"seed": seed}) for seed in (1, 1, 2, 3, 4)]
    assert max(by_seed) < 100
    assert by_seed[0] == by_seed[1]
    with pytest.raises(Undefined, match="no normal stretch of 6 steps"):
        evaluate(metric, given, options | {"shortest": 6})


def test_missing_values_leave_no_stretch_to_compare_with() -> None:
    for metric, name in ((restoration_ed_local, "normal_TC"), (restoration_ed_global, "train_TC")):
        given = spiky()
        given[name] = np.where(np.arange(len(given[name]))[:, None] == 1, np.nan, given[name])
        with pytest.raises(Undefined, match="missing values"):
            evaluate(metric, given)


@quick
@given(st.integers(0, 2**32 - 1))
def test_warping_and_free_places_only_bring_nearer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = {name: rng.normal(size=(20, 2)) for name in ("normal_TC", "expected_TC", "train_TC")}
    given["labels_T"] = np.arange(20) % 10 < 4
    ed, dtw = (evaluate(metric, given, {"shortest": 3}) for metric in LOCAL)
    free_ed, free_dtw = (evaluate(metric, given, {"shortest": 3}) for metric in GLOBAL)
    assert dtw <= ed + 1e-12
    assert free_dtw <= free_ed + 1e-12
    same = given | {"train_TC": given["normal_TC"]}
    assert evaluate(restoration_ed_global, same, {"shortest": 3}) <= ed + 1e-12


def test_warping_is_that_of_the_library_the_paper_used() -> None:
    peer = pytest.importorskip("dtaidistance", reason="dtaidistance is not installed")
    subsequences_of_peer = pytest.importorskip("dtaidistance.subsequence.dtw", reason="dtaidistance is not installed")
    rng = np.random.default_rng(1)
    query_LC, series_TC = rng.normal(size=(17, 1)), rng.normal(size=(90, 1))
    matching = subsequences_of_peer.subsequence_alignment(query_LC[:, 0], series_TC[:, 0], penalty=0).matching
    assert warped(query_LC, series_TC) == pytest.approx(peer.dtw.distance(query_LC[:, 0], series_TC[:, 0]), abs=1e-9)
    assert warped(query_LC, series_TC, anywhere=True) == pytest.approx(17 * matching.min(), abs=1e-9)


def test_the_nearest_stretch_is_that_of_the_library_the_paper_used() -> None:
    peer = pytest.importorskip("stumpy", reason="stumpy is not installed")
    rng = np.random.default_rng(2)
    query_LC, series_TC = rng.normal(size=(17, 1)), rng.normal(size=(300, 1))
    expected = peer.mass(query_LC[:, 0], series_TC[:, 0], normalize=False).min()
    assert nearest(query_LC, series_TC) == pytest.approx(expected, abs=1e-9)
