"""A control that seeks the most similar window of each, whatever its level and scale: the matrix profile."""

import warnings
from collections.abc import Callable
from typing import Literal, Self

import numpy as np

from tsad_core import windows
from tsad_core.controls.choices import Count, Smoothing, Window, complete, resolve, smooth
from tsad_core.detector import Detection
from tsad_core.errors import Skip
from tsad_core.options import detector
from tsad_core.series import Array


@detector
class MatrixProfile:
    """Distance of each window from the most similar one, whatever their level and scale; needs stumpy.

    Channels are taken one by one and averaged. Windows are compared after each is standardised by
    itself, so there is no scaling to choose. The distance of a step is the mean over its windows.
    """

    window: Window = "auto"
    """Steps of a window, 3 or more; ``"auto"`` is the training part's period."""
    join: Literal["train", "self"] = "train"
    """Where similar windows are sought: in the training part, or elsewhere in the test part."""
    max_cells: Count = 50_000_000_000
    """Most pairs of windows, over all channels, that are compared; a longer series is skipped.

    About two minutes on one core.
    """
    smoothing: Smoothing = 0
    """Steps of the moving average over the scores; 0 for none, ``"auto"`` is the training part's period."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn the window and keep the training part."""
        complete(train_TC)
        self.window_ = max(3, resolve(self.window, train_TC))
        self.smoothing_ = resolve(self.smoothing, train_TC)
        self.train_TC_ = _parted(train_TC, starts)
        self.longest_ = _longest(len(train_TC), starts)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; each channel's own distances are its attribution."""
        complete(test_TC)
        self._check_cells(test_TC)
        window = self._fitting_window(_longest(len(test_TC), starts))
        other_TC = self.train_TC_ if self.join == "train" else None
        profile_BC = _matrix_profile(_parted(test_TC, starts), other_TC, window)
        attribution_TC = _profile_of_steps(profile_BC, len(test_TC), window, starts)
        scores_T = smooth(attribution_TC.mean(axis=1), self.smoothing_, starts)
        return Detection(scores_T, attribution_TC=attribution_TC)

    def _check_cells(self, test_TC: Array) -> None:
        others = len(self.train_TC_) if self.join == "train" else len(test_TC)
        cells = others * test_TC.size
        if cells > self.max_cells:
            raise Skip(
                f"{others} x {len(test_TC)} steps x {test_TC.shape[1]} channels are {cells:,} cells to compare, more "
                f"than max_cells = {self.max_cells:,}; set max_cells higher (a core does about 20 billion a minute)"
            )

    def _fitting_window(self, longest: int) -> int:
        window = min(self.window_, longest, self.longest_ if self.join == "train" else longest)
        if window < 3:
            raise Skip(f"needs a segment of 3 steps or more to compare shapes; the longest has {window}")
        return window


def _longest(steps: int, starts: tuple[int, ...]) -> int:
    return int(np.diff([*starts, steps]).max())


def _parted(series_TC: Array, starts: tuple[int, ...]) -> Array:
    """Return the series with a row of NaN between its segments: stumpy compares no window that holds one."""
    return np.insert(np.asarray(series_TC, dtype=np.float64), list(starts[1:]), np.nan, axis=0)


def _matrix_profile(test_TC: Array, other_TC: Array | None, window: int) -> Array:
    """Return for each window and channel the distance to the most similar one; the largest if there is none."""
    stump = _stump()
    with warnings.catch_warnings():
        # numba on its threads, stumpy on short series and on distances near zero: nothing to mend here
        warnings.filterwarnings("ignore", module=r"(numba|stumpy)\b")
        joins = [
            stump(test_T, window) if other_TC is None else stump(test_T, window, other_TC[:, c], ignore_trivial=False)
            for c, test_T in enumerate(test_TC.T)
        ]
    profile_BC = np.stack([np.asarray(join[:, 0], dtype=np.float64) for join in joins], axis=1)
    known_BC = np.isfinite(profile_BC)
    return np.where(known_BC, profile_BC, profile_BC[known_BC].max(initial=0.0))


def _stump() -> Callable[..., Array]:
    try:
        import stumpy
    except ImportError:
        raise Skip("needs stumpy: pip install 'tsad-core[matrix-profile]'") from None
    return stumpy.stump  # type: ignore[no-any-return]  # stumpy has no types


def _profile_of_steps(profile_BC: Array, steps: int, window: int, starts: tuple[int, ...]) -> Array:
    """Average the distances of each step's windows; a segment shorter than a window takes the step before it."""
    spans_B2 = windows.cover(steps, window=window, starts=starts)
    spans_B2 = spans_B2[spans_B2[:, 1] - spans_B2[:, 0] == window]
    # `_parted` put one row before each further segment
    rows_B = spans_B2[:, 0] + np.searchsorted(starts[1:], spans_B2[:, 0], side="right")
    average_TC = np.stack(
        [windows.overlap_average(profile_B, spans_B2, steps) for profile_B in profile_BC[rows_B].T], axis=1
    )
    covered_T = windows.overlap_average(np.ones(len(spans_B2)), spans_B2, steps) > 0
    nearest_T = np.maximum.accumulate(np.where(covered_T, np.arange(steps), np.argmax(covered_T)))
    return np.asarray(average_TC[nearest_T])
