"""Options that several controls have, and what they stand for."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from tsad_core import windows
from tsad_core.errors import Skip
from tsad_core.series import Array

Window = Annotated[int, Ge(1)] | Literal["auto"]
Scaling = Literal["none", "standard", "min-max"]
Count = Annotated[int, Ge(1)]
Steps = Annotated[int, Ge(0)]
Smoothing = Steps | Literal["auto"]


def resolve(steps: int | Literal["auto"], train_TC: Array) -> int:
    """Return the steps of a window or of a moving average; ``"auto"`` is the training part's period."""
    return windows.period(train_TC) if steps == "auto" else steps


def scales(train_TC: Array, scaling: Scaling) -> tuple[Array, Array]:
    """Return what to subtract from each channel and what to divide it by; 1 for a constant channel.

    Missing values count for nothing; a channel without any other is taken for constant.
    """
    train_TC = present(np.asarray(train_TC, dtype=np.float64))
    if scaling == "none":
        return np.zeros(train_TC.shape[1]), np.ones(train_TC.shape[1])
    low_C = np.nanmin(train_TC, axis=0)
    range_C = np.nanmax(train_TC, axis=0) - low_C
    standard = np.nanmean(train_TC, axis=0), np.nanstd(train_TC, axis=0)
    centre_C, scale_C = standard if scaling == "standard" else (low_C, range_C)
    return centre_C, np.where(range_C > 1e-6 * np.nanmax(np.abs(train_TC), axis=0), scale_C, 1.0)


def present(train_TC: Array) -> Array:
    """Return the part with zeros in the channels of which nothing is known."""
    return np.where(np.isnan(train_TC).all(axis=0), 0.0, train_TC)


def smooth(scores_T: Array, smoothing: int, starts: tuple[int, ...]) -> Array:
    """Return the moving average of the scores over `smoothing` steps; as they are for 0."""
    return windows.moving_average(scores_T, width=smoothing, starts=starts) if smoothing else scores_T


def complete(series_TC: Array) -> None:
    """Raise `Skip` if a value is missing."""
    if not np.isfinite(series_TC).all():
        raise Skip("needs a series without missing values")
