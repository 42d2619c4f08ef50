"""Options that several controls have, and what they stand for."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from tsad_core import windows
from tsad_core.errors import Skip
from tsad_core.series import Array

Window = Annotated[int, Ge(1)] | Literal["auto"]
Count = Annotated[int, Ge(1)]
Steps = Annotated[int, Ge(0)]
Smoothing = Steps | Literal["auto"]


def resolve(steps: int | Literal["auto"], train_TC: Array) -> int:
    """Return the steps of a window or of a moving average; ``"auto"`` is the training part's period."""
    return windows.period(train_TC) if steps == "auto" else steps


def smooth(scores_T: Array, smoothing: int, starts: tuple[int, ...]) -> Array:
    """Return the moving average of the scores over `smoothing` steps; as they are for 0."""
    return windows.moving_average(scores_T, width=smoothing, starts=starts) if smoothing else scores_T


def complete(series_TC: Array) -> None:
    """Raise `Skip` if a value is missing."""
    if not np.isfinite(series_TC).all():
        raise Skip("needs a series without missing values")
