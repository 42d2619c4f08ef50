"""A control that knows nothing: noise."""

import zlib
from typing import Self

import numpy as np

from tsad_core.controls.choices import Count, Smoothing, Steps, resolve, smooth
from tsad_core.detector import Detection
from tsad_core.options import detector
from tsad_core.series import Array


@detector
class Random:
    """Uniform noise that knows nothing of the series; reported over many draws."""

    draws: Count = 100
    """How many draws a result is made of."""
    smoothing: Smoothing = 0
    """Steps of the moving average over the scores; 0 for none, ``"auto"`` is the training part's period."""
    seed: Steps = 0
    """Another seed is another family of draws."""

    def fit(self, train_TC: Array) -> Self:
        """Learn how long ``"auto"`` smoothing is, and nothing else."""
        self.smoothing_ = resolve(self.smoothing, train_TC)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Return the noise of draw 0, and unrelated noise as attribution."""
        return self.redraw(test_TC, 0, starts)

    def redraw(self, test_TC: Array, draw: int, starts: tuple[int, ...] = (0,)) -> Detection:
        """Return the noise of another draw; draw 0 equals `detect`."""
        # the series decides which noise: with one noise for all, draws over many series would not be independent
        series = zlib.crc32(test_TC.tobytes())
        noise = np.random.default_rng((self.seed, draw, series))
        scores_T = smooth(noise.random(len(test_TC)), self.smoothing_, starts)
        return Detection(scores_T, attribution_TC=noise.random(test_TC.shape))
