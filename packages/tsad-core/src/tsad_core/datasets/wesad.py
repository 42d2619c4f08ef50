"""WESAD (Schmidt et al., ICMI 2018): people at rest, amused and stressed, with sensors on the chest."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Lt

from tsad_core.dataset import Collection, Counts, dataset
from tsad_core.datasets.home import DataFile, find_files
from tsad_core.datasets.pickles import read_pickled_dict
from tsad_core.datasets.stretches import Recording, cut
from tsad_core.errors import DataError
from tsad_core.series import Array, Series

_PEOPLE = Collection(
    title="WESAD, wearable stress and affect detection",
    folder="wesad",
    put="WESAD.zip, or its unpacked folder,",
    get="https://archive.ics.uci.edu/dataset/465/wesad+wearable+stress+and+affect+detection",
    licence="for research, not for commerce; see its readme",
    published=Counts(series=15),
    pattern=re.compile(r"S(\d+)/S\1\.pkl"),
)
_SENSORS = {"ACC": 3, "ECG": 1, "EMG": 1, "EDA": 1, "TEMP": 1, "RESP": 1}
_CHANNELS = ("ACC_x", "ACC_y", "ACC_z", "ECG", "EMG", "EDA", "TEMP", "RESP")
_RATE = 700
_NORMAL, _STRESS = frozenset({1, 3, 4}), frozenset({2})


@dataset(_PEOPLE)
def wesad(
    *,
    home: Path | None = None,
    samples: Annotated[int, Ge(1)] = 7,
    train_share: Annotated[float, Gt(0), Lt(1)] = 0.6,
) -> Mapping[str, Callable[[], Series]]:
    """Return the people, ``S2`` to ``S17``, each a series of the 8 channels on the chest; stress is the anomaly.

    `home` is the data home, by default ``TSAD_DATA``. The sensors are read 700 times a second; a
    step is the mean of that many `samples`, by default a hundredth of a second.

    Stress (2) is abnormal; baseline (1), amusement (3) and meditation (4) are normal; what lies
    between (0, 5, 6, 7) is left out. The first `train_share` of each stretch of a normal state is
    the training part; its rest and the stress are the test part, in the order of time. Each
    stretch is an independent segment. The split is our choice, and no published one.

    The files are pickles: only dicts, text and arrays of numbers are admitted, and nothing that a
    pickle asks for is ever run. Written from the official description and tested on small files in
    that form; it has not met the real files yet.
    """
    people = {int(number): file for (number,), file in find_files(home, _PEOPLE).items()}
    read = functools.partial(_read, samples=samples, train_share=train_share)
    return {f"S{number}": functools.partial(read, f"S{number}", people[number]) for number in sorted(people)}


def _read(name: str, file: DataFile, *, samples: int, train_share: float) -> Series:
    content = read_pickled_dict(file)
    signal = content.get("signal")
    chest = signal.get("chest") if isinstance(signal, dict) else None
    states_T = content.get("label")
    if not isinstance(chest, dict) or not isinstance(states_T, np.ndarray) or states_T.ndim != 1:
        raise DataError(f"{file} has no signal of the chest or no label; get it again")
    sensors = [_sensor(file, chest, sensor, (len(states_T), width)) for sensor, width in _SENSORS.items()]
    values_TC = np.concatenate([_means(values_TC, samples) for values_TC in sensors], axis=1)
    recording = Recording(name, values_TC, _common(states_T, samples), _CHANNELS, samples / _RATE)
    return cut(recording, normal=_NORMAL, abnormal=_STRESS, train_share=train_share)


def _sensor(file: DataFile, chest: Mapping[str, object], sensor: str, shape: tuple[int, int]) -> Array:
    values = {key.upper(): value for key, value in chest.items()}.get(sensor)
    if not isinstance(values, np.ndarray) or values.shape != shape:
        given = values.shape if isinstance(values, np.ndarray) else "nothing"
        raise DataError(f"{file}: the chest's {sensor} has the shape {given}; expected {shape}; get it again")
    if not np.isfinite(values).all():
        raise DataError(f"{file}: the chest's {sensor} holds a value that is not finite; get it again")
    return values


def _means(values_TC: Array, samples: int) -> Array:
    steps = len(values_TC) // samples
    means_TC: Array = values_TC[: steps * samples].reshape(steps, samples, values_TC.shape[1]).mean(axis=1)
    return means_TC


def _common(states_T: Array, samples: int) -> Array:
    """Return the state of each step; 0 where it changes inside."""
    steps = len(states_T) // samples
    states_TS = states_T[: steps * samples].reshape(steps, samples)
    return np.where((states_TS == states_TS[:, :1]).all(axis=1), states_TS[:, 0], 0)
