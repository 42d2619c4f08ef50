"""Controls that rebuild windows from what they learnt of the training windows: k-means and PCA."""

import warnings
from collections.abc import Callable
from typing import Annotated, Self

import numpy as np
from annotated_types import Gt, Lt
from sklearn import cluster, decomposition
from sklearn.exceptions import ConvergenceWarning

from tsad_core import windows
from tsad_core.controls.choices import Count, Smoothing, Steps, Window, complete, resolve, smooth
from tsad_core.detector import Detection
from tsad_core.options import detector
from tsad_core.scaling import Scaling, scales
from tsad_core.series import Array


@detector
class KMeans:
    """Distance of each window from its nearest cluster centre, averaged over the windows of a step."""

    window: Window = "auto"
    """Steps of a window; ``"auto"`` is the training part's period."""
    clusters: Count = 20
    """How many centres, if there are as many windows; 20 as in TSB-AD and the MMA paper."""
    max_windows: Count = 5000
    """Most training windows that the centres are learnt from, drawn at random."""
    smoothing: Smoothing = 0
    """Steps of the moving average over the scores; 0 for none, ``"auto"`` is the training part's period."""
    scaling: Scaling = "standard"
    """How channels are made comparable, learnt on the training part."""
    seed: Steps = 0
    """Decides which windows are drawn, and the first centres."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn scales, window and centres."""
        self.window_, self.centre_C_, self.scale_C_, windows_BLC = _learn(self, train_TC, starts)
        self.smoothing_ = resolve(self.smoothing, train_TC)
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
    smoothing: Smoothing = 0
    """Steps of the moving average over the scores; 0 for none, ``"auto"`` is the training part's period."""
    scaling: Scaling = "standard"
    """How channels are made comparable, learnt on the training part."""
    seed: Steps = 0
    """Decides which windows are drawn."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn scales, window, mean window and components."""
        self.window_, self.centre_C_, self.scale_C_, windows_BLC = _learn(self, train_TC, starts)
        self.smoothing_ = resolve(self.smoothing, train_TC)
        self.mean_LC_ = windows_BLC.mean(axis=0)
        flat_BD = (windows_BLC - self.mean_LC_).reshape(len(windows_BLC), -1)
        self.components_KD_ = _components(flat_BD, self.variance)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; expected is the mean reconstruction by a step's windows."""

        def project(windows_BLC: Array) -> Array:
            flat_BD = (windows_BLC - self.mean_LC_).reshape(len(windows_BLC), -1)
            return np.asarray(
                (flat_BD @ self.components_KD_.T @ self.components_KD_).reshape(windows_BLC.shape) + self.mean_LC_
            )

        return _reconstruct(self, test_TC, starts, project)


def _learn(control: KMeans | PCA, train_TC: Array, starts: tuple[int, ...]) -> tuple[int, Array, Array, Array]:
    """Return window, centres and scales of the channels, and a sample of the scaled training windows."""
    complete(train_TC)
    window = resolve(control.window, train_TC)
    centre_C, scale_C = scales(train_TC, control.scaling)
    spans_B2 = windows.cover(len(train_TC), window=window, starts=starts)
    if len(spans_B2) > control.max_windows:
        drawn = np.random.default_rng(control.seed).choice(len(spans_B2), control.max_windows, replace=False)
        spans_B2 = spans_B2[np.sort(drawn)]
    return window, centre_C, scale_C, windows.gather(_scaled(train_TC, centre_C, scale_C), spans_B2, window=window)


def _scaled(series_TC: Array, centre_C: Array, scale_C: Array) -> Array:
    return np.asarray((series_TC - centre_C) / scale_C, dtype=np.float32)


def _cluster(windows_BD: Array, clusters: int, seed: int) -> Array:
    model = cluster.KMeans(min(clusters, len(windows_BD)), n_init=1, random_state=seed)
    with warnings.catch_warnings():
        # fewer distinct windows than clusters: some centres coincide, and that is fine
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(model.fit(windows_BD).cluster_centers_)


def _components(centred_BD: Array, variance: float) -> Array:
    """Return the fewest principal components, as rows, that explain a share of the variance."""
    if not centred_BD.any():
        return np.zeros((0, centred_BD.shape[1]), dtype=np.float32)
    model = decomposition.PCA(variance if min(centred_BD.shape) > 1 else 1, random_state=0)
    return np.asarray(model.fit(centred_BD).components_)


def _reconstruct(
    control: KMeans | PCA, test_TC: Array, starts: tuple[int, ...], model: Callable[[Array], Array]
) -> Detection:
    """Score windows by their distance from what a model makes of them, and steps by their windows."""
    complete(test_TC)
    spans_B2 = windows.cover(len(test_TC), window=control.window_, starts=starts)
    errors: list[Array] = []

    def rebuild(windows_BLC: Array) -> Array:
        rebuilt_BLC = model(windows_BLC)
        errors.append(np.square(windows_BLC - rebuilt_BLC).mean(axis=1, dtype=np.float64))
        return rebuilt_BLC

    scaled_TC = _scaled(test_TC, control.centre_C_, control.scale_C_)
    expected_TC = windows.overlap_average_of(rebuild, scaled_TC, spans_B2, window=control.window_)
    errors_BC = np.concatenate(errors)
    scores_T = windows.overlap_average(np.sqrt(errors_BC.mean(axis=1)), spans_B2, len(test_TC))
    return Detection(
        smooth(scores_T, control.smoothing_, starts),
        attribution_TC=_by_channel(errors_BC, spans_B2, len(test_TC)),
        expected_TC=expected_TC * control.scale_C_ + control.centre_C_,
    )


def _by_channel(values_BC: Array, spans_B2: Array, steps: int) -> Array:
    return np.stack([windows.overlap_average(values_B, spans_B2, steps) for values_B in values_BC.T], axis=1)
