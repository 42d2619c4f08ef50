"""Metrics are given what they name, and say when they have no value."""

import numpy as np
import pytest
from tsad_core import Card, ContractError, OptionError, Undefined, metric
from tsad_core.metric import INPUTS, evaluate

CARD = Card("share", "Share", "Share of scores above a limit.", "none", 0, 1, "neither")


@metric(CARD)
def share(*, scores_T, limit: float = 0.5) -> float:
    return float(np.mean(scores_T > limit))


@metric(CARD)
def causes(*, root_causes_TC) -> float:
    return 1.0


def test_a_metric_gets_what_it_names_and_its_options() -> None:
    inputs = dict.fromkeys(INPUTS) | {"scores_T": np.array([0.0, 0.7, 1.0])}
    assert evaluate(share, inputs, {"limit": 0.8}) == pytest.approx(1 / 3)


def test_an_absent_input_makes_the_metric_undefined_with_the_reason() -> None:
    with pytest.raises(Undefined, match="does not say which channels"):
        evaluate(causes, dict.fromkeys(INPUTS))


def test_an_input_is_no_option() -> None:
    with pytest.raises(OptionError, match="no option 'scores_T'"):
        evaluate(share, {"scores_T": np.ones(1)}, {"scores_T": 3})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_metric_that_returns_no_number_breaks_its_contract(value: float) -> None:
    @metric(CARD)
    def broken() -> float:
        return value

    with pytest.raises(ContractError, match="must raise Undefined"):
        evaluate(broken, {})


def test_an_input_that_a_metric_can_do_without_may_be_absent() -> None:
    @metric(CARD)
    def scale(*, scores_T, train_TC=None) -> float:
        return 0.0 if train_TC is None else 1.0

    inputs = dict.fromkeys(INPUTS) | {"scores_T": np.ones(2)}
    assert evaluate(scale, inputs) == 0.0
    assert evaluate(scale, inputs | {"train_TC": np.ones((2, 1))}) == 1.0
