"""DSADS: who is trained on under each split, in which order, and the facts of the real subject."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tsad_core.datasets.dsads import dsads
from tsad_core.errors import DataError, MissingDataError, OptionError
from tsad_core.series import Array, Series

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
STEPS, CHANNELS = 125, 45
WRONG = {5, 6, 12, 18, 19}


def content(code: int, shape: tuple[int, int] = (STEPS, CHANNELS)) -> bytes:
    return b"\n".join([b",".join([str(code).encode()] * shape[1])] * shape[0]) + b"\n"


def files(subjects: tuple[int, ...] = (1, 2), numbers: int = 2) -> dict[str, bytes]:
    """Return files by their official paths; each holds subject * 10,000 + activity * 100 + segment."""
    return {
        f"a{activity:02}/p{subject}/s{number:02}.txt": content(subject * 10_000 + activity * 100 + number)
        for subject in subjects
        for activity in range(1, 20)
        for number in range(1, numbers + 1)
    }


def lay(home: Path, laid: dict[str, bytes], top: str = "data") -> Path:
    for name, text in laid.items():
        path = home / "dsads" / top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return home


def lay_zip(home: Path, laid: dict[str, bytes], name: str = "data.zip") -> Path:
    (home / "dsads").mkdir(exist_ok=True)
    with zipfile.ZipFile(home / "dsads" / name, "w") as archive:
        for member, text in laid.items():
            archive.writestr(f"data/{member}", text)
    return home


def read(home: Path, name: str = "p1", **options: Any) -> Series:
    return dsads(home=home, **options)[name]()


def codes(values_TC: Array) -> list[int]:
    """Return the code of each segment; all values of a segment must have it."""
    values_BLC = values_TC.reshape(-1, STEPS, CHANNELS)
    assert (values_BLC == values_BLC[:, :1, :1]).all()
    return values_BLC[:, 0, 0].astype(int).tolist()


def subjects(of: list[int]) -> set[int]:
    return {code // 10_000 for code in of}


def activities(of: list[int]) -> set[int]:
    return {code // 100 % 100 for code in of}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay(tmp_path_factory.mktemp("home"), files())


def test_by_default_nobody_is_in_both_parts(home: Path) -> None:
    assert list(dsads(home=home)) == ["p1", "p2"]
    series = read(home, "p1")
    train, test = codes(series.train_TC), codes(series.test_TC)
    assert (subjects(train), subjects(test)) == ({2}, {1})
    assert activities(train) == set(range(1, 20)) - WRONG
    assert len(train) == 14 * 2
    # in the order of activities, then of time
    assert test == sorted(test)
    assert len(test) == 19 * 2


def test_a_split_by_time_trains_on_the_first_of_each_normal_activity(home: Path) -> None:
    series = read(home, "p2", split="time", train_share=0.4)
    train, test = codes(series.train_TC), codes(series.test_TC)
    assert train == [20_000 + activity * 100 + 1 for activity in range(1, 20) if activity not in WRONG]
    assert sorted(train + test) == sorted(20_000 + a * 100 + n for a in range(1, 20) for n in (1, 2))


def test_the_authors_shuffle_what_is_normal_and_test_all_that_is_not(home: Path) -> None:
    assert list(dsads(home=home, split="authors")) == ["all"]
    series = read(home, "all", split="authors")
    train, test = codes(series.train_TC), codes(series.test_TC)
    normal, abnormal = 2 * 14 * 2, 2 * 5 * 2
    assert (len(train), len(test)) == (round(0.6 * normal), normal - round(0.6 * normal) + abnormal)
    assert train != sorted(train)
    assert set(train).isdisjoint(test)
    assert subjects(train) == subjects(test) == {1, 2}
    assert activities(test[-abnormal:]) == WRONG
    assert codes(read(home, "all", split="authors").train_TC) == train
    assert codes(read(home, "all", split="authors", seed=1).train_TC) != train


@pytest.mark.parametrize("split", ["subject", "time"])
def test_each_file_is_a_segment_and_abnormal_ones_are_labelled(home: Path, split: str) -> None:
    series = read(home, split=split)
    assert series.labels_T is not None
    test = codes(series.test_TC)
    assert series.labels_T.reshape(-1, STEPS).all(axis=1).tolist() == [code // 100 % 100 in WRONG for code in test]
    assert series.test_starts == tuple(range(0, len(series.test_TC), STEPS))
    assert series.train_starts == tuple(range(0, len(series.train_TC), STEPS))
    assert series.event_kinds == (
        "ascending stairs, descending stairs",
        "running on a treadmill",
        "jumping, playing basketball",
    )
    assert series.sampling_period == 0.04


def test_the_channels_are_five_places_three_sensors_three_axes(home: Path) -> None:
    names = read(home).channels
    assert (len(names), len(set(names))) == (45, 45)
    # as the data set's page lists its columns: T_xacc … T_zmag, RA_xacc …, LL_zmag
    assert names[:4] == ("torso_acc_x", "torso_acc_y", "torso_acc_z", "torso_gyro_x")
    assert (names[9], names[18], names[44]) == ("right-arm_acc_x", "left-arm_acc_x", "left-leg_mag_z")


def test_what_is_abnormal_can_be_chosen(home: Path) -> None:
    series = read(home, abnormal="9")
    assert series.event_kinds == ("walking in a parking lot",)
    assert activities(codes(series.train_TC)) == set(range(1, 20)) - {9}
    with pytest.raises(OptionError, match=r"dsads.abnormal = '20': expected numbers with commas between them, of 1, 2"):
        dsads(home=home, abnormal="20")


@pytest.mark.parametrize("split", ["subject", "time", "authors"])
def test_a_zip_reads_as_its_folder_does(home: Path, tmp_path: Path, split: str) -> None:
    zipped = lay_zip(tmp_path, files())
    name = "all" if split == "authors" else "p2"
    assert read(zipped, name, split=split).digest == read(home, name, split=split).digest


def test_subjects_may_lie_in_zips_of_their_own(home: Path, tmp_path: Path) -> None:
    for subject in (1, 2):
        lay_zip(tmp_path, files((subject,)), f"p{subject}.zip")
    assert read(tmp_path).digest == read(home).digest


def test_one_subject_alone_cannot_be_split_by_subject_but_by_time(tmp_path: Path) -> None:
    lay(tmp_path, files((3,)))
    others = "dsads.split=time and dsads.split=authors"
    with pytest.raises(MissingDataError, match=f"only subject 3 is here: .* {others}: put .* get it from"):
        dsads(home=tmp_path)
    assert read(tmp_path, "p3", split="time").train_TC.shape == (14 * STEPS, CHANNELS)


def test_files_of_what_is_abnormal_alone_cannot_be_trained_on(tmp_path: Path) -> None:
    lay(tmp_path, {name: text for name, text in files((1,)).items() if name.startswith("a05")})
    with pytest.raises(DataError, match="dsads p1: the files that are here hold nothing to train on"):
        read(tmp_path, split="time")


@pytest.mark.parametrize(("shape", "named"), [((124, 45), "124, 45"), ((125, 44), "125, 44"), ((1, 1), "1, 1")])
def test_a_file_of_another_shape_is_named(tmp_path: Path, shape: tuple[int, int], named: str) -> None:
    lay(tmp_path, files() | {"a07/p1/s02.txt": content(1, shape)})
    with pytest.raises(DataError, match=rf"a07/p1/s02.txt holds \({named}\) values; expected \(125, 45\)"):
        read(tmp_path)


def test_a_broken_member_of_a_zip_is_named(tmp_path: Path) -> None:
    lay_zip(tmp_path, files() | {"a07/p1/s02.txt": content(1).replace(b"1", b"x", 1)})
    with pytest.raises(DataError, match=r"data.zip: data/a07/p1/s02.txt is not a table of numbers: line 1 holds 'x'"):
        read(tmp_path)


def test_other_files_are_no_windows(tmp_path: Path) -> None:
    lay(tmp_path, files() | {"a20/p1/s01.txt": b"1", "a01/p9/s01.txt": b"1", "a01/p1/s61.txt": b"1"})
    assert list(dsads(home=tmp_path)) == ["p1", "p2"]
    assert len(read(tmp_path).test_TC) == 19 * 2 * STEPS


def test_without_files_it_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="Daily and Sports Activities is not in"):
        dsads(home=tmp_path)


@real
def test_the_real_subject_has_the_published_windows() -> None:
    series = dsads(split="authors")["all"]()
    people = len(series.train_TC) // (round(0.6 * 14 * 60) * STEPS)
    assert series.labels_T is not None
    # 6,720 normal and 2,400 abnormal windows of eight subjects, 60 % of the normal ones for training
    assert len(series.train_TC) == people * 504 * STEPS
    assert series.labels_T.reshape(-1, STEPS)[:, 0].sum() == people * 300
    assert np.abs(series.train_TC).max() <= 120.53
