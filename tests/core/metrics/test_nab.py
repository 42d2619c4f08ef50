"""The NAB score keeps its promises."""

import doctest
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import nab as module
from tsad_core.metrics.nab import nab_of, nab_score, nab_score_oracle
from tsad_core.testing import check_metric

Metric = Callable[..., float]
COSTS = {"standard": (0.11, 1), "reward-low-fp": (0.22, 1), "reward-low-fn": (0.11, 2)}
SERIES = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=25).filter(
    lambda steps: any(label for label, _ in steps)
)


def sigmoid(x: float) -> float:
    return 2 / (1 + math.exp(5 * x)) - 1


def plain_nab(labels_T: np.ndarray, alarmed_T: np.ndarray, profile: str) -> float:
    """Walk through the series as NAB's scorer does, a window and a step at a time."""
    false_alarm, miss = COSTS[profile]
    steps, windows = len(labels_T), []
    for step in np.flatnonzero(labels_T):
        if windows and windows[-1][1] == step - 1:
            windows[-1][1] = step
        else:
            windows.append([step, step])
    score = 0.0
    for first, last in windows:
        width = last - first + 1
        worths = [sigmoid(-(last - t + 1) / width) / sigmoid(-1) for t in range(first, last + 1) if alarmed_T[t]]
        score += max(worths, default=-miss)
    for step in range(steps):
        if alarmed_T[step] and not labels_T[step]:
            past = [(step - last, last - first) for first, last in windows if last < step]
            distance, width = past[-1] if past else (1, 0)
            score += false_alarm * (sigmoid(distance / width) if width and distance <= 3 * width else -1)
    null, perfect = -miss * len(windows), len(windows)
    return 100 * (score - null) / (perfect - null)


def test_examples_run() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("metric", [nab_score, nab_score_oracle])
@pytest.mark.parametrize("profile", COSTS)
def test_the_contract_of_metrics_is_kept(metric: Metric, profile: str) -> None:
    check_metric(metric, profile=profile)


@settings(deadline=None, database=None)
@given(SERIES, st.sampled_from(list(COSTS)))
def test_values_are_those_of_a_walk_through_the_series(steps: list[tuple[bool, int]], profile: str) -> None:
    labels_T, scores_T = (np.array(column) for column in zip(*steps, strict=True))
    assert nab_of(labels_T, scores_T > 2, profile) == pytest.approx(plain_nab(labels_T, scores_T > 2, profile))
    expected = max([0.0, *(plain_nab(labels_T, scores_T >= limit, profile) for limit in scores_T)])
    value = nab_score_oracle(labels_T=labels_T, scores_T=scores_T, profile=profile)
    assert value == pytest.approx(expected)
    assert nab_score_oracle(labels_T=labels_T, scores_T=np.exp(3.0 * scores_T) - 7, profile=profile) == value


@pytest.mark.parametrize("profile", COSTS)
def test_no_alarm_is_zero_and_early_ones_are_a_hundred(profile: str) -> None:
    labels_T = np.array([1, 1, 0, 0, 1, 0, 1, 1])
    given = {"labels_T": labels_T, "calibration_T": np.zeros(2), "profile": profile}
    assert nab_score(**given, scores_T=np.zeros(8)) == 0
    assert nab_score(**given, scores_T=np.array([1, 0, 0, 0, 1, 0, 1, 0])) == pytest.approx(100)
    assert nab_score(**given, scores_T=labels_T) == pytest.approx(100)


def test_late_alarms_earn_less_and_those_far_behind_an_event_cost_all() -> None:
    labels_T = np.arange(30) // 5 == 1
    # the last step of five: s(-1/5) / s(-1); 4 steps behind it, a whole width: -s(1); at 3 widths still s(3)
    for step, expected in {
        9: sigmoid(-0.2) / sigmoid(-1),
        13: -1 + 0.11 * sigmoid(1),
        21: -1 + 0.11 * sigmoid(3),
    }.items():
        value = nab_of(labels_T, np.arange(30) == step, "standard")
        assert value == pytest.approx(50 * (expected + 1)), step
    for step in (0, 22):
        assert nab_of(labels_T, np.arange(30) == step, "standard") == pytest.approx(-5.5)


def test_after_an_event_of_one_step_every_alarm_costs_all() -> None:
    assert nab_of(np.array([1, 0, 0], dtype=bool), np.array([0, 1, 1], dtype=bool), "reward-low-fp") == pytest.approx(
        -22
    )


def test_constant_scores_alarm_everything_or_nothing() -> None:
    given = {"labels_T": np.arange(10) == 4, "scores_T": np.ones(10)}
    assert nab_score_oracle(**given) == pytest.approx(100 * (2 - 9 * 0.11) / 2)
    assert nab_score_oracle(**given, profile="reward-low-fp", grid=10) == 0
    assert nab_score_oracle(labels_T=np.array([1]), scores_T=np.array([0])) == 100


@pytest.mark.parametrize("metric", [nab_score, nab_score_oracle])
def test_what_no_metric_can_use_is_refused_and_no_event_is_undefined(metric: Metric) -> None:
    extra = {"calibration_T": np.zeros(3)} if metric is nab_score else {}
    with pytest.raises(Undefined, match="no event"):
        metric(labels_T=np.zeros(3), scores_T=np.arange(3), **extra)
    for labels, scores in ([[0.5, 1], [0, 1]], [[0, 1], [np.inf, 1]], [[0, 1], [1]]):
        with pytest.raises(DataError):
            metric(labels_T=np.array(labels), scores_T=np.array(scores), **extra)
    given = {"labels_T": np.array([0, 1]), "scores_T": np.array([0.0, 1.0]), **extra}
    with pytest.raises(OptionError, match="profile"):
        evaluate(metric, given, {"profile": "low-fp"})
