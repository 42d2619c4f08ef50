"""Conditions: nested, spread over the whole training part, the same for every detector."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tsad_core.corruption import KINDS, Condition, corrupt
from tsad_core.errors import OptionError, Skip
from tsad_core.series import Array, Series


def walk(steps: int = 2000, channels: int = 3, **fields: object) -> Series:
    rng = np.random.default_rng(1)
    values_TC = np.cumsum(rng.standard_normal((steps + 20, channels)), axis=0)
    return Series(name="walk", train_TC=values_TC[:steps], test_TC=values_TC[steps:], **fields)  # type: ignore[arg-type]


def polluted(series: Series, level: int, seed: int = 0) -> Series:
    return corrupt(series, Condition("train-anomalies", level), seed=seed)


def marks(series: Series) -> Array:
    assert series.train_labels_T is not None
    return series.train_labels_T


@pytest.mark.parametrize("text", ["clean", "train-anomalies@0", "train-anomalies@5", "train-anomalies@30"])
def test_a_condition_survives_its_text_form(text: str) -> None:
    condition = Condition.parse(text)
    assert str(condition) == text
    assert Condition.parse(str(condition)) == condition


def test_a_condition_says_its_unit_and_what_it_touches() -> None:
    assert Condition() == Condition("clean", 0)
    assert Condition().touches == frozenset()
    condition = Condition("train-anomalies", 5)
    assert (condition.unit, condition.touches) == ("percent", {"train"})
    assert hash(condition) == hash(Condition.parse("train-anomalies@5"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("train-anomalie@5", "did you mean 'train-anomalies'"),
        ("", "there are: clean, train-anomalies"),
        ("train-anomalies@31", "a whole number, 0 to 30"),
        ("train-anomalies@-1", "a whole number"),
        ("train-anomalies@5.0", "a whole number"),
        ("train-anomalies@", "a whole number"),
        ("clean@5", "0 to 0"),
    ],
)
def test_a_condition_that_does_not_exist_is_refused(text: str, hint: str) -> None:
    with pytest.raises(OptionError, match=hint):
        Condition.parse(text)


def test_a_level_of_the_wrong_type_is_refused() -> None:
    for level in (True, 5.0, "5"):
        with pytest.raises(OptionError, match="level"):
            Condition("train-anomalies", level)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_level_zero_returns_the_series_itself(kind: str) -> None:
    series = walk()
    assert corrupt(series, Condition(kind, 0), seed=3) is series


@pytest.mark.parametrize(("steps", "channels"), [(100, 1), (999, 1), (2000, 3), (2000, 50), (30_000, 2)])
@pytest.mark.parametrize("level", [1, 5, 30])
def test_the_level_is_the_percentage_of_anomalous_training_steps(steps: int, channels: int, level: int) -> None:
    series = polluted(walk(steps, channels), level)
    assert marks(series).sum() == round(steps * level / 100)


@pytest.mark.parametrize("level", [1, 10, 30])
def test_exactly_the_marked_steps_change_and_the_test_part_does_not(level: int) -> None:
    clean = walk(labels_T=np.zeros(20))
    series = polluted(clean, level)
    assert np.array_equal((series.train_TC != clean.train_TC).any(axis=1), marks(series))
    assert np.array_equal(series.test_TC, clean.test_TC)
    assert (series.name, series.channels) == (clean.name, clean.channels)
    assert series.digest != clean.digest


@pytest.mark.parametrize(("steps", "channels"), [(150, 1), (2000, 4), (25_000, 2)])
def test_a_higher_level_holds_the_lower_one_cell_by_cell(steps: int, channels: int) -> None:
    clean = walk(steps, channels)
    for low, high in itertools.pairwise(polluted(clean, level) for level in (1, 2, 5, 10, 20, 30)):
        changed_TC = low.train_TC != clean.train_TC
        assert changed_TC.any()
        assert np.array_equal(high.train_TC[changed_TC], low.train_TC[changed_TC])
        assert (marks(high) | ~marks(low)).all()


def test_places_depend_on_the_seed_and_the_series_alone() -> None:
    clean = walk()
    assert polluted(clean, 5, seed=1).digest == polluted(walk(), 5, seed=1).digest
    other = replace(clean, test_TC=clean.test_TC + 1)
    placed = [marks(series) for series in (polluted(clean, 5), polluted(clean, 5, seed=1), polluted(other, 5))]
    assert all(not np.array_equal(a, b) for a, b in itertools.combinations(placed, 2))


@pytest.mark.parametrize("level", [5, 10, 30])
@pytest.mark.parametrize("seed", range(5))
def test_the_whole_training_part_gets_its_share(level: int, seed: int) -> None:
    marks_T = marks(polluted(walk(10_000), level, seed))
    for fifth_T in np.split(marks_T, 5):
        assert 0.3 * level / 100 < fifth_T.mean() < 2 * level / 100


def test_amplitudes_grow_with_the_spread_of_the_channel() -> None:
    clean = walk(channels=1)
    scaled = replace(clean, train_TC=clean.train_TC * 1024)
    moved = [np.abs(polluted(s, 30).train_TC - s.train_TC) for s in (clean, scaled)]
    # another series has other places, so only the order of size is compared
    ratio = np.median(moved[1][moved[1] > 0]) / np.median(moved[0][moved[0] > 0])
    assert 400 < ratio < 2600


@pytest.mark.parametrize("value", [0.0, 0.5, -1e6])
def test_a_constant_channel_is_corrupted_too(value: float) -> None:
    clean = Series(name="flat", train_TC=np.full((500, 2), value), test_TC=np.full((10, 2), value))
    series = polluted(clean, 10)
    assert np.array_equal((series.train_TC != clean.train_TC).any(axis=1), marks(series))
    assert marks(series).sum() == 50


def test_missing_values_stay_missing() -> None:
    train_TC = walk().train_TC.copy()
    train_TC[::7, 1] = np.nan
    clean = Series(name="gaps", train_TC=train_TC, test_TC=train_TC[:9], missing=True)
    assert np.array_equal(np.isnan(polluted(clean, 20).train_TC)[::7, 1], np.isnan(train_TC)[::7, 1])


def test_no_event_crosses_the_start_of_a_segment() -> None:
    # segments of 8 steps hold one event of 3 to 5 steps with its gap of 3, so each keeps its last 3 steps
    clean = walk(steps=400, train_starts=tuple(range(0, 400, 8)))
    marks_ST = marks(polluted(clean, 30)).reshape(50, 8)
    assert not marks_ST[:, -3:].any()


def test_steps_known_to_be_anomalous_stay_marked() -> None:
    known_T = np.arange(2000) < 10
    assert marks(polluted(walk(train_labels_T=known_T), 1))[:10].all()


@pytest.mark.parametrize(
    ("steps", "level", "starts"), [(1, 30, (0,)), (7, 30, (0,)), (40, 1, (0,)), (300, 5, tuple(range(0, 300, 7)))]
)
def test_a_series_too_short_for_anomalies_is_skipped_with_one_clear_line(
    steps: int, level: int, starts: tuple[int, ...]
) -> None:
    with pytest.raises(Skip, match=rf"series walk: its {steps} training steps are too few .* in {level} % of them$"):
        polluted(walk(steps, train_starts=starts), level)
