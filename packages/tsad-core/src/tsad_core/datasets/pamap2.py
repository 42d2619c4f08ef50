"""PAMAP2 (Reiss and Stricker, ISWC 2012): people with motion sensors, 100 steps a second."""

import functools
import itertools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt, Lt

from tsad_core.dataset import Collection, Counts, Download, dataset
from tsad_core.datasets.home import DataFile, find_files
from tsad_core.datasets.stretches import Recording, chosen, cut
from tsad_core.datasets.tables import TextTable, check_known, complete_numbers, fault, fill, numbers
from tsad_core.series import Series

_PEOPLE = Collection(
    title="PAMAP2 Physical Activity Monitoring",
    folder="pamap2",
    put="PAMAP2_Dataset.zip, or its unpacked folder,",
    get="https://archive.ics.uci.edu/dataset/231/pamap2+physical+activity+monitoring",
    licence="CC BY 4.0",
    downloads=(
        Download(
            "https://archive.ics.uci.edu/static/public/231/pamap2+physical+activity+monitoring.zip",
            "pamap2+physical+activity+monitoring.zip",
            unpack=True,
        ),
    ),
    published=Counts(series=8),
    pattern=re.compile(r"Protocol/subject(10[1-8])\.dat"),
)
_ACTIVITIES = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 24})
_SENSORS = ("temperature", *(f"{kind}_{axis}" for kind in ("acc16", "acc6", "gyro", "mag") for axis in "xyz"))
_INVALID = tuple(f"orientation_{number}" for number in range(1, 5))
_COLUMNS = (
    "timestamp",
    "activity",
    "heart_rate",
    *(f"{place}_{sensor}" for place, sensor in itertools.product(("hand", "chest", "ankle"), (*_SENSORS, *_INVALID))),
)


@dataset(_PEOPLE)
def pamap2(
    *,
    home: Path | None = None,
    abnormal: str = "5,12,13,24",
    train_share: Annotated[float, Gt(0), Lt(1)] = 0.6,
    fill_missing: Literal["forward", "keep"] = "forward",
) -> Mapping[str, Callable[[], Series]]:
    """Return the people of the folder Protocol, ``subject101`` to ``subject108``, each a series of 40 channels.

    `home` is the data home, by default ``TSAD_DATA``. The data set is one of activities; which are
    anomalous is our choice, and no published one: `abnormal` are running (5), stairs up (12) and
    down (13) and rope jumping (24), nearest to what AMSL takes of DSADS. All others are normal,
    and steps between activities (0) are left out. The first `train_share` of each stretch of a
    normal activity is the training part; its rest and all that is abnormal is the test part, in
    the order of time. Each stretch is an independent segment.

    The heart rate comes about 9 times a second and packets were lost: ``forward`` repeats the last
    known value over the whole recording (leading ones take the first), ``keep`` leaves them
    missing. The orientation is invalid in these recordings and left out. So is subject 109, who
    only jumped rope.

    Written from the official description and tested on small files in that form; it has not met
    the real files yet.
    """
    wrong = chosen(abnormal, _ACTIVITIES, option="pamap2.abnormal")
    read = functools.partial(_read, abnormal=wrong, train_share=train_share, how=fill_missing)
    files = sorted(find_files(home, _PEOPLE).items())
    return {f"subject{number}": functools.partial(read, f"subject{number}", file) for (number,), file in files}


def _read(
    name: str, file: DataFile, *, abnormal: frozenset[int], train_share: float, how: Literal["forward", "keep"]
) -> Series:
    frame = TextTable.of(file, separator=" ", header=_COLUMNS).frame()
    activities_T = complete_numbers(str(file), frame[["activity"]])[:, 0]
    unknown_T = ~np.isin(activities_T, [0, *_ACTIVITIES])
    if unknown_T.any():
        raise fault(str(file), frame["activity"], int(unknown_T.argmax()), "there is no such activity; get it again")
    channels = [column for column in _COLUMNS[2:] if not column.endswith(_INVALID)]
    known_TC = numbers(str(file), frame[channels])
    check_known(str(file), known_TC, channels)
    values_TC = fill(known_TC, how)
    recording = Recording(name, values_TC, activities_T.astype(int), tuple(channels), sampling_period=0.01)
    missing = bool(np.isnan(values_TC).any())
    return cut(recording, normal=_ACTIVITIES - abnormal, abnormal=abnormal, train_share=train_share, missing=missing)
