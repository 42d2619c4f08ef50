"""What data sets read: numbers, tables, text, arrays; whatever is broken is one `DataError` that names the file."""

import csv
import io
import math
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.lib import format as npy

from tsad_core.datasets.home import DataFile, contents
from tsad_core.errors import DataError
from tsad_core.series import Array

_Line = tuple[int, list[bytes]]
"""The number of a line of a file, counted from 1, and the values in it."""

# what numpy raises over damaged headers and lengths
_NOT_NPY = (
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    OverflowError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)


def read_values(file: DataFile) -> Array:
    """Return the numbers of a file, float64, parted by any white space."""
    content = file.read()
    try:
        values_T = np.array(content.split(), dtype=np.float64)
    except ValueError as error:
        fault = _first_fault(_lines(content, bytes.split), even=False) or error
        raise DataError(f"{file} holds what is not a number: {fault}") from error
    return _finite_in(file, values_T, _lines(content, bytes.split))


def read_table(file: DataFile) -> Array:
    """Return the rows of comma-separated numbers of a file, float64."""
    return _table(file, file.read(), skip=0)


def read_tables(files: Sequence[DataFile]) -> Iterator[Array]:
    """Yield the rows of comma-separated numbers of each file, float64."""
    for file, content in zip(files, contents(files), strict=True):
        yield _table(file, content, skip=0)


def read_headed_table(file: DataFile) -> tuple[list[str], Array]:
    """Return the names in the first line of a file and the rows of comma-separated numbers below, float64."""
    content = file.read()
    header, _, rows = content.lstrip().partition(b"\n")
    names = [name.strip() for name in header.decode("utf-8-sig", errors="replace").split(",")]
    if not rows.strip():
        raise DataError(f"{file} holds no rows below its header; get it again")
    table_TC = _table(file, content, skip=content.count(b"\n") - rows.count(b"\n"))
    if len(names) != table_TC.shape[1]:
        raise DataError(f"{file} names {len(names)} columns, but its rows have {table_TC.shape[1]}; get it again")
    return names, table_TC


def read_text(file: DataFile) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark."""
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not text in UTF-8 ({error}); get it again") from error


def read_rows(file: DataFile, *columns: str) -> list[tuple[int, list[str]]]:
    """Return what stands in the named columns of a CSV file: for each row the number of its line and the texts."""
    reader = csv.reader(io.StringIO(read_text(file), newline=""))
    try:
        header = next(reader, [])
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{file}: line {reader.line_num} is not CSV: {error}") from error
    at = _places(file, header, columns)
    if not rows:
        raise DataError(f"{file} holds no rows below its header; get it again")
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(f"{file}: line {line} has {len(row)} columns; the first line names {len(header)}")
    return [(line, [row[place] for place in at]) for line, row in rows]


def read_npy(file: DataFile, *, axes: int = 2) -> Array:
    """Return the numbers of a file in numpy's own format; what would need unpickling is refused."""
    try:
        values = npy.read_array(io.BytesIO(file.read()), allow_pickle=False)
    except _NOT_NPY as error:
        raise DataError(f"{file} is not an npy file of numbers: {' '.join(str(error).split())}") from error
    return check_numbers(file, values, axes=axes)


def check_numbers(file: DataFile, values: Array, *, axes: int) -> Array:
    """Return an array as it is; raise `DataError` unless it holds finite numbers along so many axes."""
    if values.dtype.kind not in "biuf":
        raise DataError(f"{file} holds values of type {values.dtype}; expected numbers")
    if values.ndim != axes or not values.size:
        raise DataError(f"{file} holds an array of shape {values.shape}; expected {axes} axes, none of length 0")
    return _finite(file, values)


def check_labels(file: DataFile, labels_T: Array, *, steps: int) -> Array:
    """Return labels as bool; raise `DataError` unless they are zeros and ones, one a step."""
    if len(labels_T) != steps:
        raise DataError(f"{file} holds {len(labels_T)} labels for {steps} steps; get it again")
    if not np.isin(labels_T, (0, 1)).all():
        raise DataError(f"{file} holds labels other than 0 and 1; get it again")
    return labels_T.astype(bool)


def check_widths(train: DataFile, train_TC: Array, test: DataFile, test_TC: Array) -> None:
    """Raise `DataError` unless the training and the test part have as many channels."""
    if train_TC.shape[1] != test_TC.shape[1]:
        raise DataError(f"{test} has {test_TC.shape[1]} channels, but {train} has {train_TC.shape[1]}; get them again")


def _table(file: DataFile, content: bytes, *, skip: int) -> Array:
    try:
        table_TC = np.loadtxt(io.BytesIO(content), delimiter=",", ndmin=2, comments=None, skiprows=skip)
    except ValueError as error:
        # numpy names rows, some from 0 and some from 1, and does not count the header or what is blank
        fault = _first_fault(_lines(content, _cells, skip=skip), even=True) or error
        raise DataError(f"{file} is not a table of numbers: {fault}") from error
    return _finite_in(file, table_TC, _lines(content, _cells, skip=skip))


def _cells(line: bytes) -> list[bytes]:
    return line.split(b",") if line else []


def _lines(content: bytes, part: Callable[[bytes], list[bytes]], *, skip: int = 0) -> Iterator[_Line]:
    """Give each line that holds values, below so many; nothing is done before the first is asked for."""
    for number, line in enumerate(content.splitlines(), 1):
        if number > skip and part(line):
            yield number, part(line)


def _first_fault(lines: Iterable[_Line], *, even: bool) -> str | None:
    """Return which line holds something other than numbers or, if all must be even, more or fewer than the first."""
    width = None
    for number, values in lines:
        width = width or len(values)
        if even and len(values) != width:
            return f"line {number} has {len(values)} columns; those above have {width}"
        wrong = next((value for value in values if not _is_number(value)), None)
        if wrong is not None:
            return f"line {number} holds {wrong.strip().decode('latin-1')!a}"
    return None


def _is_number(value: bytes) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    # Python parts digits so, and files do not
    return b"_" not in value


def _finite_in(file: DataFile, values: Array, lines: Iterable[_Line]) -> Array:
    """Return the values of a file's lines as they are; raise `DataError` unless they are finite."""
    if not np.isfinite(values).all():
        number = next(number for number, texts in lines if not all(map(math.isfinite, map(float, texts))))
        raise DataError(f"{file} holds a value that is not finite in line {number}")
    return values


def _places(file: DataFile, header: list[str], columns: Iterable[str]) -> list[int]:
    for name in columns:
        if name not in header:
            raise DataError(f"{file} has no column {name!r}; its first line names: {', '.join(header) or 'none'}")
    return [header.index(name) for name in columns]


def _finite(file: DataFile, values: Array) -> Array:
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise DataError(f"{file} holds a value that is not finite in row {row + 1}")
    return values
