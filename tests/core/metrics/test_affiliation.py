"""Affiliation metrics keep their promises."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsad_core.errors import DataError, Undefined
from tsad_core.metrics import affiliation
from tsad_core.metrics.affiliation import (
    affiliation_f1,
    affiliation_f1_oracle,
    affiliation_of,
    affiliation_precision,
    affiliation_recall,
)
from tsad_core.metrics.inputs import spans
from tsad_core.testing import check_metric

Metric = Callable[..., float]
AT_A_THRESHOLD = [affiliation_precision, affiliation_recall, affiliation_f1]
SERIES = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=14).filter(
    lambda steps: any(label for label, _ in steps)
)


def plain_affiliation(labels_T: np.ndarray, alarmed_T: np.ndarray) -> tuple[float | None, float]:
    """Precision and recall from their definition, by cells of an eighth of a step.

    All that is integrated is linear inside such cells, so the values at their middles give exact integrals.
    """
    middles_X = (np.arange(8 * len(labels_T)) + 0.5) / 8
    events = np.stack(spans(labels_T), axis=1).astype(float)
    bounds = [0.0, *((events[:-1, 1] + events[1:, 0]) / 2), float(len(labels_T))]
    alarmed_X = np.repeat(alarmed_T, 8)
    precisions, recalls = [], []
    for (start, stop), low, high in zip(events, bounds[:-1], bounds[1:], strict=True):
        zone_X = middles_X[(low < middles_X) & (middles_X < high)]
        hit_X = middles_X[(low < middles_X) & (middles_X < high) & alarmed_X]
        event_X = zone_X[(start < zone_X) & (zone_X < stop)]
        off_X = np.maximum(np.maximum(start - zone_X, zone_X - stop), 0)
        if len(hit_X):
            precisions.append(np.mean([1 if d == 0 else farther(off_X, d) for d in off_X[np.isin(zone_X, hit_X)]]))
            # the nearest alarm reaches to the edge of its cell
            gaps = [max(np.abs(hit_X - y).min() - 1 / 16, 0) for y in event_X]
            recalls.append(
                np.mean([1 if d == 0 else farther(np.abs(zone_X - y), d) for y, d in zip(event_X, gaps, strict=True)])
            )
        else:
            recalls.append(0.0)
    return (float(np.mean(precisions)) if precisions else None), float(np.mean(recalls))


def farther(distance_X: np.ndarray, distance: float) -> float:
    """Share of the cells farther off; cells whose middle lies at the distance are half."""
    return float(np.mean((distance_X > distance + 1e-9) + 0.5 * (np.abs(distance_X - distance) < 1e-9)))


def test_examples_run() -> None:
    assert doctest.testmod(affiliation).failed == 0


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, affiliation_f1_oracle])
def test_the_contract_of_metrics_is_kept(metric: Metric) -> None:
    check_metric(metric)


@settings(deadline=None, database=None, max_examples=60)
@given(SERIES)
def test_values_are_those_of_the_plain_definition(steps: list[tuple[bool, int]]) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    nearness, reach = affiliation_of(labels_T, scores_T > 2)
    expected_nearness, expected_reach = plain_affiliation(labels_T, scores_T > 2)
    assert (nearness is None) == (expected_nearness is None)
    assert nearness is None or nearness == pytest.approx(expected_nearness)
    assert reach == pytest.approx(expected_reach)


@settings(deadline=None, database=None)
@given(SERIES)
def test_the_sweep_meets_every_threshold(steps: list[tuple[bool, int]]) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    pairs = [affiliation_of(labels_T, scores_T >= limit) for limit in scores_T]
    expected = max(2 * nearness * reach / (nearness + reach) for nearness, reach in pairs if nearness is not None)
    value = affiliation_f1_oracle(labels_T=labels_T, scores_T=scores_T)
    assert value == pytest.approx(expected)
    assert 0 <= value <= 1
    assert affiliation_f1_oracle(labels_T=labels_T, scores_T=np.exp(3.0 * scores_T) - 7) == value


@pytest.mark.parametrize("seed", range(3))
def test_the_sweep_of_a_long_series_is_exact_at_every_threshold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels_T, scores_T = np.arange(20_000) % 701 < 30, rng.normal(size=20_000).round(3)
    precision_A, recall_A = affiliation._sweep(labels_T, scores_T)
    for limit in np.quantile(scores_T, rng.random(20), method="nearest"):
        expected = affiliation_of(labels_T, scores_T >= limit)
        cut = np.count_nonzero(scores_T >= limit)
        assert (precision_A[cut], recall_A[cut]) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize(
    ("labels", "alarmed", "expected"),
    [
        ([1], [1], (1, 1)),
        ([1, 1, 1], [1, 1, 1], (1, 1)),
        # of a place y from 1 to 2, both below 1 and above 2 y - 1 is farther off than the alarm
        ([1, 1], [1, 0], (1, (1 + (1 + 1 / 4) / 2) / 2)),
        ([0, 1], [0, 1], (1, 1)),
        ([0, 1], [1, 0], (1 / 4, (1 + 1 / 4) / 2)),
        ([0, 1], [1, 1], ((1 + 1 / 4) / 2, 1)),
        ([0, 1], [0, 0], (None, 0)),
        # the zones meet in the middle of the alarm
        ([1, 0, 1], [0, 1, 0], ((1 / 4) / (3 / 2), (1 / 2 + 1 / 4) / (3 / 2))),
    ],
)
def test_small_cases_are_those_solved_by_hand(
    labels: list[int], alarmed: list[int], expected: tuple[float | None, float]
) -> None:
    nearness, reach = affiliation_of(np.array(labels, dtype=bool), np.array(alarmed, dtype=bool))
    assert reach == pytest.approx(expected[1])
    assert nearness == (expected[0] if expected[0] is None else pytest.approx(expected[0]))


def test_without_an_alarm_recall_and_f1_are_zero_and_precision_undefined() -> None:
    given = {"labels_T": np.array([0, 1]), "scores_T": np.zeros(2), "calibration_T": np.zeros(3)}
    assert affiliation_recall(**given) == affiliation_f1(**given) == 0
    with pytest.raises(Undefined, match="no alarm"):
        affiliation_precision(**given)
    # a grid's constant scores raise no alarm either
    del given["calibration_T"]
    assert affiliation_f1_oracle(**given, grid=100) == 0
    assert affiliation_f1_oracle(**given) > 0


@pytest.mark.parametrize("metric", [*AT_A_THRESHOLD, affiliation_f1_oracle])
def test_what_no_metric_can_use_is_refused_and_no_event_is_undefined(metric: Metric) -> None:
    extra = {"calibration_T": np.zeros(3)} if metric in AT_A_THRESHOLD else {}
    with pytest.raises(Undefined, match="no event"):
        metric(labels_T=np.zeros(3), scores_T=np.arange(3), **extra)
    for labels, scores in ([[0.5, 1], [0, 1]], [[0, 1], [np.inf, 1]], [[0, 1], [1]]):
        with pytest.raises(DataError):
            metric(labels_T=np.array(labels), scores_T=np.array(scores), **extra)


def test_values_are_those_of_the_parity_file(peer_cases: Callable) -> None:
    for case in peer_cases("TSB-AD", "affiliation_precision"):
        assert affiliation_of(case.labels_T, case.alarmed_T)[0] == pytest.approx(case.value, abs=1e-9), case.kind
    for case in peer_cases("TSB-AD", "affiliation_recall"):
        assert affiliation_of(case.labels_T, case.alarmed_T)[1] == pytest.approx(case.value, abs=1e-9), case.kind
    for case in peer_cases("TSB-AD", "affiliation_f1"):
        nearness, reach = affiliation_of(case.labels_T, case.alarmed_T)
        assert 2 * nearness * reach / (nearness + reach) == pytest.approx(case.value, abs=1e-9), case.kind
    for case in peer_cases("TSB-AD", "best_affiliation_f1"):
        value = affiliation_f1_oracle(labels_T=case.labels_T, scores_T=case.scores_T, grid=100)
        assert value == pytest.approx(case.value, abs=1e-9), case.kind
