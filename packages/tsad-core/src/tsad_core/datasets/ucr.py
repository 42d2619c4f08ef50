"""UCR Anomaly Archive 2021 (Wu and Keogh, TKDE 2021): 250 series of one channel, one anomaly each."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsad_core.dataset import Collection, Counts, Download, dataset
from tsad_core.datasets.home import DataFile, find_files
from tsad_core.datasets.reading import read_values
from tsad_core.errors import DataError
from tsad_core.series import Series

_SITE = "https://www.cs.ucr.edu/~eamonn/time_series_data_2018/"
_ARCHIVE = Collection(
    title="the UCR Anomaly Archive 2021",
    folder="ucr",
    put="UCR_TimeSeriesAnomalyDatasets2021.zip, or its unpacked folder,",
    get=_SITE,
    licence="none stated; freely downloadable",
    downloads=(Download(f"{_SITE}UCR_TimeSeriesAnomalyDatasets2021.zip", "UCR_TimeSeriesAnomalyDatasets2021.zip"),),
    published=Counts(series=250, train_steps=5_302_449, test_steps=14_051_317, events=250),
    pattern=re.compile(r"(\d{3})_UCR_Anomaly_([^/]+)_(\d+)_(\d+)_(\d+)\.txt"),
)


@dataset(_ARCHIVE)
def ucr(*, home: Path | None = None) -> Mapping[str, Callable[[], Series]]:
    """Return the archive's series in the order of their numbers, named as ``001-DISTORTED1sddb40``.

    `home` is the data home, by default ``TSAD_DATA``. File names end in
    ``_<train end>_<begin>_<end>.txt``; these count steps from 1 and include both ends. So the
    first ``train end`` values are the training part, and step ``s`` of the file is step
    ``s - train end - 1`` of the test part, which counts from 0.
    """
    files = sorted(find_files(home, _ARCHIVE).items())
    return {
        f"{number}-{middle}": functools.partial(_read, f"{number}-{middle}", file, _Split(*map(int, split)))
        for (number, middle, *split), file in files
    }


@dataclass(frozen=True)
class _Split:
    """What a file's name says, in steps that count from 1."""

    train_end: int
    begin: int
    end: int

    def check(self, file: DataFile, steps: int) -> None:
        if not 0 < self.train_end < self.begin <= self.end <= steps:
            raise DataError(
                f"{file} holds {steps} values, but its name says: train to {self.train_end}, "
                f"anomaly from {self.begin} to {self.end}; get it again"
            )


def _read(name: str, file: DataFile, split: _Split) -> Series:
    values_T = read_values(file)
    split.check(file, len(values_T))
    train_T, test_T = np.split(values_T, [split.train_end])
    labels_T = np.zeros(len(test_T), dtype=bool)
    labels_T[split.begin - 1 - split.train_end : split.end - split.train_end] = True
    return Series(name=name, train_TC=train_T[:, None], test_TC=test_T[:, None], labels_T=labels_T)
