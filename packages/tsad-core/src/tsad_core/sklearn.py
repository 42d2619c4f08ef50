"""Any detector as a scikit-learn outlier estimator, with scikit-learn's signs."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from tsad_core.calibration import split
from tsad_core.controls import PCA
from tsad_core.detector import Detector, detect, fit
from tsad_core.errors import TsadError
from tsad_core.series import Array
from tsad_core.thresholds import threshold
from tsad_core.windows import period

EXPECTED_FAILED_CHECKS: Mapping[str, str] = {
    "check_methods_sample_order_invariance": "the score of a step depends on the steps around it, in their order",
    "check_methods_subset_invariance": "the score of a step depends on the steps around it, so on all that are given",
}
"""The two checks of scikit-learn's ``check_estimator`` that a detector of sequences must fail, and why."""


class OutlierDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Any detector as a scikit-learn outlier estimator: rows of X are time steps, in order, columns are channels.

    `detector` is a detector with its options; without one it is `tsad_core.controls.PCA`. It is cloned
    by ``fit`` and stays as it is, except that ``set_params(detector__window=16)`` reaches through, as in
    every meta-estimator.

    `contamination` decides ``offset_``, below which a step is an outlier:

    - ``"auto"``: much as the benchmark does it. The detector is fitted to the first 80 % of the steps, and
      what 1 % of its scores on the rest exceed, after a gap of a period, is the threshold. Fewer than 20
      steps are fitted and calibrated whole.
    - a share, above 0 and at most 0.5: the detector is fitted to all steps, and that share of them is
      above the threshold.

    What a detector cannot take, and options that it does not have, are a `ValueError` here.

    >>> X = np.sin(np.arange(1000) / 4)[:, None]
    >>> X[900] = 5
    >>> fitted = OutlierDetector().fit(X[:800])
    >>> fitted.predict(X)[[500, 900]].tolist()
    [1, -1]
    """

    def __init__(self, detector: Detector | None = None, *, contamination: float | Literal["auto"] = "auto") -> None:
        self.detector = detector
        self.contamination = contamination

    def fit(self, X: Array, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Fit a clone of the detector and set the offset; `y` is ignored."""
        X_TC = validate_data(self, X, dtype=np.float32)
        rate = self._rate()
        self.detector_ = self._clone()
        with _errors_of(self.detector_, X_TC):
            self.offset_ = -threshold(self._calibrate(X_TC), rate=rate)
        return self

    def score_samples(self, X: Array) -> Array:
        """Return the negated score of each step: lower is more abnormal."""
        check_is_fitted(self)
        X_TC = validate_data(self, X, dtype=np.float32, reset=False)
        with _errors_of(self.detector_, X_TC):
            return -detect(self.detector_, X_TC).scores_T

    def decision_function(self, X: Array) -> Array:
        """Return the scores less the offset: below 0 is an outlier."""
        return np.asarray(self.score_samples(X) - self.offset_)

    def predict(self, X: Array) -> Array:
        """Return -1 for each step that is an outlier and 1 for the others."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the detector as ``detector__window``."""
        try:
            return super().set_params(**params)  # type: ignore[no-any-return]  # scikit-learn has no types
        except TsadError as error:
            raise ValueError(str(error)) from error

    def _clone(self) -> Detector:
        if self.detector is not None:
            return clone(self.detector)  # type: ignore[no-any-return]  # scikit-learn has no types
        control: Any = PCA()
        return control  # type: ignore[no-any-return]  # the decorator's methods are not seen by mypy

    def _rate(self) -> float:
        """Return the share of the calibration scores that may be above the threshold."""
        if self.contamination == "auto":
            return 0.01
        if isinstance(self.contamination, bool | str) or not 0 < self.contamination <= 0.5:
            raise ValueError(f"contamination = {self.contamination!r}; it is 'auto' or above 0 and at most 0.5")
        return self.contamination

    def _calibrate(self, X_TC: Array) -> Array:
        """Fit the detector and return the scores that the threshold comes from."""
        auto = self.contamination == "auto"
        stop, tail = split(len(X_TC), gap=period(X_TC)) if auto else (len(X_TC), 0)
        fit(self.detector_, X_TC[:stop])
        return detect(self.detector_, X_TC).scores_T[tail:]


@contextlib.contextmanager
def _errors_of(detector: Detector, X_TC: Array) -> Iterator[None]:
    """Turn what the user can mend into scikit-learn's error for it."""
    try:
        yield
    except TsadError as error:
        shape = f"n_samples={X_TC.shape[0]}, n_features={X_TC.shape[1]}"
        raise ValueError(f"{type(detector).__name__} cannot take X with {shape}: {error}") from error
