"""The contract of a metric: a pure function with a card that says what its number means."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from tsad_core.errors import ContractError, Undefined
from tsad_core.options import bind
from tsad_core.series import Array

INPUTS = (
    "labels_T",
    "scores_T",
    "calibration_T",
    "root_causes_TC",
    "attribution_TC",
    "normal_TC",
    "expected_TC",
    "observed_TC",
    "train_TC",
)
"""What a metric may name and is then given; everything else it names is an option."""

_ABSENT = {
    "labels_T": "the series has no labels",
    "root_causes_TC": "the series does not say which channels cause its anomalies",
    "normal_TC": "the series without its anomalies is not known",
    "attribution_TC": "the detector gives no attribution",
    "expected_TC": "the detector gives no expected values",
    "calibration_T": "there are no calibration scores",
}


@dataclass(frozen=True)
class Card:
    """What a metric's number means."""

    name: str
    """The slug it is registered under."""
    title: str
    """As tables and plots show it."""
    definition: str
    """In a sentence or two."""
    source: str
    """The paper or library it follows."""
    low: float
    high: float
    better: Literal["higher", "lower", "neither"]


class Metric(Protocol):
    """A function of what it names among `INPUTS`, and of its options, to a float."""

    card: Card

    def __call__(self, **inputs: Any) -> float:
        """Return the value; raise `Undefined` where there is none."""


Function = TypeVar("Function", bound=Callable[..., float])


def metric(card: Card) -> Callable[[Function], Function]:
    """Make a function a metric by giving it its card."""

    def decorate(function: Function) -> Function:
        function.card = card  # type: ignore[attr-defined]  # the decorated function is a Metric
        return function

    return decorate


def evaluate(metric: Metric, inputs: Mapping[str, Array | None], options: Mapping[str, Any] | None = None) -> float:
    """Return the metric's value on those of the inputs that it names; one with the default None may be absent.

    Raises `Undefined` with the reason where an input is absent or the metric has no value, and
    `ContractError` where the metric returns something that is not a finite number.
    """
    bound = bind(metric, options or {}, owner=f"metric {metric.card.name}", provided=INPUTS)
    named = [p for name, p in inspect.signature(metric).parameters.items() if name in INPUTS]
    for parameter in named:
        if inputs.get(parameter.name) is None and parameter.default is not None:
            raise Undefined(_ABSENT.get(parameter.name, f"there is no {parameter.name}"))
    value = float(bound(**{p.name: inputs.get(p.name) for p in named}))
    if not np.isfinite(value):
        raise ContractError(f"metric {metric.card.name} returned {value}; it must raise Undefined instead")
    return value
