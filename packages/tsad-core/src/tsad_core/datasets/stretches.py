"""Recordings of activities, cut into a training part of normal ones and a test part with all."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from tsad_core.errors import DataError, OptionError
from tsad_core.series import Array, Series


@dataclass(frozen=True)
class Recording:
    """Values and what was done at each step."""

    name: str
    values_TC: Array
    activities_T: Array
    channels: tuple[str, ...]
    sampling_period: float


def cut(
    recording: Recording,
    *,
    normal: Collection[int],
    abnormal: Collection[int],
    train_share: float,
    missing: bool = False,
) -> Series:
    """Return the series of a recording; what is neither normal nor abnormal is left out.

    The first `train_share` of each unbroken stretch of a normal activity is training; its rest and
    the abnormal stretches are the test part, in the order of time. Each stretch is a segment.
    """
    train, test = [], []
    for start, stop in _stretches(recording.activities_T):
        activity = recording.activities_T[start]
        middle = start + round(train_share * (stop - start)) if activity in normal else start
        train.append((start, middle))
        test.append((middle, stop) if activity in normal or activity in abnormal else (middle, middle))
    train_N, train_starts = _joined(train)
    test_N, test_starts = _joined(test)
    if not (train_N.size and test_N.size):
        raise DataError(
            f"{recording.name} holds too little of the normal activities {sorted(normal)} for a training part"
        )
    return Series(
        name=recording.name,
        train_TC=recording.values_TC[train_N],
        test_TC=recording.values_TC[test_N],
        labels_T=np.isin(recording.activities_T[test_N], list(abnormal)),
        channels=recording.channels,
        sampling_period=recording.sampling_period,
        train_starts=train_starts,
        test_starts=test_starts,
        missing=missing,
    )


def chosen(text: str, known: Collection[int], *, option: str) -> frozenset[int]:
    """Return the activities that an option names, with commas between their numbers."""
    names = [name.strip() for name in text.split(",")]
    if not all(name.isdecimal() and int(name) in known for name in names):
        allowed = ", ".join(map(str, sorted(known)))
        raise OptionError(f"{option} = {text!r}: expected numbers with commas between them, of {allowed}")
    return frozenset(map(int, names))


def _stretches(activities_T: Array) -> Array:
    changes = np.flatnonzero(np.diff(activities_T)) + 1
    edges = np.unique([0, *changes, len(activities_T)])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _joined(pieces: list[tuple[int, int]]) -> tuple[Array, tuple[int, ...]]:
    kept = [np.arange(start, stop) for start, stop in pieces if start < stop]
    ends = np.cumsum([0, *map(len, kept)])
    return np.concatenate([np.zeros(0, dtype=int), *kept]), tuple(int(end) for end in ends[:-1])
