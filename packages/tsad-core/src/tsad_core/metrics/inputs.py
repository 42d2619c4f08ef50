"""What metrics are given: checked labels and values, the events in them, and work shared between metrics.

Metrics called in turn on the same read-only arrays share a sort, or whatever else is `shared`.
"""

import functools
import weakref
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from tsad_core.errors import DataError
from tsad_core.series import Array

Function = TypeVar("Function", bound=Callable[..., Any])


def check(labels_T: Array, **values: Array) -> Array:
    """Return the labels as bool; labels or values that no metric can use raise `DataError`.

    Values are finite real numbers, one per label; those whose name ends in ``_TC`` have a second axis, the channels.
    """
    anomalous_T = marks("labels_T", labels_T)
    for name, value in {"labels_T": labels_T, **values}.items():
        axes = len(name.rpartition("_")[2])
        given = np.asarray(value)
        if given.ndim != axes or len(given) != len(anomalous_T):
            wanted = (len(anomalous_T), "channels")[:axes]
            raise DataError(f"{name} has shape {given.shape}; expected {wanted}, one row per label")
        if given.dtype.kind not in "biuf":
            raise DataError(f"{name} has dtype {given.dtype}; a metric takes real numbers: convert with astype(float)")
        if not np.isfinite(given).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(given))[0])
            raise DataError(f"{name} is {given[where]} at {where}; a metric takes finite values only")
    return anomalous_T


def marks(name: str, given: Array) -> Array:
    """Return marks of 0 and 1 as bool; other values, such as soft labels, raise `DataError`."""
    values = np.asarray(given)
    if values.ndim == 0:
        raise DataError(f"{name} is a single value; expected one per step")
    if values.dtype == bool:
        return values
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        raise DataError(f"{name} holds {values[wrong][0]}; only 0 and 1 are allowed: round soft labels first")
    return values.astype(bool)


def spans(anomalous_T: Array) -> tuple[Array, Array]:
    """Return the first step of each event and the step after its last."""
    edges_N = np.flatnonzero(anomalous_T[1:] != anomalous_T[:-1]) + 1
    first = [0] if anomalous_T[:1].any() else []
    last = [len(anomalous_T)] if anomalous_T[-1:].any() else []
    edges_N = np.concatenate([first, edges_N, last]).astype(np.int64)
    return edges_N[::2], edges_N[1::2]


def shared(function: Function) -> Function:
    """Make a function of arrays keep its last result for as long as those arrays live.

    Only for read-only arrays, known by their identity: others may have changed since. Read-only is a promise that
    the values stay. Whoever makes such an array writable, changes it and makes it read-only again breaks that
    promise and is given the result of the old values, as nothing here looks at the values again: take a new array.
    """
    kept: dict[tuple[object, ...], tuple[object, list[object]]] = {}

    @functools.wraps(function)
    def call(*given: Any) -> Any:
        if any(_may_change(value) for value in given):
            return function(*given)
        arrays = [value for value in given if isinstance(value, np.ndarray)]
        key = tuple(id(value) if isinstance(value, np.ndarray) else value for value in given)
        found = kept.get(key)
        if found:
            return found[0]
        result = function(*given)
        kept.clear()
        # an identity may be given again once its array is gone, so the result goes with it
        kept[key] = result, [weakref.ref(array, lambda _: kept.pop(key, None)) for array in arrays]
        return result

    return call  # type: ignore[return-value]  # same signature


def _may_change(value: object) -> bool:
    if not isinstance(value, np.ndarray):
        return not isinstance(value, int | str)
    owner = value if value.base is None else value.base
    return value.flags.writeable or not isinstance(owner, np.ndarray) or owner.flags.writeable


@shared
def ascending(scores_T: Array) -> Array:
    """Return the scores in ascending order, not to be changed."""
    return np.sort(scores_T)


def same_shape(wanted: str, values: Mapping[str, Array]) -> None:
    """Raise `DataError` if the values, by name, do not all have the shape of the wanted one."""
    shape = np.shape(values[wanted])
    for name, value in values.items():
        if np.shape(value) != shape:
            raise DataError(f"{name} has shape {np.shape(value)}; {wanted} has {shape}")
