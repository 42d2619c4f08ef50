"""Thresholds without labels keep their promises."""

import doctest

import numpy as np
import pytest
from scipy.stats import genpareto
from tsad_core import thresholds
from tsad_core.errors import DataError, OptionError
from tsad_core.thresholds import mad, pot, quantile, threshold

RULES = ["quantile", "mad", "pot"]


def test_examples_run() -> None:
    assert doctest.testmod(thresholds).failed == 0


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [1, 2, 1000])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.4])
def test_constant_calibration_is_its_own_threshold(rule: str, steps: int, rate: float) -> None:
    assert threshold(np.full(steps, 2.5), rule=rule, rate=rate) == 2.5


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_found_by_its_name(rule: str) -> None:
    scores_T = np.random.default_rng(1).exponential(size=500)
    assert threshold(scores_T, rule=rule, rate=0.02) == getattr(thresholds, rule)(scores_T, rate=0.02)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("given", [[], [[1.0, 2.0]], 3.0, [1.0, np.nan], [np.inf, 0.0]])
def test_calibration_that_is_no_row_of_finite_scores_is_refused(rule: str, given: object) -> None:
    with pytest.raises(DataError, match="calibration_T"):
        threshold(np.array(given), rule=rule)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rate", [0, 1, -0.1, 1.5, float("nan")])
def test_a_rate_that_is_no_share_is_refused(rule: str, rate: float) -> None:
    with pytest.raises(OptionError, match="between 0 and 1"):
        threshold(np.arange(9), rule=rule, rate=rate)


def test_an_unknown_rule_names_those_allowed() -> None:
    with pytest.raises(OptionError, match="quantile, mad, pot"):
        threshold(np.arange(9), rule="best-f1")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rate", [0.005, 0.01, 0.05, 0.2])
def test_normal_scores_raise_about_as_many_alarms_as_the_rate_says(rule: str, rate: float) -> None:
    rng = np.random.default_rng(2)
    limit = threshold(rng.normal(size=50_000), rule=rule, rate=rate)
    assert np.mean(rng.normal(size=200_000) > limit) == pytest.approx(rate, rel=0.15)


@pytest.mark.parametrize("rule", RULES)
def test_the_threshold_moves_and_scales_with_the_scores(rule: str) -> None:
    scores_T = np.random.default_rng(3).exponential(size=2000)
    moved = threshold(-7 + 3 * scores_T, rule=rule, rate=0.01)
    assert moved == pytest.approx(-7 + 3 * threshold(scores_T, rule=rule, rate=0.01))


def test_quantile_leaves_the_wanted_share_above() -> None:
    scores_T = np.random.default_rng(4).permutation(1000)
    assert np.sum(scores_T > quantile(scores_T, rate=0.01)) == 10


def test_mad_is_the_textbook_bound_on_a_case_solved_by_hand() -> None:
    # median 3, absolute deviations 2 1 0 1 97, their median 1; one-sided 0.135 % is three deviations
    assert mad(np.array([1, 2, 3, 4, 100]), rate=0.00134989803) == pytest.approx(3 + 3 * 1.4826, rel=1e-4)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.4])
@pytest.mark.parametrize("rate", [0.001, 0.0001])
def test_pot_finds_rare_quantiles_of_a_pareto_tail(shape: float, rate: float) -> None:
    scores_T = genpareto(shape).ppf((np.random.default_rng(5).permutation(100_000) + 0.5) / 100_000)
    assert pot(scores_T, rate=rate) == pytest.approx(genpareto(shape).isf(rate), rel=0.02)


def test_pot_agrees_with_a_likelihood_fit() -> None:
    scores_T = np.random.default_rng(6).gamma(2, size=20_000)
    initial = np.quantile(scores_T, 0.98)
    shape, _, scale = genpareto.fit(scores_T[scores_T > initial] - initial, floc=0)
    expected = initial + genpareto(shape, scale=scale).isf(0.001 / 0.02)
    assert pot(scores_T, rate=0.001) == pytest.approx(expected, rel=0.01)


def test_pot_reaches_beyond_the_highest_score_where_the_quantile_cannot() -> None:
    scores_T = np.random.default_rng(7).exponential(size=2000)
    assert quantile(scores_T, rate=1e-6) <= scores_T.max() < pot(scores_T, rate=1e-6)


@pytest.mark.parametrize(
    "scores_T",
    [
        np.arange(100.0),
        np.repeat([0.0, 5.0], [990, 10]),
        np.repeat([0.0, 5.0, 6.0], [980, 10, 10]),
        np.repeat([1.0, 2.0], [10, 990]),
    ],
    ids=["few excesses", "equal excesses", "few distinct", "ties at the top"],
)
def test_pot_without_a_tail_to_fit_is_finite_and_near_the_scores(scores_T: np.ndarray) -> None:
    limit = pot(scores_T, rate=0.01)
    assert scores_T.min() <= limit <= 2 * scores_T.max()


@pytest.mark.parametrize("scores_T", [np.arange(100.0), np.repeat([0.0, 5.0], [985, 15])])
def test_pot_with_few_or_equal_excesses_is_the_quantile(scores_T: np.ndarray) -> None:
    assert pot(scores_T, rate=0.005) == quantile(scores_T, rate=0.005)
