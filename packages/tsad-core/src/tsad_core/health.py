"""What may be wrong with a series as a test: too easy, mislabelled, doubled (Wu and Keogh, TKDE 2021)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tsad_core.errors import DataError, Undefined
from tsad_core.metrics.inputs import spans
from tsad_core.series import Array, Series
from tsad_core.windows import period

DENSE = 0.1
"""The share of anomalous steps above which anomalies are not rare."""

FLAGS = {
    "no-labels": "which steps of the test part are anomalous is not known",
    "no-anomaly": "the test part holds no anomaly",
    "train-anomalies": "the training part holds labelled anomalies",
    "dense": f"more than {DENSE:.0%} of the test part is anomalous",
    "ends-in-anomaly": "the test part ends in an anomaly, or within a period after one",
    "constant-channels": "a channel has one value over the whole series",
    "constant-in-training": "a channel has one value over the training part, and others later",
    "constant-in-test": "a channel has one value over the test part, and had others before",
    "missing": "values are missing",
}
"""What `flags` may say, and what it means."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What `health_of` found out about one series."""

    train_anomalies: int | None
    """Labelled anomalous steps of the training part; None if it has no labels."""
    events: int | None
    """Unbroken stretches of anomalous steps in the test part; None without labels."""
    density: float | None
    """Share of the test part's steps that are anomalous; None without labels."""
    ends_in_anomaly: bool
    """Whether a period or less follows the last event: a guess at the end is then a hit (run to failure)."""
    constant_channels: tuple[str, ...]
    """Channels with one value over both parts."""
    constant_in_training: tuple[str, ...]
    """Channels with one value over the training part, whether or not they move in the test part."""
    constant_in_test: tuple[str, ...]
    """Channels with one value over the test part, whether or not they move in the training part."""
    missing: float
    """Share of the values of both parts that are missing."""
    twin_key: str
    """Equal for series that are the same recording in other clothes; empty where no anomaly tells them apart."""
    value_key: str
    """Equal for series of the same values, whatever their labels."""


def health_of(series: Series) -> Health:
    """Return the health of a series.

    Twins are series of the same lengths with the same labels: in the UCR archive, the recordings that come
    again as ``DISTORTED`` or ``NOISE``. A channel without any value counts as constant.
    """
    train_TC, test_TC, labels_T = series.train_TC, series.test_TC, series.labels_T
    return Health(
        train_anomalies=None if series.train_labels_T is None else int(series.train_labels_T.sum()),
        events=None if labels_T is None else len(spans(labels_T)[0]),
        density=None if labels_T is None else float(labels_T.mean()),
        ends_in_anomaly=_ends_in_anomaly(series),
        constant_channels=_constant(series, train_TC, test_TC),
        constant_in_training=_constant(series, train_TC),
        constant_in_test=_constant(series, test_TC),
        missing=float(np.isnan(train_TC).sum() + np.isnan(test_TC).sum()) / (train_TC.size + test_TC.size),
        twin_key=_twin_key(series),
        value_key=_hash(str(train_TC.shape).encode(), train_TC.tobytes(), test_TC.tobytes()),
    )


def flags(health: Health) -> tuple[str, ...]:
    """Return what is remarkable about a series as slugs, in the order of `FLAGS`; none is the best to have."""
    found = {
        "no-labels": health.events is None,
        "no-anomaly": health.events == 0,
        "train-anomalies": bool(health.train_anomalies),
        "dense": (health.density or 0) > DENSE,
        "ends-in-anomaly": health.ends_in_anomaly,
        "constant-channels": bool(health.constant_channels),
        "constant-in-training": not set(health.constant_in_training) <= set(health.constant_channels),
        "constant-in-test": not set(health.constant_in_test) <= set(health.constant_channels),
        "missing": health.missing > 0,
    }
    return tuple(flag for flag in FLAGS if found[flag])


def separated(labels_T: Array, scores_T: Array, margin: int) -> bool:
    """Return whether some threshold alarms inside every event and nowhere else: the series is solved.

    Steps outside the events but within `margin` steps of one are not looked at. Without an event it is
    `Undefined`; without a step to compare with, nothing is solved.

    >>> separated(np.array([0, 0, 0, 1, 1]), np.array([1, 2, 8, 1, 9]), margin=1)
    True
    >>> separated(np.array([0, 0, 0, 1, 1]), np.array([1, 9, 8, 1, 9]), margin=1)
    False
    """
    anomalous_T = np.asarray(labels_T, dtype=bool)
    if len(anomalous_T) != len(scores_T):
        raise DataError(f"{len(anomalous_T)} labels for {len(scores_T)} scores; they must be as many")
    starts_N, stops_N = spans(anomalous_T)
    if not len(starts_N):
        raise Undefined("no event in the labels")
    outside_T = np.ones(len(anomalous_T), dtype=bool)
    for start, stop in zip(starts_N, stops_N, strict=True):
        outside_T[max(start - margin, 0) : stop + margin] = False
    lowest_hit = min(scores_T[start:stop].max() for start, stop in zip(starts_N, stops_N, strict=True))
    return bool(outside_T.any() and lowest_hit > scores_T[outside_T].max())


def twin_groups(keys: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return the names that share a key with another, group by group in the order they were given.

    An empty key is nobody's twin.

    >>> twin_groups({"a": "x", "b": "y", "c": "x", "d": "", "e": ""})
    [('a', 'c')]
    """
    groups: dict[str, list[str]] = {}
    for name, key in keys.items():
        groups.setdefault(key, []).append(name)
    return [tuple(names) for key, names in groups.items() if key and len(names) > 1]


def _ends_in_anomaly(series: Series) -> bool:
    if series.labels_T is None or not series.labels_T.any():
        return False
    after = len(series.labels_T) - 1 - int(np.flatnonzero(series.labels_T)[-1])
    # in a short test part everything is within a period of the end
    return after <= min(period(series.train_TC), len(series.labels_T) // 10)


def _constant(series: Series, *parts: Array) -> tuple[str, ...]:
    # fmin and fmax pass over NaN, and a channel of nothing else neither rises nor moves
    low_C = np.fmin.reduce([np.fmin.reduce(part_TC, axis=0) for part_TC in parts])
    high_C = np.fmax.reduce([np.fmax.reduce(part_TC, axis=0) for part_TC in parts])
    return tuple(series.channels[c] for c in np.flatnonzero(~(low_C < high_C)))


def _twin_key(series: Series) -> str:
    if series.labels_T is None or not series.labels_T.any():
        return ""
    lengths = (len(series.train_TC), len(series.test_TC))
    return _hash(str(lengths).encode(), np.packbits(series.labels_T).tobytes())


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
