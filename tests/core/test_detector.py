from typing import Annotated, Literal, Self

import numpy as np
import pytest
import tsad_core
from annotated_types import Gt
from sklearn.base import clone
from tsad_core import Array, ContractError, DataError, Detection, Detector, OptionError, detector
from tsad_core.detector import Redrawn, detect, fit
from tsad_core.options import bind, option_names, parse_assignments


@detector
class RobustZ:
    """Distance of the worst channel from its training median, in robust deviations."""

    floor: Annotated[float, Gt(0)] = 1e-6
    """Smallest deviation that counts, in the units of the series."""
    window: Annotated[int, Gt(0)] | Literal["auto"] = "auto"
    fast: bool = False

    def fit(self, train_TC: Array) -> Self:
        self.centre_C_ = np.median(train_TC, axis=0)
        spread_C = np.median(np.abs(train_TC - self.centre_C_), axis=0)
        self.spread_C_ = np.maximum(spread_C, self.floor)
        self.steps_ = len(train_TC)
        return self

    def detect(self, test_TC: Array) -> Detection:
        distance_TC = np.abs(test_TC - self.centre_C_) / self.spread_C_
        expected_TC = np.broadcast_to(self.centre_C_, test_TC.shape)
        return Detection(distance_TC.max(axis=1), attribution_TC=distance_TC, expected_TC=expected_TC)


@detector
class Silent:
    """Says what it was called with."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        self.starts_ = list(starts)
        return self

    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.zeros(len(test_TC)))


@detector
class OtherZ(RobustZ):
    """Another detector with the same options."""


def noise(steps=50, channels=3, seed=0):
    return np.random.default_rng(seed).normal(size=(steps, channels)).astype(np.float32)


def test_a_decorated_class_is_a_detector_and_knows_its_options():
    assert isinstance(RobustZ(), Detector)
    assert not isinstance(RobustZ(), Redrawn)
    assert option_names(RobustZ) == ["floor", "window", "fast"]
    assert RobustZ(floor=0.5).get_params() == {"floor": 0.5, "window": "auto", "fast": False}
    assert "floor=0.5" in repr(RobustZ(floor=0.5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flor": 1.0}, "RobustZ has no option 'flor'; did you mean 'floor'"),
        ({"zzz": 1.0}, "there are: floor, window, fast"),
        ({"floor": "1.0"}, r"RobustZ: floor = '1\.0'"),
        ({"floor": 0.0}, "floor = 0.0.*greater than 0"),
        ({"floor": True}, "floor = True"),
        ({"floor": None}, "floor = None"),
        ({"window": True}, "window = True"),
        ({"window": "12"}, "window = '12'"),
        ({"window": 12.0}, "window = 12.0"),
        ({"window": 0}, "window = 0"),
        ({"fast": 1}, "fast = 1"),
    ],
)
def test_wrong_options_are_refused_with_what_was_given_and_what_is_allowed(options, message):
    with pytest.raises(OptionError, match=message):
        RobustZ(**options)
    with pytest.raises(OptionError, match=message):
        RobustZ().set_params(**options)


def test_options_are_keyword_only():
    with pytest.raises(TypeError):
        RobustZ(0.5)


def test_scikit_learn_clones_what_was_given_and_nothing_that_was_learnt():
    fitted = RobustZ(floor=0.5, window=12).fit(noise())
    copy = clone(fitted)
    assert copy is not fitted
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "centre_C_")


def test_set_params_changes_options_keeps_the_rest_and_returns_the_detector():
    fitted = RobustZ(floor=0.5, window=12).fit(noise())
    assert fitted.set_params(window=20) is fitted
    assert fitted.get_params() == {"floor": 0.5, "window": 20, "fast": False}
    assert fitted.steps_ == 50


def test_a_refused_set_params_changes_nothing():
    given = RobustZ(floor=0.5)
    with pytest.raises(OptionError):
        given.set_params(fast=True, window=0)
    assert given.get_params() == {"floor": 0.5, "window": "auto", "fast": False}


def test_what_was_saved_is_loaded_with_options_arrays_and_scalars(tmp_path):
    fitted = RobustZ(floor=0.25, window=7).fit(noise()[:, ::-1])
    fitted.save(tmp_path / "new" / "folder")
    loaded = RobustZ.load(tmp_path / "new" / "folder")
    assert loaded.get_params() == fitted.get_params()
    assert loaded.steps_ == 50
    np.testing.assert_array_equal(loaded.detect(noise(seed=1)).scores_T, fitted.detect(noise(seed=1)).scores_T)
    assert {path.suffix for path in (tmp_path / "new" / "folder").iterdir()} == {".json", ".safetensors"}


def test_what_was_saved_before_fit_is_loaded(tmp_path):
    RobustZ(floor=0.25).save(tmp_path)
    assert RobustZ.load(tmp_path).floor == 0.25


def test_a_folder_of_another_detector_is_refused(tmp_path):
    RobustZ().save(tmp_path)
    with pytest.raises(DataError, match=r"holds a .*:RobustZ, not a .*:OtherZ"):
        OtherZ.load(tmp_path)


def test_detection_keeps_scores_as_float64():
    assert Detection(np.ones(4, dtype=np.float32)).scores_T.dtype == np.float64
    assert Detection([1, 2]).scores_T.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_detection_refuses_what_is_not_finite_and_names_the_step(wrong):
    scores_T, values_TC = np.zeros(5), np.zeros((5, 2))
    scores_T[3] = values_TC[4, 1] = wrong
    with pytest.raises(ContractError, match="scores_T is not finite at step 3"):
        Detection(scores_T)
    with pytest.raises(ContractError, match="attribution_TC is not finite at step 4"):
        Detection(np.zeros(5), attribution_TC=values_TC)
    with pytest.raises(ContractError, match="expected_TC is not finite at step 4"):
        Detection(np.zeros(5), expected_TC=values_TC)
    with pytest.raises(ContractError, match=r"bands\['low'\] is not finite at step 3"):
        Detection(np.zeros(5), bands={"low": scores_T})


@pytest.mark.parametrize("shape", [(5, 1), (), (1, 5)])
def test_detection_refuses_scores_without_exactly_one_axis(shape):
    with pytest.raises(ContractError, match="must have one axis"):
        Detection(np.zeros(shape))


@pytest.mark.parametrize("name", ["attribution_TC", "expected_TC"])
@pytest.mark.parametrize("shape", [(4, 2), (6, 2), (5,), (5, 2, 1)])
def test_detection_refuses_matrices_that_do_not_match_the_scores(name, shape):
    with pytest.raises(ContractError, match=rf"{name} has shape .*; it must be \(5, channels\)"):
        Detection(np.zeros(5), **{name: np.zeros(shape)})


def test_detect_refuses_what_does_not_fit_the_series():
    class Wrong(Silent):
        answer = None

        def detect(self, test_TC: Array) -> Detection:
            return self.answer

    wrong = Wrong()
    wrong.answer = np.zeros(50)
    with pytest.raises(ContractError, match=r"returned ndarray; it must return a tsad_core\.Detection"):
        detect(wrong, noise())
    wrong.answer = Detection(np.zeros(49))
    with pytest.raises(ContractError, match="49 scores for 50 steps"):
        detect(wrong, noise())
    wrong.answer = Detection(np.zeros(50), attribution_TC=np.zeros((50, 2)))
    with pytest.raises(ContractError, match=r"attribution_TC has shape \(50, 2\); the series has \(50, 3\)"):
        detect(wrong, noise())


def test_starts_are_given_to_those_that_name_them_alone():
    silent = fit(Silent(), noise(), starts=(0, 20))
    assert silent.starts_ == [0, 20]
    assert len(detect(silent, noise(), starts=(0, 20)).scores_T) == 50
    assert len(detect(fit(RobustZ(), noise(), starts=(0, 20)), noise(), starts=(0, 20)).scores_T) == 50


def scaled(values_T: Array, *, factor: Annotated[float, Gt(0)] = 1.0, mode: str = "a") -> float:
    return float(factor * values_T.sum())


def test_bind_sets_checked_options_of_a_function():
    assert bind(scaled, {"factor": 2.0}, owner="metric x", provided=["values_T"])(np.ones(3)) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"facto": 2.0}, "metric x has no option 'facto'; did you mean 'factor'"),
        ({"values_T": 2.0}, "metric x has no option 'values_T'"),
        ({"factor": "2"}, "metric x: factor = '2'"),
        ({"factor": -1.0}, "greater than 0"),
        ({"mode": 3}, "metric x: mode = 3"),
    ],
)
def test_bind_refuses_wrong_options_and_names_their_owner(options, message):
    with pytest.raises(OptionError, match=message):
        bind(scaled, options, owner="metric x", provided=["values_T"])


def test_assignments_are_read_as_toml_or_else_as_text():
    given = [
        "mma.window=256",
        "mma.rate = 0.5",
        "csv.path=my.csv",
        "csv.gzip=true",
        'csv.sep=";"',
        "csv.empty=",
        "a.b=x=y",
    ]
    assert parse_assignments(given) == {
        "mma": {"window": 256, "rate": 0.5},
        "csv": {"path": "my.csv", "gzip": True, "sep": ";", "empty": ""},
        "a": {"b": "x=y"},
    }


@pytest.mark.parametrize("wrong", ["mma.window", "window=3", ".window=3", "mma.=3", "=3"])
def test_assignments_that_name_no_option_are_refused(wrong):
    with pytest.raises(OptionError, match=r"NAME\.OPTION=VALUE"):
        parse_assignments([wrong])


def test_every_public_name_is_there():
    assert all(hasattr(tsad_core, name) for name in tsad_core.__all__)


def test_a_choice_stays_the_string_that_was_given_so_that_scikit_learn_clones_it() -> None:
    @detector
    class Chosen(RobustZ):
        """One option whose choices were spelt elsewhere."""

        how: Literal["min-max", "none"] = "none"

    given = f"min-{max.__name__}"  # equal to the choice, another object
    assert Chosen(how=given).how is given
    assert clone(Chosen(how=given)).how == "min-max"
