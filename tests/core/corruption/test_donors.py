"""Real anomalies: whole events of the earlier test part in training, the later one scored at every level."""

import numpy as np
import pytest
from tsad_core.corruption import Condition, corrupt
from tsad_core.errors import Skip
from tsad_core.series import Array, Series


def plant(events: list[tuple[int, int]], *, train: int = 2000, test: int = 1000, **fields: object) -> Series:
    """Two sines of period 20; each event holds values of its own, 100 and up."""
    angle_T = np.arange(train + test) * np.pi / 10
    values_TC = np.stack([np.sin(angle_T), np.cos(angle_T)], axis=1)
    labels_T = np.zeros(test, dtype=bool)
    for number, (start, stop) in enumerate(events, start=1):
        labels_T[start:stop] = True
        values_TC[train + start : train + stop] = 100 * number + np.arange(stop - start)[:, None]
    made: dict[str, object] = {"train_TC": values_TC[:train], "test_TC": values_TC[train:], "labels_T": labels_T}
    return Series(name="plant", **{**made, **fields})  # type: ignore[arg-type]


def with_donors(clean: Series, level: int, kind: str = "real-anomalies", seed: int = 0) -> Series:
    return corrupt(clean, Condition(kind, level), seed=seed).series


def pasted(series: Series) -> list[list[float]]:
    """The values of the first channel in each labelled stretch of the training part."""
    assert series.train_labels_T is not None
    edges = np.flatnonzero(np.diff(series.train_labels_T.astype(int), prepend=0, append=0)).reshape(-1, 2)
    return [series.train_TC[start:stop, 0].tolist() for start, stop in edges]


def scored_from(clean: Series, level: int = 0) -> int:
    return len(clean.test_TC) - len(with_donors(clean, level).test_TC)


FOUR = [(100, 103), (300, 305), (600, 602), (990, 1000)]


@pytest.mark.parametrize("level", [0, 1, 4])
def test_the_scored_half_is_the_same_at_every_level(level: int) -> None:
    clean = plant(FOUR)
    for seed in range(2):
        series = with_donors(clean, level, seed=seed)
        # the second event ends at 305, and a period of 20 follows it
        assert np.array_equal(series.test_TC, clean.test_TC[325:])
        assert series.labels_T is not None
        assert np.flatnonzero(series.labels_T).tolist() == [275, 276, *range(665, 675)]


@pytest.mark.parametrize("level", [0, 1, 2, 4])
def test_each_donor_event_is_pasted_whole_as_often_as_the_level_says(level: int) -> None:
    clean = plant(FOUR)
    series = with_donors(clean, level)
    donors: list[list[float]] = [[100, 101, 102], [200, 201, 202, 203, 204]]
    assert sorted(pasted(series)) == sorted(donors * level)
    assert series.train_labels_T is not None
    normal_T = ~series.train_labels_T
    assert np.array_equal(series.train_TC[normal_T], clean.train_TC[normal_T])


def test_a_higher_level_adds_to_a_lower_one() -> None:
    low, high = (with_donors(plant(FOUR), level) for level in (1, 3))
    assert low.train_labels_T is not None
    assert np.array_equal(high.train_TC[low.train_labels_T], low.train_TC[low.train_labels_T])


@pytest.mark.parametrize(
    ("events", "first"),
    [
        # two events: one a side
        ([(10, 20), (500, 510)], 40),
        # three: one and two, or two and one; the earlier cut
        ([(10, 20), (500, 510), (900, 901)], 40),
        # the embargo of the cut at 20 ends at 40, inside the second event: it lasts until that one is over
        ([(10, 20), (35, 60), (900, 901)], 60),
        # an event in the embargo counts for neither half: two and two beat one and two
        ([(10, 20), (25, 30), (500, 501), (900, 901)], 50),
        # the last event touches the end
        ([(0, 1), (999, 1000)], 21),
    ],
)
def test_the_cut_is_where_halves_hold_about_as_many_events(events: list[tuple[int, int]], first: int) -> None:
    clean = plant(events)
    assert scored_from(clean) == first
    assert clean.labels_T is not None
    # never inside an event
    assert not clean.labels_T[first]


def test_everything_that_belongs_to_the_test_part_is_cut_alike() -> None:
    rng = np.random.default_rng(0)
    causes_TC, normal_TC = rng.random((1000, 2)) < 0.5, rng.random((1000, 2))
    clean = plant(FOUR, root_causes_TC=causes_TC, normal_TC=normal_TC, test_starts=(0, 200, 325, 700))
    series = with_donors(clean, 1)
    assert series.root_causes_TC is not None
    assert series.normal_TC is not None
    assert np.array_equal(series.root_causes_TC, causes_TC[325:])
    assert np.array_equal(series.normal_TC, normal_TC[325:].astype(np.float32))
    assert series.test_starts == (0, 375)


@pytest.mark.parametrize("kind", ["real-anomalies", "legacy-leak-anomalies"])
def test_places_are_normal_and_within_a_segment(kind: str) -> None:
    starts, known_T = tuple(range(0, 2000, 20)), np.arange(2000) % 20 // 2 == 5
    clean = plant(FOUR[:3], train_starts=starts, train_labels_T=known_T)
    series = with_donors(clean, 4, kind)
    struck_T = corrupt(clean, Condition(kind, 4), seed=0).train_changed_TC.any(axis=1)
    assert not (struck_T & known_T).any()
    edges = np.flatnonzero(np.diff(struck_T.astype(int), prepend=0, append=0)).reshape(-1, 2)
    assert all(start // 20 == (stop - 1) // 20 for start, stop in edges)
    assert series.train_labels_T is not None
    assert np.array_equal(series.train_labels_T, known_T | struck_T)


@pytest.mark.parametrize("seed", range(10))
def test_a_normal_step_keeps_pasted_events_apart(seed: int) -> None:
    # eight events of two steps among thirty: without the rule some would touch
    clean = plant([(10, 12), (200, 202), (500, 502), (700, 702)], train=40)
    assert len(pasted(with_donors(clean, 4, seed=seed))) == 8


def test_places_are_spread_by_the_seed() -> None:
    clean = plant([(10, 12), (500, 510)])
    places = {
        int(np.argmax(corrupt(clean, Condition("real-anomalies", 1), seed=s).train_changed_TC[:, 0])) for s in range(20)
    }
    assert len(places) > 15
    assert min(places) < 700
    assert max(places) > 1300


@pytest.mark.parametrize(
    ("clean", "reason"),
    [
        (plant([]), "needs 2 events or more in the test part; it has 0"),
        (plant([(10, 20)]), "needs 2 events or more in the test part; it has 1"),
        (plant([(10, 20)], labels_T=None), "needs labels of the test part; it has none"),
        (plant([(10, 20), (25, 30)]), "needs events on both sides of an embargo of 20 steps"),
        (plant([(0, 300), (900, 901)], train=250), "finds no 300 normal steps in one piece among its 250 training"),
        (plant(FOUR, train_labels_T=np.ones(2000)), "finds no 3 normal steps in one piece"),
    ],
)
def test_a_series_that_cannot_take_it_is_skipped_with_one_clear_line(clean: Series, reason: str) -> None:
    with pytest.raises(Skip, match=rf"^series plant: real-anomalies(@2)? {reason}"):
        with_donors(clean, 2)


def test_the_leak_trains_on_the_anomalies_that_are_scored() -> None:
    clean = plant(FOUR)
    series = with_donors(clean, 2, "legacy-leak-anomalies")
    assert np.array_equal(series.test_TC, clean.test_TC)
    events: list[list[float]] = [[100.0 * n + i for i in range(b - a)] for n, (a, b) in enumerate(FOUR, start=1)]
    assert sorted(pasted(series)) == sorted(events * 2)


def test_a_single_event_is_enough_for_the_leak_and_none_is_not() -> None:
    assert pasted(with_donors(plant([(999, 1000)]), 1, "legacy-leak-anomalies")) == [[100]]
    with pytest.raises(Skip, match=r"^series plant: legacy-leak-anomalies needs an event or more"):
        with_donors(plant([]), 1, "legacy-leak-anomalies")


def test_missing_values_of_host_and_donor_leave_the_host_as_it_is() -> None:
    clean = plant([(10, 12), (500, 501)])
    train_TC, test_TC = clean.train_TC.copy(), clean.test_TC.copy()
    train_TC[::2, 0] = np.nan
    test_TC[10, 1] = np.nan
    series = with_donors(plant([(10, 12), (500, 501)], train_TC=train_TC, test_TC=test_TC, missing=True), 1)
    assert np.array_equal(np.isnan(series.train_TC), np.isnan(train_TC))
    struck_T = series.train_labels_T
    assert struck_T is not None
    kept: Array = series.train_TC[struck_T][0, 1] == train_TC[struck_T][0, 1]
    assert kept
    assert series.train_TC[struck_T][1, 1] == 101


def test_the_scored_half_keeps_the_kinds_of_its_own_events() -> None:
    kinds = ("spike", "drift", "noise", "trend")
    assert with_donors(plant(FOUR, event_kinds=kinds), 1).event_kinds == ("noise", "trend")
    assert with_donors(plant(FOUR), 1).event_kinds == ()
    assert with_donors(plant(FOUR, event_kinds=kinds), 1, "legacy-leak-anomalies").event_kinds == kinds


def test_what_is_left_of_an_event_that_is_cut_at_a_segment_keeps_its_kind() -> None:
    # a run in three segments: the first piece is donated, the embargo lasts until the second is over
    series = with_donors(plant([(10, 100)], event_kinds=("drift",), test_starts=(0, 20, 60)), 0)
    assert series.labels_T is not None
    assert np.flatnonzero(series.labels_T).tolist() == list(range(40))
    assert series.event_kinds == ("drift",)
