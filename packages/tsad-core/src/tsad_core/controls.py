"""The controls: five plain detectors, the floors that every other one must clear."""

import importlib
import warnings
from typing import Annotated, Any, Literal, Self

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from tsad_core import windows
from tsad_core.detector import Detection
from tsad_core.errors import Skip
from tsad_core.options import detector
from tsad_core.series import Array

Window = Annotated[int, Ge(1)] | Literal["auto"]
Scaling = Literal["none", "standard", "min-max"]
Count = Annotated[int, Ge(1)]
Steps = Annotated[int, Ge(0)]


@detector
class Random:
    """Uniform noise that sees nothing of the series but its shape; reported over many draws."""

    draws: Count = 100
    """How many draws a result is made of."""
    smoothing: Steps = 0
    """Steps of the moving average over the scores; 0 for none."""
    seed: Steps = 0
    """Another seed is another family of draws."""

    def fit(self, train_TC: Array) -> Self:  # noqa: ARG002 - a detector is given it, noise needs none
        """Return the detector as it is."""
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Return the noise of draw 0, and unrelated noise as attribution."""
        attribution_TC = np.random.default_rng((self.seed, 0, 1)).random(test_TC.shape)
        return Detection(self.redraw(test_TC, 0, starts), attribution_TC=attribution_TC)

    def redraw(self, test_TC: Array, draw: int, starts: tuple[int, ...] = (0,)) -> Array:
        """Return the noise of another draw; draw 0 equals `detect`."""
        scores_T = np.random.default_rng((self.seed, draw)).random(len(test_TC))
        return _smooth(scores_T, self.smoothing, starts)


@detector
class MovingAverage:
    """Distance of each step from the moving average around it, mean over the channels."""

    window: Window = "auto"
    """Steps of the moving average; ``"auto"`` is the training part's period."""
    centred: bool = True
    """Whether the average is around a step; otherwise over the steps up to it."""
    smoothing: Steps = 0
    """Steps of the moving average over the scores; 0 for none."""
    scaling: Scaling = "standard"
    """How channels are made comparable, learnt on the training part."""

    def fit(self, train_TC: Array) -> Self:
        """Learn the channels' scales and the window."""
        _complete(train_TC)
        self.window_ = _resolve(self.window, train_TC)
        self.centre_C_, self.scale_C_ = _scales(train_TC, self.scaling)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; expected is the moving average."""
        _complete(test_TC)
        expected_TC = windows.moving_average(test_TC, width=self.window_, starts=starts, trailing=not self.centred)
        error_TC = np.abs(test_TC - expected_TC) / self.scale_C_
        scores_T = _smooth(error_TC.mean(axis=1), self.smoothing, starts)
        return Detection(scores_T, attribution_TC=error_TC, expected_TC=expected_TC)


@detector
class KMeans:
    """Distance of each window from its nearest cluster centre, averaged over the windows of a step."""

    window: Window = "auto"
    """Steps of a window; ``"auto"`` is the training part's period."""
    clusters: Count = 20
    """How many centres, if there are as many windows."""
    max_windows: Count = 5000
    """Most training windows that the centres are learnt from, drawn at random."""
    smoothing: Steps = 0
    """Steps of the moving average over the scores; 0 for none."""
    scaling: Scaling = "standard"
    """How channels are made comparable, learnt on the training part."""
    seed: Steps = 0
    """Decides which windows are drawn, and the first centres."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn scales, window and centres."""
        self.window_, self.centre_C_, self.scale_C_, windows_BLC = _learn(self, train_TC, starts)
        flat_BD = windows_BLC.reshape(len(windows_BLC), -1)
        self.centres_KLC_ = _cluster(flat_BD, self.clusters, self.seed).reshape(-1, *windows_BLC.shape[1:])
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; expected is the mean of the nearest centres of a step's windows."""
        centres_KD = self.centres_KLC_.reshape(len(self.centres_KLC_), -1)
        norms_K = (centres_KD**2).sum(axis=1) / 2

        def nearest(windows_BLC: Array) -> Array:
            flat_BD = windows_BLC.reshape(len(windows_BLC), -1)
            return np.asarray(self.centres_KLC_[np.argmin(norms_K - flat_BD @ centres_KD.T, axis=1)])

        return _reconstruct(self, test_TC, starts, nearest)


@detector
class PCA:
    """What the principal components of the training windows leave of each window (Sub-PCA)."""

    window: Window = "auto"
    """Steps of a window; ``"auto"`` is the training part's period."""
    variance: Annotated[float, Gt(0), Lt(1)] = 0.9
    """Share of the training windows' variance that the components explain."""
    max_windows: Count = 5000
    """Most training windows that the components are learnt from, drawn at random."""
    smoothing: Steps = 0
    """Steps of the moving average over the scores; 0 for none."""
    scaling: Scaling = "standard"
    """How channels are made comparable, learnt on the training part."""
    seed: Steps = 0
    """Decides which windows are drawn."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn scales, window, mean window and components."""
        self.window_, self.centre_C_, self.scale_C_, windows_BLC = _learn(self, train_TC, starts)
        self.mean_LC_ = windows_BLC.mean(axis=0)
        flat_BD = (windows_BLC - self.mean_LC_).reshape(len(windows_BLC), -1)
        self.components_KD_ = _components(flat_BD, self.variance)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; expected is the mean reconstruction by a step's windows."""

        def project(windows_BLC: Array) -> Array:
            flat_BD = (windows_BLC - self.mean_LC_).reshape(len(windows_BLC), -1)
            return (flat_BD @ self.components_KD_.T @ self.components_KD_).reshape(windows_BLC.shape) + self.mean_LC_

        return _reconstruct(self, test_TC, starts, project)
