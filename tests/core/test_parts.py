"""What a detector is given: checked before it sees it, for every detector."""

from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from tsad_core import Array, DataError, Detection, detector
from tsad_core.controls.deviation import Deviation


@detector
class Seen:
    """Remembers what it is given."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Keep it."""
        self.seen_ = [train_TC, starts]
        return self

    def detect(self, test_TC: Array) -> Detection:
        """Score zeros."""
        self.tested_ = test_TC
        return Detection(np.zeros(len(test_TC)))

    def samples(self, test_TC: Array, starts: tuple[int, ...] = (0,), *, count: int = 1) -> tuple[Any, ...]:
        """Return what it is given."""
        return test_TC, starts, count


PART_TC = np.arange(12.0).reshape(6, 2)


def of(value: float) -> Array:
    part_TC = PART_TC.copy()
    part_TC[3, 1] = value
    return part_TC


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (PART_TC[:, 0], r"has shape \(6,\); it must be \(steps, channels\), neither zero, as values\[:, None\]"),
        (PART_TC[None], r"has shape \(1, 6, 2\); it must be \(steps, channels\), neither zero$"),
        (PART_TC[:0], r"has shape \(0, 2\); it must be"),
        (PART_TC[:, :0], r"has shape \(6, 0\); it must be"),
        (np.array([["a"]]), "holds <U1; it must hold numbers"),
        (of(np.inf), "is inf at step 3, channel 1; it must be finite or NaN"),
        (of(-np.inf), "is -inf at step 3, channel 1"),
    ],
)
def test_what_is_no_part_is_told_in_one_line(part: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^Seen.fit: train_TC {message}"):
        Seen().fit(part)
    with pytest.raises(DataError, match=f"^Seen.detect: test_TC {message}"):
        Seen().fit(PART_TC).detect(part)


@pytest.mark.parametrize("starts", [(), (1,), (0, 3, 3), (0, 4, 2), (0, 6), 3, ("a",), None])
def test_segments_start_at_0_and_rise_and_end_within_the_part(starts: Any) -> None:
    for call in (Seen().fit, Seen().fit(PART_TC).samples):
        with pytest.raises(DataError, match=r"^Seen\.(fit|samples): starts = .* must "):
            call(PART_TC, starts=starts)


def test_a_test_part_has_the_channels_that_were_learnt_from() -> None:
    for wrong_TC in (PART_TC[:, :1], PART_TC.repeat(2, axis=1)):
        channels = wrong_TC.shape[1]
        with pytest.raises(DataError, match=f"^Deviation.detect: test_TC has {channels} channels; it was fitted on 2$"):
            Deviation().fit(PART_TC).detect(wrong_TC)


def test_nothing_is_scored_before_something_is_learnt() -> None:
    with pytest.raises(DataError, match=r"^Deviation.detect: nothing was learnt yet; call fit\(train_TC\) before$"):
        Deviation().detect(PART_TC)


def test_what_needs_no_learning_scores_at_once_and_other_faults_are_its_own() -> None:
    assert (Seen().detect(PART_TC).scores_T == 0).all()
    broken = Deviation().fit(PART_TC)
    del broken.scale_C_
    with pytest.raises(AttributeError, match="scale_C_"):
        broken.detect(PART_TC)


def test_channels_are_saved_with_what_was_learnt(tmp_path: Any) -> None:
    Deviation().fit(PART_TC).save(tmp_path)
    with pytest.raises(DataError, match="fitted on 2"):
        Deviation.load(tmp_path).detect(PART_TC[:, :1])
    with pytest.raises(DataError, match=r"nowhere holds no detector: there is no detector\.json"):
        Deviation.load(tmp_path / "nowhere")


@pytest.mark.parametrize("part", [PART_TC.tolist(), pd.DataFrame(PART_TC), PART_TC.astype(int), PART_TC > 3])
def test_what_numpy_takes_becomes_an_array(part: Any) -> None:
    fitted = Seen().fit(part)
    fitted.detect(part)
    for seen_TC in (fitted.seen_[0], fitted.tested_):
        assert isinstance(seen_TC, np.ndarray)
        assert seen_TC.dtype.kind == "f"
        np.testing.assert_array_equal(seen_TC, np.asarray(part))


def test_an_array_of_floats_is_given_as_it_is() -> None:
    part_TC = of(np.nan)
    assert Seen().fit(part_TC, starts=[0, np.int64(4)]).seen_[0] is part_TC
    assert Seen().fit(part_TC, (0, 4)).seen_[1] == (0, 4)
    assert Seen().fit(part_TC).samples(part_TC, count=3) == (part_TC, (0,), 3)


def test_a_class_that_extends_a_detector_is_checked_by_its_own_name() -> None:
    @detector
    class More(Seen):
        """Fits otherwise."""

        def fit(self, train_TC: Array) -> Self:  # type: ignore[override]  # without segments
            """Keep nothing."""
            self.nothing_ = 0
            return self

    with pytest.raises(DataError, match=r"^More\.fit: "):
        More().fit(PART_TC[:, 0])
    with pytest.raises(DataError, match=r"^More\.detect: test_TC has 1 channels; it was fitted on 2"):
        More().fit(PART_TC).detect(PART_TC[:, :1])
