"""Point-adjusted metrics keep their promises."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import adjusted
from tsad_core.metrics.adjusted import (
    pa_f1,
    pa_f1_of,
    pa_f1_oracle,
    pa_k_auc,
    pa_k_auc_oracle,
    pa_k_f1,
    pa_k_f1_oracle,
)
from tsad_core.metrics.events import alarms_of_events
from tsad_core.metrics.points import f1, f1_oracle
from tsad_core.testing import check_metric

Metric = Callable[..., float]
AT_A_THRESHOLD = [pa_f1, pa_k_f1, pa_k_auc]
ORACLES = [pa_f1_oracle, pa_k_f1_oracle, pa_k_auc_oracle]
SERIES = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=20).filter(
    lambda steps: any(label for label, _ in steps)
)


def test_examples_run() -> None:
    assert doctest.testmod(adjusted).failed == 0


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, *ORACLES])
def test_the_contract_of_metrics_is_kept(metric: Metric) -> None:
    check_metric(metric)


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, *ORACLES])
def test_cards_say_that_the_number_is_inflated(metric: Metric) -> None:
    card = metric.card
    assert "nflated" in card.title
    assert "random scores" in card.definition or "95th percentile" in card.definition


def plain_adjusted(labels_T: np.ndarray, alarmed_T: np.ndarray, k: int) -> np.ndarray:
    """Alarms after adjustment, event by event."""
    adjusted_T, start = alarmed_T.copy(), None
    for step in range(len(labels_T) + 1):
        inside = step < len(labels_T) and labels_T[step]
        if inside and start is None:
            start = step
        elif not inside and start is not None:
            if 100 * alarmed_T[start:step].sum() > k * (step - start):
                adjusted_T[start:step] = True
            start = None
    return adjusted_T


def plain_f1(labels_T: np.ndarray, alarmed_T: np.ndarray, k: int) -> float:
    adjusted_T = plain_adjusted(labels_T, alarmed_T, k)
    return float(2 * (adjusted_T & labels_T).sum() / (adjusted_T.sum() + labels_T.sum()))


@settings(deadline=None, database=None)
@given(SERIES, st.sampled_from([0, 1, 20, 33, 34, 50, 99, 100]))
def test_values_are_those_of_the_plain_definition(steps: list[tuple[bool, int]], k: int) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    assert pa_f1_of(labels_T, scores_T > 2, k=k) == pytest.approx(plain_f1(labels_T, scores_T > 2, k))
    expected = max(plain_f1(labels_T, scores_T >= limit, k) for limit in scores_T)
    value = pa_k_f1_oracle(labels_T=labels_T, scores_T=scores_T, k=k)
    assert value == pytest.approx(expected)
    assert pa_k_f1_oracle(labels_T=labels_T, scores_T=np.exp(3.0 * scores_T) - 7, k=k) == value


@settings(deadline=None, database=None, max_examples=20)
@given(SERIES)
def test_areas_lie_between_no_adjustment_and_full_adjustment(steps: list[tuple[bool, int]]) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    given = {"labels_T": labels_T, "scores_T": scores_T}
    best_K = [max(plain_f1(labels_T, scores_T >= limit, k) for limit in set(scores_T.tolist())) for k in range(101)]
    assert pa_k_auc_oracle(**given) == pytest.approx(np.trapezoid(best_K) / 100)
    assert f1_oracle(**given) - 1e-12 <= pa_k_auc_oracle(**given) <= pa_f1_oracle(**given) + 1e-12
    given["calibration_T"] = np.array([2])
    assert pa_k_auc(**given) == pytest.approx(
        np.mean([(pa_k_f1(**given, k=k) + pa_k_f1(**given, k=k + 1)) / 2 for k in range(100)])
    )


def test_the_area_goes_through_the_steps_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []

    def counted(anomalous_T: np.ndarray, alarmed_T: np.ndarray) -> np.ndarray:
        passes.append(len(alarmed_T))
        return alarms_of_events(anomalous_T, alarmed_T)

    monkeypatch.setattr(adjusted, "alarms_of_events", counted)
    pa_k_auc(labels_T=np.arange(9) > 4, scores_T=np.arange(9), calibration_T=np.full(2, 7))
    assert passes == [9]


def test_the_ends_of_k_are_point_adjustment_and_none() -> None:
    rng = np.random.default_rng(0)
    given = {"labels_T": np.arange(500) % 50 < 7, "scores_T": rng.random(500), "calibration_T": rng.random(99)}
    assert pa_k_f1(**given, rate=0.2, k=0) == pa_f1(**given, rate=0.2) > pa_k_f1(**given, rate=0.2, k=100)
    assert pa_k_f1(**given, rate=0.2, k=100) == f1(**given, rate=0.2)
    del given["calibration_T"]
    assert pa_k_f1_oracle(**given, k=0) == pa_f1_oracle(**given) > pa_k_f1_oracle(**given, k=100) == f1_oracle(**given)


@pytest.mark.parametrize("labels", [[1], [1, 1, 1], [1, 0, 0, 1], [0, 1, 1, 0]])
def test_events_at_either_end_of_any_length_are_adjusted(labels: list[int]) -> None:
    labels_T = np.array(labels)
    for step in np.flatnonzero(labels_T):
        alarmed_T = np.arange(len(labels)) == step
        expected = f1_score(labels_T, plain_adjusted(labels_T, alarmed_T, 0))
        assert pa_f1(labels_T=labels_T, scores_T=alarmed_T, calibration_T=np.zeros(2)) == pytest.approx(expected)


def test_constant_scores_alarm_everything() -> None:
    for oracle in ORACLES:
        assert oracle(labels_T=np.array([0, 1, 0, 1]), scores_T=np.ones(4)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, *ORACLES])
def test_what_no_metric_can_use_is_refused_and_no_event_is_undefined(metric: Metric) -> None:
    extra = {"calibration_T": np.zeros(3)} if metric in AT_A_THRESHOLD else {}
    with pytest.raises(Undefined, match="no event"):
        metric(labels_T=np.zeros(3), scores_T=np.arange(3), **extra)
    for labels, scores in ([[0.5, 1], [0, 1]], [[0, 1], [np.inf, 1]], [[0, 1], [1]]):
        with pytest.raises(DataError):
            metric(labels_T=np.array(labels), scores_T=np.array(scores), **extra)
    if metric in AT_A_THRESHOLD:
        assert metric(labels_T=np.array([0, 1]), scores_T=np.zeros(2), **extra) == 0


@pytest.mark.parametrize("k", [-1, 101, 0.5, True])
def test_k_is_a_percentage(k: object) -> None:
    with pytest.raises(OptionError, match="k"):
        evaluate(pa_k_f1_oracle, {"labels_T": np.array([0, 1]), "scores_T": np.array([0.0, 1.0])}, {"k": k})


def test_values_are_those_of_the_parity_file(peer_cases: Callable) -> None:
    for k in (0, 20, 50, 100):
        for case in peer_cases("MMA", f"pa_f1_k{k}"):
            if case.labels_T.any():
                assert pa_f1_of(case.labels_T, case.alarmed_T, k=k) == pytest.approx(case.value, abs=1e-9), case.kind


def test_values_are_those_of_peers_that_skip_the_first_step(peer_cases: Callable) -> None:
    # TSB-AD and MIXAD never adjust step 0; MIXAD adds 1e-5 to its denominators
    for peer, close in {"TSB-AD": 1e-9, "MIXAD": 1e-5}.items():
        cases = [case for case in peer_cases(peer, "pa_f1") if case.labels_T.any() and not case.labels_T[0]]
        assert len(cases) == 15
        for case in cases:
            assert pa_f1_of(case.labels_T, case.alarmed_T, k=0) == pytest.approx(case.value, abs=close), case.kind
    for case in peer_cases("TSB-AD", "best_pa_f1"):
        if case.labels_T.any() and not case.labels_T[0]:
            value = pa_f1_oracle(labels_T=case.labels_T, scores_T=case.scores_T, grid=100)
            assert value == pytest.approx(case.value, abs=1e-9), case.kind
