"""Generated series: exact outside their anomalies, different inside them, the same for the same seed."""

import doctest
import hashlib
import itertools
from dataclasses import replace

import numpy as np
import pytest
from tsad_core.anomalies import KINDS
from tsad_core.datasets import synthetic as module
from tsad_core.datasets.synthetic import Recipe, generate, synthetic
from tsad_core.errors import OptionError
from tsad_core.options import bind
from tsad_core.series import Array, Series

SHAPES = [
    Recipe(),
    Recipe(channels=1),
    Recipe(channels=2, density=0.3),
    Recipe(channels=50, test_steps=400),
    Recipe(test_steps=1),
    Recipe(train_steps=1, test_steps=63),
    Recipe(test_steps=62),
    Recipe(test_steps=61),
    Recipe(period=4, test_steps=37, density=0.3),
    Recipe(noise=0.0, period=7),
    Recipe(period=500),
]
by_shape = pytest.mark.parametrize("recipe", SHAPES, ids=str)


def known(series: Series) -> tuple[Array, Array, Array]:
    assert series.labels_T is not None
    assert series.root_causes_TC is not None
    assert series.normal_TC is not None
    return series.labels_T, series.root_causes_TC, series.normal_TC


@by_shape
def test_the_test_part_differs_from_normal_in_the_guilty_cells_and_nowhere_else(recipe: Recipe) -> None:
    series, _ = generate(recipe)
    labels_T, causes_TC, normal_TC = known(series)
    assert np.array_equal(series.test_TC != normal_TC, causes_TC)
    assert np.array_equal(causes_TC.any(axis=1), labels_T)


@by_shape
def test_events_are_disjoint_with_a_period_between_them_and_make_up_the_labels(recipe: Recipe) -> None:
    series, events = generate(recipe)
    labels_T, causes_TC, _ = known(series)
    for before, after in itertools.pairwise(events):
        assert after.start - before.stop >= recipe.period
    told_TC = np.zeros_like(causes_TC)
    for event in events:
        assert 0 <= event.start < event.stop <= recipe.test_steps
        told_TC[event.start : event.stop, list(event.channels)] = True
    assert np.array_equal(told_TC, causes_TC)
    assert len(events) == np.count_nonzero(np.diff(labels_T.astype(int), prepend=0) == 1)


@by_shape
def test_the_share_of_anomalous_steps_is_within_the_density_but_for_a_single_event(recipe: Recipe) -> None:
    series, events = generate(recipe)
    labels_T, _, _ = known(series)
    assert len(events) <= 1 or labels_T.mean() <= recipe.density


@pytest.mark.parametrize(("steps", "expected"), [(1, 0), (61, 0), (62, 1), (100, 1)])
def test_a_test_part_too_short_for_any_event_has_labels_without_events(steps: int, expected: int) -> None:
    # the longest event of period 25 has 37 steps, and a gap of 25 follows it
    series, events = generate(Recipe(test_steps=steps))
    labels_T, _, _ = known(series)
    assert len(events) == expected
    assert labels_T.any() == bool(expected)


def test_density_zero_gives_labels_without_events() -> None:
    series, events = generate(Recipe(density=0.0))
    labels_T, _, normal_TC = known(series)
    assert events == []
    assert not labels_T.any()
    assert np.array_equal(series.test_TC, normal_TC)


@pytest.mark.parametrize("index", range(4))
def test_the_default_series_hold_every_kind_and_10_to_12_percent_anomalous_steps(index: int) -> None:
    series, events = generate(Recipe(), index)
    labels_T, _, _ = known(series)
    assert {event.kind for event in events} == set(KINDS)
    assert 0.10 < labels_T.mean() <= 0.12
    assert any(event.stop - event.start == 1 for event in events)
    assert {len(event.channels) for event in events} <= {1, 2}


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_kind_can_be_asked_for(kind: str) -> None:
    _, events = generate(Recipe(kinds=kind))
    assert {event.kind for event in events} == {kind}
    lengths = {event.stop - event.start for event in events}
    assert lengths == {1} if kind.startswith("point") else min(lengths) >= 25


def test_the_default_is_the_sines_of_neurips_ts() -> None:
    series = synthetic()["sines-0"]()
    values_TC = series.train_TC.astype(np.float64)
    assert values_TC.shape == (2000, 5)
    assert values_TC.mean(axis=0) == pytest.approx([0, 0, 0, 2, -2], abs=0.02)
    # a sine's deviation is its amplitude over the root of two; the noise adds 5 % of the amplitude
    assert values_TC.std(axis=0) == pytest.approx(
        np.array([1.5, 2.5, 1.5, 2.5, 1.5]) * np.hypot(0.5**0.5, 0.05), rel=0.01
    )
    power_FC = np.abs(np.fft.rfft(values_TC - values_TC.mean(axis=0), axis=0))
    assert (power_FC.argmax(axis=0) / 2000).tolist() == [0.04] * 5


def test_sines_and_cosines_alternate() -> None:
    values_TC = generate(Recipe(noise=0.0))[0].train_TC.astype(np.float64)
    # sin^2 + cos^2 = 1 at every step
    assert np.allclose((values_TC[:, 0] / 1.5) ** 2 + (values_TC[:, 1] / 2.5) ** 2, 1, atol=1e-5)


def test_the_test_part_goes_on_where_the_training_part_ends() -> None:
    series, _ = generate(Recipe(noise=0.0, train_steps=90))
    whole_TC = np.concatenate([series.train_TC, known(series)[2]])
    assert np.allclose(whole_TC[25:], whole_TC[:-25], atol=1e-5)


def digest(series: Series) -> str:
    arrays = (series.train_TC, series.test_TC, *known(series))
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def test_the_same_options_give_the_same_arrays_to_the_last_bit() -> None:
    first, second = synthetic(seed=3), synthetic(seed=3)
    assert [digest(read()) for read in first.values()] == [digest(read()) for read in second.values()]
    assert digest(first["sines-1"]()) == digest(first["sines-1"]())


def test_different_series_and_seeds_differ() -> None:
    digests = [digest(read()) for seed in range(3) for read in synthetic(count=4, seed=seed).values()]
    assert len(set(digests)) == 12


def test_growing_the_count_does_not_change_earlier_series() -> None:
    few, many = synthetic(count=2), synthetic(count=7)
    assert list(many)[:2] == list(few) == ["sines-0", "sines-1"]
    assert [digest(few[name]()) for name in few] == [digest(many[name]()) for name in few]


def test_density_and_kinds_do_not_change_what_is_normal() -> None:
    normals = [known(generate(recipe)[0])[2] for recipe in (Recipe(), Recipe(density=0.02), Recipe(kinds="trend"))]
    assert np.array_equal(normals[0], normals[1])
    assert np.array_equal(normals[0], normals[2])


def test_one_channel_has_every_kind_but_the_broken_correlation() -> None:
    kinds = {event.kind for index in range(3) for event in generate(Recipe(channels=1), index)[1]}
    assert kinds == set(KINDS) - {"correlation-break"}
    with pytest.raises(OptionError, match="correlation-break needs 2 channels or more"):
        synthetic(channels=1, kinds="trend,correlation-break")


@pytest.mark.parametrize(("kinds", "hint"), [("trends", "did you mean 'trend'"), ("", "there are: all, point-global")])
def test_an_unknown_kind_is_refused_with_what_there_is(kinds: str, hint: str) -> None:
    with pytest.raises(OptionError, match=hint):
        synthetic(kinds=kinds)


@pytest.mark.parametrize(
    "options",
    [{"count": 0}, {"channels": True}, {"period": 3}, {"noise": -0.1}, {"density": 0.31}, {"seed": -1}, {"steps": 5}],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        bind(synthetic, options, owner="data set synthetic")


def test_a_broken_correlation_leaves_other_channels_alone() -> None:
    for index in range(3):
        _, events = generate(Recipe(channels=2, kinds="correlation-break"), index)
        assert {len(event.channels) for event in events} == {1}


def test_a_series_depends_on_each_option_of_its_recipe() -> None:
    recipe = Recipe(test_steps=300)
    others = {"period": 20, "noise": 0.1, "density": 0.3, "kinds": "trend", "seed": 1, "channels": 6}
    digests = [digest(generate(replace(recipe, **{name: value}))[0]) for name, value in others.items()]  # type: ignore[arg-type]
    assert len({digest(generate(recipe)[0]), *digests}) == 7


def test_the_example_runs() -> None:
    assert doctest.testmod(module).failed == 0


def test_the_series_tells_the_kinds_of_its_events_in_order_of_time() -> None:
    for index in range(3):
        series, events = generate(Recipe(), index)
        assert series.event_kinds == tuple(event.kind for event in events)
    assert generate(Recipe(density=0.0))[0].event_kinds == ()
