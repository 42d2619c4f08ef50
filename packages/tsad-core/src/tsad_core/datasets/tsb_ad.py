"""TSB-AD (Liu and Paparrizos, NeurIPS 2024): curated series of many sources, 870 of one channel and 200 of several."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from tsad_core.dataset import Collection, Counts, Download, dataset
from tsad_core.datasets.home import DataFile, find_files, missing
from tsad_core.datasets.reading import check_labels, read_headed_table, read_rows
from tsad_core.errors import DataError
from tsad_core.series import Series

Part = Literal["all", "tuning", "eval"]
"""All series, or those of one of the official lists."""

_LISTS: Mapping[Part, str] = {"tuning": "Tuning", "eval": "Eva"}
_LISTS_SITE = "https://github.com/TheDatumOrg/TSB-AD/tree/main/Datasets/File_List"


def _collection(name: str, series: int) -> Collection:
    lists = "https://raw.githubusercontent.com/TheDatumOrg/TSB-AD/main/Datasets/File_List"
    files = [f"{name}-{part}.csv" for part in _LISTS.values()]
    return Collection(
        title=name,
        folder="tsb-ad",
        put=f"{name}.zip, or its unpacked folder {name},",
        get="https://github.com/TheDatumOrg/TSB-AD",
        licence="Apache-2.0 for the curation; each source has its own",
        downloads=(
            Download(f"https://www.thedatum.org/datasets/{name}.zip", f"{name}.zip"),
            *(Download(f"{lists}/{file}", file) for file in files),
        ),
        published=Counts(series=series),
        pattern=re.compile(rf"{name}/(\d+_[^/]+_tr_(\d+)_1st_[^/]+)\.csv"),
    )


_U = _collection("TSB-AD-U", 870)
_M = _collection("TSB-AD-M", 200)


@dataset(_U)
def tsb_ad_u(*, home: Path | None = None, part: Part = "all") -> Mapping[str, Callable[[], Series]]:
    """Return the series of one channel in the order of their numbers, named as their files without ``.csv``.

    `home` is the data home, by default ``TSAD_DATA``. File names hold ``tr_<steps>_1st_<step>``:
    the first so many steps are the training part, and the first anomaly of the file is at that
    step, counted from 0; it may lie in the training part, which then has labels too, and the test
    part may have none. `part` is ``"tuning"`` or ``"eval"`` for the series of the official lists
    ``TSB-AD-U-Tuning.csv`` and ``TSB-AD-U-Eva.csv``, which must lie beside the data.
    """
    return _series(home, _U, part)


@dataset(_M)
def tsb_ad_m(*, home: Path | None = None, part: Part = "all") -> Mapping[str, Callable[[], Series]]:
    """Return the series of several channels; all else as for `tsb_ad_u`, with ``M`` for ``U``."""
    return _series(home, _M, part)


def _series(home: Path | None, collection: Collection, part: Part) -> dict[str, Callable[[], Series]]:
    chosen = None if part == "all" else _listed(home, collection, _LISTS[part])
    series: dict[str, Callable[[], Series]] = {
        name: functools.partial(_read, name, file, int(train))
        for (name, train), file in sorted(find_files(home, collection).items())
        if chosen is None or name in chosen
    }
    if not series:
        raise missing(home, collection)
    return series


def _listed(home: Path | None, collection: Collection, part: str) -> set[str]:
    name = f"{collection.title}-{part}.csv"
    wanted = replace(collection, title=name, put=name, get=_LISTS_SITE, pattern=re.compile(re.escape(name)))
    (file,) = find_files(home, wanted).values()
    return {listed.removesuffix(".csv") for _, (listed,) in read_rows(file, "file_name")}


def _read(name: str, file: DataFile, train: int) -> Series:
    names, table_TC = read_headed_table(file)
    if names[-1] != "Label" or len(names) < 2:
        raise DataError(f"{file} names the columns {', '.join(names)}; expected values, then Label as the last")
    if not 0 < train < len(table_TC):
        raise DataError(
            f"{file} holds {len(table_TC)} rows, but its name says that {train} are for training; get it again"
        )
    labels_T = check_labels(file, table_TC[:, -1], steps=len(table_TC))
    return Series(
        name=name,
        train_TC=table_TC[:train, :-1],
        test_TC=table_TC[train:, :-1],
        labels_T=labels_T[train:],
        train_labels_T=labels_T[:train],
        channels=tuple(names[:-1]),
    )
