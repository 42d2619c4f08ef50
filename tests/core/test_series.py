import dataclasses

import numpy as np
import pytest
from tsad_core import DataError, Series


def make(**given):
    return Series(**{"name": "s", "train_TC": np.zeros((4, 2)), "test_TC": np.ones((3, 2)), **given})


def test_values_are_float32_copies_that_nobody_can_change():
    train_TC = np.arange(8, dtype=np.float64).reshape(4, 2)
    series = make(train_TC=train_TC, labels_T=[0, 1, 0])
    train_TC[0, 0] = 99
    assert series.train_TC[0, 0] == 0
    assert series.train_TC.dtype == np.float32
    assert series.labels_T.dtype == bool
    for array in (series.train_TC, series.test_TC, series.labels_T):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        series.name = "other"


def test_a_series_of_one_step_and_one_channel_is_a_series():
    series = Series(name="s", train_TC=[[1.0]], test_TC=[[2.0]])
    assert series.train_TC.shape == series.test_TC.shape == (1, 1)
    assert series.channels == ("0",)
    assert series.labels_T is None


def test_everything_known_about_a_series_is_kept():
    series = make(
        root_causes_TC=np.eye(3, 2),
        normal_TC=np.zeros((3, 2)),
        train_labels_T=[True, False, False, False],
        channels=["pump", "valve"],
        sampling_period=0.5,
        train_starts=(0, 2),
        test_starts=[np.int64(0), np.int64(1)],
    )
    assert series.root_causes_TC.tolist() == [[True, False], [False, True], [False, False]]
    assert series.train_labels_T.sum() == 1
    assert series.channels == ("pump", "valve")
    assert series.test_starts == (0, 1)
    assert all(type(start) is int for start in series.test_starts)


@pytest.mark.parametrize("shape", [(4,), (0, 2), (4, 0), (4, 2, 1), ()])
@pytest.mark.parametrize("name", ["train_TC", "test_TC"])
def test_values_without_steps_and_channels_are_refused(name, shape):
    with pytest.raises(DataError, match=rf"series s: {name} has shape .*must be \(steps, channels\)"):
        make(**{name: np.zeros(shape)})


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("test_TC", (3, 3), r"\(3, 2\)"),
        ("labels_T", (4,), r"\(3,\)"),
        ("labels_T", (3, 1), r"\(3,\)"),
        ("root_causes_TC", (3,), r"\(3, 2\)"),
        ("root_causes_TC", (3, 1), r"\(3, 2\)"),
        ("normal_TC", (4, 2), r"\(3, 2\)"),
        ("train_labels_T", (3,), r"\(4,\)"),
    ],
)
def test_shapes_that_do_not_match_are_refused(name, shape, expected):
    with pytest.raises(DataError, match=rf"series s: {name} has shape .*; expected {expected}"):
        make(**{name: np.zeros(shape)})


@pytest.mark.parametrize("labels_T", [[0, 1, 2], [0.0, 0.5, 1.0], [0, -1, 0], [0, np.nan, 0]])
def test_labels_other_than_0_and_1_are_refused(labels_T):
    with pytest.raises(DataError, match="labels_T holds values other than 0 and 1"):
        make(labels_T=labels_T)


def test_nan_is_refused_with_its_place_unless_it_means_missing():
    test_TC = np.ones((3, 2))
    test_TC[2, 1] = np.nan
    with pytest.raises(DataError, match="test_TC is nan at step 2, channel 1; declare missing=True"):
        make(test_TC=test_TC)
    assert np.isnan(make(test_TC=test_TC, missing=True).test_TC[2, 1])


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize("wrong", [np.inf, -np.inf])
def test_infinite_values_are_always_refused(wrong, missing):
    with pytest.raises(DataError, match="inf at step 1, channel 0"):
        make(train_TC=[[0, 0], [wrong, 0]], missing=missing)


@pytest.mark.parametrize("starts", [(), (1,), (0, 0), (0, 2, 1), (0, 3), (0, 99)])
def test_starts_that_do_not_rise_from_0_within_the_part_are_refused(starts):
    with pytest.raises(DataError, match=r"test_starts = .* must rise from 0 and stay below 3"):
        make(test_starts=starts)


def test_as_many_channel_names_as_channels_are_needed():
    with pytest.raises(DataError, match="3 channel names for 2 channels"):
        make(channels=("a", "b", "c"))


@pytest.mark.parametrize(
    "change",
    [
        {"train_TC": np.full((4, 2), 1e-6)},
        {"test_TC": np.ones((4, 2))},
        {"labels_T": [0, 0, 0]},
        {"root_causes_TC": np.zeros((3, 2))},
        {"normal_TC": np.ones((3, 2))},
        {"train_labels_T": [0, 0, 0, 0]},
        {"train_starts": (0, 1)},
        {"test_starts": (0, 1)},
    ],
)
def test_the_digest_changes_with_whatever_can_change_a_result(change):
    assert make(**change).digest != make().digest


def test_the_digest_does_not_change_with_names_or_memory_layout():
    assert make(name="t", channels=("a", "b"), sampling_period=3.0).digest == make().digest
    values_TC = np.arange(8.0).reshape(4, 2)
    assert make(train_TC=np.asfortranarray(values_TC)).digest == make(train_TC=values_TC).digest


def test_the_digest_tells_equal_bytes_of_other_shapes_apart():
    flat = Series(name="s", train_TC=np.zeros((4, 1)), test_TC=np.zeros((1, 1)))
    other = Series(name="s", train_TC=np.zeros((1, 1)), test_TC=np.zeros((4, 1)))
    assert flat.digest != other.digest


@pytest.mark.parametrize(
    ("labels_T", "kinds"),
    [
        ([1, 1, 1], ["trend"]),
        ([1, 0, 1], ["trend", "noise"]),
        ([0, 1, 0], ["trend"]),
        ([0, 0, 0], []),
    ],
)
def test_each_run_of_labels_may_have_a_kind(labels_T, kinds):
    assert make(labels_T=labels_T, event_kinds=kinds).event_kinds == tuple(kinds)
    # an event that reaches over the start of a segment is one all the same
    assert make(labels_T=labels_T, event_kinds=kinds, test_starts=(0, 1)).event_kinds == tuple(kinds)
    assert make(labels_T=labels_T).event_kinds == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels_T": [1, 0, 1]}, "series s: 1 event_kinds for 2 events; give one for each run of labels, or none"),
        ({"labels_T": [0, 0, 0]}, "series s: 1 event_kinds for 0 events"),
        ({}, "series s: 1 event_kinds without labels_T"),
    ],
)
def test_kinds_that_do_not_match_the_events_are_refused(given, message):
    with pytest.raises(DataError, match=message):
        make(event_kinds=("trend",), **given)


def test_kinds_are_not_in_the_digest():
    assert make(labels_T=[0, 1, 0], event_kinds=("trend",)).digest == make(labels_T=[0, 1, 0]).digest
