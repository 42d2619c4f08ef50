"""The time column of a table: read, checked, and what to do where it jumps."""

from typing import Literal

import numpy as np

from tsad_core.datasets.tables import Column, fault
from tsad_core.errors import DataError
from tsad_core.series import Array

Gaps = Literal["keep", "segment", "insert"]
"""What to do where the time jumps."""

_JUMP = 1.5
"""How many sampling periods between two rows are a jump."""
_FEW = 10
"""More jumps than this, and than one in so many rows, are no gaps."""
_MOST = 10
"""How many times a part may grow by inserted steps."""


def seconds(table: str, times: Column, form: str = "") -> Array:
    """Return the seconds since the first row, float64.

    Numbers count seconds, or milli-, micro- or nanoseconds where they are as large as these are
    since 1970. Text is ISO 8601, or as `form` says (``%d.%m.%Y %H:%M``).
    """
    from pandas.api.types import is_integer_dtype, is_numeric_dtype

    if times.hasnans:
        raise fault(table, times, int(times.isna().to_numpy().argmax()), "it has no time")
    if is_numeric_dtype(times) and not form:
        values_T = times.to_numpy(np.int64 if is_integer_dtype(times) else np.float64)
        if not np.isfinite(values_T).all():
            raise fault(table, times, int(np.isfinite(values_T).argmin()), "it is no time")
        passed_T: Array = (values_T - values_T[0]) / _ticks(abs(float(values_T[0])))
        return passed_T
    return _parsed(table, times, form)


def check_rising(table: str, times: Column, seconds_T: Array) -> None:
    """Refuse a time that does not come after the one before."""
    # so written that an infinite time does not rise either
    wrong = np.flatnonzero(~(np.isfinite(seconds_T[1:]) & (np.diff(seconds_T) > 0)))
    if wrong.size:
        here = int(wrong[0]) + 1
        message = (
            f"the time {times.iloc[here]} does not come after {times.iloc[here - 1]}, the one before; sort the rows"
        )
        raise fault(table, times, here, message)


def period(seconds_T: Array) -> float:
    """Return the usual time between two rows."""
    return float(np.median(np.diff(seconds_T)))


def starts(table: str, seconds_T: Array, step: float) -> tuple[int, ...]:
    """Return the first rows of what lies between jumps; times that jump all the time have no segments."""
    jumps = np.flatnonzero(np.diff(seconds_T) > _JUMP * step) + 1
    if len(jumps) > max(_FEW, len(seconds_T) / _FEW):
        raise DataError(
            f"{table}: its times are irregular, {len(jumps)} of {len(seconds_T)} come more than {_JUMP} times the "
            f"usual {step:g} seconds after the one before; set csv.gaps=keep, or even the times out"
        )
    return (0, *map(int, jumps))


def steps(seconds_T: Array, step: float) -> Array:
    """Return at which step each row stands if a jump is as many steps as fit into it."""
    passed_T = np.diff(seconds_T)
    steps_T = np.where(passed_T > _JUMP * step, np.rint(passed_T / step), 1)
    return np.concatenate([[0], np.cumsum(steps_T)])


def insert(table: str, values_TC: Array, marks_T: Array | None, steps_T: Array) -> tuple[Array, Array | None]:
    """Return a part with rows of missing values where steps have no row, labelled if both neighbours are."""
    if steps_T[-1] >= _MOST * len(steps_T):
        raise DataError(f"{table}: its gaps are {steps_T[-1]:.0f} steps for {len(steps_T)} rows; set csv.gaps=segment")
    at_T = steps_T.astype(int)
    spread_TC = np.full((at_T[-1] + 1, values_TC.shape[1]), np.nan)
    spread_TC[at_T] = values_TC
    if marks_T is None:
        return spread_TC, None
    every_T = np.arange(len(spread_TC))
    before_T, after_T = np.searchsorted(at_T, every_T, side="right") - 1, np.searchsorted(at_T, every_T)
    return spread_TC, marks_T[before_T] & marks_T[after_T]


def _ticks(size: float) -> float:
    for bound, ticks in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)):
        if size > bound:
            return ticks
    return 1.0


def _parsed(table: str, times: Column, form: str) -> Array:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(times):
        stamps = times
    else:
        stamps = pd.to_datetime(times.astype("str"), format=form or "ISO8601", utc=True, errors="coerce")
    if stamps.hasnans:
        position = int(stamps.isna().to_numpy().argmax())
        hint = f"as {form}" if form else "in ISO 8601; set csv.time_format, as in %d.%m.%Y %H:%M"
        raise fault(table, times, position, f"{times.iloc[position]!r} is not a time {hint}")
    passed_T: Array = (stamps - stamps.iloc[0]).dt.total_seconds().to_numpy()
    return passed_T
