"""Your own series, from a CSV or parquet file."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt

from tsad_core.datasets import timeline
from tsad_core.datasets.tables import (
    Column,
    Fill,
    Frame,
    Table,
    check_known,
    fault,
    fill,
    missing_fault,
    numbers,
    open_table,
    text_columns,
)
from tsad_core.datasets.timeline import Gaps
from tsad_core.errors import DataError, MissingDataError, OptionError, did_you_mean
from tsad_core.series import Array, Series

Form = Literal["wide", "long"]
Missing = Literal["refuse", Fill]
_SEPARATORS = {"auto": "", "comma": ",", "semicolon": ";", "tab": "\t"}
_DECIMALS = {"point": ".", "comma": ","}
_LABELS = {"label", "labels", "is_anomaly", "anomaly"}
"""What people call the column that says what is anomalous."""
_MARKS = {"0": 0, "0.0": 0, "false": 0, "normal": 0, "1": 1, "1.0": 1, "true": 1, "anomaly": 1}


def csv(
    *,
    path: str = "",
    form: Form = "wide",
    time: str = "",
    label: str = "",
    series: str = "",
    channel: str = "channel",
    value: str = "value",
    ignore: str = "",
    train_share: Annotated[float, Gt(0), Lt(1)] = 0.5,
    train_rows: Annotated[int, Ge(0)] = 0,
    gaps: Gaps = "segment",
    missing: Missing = "refuse",
    delimiter: Literal["auto", "comma", "semicolon", "tab"] = "auto",
    decimal: Literal["point", "comma"] = "point",
    time_format: str = "",
) -> Mapping[str, Callable[[], Series]]:
    """Return the series in your file: its first rows are the training part, the rest is the test part.

    A file has a header and is in UTF-8. Each column that no option names is a channel and holds numbers; one
    that is called ``label``, ``labels``, ``anomaly`` or ``is_anomaly`` and holds 0 and 1 alone is an error.
    Errors name the row as the file has it: the header is row 1 (in parquet, row 1 is the first of values).

    - `path`: the file, ``.csv``, ``.tsv`` (also with ``.gz``) or ``.parquet`` (needs ``tsad-core[parquet]``).
    - `form`: ``wide``, a row a step and a column a channel; or ``long``, a row a value, which says in the
      columns `time`, `channel` and `value` what it is. A channel may have no value at a time; the order
      of the channels is that of the file, each one's times must rise, and each may have one value a time.
    - `time`: the column that says when, in ISO 8601, as `time_format` says (``%d.%m.%Y %H:%M``), or in
      numbers: seconds, or milli-, micro- or nanoseconds since 1970. Times must rise. The sampling
      period is the usual (median) time between two rows.
    - `label`: the column that says what is anomalous: 0 and 1, false and true, or normal and anomaly.
      In the long form a step is anomalous if one of its rows is.
    - `series`: the column that tells several series apart. Without it, the series has the file's name.
    - `ignore`: columns to leave out, with commas between them.
    - `train_share`: how much of the rows is the training part; `train_rows` says it in rows and, when
      set, goes before.
    - `gaps`: what to do where the time jumps by more than 1.5 sampling periods: ``segment`` starts an
      independent segment (an error where more than a tenth of the times jump), ``insert`` adds steps
      of missing values, ``keep`` does nothing.
    - `missing`: what to do about missing values. ``refuse`` is the default because which values to make
      up depends on what was measured: ``interpolate`` on a line between neighbours, ``forward`` repeats
      the last known value, both inside the training and the test part separately, so that neither sees
      the other, and leading values take the first known one; ``keep`` hands them to the detector.
      What ``gaps=insert`` adds is never refused.
    - `delimiter`: what parts the columns, found by itself; `decimal`: what parts the decimals.
    """
    if not path:
        raise MissingDataError("set csv.path to your file, as in --set csv.path=my.csv")
    roles = _Roles(form, time, label, series, channel, value, tuple(filter(None, map(str.strip, ignore.split(",")))))
    rules = _Rules(train_share, train_rows, gaps, missing, time_format)
    file = Path(path).expanduser()
    table = open_table(_existing(file), separator=_SEPARATORS[delimiter], decimal=_DECIMALS[decimal])
    roles.check(table, gaps)
    names = _series_names(table, series) if series else [file.name.partition(".")[0]]
    source = _Source(table, roles)
    return {name: functools.partial(_read, name, source, rules) for name in names}


@dataclass(frozen=True)
class _Roles:
    """What the columns are."""

    form: Form
    time: str
    label: str
    series: str
    channel: str
    value: str
    ignored: tuple[str, ...]

    @property
    def named(self) -> list[tuple[str, str]]:
        """The columns that are no channels, each with its option."""
        options = ("time", "label", "series") + (("channel", "value") if self.form == "long" else ())
        given = [(option, getattr(self, option)) for option in options if getattr(self, option)]
        return given + [("ignore", column) for column in self.ignored]

    def check(self, table: Table, gaps: Gaps) -> None:
        """Find what is wrong with the names of columns before anything else is read."""
        if not self.time and (self.form == "long" or gaps == "insert"):
            asking = "form=long" if self.form == "long" else "gaps=insert"
            raise OptionError(f"csv.{asking} needs csv.time, the column that says when")
        for option, column in self.named:
            if column not in table.columns:
                near = did_you_mean(column, table.columns)
                raise OptionError(f"csv.{option} = {column!r}: {table.name} has no such column; {near}")
        self._check_others(table, [column for _, column in self.named])

    def _check_others(self, table: Table, named: list[str]) -> None:
        double = [column for column in named if named.count(column) > 1]
        if double:
            raise OptionError(f"column {double[0]!r} is named twice in the options of csv; it can be one thing")
        channels = [column for column in table.columns if column not in named]
        if self.form == "wide" and not channels:
            raise DataError(f"{table.name} has no channel: every column is named by an option")
        if self.form == "long" and channels:
            raise DataError(f"{table.name}: the long form has no use for column {channels[0]!r}; name it in csv.ignore")


@dataclass(frozen=True)
class _Rules:
    """How rows become parts."""

    train_share: float
    train_rows: int
    gaps: Gaps
    missing: Missing
    time_format: str

    def cut(self, where: str, rows: int) -> int:
        """Return how many rows are the training part."""
        if rows < 2:
            raise DataError(f"{where} holds {rows} row of values; a training and a test part need 2 or more")
        train = self.train_rows or min(max(1, round(self.train_share * rows)), rows - 1)
        if train >= rows:
            raise OptionError(f"csv.train_rows = {train}: {where} holds {rows} rows, so none is left to test")
        return train


@dataclass(frozen=True)
class _Rows:
    """A row a step, a column a channel."""

    values_TC: Array
    labels_T: Array | None
    seconds_T: Array | None
    starts: tuple[int, ...] = (0,)

    def part(self, rows: slice) -> "_Rows":
        labels_T = None if self.labels_T is None else self.labels_T[rows]
        seconds_T = None if self.seconds_T is None else self.seconds_T[rows]
        return _Rows(self.values_TC[rows], labels_T, seconds_T)


def _existing(file: Path) -> Path:
    if file.is_dir():
        raise DataError(f"csv.path = {str(file)!r} is a folder; it takes a file")
    if not file.is_file():
        raise DataError(f"csv.path = {str(file)!r}: there is no such file")
    return file


def _series_names(table: Table, column: str) -> list[str]:
    names = table.frame(only=[column], text=[column])[column]
    _check_present(table, names)
    return [str(name) for name in names.unique()]


def _read(name: str, source: "_Source", rules: _Rules) -> Series:
    table, roles = source.table, source.roles
    where = f"{table.name}, series {name!r}" if roles.series else table.name
    form = _wide if roles.form == "wide" else _long
    rows, channels = form(table, source.rows(name), roles, rules)
    _check_no_labels(where, rows.values_TC, channels, roles.form)
    cut = rules.cut(where, len(rows.values_TC))
    period = None if rows.seconds_T is None else timeline.period(rows.seconds_T)
    train = _prepared(f"{where}, training part", rows.part(slice(cut)), channels, period, rules)
    test = _prepared(f"{where}, test part", rows.part(slice(cut, None)), channels, period, rules)
    return Series(
        name=name,
        train_TC=train.values_TC,
        test_TC=test.values_TC,
        labels_T=test.labels_T,
        train_labels_T=train.labels_T,
        channels=channels,
        sampling_period=period,
        train_starts=train.starts,
        test_starts=test.starts,
        missing=bool(np.isnan(train.values_TC).any() or np.isnan(test.values_TC).any()),
    )


@dataclass(frozen=True)
class _Source:
    """The rows of a file; where it holds several series they are read once, for the first that is asked for."""

    table: Table
    roles: _Roles

    def rows(self, name: str) -> Frame:
        """Return the rows of one series."""
        if not self.roles.series:
            return self._all()
        frame, places = self._parts
        return frame.iloc[places.get(name, [])]

    @functools.cached_property
    def _parts(self) -> tuple[Frame, Mapping[str, Array]]:
        frame = self._all()
        _check_present(self.table, frame[self.roles.series])
        return frame.drop(columns=self.roles.series), frame.groupby(self.roles.series).indices

    def _all(self) -> Frame:
        texts = [column for option, column in self.roles.named if option in {"series", "channel"}]
        return self.table.frame(text=texts).drop(columns=list(self.roles.ignored))


def _check_no_labels(where: str, values_TC: Array, channels: tuple[str, ...], form: Form) -> None:
    """Refuse what looks like the labels among the channels, where a detector would see it."""
    advice = "name it in csv.label or csv.ignore, or" if form == "wide" else "take its rows away, or"
    for channel, values_T in zip(channels, values_TC.T, strict=True):
        if str(channel).strip().lower() in _LABELS and np.isin(values_T[~np.isnan(values_T)], (0, 1)).all():
            message = f"{where}: channel {channel!r} looks like labels, which no detector may see"
            raise OptionError(f"{message}; {advice} give it another name if it was measured")


def _wide(table: Table, frame: Frame, roles: _Roles, rules: _Rules) -> tuple[_Rows, tuple[str, ...]]:
    values = frame.drop(columns=[column for column in (roles.time, roles.label) if column])
    for column in text_columns(values):
        hint = "it is text; name it in csv.time, csv.label, csv.series or csv.ignore"
        raise fault(table.name, values[column].dropna(), 0, hint)
    values_TC = _values(table, values, rules)
    labels_T = _marks(table, frame[roles.label]) if roles.label else None
    seconds_T = timeline.seconds(table.name, frame[roles.time], rules.time_format) if roles.time else None
    if seconds_T is not None:
        timeline.check_rising(table.name, frame[roles.time], seconds_T)
    return _Rows(values_TC, labels_T, seconds_T), tuple(values.columns)


def _long(table: Table, frame: Frame, roles: _Roles, rules: _Rules) -> tuple[_Rows, tuple[str, ...]]:
    import pandas as pd

    _check_present(table, frame[roles.channel])
    seconds_T = timeline.seconds(table.name, frame[roles.time], rules.time_format)
    which_T, channels = pd.factorize(frame[roles.channel])
    _check_cells(table, frame, roles, seconds_T)
    times_T, first_T, at_T = np.unique(seconds_T, return_index=True, return_inverse=True)
    grid_TC = np.full((len(times_T), len(channels)), np.nan)
    grid_TC[at_T, which_T] = numbers(table.name, frame[[roles.value]], decimal=table.decimal, hint=_hint)[:, 0]
    index = pd.Index(frame[roles.time].iloc[first_T], name="time")
    values_TC = _values(table, pd.DataFrame(grid_TC, index=index, columns=channels), rules)
    labels_T = np.bincount(at_T, _marks(table, frame[roles.label])) > 0 if roles.label else None
    return _Rows(values_TC, labels_T, times_T), tuple(channels)


def _hint(text: str) -> str:
    if re.fullmatch(r"[+-]?\d*,\d+(e[+-]?\d+)?", text.strip(), re.IGNORECASE):
        return "a decimal comma needs csv.decimal=comma"
    if re.fullmatch(r"[+-]?[\d.]+(,\d+)?", text.strip()):
        return "with csv.decimal=comma no number holds a point, be it for thousands; take the points out"
    return "mend it, leave it empty, or name its column in csv.ignore"


def _check_cells(table: Table, frame: Frame, roles: _Roles, seconds_T: Array) -> None:
    """Check that each channel's times rise and that it has one value a time."""
    double_T = frame.assign(**{roles.time: seconds_T}).duplicated([roles.time, roles.channel]).to_numpy()
    if double_T.any():
        row = int(double_T.argmax())
        channel, time = frame[roles.channel].iloc[row], frame[roles.time].iloc[row]
        raise fault(table.name, frame[roles.value], row, f"channel {channel!r} has another value at time {time}")
    for _, times in frame[roles.time].groupby(frame[roles.channel], sort=False):
        timeline.check_rising(table.name, times, seconds_T[frame.index.get_indexer(times.index)])


def _values(table: Table, values: Frame, rules: _Rules) -> Array:
    values_TC = numbers(table.name, values, decimal=table.decimal, hint=_hint)
    if rules.missing == "refuse" and np.isnan(values_TC).any():
        hint = f"{np.isnan(values_TC).mean():.2%} of all are missing; set csv.missing=interpolate, forward or keep"
        raise missing_fault(table.name, values, values_TC, hint)
    return values_TC


def _marks(table: Table, labels: Column) -> Array:
    from pandas import factorize

    codes_T, kinds = factorize(labels)
    marks = [_MARKS.get(str(kind).strip().lower(), -1) for kind in kinds]
    # a missing label has the code -1, and so takes the last of the marks
    marks_T = np.array([*marks, -1])[codes_T]
    if (marks_T < 0).any():
        row = int((marks_T < 0).argmax())
        given = "it has no label" if codes_T[row] < 0 else f"{str(labels.iloc[row])!r} is no label"
        raise fault(table.name, labels, row, f"{given}; expected 0 or 1, false or true, normal or anomaly")
    labels_T: Array = marks_T == 1
    return labels_T


def _prepared(where: str, part: _Rows, channels: tuple[str, ...], period: float | None, rules: _Rules) -> _Rows:
    """Return a part with its gaps and missing values seen to."""
    check_known(where, part.values_TC, channels, hint="name it in csv.ignore")
    values_TC, labels_T, starts = part.values_TC, part.labels_T, part.starts
    if part.seconds_T is not None and period and rules.gaps == "segment":
        starts = timeline.starts(where, part.seconds_T, period)
    if part.seconds_T is not None and period and rules.gaps == "insert":
        values_TC, labels_T = timeline.insert(where, values_TC, labels_T, timeline.steps(part.seconds_T, period))
    if rules.missing != "refuse":
        values_TC = fill(values_TC, rules.missing)
    return _Rows(values_TC, labels_T, part.seconds_T, starts)


def _check_present(table: Table, names: Column) -> None:
    if names.hasnans:
        raise fault(table.name, names, int(names.isna().to_numpy().argmax()), "it has no name")
