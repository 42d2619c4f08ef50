"""Checks of a detector's options: what they are, and that they come through."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from sklearn.base import clone

from tsad_core.detector import Detector
from tsad_core.errors import OptionError
from tsad_core.options import option_names
from tsad_core.testing.trial import Check, Trial


def _options(trial: Trial) -> Iterator[str]:
    cls = type(trial.given)
    if not hasattr(cls, "__pydantic_fields__"):
        yield "its class is not made by @tsad_core.detector, which checks options"
        return
    undocumented = _undocumented(cls)
    for name, value in trial.given.get_params().items():
        if not isinstance(value, bool | int | float | str):
            yield f"option {name} is a {type(value).__name__}; options are true or false, numbers and text"
        if name in undocumented:
            yield f"option {name} is not documented; put a docstring below its definition"


def _presets(trial: Trial) -> Iterator[str]:
    cls = type(trial.given)
    for name, options in getattr(cls, "presets", {}).items():
        try:
            cls(**options)
        except OptionError as error:
            yield f"preset {name} is refused: {error}"


def _kept(trial: Trial) -> Iterator[str]:
    for detector in (trial.given, *_others(trial.given)):
        faults = list(_lost(detector))
        yield from faults
        if faults:
            return


def _lost(given: Detector) -> Iterator[str]:
    """Yield which options of a detector do not come through."""
    options = _held(given)
    if given.get_params() != options:
        yield f"get_params makes {_difference(options, given.get_params())}"
        return
    for way, made in {"the constructor": type(given)(**options), "scikit-learn's clone": clone(given)}.items():
        if _held(made) != options:
            yield f"{way} makes {_difference(options, _held(made))}"
            return
    plain = type(given)()
    if plain.set_params(**options) is not plain:
        yield "set_params does not return the detector itself"
    if _held(plain) != options:
        yield f"set_params makes {_difference(options, _held(plain))}"


def _held(detector: Detector) -> dict[str, Any]:
    if not hasattr(type(detector), "__dataclass_fields__"):
        return detector.get_params()
    return {name: getattr(detector, name) for name in option_names(type(detector))}


def _others(given: Detector) -> Iterator[Detector]:
    """Yield, for each option, a detector with another value of it, where one is found that it takes."""
    cls, options = type(given), _held(given)
    for name, value in options.items():
        for other in _other_values(cls, name, value):
            try:
                yield cls(**{**options, name: other})
            except OptionError:
                continue
            break


def _other_values(cls: type[Any], name: str, value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, 2 * value, value / 2)
    field = getattr(cls, "__pydantic_fields__", {}).get(name)
    yield from (other for other in _literals(field.annotation if field else None) if other != value)


def _literals(hint: Any) -> list[Any]:
    """Return the values that a type names: those of a `Literal`, wherever in it that stands."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [value for part in get_args(hint) for value in _literals(part)]


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


def _undocumented(cls: type[Any]) -> set[str]:
    """Return the options that no class describes, as far as sources can be read."""
    # a subclass's own fields forget the docstrings of those they inherit
    fields = [field for each in cls.__mro__ for field in getattr(each, "__pydantic_fields__", {}).items()]
    described = {name for name, field in fields if field.description}
    return set(option_names(cls)) - described.union(*map(_excused, cls.__mro__))


def _excused(cls: type[Any]) -> set[str]:
    """Return the options of a class with a docstring in its source; all of them if that cannot be read.

    pydantic finds no docstring in a class that is made a detector by a call, ``detector(Cls)``.
    """
    own = set(vars(cls).get("__annotations__", {}))
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls))) if own else ast.parse("class Empty: ...")
    except (OSError, TypeError, SyntaxError):
        return own
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef))
    return {_target(line) for line, after in itertools.pairwise(body) if _is_text(after)}


def _target(line: ast.stmt) -> str:
    return line.target.id if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) else ""


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)


def _difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    names = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    return ", ".join(f"{name} = {wanted.get(name)!r} into {found.get(name)!r}" for name in names)


KEPT: Mapping[str, Check] = {"options are kept": _kept}
CHECKS: Mapping[str, Check] = {"options": _options, "unknown options": _refused, "presets": _presets}
