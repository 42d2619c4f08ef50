"""Metrics of found and missed events keep their promises."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import events
from tsad_core.metrics.events import (
    alarms_of_events,
    composite_f1,
    composite_f1_of,
    composite_f1_oracle,
    detection_delay,
    event_f1,
    event_f1_of,
    event_f1_oracle,
    event_precision,
    event_recall,
)
from tsad_core.metrics.inputs import spans
from tsad_core.testing import check_metric

Metric = Callable[..., float]
AT_A_THRESHOLD = [event_recall, event_precision, event_f1, composite_f1, detection_delay]
ORACLES = [event_f1_oracle, composite_f1_oracle]
SERIES = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=20).filter(
    lambda steps: any(label for label, _ in steps)
)


def test_examples_run() -> None:
    assert doctest.testmod(events).failed == 0


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, *ORACLES])
def test_the_contract_of_metrics_is_kept(metric: Metric) -> None:
    check_metric(metric)


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


def runs(marks: list[int]) -> list[range]:
    """Runs of marked steps, found one by one."""
    found: list[range] = []
    for step, mark in enumerate(marks):
        if mark and found and found[-1].stop == step:
            found[-1] = range(found[-1].start, step + 1)
        elif mark:
            found.append(range(step, step + 1))
    return found


def plain_event_f1(labels: list[int], alarmed: list[int], *, segments: bool) -> float:
    hit = [any(alarmed[t] for t in event) for event in runs(labels)]
    wrong = sum(a and not b for a, b in zip(alarmed, labels, strict=True))
    if segments:
        wrong = sum(not any(labels[t] for t in run) for run in runs(alarmed))
    return 2 * sum(hit) / (2 * sum(hit) + hit.count(False) + wrong)


def plain_composite_f1(labels: list[int], alarmed: list[int]) -> float:
    true = sum(a and b for a, b in zip(alarmed, labels, strict=True))
    if not true:
        return 0.0
    precision = true / sum(alarmed)
    recall = np.mean([any(alarmed[t] for t in event) for event in runs(labels)])
    return 2 * precision * recall / (precision + recall)


@settings(deadline=None, database=None)
@given(SERIES)
def test_values_are_those_of_the_plain_definition(steps: list[tuple[bool, int]]) -> None:
    labels, scores = ([int(value) for value in column] for column in zip(*steps, strict=True))
    labels_T, alarmed_T = np.array(labels, dtype=bool), np.array(scores) > 2
    alarmed = alarmed_T.astype(int).tolist()
    assert event_f1_of(labels_T, alarmed_T, "steps") == pytest.approx(plain_event_f1(labels, alarmed, segments=False))
    assert event_f1_of(labels_T, alarmed_T, "segments") == pytest.approx(plain_event_f1(labels, alarmed, segments=True))
    assert composite_f1_of(labels_T, alarmed_T) == pytest.approx(plain_composite_f1(labels, alarmed))
    assert alarms_of_events(labels_T, alarmed_T).tolist() == [sum(alarmed[t] for t in run) for run in runs(labels)]


@settings(deadline=None, database=None)
@given(SERIES)
def test_oracles_are_the_best_of_all_thresholds_and_blind_to_scale(steps: list[tuple[bool, int]]) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    labels, alarms = labels_T.astype(int).tolist(), [(scores_T >= limit).astype(int).tolist() for limit in scores_T]
    best = {
        event_f1_oracle: max(plain_event_f1(labels, alarmed, segments=False) for alarmed in alarms),
        composite_f1_oracle: max(plain_composite_f1(labels, alarmed) for alarmed in alarms),
    }
    for oracle, expected in best.items():
        value = oracle(labels_T=labels_T, scores_T=scores_T)
        assert value == pytest.approx(expected)
        assert oracle(labels_T=labels_T, scores_T=np.exp(3.0 * scores_T) - 7) == value


@pytest.mark.parametrize("steps", [1, 5])
def test_an_event_of_all_steps_is_found_without_false_alarms(steps: int) -> None:
    given = {"labels_T": np.ones(steps), "scores_T": np.arange(steps) + 1.0}
    assert event_f1_oracle(**given) == composite_f1_oracle(**given) == 1
    given["calibration_T"] = np.array([steps - 0.5])
    assert event_precision(**given) == event_recall(**given) == event_f1(**given) == composite_f1(**given) == 1
    assert detection_delay(**given) == steps - 1


@pytest.mark.parametrize("step", [0, 3, 6])
def test_an_event_at_either_end_is_an_event_like_any_other(step: int) -> None:
    given = {"labels_T": np.isin(np.arange(7), [0, 3, 6]), "scores_T": np.arange(7) == step}
    given["calibration_T"] = np.zeros(3)
    assert event_recall(**given) == pytest.approx(1 / 3)
    assert composite_f1(**given) == event_f1(**given) == pytest.approx(1 / 2)
    assert detection_delay(**given) == 0


def test_delay_counts_from_the_start_of_the_event_even_if_the_alarm_is_older() -> None:
    given = {"labels_T": np.array([0, 1, 1, 1, 1, 0, 1]), "calibration_T": np.zeros(3)}
    assert detection_delay(**given, scores_T=np.array([1, 1, 0, 0, 0, 0, 0])) == 0
    assert detection_delay(**given, scores_T=np.array([1, 0, 0, 0, 1, 1, 0])) == 3
    assert detection_delay(**given, scores_T=np.array([1, 0, 0, 0, 1, 1, 1])) == 1.5


def test_without_an_alarm_f1_and_recall_are_zero_and_the_rest_undefined() -> None:
    given = {"labels_T": np.array([1, 0]), "scores_T": np.zeros(2), "calibration_T": np.zeros(3)}
    assert event_recall(**given) == event_f1(**given) == composite_f1(**given) == 0
    for metric in (event_precision, detection_delay):
        with pytest.raises(Undefined, match="alarm at this threshold"):
            metric(**given)
    with pytest.raises(Undefined, match="no event holds an alarm"):
        detection_delay(**{**given, "scores_T": np.array([0, 1])})


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, *ORACLES])
def test_what_no_metric_can_use_is_refused_and_no_event_is_undefined(metric: Metric) -> None:
    extra = {"calibration_T": np.zeros(3)} if metric in AT_A_THRESHOLD else {}
    with pytest.raises(Undefined, match="no event"):
        metric(labels_T=np.zeros(3), scores_T=np.arange(3), **extra)
    for labels, scores in ([[0.5, 1], [0, 1]], [[0, 1], [np.inf, 1]], [[0, 1], [1]]):
        with pytest.raises(DataError):
            metric(labels_T=np.array(labels), scores_T=np.array(scores), **extra)


def test_false_alarms_are_counted_by_steps_or_segments_only() -> None:
    given = {"labels_T": np.array([0, 1]), "scores_T": np.array([0.0, 1.0]), "calibration_T": np.zeros(3)}
    with pytest.raises(OptionError, match="false_alarms"):
        evaluate(event_f1, given, {"false_alarms": "runs"})


def test_composite_values_are_those_of_the_parity_file(peer_cases: Callable) -> None:
    # TSB-AD's event F1; it drops the last step of an event that ends with the series, at worst all of it
    for metric in ("event_f1", "best_event_f1"):
        cases = [case for case in peer_cases("TSB-AD", metric) if case.labels_T[-2:].tolist() != [False, True]]
        assert len(cases) == 20
        for case in cases:
            if metric == "event_f1":
                value = composite_f1_of(case.labels_T, case.alarmed_T)
            else:
                value = composite_f1_oracle(labels_T=case.labels_T, scores_T=case.scores_T, grid=100)
            assert value == pytest.approx(case.value, abs=1e-9), case.kind
