"""DSADS, Daily and Sports Activities (Barshan and Altun, UCI 2010): windows of people in motion, as AMSL takes them."""

import functools
import itertools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Lt

from tsad_core.dataset import Collection, Counts, Download, dataset
from tsad_core.datasets.home import DataFile, find_files, missing
from tsad_core.datasets.reading import read_tables
from tsad_core.datasets.stretches import chosen
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_WINDOWS = Collection(
    title="Daily and Sports Activities",
    folder="dsads",
    put="daily+and+sports+activities.zip, or data.zip, or its unpacked folder,",
    get="https://archive.ics.uci.edu/dataset/256/daily+and+sports+activities",
    licence="CC BY 4.0",
    downloads=(
        Download(
            "https://archive.ics.uci.edu/static/public/256/daily+and+sports+activities.zip",
            "daily+and+sports+activities.zip",
        ),
    ),
    published=Counts(series=8, train_steps=5_880_000, test_steps=1_140_000, anomalous_steps=300_000, events=24),
    pattern=re.compile(r"a(0[1-9]|1[0-9])/p([1-8])/s([0-5][0-9]|60)\.txt"),
)
_ACTIVITIES = {
    1: "sitting",
    2: "standing",
    3: "lying on the back",
    4: "lying on the right side",
    5: "ascending stairs",
    6: "descending stairs",
    7: "standing in an elevator",
    8: "moving around in an elevator",
    9: "walking in a parking lot",
    10: "walking on a flat treadmill",
    11: "walking on an inclined treadmill",
    12: "running on a treadmill",
    13: "exercising on a stepper",
    14: "exercising on a cross trainer",
    15: "cycling in horizontal position",
    16: "cycling in vertical position",
    17: "rowing",
    18: "jumping",
    19: "playing basketball",
}
_STEPS = 125
_CHANNELS = tuple(
    f"{place}_{sensor}_{axis}"
    for place, sensor, axis in itertools.product(
        ("torso", "right-arm", "left-arm", "right-leg", "left-leg"), ("acc", "gyro", "mag"), "xyz"
    )
)
Split = Literal["subject", "time", "authors"]


@dataset(_WINDOWS)
def dsads(
    *,
    home: Path | None = None,
    split: Split = "subject",
    abnormal: str = "5,6,12,18,19",
    train_share: Annotated[float, Gt(0), Lt(1)] = 0.6,
    seed: Annotated[int, Ge(0)] = 0,
) -> Mapping[str, Callable[[], Series]]:
    """Return series of 45 channels, 25 steps a second, whose segments are the 5 seconds of a file each.

    `home` is the data home, by default ``TSAD_DATA``; it may hold some of the eight subjects. The
    data set is one of activities: `abnormal` are ascending (5) and descending stairs (6), running
    (12), jumping (18) and basketball (19), as AMSL's authors have it; the 14 others are normal.

    `split` says what is trained on:

    - ``subject``: one series for each subject, ``p1`` to ``p8``. Trained on is what the others do
      normally, tested all that the subject does. No one is in both parts.
    - ``time``: one series for each subject, trained on the first `train_share` of each of its
      normal activities, tested on their rest and on what is abnormal.
    - ``authors``: one series, ``all``. The normal segments of everybody are shuffled, by `seed`,
      and `train_share` of them are trained on; tested are the others, then all that is abnormal.
      Neighbours of a training segment are in the test part, and nearly its copies: the published
      numbers are of such a split.

    Segments stand in the order of activities where they are not shuffled, so that an event is a
    run of abnormal activities.
    """
    wrong = chosen(abnormal, _ACTIVITIES, option="dsads.abnormal")
    files = {_Window(int(p), int(a), int(s)): file for (a, p, s), file in find_files(home, _WINDOWS).items()}
    subjects = {window.subject for window in files}
    if split == "subject" and len(subjects) == 1:
        lack = (
            f"of dsads only subject {subjects.pop()} is here: split = 'subject' needs another; without, there are"
            " dsads.split=time and dsads.split=authors"
        )
        raise missing(home, _WINDOWS, lack=lack)
    parts = _parts(sorted(files), wrong, split, train_share, seed)
    read = functools.partial(_read, files, abnormal=wrong)
    return {name: functools.partial(read, name, *windows) for name, windows in parts.items()}


class _Window(NamedTuple):
    """Where a segment comes from; each is counted from 1."""

    subject: int
    activity: int
    number: int


_Parts = tuple[list[_Window], list[_Window]]
"""What is trained on, and what is tested."""


def _parts(
    windows: list[_Window], wrong: frozenset[int], split: Split, train_share: float, seed: int
) -> dict[str, _Parts]:
    normal = [window for window in windows if window.activity not in wrong]
    if split == "authors":
        return {"all": _shuffled(normal, train_share, seed, [w for w in windows if w.activity in wrong])}
    subjects = sorted({window.subject for window in windows})
    trained = {
        subject: [window for window in normal if window.subject != subject]
        if split == "subject"
        else _earlier([window for window in normal if window.subject == subject], train_share)
        for subject in subjects
    }
    return {f"p{subject}": (trained[subject], _left(windows, subject, trained[subject])) for subject in subjects}


def _shuffled(normal: list[_Window], share: float, seed: int, abnormal: list[_Window]) -> _Parts:
    mixed = [normal[place] for place in np.random.default_rng(seed).permutation(len(normal))]
    middle = round(share * len(mixed))
    return mixed[:middle], mixed[middle:] + abnormal


def _earlier(normal: list[_Window], share: float) -> list[_Window]:
    """Return the first segments of each activity."""
    activities = [list(group) for _, group in itertools.groupby(normal, key=lambda window: window.activity)]
    return [window for group in activities for window in group[: round(share * len(group))]]


def _left(windows: list[_Window], subject: int, trained: list[_Window]) -> list[_Window]:
    taken = set(trained)
    return [window for window in windows if window.subject == subject and window not in taken]


def _read(
    files: Mapping[_Window, DataFile], name: str, train: list[_Window], test: list[_Window], *, abnormal: frozenset[int]
) -> Series:
    if not (train and test):
        raise DataError(
            f"dsads {name}: the files that are here hold nothing to {'test' if train else 'train on'}; get all of them"
        )
    return Series(
        name=name,
        train_TC=_values(files, train),
        test_TC=_values(files, test),
        labels_T=np.repeat([window.activity in abnormal for window in test], _STEPS),
        event_kinds=_kinds(test, abnormal),
        channels=_CHANNELS,
        sampling_period=0.04,
        train_starts=_starts(train),
        test_starts=_starts(test),
    )


def _values(files: Mapping[_Window, DataFile], windows: list[_Window]) -> Array:
    """Return the segments one after the other, read in the order of their files."""
    order = sorted(range(len(windows)), key=lambda place: str(files[windows[place]]))
    values_BLC = np.empty((len(windows), _STEPS, len(_CHANNELS)), dtype=np.float32)
    chosen_files = [files[windows[place]] for place in order]
    for place, file, values_LC in zip(order, chosen_files, read_tables(chosen_files), strict=True):
        if values_LC.shape != values_BLC.shape[1:]:
            raise DataError(f"{file} holds {values_LC.shape} values; expected {values_BLC.shape[1:]}; get it again")
        values_BLC[place] = values_LC
    return values_BLC.reshape(-1, len(_CHANNELS))


def _starts(windows: list[_Window]) -> tuple[int, ...]:
    return tuple(range(0, _STEPS * len(windows), _STEPS))


def _kinds(test: list[_Window], abnormal: frozenset[int]) -> tuple[str, ...]:
    """Return for each run of abnormal segments which activities they are of."""
    runs = itertools.groupby(test, key=lambda window: window.activity in abnormal)
    activities = [dict.fromkeys(window.activity for window in run) for wrong, run in runs if wrong]
    return tuple(", ".join(_ACTIVITIES[activity] for activity in run) for run in activities)
