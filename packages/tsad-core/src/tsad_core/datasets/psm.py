"""Pooled Server Metrics (Abdulaal et al., KDD 2021): one series of 25 channels, a minute a step, from eBay."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from tsad_core.dataset import Collection, Counts, dataset
from tsad_core.datasets.home import DataFile, find_files, missing
from tsad_core.datasets.tables import Frame, TextTable, check_known, complete_numbers, fault, fill, numbers
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_METRICS = Collection(
    title="the Pooled Server Metrics",
    folder="psm",
    put="train.csv, test.csv and test_label.csv",
    get="https://github.com/eBay/RANSynCoders",
    licence="CC BY 4.0",
    published=Counts(series=1, train_steps=132_481, test_steps=87_841),
    pattern=re.compile(r"(train|test|test_label)\.csv"),
)
_TIME = "timestamp_(min)"
_CHANNELS = 25


@dataset(_METRICS)
def psm(
    *, home: Path | None = None, fill_missing: Literal["forward", "keep"] = "forward"
) -> Mapping[str, Callable[[], Series]]:
    """Return the one series, ``psm``, a step a minute.

    `home` is the data home, by default ``TSAD_DATA``. The training file lacks values: ``forward``
    repeats the last known one (leading ones take the first), in each part separately; ``keep``
    leaves them missing. Published numbers differ in this: many set 0 or each channel's lowest value.

    Written from the official description and tested on small files in that form; it has not met
    the real files yet.
    """
    files = find_files(home, _METRICS)
    if len(files) < 3:
        raise missing(home, _METRICS)
    return {"psm": functools.partial(_read, files, fill_missing)}


def _read(files: Mapping[tuple[str, ...], DataFile], how: Literal["forward", "keep"]) -> Series:
    train, test, labels = (_table(files[part,]) for part in ("train", "test", "test_label"))
    (train_TC, channels), (test_TC, test_channels) = _values(*train, how), _values(*test, how)
    if test_channels != channels:
        raise DataError(f"{test[0]} has other columns than {train[0]}; get it again")
    return Series(
        name="psm",
        train_TC=train_TC,
        test_TC=test_TC,
        labels_T=_labels(*labels, test[1]),
        channels=channels,
        sampling_period=60.0,
        missing=bool(np.isnan(train_TC).any() or np.isnan(test_TC).any()),
    )


def _table(file: DataFile) -> tuple[str, Frame]:
    table = TextTable.of(file)
    if _TIME not in table.columns:
        raise DataError(f"{file} has no column {_TIME!r}; get it again")
    return table.name, table.frame()


def _values(name: str, frame: Frame, how: Literal["forward", "keep"]) -> tuple[Array, tuple[str, ...]]:
    values = frame.drop(columns=_TIME)
    if values.shape[1] != _CHANNELS:
        raise DataError(f"{name} has {values.shape[1]} channels; expected {_CHANNELS}; get it again")
    values_TC = numbers(name, values)
    check_known(name, values_TC, values.columns)
    return fill(values_TC, how), tuple(values.columns)


def _labels(name: str, labels: Frame, test: Frame) -> Array:
    if len(labels) != len(test):
        raise DataError(f"{name} holds {len(labels)} labels for {len(test)} steps; get it again")
    if not np.array_equal(labels[_TIME], test[_TIME]):
        raise DataError(f"{name} holds other times than the test file; get both again")
    marks = labels.drop(columns=_TIME)
    if marks.shape[1] != 1:
        raise DataError(f"{name} has {marks.shape[1]} columns beside {_TIME!r}; expected one of labels; get it again")
    labels_T = complete_numbers(name, marks)[:, 0]
    wrong_T = ~np.isin(labels_T, (0, 1))
    if wrong_T.any():
        step = int(wrong_T.argmax())
        raise fault(name, marks.iloc[:, 0], step, f"{labels_T[step]:g} is no label; expected 0 or 1; get it again")
    return labels_T
