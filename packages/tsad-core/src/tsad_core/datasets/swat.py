"""Secure Water Treatment (Goh et al., CRITIS 2016): 51 sensors and actuators of a plant under attack, each second."""

import functools
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from tsad_core.dataset import Collection, Counts, dataset
from tsad_core.datasets.home import DataFile, find_files, missing
from tsad_core.datasets.tables import Column, Frame, TextTable, complete_numbers, fault
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_PLANT = Collection(
    title="Secure Water Treatment (SWaT.A1 & A2, December 2015)",
    folder="swat",
    put="SWaT_Dataset_Normal_v1.csv (or _v0) and SWaT_Dataset_Attack_v0.csv, saved as CSV from the .xlsx,",
    get="https://itrust.sutd.edu.sg/itrust-labs_datasets/ (on request)",
    licence="by agreement with iTrust; not to be passed on",
    # of version 1 of the normal days; version 0 has half an hour, 1,800 rows, more
    published=Counts(series=1, train_steps=495_000, test_steps=449_919),
    pattern=re.compile(r"SWaT_Dataset_(Normal|Attack)_v(\d)[^/]*\.(?i:(csv|xlsx))"),
)
_LABELS = ("Normal/Attack", "Normal")
_CHANNELS = 51


@dataset(_PLANT)
def swat(*, home: Path | None = None, warm_up: Annotated[int, Ge(0)] = 0) -> Mapping[str, Callable[[], Series]]:
    """Return the one series, ``swat``: seven normal days are the training part, four days with attacks the test part.

    `home` is the data home, by default ``TSAD_DATA``. Where several versions of a file lie there,
    the newest is read. `warm_up` drops that many of the first training rows: the plant started
    empty and took about 5 hours to settle, so many drop 21,600 rows; here none is by default.

    The files are CSV as people save them from the .xlsx: with commas or semicolons, with decimal
    points or commas, with or without the row above the header, and with labels spelt ``A ttack``.

    Written from the official description and tested on small files in that form; it has not met
    the real files yet.
    """
    files = find_files(home, _PLANT)
    tables = {part: file for (part, _, kind), file in sorted(files.items()) if kind.lower() == "csv"}
    if len(tables) < 2:
        raise missing(home, _PLANT)
    return {"swat": functools.partial(_read, tables["Normal"], tables["Attack"], warm_up)}


def _read(normal: DataFile, attack: DataFile, warm_up: int) -> Series:
    train_TC, train_labels_T, channels = _part(normal)
    test_TC, labels_T, test_channels = _part(attack)
    if test_channels != channels:
        raise DataError(f"{attack} has other columns than {normal}; get both again")
    if warm_up >= len(train_TC):
        raise DataError(f"swat.warm_up = {warm_up} of {len(train_TC)} rows leaves no training part")
    return Series(
        name="swat",
        train_TC=train_TC[warm_up:],
        test_TC=test_TC,
        labels_T=labels_T,
        train_labels_T=train_labels_T[warm_up:],
        channels=channels,
        sampling_period=1.0,
    )


def _part(file: DataFile) -> tuple[Array, Array, tuple[str, ...]]:
    table = TextTable.of(file)
    table = replace(table, skip=_rows_above(table))
    frame = table.frame()
    values = frame.iloc[:, 1:-1]
    if frame.columns[0] != "Timestamp" or frame.columns[-1] not in _LABELS or values.shape[1] != _CHANNELS:
        wanted = f"Timestamp, {_CHANNELS} channels and {_LABELS[0]}"
        raise DataError(f"{file} has {frame.shape[1]} columns; expected {wanted}; save it again")
    values_TC = complete_numbers(table.name, _with_points(values))
    return values_TC, _attacked(table.name, frame.iloc[:, -1]), tuple(values.columns)


def _rows_above(table: TextTable) -> int:
    """Return how many rows stand above the header."""
    with table.open() as lines:
        for row, line in enumerate(itertools.islice(lines, 5)):
            if b"Timestamp" in line:
                return row
    raise DataError(f"{table.name} has no column Timestamp; save it again from the .xlsx")


def _with_points(values: Frame) -> Frame:
    """Replace decimal commas in the columns that were read as text because of them."""
    from pandas import to_numeric
    from pandas.api.types import is_numeric_dtype

    pointed = values.copy()
    for column in values.columns:
        if not is_numeric_dtype(values[column]):
            texts = values[column].str.replace(",", ".")
            as_numbers = to_numeric(texts, errors="coerce")
            # where something else is wrong, the text stays, to be named
            pointed[column] = as_numbers if as_numbers.notna().equals(texts.notna()) else texts
    return pointed


def _attacked(name: str, labels: Column) -> Array:
    spelt = labels.astype("str").str.replace(" ", "").str.lower()
    wrong_T = ~spelt.isin(["normal", "attack"]).to_numpy()
    if wrong_T.any():
        row = int(wrong_T.argmax())
        raise fault(name, labels, row, f"{str(labels.iloc[row])!r} is neither Normal nor Attack")
    attacked_T: Array = (spelt == "attack").to_numpy()
    return attacked_T
