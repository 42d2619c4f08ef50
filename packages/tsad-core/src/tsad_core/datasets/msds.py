"""Multi-Source Distributed System data (Nedelkoski et al., 2020): load of OpenStack hosts, cut as TranAD does."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from tsad_core.dataset import Collection, dataset
from tsad_core.datasets.home import DataFile, find_files, missing
from tsad_core.datasets.tables import Column, Frame, TextTable, complete_numbers, fault
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_HOSTS = Collection(
    title="the metrics of MSDS (Zenodo record 3549604)",
    folder="msds",
    put="the folder metrics of the concurrent data, and TranAD's labels.csv for labels,",
    get="https://zenodo.org/records/3549604, and labels.csv from https://github.com/imperial-qore/TranAD (data/MSDS)",
    licence="as stated at the record",
    pattern=re.compile(r"[^/]*(wally\d+|labels(?=\.csv))[^/]*\.csv"),
)
_TIME = "now"
_LOADS = ("load.cpucore", "load.min1", "load.min5", "load.min15")
_LEAST = 1e-4
"""What TranAD adds to the range of a channel before it divides by it."""


@dataset(_HOSTS)
def msds(
    *, home: Path | None = None, stride: Annotated[int, Ge(1)] = 5, legacy_scale_on_all: bool = False
) -> Mapping[str, Callable[[], Series]]:
    """Return the one series, ``msds``: two channels for each host, prepared as by TranAD (Tuli et al., VLDB 2022).

    `home` is the data home, by default ``TSAD_DATA``. The rows that all hosts have are joined by
    their time (equal times are averaged), the load columns and the first 10 % are dropped, halves
    are the training and the test part, and every `stride`-th row of each is taken. Channels are
    scaled to the range of the training part; TranAD takes the range of both parts, which lets the
    training see the test: `legacy_scale_on_all`.

    Labels and root causes are TranAD's ``labels.csv``, a column a channel; its rows are those of
    the test part, before or after the stride. In which order its hosts stand is not recorded: here
    they are taken in the order of their names. TranAD's ``clean.py`` writes a ``labels.csv`` of
    zeros; that is not it. Without the file there are no labels.

    Written from the official description and tested on small files in that form; it has not met
    the real files yet.
    """
    hosts = {name: file for (name,), file in sorted(find_files(home, _HOSTS).items())}
    labels = hosts.pop("labels", None)
    if not hosts:
        raise missing(home, _HOSTS)
    return {"msds": functools.partial(_read, hosts, labels, stride, legacy_scale_on_all)}


def _read(hosts: Mapping[str, DataFile], labels: DataFile | None, stride: int, scale_on_all: bool) -> Series:
    joined = _joined(hosts)
    kept = joined.iloc[round(len(joined) / 10) :]
    half = round(len(kept) / 2)
    rows = len(kept) - half
    train_TC, test_TC = (part.to_numpy()[::stride] for part in (kept.iloc[:half], kept.iloc[half:]))
    if not (len(train_TC) and len(test_TC)):
        raise DataError(f"the hosts of msds have {len(joined)} times in common; too few to halve; get the files again")
    seen_TC = np.concatenate([train_TC, test_TC]) if scale_on_all else train_TC
    low_C, high_C = seen_TC.min(axis=0), seen_TC.max(axis=0)
    causes_TC = None if labels is None else _causes(labels, rows, stride, test_TC.shape)
    return Series(
        name="msds",
        train_TC=(train_TC - low_C) / (high_C - low_C + _LEAST),
        test_TC=(test_TC - low_C) / (high_C - low_C + _LEAST),
        labels_T=None if causes_TC is None else np.asarray(causes_TC.any(axis=1)),
        root_causes_TC=causes_TC,
        channels=tuple(kept.columns),
        sampling_period=_period(kept.index, stride),
    )


def _joined(hosts: Mapping[str, DataFile]) -> Frame:
    import pandas as pd

    return pd.concat([_host(name, file) for name, file in hosts.items()], axis=1, join="inner").sort_index()


def _host(name: str, file: DataFile) -> Frame:
    table = TextTable.of(file)
    if _TIME not in table.columns:
        raise DataError(f"{file} has no column {_TIME!r}; get it again")
    frame = table.frame()
    values = frame.drop(columns=[_TIME, *_LOADS], errors="ignore")
    values = values.assign(**dict(zip(values.columns, complete_numbers(table.name, values).T, strict=True)))
    return values.groupby(_times(file, frame[_TIME])).mean().add_prefix(f"{name}:")


def _times(file: DataFile, times: Column) -> Array:
    from pandas import to_datetime

    # "2019-11-25 15:12:13 CET": all hosts share the zone, whose name pandas does not know
    stamps = to_datetime(times.astype("str").str.slice(0, 19), format="%Y-%m-%d %H:%M:%S", errors="coerce")
    if stamps.hasnans:
        row = int(stamps.isna().to_numpy().argmax())
        raise fault(str(file), times, row, f"{str(times.iloc[row])!r} is not a time as in 2019-11-25 15:12:13 CET")
    stamps_T: Array = stamps.to_numpy()
    return stamps_T


def _period(times: Any, stride: int) -> float:
    return float(np.median(np.diff(times.to_numpy()) / np.timedelta64(1, "s"))) * stride


def _causes(file: DataFile, rows: int, stride: int, shape: tuple[int, ...]) -> Array:
    table = TextTable.of(file)
    labels = complete_numbers(table.name, table.frame().iloc[:, 1:])
    labels = labels[::stride] if len(labels) == rows else labels
    if labels.shape != shape:
        raise DataError(
            f"{file} holds {labels.shape[0]} rows and {labels.shape[1]} channels; expected {shape[0]} (or {rows}) and "
            f"{shape[1]}; get it again"
        )
    causes_TC: Array = labels != 0
    return causes_TC
