"""Simulated anomalies in real clean series: nothing trained on, everything known, the rest as it was."""

import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tsad_core.anomalies import KINDS
from tsad_core.datasets import asd, injected
from tsad_core.errors import DataError, MissingDataError, OptionError
from tsad_core.options import bind
from tsad_core.plugin import tsad_datasets
from tsad_core.registry import find_plugins
from tsad_core.series import Array, Series
from tsad_core.testing import check_dataset

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
STEPS = 2000


def host(name: str = "omi-1", steps: int = STEPS, channels: int = 3, **changed: object) -> Series:
    """A noisy wave; each cell of the training part is told from every other, the test part holds 99 alone."""
    rng = np.random.default_rng(0)
    waves_TC = np.sin(np.arange(steps)[:, None] * 2 * np.pi / 20 + np.arange(channels))
    train_TC = waves_TC + 0.1 * rng.normal(size=(steps, channels))
    labels_T = np.ones(50, dtype=bool)
    test_TC = np.full((50, channels), 99.0)
    return replace(Series(name=name, train_TC=train_TC, test_TC=test_TC, labels_T=labels_T), **changed)  # type: ignore[arg-type]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the data set asd consist of these series."""

    def put(*series: Series) -> None:
        def those(*, home: Path | None = None) -> Mapping[str, Callable[[], Series]]:
            return {one.name: lambda one=one: one for one in series}

        monkeypatch.setattr(asd, "asd", those)

    return put


def made(**options: object) -> Series:
    (read,) = injected.injected(source="asd", **options).values()  # type: ignore[arg-type]
    return read()


def known(series: Series) -> tuple[Array, Array, Array]:
    assert series.labels_T is not None
    assert series.root_causes_TC is not None
    assert series.normal_TC is not None
    return series.labels_T, series.root_causes_TC, series.normal_TC


def test_nothing_of_the_test_part_was_trained_on_or_comes_from_the_hosts_own_test_part(hosts) -> None:
    hosts(host())
    series, whole_TC = made(), host().train_TC
    assert np.array_equal(series.train_TC, whole_TC[:1200])
    # a period of 20 steps is left out
    assert np.array_equal(known(series)[2], whole_TC[1220:])


def test_the_test_part_differs_from_normal_in_the_guilty_cells_and_nowhere_else(hosts) -> None:
    hosts(host())
    series = made()
    labels_T, causes_TC, normal_TC = known(series)
    assert np.array_equal(series.test_TC != normal_TC, causes_TC)
    assert np.array_equal(causes_TC.any(axis=1), labels_T)
    assert 0.05 < labels_T.mean() <= 0.1
    assert causes_TC.any(axis=0).all()


@pytest.mark.parametrize(("steps", "channels"), [(2, 1), (5, 1), (20, 2), (60, 1), (3000, 1), (700, 40)])
def test_hosts_of_any_shape_are_cut_in_two(steps: int, channels: int, hosts) -> None:
    hosts(host(steps=steps, channels=channels))
    series = made()
    labels_T, causes_TC, _ = known(series)
    assert len(series.train_TC) == int(0.6 * steps)
    assert 0.75 * (steps - len(series.train_TC)) <= len(series.test_TC) <= steps - len(series.train_TC)
    assert labels_T.any() == (steps >= 60)
    assert causes_TC.sum(axis=1).max() <= max(1, channels // 2)


@pytest.mark.parametrize(("steps", "share"), [(1, 0.6), (2, 0.4)])
def test_a_host_too_short_to_be_cut_is_told(steps: int, share: float, hosts) -> None:
    hosts(host(steps=steps))
    with pytest.raises(DataError, match=f"omi-1: {steps} training steps cannot be parted at {share:.0%}"):
        made(train_share=share)


def test_events_last_a_period_to_one_and_a_half_or_a_fiftieth_of_a_short_test_part(hosts) -> None:
    for steps, longest in ((10_000, 30), (2000, 15), (300, 5)):
        hosts(host(steps=steps))
        edges = np.flatnonzero(np.diff(known(made(kinds="trend"))[0], prepend=False, append=False))
        lengths = np.diff(edges)[::2]
        assert lengths.max() <= longest
        assert lengths.min() >= longest * 2 // 3


def test_channels_that_stand_still_in_training_are_left_alone(hosts) -> None:
    train_TC = host(channels=5).train_TC.copy()
    train_TC[:, [1, 3]] = 7
    train_TC[1500:, 3] = 8
    hosts(host(channels=5, train_TC=train_TC))
    assert known(made())[1].any(axis=0).tolist() == [True, False, True, False, True]
    hosts(host(channels=5, train_TC=np.full((STEPS, 5), 7)))
    assert known(made())[0].any()


def test_missing_values_stay_missing_and_cause_nothing(hosts) -> None:
    train_TC = host().train_TC.copy()
    train_TC[::2] = np.nan
    train_TC[:, 2] = np.nan
    hosts(host(train_TC=train_TC, missing=True))
    series = made()
    _, causes_TC, normal_TC = known(series)
    assert series.missing
    assert np.array_equal(np.isnan(series.test_TC), np.isnan(normal_TC))
    assert causes_TC.any()
    assert not causes_TC[np.isnan(normal_TC)].any()


def test_segments_are_cut_with_their_part_and_no_event_crosses_one(hosts) -> None:
    starts = (0, 500, 1210, *range(1225, 2000, 25))
    hosts(host(train_starts=starts))
    series = made(density=0.3)
    assert series.train_starts == (0, 500)
    assert series.test_starts == (0, *range(5, 780, 25))
    labels_T, causes_TC, _ = known(series)
    for start in series.test_starts[1:]:
        assert not (causes_TC[start - 1] & causes_TC[start]).any()
    assert labels_T.any()


def test_names_of_channels_and_the_sampling_period_are_kept(hosts) -> None:
    hosts(host(sampling_period=60.0))
    series = made()
    assert series.sampling_period == 60
    assert series.channels == ("0", "1", "2")


def test_a_host_whose_training_part_is_known_to_be_anomalous_is_refused(hosts) -> None:
    hosts(host(train_labels_T=np.zeros(STEPS)))
    assert made().train_labels_T is None
    hosts(host(train_labels_T=np.arange(STEPS) == 7))
    with pytest.raises(DataError, match="omi-1: its training part holds labelled anomalies"):
        made()


def test_a_series_depends_on_its_name_and_the_seed_alone(hosts) -> None:
    hosts(*(host(f"omi-{number}") for number in range(1, 7)))
    few, again, all_of_them, other = (
        {name: read().digest for name, read in injected.injected(source="asd", **options).items()}  # type: ignore[arg-type]
        for options in ({"count": 2}, {"count": 2}, {}, {"seed": 1})
    )
    assert few == again == {name: all_of_them[name] for name in ("omi-1", "omi-4")}
    assert len({*all_of_them.values(), *other.values()}) == 12


@pytest.mark.parametrize(
    ("count", "names"), [(0, "123456"), (1, "1"), (2, "14"), (3, "135"), (4, "1234"), (6, "123456"), (9, "123456")]
)
def test_few_series_are_spread_over_the_list(count: int, names: str, hosts) -> None:
    hosts(*(host(f"omi-{number}") for number in range(1, 7)))
    assert list(injected.injected(source="asd", count=count)) == [f"omi-{number}" for number in names]


def test_without_a_source_it_is_data_that_is_not_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TSAD_DATA", raising=False)
    for home in (None, tmp_path):
        with pytest.raises(MissingDataError, match=f"set injected.source .* in {home or 'the data home'}, as in --set"):
            injected.injected(home=home)


def test_a_source_without_files_says_what_to_get(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="put the folders processed and interpretation_label"):
        injected.injected(home=tmp_path, source="asd")


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"source": "sdm"}, "did you mean 'smd'"),
        ({"source": "synthetic"}, "cannot give hosts"),
        ({"source": "asd", "kinds": "trends"}, "did you mean 'trend'"),
        ({"train_share": 1.0}, "train_share"),
        ({"train_share": 0.0}, "train_share"),
        ({"density": 0.31}, "density"),
        ({"count": -1}, "count"),
        ({"seed": -1}, "seed"),
    ],
)
def test_options_that_it_does_not_take_are_refused(options: dict[str, object], hint: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=hint):
        bind(injected.injected, options, owner="data set injected", provided=["home"])(home=tmp_path)


def test_every_data_set_of_core_that_has_files_of_its_own_can_give_hosts() -> None:
    registry = find_plugins()
    filed = [e.name for e in tsad_datasets() if hasattr(registry.resolve("datasets", e.name), "collection")]
    assert sorted(injected.SOURCES) == sorted(filed)


@real
def test_it_keeps_the_contract() -> None:
    counts = check_dataset(injected.injected, home=Path(os.environ["TSAD_DATA"]), at_most=1, source="asd")
    assert (counts.train_steps, counts.test_steps) == (5184, 3168)


@real
def test_real_servers_hold_every_kind_of_anomaly_in_several_channels() -> None:
    for name, read in itertools.islice(injected.injected(source="asd").items(), 3):
        series = read()
        labels_T, causes_TC, normal_TC = known(series)
        assert np.array_equal(series.test_TC != normal_TC, causes_TC), name
        events = np.count_nonzero(np.diff(labels_T, prepend=False, append=False)) // 2
        assert events >= len(KINDS) - 1, name
        assert 0.05 < labels_T.mean() <= 0.1


def test_the_series_tells_the_kind_of_each_run_of_labels_and_not_those_of_its_host(hosts) -> None:
    hosts(host(event_kinds=("of the host",)))
    series = made(kinds="trend")
    assert set(series.event_kinds) == {"trend"}
    train_TC = np.array(host().train_TC)
    train_TC[::2] = np.nan
    hosts(host(train_TC=train_TC, missing=True))
    pieces = made(kinds="trend").event_kinds
    assert set(pieces) == {"trend"}
    assert len(pieces) > len(series.event_kinds)
