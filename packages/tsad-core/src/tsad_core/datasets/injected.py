"""Simulated anomalies in real series that are clean: real data of which everything is known."""

import functools
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from tsad_core.anomalies import Event, Spread, chosen_kinds, inject, kinds_within, mark, plan_events
from tsad_core.datasets.home import find_home
from tsad_core.errors import DataError, MissingDataError, OptionError, did_you_mean
from tsad_core.scaling import present
from tsad_core.series import Array, Series
from tsad_core.windows import period, starts_within

SOURCES = {
    "ucr": "ucr",
    "smd": "smd",
    "asd": "asd",
    "smap": "nasa",
    "msl": "nasa",
    "nab": "nab",
    "tsb-ad-u": "tsb_ad",
    "tsb-ad-m": "tsb_ad",
    "swat": "swat",
    "psm": "psm",
    "msds": "msds",
    "dsads": "dsads",
    "pamap2": "pamap2",
    "wesad": "wesad",
}
"""The data sets whose training parts can be hosts, and their modules."""


def injected(
    *,
    home: Path | None = None,
    source: str = "",
    count: Annotated[int, Ge(0)] = 0,
    train_share: Annotated[float, Gt(0), Lt(1)] = 0.6,
    density: Annotated[float, Ge(0), Le(0.3)] = 0.1,
    kinds: str = "all",
    seed: Annotated[int, Ge(0)] = 0,
) -> Mapping[str, Callable[[], Series]]:
    """Return the series of another data set, made of their training parts alone, with simulated anomalies.

    The first `train_share` of a series' training part is trained on. After a gap of one period (a quarter of the
    rest, at most) the others are the test part: no value of it was trained on. Its anomalies, and so labels, kinds
    of events, root causes and the same part without them, are known exactly; that the rest is clean is what its
    data set promises.

    - `home`: the data home, by default ``TSAD_DATA``.
    - `source`: the data set that gives the hosts, one of `SOURCES`, with its default options. There is no default.
    - `count`: how many of its series, evenly spread over its list; 0 for all.
    - `density`: the share of anomalous steps, at most, but one event there is wherever one fits.
    - `kinds`: ``"all"`` or a comma-separated choice of `tsad_core.anomalies.KINDS`.

    An event that is no point lasts one to one and a half periods, at most a fiftieth of the test part but 5 steps or
    more. It strikes at most half of the channels that vary in the training part. A series depends on the options and
    its name, not on `count`.
    """
    chosen_kinds(kinds, channels=2)
    hosts = _hosts(source, home)
    every = max(1, len(hosts) // count) if count else 1
    names = list(hosts)[::every][: count or None]
    recipe = _Recipe(source, train_share, density, kinds, seed)
    return {name: functools.partial(_read, hosts[name], recipe) for name in names}


@dataclass(frozen=True)
class _Recipe:
    source: str
    train_share: float
    density: float
    kinds: str
    seed: int


def _hosts(source: str, home: Path | None) -> Mapping[str, Callable[[], Series]]:
    if not source:
        where = find_home(home) or "the data home"
        raise MissingDataError(
            f"no hosts are chosen: set injected.source to a data set in {where}, as in --set injected.source=asd"
        )
    if source not in SOURCES:
        raise OptionError(f"source = {source!r} cannot give hosts; {did_you_mean(source, SOURCES)}")
    dataset = resolve_name(f"tsad_core.datasets.{SOURCES[source]}:{source.replace('-', '_')}")
    hosts: Mapping[str, Callable[[], Series]] = dataset(home=home)
    return hosts


def _read(host: Callable[[], Series], recipe: _Recipe) -> Series:
    series = _parted(host(), recipe.train_share)
    name_seed = zlib.crc32(f"{recipe.source}/{series.name}".encode())
    place_seed, value_seed = np.random.SeedSequence([recipe.seed, name_seed]).spawn(2)
    wave = period(series.train_TC)
    events = _events(series, recipe, wave, np.random.default_rng(place_seed))
    about, rng = Spread.of(series.train_TC), np.random.default_rng(value_seed)
    # what is missing stays missing, and causes nothing
    causes_TC = mark(events, series.test_TC.shape) & ~np.isnan(series.test_TC)
    labels_T = np.asarray(causes_TC.any(axis=1))
    return replace(
        series,
        test_TC=inject(series.test_TC, events, about=about, period=wave, rng=rng),
        labels_T=labels_T,
        root_causes_TC=causes_TC,
        normal_TC=series.test_TC,
        event_kinds=kinds_within(events, labels_T),
    )


def _parted(host: Series, train_share: float) -> Series:
    """Return what is left of a series without its test part: training part, a gap, the clean test part."""
    if host.train_labels_T is not None and host.train_labels_T.any():
        raise DataError(f"series {host.name}: its training part holds labelled anomalies, so it is no clean host")
    steps = len(host.train_TC)
    cut = int(train_share * steps)
    if not 0 < cut < steps:
        raise DataError(f"series {host.name}: {steps} training steps cannot be parted at {train_share:.0%} of them")
    begin = cut + min(period(host.train_TC[:cut]), (steps - cut) // 4)
    return replace(
        host,
        train_TC=host.train_TC[:cut],
        test_TC=host.train_TC[begin:],
        labels_T=None,
        event_kinds=(),
        root_causes_TC=None,
        normal_TC=None,
        train_labels_T=None,
        train_starts=starts_within(host.train_starts, 0, cut),
        test_starts=starts_within(host.train_starts, begin, steps),
    )


def _events(series: Series, recipe: _Recipe, wave: int, rng: np.random.Generator) -> list[Event]:
    """Return events in channels that vary in training: one that stood still tells an anomaly by any change."""
    steps, channels = series.test_TC.shape
    longest = min(wave * 3 // 2, max(steps // 50, 5))
    varying = _varying(series.train_TC)
    plan = plan_events(
        rng,
        starts=series.test_starts,
        steps=steps,
        channels=len(varying),
        kinds=chosen_kinds(recipe.kinds, channels),
        lengths=((2 * longest + 2) // 3, longest),
    )
    placed = (replace(event, channels=tuple(varying[c] for c in event.channels)) for event in plan)
    return _within(placed, recipe.density * steps)


def _varying(train_TC: Array) -> list[int]:
    """Return the channels that are not constant; all of them if every one is."""
    known_TC = present(train_TC)
    varying = np.flatnonzero(np.nanmin(known_TC, axis=0) < np.nanmax(known_TC, axis=0))
    return (varying if len(varying) else np.arange(train_TC.shape[1])).tolist()


def _within(plan: Iterable[Event], budget: float) -> list[Event]:
    kept: list[Event] = []
    left = budget
    for event in plan if budget else ():
        length = event.stop - event.start
        if not kept or length <= left:
            kept.append(event)
            left -= length
    return kept
