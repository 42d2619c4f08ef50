"""A control that expects the average of the steps around."""

import itertools
from typing import Self

import numpy as np

from tsad_core import windows
from tsad_core.controls.choices import Smoothing, Window, complete, resolve, smooth
from tsad_core.detector import Detection
from tsad_core.options import detector
from tsad_core.scaling import Scaling, scales
from tsad_core.series import Array


@detector
class MovingAverage:
    """Distance of each step from the moving average around it, mean over the channels."""

    window: Window = 5
    """Steps of the moving average; ``"auto"`` is the training part's period.

    A short average is the stronger floor: it leaves what is sudden, where an average over a period
    leaves the whole period (.33 against .16 of a sample of the UCR series).
    """
    centred: bool = True
    """Whether the average is around a step; otherwise over the steps up to it."""
    smoothing: Smoothing = 0
    """Steps of the moving average over the scores; 0 for none, ``"auto"`` is the training part's period."""
    scaling: Scaling = "standard"
    """How channels are made comparable, learnt on the training part."""

    def fit(self, train_TC: Array) -> Self:
        """Learn the channels' scales and the window."""
        complete(train_TC)
        self.window_ = resolve(self.window, train_TC)
        self.smoothing_ = resolve(self.smoothing, train_TC)
        self.centre_C_, self.scale_C_ = scales(train_TC, self.scaling)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; expected is the moving average."""
        complete(test_TC)
        expected_TC = windows.moving_average(test_TC, width=self.window_, starts=starts, trailing=not self.centred)
        whole_T = _averaged(len(test_TC), self.window_, starts, centred=self.centred)
        error_TC = np.abs(test_TC - expected_TC)[whole_T] / self.scale_C_
        scores_T = smooth(error_TC.mean(axis=1), self.smoothing_, starts)
        return Detection(scores_T, attribution_TC=error_TC, expected_TC=expected_TC)


def _averaged(steps: int, window: int, starts: tuple[int, ...], *, centred: bool) -> Array:
    """Return for each step the nearest one with a whole average: at the ends it is lopsided, and a slope an error."""
    ahead = window // 2 if centred else 0
    index_T = np.arange(steps)
    for start, stop in itertools.pairwise([*starts, steps]):
        if stop - start >= window:
            index_T[start:stop] = index_T[start:stop].clip(start + window - 1 - ahead, stop - 1 - ahead)
    return index_T
