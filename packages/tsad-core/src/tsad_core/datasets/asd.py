"""Application Server Dataset (Li et al., KDD 2021): 12 servers of 19 channels, with the causes of each anomaly."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tsad_core.dataset import Collection, Counts, Download, dataset
from tsad_core.datasets.home import DataFile, complete, find_files, missing
from tsad_core.datasets.pickles import read_pickled_array
from tsad_core.datasets.reading import check_labels, check_widths, read_text
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_SERVERS = Collection(
    title="the Application Server Dataset",
    folder="asd",
    put="the folders processed and interpretation_label, or a zip of them,",
    get="https://github.com/zhhlee/InterFusion, folder data",
    licence="MIT",
    downloads=(Download("https://github.com/zhhlee/InterFusion/archive/refs/heads/main.zip", "InterFusion-main.zip"),),
    published=Counts(series=12, train_steps=102_331, test_steps=51_840, events=76),
    pattern=re.compile(r"(omi-\d+)(?:_(train|test|test_label)\.pkl|\.txt)"),
)
_LINE = re.compile(r"\s*(\d+)-(\d+):(\d+(?:,\d+)*)\s*")


@dataset(_SERVERS)
def asd(*, home: Path | None = None) -> Mapping[str, Callable[[], Series]]:
    """Return the servers whose training part, test part and labels are there, as ``omi-1``; a step is 5 minutes.

    `home` is the data home, by default ``TSAD_DATA``. Root causes come from the interpretation
    files, where there is one: their lines ``start-end:channels`` count steps from 0, include both
    ends and count channels from 1. Together they mark the labelled steps and no others. The
    pickles are read by an unpickler that admits only numpy arrays.
    """
    found = ((name, part or "causes", file) for (name, part), file in find_files(home, _SERVERS).items())
    servers = complete(found, ("train", "test", "test_label"))
    if not servers:
        raise missing(home, _SERVERS)
    return {name: functools.partial(_read, name, servers[name]) for name in sorted(servers, key=_number)}


def _number(server: str) -> int:
    return int(server.removeprefix("omi-"))


def _read(name: str, parts: Mapping[str, DataFile]) -> Series:
    train_TC, test_TC = (read_pickled_array(parts[part]) for part in ("train", "test"))
    check_widths(parts["train"], train_TC, parts["test"], test_TC)
    labels = parts["test_label"]
    labels_T = check_labels(labels, read_pickled_array(labels, axes=1), steps=len(test_TC))
    causes_TC = _causes(parts["causes"], test_TC.shape) if "causes" in parts else None
    if causes_TC is not None and not np.array_equal(causes_TC.any(axis=1), labels_T):
        raise DataError(f"{parts['causes']} and {labels} mark different steps as anomalous; get both again")
    return Series(
        name=name,
        train_TC=train_TC,
        test_TC=test_TC,
        labels_T=labels_T,
        root_causes_TC=causes_TC,
        sampling_period=300.0,
    )


def _causes(file: DataFile, shape: tuple[int, ...]) -> Array:
    causes_TC = np.zeros(shape, dtype=bool)
    for line in filter(str.strip, read_text(file).splitlines()):
        start, end, channels = _parse(line, file, shape)
        causes_TC[start : end + 1, channels] = True
    return causes_TC


def _parse(line: str, file: DataFile, shape: tuple[int, ...]) -> tuple[int, int, list[int]]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise DataError(f"{file} holds the line {line!r}; expected start-end:channels, as in 10-20:1,9")
    start, end = int(match[1]), int(match[2])
    channels = [int(number) - 1 for number in match[3].split(",")]
    if not (start <= end < shape[0] and min(channels) >= 0 and max(channels) < shape[1]):
        raise DataError(
            f"{file} holds the line {line!r}; steps go from 0 to {shape[0] - 1}, channels from 1 to {shape[1]}"
        )
    return start, end, channels
