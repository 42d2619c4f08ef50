"""Checks of a detector's options: what they are, and that they come through."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sklearn.base import clone

from tsad_core.errors import OptionError
from tsad_core.testing.trial import Check, Trial


def _options(trial: Trial) -> Iterator[str]:
    cls = type(trial.given)
    if not hasattr(cls, "__pydantic_fields__"):
        yield "its class is not made by @tsad_core.detector, which checks options"
        return
    documented = _documented(cls)
    for name, value in trial.given.get_params().items():
        if not isinstance(value, bool | int | float | str):
            yield f"option {name} is a {type(value).__name__}; options are true or false, numbers and text"
        if name not in documented:
            yield f"option {name} is not documented; put a docstring below its definition"


def _kept(trial: Trial) -> Iterator[str]:
    options = trial.given.get_params()
    for way, made in {"the constructor": trial.fresh(), "scikit-learn's clone": clone(trial.given)}.items():
        if made.get_params() != options:
            yield f"{way} makes {_difference(options, made.get_params())}"
            return
    plain = type(trial.given)()
    if plain.set_params(**options) is not plain:
        yield "set_params does not return the detector itself"
    if plain.get_params() != options:
        yield f"set_params makes {_difference(options, plain.get_params())}"


def _refused(trial: Trial) -> Iterator[str]:
    takers: dict[str, Callable[..., object]] = {
        "the constructor": type(trial.given),
        "set_params": trial.fresh().set_params,
    }
    for name, take in takers.items():
        try:
            take(no_such_option=1)
        except OptionError:
            continue
        yield f"{name} takes an option that does not exist; it must raise OptionError"
        return


def _documented(cls: type[Any]) -> set[str]:
    # a subclass's own fields forget the docstrings of those they inherit
    fields = [field for each in cls.__mro__ for field in getattr(each, "__pydantic_fields__", {}).items()]
    return {name for name, field in fields if field.description}


def _difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    names = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    return ", ".join(f"{name} = {wanted.get(name)!r} into {found.get(name)!r}" for name in names)


KEPT: Mapping[str, Check] = {"options are kept": _kept}
CHECKS: Mapping[str, Check] = {"options": _options, "unknown options": _refused}
