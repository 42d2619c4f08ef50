"""`check_metric`: every promise of the metric contract, asked of one metric."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tsad_core.errors import ContractError, DataError, Undefined
from tsad_core.metric import INPUTS, Card, Metric, evaluate
from tsad_core.options import Option
from tsad_core.series import Array
from tsad_core.testing.faults import Faults
from tsad_core.testing.keywords import VARIADIC, faults_of_options

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ROUNDING = 1e-9

Inputs = dict[str, Array]
Check = Callable[["_Trial"], Iterator[str]]


@dataclass(frozen=True)
class _Trial:
    """A metric with its options, and what it gave."""

    metric: Metric
    options: Mapping[str, Option]
    values: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)

    def value(self, inputs: Mapping[str, Array]) -> float:
        return evaluate(self.metric, inputs, self.options)

    def inputs(self) -> set[str]:
        return set(inspect.signature(self.metric).parameters) & set(INPUTS)


def check_metric(metric: Metric, **options: Option) -> dict[str, float]:
    """Return the values that a metric which keeps its contract has in the cases it is tried on.

    One that does not raises `ContractError`, with a line for each promise that is broken.

    >>> from tsad_core.metrics import auc_roc
    >>> check_metric(auc_roc)["inverted scores"]
    0.0

    - *card*: its name a slug, its texts there, its range not empty.
    - *parameters*: inputs that every metric may name, keyword-only, and options with a type and a default.
    - *random scores*, *perfect scores*, *constant scores* and so on: a finite number in the card's range,
      or `Undefined`, but not in every case.
    - *no event*, *one step* and the like: the same; never another error.
    - *inputs*: never changed, and taken read-only.
    - *repeatable*: the same value for the same inputs.
    - *direction*: of labels and scores, perfect scores are no worse than inverted ones; of root causes and
      attribution, perfect attribution is no worse than inverted one.
    - *scores that are not numbers*, *soft labels*: a metric of labels refuses them with a `DataError`.
    """
    trial = _Trial(metric, options)
    faults = Faults(f"metric {getattr(metric, '__name__', metric)}")
    if faults.run({"card": _card}, trial) and faults.run({"parameters": _parameters}, trial):
        faults.run({name: _in_range(name, inputs) for name, inputs in _cases().items()}, trial)
        faults.run(
            {"values": _some_value, "inputs": _inputs, "repeatable": _repeatable, "direction": _direction}, trial
        )
        faults.run({name: _in_range(name, inputs) for name, inputs in _edges().items()}, trial)
        faults.run({name: _refused(name, inputs) for name, inputs in _unusable(trial).items()}, trial)
    faults.tell()
    return trial.values


def _card(trial: _Trial) -> Iterator[str]:
    card = getattr(trial.metric, "card", None)
    if not isinstance(card, Card):
        yield "it has none; give it one with @tsad_core.metric(Card(...))"
        return
    if not _SLUG.fullmatch(card.name):
        yield f"its name {card.name!r} is not lower case letters and digits joined by hyphens"
    yield from (f"its {text} is empty" for text in ("title", "definition", "source") if not getattr(card, text).strip())
    if not card.low < card.high:
        yield f"its range from {card.low} to {card.high} is empty"
    if card.better not in {"higher", "lower", "neither"}:
        yield f"better = {card.better!r}; it is one of higher, lower, neither"


def _parameters(trial: _Trial) -> Iterator[str]:
    yield from faults_of_options(trial.metric, owner=f"metric {trial.metric.card.name}", provided=INPUTS)
    for name, parameter in inspect.signature(trial.metric).parameters.items():
        given = parameter.default is not parameter.empty or name in {*INPUTS, *trial.options}
        if not given and parameter.kind not in VARIADIC:
            yield f"{name} is neither an input ({', '.join(INPUTS)}) nor an option with a default"
        if name in INPUTS and parameter.kind is not parameter.KEYWORD_ONLY:
            yield f"{name} can be given by its position; put a * before the inputs, so that none is taken for another"


def _in_range(name: str, inputs: Inputs) -> Check:
    def check(trial: _Trial) -> Iterator[str]:
        card = trial.metric.card
        try:
            trial.values[name] = value = trial.value(_copies(inputs))
        except Undefined as reason:
            trial.undefined[name] = str(reason)
            return
        if value < card.low - _ROUNDING:
            yield f"returns less than its card's lowest value, {card.low}"
        if value > card.high + _ROUNDING:
            yield f"returns more than its card's highest value, {card.high}"

    return check


def _some_value(trial: _Trial) -> Iterator[str]:
    if trial.undefined and not trial.values:
        yield f"is undefined in every case: {next(iter(trial.undefined.values()))}"


def _inputs(trial: _Trial) -> Iterator[str]:
    original, given = _one_event(), _one_event()
    _settled(trial, given)
    changed = [name for name in INPUTS if not np.array_equal(given[name], original[name])]
    yield from (f"changes {name}; it must work on a copy" for name in changed)
    if not changed:
        for values in given.values():
            values.flags.writeable = False
        _settled(trial, given)


def _repeatable(trial: _Trial) -> Iterator[str]:
    if _settled(trial, _one_event()) != _settled(trial, _one_event()):
        yield "gives different values for the same inputs"


def _settled(trial: _Trial, inputs: Inputs) -> float | None:
    try:
        return trial.value(inputs)
    except Undefined:
        return None


def _direction(trial: _Trial) -> Iterator[str]:
    better, judged = trial.metric.card.better, _judged(trial)
    perfect, inverted = trial.values.get("perfect scores"), trial.values.get("inverted scores")
    if perfect is None or inverted is None or not judged:
        return
    if (perfect < inverted and better == "higher") or (perfect > inverted and better == "lower"):
        yield f"perfect {judged} {perfect:.3g}, inverted {inverted:.3g}; its card says {better} is better"


def _judged(trial: _Trial) -> str:
    if {"root_causes_TC", "attribution_TC"} <= trial.inputs():
        return "attribution gives"
    return "scores give" if {"labels_T", "scores_T"} <= trial.inputs() else ""


def _refused(name: str, inputs: Inputs) -> Check:
    def check(trial: _Trial) -> Iterator[str]:
        try:
            trial.value(_copies(inputs))
        except (DataError, Undefined):
            return
        except ContractError:
            pass  # taken, and made into what is no number either
        yield f"takes {name} without an error; it must raise DataError, as tsad_core.metrics.inputs.check does"

    return check


def _unusable(trial: _Trial) -> dict[str, Inputs]:
    """Return inputs with values that no metric of labels can use, as far as it names them."""
    inputs, named = _one_event(), trial.inputs()
    scores_T, labels_T = inputs["scores_T"].copy(), inputs["labels_T"].astype(float)
    scores_T[490], labels_T[490] = np.nan, 0.5
    cases = {"scores that are not numbers": {"scores_T": scores_T}, "soft labels": {"labels_T": labels_T}}
    return {name: inputs | case for name, case in cases.items() if {"labels_T", *case} <= named}


def _copies(inputs: Inputs) -> Inputs:
    return {name: values.copy() for name, values in inputs.items()}


def _one_event(seed: int = 0) -> Inputs:
    """Return every input of a series with one event, in one channel, and of a detector that guesses."""
    rng = np.random.default_rng(seed)
    T, C = 1000, 3
    causes_TC = np.zeros((T, C), dtype=bool)
    causes_TC[480:500, 1] = True
    normal_TC = np.sin(np.arange(T)[:, None] / 4 + np.arange(C)) + 0.1 * rng.normal(size=(T, C))
    return {
        "labels_T": causes_TC.any(axis=1),
        "scores_T": rng.random(T),
        "calibration_T": 0.9 * rng.random(T),
        "root_causes_TC": causes_TC,
        "attribution_TC": rng.random((T, C)),
        "normal_TC": normal_TC,
        "expected_TC": normal_TC + rng.normal(size=(T, C)),
        "observed_TC": normal_TC + 5 * causes_TC,
        "train_TC": normal_TC[::-1].copy(),
    }


def _answering(score: Callable[[Array], Array]) -> Inputs:
    """Return the same of a detector whose scores and attribution are a function of the truth."""
    inputs = _one_event()
    scores_T, attribution_TC = score(inputs["labels_T"]), score(inputs["root_causes_TC"])
    return inputs | {"scores_T": scores_T, "attribution_TC": attribution_TC, "expected_TC": inputs["normal_TC"]}


def _labelled(steps: slice) -> Inputs:
    """Return the same with a further event, in another channel."""
    inputs = _one_event()
    causes_TC = inputs["root_causes_TC"].copy()
    causes_TC[steps, 0] = True
    return inputs | {"root_causes_TC": causes_TC, "labels_T": np.asarray(causes_TC.any(axis=1))}


def _cases() -> dict[str, Inputs]:
    rng = np.random.default_rng(1)
    return {
        **{f"random scores {seed}": _one_event(seed) for seed in range(3)},
        "perfect scores": _answering(lambda truth: truth.astype(float)),
        "inverted scores": _answering(lambda truth: 1.0 - truth),
        "constant scores": _answering(lambda truth: np.ones(truth.shape)),
        "tied scores": _answering(lambda truth: rng.integers(3, size=truth.shape).astype(float)),
        "two events": _labelled(slice(0, 10)),
    }


def _edges() -> dict[str, Inputs]:
    inputs = _labelled(slice(None))
    return {
        "no event": inputs | {name: np.zeros_like(inputs[name]) for name in ("labels_T", "root_causes_TC")},
        "every step anomalous": inputs,
        "one anomalous step": _cut(inputs, 1),
        "one normal step": _cut(_one_event(), 1),
    }


def _cut(inputs: Inputs, steps: int) -> Inputs:
    """Return the first steps of the test part; what stems from the training part stays whole."""
    whole = {"calibration_T", "train_TC"}
    return {name: values if name in whole else values[:steps] for name, values in inputs.items()}
