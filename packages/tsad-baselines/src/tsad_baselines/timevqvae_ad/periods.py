"""How long a window is: twice the period of the training part, found or looked up."""

import csv
import hashlib
from pathlib import Path

import numpy as np
from tsad_core import Array, OptionError, windows

_LONGEST = 1024
"""Longest window that is chosen; a longer one can be asked for."""


def digest(train_TC: Array) -> str:
    """Return what names a training part in a file of periods: SHA-256 of its float64 values, step by step.

    >>> digest(np.zeros((2, 1)))[:8]
    '374708ff'
    """
    return hashlib.sha256(np.ascontiguousarray(train_TC, dtype="<f8").tobytes()).hexdigest()


def found(train_TC: Array) -> int:
    """Return twice the dominant period of a training part, in reason."""
    return min(_LONGEST, 2 * windows.period(train_TC))


def looked_up(train_TC: Array, path: str) -> int:
    """Return twice the period that a file states for a training part."""
    name, stated = digest(train_TC), _stated(path)
    if name not in stated:
        raise OptionError(
            f"legacy_periods = {path!r} has no row for a training part of shape {train_TC.shape}: add one with"
            f" train = {name}, or leave the option empty for the period that is found in the part"
        )
    return 2 * stated[name]


def _stated(path: str) -> dict[str, int]:
    try:
        # utf-8-sig: spreadsheets put a mark in front
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            return _by_part(csv.DictReader(file, skipinitialspace=True))
    except (OSError, TypeError, ValueError, OverflowError) as error:
        raise OptionError(
            f"legacy_periods = {path!r} cannot be read ({type(error).__name__}: {error}); it must be a CSV file with"
            " the columns train, what `digest` returns, each once, and period, 1 step or more"
        ) from error


def _by_part(reader: "csv.DictReader[str]") -> dict[str, int]:
    columns = reader.fieldnames or []
    if not {"train", "period"} <= set(columns):
        raise ValueError(f"its columns are {', '.join(columns) or 'none'}")
    rows = [(row["train"], round(float(row["period"]))) for row in reader]
    stated = dict(rows)
    if len(stated) < len(rows):
        raise ValueError("a training part has two rows")
    if min(stated.values(), default=1) < 1:
        raise ValueError(f"a period is {min(stated.values())}")
    return stated
