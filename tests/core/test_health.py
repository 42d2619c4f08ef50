"""Health: odd shapes first, each finding by hand, and the twins of the real archive."""

import os
import re
from collections import Counter

import numpy as np
import pytest
from tsad_core.datasets.smd import smd
from tsad_core.datasets.ucr import ucr
from tsad_core.errors import DataError, Undefined
from tsad_core.health import FLAGS, flags, health_of, separated, twin_groups
from tsad_core.series import Array, Series

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
noise = np.random.default_rng(0)


def marks(text: str) -> Array:
    return np.array([character == "1" for character in text])


def series(labels: str | None = None, *, train_TC: Array | None = None, test_TC: Array | None = None, **more) -> Series:
    steps = len(labels) if labels else 100
    return Series(
        name="s",
        train_TC=noise.random((50, 1)) if train_TC is None else train_TC,
        test_TC=noise.random((steps, 1)) if test_TC is None else test_TC,
        labels_T=None if labels is None else marks(labels),
        **more,
    )


def test_a_series_of_one_step_a_part_has_a_health() -> None:
    health = health_of(series("1", train_TC=np.zeros((1, 1))))
    assert (health.events, health.density, health.ends_in_anomaly) == (1, 1.0, True)
    assert flags(health) == ("dense", "ends-in-anomaly", "constant-in-training", "constant-in-test")


def test_without_labels_nothing_is_said_of_anomalies() -> None:
    health = health_of(series())
    assert (health.events, health.density, health.train_anomalies, health.twin_key) == (None, None, None, "")
    assert flags(health) == ("no-labels",)


def test_labels_without_an_anomaly_are_a_finding_of_their_own() -> None:
    health = health_of(series("0" * 30))
    assert (health.events, health.density, health.ends_in_anomaly) == (0, 0.0, False)
    assert flags(health) == ("no-anomaly",)


def test_a_sound_series_has_no_flag() -> None:
    assert flags(health_of(series("0" * 50 + "1" * 5 + "0" * 45, train_labels_T=np.zeros(50)))) == ()


def test_labelled_anomalies_of_the_training_part_are_counted() -> None:
    health = health_of(series("0" * 30, train_labels_T=np.arange(50) < 3))
    assert health.train_anomalies == 3
    assert "train-anomalies" in flags(health)


@pytest.mark.parametrize(("anomalous", "dense"), [(10, False), (11, True)])
def test_more_than_a_tenth_is_dense(anomalous: int, dense: bool) -> None:
    assert ("dense" in flags(health_of(series("1" * anomalous + "0" * (100 - anomalous))))) is dense


@pytest.mark.parametrize(("after", "ends"), [(0, True), (20, True), (21, False)])
def test_an_anomaly_within_a_period_of_the_end_ends_the_series(after: int, ends: bool) -> None:
    wave_TC = np.sin(np.arange(2000) * 2 * np.pi / 20)[:, None]
    labels = "0" * (998 - after) + "11" + "0" * after
    health = health_of(series(labels, train_TC=wave_TC, test_TC=wave_TC[:1000]))
    assert health.ends_in_anomaly is ends


@pytest.mark.parametrize(("after", "ends"), [(10, True), (11, False)])
def test_in_a_short_test_part_the_end_is_its_last_tenth(after: int, ends: bool) -> None:
    assert health_of(series("0" * (99 - after) + "1" + "0" * after)).ends_in_anomaly is ends


def test_constant_channels_are_named_by_the_part_they_are_constant_in() -> None:
    up, flat = np.arange(4.0), np.ones(4)
    health = health_of(
        series(
            "0100",
            train_TC=np.stack([up, flat, flat, up, flat], axis=1),
            test_TC=np.stack([up, flat, up, flat, 2 * flat], axis=1),
            channels=("moves", "dead", "wakes", "dies", "steps"),
        )
    )
    assert health.constant_channels == ("dead",)
    assert health.constant_in_training == ("dead", "wakes", "steps")
    assert health.constant_in_test == ("dead", "dies", "steps")


def test_a_channel_that_is_dead_throughout_is_told_once() -> None:
    health = health_of(series("0" * 20, train_TC=np.ones((50, 1)), test_TC=np.ones((20, 1))))
    assert flags(health) == ("no-anomaly", "constant-channels")


def test_a_gap_makes_no_channel_move_and_a_channel_without_values_is_constant() -> None:
    gap = np.array([[1, np.nan, 0], [np.nan, np.nan, 1]])
    health = health_of(series("00", train_TC=gap, test_TC=gap, missing=True))
    assert health.constant_channels == ("0", "1")
    assert health.missing == 0.5
    assert "missing" in flags(health)


def test_twins_share_lengths_and_labels_and_nothing_else() -> None:
    wave_TC = noise.random((50, 1))
    one, other = series("0010", train_TC=wave_TC), series("0010", train_TC=wave_TC + 0.1)
    assert health_of(one).twin_key == health_of(other).twin_key
    assert health_of(one).value_key != health_of(other).value_key
    for different in (series("0100"), series("00100"), series("0010", train_TC=wave_TC[1:])):
        assert health_of(different).twin_key != health_of(one).twin_key


def test_series_without_an_anomaly_are_nobodys_twins() -> None:
    keys = {name: health_of(series("0000")).twin_key for name in "ab"}
    assert twin_groups(keys) == []


def test_the_same_values_are_found_whatever_their_labels_and_name() -> None:
    train_TC, test_TC = noise.random((9, 2)), noise.random((4, 2))
    keys = {health_of(series(t, train_TC=train_TC, test_TC=test_TC)).value_key for t in ("0010", "0000", "1111")}
    assert len(keys) == 1
    # the same bytes, parted elsewhere
    whole_TC = np.concatenate([train_TC, test_TC])
    assert health_of(series("00100", train_TC=whole_TC[:8], test_TC=whole_TC[8:])).value_key not in keys


def test_twin_groups_keep_the_order_they_were_given() -> None:
    assert twin_groups({}) == []
    assert twin_groups({"c": "y", "a": "x", "b": "x", "d": "y", "e": "z"}) == [("c", "d"), ("a", "b")]


def test_without_an_event_separation_is_undefined() -> None:
    with pytest.raises(Undefined, match="no event"):
        separated(marks("000"), np.arange(3.0), margin=1)


def test_scores_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match="3 labels for 4 scores"):
        separated(marks("010"), np.arange(4.0), margin=1)


@pytest.mark.parametrize(
    ("labels", "scores", "margin", "solved"),
    [
        ("1", [5], 0, False),  # nothing to compare with
        ("010", [9, 1, 9], 1, False),  # nothing outside the margin
        ("0100", [0, 1, 0, 0], 0, True),
        ("0100", [0, 1, 1, 0], 0, False),  # a tie alarms elsewhere too
        ("0100", [0, 1, 1, 0], 1, True),
        ("0100", [0, 0, 1, 0], 1, False),  # an alarm beside the event is not in it
        ("0110", [0, 0, 1, 0], 0, True),  # one step of an event is enough
        ("1001", [3, 1, 1, 2], 0, True),
        ("1001", [3, 2, 1, 2], 0, False),  # the weaker event decides
        ("1000", [1, 5, 0, 0], 1, True),
        ("0001", [0, 0, 5, 1], 1, True),
        ("0010", [0, 0, 0, 0], 1, False),
    ],
)
def test_separation_by_hand(labels: str, scores: list[float], margin: int, solved: bool) -> None:
    assert separated(marks(labels), np.array(scores, dtype=float), margin=margin) is solved


def test_separation_agrees_with_trying_every_threshold() -> None:
    draw = np.random.default_rng(7)
    seen = Counter()
    for _ in range(2000):
        labels_T, margin = draw.random(12) < 0.25, int(draw.integers(0, 3))
        scores_T = draw.integers(0, 6, 12) + 3.0 * labels_T
        if labels_T.any():
            expected = _try_every_threshold(labels_T, scores_T, margin)
            assert separated(labels_T, scores_T, margin=margin) is expected
            seen[expected] += 1
    assert min(seen[True], seen[False]) > 100


def _try_every_threshold(labels_T: Array, scores_T: Array, margin: int) -> bool:
    events = [match.span() for match in re.finditer("1+", "".join("01"[int(label)] for label in labels_T))]
    near = {step for start, stop in events for step in range(start - margin, stop + margin)}
    far = [step for step in range(len(labels_T)) if step not in near]

    def works(threshold: float) -> bool:
        hit = all(any(scores_T[step] > threshold for step in range(*event)) for event in events)
        return hit and not any(scores_T[step] > threshold for step in far)

    return bool(far) and any(works(threshold) for threshold in [-1.0, *scores_T])


def test_every_flag_has_a_meaning_and_is_a_slug() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", flag) and meaning for flag, meaning in FLAGS.items())


@real
def test_every_distorted_and_noisy_series_of_ucr_has_its_twin() -> None:
    """90 groups; by name they are 91: ECG2 and ECG3 happen to have the same lengths and the same anomaly."""
    groups = twin_groups({name: health_of(read()).twin_key for name, read in ucr().items()})
    assert (len(groups), sum(map(len, groups))) == (90, 200)
    assert Counter(map(len, groups)) == {2: 72, 3: 16, 4: 2}
    plain = [{re.sub("DISTORTED|NOISE", "", name.partition("-")[2]) for name in group} for group in groups]
    assert sorted(sorted(names) for names in plain if len(names) > 1) == [["ECG2", "ECG3"], ["ECG3", "ECG4"]]
    in_disguise = {name for name in ucr() if re.search("DISTORTED|NOISE", name)}
    assert in_disguise <= {name for group in groups for name in group}


@real
def test_smd_has_channels_that_never_move() -> None:
    health = health_of(smd()["machine-1-6"]())
    assert health.constant_channels == ("7", "26", "28", "37")
    assert set(health.constant_in_training) - set(health.constant_in_test) == {"36"}
    assert flags(health) == ("dense", "constant-channels", "constant-in-training")
