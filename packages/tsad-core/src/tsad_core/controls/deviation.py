"""A control that knows the level and the spread of each channel, and nothing of time."""

from typing import Self

import numpy as np

from tsad_core.controls.choices import Smoothing, resolve
from tsad_core.controls.residual import detection
from tsad_core.detector import Detection
from tsad_core.options import detector
from tsad_core.scaling import present, scales
from tsad_core.series import Array


@detector
class Deviation:
    """Distance of each step from the training mean, in training deviations; root mean square over the channels.

    The floor of attribution: blame whoever is furthest from its mean. And of restoration: expect the training
    median. A missing value deviates from nothing.
    """

    smoothing: Smoothing = 0
    """Steps of the moving average over the scores; 0 for none, ``"auto"`` is the training part's period."""

    def fit(self, train_TC: Array) -> Self:
        """Learn each channel's mean, deviation and median."""
        self.smoothing_ = resolve(self.smoothing, train_TC)
        self.centre_C_, self.scale_C_ = scales(train_TC, "standard")
        self.median_C_ = np.nanmedian(present(train_TC), axis=0)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; expected is the training median."""
        residual_TC = (test_TC - self.centre_C_) / self.scale_C_
        expected_TC = np.broadcast_to(self.median_C_, test_TC.shape)
        return detection(residual_TC, expected_TC, smoothing=self.smoothing_, starts=starts)
