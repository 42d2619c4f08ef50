"""Each broken promise is caught, with its own line and no other; who keeps all of them passes."""

import contextlib
import itertools
import pickle
import random
import sys
import types
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from annotated_types import Ge, Gt
from tsad_core import (
    Array,
    Card,
    ContractError,
    Detection,
    MissingDataError,
    Series,
    Skip,
    Undefined,
    detector,
    find_plugins,
    metric,
)
from tsad_core.controls import PCA, MatrixProfile, Random
from tsad_core.dataset import Counts
from tsad_core.metrics.inputs import check
from tsad_core.testing import check_dataset, check_detector, check_metric

INSTALLED = find_plugins()


def quick_stump(test_T, window, other_T=None, *, ignore_trivial=True):
    """Matrix profile by the correlation of windows; compiling the real one takes half a minute."""
    shapes = []
    for values_T in (test_T, test_T if other_T is None else other_T):
        windows_BL = np.lib.stride_tricks.sliding_window_view(values_T, window)
        with np.errstate(invalid="ignore", divide="ignore"):
            shapes.append((windows_BL - windows_BL.mean(1, keepdims=True)) / windows_BL.std(1, keepdims=True))
    distance_BB = np.sqrt(np.maximum(2 * window - 2 * np.nan_to_num(shapes[0]) @ np.nan_to_num(shapes[1]).T, 0))
    if other_T is None:
        near_BB = np.abs(np.subtract.outer(*2 * [np.arange(len(distance_BB))])) <= np.ceil(window / 4)
        distance_BB[near_BB] = np.inf
    return distance_BB.min(axis=1)[:, None]


@pytest.fixture(autouse=True)
def _quick_stumpy(monkeypatch):
    monkeypatch.setitem(sys.modules, "stumpy", types.SimpleNamespace(stump=quick_stump))


@detector
class Sound:
    """Distance from the mean of the training part: keeps every promise."""

    scale: Annotated[float, Gt(0)] = 1.0
    """What scores are multiplied with."""
    seed: Annotated[int, Ge(0)] = 0
    """Unused, but there."""

    def fit(self, train_TC: Array) -> Any:
        self.centre_C_ = np.nan_to_num(train_TC).mean(axis=0)
        return self

    def detect(self, test_TC: Array) -> Detection:
        distance_TC = self.scale * np.abs(np.nan_to_num(test_TC) - self.centre_C_)
        return Detection(distance_TC.max(axis=1), attribution_TC=distance_TC, expected_TC=0 * distance_TC)


@detector
class ImpossiblePreset(Sound):
    presets = MappingProxyType({"plain": {}, "paper": {"scale": -1.0}})


@detector
class WrongLength(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return super().detect(test_TC[1:])


@detector
class NotANumber(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.where(np.arange(len(test_TC)) == 7, np.nan, 1.0))


@detector
class Infinite(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.where(np.arange(len(test_TC)) == 7, -np.inf, 1.0))


@detector
class WrongAttribution(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.zeros(len(test_TC)), attribution_TC=test_TC[:, :2])


@detector
class WrongExpectation(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.zeros(len(test_TC)), expected_TC=test_TC[:-1])


@detector
class NoDetection(Sound):
    def detect(self, test_TC: Array) -> Any:
        return super().detect(test_TC).scores_T


@detector
class NoSelf(Sound):
    def fit(self, train_TC: Array) -> Any:
        super().fit(train_TC)


@detector
class Particular(Sound):
    def fit(self, train_TC: Array) -> Any:
        raise Skip("needs 100 channels")


@detector
class Constant(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.ones(len(test_TC)))


@detector
class Inverted(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(-super().detect(test_TC).scores_T)


@detector
class AnyScores(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(super().detect(test_TC).scores_T + 0.01 * np.random.default_rng().random(len(test_TC)))


@detector
class OddInstances(Sound):
    made = types.SimpleNamespace(count=0)

    def __post_init__(self) -> None:
        self.made.count += 1
        self.number_ = self.made.count

    def detect(self, test_TC: Array) -> Detection:
        return Detection(super().detect(test_TC).scores_T * (1 + self.number_))


@detector
class GlobalNumpy(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(super().detect(test_TC).scores_T + 0.01 * np.random.random(len(test_TC)))  # noqa: NPY002


@detector
class GlobalRandom(Sound):
    def fit(self, train_TC: Array) -> Any:
        super().fit(train_TC)
        self.centre_C_ += random.random()  # noqa: S311
        return self


@detector
class GlobalTorch(Sound):
    def fit(self, train_TC: Array) -> Any:
        super().fit(train_TC)
        self.centre_C_ += sys.modules["torch"].rand()
        return self


@detector
class Reseeding(Sound):
    def fit(self, train_TC: Array) -> Any:
        np.random.seed(self.seed)  # noqa: NPY002
        return super().fit(train_TC)


@detector
class ReseedingTorch(Sound):
    def detect(self, test_TC: Array) -> Detection:
        sys.modules["torch"].manual_seed(self.seed)
        return super().detect(test_TC)


@detector
class ChangesTrain(Sound):
    def fit(self, train_TC: Array) -> Any:
        super().fit(train_TC)
        train_TC *= 2
        return self


@detector
class ChangesTest(Sound):
    def detect(self, test_TC: Array) -> Detection:
        detection = super().detect(test_TC)
        test_TC -= self.centre_C_
        return detection


@detector
class NeedsToWrite(Sound):
    def detect(self, test_TC: Array) -> Detection:
        if not test_TC.flags.writeable:
            raise ValueError("buffer source array is read-only")
        return super().detect(test_TC)


@detector
class Forgets(Sound):
    def fit(self, train_TC: Array) -> Any:
        self.centre_C = np.nan_to_num(train_TC).mean(axis=0)
        return self

    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.abs(np.nan_to_num(test_TC) - self.centre_C).max(axis=1))


class Blaming(Sound):
    """Has something beside scores that goes wrong."""

    def factor(self) -> float:
        return 1.0

    def detect(self, test_TC: Array) -> Detection:
        sound, factor = super().detect(test_TC), self.factor()
        return Detection(
            sound.scores_T,
            attribution_TC=None if factor == 7 else factor * sound.attribution_TC,
            expected_TC=np.nan_to_num(test_TC),
        )


@detector
class AnyAttribution(Blaming):
    def factor(self) -> float:
        return 1 + np.random.default_rng().random()


@detector
class AnyExpectation(Sound):
    def detect(self, test_TC: Array) -> Detection:
        sound = super().detect(test_TC)
        return Detection(sound.scores_T, expected_TC=np.random.default_rng().random(test_TC.shape))


@detector
class AnyBand(Sound):
    def detect(self, test_TC: Array) -> Detection:
        sound = super().detect(test_TC)
        return Detection(sound.scores_T, bands={"low": np.random.default_rng().random(len(test_TC))})


@detector
class LosesAttribution(Blaming):
    def fit(self, train_TC: Array) -> Any:
        self._weight = 3.0
        return super().fit(train_TC)

    def factor(self) -> float:
        return getattr(self, "_weight", 7)


@detector
class BlamesAnew(Blaming):
    asked = 0

    def factor(self) -> float:
        self.asked += 1
        return self.asked


@detector
class Pickles(Sound):
    def save(self, folder: Any) -> None:
        super().save(folder)
        (folder / "more.pkl").write_bytes(pickle.dumps(self.centre_C_))


@detector
class ChangesSegments(Sound):
    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        detection = super().detect(test_TC)
        if len(starts) > 1:
            test_TC[:] = 0
        return detection


@detector
class ChangesTrainSegments(Sound):
    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Any:
        super().fit(train_TC)
        if len(starts) > 1:
            train_TC[:] = 0
        return self


@detector
class Drops(Sound):
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"seed": self.seed}


@detector
class OneWay(Sound):
    way: Literal["up", "down"] | int = "up"
    """Which way."""
    loud: bool = False
    """How loud."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"scale": self.scale, "seed": self.seed, "way": "up", "loud": self.loud}


@detector
class Quiet(Sound):
    loud: bool = False
    """How loud."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"scale": self.scale, "seed": self.seed, "loud": False}


@detector
class Rounds(Sound):
    def save(self, folder: Any) -> None:
        self.centre_C_ = self.centre_C_.astype(np.float16)
        super().save(folder)


@detector
class LosesOptions(Sound):
    @classmethod
    def load(cls, folder: Any) -> Any:
        loaded = Sound.load.__func__(cls, folder)
        loaded.seed = 7
        return loaded


@detector
class Doubles(Sound):
    def __post_init__(self) -> None:
        self.scale *= 2


@detector
class Returnless(Sound):
    def set_params(self, **options: Any) -> Any:
        self.__init__(**{**self.get_params(), **options})


@detector
class Deaf(Sound):
    def set_params(self, **options: Any) -> Any:
        type(self)(**{**self.get_params(), **options})
        return self


@detector
class Unchecked(Sound):
    def set_params(self, **options: Any) -> Any:
        for name, value in options.items():
            setattr(self, name, value)
        return self


class Lax(Sound):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{name: value for name, value in options.items() if name in {"scale", "seed"}})


@detector
class Undocumented(Sound):
    extra: int = 1


@detector
class Nothing(Sound):
    limit: float | None = None
    """Not given."""


@detector
class Needy(Sound):
    needed: int
    """One without a default."""


@detector
class Overwrites(Sound):
    def fit(self, train_TC: Array) -> Any:
        self.scale = 2.0
        return super().fit(train_TC)


@detector
class AsksForLabels(Sound):
    def fit(self, train_TC: Array, labels_T: Array | None = None) -> Any:
        return super().fit(train_TC)


@detector
class AsksForTrain(Sound):
    def detect(self, test_TC: Array, train_TC: Array) -> Detection:
        return super().detect(test_TC)


@detector
class WarmStarts(Sound):
    def fit(self, train_TC: Array) -> Any:
        before = getattr(self, "centre_C_", 0)
        super().fit(train_TC)
        self.centre_C_ = self.centre_C_ + before
        return self


@detector
class Adapts(Sound):
    def detect(self, test_TC: Array) -> Detection:
        detection = super().detect(test_TC)
        self.centre_C_ = np.nan_to_num(test_TC).mean(axis=0)
        return detection


@detector
class Shares(Sound):
    learnt = types.SimpleNamespace()

    def fit(self, train_TC: Array) -> Any:
        self.learnt.centre_C = np.nan_to_num(train_TC).mean(axis=0)
        return self

    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.abs(np.nan_to_num(test_TC) - self.learnt.centre_C).max(axis=1))


@detector
class CrossesStarts(Sound):
    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        return Detection(np.convolve(super().detect(test_TC).scores_T, np.ones(9) / 9, mode="same")[: len(test_TC)])


@detector
class OneSegmentOnly(Sound):
    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Any:
        if len(starts) > 1:
            raise NotImplementedError("one segment only")
        return super().fit(train_TC)


class Fragile(Sound):
    """Breaks on one kind of series."""

    def fit(self, train_TC: Array) -> Any:
        self.look_at(train_TC, "train")
        return super().fit(train_TC)

    def detect(self, test_TC: Array) -> Detection:
        self.look_at(test_TC, "test")
        return super().detect(test_TC)


@detector
class NeedsTwoChannels(Fragile):
    def look_at(self, part_TC: Array, part: str) -> None:
        part_TC[:, 1]


@detector
class NeedsMovement(Fragile):
    def look_at(self, part_TC: Array, part: str) -> None:
        if part == "train" and len(part_TC) > 1 and (np.ptp(part_TC, axis=0) == 0).any():
            raise ZeroDivisionError("no deviation")


@detector
class NeedsMovementInTest(Fragile):
    def look_at(self, part_TC: Array, part: str) -> None:
        if part == "test" and len(part_TC) > 1 and (np.ptp(part_TC, axis=0) == 0).any():
            raise ZeroDivisionError("no deviation")


@detector
class NeedsTwoSteps(Fragile):
    def look_at(self, part_TC: Array, part: str) -> None:
        if part == "train" and len(part_TC) < 2:
            raise IndexError("no second step")


@detector
class NeedsTwoTestSteps(Fragile):
    def look_at(self, part_TC: Array, part: str) -> None:
        if part == "test" and len(part_TC) < 2:
            raise IndexError("no second step")


@detector
class NeedsAWindow(Fragile):
    def look_at(self, part_TC: Array, part: str) -> None:
        if part == "train" and 1 < len(part_TC) < 10:
            raise IndexError("no window")


@detector
class NeedsATestWindow(Fragile):
    def look_at(self, part_TC: Array, part: str) -> None:
        if part == "test" and 1 < len(part_TC) < 10:
            raise IndexError("no window")


@detector
class PassesGapsOn(Sound):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.abs(test_TC - self.centre_C_).max(axis=1))


@detector
class EvenOnly(Sound):
    def detect(self, test_TC: Array) -> Detection:
        if len(test_TC) % 2 and len(test_TC) > 3:
            raise IndexError("an odd number of steps")
        return super().detect(test_TC)


@detector
class Noise(Sound):
    draws: int = 2
    """How many draws."""

    def detect(self, test_TC: Array) -> Detection:
        return self.redraw(test_TC, 0)

    def redraw(self, test_TC: Array, draw: int) -> Detection:
        return Detection(np.random.default_rng(draw).random(len(test_TC)))


@detector
class OtherDraw(Noise):
    def detect(self, test_TC: Array) -> Detection:
        return self.redraw(test_TC, 1)


@detector
class OneDraw(Noise):
    def redraw(self, test_TC: Array, draw: int) -> Detection:
        return super().redraw(test_TC, 0)


FAULTY = [
    (WrongLength, "detection: detect returned 499 scores for 500 steps"),
    (NotANumber, "detection: scores_T is not finite at step 7; every value must be a number"),
    (Infinite, "detection: scores_T is not finite at step 7; every value must be a number"),
    (WrongAttribution, "detection: attribution_TC has shape (500, 2); the series has (500, 3)"),
    (WrongExpectation, "detection: expected_TC has shape (499, 3); it must be (500, channels)"),
    (NoDetection, "detection: detect returned ndarray; it must return a tsad_core.Detection"),
    (NoSelf, "detection: fit returns NoneType; it must return the detector itself"),
    (Particular, "detection: skips the series of the checks (needs 100 channels); give check_detector a series"),
    (Constant, "gross anomaly: every score is 1, although a level shift and a spike were planted"),
    (Inverted, "gross anomaly: a level shift and a spike score -"),
    (AnyScores, "repeatable: two detectors of equal options and seed give different scores"),
    (OddInstances, "repeatable: two detectors of equal options and seed give different scores"),
    (GlobalNumpy, "global random state: gives other scores in another global state of a random"),
    (GlobalRandom, "global random state: gives other scores in another global state of a random"),
    (Reseeding, "global random state: fit or detect changes the global state of numpy.random"),
    (ChangesTrain, "inputs: changes train_TC; it must work on a copy"),
    (ChangesTest, "inputs: changes test_TC; it must work on a copy"),
    (NeedsToWrite, "inputs: cannot take a read-only array, as those of a Series are (ValueError: buffer source"),
    (Forgets, "save and load: raises AttributeError: 'Forgets' object has no attribute 'centre_C'"),
    (AnyAttribution, "repeatable: two detectors of equal options and seed give different attribution"),
    (AnyExpectation, "repeatable: two detectors of equal options and seed give different expected values"),
    (AnyBand, "repeatable: two detectors of equal options and seed give different bands"),
    (BlamesAnew, "a second detect: gives other attribution once it has scored another part; detect must leave"),
    (LosesAttribution, "save and load: loaded, it gives other attribution than the detector that was saved"),
    (Pickles, "save and load: save writes more.pkl; only .safetensors and .json files may be written, never a"),
    (ChangesSegments, "segments: changes test_TC; it must work on a copy"),
    (ChangesTrainSegments, "segments: changes train_TC; it must work on a copy"),
    (Drops, "options are kept: get_params makes scale = 1.0 into None"),
    (OneWay, "options are kept: get_params makes way = 'down' into 'up'"),
    (Quiet, "options are kept: get_params makes loud = True into False"),
    (Rounds, "save and load: loaded, it gives other scores than the detector that was saved"),
    (LosesOptions, "save and load: loaded, its options are {'scale': 1.0, 'seed': 7}; they were {'scale': 1.0, "),
    (Doubles, "options are kept: raises RuntimeError: Cannot clone object Doubles"),
    (Returnless, "options are kept: set_params does not return the detector itself"),
    (
        ImpossiblePreset,
        "presets: preset paper is refused: ImpossiblePreset: scale = -1.0: input should be greater than 0",
    ),
    (Unchecked, "unknown options: set_params takes an option that does not exist; it must raise OptionError"),
    (Lax, "unknown options: the constructor takes an option that does not exist; it must raise OptionError"),
    (Undocumented, "options: option extra is not documented; put a docstring below its definition"),
    (Nothing, "options: option limit is a NoneType; options are true or false, numbers and text"),
    (Overwrites, "options after a fit: fit or detect sets option scale to 2.0; what is learnt ends in an underscore"),
    (AsksForLabels, "signature: fit asks for labels_T; it is given its part and the part's starts, nothing else"),
    (AsksForTrain, "signature: detect asks for train_TC; it is given its part and the part's starts, nothing else"),
    (WarmStarts, "a second fit: fitted a second time, it gives other scores than one that is fitted once"),
    (Adapts, "a second detect: gives other scores once it has scored another part; detect must leave the detector as"),
    (
        Shares,
        "a second detect: gives other scores once another detector of its class is fitted; keep what is learnt",
    ),
    (CrossesStarts, "segments: with starts, what changes in a segment changes scores of others; no window may"),
    (OneSegmentOnly, "segments: raises NotImplementedError: one segment only"),
    (NeedsTwoChannels, "one channel: raises IndexError: index 1 is out of bounds for axis 1 with size 1"),
    (NeedsMovement, "a channel constant in training: raises ZeroDivisionError: no deviation"),
    (NeedsMovementInTest, "a channel constant in the test part: raises ZeroDivisionError: no deviation"),
    (NeedsTwoSteps, "one training step: raises IndexError: no second step"),
    (NeedsTwoTestSteps, "one test step: raises IndexError: no second step"),
    (NeedsAWindow, "few training steps: raises IndexError: no window"),
    (NeedsATestWindow, "few test steps: raises IndexError: no window"),
    (PassesGapsOn, "missing values: scores_T is not finite at step 250; every value must be a number"),
    (EvenOnly, "look-ahead: raises IndexError: an odd number of steps"),
    (OtherDraw, "draws: redraw gives as draw 0 other scores than detect"),
    (OneDraw, "draws: redraw gives the same scores for every draw"),
]


@pytest.mark.parametrize(("faulty", "message"), FAULTY, ids=lambda given: getattr(given, "__name__", ""))
def test_a_broken_promise_of_a_detector_is_told_and_nothing_else(faulty, message):
    with pytest.raises(ContractError) as told:
        check_detector(faulty())
    assert str(told.value).startswith(f"{faulty.__name__}: {message}")
    assert "\n" not in str(told.value)


def torch_like() -> types.SimpleNamespace:
    """Return what a library with a shared generator offers; the real one is not installed everywhere."""
    generator = np.random.RandomState(0)
    # a tensor tells its values by numpy(); here the state is a generator's key and position
    return types.SimpleNamespace(
        get_rng_state=lambda: types.SimpleNamespace(numpy=lambda: generator.get_state(legacy=False)),
        set_rng_state=generator.set_state,
        from_numpy=lambda state: state,
        manual_seed=generator.seed,
        rand=generator.random_sample,
    )


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (GlobalTorch, "gives other scores in another global state"),
        (ReseedingTorch, "fit or detect changes the global state of torch"),
    ],
)
def test_the_global_state_of_torch_counts_too_where_torch_is_in_use(faulty, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", torch_like())
    with pytest.raises(ContractError, match=f"^{faulty.__name__}: global random state: {message}.*$"):
        check_detector(faulty())
    check_detector(Sound())


def test_the_checks_leave_the_global_random_states_as_they_were():
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    wanted = random.random(), np.random.random()  # noqa: S311, NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    check_detector(Sound())
    assert (random.random(), np.random.random()) == wanted  # noqa: S311, NPY002


def test_set_params_must_set():
    with pytest.raises(ContractError, match=r"^Deaf: options are kept: set_params makes scale = 2\.0 into 1\.0$"):
        check_detector(Deaf(scale=2.0))


def test_every_option_needs_a_default():
    with pytest.raises(ContractError, match=r"^Needy: options are kept: raises OptionError: Needy: needed = "):
        check_detector(Needy(needed=1))


def test_all_broken_promises_are_told_at_once():
    @detector
    class Bad(NeedsTwoChannels):
        extra: int = 1

        def detect(self, test_TC: Array) -> Detection:
            return Detection(-super().detect(test_TC).scores_T)

    with pytest.raises(ContractError) as told:
        check_detector(Bad())
    assert [line.split(": ")[:2] for line in str(told.value).splitlines()] == [
        ["Bad", "options"],
        ["Bad", "gross anomaly"],
        ["Bad", "one channel"],
    ]


def test_the_detector_given_is_neither_fitted_nor_changed():
    given = Sound(scale=3.0)
    check_detector(given)
    assert vars(given).keys() == vars(Sound()).keys()
    assert given.get_params() == {"scale": 3.0, "seed": 0}


def test_a_class_in_place_of_a_detector_is_refused():
    with pytest.raises(ContractError, match=r"with its options: Sound\(\), not its class"):
        check_detector(Sound)


def test_a_class_without_the_decorator_is_refused():
    class Bare:
        def fit(self, train_TC: Array) -> Any:
            return self

        detect, save, load = Sound.detect, Sound.save, Sound.load

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            return {}

        def set_params(self, **options: Any) -> Any:
            return self

    with pytest.raises(ContractError, match=r"^Bare: options: its class is not made by @tsad_core\.detector"):
        check_detector(Bare())


UNREADABLE = """
@detector
class Unreadable(Sound):
    extra: int = 1
"""


def test_what_cannot_be_read_is_not_called_undocumented():
    names = {"detector": detector, "Sound": Sound, "__name__": "nowhere"}
    exec(UNREADABLE, names)
    check_detector(names["Unreadable"]())


class Called(Sound):
    extra: int = 1
    """Documented, although pydantic does not see it."""


class CalledBare(Sound):
    extra: int = 1


def test_a_class_that_is_made_a_detector_by_a_call_is_read_too():
    check_detector(detector(Called)())
    with pytest.raises(ContractError, match=r"^CalledBare: options: option extra is not documented.*$"):
        check_detector(detector(CalledBare)())


@pytest.mark.parametrize(("steps", "channels"), [(20, 1), (137, 6)])
def test_a_detector_is_tried_on_the_series_given(steps, channels):
    train_TC, test_TC = np.random.default_rng(0).normal(size=(2, steps, channels))
    series = Series(name="own", train_TC=train_TC, test_TC=test_TC)
    assert check_detector(Sound(), series).look_ahead == 0
    with pytest.raises(ContractError, match=f"detect returned {steps - 1} scores for {steps} steps"):
        check_detector(WrongLength(), series)


def test_a_test_part_too_short_for_anomalies_is_no_fault():
    series = Series(name="own", train_TC=np.eye(9), test_TC=np.eye(9))
    assert check_detector(Sound(), series).skipped == {
        "gross anomaly": "a test part of 9 steps is too short to plant anomalies in; 20 will do"
    }


@pytest.mark.parametrize(
    "name",
    [name for name in INSTALLED.entries("detectors") if INSTALLED.offer("detectors", name).distribution == "tsad-core"],
)
def test_the_controls_keep_their_promises(name):
    check_detector(INSTALLED.resolve("detectors", name)())


def test_what_a_detector_skips_and_how_far_it_looks_is_reported():
    assert np.isnan(check_detector(Random()).look_ahead)
    assert check_detector(PCA(window=12)).look_ahead == 11
    shortest = "needs a segment of 3 steps or more to compare shapes; the longest has 1"
    assert check_detector(MatrixProfile(window=10)).skipped == {
        "one training step": shortest,
        "one test step": shortest,
        "missing values": "needs a series without missing values",
    }


def test_scores_that_compare_a_step_with_the_whole_part_cross_no_start():
    check_detector(MatrixProfile(join="self"))


def test_scores_scaled_over_the_whole_part_cross_no_start():
    @detector
    class Scaled(Sound):
        def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
            scores_T = super().detect(test_TC).scores_T
            return Detection((scores_T - scores_T.mean()) / (scores_T.std() or 1))

    assert check_detector(Scaled()).look_ahead == np.inf


def tiny(name: str = "a", *, steps: int = 5, seed: int = 0) -> Series:
    values_TC = np.random.default_rng(seed).normal(size=(steps, 1))
    return Series(name=name, train_TC=values_TC, test_TC=values_TC, labels_T=np.arange(steps) == 1)


Listing = Mapping[str, Callable[[], Series]]


def sound(*, count: int = 2, steps: Annotated[int, Ge(2)] = 5) -> Listing:
    return {name: partial(tiny, name, steps=steps) for name in "abcdefgh"[:count]}


def variadic(**anything: int) -> Listing:
    return sound()


def untyped(*, count=2) -> Listing:
    return sound(count=count)


def listed_option(*, names: tuple[str, ...] = ("a",)) -> Listing:
    return sound()


def bad_default(*, count: Annotated[int, Ge(3)] = 2) -> Listing:
    return sound(count=count)


def not_a_mapping() -> list[str]:
    return ["a"]


def empty() -> Listing:
    return {}


def eager() -> dict[str, Series]:
    return {"a": tiny()}


def named_with(name: str) -> Callable[[], Listing]:
    def names() -> Listing:
        return {name: partial(tiny, name)}

    return names


def nameless() -> dict[int, Callable[[], Series]]:
    return {1: tiny}


def other_name() -> Listing:
    return {"b": tiny}


def not_a_series() -> dict[str, Callable[[], Array]]:
    return {"a": lambda: np.ones(3)}


def unreadable() -> Listing:
    def read() -> Series:
        raise OSError("no such luck")

    return {"a": read}


def moving() -> Listing:
    return {"a": lambda: tiny(seed=int(np.random.default_rng().integers(2**60)))}


def in_any_order() -> Listing:
    names = np.random.default_rng().permutation(1000).tolist()
    return {str(name): partial(tiny, str(name)) for name in names}


def in_one_of_two_orders() -> Listing:
    names = "ab" if next(TURNS) % 4 < 3 else "ba"
    return {name: partial(tiny, name) for name in names}


TURNS = itertools.count()


def homeless(*, home: Any = None) -> Listing:
    return sound()


def crashing(*, home: Any = None) -> Listing:
    raise FileNotFoundError("data.csv")


def vague(*, home: Any = None) -> Listing:
    if home.name != "full":
        raise MissingDataError("no data")
    return sound()


def in_files(*, home: Any = None) -> Listing:
    if home is None or home.name != "full":
        raise MissingDataError(f"put the files into {home}")
    return sound()


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (variadic, "options: takes **anything: int, so anything; name every option"),
        (untyped, "options: option count has no type; without one it is not checked"),
        (listed_option, "options: option names is a tuple; options are true or false, numbers and text"),
        (bad_default, "options: raises OptionError: data set bad_default: count = 2: input should be greater than"),
        (not_a_mapping, "listing: returns a list; it must return a mapping of names to functions that read a series"),
        (empty, "listing: lists no series"),
        (eager, "listing: maps a name to something that is not a function; nothing is read before it is asked for"),
        (nameless, "listing: 1 cannot name a series; a name is text without ':', '/' and what cannot be printed"),
        (in_any_order, "listing: lists other names, or the same in another order, when it is asked again"),
        (in_one_of_two_orders, "listing: lists other names, or the same in another order, when it is asked again"),
        (other_name, "reading: b reads as a series named 'a'; it must have the name it is listed under"),
        (not_a_series, "reading: a is a ndarray; it must be a tsad_core.Series"),
        (unreadable, "reading: raises OSError: no such luck"),
        (moving, "reading: a is not the same when it is read again"),
        (homeless, "an empty data home: raises no MissingDataError; it must say what to get and where to put it"),
        (crashing, "an empty data home: raises FileNotFoundError: data.csv"),
        (vague, "an empty data home: its MissingDataError does not say in one line where to put the files: no data"),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_a_broken_promise_of_a_data_set_is_told_and_nothing_else(dataset, message, tmp_path):
    with pytest.raises(ContractError) as told:
        check_dataset(dataset, home=tmp_path / "full")
    assert str(told.value).startswith(f"{dataset.__name__}: {message}")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["", " a", "a:b", "a/b", "a\nb", "a\x00"])
def test_a_name_that_a_command_line_or_a_file_cannot_hold_is_told(name):
    with pytest.raises(ContractError, match=r"names: listing: .* cannot name a series"):
        check_dataset(named_with(name))


def test_a_sound_data_set_is_counted_as_far_as_it_is_read(tmp_path):
    assert check_dataset(sound, count=7, steps=4, at_most=3) == Counts(3, 12, 12, 3, 3)
    assert check_dataset(in_files, home=tmp_path / "full") == Counts(2, 10, 10, 2, 2)


def test_a_wrong_option_of_a_data_set_is_told():
    with pytest.raises(ContractError, match="sound: listing: raises OptionError: data set sound has no option 'coun'"):
        check_dataset(sound, coun=2)


def test_a_data_set_whose_files_are_not_at_hand_passes_its_error_on(tmp_path):
    with pytest.raises(MissingDataError, match=f"^put the files into {tmp_path}$"):
        check_dataset(in_files, home=tmp_path)


@pytest.mark.parametrize("name", INSTALLED.entries("datasets"))
def test_installed_data_sets_keep_their_promises_as_far_as_their_files_are_at_hand(name, tmp_path):
    with contextlib.suppress(MissingDataError):
        check_dataset(INSTALLED.resolve("datasets", name), home=tmp_path)


@pytest.mark.parametrize("name", ["ucr", "smd"])
def test_data_sets_in_files_keep_their_promises(name, data_home):
    assert check_dataset(INSTALLED.resolve("datasets", name), home=data_home, at_most=1).series == 1


CARD = Card("m", "M", "Something.", "none", 0, 1, "higher")


@metric(CARD)
def mean_rank(*, labels_T: Array, scores_T: Array, power: Annotated[float, Gt(0)] = 1.0) -> float:
    check(labels_T, scores_T=scores_T)
    if labels_T.all() or not labels_T.any():
        raise Undefined("needs both")
    return float(np.mean(scores_T[labels_T][:, None] > scores_T[~labels_T]) ** power)


def broken(body: Callable[..., float], card: Any = CARD) -> Any:
    """Return a metric of labels and scores that does something wrong."""

    @metric(card)
    def m(*, labels_T: Array, scores_T: Array) -> float:
        check(labels_T, scores_T=scores_T)
        return body(labels_T, scores_T)

    return m


def sneaky(labels_T: Array, scores_T: Array) -> float:
    scores_T[0] = 7
    return 0.5


def needs_to_write(labels_T: Array, scores_T: Array) -> float:
    scores_T[0] = scores_T[0]
    return 0.5


def undefined(labels_T: Array, scores_T: Array) -> float:
    raise Undefined("not today")


def needs_an_event(labels_T: Array, scores_T: Array) -> float:
    return float(scores_T.mean() >= np.flatnonzero(labels_T)[0] * 0)


def needs_normal_steps(labels_T: Array, scores_T: Array) -> float:
    return float(0 * scores_T[~labels_T].max()) if len(labels_T) > 1 else 0.5


def needs_two_steps(labels_T: Array, scores_T: Array) -> float:
    if len(labels_T) == 1:
        raise IndexError("no second step")
    return 0.5


@metric(CARD)
def asks_for_more(*, labels_T: Array, window: int) -> float:
    return 0.5


@metric(CARD)
def takes_anything(*, labels_T: Array, **options: int) -> float:
    return 0.5


@metric(CARD)
def by_position(labels_T: Array, *, scores_T: Array) -> float:
    return mean_rank(labels_T=labels_T, scores_T=scores_T)


@metric(CARD)
def takes_missing_scores(*, labels_T: Array, scores_T: Array) -> float:
    check(labels_T)
    return mean_rank(labels_T=labels_T, scores_T=np.nan_to_num(scores_T))


@metric(CARD)
def returns_missing_scores(*, labels_T: Array, scores_T: Array) -> float:
    check(labels_T)
    return float(np.clip(scores_T, 0, 1).max())


@metric(CARD)
def takes_soft_labels(*, labels_T: Array, scores_T: Array) -> float:
    return mean_rank(labels_T=labels_T > 0, scores_T=scores_T)


@metric(CARD)
def chokes_on_soft_labels(*, labels_T: Array) -> float:
    return float(0 * scores_of[labels_T].sum()) if len(labels_T) == len(scores_of) else 0.5


scores_of = np.ones(1000)


@metric(CARD)
def blames_the_innocent(*, root_causes_TC: Array, attribution_TC: Array) -> float:
    if not root_causes_TC.any():
        raise Undefined("nobody is guilty")
    return 1 - float(np.clip(attribution_TC[root_causes_TC], 0, 1).mean())


def plain(*, labels_T: Array) -> float:
    return 0.5


def card(**changes: Any) -> Any:
    return Card(**{**vars(CARD), **changes})


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (plain, "card: it has none; give it one with @tsad_core.metric(Card(...))"),
        (broken(np.dot, card(name="f1@5%")), "card: its name 'f1@5%' is not lower case letters and digits joined"),
        (broken(np.dot, card(definition=" ")), "card: its definition is empty"),
        (broken(np.dot, card(low=1)), "card: its range from 1 to 1 is empty"),
        (broken(np.dot, card(better="up")), "card: better = 'up'; it is one of higher, lower, neither"),
        (asks_for_more, "parameters: window is neither an input (labels_T, scores_T, "),
        (takes_anything, "parameters: takes **options: int, so anything; name every option"),
        (broken(lambda *_: float("nan")), "random scores 0: metric m returned nan; it must raise Undefined instead"),
        (broken(lambda *_: -0.5), "random scores 0: returns less than its card's lowest value, 0"),
        (broken(lambda *_: 1.5), "random scores 0: returns more than its card's highest"),
        (broken(lambda *_: 1 / 0), "random scores 0: raises ZeroDivisionError: division by zero"),
        (broken(undefined), "values: is undefined in every case: not today"),
        (broken(sneaky), "inputs: changes scores_T; it must work on a copy"),
        (broken(needs_to_write), "inputs: raises ValueError: assignment destination is read-only"),
        (
            broken(lambda *_: np.random.default_rng().random(), card(better="neither")),
            "repeatable: gives different values for the same inputs",
        ),
        (broken(needs_an_event), "no event: raises IndexError: index 0 is out of bounds for axis 0 with size 0"),
        (broken(needs_normal_steps), "every step anomalous: raises ValueError: zero-size array to reduction operation"),
        (by_position, "parameters: labels_T can be given by its position; put a * before the inputs"),
        (blames_the_innocent, "direction: perfect attribution gives 0, inverted 1; its card says higher is better"),
        (takes_missing_scores, "scores that are not numbers: takes scores that are not numbers without an error"),
        (returns_missing_scores, "scores that are not numbers: takes scores that are not numbers without an error"),
        (takes_soft_labels, "soft labels: takes soft labels without an error; it must raise DataError"),
        (chokes_on_soft_labels, "soft labels: raises IndexError: "),
        (broken(needs_two_steps), "one anomalous step: raises IndexError: no second step"),
    ],
)
def test_a_broken_promise_of_a_metric_is_told_and_nothing_else(faulty, message):
    with pytest.raises(ContractError) as told:
        check_metric(faulty)
    assert str(told.value).startswith(f"metric {faulty.__name__}: {message}")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("better", ["higher", "lower", "neither"])
def test_perfect_scores_must_be_better_as_the_card_says(better):
    def rank(labels_T: Array, scores_T: Array) -> float:
        return mean_rank(labels_T=labels_T, scores_T=scores_T)

    if better != "lower":
        assert check_metric(broken(rank, card(better=better)))["perfect scores"] == 1
        return
    message = "^metric m: direction: perfect scores give 1, inverted 0; its card says lower is better$"
    with pytest.raises(ContractError, match=message):
        check_metric(broken(rank, card(better=better)))


def test_the_options_of_a_metric_are_passed_on():
    assert check_metric(mean_rank, power=2.0)["random scores 1"] == check_metric(mean_rank)["random scores 1"] ** 2
    with pytest.raises(ContractError, match=r"random scores 0: raises OptionError: metric m: power = 0\.0"):
        check_metric(mean_rank, power=0.0)


@pytest.mark.parametrize("name", INSTALLED.entries("metrics"))
def test_installed_metrics_keep_their_promises(name):
    check_metric(INSTALLED.resolve("metrics", name))
