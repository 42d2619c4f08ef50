"""What holds under every condition: reproducible, nested, recorded, and nothing else is touched."""

from dataclasses import replace

import numpy as np
import pytest
from tsad_core.corruption import KINDS, Condition, Corrupted, corrupt
from tsad_core.corruption.kind import Dose
from tsad_core.detector import Detection
from tsad_core.errors import Skip
from tsad_core.series import Array, Series

MILD_AND_WORSE = {
    "clean": (0, 0),
    "train-anomalies": (2, 20),
    "sham-anomalies": (2, 20),
    "real-anomalies": (1, 3),
    "legacy-leak-anomalies": (1, 3),
    "white-noise": (30, -10),
    "pink-noise": (30, -10),
    "spiky-noise": (30, -10),
    "missing-values": (3, 40),
    "missing-bursts": (3, 40),
    "dead-channels": (1, 3),
    "level-drift": (50, 300),
    "trend-drift": (50, 300),
    "scale-drift": (50, 300),
    "resampling": (10, 40),
    "permuted-channels": (40, 100),
}
WORSE = [Condition(name, MILD_AND_WORSE[name][1], parts) for name, kind in KINDS.items() for parts in kind.parts]
by_condition = pytest.mark.parametrize("condition", WORSE, ids=str)
by_kind = pytest.mark.parametrize("name", KINDS)


def machine(train: int = 900, test: int = 800, channels: int = 5, **fields: object) -> Series:
    """Sines of period 20 with noise, four events in the test part that lift the first channel."""
    rng = np.random.default_rng(7)
    angle_T1 = np.arange(train + test)[:, None] * np.pi / 10
    values_TC = np.sin(angle_T1 + np.arange(channels)) + 0.1 * rng.standard_normal((train + test, channels))
    normal_TC = values_TC[train:]
    labels_T = np.arange(test) % 200 // 10 == 5
    causes_TC = labels_T[:, None] & (np.arange(channels) == 0)
    made: dict[str, object] = {
        "train_TC": values_TC[:train],
        "test_TC": normal_TC + 3 * causes_TC,
        "labels_T": labels_T,
        "root_causes_TC": causes_TC,
        "normal_TC": normal_TC,
    }
    return Series(name="machine", **{**made, **fields})  # type: ignore[arg-type]


def gappy() -> Series:
    train_TC, test_TC = machine().train_TC.copy(), machine().test_TC.copy()
    train_TC[::9, 1] = test_TC[::11, 2] = np.nan
    test_TC[50:100] = np.nan
    train_TC[:, 4] = test_TC[:, 3] = np.nan
    return machine(train_TC=train_TC, test_TC=test_TC, missing=True)


ODD = {
    "one step, one channel": machine(1, 1, 1),
    "one channel": machine(channels=1),
    "two steps": machine(2, 2, 2),
    "constant": machine(train_TC=np.full((900, 5), 0.1), test_TC=np.full((800, 5), 0.1)),
    "large constant": machine(train_TC=np.full((900, 5), -1e6), test_TC=np.full((800, 5), 1e6)),
    "missing values": gappy(),
    "all missing": machine(train_TC=np.full((900, 5), np.nan), test_TC=np.full((800, 5), np.nan), missing=True),
    "short segments": machine(train_starts=tuple(range(0, 900, 7)), test_starts=tuple(range(0, 800, 3))),
    "uneven segments": machine(train_starts=(0, 1, 500), test_starts=(0, 799)),
    "no labels": machine(labels_T=None, root_causes_TC=None, normal_TC=None),
    "no event": machine(labels_T=np.zeros(800), root_causes_TC=None),
    "nothing but anomalies": machine(labels_T=np.ones(800), train_labels_T=np.ones(900)),
}


def unlike(a: Array, b: Array) -> Array:
    return ~np.isclose(a, b, rtol=0, atol=0, equal_nan=True)


def corrupted_or_skipped(clean: Series, condition: Condition) -> Corrupted | str:
    try:
        return corrupt(clean, condition, seed=0)
    except Skip as reason:
        return str(reason)


def clean_like(changed: Corrupted, clean: Series) -> Array:
    """The clean test part that stands against the changed one, on its clock."""
    if changed.condition.kind == "real-anomalies":
        return clean.test_TC[-len(changed.series.test_TC) :]
    return clean.test_TC


def test_the_examples_hold_every_kind() -> None:
    assert set(MILD_AND_WORSE) == set(KINDS)


@by_condition
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(condition: Condition) -> None:
    first, again, other = (corrupt(machine(), condition, seed=seed) for seed in (4, 4, 5))
    assert first.series.digest == again.series.digest
    assert np.array_equal(first.train_changed_TC, again.train_changed_TC)
    assert np.array_equal(first.test_changed_TC, again.test_changed_TC)
    nothing_random = condition.kind in {"clean", "resampling"}
    assert (first.series.digest == other.series.digest) == nothing_random


@by_condition
def test_what_changes_does_not_depend_on_names(condition: Condition) -> None:
    clean = machine()
    named = replace(clean, name="other", channels=tuple("abcde"), sampling_period=3.0)
    assert corrupt(clean, condition, seed=1).series.digest == corrupt(named, condition, seed=1).series.digest


def test_kinds_parts_and_seeds_have_random_streams_of_their_own() -> None:
    doses = [
        Dose(kind, 5, frozenset({"test"}), (seed, digest)) for kind in KINDS for seed in (0, 1) for digest in (0, 1)
    ]
    draws = [dose.rng(purpose).random() for dose in doses for purpose in ("train", "test", "channels")]
    assert len(set(draws)) == len(KINDS) * 2 * 2 * 3


@by_kind
def test_the_neutral_level_returns_the_series_itself(name: str) -> None:
    clean, neutral = machine(), KINDS[name].neutral
    if neutral is None:
        # every level of these changes something
        lowest = corrupt(clean, Condition(name, KINDS[name].lowest), seed=3)
        assert lowest.series.digest != clean.digest
        return
    for parts in KINDS[name].parts:
        changed = corrupt(clean, Condition(name, neutral, parts), seed=3)
        assert changed.series is clean
        assert changed.channels == ()
        assert changed.clock_T is None
        assert not changed.train_changed_TC.any()
        assert not changed.test_changed_TC.any()


@by_condition
@pytest.mark.parametrize("clean", [machine(), gappy()], ids=["whole", "gappy"])
def test_the_marks_are_the_cells_that_really_differ(condition: Condition, clean: Series) -> None:
    changed = corrupt(clean, condition, seed=2)
    if changed.clock_T is None:
        assert np.array_equal(changed.train_changed_TC, unlike(changed.series.train_TC, clean.train_TC))
        assert np.array_equal(changed.test_changed_TC, unlike(changed.series.test_TC, clean_like(changed, clean)))
    differs_C = np.concatenate([changed.train_changed_TC, changed.test_changed_TC]).any(axis=0)
    assert [c in changed.channels for c in range(5)] == differs_C.tolist()
    assert bool(differs_C.any()) == (condition.kind != "clean")


@by_condition
def test_a_part_that_is_not_touched_stays_as_it_is(condition: Condition) -> None:
    clean = machine(train_labels_T=np.zeros(900))
    changed = corrupt(clean, condition, seed=2)
    if "train" not in condition.touches:
        assert np.array_equal(changed.series.train_TC, clean.train_TC)
        assert changed.series.train_starts == clean.train_starts
    if "test" not in condition.touches:
        assert np.array_equal(changed.series.test_TC, clean.test_TC)
    for part, marks_TC in (("train", changed.train_changed_TC), ("test", changed.test_changed_TC)):
        struck = part in condition.touches and (condition.kind, part) != ("real-anomalies", "test")
        assert marks_TC.any() == struck


@by_condition
def test_test_labels_are_those_of_the_clean_series(condition: Condition) -> None:
    clean = machine()
    assert clean.labels_T is not None
    changed = corrupt(clean, condition, seed=2).series
    assert changed.labels_T is not None
    if condition.kind == "real-anomalies":
        assert np.array_equal(changed.labels_T, clean.labels_T[-len(changed.labels_T) :])
    elif condition.kind != "resampling":
        assert np.array_equal(changed.labels_T, clean.labels_T)


@by_kind
@pytest.mark.parametrize("seed", range(3))
def test_a_worse_level_changes_what_a_milder_one_does_and_more(name: str, seed: int) -> None:
    if name == "resampling":
        return  # each level has a clock of its own, and shortens the part by more: see test_clock.py
    for parts in KINDS[name].parts:
        mild, worse = (corrupt(machine(), Condition(name, level, parts), seed=seed) for level in MILD_AND_WORSE[name])
        assert (worse.train_changed_TC | ~mild.train_changed_TC).all()
        assert (worse.test_changed_TC | ~mild.test_changed_TC).all()
        assert set(mild.channels) <= set(worse.channels)


@by_condition
def test_missing_values_stay_missing_and_only_the_missing_kinds_add_any(condition: Condition) -> None:
    clean = gappy()
    changed = corrupt(clean, condition, seed=1)
    if condition.kind in {"resampling", "permuted-channels"}:
        # they move with their steps or channels
        assert np.isnan(changed.series.test_TC).mean() >= np.isnan(clean.test_TC).mean()
        return
    before_TC, after_TC = np.isnan(clean_like(changed, clean)), np.isnan(changed.series.test_TC)
    assert after_TC[before_TC].all()
    assert np.isnan(changed.series.train_TC)[np.isnan(clean.train_TC)].all()
    if not condition.kind.startswith("missing"):
        assert np.array_equal(after_TC, before_TC)
        assert np.array_equal(np.isnan(changed.series.train_TC), np.isnan(clean.train_TC))


@by_condition
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_series_is_corrupted_or_skipped_with_one_clear_line(condition: Condition, odd: str) -> None:
    clean = ODD[odd]
    before, outcome = clean.digest, corrupted_or_skipped(clean, condition)
    assert clean.digest == before
    if isinstance(outcome, str):
        assert outcome.startswith("series machine: ")
        assert "\n" not in outcome
        return
    assert outcome.train_changed_TC.shape == outcome.series.train_TC.shape
    assert outcome.test_changed_TC.shape == outcome.series.test_TC.shape
    assert outcome.condition == condition


@pytest.mark.parametrize("odd", ["missing values", "short segments", "uneven segments", "no labels"])
@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if "test" in kind.parts and name != "permuted-channels"]
)
def test_kinds_that_change_values_take_any_series_of_several_channels(name: str, odd: str) -> None:
    condition = Condition(name, MILD_AND_WORSE[name][0], "both")
    assert corrupt(ODD[odd], condition, seed=0).channels


def test_without_a_clock_a_detection_is_returned_as_it_is() -> None:
    detection = Detection(np.arange(800))
    assert corrupt(machine(), Condition("white-noise", 10), seed=0).on_clean_clock(detection) is detection


def test_a_detection_is_brought_back_to_the_clean_clock_as_solved_by_hand() -> None:
    clean_TC = np.array([[0.0, 10], [1, 11], [2, 12], [3, 13]])
    clean = Series(name="ramp", train_TC=clean_TC, test_TC=clean_TC)
    # at half the rate two steps are left, at the clean steps 0 and 2; step 1 is as near to both and goes with the later
    changed = corrupt(clean, Condition("resampling", 50), seed=0)
    assert changed.series.test_TC.tolist() == [[0, 10], [2, 12]]
    two_TC = np.array([[1.0, 2], [3, 4]])
    detection = Detection(np.array([5.0, 6]), two_TC, two_TC + 10, {"low": np.array([7.0, 8])})
    back = changed.on_clean_clock(detection)
    assert back.scores_T.tolist() == [5, 6, 6, 6]
    assert back.attribution_TC is not None
    assert back.attribution_TC.tolist() == [[1, 2], [3, 4], [3, 4], [3, 4]]
    assert back.expected_TC is not None
    assert back.expected_TC.tolist() == [[11, 12], [13, 14], [13, 14], [13, 14]]
    assert back.bands["low"].tolist() == [7, 8, 8, 8]
    assert changed.on_clean_clock(Detection(np.zeros(2))).attribution_TC is None
