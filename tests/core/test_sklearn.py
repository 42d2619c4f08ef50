"""Any detector is a scikit-learn outlier estimator, with scikit-learn's signs and errors."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from tsad_core import Array, Detection, OptionError, Skip, detector
from tsad_core.controls import PCA, KMeans, MovingAverage, Random
from tsad_core.sklearn import EXPECTED_FAILED_CHECKS, OutlierDetector

SEQUENTIAL = {"check_methods_sample_order_invariance", "check_methods_subset_invariance"}


@detector
class Height:
    """The first channel; takes no part that is all negative."""

    seed: int = 0

    def fit(self, train_TC: Array) -> object:
        self.steps_ = len(train_TC)
        return self

    def detect(self, test_TC: Array) -> Detection:
        if test_TC.max() < 0:
            raise Skip("needs a positive value")
        return Detection(test_TC[:, 0])


def waves(steps=400, channels=2):
    rng = np.random.default_rng(0)
    return np.sin(np.arange(steps)[:, None] / 4 + np.arange(channels)) + 0.05 * rng.normal(size=(steps, channels))


def broken_waves():
    """Return waves with a flat stretch, and scikit-learn's labels: -1 is an outlier."""
    X = waves()
    X[150:190] = 0.3
    y = np.ones(len(X), dtype=int)
    y[150:190] = -1
    return X, y


@pytest.mark.parametrize("control", [None, Random(), MovingAverage(), KMeans(), PCA(window=8)])
def test_scikit_learn_finds_nothing_but_what_a_sequence_must_fail(control):
    assert set(EXPECTED_FAILED_CHECKS) == SEQUENTIAL
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(OutlierDetector(control), expected_failed_checks=dict(EXPECTED_FAILED_CHECKS), on_skip=None)


def test_what_a_sequence_must_fail_it_does_fail():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(OutlierDetector(PCA(window=8)), on_fail=None, on_skip=None)
    assert {result["check_name"] for result in results if result["status"] == "failed"} == SEQUENTIAL


def test_scores_are_those_of_the_detector_with_the_sign_turned():
    X = np.array([[3.0], [1.0], [2.0], [8.0]])
    fitted = OutlierDetector(Height(), contamination=0.25).fit(X)
    assert fitted.score_samples(X).tolist() == [-3, -1, -2, -8]
    # a quarter lies above 3 + (8 - 3) / 4
    assert fitted.offset_ == -4.25
    assert fitted.decision_function(X).tolist() == [1.25, 3.25, 2.25, -3.75]
    assert fitted.predict(X).tolist() == [1, 1, 1, -1]
    assert fitted.fit_predict(X).tolist() == [1, 1, 1, -1]


def test_automatic_contamination_fits_the_beginning_and_calibrates_on_the_end():
    X = np.concatenate([np.full(800, 1000.0), np.arange(200)])[:, None]
    fitted = OutlierDetector(Height()).fit(X)
    assert fitted.detector_.steps_ == 800
    # of the last 200, a tenth at most is the gap: 20 … 199, or from any step before
    assert 197 <= -fitted.offset_ < 199
    assert (fitted.predict(X[800:]) == -1).sum() == 2


def test_a_few_steps_are_fitted_and_calibrated_whole():
    fitted = OutlierDetector(Height()).fit(np.arange(19.0)[:, None])
    assert fitted.detector_.steps_ == 19
    assert -fitted.offset_ == pytest.approx(17.82)


def test_without_a_detector_it_is_the_pca_control():
    assert isinstance(OutlierDetector().fit(waves()).detector_, PCA)


def test_the_detector_given_is_cloned_and_stays_as_it_is():
    given = PCA(window=16)
    fitted = OutlierDetector(given).fit(waves())
    assert fitted.detector is given
    assert fitted.detector_ is not given
    assert fitted.detector_.window == 16
    assert not hasattr(given, "components_KD_")


def test_options_of_the_detector_are_parameters():
    estimator = OutlierDetector(PCA()).set_params(detector__window=16, contamination=0.1)
    assert estimator.get_params()["detector__window"] == 16
    assert estimator.fit(waves()).detector_.window == 16
    copy = clone(estimator)
    assert copy.detector is not estimator.detector
    assert copy.get_params()["detector__window"] == 16
    assert not hasattr(copy, "detector_")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"detector__windo": 3}, "PCA has no option 'windo'; did you mean 'window'"),
        ({"detector__window": 0}, "PCA: window = 0"),
        ({"contaminatio": 0.1}, "Invalid parameter 'contaminatio'"),
    ],
)
def test_a_wrong_parameter_is_scikit_learns_error_and_changes_nothing(wrong, message):
    estimator = OutlierDetector(PCA(window=16))
    with pytest.raises(ValueError, match=message):
        estimator.set_params(**wrong)
    assert estimator.detector.window == 16
    with pytest.raises(OptionError):
        estimator.detector.set_params(window=0)


@pytest.mark.parametrize("wrong", [0, 0.0, 0.6, -1, 1, True, "none", float("nan")])
def test_a_wrong_contamination_is_refused(wrong):
    with pytest.raises(ValueError, match=r"contamination = .*; it is 'auto' or above 0 and at most 0\.5"):
        OutlierDetector(contamination=wrong).fit(waves())


def test_what_a_detector_skips_is_a_value_error_with_its_reason():
    message = r"Height cannot take X with n_samples=3, n_features=2: needs a positive value"
    with pytest.raises(ValueError, match=message):
        OutlierDetector(Height()).fit(-np.ones((3, 2)))
    with pytest.raises(ValueError, match=message):
        OutlierDetector(Height()).fit(waves()).predict(-np.ones((3, 2)))


def test_one_row_is_enough():
    fitted = OutlierDetector().fit(np.ones((1, 2)))
    assert fitted.predict(np.ones((1, 2))).tolist() == [1]


def test_names_and_number_of_features_are_checked():
    frame = pd.DataFrame(waves(), columns=["a", "b"])
    fitted = OutlierDetector().fit(frame)
    assert fitted.n_features_in_ == 2
    assert list(fitted.feature_names_in_) == ["a", "b"]
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame.rename(columns={"a": "c"}))
    with pytest.raises(ValueError, match="3 features"):
        OutlierDetector().fit(waves()).predict(waves(channels=3))


def test_it_must_be_fitted_first():
    with pytest.raises(NotFittedError):
        OutlierDetector().predict(waves())


def test_it_works_in_a_pipeline():
    X, y = broken_waves()
    pipeline = make_pipeline(StandardScaler(), OutlierDetector(PCA(scaling="none"))).fit(waves())
    assert pipeline.decision_function(X)[y == -1].mean() < pipeline.decision_function(X)[y == 1].mean()
    assert pipeline.set_params(outlierdetector__detector__window=8)[-1].detector.window == 8


def test_a_grid_search_chooses_among_the_detectors_options():
    X, y = broken_waves()
    train = waves()
    split = PredefinedSplit([-1] * len(train) + [0] * len(X))
    grid = GridSearchCV(OutlierDetector(PCA()), {"detector__window": [1, 25]}, scoring="roc_auc", cv=split, refit=False)
    grid.fit(np.concatenate([train, X]), np.concatenate([np.ones(len(train), dtype=int), y]))
    assert grid.best_params_ == {"detector__window": 25}
    assert grid.best_score_ > 0.95


def test_a_fitted_estimator_is_pickled():
    fitted = OutlierDetector(PCA(window=16)).fit(waves())
    loaded = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own
    np.testing.assert_array_equal(loaded.predict(waves()), fitted.predict(waves()))
