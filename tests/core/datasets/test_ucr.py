"""UCR: names, the convention of the numbers in them, and the facts of the real archive."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tsad_core.datasets.home import DataFile
from tsad_core.datasets.ucr import ucr
from tsad_core.errors import DataError

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
OFFICIAL = "AnomalyDatasets_2021/UCR_TimeSeriesAnomalyDatasets2021/FilesAreInHere/UCR_Anomaly_FullData"


def lay(home: Path, name: str, values: str) -> Path:
    path = home / "ucr" / OFFICIAL / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(values, encoding="utf-8")
    return home


@pytest.mark.parametrize("separator", ["\n", "  ", "\r\n"])
def test_names_count_from_one_and_include_both_ends(tmp_path: Path, separator: str) -> None:
    home = lay(tmp_path, "007_UCR_Anomaly_toy_4_6_8.txt", separator.join(map(str, range(1, 11))))
    series = ucr(home=home)["007-toy"]()
    # the values are the steps' numbers in the file: train 1..4, anomaly 6..8
    assert series.train_TC[:, 0].tolist() == [1, 2, 3, 4]
    assert series.test_TC[:, 0].tolist() == [5, 6, 7, 8, 9, 10]
    assert series.labels_T is not None
    assert series.test_TC[series.labels_T, 0].tolist() == [6, 7, 8]
    assert series.name == "007-toy"


@pytest.mark.parametrize(("name", "marked"), [("1_2_2", [0]), ("1_4_4", [2]), ("1_2_4", [0, 1, 2])])
def test_an_anomaly_may_be_one_step_or_touch_either_end_of_the_test_part(
    tmp_path: Path, name: str, marked: list[int]
) -> None:
    series = ucr(home=lay(tmp_path, f"001_UCR_Anomaly_x_{name}.txt", "1 2 3 4"))["001-x"]()
    assert series.labels_T is not None
    assert np.flatnonzero(series.labels_T).tolist() == marked


@pytest.mark.parametrize("name", ["4_5_6", "0_2_3", "2_2_3", "1_3_2", "5_6_7"])
def test_a_file_shorter_than_its_name_says_is_named(tmp_path: Path, name: str) -> None:
    read = ucr(home=lay(tmp_path, f"001_UCR_Anomaly_x_{name}.txt", "1 2 3 4"))["001-x"]
    with pytest.raises(DataError, match=rf"001_UCR_Anomaly_x_{name}\.txt holds 4 values, but its name says"):
        read()


def test_series_come_in_the_order_of_their_numbers_and_underscores_stay_in_names(tmp_path: Path) -> None:
    for name in ("010_UCR_Anomaly_b_1_2_3.txt", "002_UCR_Anomaly_z_2_y_1_2_3.txt", "readme.txt"):
        lay(tmp_path, name, "1 2 3")
    assert list(ucr(home=tmp_path)) == ["002-z_2_y", "010-b"]


def test_listing_reads_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ucr").mkdir()
    with zipfile.ZipFile(tmp_path / "ucr/any.zip", "w") as archive:
        for number in range(1, 251):
            archive.writestr(f"{OFFICIAL}/{number:03}_UCR_Anomaly_x{number}_1_2_3.txt", "not a number")
    monkeypatch.setattr(DataFile, "read", lambda self: pytest.fail(f"{self} was read"))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("a member was opened"))
    assert len(ucr(home=tmp_path)) == 250


def test_reading_a_series_opens_the_zip_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ucr").mkdir()
    with zipfile.ZipFile(tmp_path / "ucr/any.zip", "w") as archive:
        archive.writestr("001_UCR_Anomaly_x_1_2_3.txt", "1 2 3")
    read = ucr(home=tmp_path)["001-x"]
    opened: list[str] = []
    monkeypatch.setattr(
        zipfile.ZipFile,
        "__init__",
        lambda *a, init=zipfile.ZipFile.__init__, **k: (opened.append("zip"), init(*a, **k))[1],
    )
    read()
    assert opened == ["zip"]


def test_missing_data_names_the_file_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"put UCR_TimeSeriesAnomalyDatasets2021\.zip, or its unpacked folder, there"):
        ucr(home=tmp_path)


@real
def test_the_archive_has_250_series_named_by_number_and_middle_name() -> None:
    names = list(ucr())
    assert len(names) == 250
    assert [name[:3] for name in names] == [f"{number:03}" for number in range(1, 251)]
    assert names[0] == "001-DISTORTED1sddb40"


@real
@pytest.mark.parametrize("number", [204, 205, 206, 207, 208, 225, 226, 242, 243])
def test_the_nine_files_of_one_line_are_read_whole(number: int) -> None:
    (read,) = [read for name, read in ucr().items() if name.startswith(f"{number:03}")]
    series = read()
    assert series.labels_T is not None
    assert len(series.train_TC) + len(series.test_TC) >= 6684
    assert len(np.flatnonzero(np.diff(series.labels_T, prepend=False, append=False))) == 2


@real
def test_the_first_series_has_the_split_its_name_says() -> None:
    series = ucr()["001-DISTORTED1sddb40"]()
    assert series.labels_T is not None
    # 001_UCR_Anomaly_DISTORTED1sddb40_35000_52000_52620
    assert len(series.train_TC) == 35000
    assert np.flatnonzero(series.labels_T)[[0, -1]].tolist() == [52000 - 35000 - 1, 52620 - 35000 - 1]


@real
def test_the_whole_archive_adds_up() -> None:
    train, test, anomaly = [], [], []
    for read in ucr().values():
        series = read()
        assert series.labels_T is not None
        train.append(len(series.train_TC))
        test.append(len(series.test_TC))
        anomaly.append(int(series.labels_T.sum()))
        assert len(np.flatnonzero(np.diff(series.labels_T, prepend=False, append=False))) == 2
    lengths = np.add(train, test)
    assert (sum(train), sum(test)) == (5_302_449, 14_051_317)
    assert (lengths.min(), lengths.max(), np.median(lengths)) == (6_684, 900_000, 30_066)
    assert (min(anomaly), max(anomaly), np.median(anomaly)) == (1, 1_701, 101)
