"""Server Machine Dataset (Su et al., KDD 2019): machines of 38 channels, with the channels that cause each anomaly."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tsad_core.dataset import Collection, Counts, Download, dataset
from tsad_core.datasets.home import DataFile, complete, find_files, missing
from tsad_core.datasets.reading import check_labels, check_widths, read_table, read_values
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_MACHINES = Collection(
    title="the Server Machine Dataset",
    folder="smd",
    put="the folder ServerMachineDataset, or a zip of it,",
    get="https://github.com/NetManAIOps/OmniAnomaly",
    licence="MIT",
    downloads=(
        Download("https://github.com/NetManAIOps/OmniAnomaly/archive/refs/heads/master.zip", "OmniAnomaly-master.zip"),
    ),
    published=Counts(series=28, train_steps=708_405, test_steps=708_420, anomalous_steps=29_444, events=327),
    pattern=re.compile(r"(train|test|test_label|interpretation_label)/(machine-\d+-\d+)\.txt"),
)
_NEEDED = ("train", "test", "test_label")
_LINE = re.compile(r"\s*(\d+)-(\d+):(\d+(?:,\d+)*)\s*")


@dataset(_MACHINES)
def smd(*, home: Path | None = None) -> Mapping[str, Callable[[], Series]]:
    """Return the machines whose training part, test part and labels are there, as ``machine-1-1``.

    `home` is the data home, by default ``TSAD_DATA``. Root causes come from the interpretation
    files, where there is one. Their lines do not match the labels everywhere: what a line says of
    steps that are not labelled is dropped, and labelled steps of which no line speaks have no
    cause, which means that it is unknown.
    """
    found = ((machine, part, file) for (part, machine), file in find_files(home, _MACHINES).items())
    machines = complete(found, _NEEDED)
    if not machines:
        raise missing(home, _MACHINES)
    return {name: functools.partial(_read, name, machines[name]) for name in sorted(machines, key=_numbers)}


def _numbers(machine: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", machine)]


def _read(name: str, parts: Mapping[str, DataFile]) -> Series:
    train_TC, test_TC = (read_table(parts[part]) for part in ("train", "test"))
    check_widths(parts["train"], train_TC, parts["test"], test_TC)
    labels_T = check_labels(parts["test_label"], read_values(parts["test_label"]), steps=len(test_TC))
    lines = parts.get("interpretation_label")
    causes_TC = None if lines is None else _causes(lines, test_TC.shape) & labels_T[:, None]
    return Series(name=name, train_TC=train_TC, test_TC=test_TC, labels_T=labels_T, root_causes_TC=causes_TC)


def _causes(file: DataFile, shape: tuple[int, ...]) -> Array:
    """Read ``start-end:channels`` lines: steps from 0, the end one past the last, channels from 1."""
    causes_TC = np.zeros(shape, dtype=bool)
    for line in file.read().decode("utf-8", errors="replace").splitlines():
        if line.strip():
            start, stop, channels = _parse(line, file, shape[1])
            causes_TC[start:stop, channels] = True
    return causes_TC


def _parse(line: str, file: DataFile, channels: int) -> tuple[int, int, list[int]]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise DataError(f"{file} holds the line {line!r}; expected start-end:channels, as in 10-20:1,9")
    start, stop = int(match[1]), int(match[2])
    causes = [int(number) - 1 for number in match[3].split(",")]
    if start > stop or min(causes) < 0 or max(causes) >= channels:
        raise DataError(f"{file} holds the line {line!r}; start may not pass end, channels count from 1 to {channels}")
    return start, stop, causes
