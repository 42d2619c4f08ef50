"""NASA's spacecraft telemetry (Hundman et al., KDD 2018): channels of SMAP and MSL, with the commands sent to them."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import NonNegativeInt, TypeAdapter, ValidationError

from tsad_core.dataset import Collection, Counts, dataset
from tsad_core.datasets.home import DataFile, complete, find_files, missing
from tsad_core.datasets.reading import check_widths, read_npy, read_rows
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_SMAP = Collection(
    title="the telemetry of SMAP",
    folder="nasa",
    put="data.zip, or its folders data/train and data/test, with labeled_anomalies.csv",
    get="https://github.com/khundman/telemanom, whose README says where the data is",
    licence="BSD-style (Caltech)",
    published=Counts(series=54, train_steps=138_004, test_steps=435_826),
    pattern=re.compile(r"(train|test)/([A-Z]-\d+)\.npy"),
)
_MSL = replace(
    _SMAP,
    title="the telemetry of MSL",
    published=Counts(series=27, train_steps=58_317, test_steps=73_729, events=36),
)
_TABLE = re.compile(r"labeled_anomalies\.csv")
_SEQUENCES = TypeAdapter(list[tuple[NonNegativeInt, NonNegativeInt]])
_SPACECRAFT = ("SMAP", "MSL")


@dataset(_SMAP)
def smap(*, home: Path | None = None) -> Mapping[str, Callable[[], Series]]:
    """Return the channels of the SMAP satellite, named as ``P-1``, in the order of ``labeled_anomalies.csv``.

    `home` is the data home, by default ``TSAD_DATA``. The first column of each is telemetry, the
    other 24 tell which commands were sent. Anomalous ranges count steps from 0 and include both
    ends; the two rows of P-2 join. Which columns cause an anomaly is not known.
    """
    return _channels(home, _SMAP, "SMAP")


@dataset(_MSL)
def msl(*, home: Path | None = None) -> Mapping[str, Callable[[], Series]]:
    """Return the channels of the Curiosity rover, named as ``M-6``; all else as for `smap`, with 54 commands.

    T-10 has the width of these channels and no row in the table, so nobody knows what is normal
    in it: it is left out, as in the published counts.
    """
    return _channels(home, _MSL, "MSL")


@dataclass(frozen=True)
class _Sequence:
    """An anomaly, and the line that tells it."""

    start: int
    end: int
    line: str


def _channels(home: Path | None, collection: Collection, spacecraft: str) -> dict[str, Callable[[], Series]]:
    found = ((channel, part, file) for (part, channel), file in find_files(home, collection).items())
    parts = complete(found, ("train", "test"))
    anomalies = _anomalies(home, collection, spacecraft)
    channels = {
        name: functools.partial(_read, name, parts[name], anomalies[name]) for name in anomalies if name in parts
    }
    if not channels:
        raise missing(home, collection)
    return dict(channels)


def _anomalies(home: Path | None, collection: Collection, spacecraft: str) -> dict[str, list[_Sequence]]:
    wanted = replace(collection, title="labeled_anomalies.csv", put="labeled_anomalies.csv", pattern=_TABLE)
    (table,) = find_files(home, wanted).values()
    anomalies: dict[str, list[_Sequence]] = {}
    for number, (channel, owner, text) in read_rows(table, "chan_id", "spacecraft", "anomaly_sequences"):
        sequences = _parse(text, line=f"{table}: line {number}")
        if owner not in _SPACECRAFT:
            raise DataError(f"{table}: line {number} names the spacecraft {owner!r}; expected SMAP or MSL")
        if owner == spacecraft:
            anomalies.setdefault(channel, []).extend(sequences)
    return anomalies


def _parse(text: str, *, line: str) -> list[_Sequence]:
    try:
        sequences = [_Sequence(start, end, line) for start, end in _SEQUENCES.validate_json(text, strict=True)]
    except ValidationError as error:
        raise DataError(f"{line} holds the anomalies {text!r}; expected [[start, end], ...], counted from 0") from error
    if any(sequence.start > sequence.end for sequence in sequences):
        raise DataError(f"{line} holds the anomalies {text!r}; no start may pass its end")
    return sequences


def _read(name: str, parts: Mapping[str, DataFile], anomalies: list[_Sequence]) -> Series:
    train_TC, test_TC = (read_npy(parts[part]) for part in ("train", "test"))
    check_widths(parts["train"], train_TC, parts["test"], test_TC)
    commands = (f"command-{number}" for number in range(1, train_TC.shape[1]))
    return Series(
        name=name,
        train_TC=train_TC,
        test_TC=test_TC,
        labels_T=_labels(parts["test"], anomalies, steps=len(test_TC)),
        channels=("telemetry", *commands),
    )


def _labels(file: DataFile, anomalies: list[_Sequence], *, steps: int) -> Array:
    labels_T = np.zeros(steps, dtype=bool)
    for anomaly in anomalies:
        if anomaly.end >= steps:
            raise DataError(f"{anomaly.line} marks steps up to {anomaly.end}, but {file} ends at step {steps - 1}")
        labels_T[anomaly.start : anomaly.end + 1] = True
    return labels_T
