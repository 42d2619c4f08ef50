"""Checks of the options of a data set or a metric: the keywords of a function."""

import inspect
from collections.abc import Callable, Collection, Iterator
from typing import Any

from tsad_core.options import bind

VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
"""Parameters that take anything."""


def faults_of_options(function: Callable[..., Any], *, owner: str, provided: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with what a function names beside what it is provided with."""
    defaults = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in VARIADIC:
            yield f"takes {parameter}, so anything; name every option"
        elif name not in provided:
            yield from _faults_of(name, parameter)
            defaults[name] = parameter.default
    # a default must pass its own check
    bind(function, {k: v for k, v in defaults.items() if isinstance(v, bool | int | float | str)}, owner=owner)


def _faults_of(name: str, parameter: inspect.Parameter) -> Iterator[str]:
    if parameter.annotation is parameter.empty:
        yield f"option {name} has no type; without one it is not checked"
    elif parameter.default is not parameter.empty and not isinstance(
        parameter.default, bool | int | float | str | None
    ):
        yield f"option {name} is a {type(parameter.default).__name__}; options are true or false, numbers and text"
