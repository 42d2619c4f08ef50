"""TSB-AD: what file names say, the official lists, every way a file can be broken, and one real series."""

import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from tsad_core.datasets.tsb_ad import tsb_ad_m, tsb_ad_u
from tsad_core.errors import DataError, MissingDataError
from tsad_core.series import Series

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
NAME = "007_NAB_id_7_Traffic_tr_3_1st_1"
UNIVARIATE = "Data,Label\n0,0\n1,1\n2,0\n3,0\n4,1\n5,1\n"
MULTIVARIATE = "a,b b,Label\n0,9,0\n1,8,0.0\n2,7,0\n3,6,1.0\n"


def lay(home: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = home / "tsb-ad" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


def univariate(home: Path, *names: str, text: str = UNIVARIATE) -> Path:
    return lay(home, {f"TSB-AD-U/{name}.csv": text for name in names or (NAME,)})


def refusal(home: Path) -> str:
    with pytest.raises(DataError) as caught:
        tsb_ad_u(home=home)[NAME]()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_first_tr_steps_are_the_training_part_with_labels_of_its_own(tmp_path: Path) -> None:
    series = tsb_ad_u(home=univariate(tmp_path))[NAME]()
    assert series.name == NAME
    assert series.train_TC.tolist() == [[0], [1], [2]]
    assert series.test_TC.tolist() == [[3], [4], [5]]
    assert series.train_labels_T is not None
    assert series.labels_T is not None
    # "1st_1": the first anomaly of the file is at step 1, counted from 0
    assert series.train_labels_T.tolist() == [False, True, False]
    assert series.labels_T.tolist() == [False, True, True]
    assert series.channels == ("Data",)


def test_several_columns_are_several_channels(tmp_path: Path) -> None:
    name = "002_MSL_id_1_Sensor_tr_2_1st_3"
    series = tsb_ad_m(home=lay(tmp_path, {f"TSB-AD-M/{name}.csv": MULTIVARIATE}))[name]()
    assert series.train_TC.tolist() == [[0, 9], [1, 8]]
    assert series.test_TC.tolist() == [[2, 7], [3, 6]]
    assert series.labels_T is not None
    assert series.labels_T.tolist() == [False, True]
    assert series.channels == ("a", "b b")


def test_a_series_may_have_no_anomaly_in_its_test_part(tmp_path: Path) -> None:
    home = univariate(tmp_path, text="Data,Label\n0,0\n1,1\n2,0\n3,0\n")
    labels_T = tsb_ad_u(home=home)[NAME]().labels_T
    assert labels_T is not None
    assert labels_T.tolist() == [False]


def test_series_come_in_the_order_of_their_numbers_each_in_its_data_set(tmp_path: Path) -> None:
    names = ["010_A_id_1_B_tr_3_1st_1", "100_A_id_3_B_tr_3_1st_1", "009_A_id_2_B_tr_3_1st_-1"]
    univariate(tmp_path, *names)
    other = "001_A_id_1_B_tr_1_1st_1"
    lay(tmp_path, {f"TSB-AD-M/{other}.csv": MULTIVARIATE, "TSB-AD-U/readme.csv": "", "002_A_tr_1_1st_1.csv": ""})
    assert list(tsb_ad_u(home=tmp_path)) == [names[2], names[0], names[1]]
    assert list(tsb_ad_m(home=tmp_path)) == [other]


@pytest.mark.parametrize("top", ["", "Datasets/deep/"])
def test_folders_and_zips_of_them_read_the_same(tmp_path: Path, top: str) -> None:
    lay(tmp_path / "a", {f"{top}TSB-AD-U/{NAME}.csv": UNIVARIATE})
    (tmp_path / "b/tsb-ad").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "b/tsb-ad/TSB-AD-U.zip", "w") as archive:
        archive.writestr(f"{top}TSB-AD-U/{NAME}.csv", UNIVARIATE)
        archive.writestr(f"__MACOSX/{top}TSB-AD-U/._{NAME}.csv", "\0")
    a, b = (tsb_ad_u(home=tmp_path / home) for home in "ab")
    assert list(a) == list(b) == [NAME]
    assert a[NAME]().digest == b[NAME]().digest


ONE, TWO, THREE = (f"00{number}_A_id_{number}_B_tr_3_1st_1" for number in (1, 2, 3))


@pytest.mark.parametrize("where", ["", "File_List/", "TSB-AD-U/"])
def test_a_part_is_the_series_of_its_official_list_wherever_that_lies(tmp_path: Path, where: str) -> None:
    univariate(tmp_path, ONE, TWO, THREE)
    lay(tmp_path, {f"{where}TSB-AD-U-Tuning.csv": f"file_name\n{TWO}.csv\n"})
    lay(tmp_path, {f"{where}TSB-AD-U-Eva.csv": f"file_name\n{THREE}.csv\n{ONE}.csv\n009_not_here.csv\n"})
    assert list(tsb_ad_u(home=tmp_path, part="tuning")) == [TWO]
    assert list(tsb_ad_u(home=tmp_path, part="eval")) == [ONE, THREE]
    assert list(tsb_ad_u(home=tmp_path, part="all")) == list(tsb_ad_u(home=tmp_path)) == [ONE, TWO, THREE]


def test_a_part_without_its_list_says_which_file_to_get(tmp_path: Path) -> None:
    univariate(tmp_path)
    lay(tmp_path, {"TSB-AD-U-Tuning.csv": "file_name\nx.csv\n", "TSB-AD-M/001_A_tr_1_1st_1.csv": MULTIVARIATE})
    with pytest.raises(MissingDataError, match=r"^TSB-AD-U-Eva\.csv is not in .*: put TSB-AD-U-Eva\.csv there; get it"):
        tsb_ad_u(home=tmp_path, part="eval")
    with pytest.raises(MissingDataError, match=r"put TSB-AD-M-Tuning\.csv there"):
        tsb_ad_m(home=tmp_path, part="tuning")


def test_a_broken_list_is_named(tmp_path: Path) -> None:
    univariate(tmp_path)
    lay(tmp_path, {"TSB-AD-U-Eva.csv": f"name\n{NAME}.csv\n"})
    with pytest.raises(DataError, match=r"TSB-AD-U-Eva\.csv has no column 'file_name'; its first line names: name"):
        tsb_ad_u(home=tmp_path, part="eval")


@pytest.mark.parametrize(("dataset", "name"), [(tsb_ad_u, "TSB-AD-U"), (tsb_ad_m, "TSB-AD-M")])
def test_missing_data_says_what_to_get(tmp_path: Path, dataset: Callable[..., object], name: str) -> None:
    with pytest.raises(MissingDataError, match=rf"put {name}\.zip, or its unpacked folder {name}, there; get it from"):
        dataset(home=tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("Data,Label\n", "holds no rows"),
        ("Data,Label", "holds no rows"),
        ("Data,label\n1,0\n2,0\n3,0\n4,0\n", "names the columns Data, label; expected values, then Label as the last"),
        ("Label,Data\n1,0\n2,0\n3,0\n4,0\n", "expected values, then Label as the last"),
        ("Label\n1\n0\n0\n0\n", "expected values, then Label as the last"),
        ("Data,Label\n1,0\n2,0\n3,0\n", "holds 3 rows, but its name says that 3 are for training"),
        ("Data,Label\n1,0\n2,zero\n3,0\n4,0\n", "is not a table of numbers"),
        ("Data,Label\n1,0\nx,0\n3,0\n4,0\n", "is not a table of numbers"),
        ("Data,Label\n1,0\n,0\n3,0\n4,0\n", "is not a table of numbers"),
        ("Data,Label\n1,0\n2\n3,0\n4,0\n", "is not a table of numbers"),
        ("Data,Label\n1,0,0\n2,0,0\n3,0,0\n4,0,0\n", "names 2 columns, but its rows have 3"),
        ("Data,Label\n1,0\n2,2\n3,0\n4,0\n", "holds labels other than 0 and 1"),
        ("Data,Label\n1,0\n2,0\nnan,0\n4,0\n", "not finite in line 4"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    message = refusal(univariate(tmp_path, text=text))
    assert f"TSB-AD-U/{NAME}.csv " in message
    assert words in message


def test_a_name_without_a_training_part_is_refused(tmp_path: Path) -> None:
    name = "001_A_id_1_B_tr_0_1st_1"
    with pytest.raises(DataError, match="its name says that 0 are for training"):
        tsb_ad_u(home=univariate(tmp_path, name))[name]()


def test_a_truncated_zip_is_named(tmp_path: Path) -> None:
    lay(tmp_path, {"TSB-AD-U.zip": "PK\x03\x04 half of an archive"})
    assert "TSB-AD-U.zip is not a whole zip archive" in refusal(tmp_path)


def first() -> Series:
    series = tsb_ad_u()
    if "001_NAB_id_1_Facility_tr_1007_1st_2014" not in series:
        pytest.skip("this data home has no series 001 of TSB-AD-U")
    return series["001_NAB_id_1_Facility_tr_1007_1st_2014"]()


@real
def test_a_real_series_has_the_split_and_the_first_anomaly_its_name_says() -> None:
    series = first()
    assert series.train_labels_T is not None
    assert series.labels_T is not None
    assert (len(series.train_TC), len(series.test_TC)) == (1007, 4031 - 1007)
    edges = np.flatnonzero(np.diff(series.labels_T.astype(int), prepend=0, append=0))
    assert len(edges) == 2 * 3
    assert 1007 + edges[0] == 2014
    assert not series.train_labels_T.any()
    assert series.train_TC[0, 0] == np.float32(47.606)


@real
def test_a_real_data_home_without_the_lists_says_which_to_get() -> None:
    first()
    if next(Path(os.environ["TSAD_DATA"], "tsb-ad").rglob("TSB-AD-U-Eva.csv"), None):
        pytest.skip("this data home has the list")
    with pytest.raises(MissingDataError, match=r"put TSB-AD-U-Eva\.csv there"):
        tsb_ad_u(part="eval")
