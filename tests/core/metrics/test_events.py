"""Metrics of alarms and of the highest peaks keep their promises."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import events, f1, false_alarm_rate, nominal_false_alarm_rate, top_3, top_5, ucr_hit
from tsad_core.metrics.inputs import spans
from tsad_core.thresholds import threshold

Metric = Callable[..., float]
ALARMS = pytest.mark.parametrize("metric", [f1, false_alarm_rate, nominal_false_alarm_rate])
HITS = pytest.mark.parametrize("metric", [ucr_hit, top_3, top_5])


def test_examples_run() -> None:
    assert doctest.testmod(events).failed == 0


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], []),
        ([0], []),
        ([1], [(0, 1)]),
        ([1, 1], [(0, 2)]),
        ([1, 0, 1], [(0, 1), (2, 3)]),
        ([0, 1, 1, 0, 0, 1], [(1, 3), (5, 6)]),
    ],
)
def test_spans_are_the_runs_of_anomalous_steps(labels: list[int], expected: list[tuple[int, int]]) -> None:
    starts_K, stops_K = spans(np.array(labels, dtype=bool))
    assert list(zip(starts_K.tolist(), stops_K.tolist(), strict=True)) == expected


@pytest.mark.parametrize("rule", ["quantile", "mad", "pot"])
@pytest.mark.parametrize("rate", [0.01, 0.1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_alarms_are_counted_as_by_scikit_learn(rule: str, rate: float, dtype: type) -> None:
    rng = np.random.default_rng(1)
    labels_T = rng.random(3000) < 0.1
    scores_T, calibration_T = (rng.normal(size=3000) + 2 * labels_T).astype(dtype), rng.normal(size=1000)
    alarmed_T = scores_T.astype(np.float64) > threshold(calibration_T, rule=rule, rate=rate)
    given = {"labels_T": labels_T, "scores_T": scores_T, "calibration_T": calibration_T, "rule": rule, "rate": rate}
    negatives, false_positives = confusion_matrix(labels_T, alarmed_T)[0]
    assert f1(**given) == pytest.approx(f1_score(labels_T, alarmed_T))
    assert false_alarm_rate(**given) == pytest.approx(false_positives / (negatives + false_positives))
    assert nominal_false_alarm_rate(**given) == rate


def test_a_step_at_the_threshold_is_no_alarm_even_in_single_precision() -> None:
    # 0.1 in single precision is a little above 0.1 in double: the comparison must not round the threshold
    given = {"labels_T": np.array([1, 0]), "calibration_T": np.array([0.1])}
    assert f1(**given, scores_T=np.array([0.1, 0.0])) == 0
    assert f1(**given, scores_T=np.array([0.1, 0.0], dtype=np.float32)) == 1


def test_f1_without_an_alarm_is_zero_and_without_an_event_undefined() -> None:
    given = {"scores_T": np.zeros(3), "calibration_T": np.ones(5)}
    assert f1(labels_T=np.ones(3), **given) == 0
    with pytest.raises(Undefined, match="no event"):
        f1(labels_T=np.zeros(3), **given)


@pytest.mark.parametrize("metric", [false_alarm_rate, nominal_false_alarm_rate])
def test_false_alarms_need_a_normal_step(metric: Metric) -> None:
    given = {"scores_T": np.arange(3), "calibration_T": np.zeros(5)}
    with pytest.raises(Undefined, match="no normal step"):
        metric(labels_T=np.ones(3), **given)
    assert metric(labels_T=np.zeros(3), **given) == (0.01 if metric is nominal_false_alarm_rate else 2 / 3)


@ALARMS
def test_alarms_refuse_what_they_cannot_use(metric: Metric) -> None:
    given = {"labels_T": np.array([0, 1]), "scores_T": np.array([0.0, 1.0]), "calibration_T": np.arange(9.0)}
    for name, value in {"scores_T": [1.0], "calibration_T": [], "labels_T": [0.5, 1]}.items():
        with pytest.raises(DataError, match=name):
            metric(**{**given, name: np.array(value)})
    for options in ({"rate": 0.0}, {"rate": 1.0}, {"rule": "best"}, {"rate": "0.1"}, {"slack": 3}):
        with pytest.raises(OptionError):
            evaluate(metric, given, options)
    assert evaluate(metric, given, {"rule": "mad", "rate": 0.2}) >= 0


@HITS
@pytest.mark.parametrize("labels", [[], [0, 0, 0], [1, 0, 1]])
def test_a_hit_needs_exactly_one_event(metric: Metric, labels: list[int]) -> None:
    with pytest.raises(Undefined, match="not exactly one"):
        metric(labels_T=np.array(labels), scores_T=np.arange(len(labels)))


@HITS
@pytest.mark.parametrize(("step", "hit"), [(299, 0), (300, 1), (405, 1), (510, 1), (511, 0)])
def test_a_hit_may_be_a_hundred_steps_off_on_either_side(metric: Metric, step: int, hit: int) -> None:
    labels_T = np.zeros(1000)
    labels_T[400:411] = 1
    scores_T = np.where(np.arange(1000) == step, 9.0, 0.0)
    # further peaks that miss, so that no plateau is left to chance
    scores_T[[0, 110, 650, 800, 950]] = [5, 4, 3, 2, 1]
    assert metric(labels_T=labels_T, scores_T=scores_T) == hit


@HITS
@pytest.mark.parametrize("steps", [1, 2, 150])
def test_an_event_near_all_steps_is_always_hit(metric: Metric, steps: int) -> None:
    assert metric(labels_T=np.arange(steps) == steps // 2, scores_T=-np.arange(steps)) == 1


def test_tied_highest_scores_hit_by_expectation() -> None:
    labels_T, scores_T = np.arange(1000) == 500, np.zeros(1000)
    scores_T[[450, 100, 800, 900]] = 7
    assert ucr_hit(labels_T=labels_T, scores_T=scores_T) == 0.25


def test_constant_scores_hit_by_chance_wherever_the_event_lies() -> None:
    for event in (150, 250, 5000, 9800):
        given = {"labels_T": np.arange(10_000) == event, "scores_T": np.ones(10_000)}
        assert ucr_hit(**given) == pytest.approx(0.0201)
        assert top_3(**given) == pytest.approx(3 * 0.0201, rel=0.05)
        assert top_5(**given) == pytest.approx(5 * 0.0201, rel=0.07)


@pytest.mark.parametrize(("rank", "in_three", "in_five"), [(1, 1, 1), (3, 1, 1), (4, 0, 1), (5, 0, 1), (6, 0, 0)])
def test_the_highest_peaks_are_counted_from_the_top(rank: int, in_three: int, in_five: int) -> None:
    scores_T = np.zeros(2000)
    scores_T[100::300] = 20 - np.arange(7)
    given = {"labels_T": np.arange(2000) == 100 + 300 * (rank - 1), "scores_T": scores_T}
    assert (top_3(**given), top_5(**given)) == (in_three, in_five)


def test_the_shoulder_of_a_peak_is_no_peak() -> None:
    # one broad peak of 60 steps outranks the event step by step, but is a single peak
    scores_T = np.random.default_rng(2).random(2000)
    scores_T[300:360] = 50 - np.abs(np.arange(60) - 30)
    scores_T[1500] = 5
    labels_T = np.arange(2000) == 1500
    assert ucr_hit(labels_T=labels_T, scores_T=scores_T) == 0
    assert top_3(labels_T=labels_T, scores_T=scores_T) == 1


@pytest.mark.parametrize("seed", range(20))
def test_more_peaks_never_hit_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = {"labels_T": np.arange(3000) == rng.integers(3000), "scores_T": rng.integers(40, size=3000)}
    assert 0 <= ucr_hit(**given) <= top_3(**given) <= top_5(**given) <= 1


def test_peaks_are_those_found_one_by_one() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        scores_T, event, slack = rng.permutation(60), int(rng.integers(60)), int(rng.integers(6))
        left, peaks = set(range(60)), []
        while left and len(peaks) < 3:
            peaks.append(max(left, key=lambda t: scores_T[t]))
            left -= set(range(peaks[-1] - slack, peaks[-1] + slack + 1))
        expected = any(abs(peak - event) <= slack for peak in peaks)
        assert top_3(labels_T=np.arange(60) == event, scores_T=scores_T, slack=slack) == expected


@HITS
def test_hits_refuse_what_they_cannot_use(metric: Metric) -> None:
    given = {"labels_T": np.array([0, 1]), "scores_T": np.array([np.nan, 1.0])}
    with pytest.raises(DataError, match="scores_T is nan"):
        metric(**given)
    with pytest.raises(OptionError, match="slack"):
        evaluate(metric, given, {"slack": -1})


@HITS
def test_scores_are_left_as_they_are(metric: Metric) -> None:
    scores_T = np.arange(500.0)
    scores_T.flags.writeable = False
    metric(labels_T=np.arange(500) == 3, scores_T=scores_T)
    assert np.array_equal(scores_T, np.arange(500.0))
