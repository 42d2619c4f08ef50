"""Controls that expect what fills a gap without any model: the period before, or a line across."""

from collections.abc import Callable
from typing import Self

import numpy as np

from tsad_core.controls.choices import Smoothing, Window, resolve
from tsad_core.controls.residual import detection
from tsad_core.detector import Detection
from tsad_core.gaps import by_channel, last_period, line
from tsad_core.options import detector
from tsad_core.scaling import present, scales
from tsad_core.series import Array


@detector
class SeasonalNaive:
    """Distance of each step from the value one period before, in training residuals; root mean square of channels.

    The seasonal naive forecast (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 2021), within a
    segment. Where the value one period before is missing, the one before that counts; where there is none, as in the
    first period, the next one after; where there is none at all, the training median. Nothing of the training part
    goes on in a test part, whose phase is unknown. An anomaly shows a second time, a period later.
    """

    window: Window = "auto"
    """Steps of a period; ``"auto"`` is the training part's."""
    smoothing: Smoothing = 0
    """Steps of the moving average over the scores; 0 for none, ``"auto"`` is the training part's period."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn the period, each channel's median, and how large residuals are."""
        self.window_ = resolve(self.window, train_TC)
        self.smoothing_ = resolve(self.smoothing, train_TC)
        self.median_C_ = np.nanmedian(present(train_TC), axis=0)
        self.scale_C_ = _residual_scales(train_TC, self._expected(train_TC, starts))
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; expected is the value one period before."""
        expected_TC = self._expected(test_TC, starts)
        residual_TC = (test_TC - expected_TC) / self.scale_C_
        return detection(residual_TC, expected_TC, smoothing=self.smoothing_, starts=starts)

    def _expected(self, part_TC: Array, starts: tuple[int, ...]) -> Array:
        return _expected(part_TC, starts, self.median_C_, lambda values_T: last_period(values_T, self.window_))


@detector
class Linear:
    """Distance of each step from the line across a gap around it, in training residuals; root mean square of channels.

    The line leads from the value half a period before the step to the value half a period after it. Where one is
    missing, the next one outward counts; where a side has none, the other's value; where both have none, the training
    median. No line crosses a start. A wave is no line: half a period on either side it is at its other end.
    """

    window: Window = "auto"
    """Steps of the gap, so of a period; ``"auto"`` is the training part's."""
    smoothing: Smoothing = 0
    """Steps of the moving average over the scores; 0 for none, ``"auto"`` is the training part's period."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn the gap, each channel's median, and how large residuals are."""
        self.window_ = resolve(self.window, train_TC)
        self.smoothing_ = resolve(self.smoothing, train_TC)
        self.median_C_ = np.nanmedian(present(train_TC), axis=0)
        self.scale_C_ = _residual_scales(train_TC, self._expected(train_TC, starts))
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; expected is the line across the gap."""
        expected_TC = self._expected(test_TC, starts)
        residual_TC = (test_TC - expected_TC) / self.scale_C_
        return detection(residual_TC, expected_TC, smoothing=self.smoothing_, starts=starts)

    def _expected(self, part_TC: Array, starts: tuple[int, ...]) -> Array:
        return _expected(part_TC, starts, self.median_C_, lambda values_T: line(values_T, max(1, self.window_ // 2)))


def _expected(part_TC: Array, starts: tuple[int, ...], median_C: Array, fill: Callable[[Array], Array]) -> Array:
    """Return what a function makes of a part, and the median where that is NaN."""
    expected_TC = by_channel(part_TC, starts, fill)
    return np.where(np.isnan(expected_TC), median_C, expected_TC)


def _residual_scales(train_TC: Array, expected_TC: Array) -> Array:
    """Return each channel's root mean square residual; its deviation, or 1 if constant, where it leaves none."""
    known_TC = ~np.isnan(train_TC)
    squares_TC = np.square(np.where(known_TC, train_TC - expected_TC, 0.0))
    size_C = np.sqrt(squares_TC.sum(axis=0) / np.maximum(known_TC.sum(axis=0), 1))
    scale_C = scales(train_TC, "standard")[1]
    return np.where(size_C > 1e-6 * scale_C, size_C, scale_C)
