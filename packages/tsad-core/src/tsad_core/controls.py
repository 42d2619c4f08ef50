"""The controls: five plain detectors, the floors that every other one must clear."""

import itertools
import warnings
import zlib
from collections.abc import Callable
from typing import Annotated, Literal, Self

import numpy as np
from annotated_types import Ge, Gt, Lt
from sklearn import cluster, decomposition
from sklearn.exceptions import ConvergenceWarning

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
    """Uniform noise that knows nothing of the series; reported over many draws."""

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
        return self.redraw(test_TC, 0, starts)

    def redraw(self, test_TC: Array, draw: int, starts: tuple[int, ...] = (0,)) -> Detection:
        """Return the noise of another draw; draw 0 equals `detect`."""
        # the series decides which noise: with one noise for all, draws over many series would not be independent
        series = zlib.crc32(test_TC.tobytes())
        noise = np.random.default_rng((self.seed, draw, series))
        scores_T = _smooth(noise.random(len(test_TC)), self.smoothing, starts)
        return Detection(scores_T, attribution_TC=noise.random(test_TC.shape))


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
        whole_T = _averaged(len(test_TC), self.window_, starts, centred=self.centred)
        error_TC = np.abs(test_TC - expected_TC)[whole_T] / self.scale_C_
        scores_T = _smooth(error_TC.mean(axis=1), self.smoothing, starts)
        return Detection(scores_T, attribution_TC=error_TC, expected_TC=expected_TC)


@detector
class KMeans:
    """Distance of each window from its nearest cluster centre, averaged over the windows of a step."""

    window: Window = "auto"
    """Steps of a window; ``"auto"`` is the training part's period."""
    clusters: Count = 20
    """How many centres, if there are as many windows; 20 as in TSB-AD and the MMA paper."""
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
            return np.asarray(
                (flat_BD @ self.components_KD_.T @ self.components_KD_).reshape(windows_BLC.shape) + self.mean_LC_
            )

        return _reconstruct(self, test_TC, starts, project)


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
    smoothing: Steps = 0
    """Steps of the moving average over the scores; 0 for none."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn the window and keep the training part."""
        _complete(train_TC)
        self.window_ = max(3, _resolve(self.window, train_TC))
        self.train_TC_ = _parted(train_TC, starts)
        self.longest_ = _longest(len(train_TC), starts)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part; each channel's own distances are its attribution."""
        _complete(test_TC)
        self._check_cells(test_TC)
        window = self._fitting_window(_longest(len(test_TC), starts))
        other_TC = self.train_TC_ if self.join == "train" else None
        profile_BC = _matrix_profile(_parted(test_TC, starts), other_TC, window)
        attribution_TC = _profile_of_steps(profile_BC, len(test_TC), window, starts)
        scores_T = _smooth(attribution_TC.mean(axis=1), self.smoothing, starts)
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


def _averaged(steps: int, window: int, starts: tuple[int, ...], *, centred: bool) -> Array:
    """Return for each step the nearest one with a whole average: at the ends it is lopsided, and a slope an error."""
    ahead = window // 2 if centred else 0
    index_T = np.arange(steps)
    for start, stop in itertools.pairwise([*starts, steps]):
        if stop - start >= window:
            index_T[start:stop] = index_T[start:stop].clip(start + window - 1 - ahead, stop - 1 - ahead)
    return index_T


def _complete(series_TC: Array) -> None:
    if not np.isfinite(series_TC).all():
        raise Skip("needs a series without missing values")


def _resolve(window: int | Literal["auto"], train_TC: Array) -> int:
    return windows.period(train_TC) if window == "auto" else window


def _scales(train_TC: Array, scaling: Scaling) -> tuple[Array, Array]:
    """Return what to subtract from each channel and what to divide it by; 1 for a constant channel."""
    train_TC = np.asarray(train_TC, dtype=np.float64)
    if scaling == "none":
        return np.zeros(train_TC.shape[1]), np.ones(train_TC.shape[1])
    low_C, range_C = train_TC.min(axis=0), np.ptp(train_TC, axis=0)
    centre_C, scale_C = (train_TC.mean(axis=0), train_TC.std(axis=0)) if scaling == "standard" else (low_C, range_C)
    return centre_C, np.where(range_C > 1e-6 * np.abs(train_TC).max(axis=0), scale_C, 1.0)


def _smooth(scores_T: Array, smoothing: int, starts: tuple[int, ...]) -> Array:
    return windows.moving_average(scores_T, width=smoothing, starts=starts) if smoothing else scores_T


def _scaled(series_TC: Array, centre_C: Array, scale_C: Array) -> Array:
    return np.asarray((series_TC - centre_C) / scale_C, dtype=np.float32)


def _learn(control: KMeans | PCA, train_TC: Array, starts: tuple[int, ...]) -> tuple[int, Array, Array, Array]:
    """Return window, centres and scales of the channels, and a sample of the scaled training windows."""
    _complete(train_TC)
    window = _resolve(control.window, train_TC)
    centre_C, scale_C = _scales(train_TC, control.scaling)
    spans_B2 = windows.cover(len(train_TC), window=window, starts=starts)
    if len(spans_B2) > control.max_windows:
        drawn = np.random.default_rng(control.seed).choice(len(spans_B2), control.max_windows, replace=False)
        spans_B2 = spans_B2[np.sort(drawn)]
    return window, centre_C, scale_C, windows.gather(_scaled(train_TC, centre_C, scale_C), spans_B2, window=window)


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
    _complete(test_TC)
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
        _smooth(scores_T, control.smoothing, starts),
        attribution_TC=_by_channel(errors_BC, spans_B2, len(test_TC)),
        expected_TC=expected_TC * control.scale_C_ + control.centre_C_,
    )


def _by_channel(values_BC: Array, spans_B2: Array, steps: int) -> Array:
    return np.stack([windows.overlap_average(values_B, spans_B2, steps) for values_B in values_BC.T], axis=1)


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
    average_TC = _by_channel(profile_BC[rows_B], spans_B2, steps)
    covered_T = windows.overlap_average(np.ones(len(spans_B2)), spans_B2, steps) > 0
    nearest_T = np.maximum.accumulate(np.where(covered_T, np.arange(steps), np.argmax(covered_T)))
    return np.asarray(average_TC[nearest_T])
