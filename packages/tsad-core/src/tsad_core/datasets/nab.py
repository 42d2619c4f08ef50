"""Numenta Anomaly Benchmark (Lavin and Ahmad, ICMLA 2015): 58 series of one channel, with windows of time as labels."""

import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from pydantic import NaiveDatetime, TypeAdapter, ValidationError

from tsad_core.dataset import Collection, Counts, Download, dataset
from tsad_core.datasets.home import DataFile, find_files
from tsad_core.datasets.reading import check_numbers, read_rows
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_NAB = Collection(
    title="the Numenta Anomaly Benchmark",
    folder="nab",
    put="the folders data and labels, or a zip of them,",
    get="https://github.com/numenta/NAB",
    licence="MIT",
    downloads=(Download("https://github.com/numenta/NAB/archive/refs/heads/master.zip", "NAB-master.zip"),),
    published=Counts(series=58, events=116),
    # results of detectors lie in folders of the same names, but not below data
    pattern=re.compile(r"data/((?:artificial|real)[^/]*/[^/.][^/]*)\.csv"),
)
_LABELS = replace(
    _NAB,
    title="labels/combined_windows.json",
    put="labels/combined_windows.json",
    pattern=re.compile(r"labels/combined_windows\.json"),
)
_Window = tuple[datetime, datetime]
_WINDOWS = TypeAdapter(dict[str, list[tuple[NaiveDatetime, NaiveDatetime]]])


@dataset(_NAB)
def nab(*, home: Path | None = None) -> Mapping[str, Callable[[], Series]]:
    """Return the series in the order of their paths, named as ``realKnownCause-nyc_taxi``.

    `home` is the data home, by default ``TSAD_DATA``. The benchmark's probationary part, the
    first 15 % and at most 750 steps, is the training part. Windows count both ends. A step is a
    row, in the order of the file: some files have gaps, some repeat an hour, one steps back in
    time, and nothing is filled in or sorted. The sampling period is the median over the rows.
    """
    files = sorted(find_files(home, _NAB).items())
    (labels,) = find_files(home, _LABELS).values()
    return {key.replace("/", "-"): functools.partial(_read, key, file, labels) for (key,), file in files}


def _read(key: str, file: DataFile, labels: DataFile) -> Series:
    rows = [row for _, row in read_rows(file, "timestamp", "value")]
    times_T = _times(file, [time for time, _ in rows])
    values_TC = _values(file, [value for _, value in rows])[:, None]
    labels_T = _marks(file, times_T, _windows(labels, f"{key}.csv"))
    split = _probation(file, len(rows))
    return Series(
        name=key.replace("/", "-"),
        train_TC=values_TC[:split],
        test_TC=values_TC[split:],
        labels_T=labels_T[split:],
        train_labels_T=labels_T[:split],
        channels=("value",),
        sampling_period=float(np.median(np.diff(times_T) / np.timedelta64(1, "s"))),
    )


def _probation(file: DataFile, steps: int) -> int:
    split = min(math.floor(0.15 * steps), 750)
    if not split:
        raise DataError(f"{file} holds {steps} rows; 7 are the fewest with a training part; get it again")
    return split


def _times(file: DataFile, texts: list[str]) -> Array:
    try:
        times_T = np.array(texts, dtype="datetime64[us]")
    except ValueError as error:
        raise DataError(f"{file} holds what is not a time: {error}") from error
    if np.isnat(times_T).any():
        raise DataError(f"{file} holds no time in row {int(np.isnat(times_T).argmax()) + 1}; get it again")
    return times_T


def _values(file: DataFile, texts: list[str]) -> Array:
    try:
        values_T = np.array(texts, dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{file} holds what is not a number: {error}") from error
    return check_numbers(file, values_T, axes=1)


def _windows(file: DataFile, key: str) -> list[_Window]:
    try:
        windows = _WINDOWS.validate_json(file.read())
    except ValidationError as error:
        fault = error.errors()[0]
        where = "".join(f"[{part!r}]" for part in fault["loc"])
        raise DataError(f"{file} is not a JSON file of windows: {fault['msg']} {where}".rstrip()) from error
    if key not in windows:
        raise DataError(f"{file} says nothing of {key}; get it again, or take that series away")
    return windows[key]


def _marks(file: DataFile, times_T: Array, windows: list[_Window]) -> Array:
    labels_T = np.zeros(len(times_T), dtype=bool)
    for start, end in windows:
        inside_T = (times_T >= np.datetime64(start)) & (times_T <= np.datetime64(end))
        if not inside_T.any():
            raise DataError(f"{file} has no row in the labelled window from {start} to {end}; get it again")
        labels_T |= inside_T
    return labels_T
