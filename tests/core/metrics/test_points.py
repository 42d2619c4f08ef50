"""Metrics of alarms, step by step, keep their promises."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import points
from tsad_core.metrics.points import (
    f1,
    f1_of,
    f1_oracle,
    false_alarm_rate,
    false_alarms_per_1000,
    nominal_false_alarm_rate,
    precision,
    precision_of,
    recall,
    recall_of,
)
from tsad_core.testing import check_metric
from tsad_core.thresholds import threshold

Metric = Callable[..., float]
NORMAL = [false_alarm_rate, false_alarms_per_1000, nominal_false_alarm_rate]
AT_A_THRESHOLD = pytest.mark.parametrize("metric", [precision, recall, f1, *NORMAL])
SERIES = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=20).filter(
    lambda steps: any(label for label, _ in steps)
)


def test_examples_run() -> None:
    assert doctest.testmod(points).failed == 0


@pytest.mark.parametrize("metric", [precision, recall, f1, f1_oracle, *NORMAL])
def test_the_contract_of_metrics_is_kept(metric: Metric) -> None:
    check_metric(metric)


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
    assert precision(**given) == pytest.approx(precision_score(labels_T, alarmed_T))
    assert recall(**given) == pytest.approx(recall_score(labels_T, alarmed_T))
    assert false_alarm_rate(**given) == pytest.approx(false_positives / (negatives + false_positives))
    assert false_alarms_per_1000(**given) == pytest.approx(1000 * false_positives / (negatives + false_positives))
    assert nominal_false_alarm_rate(**given) == rate


def test_a_step_at_the_threshold_is_no_alarm_even_in_single_precision() -> None:
    # 0.1 in single precision is a little above 0.1 in double: the comparison must not round the threshold
    given = {"labels_T": np.array([1, 0]), "calibration_T": np.array([0.1])}
    assert f1(**given, scores_T=np.array([0.1, 0.0])) == 0
    assert f1(**given, scores_T=np.array([0.1, 0.0], dtype=np.float32)) == 1


def test_without_an_alarm_recall_and_f1_are_zero_and_precision_undefined() -> None:
    given = {"labels_T": np.ones(3), "scores_T": np.zeros(3), "calibration_T": np.ones(5)}
    assert f1(**given) == recall(**given) == 0
    with pytest.raises(Undefined, match="no alarm"):
        precision(**given)


@pytest.mark.parametrize("metric", [precision, recall, f1])
def test_without_an_event_there_is_no_value(metric: Metric) -> None:
    for steps in (0, 1, 3):
        with pytest.raises(Undefined, match="no event"):
            metric(labels_T=np.zeros(steps), scores_T=np.zeros(steps), calibration_T=np.ones(5))
        with pytest.raises(Undefined, match="no event"):
            f1_oracle(labels_T=np.zeros(steps), scores_T=np.zeros(steps))


@pytest.mark.parametrize("metric", NORMAL)
def test_false_alarms_need_a_normal_step(metric: Metric) -> None:
    given = {"scores_T": np.arange(3), "calibration_T": np.zeros(5)}
    with pytest.raises(Undefined, match="no normal step"):
        metric(labels_T=np.ones(3), **given)
    expected = {false_alarm_rate: 2 / 3, false_alarms_per_1000: 2000 / 3, nominal_false_alarm_rate: 0.01}
    assert metric(labels_T=np.zeros(3), **given) == pytest.approx(expected[metric])


@AT_A_THRESHOLD
def test_alarms_refuse_what_they_cannot_use(metric: Metric) -> None:
    given = {"labels_T": np.array([0, 1]), "scores_T": np.array([0.0, 1.0]), "calibration_T": np.zeros(9)}
    for name, value in {"scores_T": [1.0], "calibration_T": [], "labels_T": [0.5, 1]}.items():
        with pytest.raises(DataError, match=name):
            metric(**{**given, name: np.array(value)})
    for options in ({"rate": 0.0}, {"rate": 1.0}, {"rule": "best"}, {"rate": "0.1"}, {"slack": 3}):
        with pytest.raises(OptionError):
            evaluate(metric, given, options)
    assert evaluate(metric, given, {"rule": "mad", "rate": 0.2}) >= 0


@pytest.mark.parametrize("options", [{"grid": -1}, {"grid": True}, {"grid": 2.0}, {"rate": 0.1}])
def test_an_oracle_refuses_other_options(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        evaluate(f1_oracle, {"labels_T": np.array([0, 1]), "scores_T": np.array([0.0, 1.0])}, options)


@settings(deadline=None, database=None)
@given(SERIES)
def test_the_oracle_is_the_best_of_all_thresholds_and_blind_to_scale(steps: list[tuple[bool, int]]) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    value = f1_oracle(labels_T=labels_T, scores_T=scores_T)
    alarms = [scores_T >= limit for limit in scores_T]
    plain = [2 * sum(labels_T & alarmed_T) / (sum(labels_T) + sum(alarmed_T)) for alarmed_T in alarms]
    assert value == pytest.approx(max(plain))
    assert f1_oracle(labels_T=labels_T, scores_T=np.exp(3.0 * scores_T) - 7) == value
    assert f1_oracle(labels_T=labels_T, scores_T=scores_T, grid=5) <= value


@pytest.mark.parametrize(("labels", "expected"), [([1], 1), ([1, 1, 1], 1), ([1, 0, 0], 0.5), ([0, 0, 1, 1], 2 / 3)])
def test_constant_scores_get_the_f1_of_alarming_everything(labels: list[int], expected: float) -> None:
    assert f1_oracle(labels_T=np.array(labels), scores_T=np.full(len(labels), 7.0)) == pytest.approx(expected)


def test_values_are_those_of_the_parity_file(peer_cases: Callable) -> None:
    # without an event scikit-learn calls every value 0, without an alarm precision too
    for metric, of in {"point_f1": f1_of, "point_precision": precision_of, "point_recall": recall_of}.items():
        cases = [case for case in peer_cases("scikit-learn", metric) if case.labels_T.any() and case.alarmed_T.any()]
        assert len(cases) == 19
        for case in cases:
            assert of(case.labels_T, case.alarmed_T) == pytest.approx(case.value, abs=1e-9), case.kind
    for case in peer_cases("scikit-learn", "best_point_f1"):
        if case.labels_T.any():
            value = f1_oracle(labels_T=case.labels_T, scores_T=case.scores_T)
            assert value == pytest.approx(case.value, abs=1e-9), case.kind
    for case in peer_cases("TSB-AD", "point_f1"):
        if case.labels_T.any():
            assert f1_of(case.labels_T, case.alarmed_T) == pytest.approx(case.value, abs=1e-9), case.kind
