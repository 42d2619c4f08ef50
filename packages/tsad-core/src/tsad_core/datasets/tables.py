"""Tables of numbers in files, read by pandas; what is broken is one line that names file, row and column."""

import csv
import functools
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal, cast

import numpy as np

from tsad_core.datasets.home import DataFile
from tsad_core.errors import DataError
from tsad_core.series import Array

Frame = Any
"""A pandas frame whose index says in which row of the file each of its rows stands."""
Column = Any
"""A column of such a frame."""
Fill = Literal["keep", "forward", "interpolate"]
"""What to do with missing values."""

_UNREADABLE = (OSError, EOFError, zlib.error)
_AGAIN = "get it again"


def _again(_: str) -> str:
    return _AGAIN


@dataclass(frozen=True)
class TextTable:
    """A table in a text file, UTF-8."""

    name: str
    """The file as errors name it."""
    open: Callable[[], BinaryIO]
    separator: str = ""
    """What parts the columns; if empty, the one of comma, semicolon and tab that the header holds most often."""
    decimal: str = "."
    skip: int = 0
    """How many rows to skip before the header."""
    header: tuple[str, ...] = ()
    """The names of the columns of a file that has no header."""

    @classmethod
    def of(cls, file: DataFile, **options: Any) -> "TextTable":
        """Return the table of a file of the data home."""
        content = file.read()
        return cls(str(file), lambda: io.BytesIO(content), **options)

    @functools.cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns; nothing else is read. A column without a name is called ``column 1``."""
        try:
            return self.header or _names(self.name, next(csv.reader([self._first], **self._dialect), []))
        except csv.Error as error:
            raise DataError(f"{self.name}, row 1: it names no columns ({error})") from error

    def frame(self, *, only: Collection[str] | None = None, text: Collection[str] = ()) -> Frame:
        """Return all rows, or some columns of them; the columns in `text` stay as they are written."""
        import pandas as pd

        first = self.skip + (1 if self.header else 2)
        with self._readable(), self.open() as stream:
            frame = pd.read_csv(
                stream,
                sep=self._separator,
                decimal=self.decimal,
                names=list(self.columns),
                header=None,
                skiprows=first - 1,
                usecols=only,
                index_col=False,
                # with decimal commas pandas would still take 1.234 for a number a little above 1
                dtype=str if self.decimal == "," else dict.fromkeys(text, str),
                skipinitialspace=True,
                # a blank line may be a missing value, and rows must keep their numbers
                skip_blank_lines=False,
                low_memory=False,
                encoding="utf-8-sig",
            )
        frame.index = pd.RangeIndex(first, first + len(frame), name="row")
        if only is None and frame.iloc[:, -1].hasnans:
            self._check_widths()
        return _nonempty(self.name, _without_tail(frame))

    @functools.cached_property
    def _first(self) -> str:
        with self._readable(), self.open() as lines:
            for _ in range(self.skip):
                lines.readline()
            return lines.readline().decode("utf-8-sig")

    @functools.cached_property
    def _separator(self) -> str:
        bare = re.sub(r'"[^"]*"', "", self._first)
        return self.separator or max((",", ";", "\t"), key=bare.count)

    @property
    def _dialect(self) -> dict[str, Any]:
        return {"delimiter": self._separator, "skipinitialspace": True}

    @contextmanager
    def _readable(self) -> Iterator[None]:
        from pandas.errors import EmptyDataError, ParserError, ParserWarning

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ParserWarning)
                yield
        except UnicodeDecodeError as error:
            message = (
                f"{self.name} is not UTF-8 text: it holds the byte {error.object[error.start]:#04x}; save it as UTF-8"
            )
            raise DataError(message) from error
        except EmptyDataError as error:
            raise DataError(f"{self.name} holds no row of values") from error
        except (ParserError, ParserWarning) as error:
            self._check_widths()
            raise DataError(f"{self.name} is not a table: {str(error).strip()}") from error
        except _UNREADABLE as error:
            raise DataError(f"{self.name} cannot be read ({error}); {_AGAIN}") from error

    def _check_widths(self) -> None:
        # of what is not even text, or one endless value, pandas says more
        text = io.TextIOWrapper(self.open(), encoding="utf-8-sig", errors="replace", newline="")
        with text as lines, suppress(csv.Error):
            rows = csv.reader(lines, **self._dialect)
            for row in rows:
                if row and rows.line_num > self.skip and len(row) != len(self.columns):
                    raise DataError(
                        f"{self.name}, row {rows.line_num}: it holds {len(row)} values for {len(self.columns)} columns"
                    )


@dataclass(frozen=True)
class ParquetTable:
    """A table in a parquet file; its rows count from 1."""

    path: Path
    decimal: ClassVar[str] = "."

    @property
    def name(self) -> str:
        """The file as errors name it."""
        return str(self.path)

    @functools.cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns; nothing else is read."""
        with self._readable():
            from pyarrow import parquet

            return _names(self.name, parquet.read_schema(self.path).names)

    def frame(self, *, only: Collection[str] | None = None, text: Collection[str] = ()) -> Frame:
        """Return all rows, or some columns of them; the columns in `text` become text."""
        with self._readable():
            from pyarrow import parquet

            # an index that pandas stored is a column like any other
            frame = parquet.read_table(self.path, columns=only and list(only)).to_pandas(ignore_metadata=True)
        frame.columns = [str(column).strip() for column in frame.columns]
        frame.index = frame.index.rename("row") + 1
        kept = [column for column in frame.columns if column in text]
        return _nonempty(self.name, frame.astype(dict.fromkeys(kept, "str")))

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except ImportError as error:
            raise DataError(f"{self.path}: parquet needs pyarrow; install tsad-core[parquet]") from error
        except (OSError, ValueError) as error:  # what pyarrow raises of a broken file is a ValueError
            raise DataError(f"{self.path} is not a whole parquet file ({str(error).splitlines()[0]})") from error


Table = TextTable | ParquetTable


def open_table(path: Path, *, separator: str = "", decimal: str = ".") -> Table:
    """Return the table in a file whose suffix says what it is; nothing is read."""
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if path.name.lower().endswith(".parquet"):
        return ParquetTable(path)
    if suffix not in {"csv", "tsv"}:
        raise DataError(f"{path}: expected .csv, .tsv (also with .gz) or .parquet; save it as one of them")
    separator = separator or ("\t" if suffix == "tsv" else "")
    return TextTable(str(path), functools.partial(_opened, path), separator, decimal)


def fault(table: str, values: Column, position: int, message: str) -> DataError:
    """Return the error of one value of a column, by its position."""
    index = values.index
    return DataError(f"{table}, {index.name} {index[position]}, column {values.name!r}: {message}")


def numbers(table: str, frame: Frame, *, decimal: str = ".", hint: Callable[[str], str] = _again) -> Array:
    """Return the values of a frame, float64; text and what float32 cannot hold are errors, a missing value is NaN.

    `decimal` is what parts the decimals where a column is text, `hint` says what to do about a text.
    """
    columns = {name: _converted(table, frame[name], decimal, hint) for name in frame.columns}
    values_TC: Array = frame.assign(**columns).to_numpy(np.float64, na_value=np.nan)
    too_large_TC = np.abs(values_TC) > np.finfo(np.float32).max
    if too_large_TC.any():
        step, channel = np.argwhere(too_large_TC)[0]
        message = f"{values_TC[step, channel]} is infinite or too large for float32"
        raise fault(table, frame.iloc[:, channel], step, message)
    return values_TC


def complete_numbers(table: str, frame: Frame) -> Array:
    """Return the values of a frame, float64, of which none may be missing."""
    values_TC = numbers(table, frame)
    if np.isnan(values_TC).any():
        raise missing_fault(table, frame, values_TC, _AGAIN)
    return values_TC


def missing_fault(table: str, frame: Frame, values_TC: Array, hint: str) -> DataError:
    """Return the error of the first value that is missing."""
    step, channel = np.argwhere(np.isnan(values_TC))[0]
    return fault(table, frame.iloc[:, channel], step, f"it has no value; {hint}")


def check_known(where: str, values_TC: Array, channels: Sequence[str], *, hint: str = _AGAIN) -> None:
    """Refuse a part in which a channel has no value at all."""
    unknown_C = np.isnan(values_TC).all(axis=0)
    if unknown_C.any():
        raise DataError(f"{where}: column {channels[int(unknown_C.argmax())]!r} has no value at all; {hint}")


def fill(values_TC: Array, how: Fill) -> Array:
    """Return a part with its missing values filled; leading ones take the first known value."""
    import pandas as pd

    frame = pd.DataFrame(values_TC)
    if how == "forward":
        frame = frame.ffill().bfill()
    if how == "interpolate":
        frame = frame.interpolate(limit_direction="both")
    filled_TC: Array = frame.to_numpy()
    return filled_TC


def text_columns(frame: Frame) -> list[str]:
    """Return the names of the columns of which no value is a number, be it one with a decimal comma."""
    from pandas import to_numeric
    from pandas.api.types import is_numeric_dtype

    texts = [frame[name].dropna().astype("str") for name in frame.columns if not is_numeric_dtype(frame[name])]
    return [
        text.name
        for text in texts
        if len(text) and to_numeric(text.str.replace(",", "."), errors="coerce").isna().all()
    ]


def _opened(path: Path) -> BinaryIO:
    if path.name.lower().endswith(".gz"):
        return cast("BinaryIO", gzip.GzipFile(path))
    return path.open("rb")


def _converted(table: str, values: Column, decimal: str, hint: Callable[[str], str]) -> Column:
    from pandas import to_numeric
    from pandas.api.types import is_numeric_dtype

    if is_numeric_dtype(values):
        return values
    # text: perhaps only because of a row that is not asked for here
    texts = values.astype("str")
    if decimal == ",":
        texts = texts.where(~texts.str.contains(".", regex=False), "with a point").str.replace(",", ".")
    converted = to_numeric(texts, errors="coerce")
    wrong_T = (converted.isna() & values.notna()).to_numpy()
    if wrong_T.any():
        position = int(wrong_T.argmax())
        text = str(values.iloc[position])
        raise fault(table, values, position, f"{text!r} is not a number; {hint(text)}")
    return converted


def _names(table: str, given: Sequence[str]) -> tuple[str, ...]:
    if not any(name.strip() for name in given):
        raise DataError(f"{table} is empty, or its header is")
    if all(re.fullmatch(r"\s*[+-]?[\d.]+(e[+-]?\d+)?\s*", name, re.IGNORECASE) for name in given):
        raise DataError(f"{table}, row 1: it holds numbers; give the columns names there")
    names = tuple(name.strip() or f"column {number}" for number, name in enumerate(given, 1))
    double = [name for name in names if names.count(name) > 1]
    if double:
        raise DataError(f"{table}, row 1: two columns are named {double[0]!r}")
    return names


def _without_tail(frame: Frame) -> Frame:
    """Drop what is blank at the end of a file."""
    filled = (
        np.flatnonzero(frame.notna().any(axis=1).to_numpy()) if len(frame) and frame.iloc[-1].isna().all() else None
    )
    return frame if filled is None else frame.iloc[: filled.max(initial=-1) + 1]


def _nonempty(table: str, frame: Frame) -> Frame:
    if not len(frame):
        raise DataError(f"{table} holds no row of values")
    return frame
