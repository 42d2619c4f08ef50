"""Parts of a series that a detector is given: checked before it sees them."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tsad_core.errors import DataError
from tsad_core.series import Array, check_part, checked_starts

_NAMES = ("train_TC", "test_TC")


def with_checks(cls: type[Any]) -> None:
    """Let every public method of a class whose first argument is a part, `train_TC` or `test_TC`, check it.

    Checked are shape, numbers and ``starts``; of a test part also whether as many channels were learnt from.
    """
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        # what a class that this one extends checks is checked once
        if name.startswith("_") or hasattr(method, "checks_parts"):
            continue
        if part := _part_of(method):
            setattr(cls, name, _checking(method, part))


def _part_of(method: Callable[..., Any]) -> str:
    """Return the name of the part that a method's first argument is, if it is one."""
    names = list(inspect.signature(method).parameters)[1:2]
    return names[0] if names and names[0] in _NAMES else ""


def _checking(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @functools.wraps(method)
    def checking(self: Any, *given: Any, **named: Any) -> Any:
        call = signature.bind(self, *given, **named)
        owner = f"{type(self).__name__}.{method.__name__}"
        part_TC = call.arguments[name] = _values(call.arguments[name], f"{owner}: {name}")
        if "starts" in call.arguments:
            call.arguments["starts"] = checked_starts(call.arguments["starts"], len(part_TC), name=f"{owner}: starts")
        if name == "train_TC":
            answer = method(*call.args, **call.kwargs)
            self.channels_ = part_TC.shape[1]
            return answer
        _check_channels(self, part_TC, owner)
        try:
            return method(*call.args, **call.kwargs)
        except AttributeError as error:
            # one that learns nothing may score at once
            if vars(self).keys() <= {field.name for field in dataclasses.fields(self)}:
                raise DataError(f"{owner}: nothing was learnt yet; call fit(train_TC) before") from error
            raise

    checking.checks_parts = True  # type: ignore[attr-defined]  # how a class that extends this one knows
    return checking


def _values(part: Any, name: str) -> Array:
    part_TC = np.asarray(part)
    if part_TC.dtype.kind not in "fiub":
        raise DataError(f"{name} holds {part_TC.dtype}; it must hold numbers, NaN where a value is missing")
    check_part(part_TC, np.isinf(part_TC), name=name, hint="it must be finite or NaN")
    return part_TC if part_TC.dtype.kind == "f" else part_TC.astype(np.float32)


def _check_channels(detector: Any, part_TC: Array, owner: str) -> None:
    channels = getattr(detector, "channels_", part_TC.shape[1])
    if channels != part_TC.shape[1]:
        raise DataError(f"{owner}: test_TC has {part_TC.shape[1]} channels; it was fitted on {channels}")
