"""NAB: windows and probation by hand, every way a file can be broken, and the facts of the real benchmark."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tsad_core.dataset import Counts
from tsad_core.datasets.nab import nab
from tsad_core.errors import DataError, MissingDataError
from tsad_core.series import Series

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
KEY = "realKnownCause/nyc_taxi.csv"
NAME = "realKnownCause-nyc_taxi"


def minute(number: int) -> str:
    return f"2014-07-01 {number // 60:02}:{number % 60:02}:00"


def rows(minutes: list[int]) -> str:
    return "timestamp,value\n" + "".join(f"{minute(number)},{row}\n" for row, number in enumerate(minutes))


def window(start: int, end: int) -> list[str]:
    return [f"{minute(start)}.000000", f"{minute(end)}.000000"]


def lay(
    home: Path, text: str, *windows: list[str], labels: str | None = None, key: str = KEY, top: str = "NAB"
) -> Path:
    laid = {f"data/{key}": text, "labels/combined_windows.json": labels or json.dumps({key: windows})}
    for name, content in laid.items():
        path = home / "nab" / top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return home


def steps(series: Series) -> tuple[list[int], list[int]]:
    """Return the labelled rows of the training and of the test part, by their values, which are their numbers."""
    assert series.train_labels_T is not None
    assert series.labels_T is not None
    train, test = series.train_TC[series.train_labels_T, 0], series.test_TC[series.labels_T, 0]
    return train.tolist(), test.tolist()


def refusal(home: Path) -> str:
    with pytest.raises(DataError) as caught:
        nab(home=home)[NAME]()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_windows_include_both_ends_and_those_in_the_training_part_are_its_labels(tmp_path: Path) -> None:
    home = lay(tmp_path, rows(list(range(0, 200, 10))), window(10, 40), window(105, 120), window(190, 190))
    series = nab(home=home)[NAME]()
    # 20 rows: the first 3 are for training; no row at minute 105
    assert (len(series.train_TC), len(series.test_TC)) == (3, 17)
    assert steps(series) == ([1, 2], [3, 4, 11, 12, 19])
    assert (series.name, series.sampling_period, series.channels) == (NAME, 600, ("value",))


@pytest.mark.parametrize(("count", "train"), [(7, 1), (13, 1), (14, 2), (4999, 749), (5000, 750), (9000, 750)])
def test_the_first_15_percent_and_at_most_750_rows_are_for_training(tmp_path: Path, count: int, train: int) -> None:
    text = "timestamp,value\n" + "".join(f"2014-07-01 00:00:00,{row}\n" for row in range(count))
    series = nab(home=lay(tmp_path, text))[NAME]()
    assert (len(series.train_TC), len(series.test_TC)) == (train, count - train)


def test_rows_stay_in_the_order_of_the_file_and_a_repeated_hour_is_labelled_twice(tmp_path: Path) -> None:
    times = [0, 5, 10, 15, 20, 10, 15, 20, 25, 60]
    series = nab(home=lay(tmp_path, rows(times), window(15, 20)))[NAME]()
    assert series.test_TC[:, 0].tolist() == list(range(1, 10))
    assert steps(series) == ([], [3, 4, 6, 7])
    assert series.sampling_period == 300


def test_a_series_without_windows_is_all_normal(tmp_path: Path) -> None:
    assert steps(nab(home=lay(tmp_path, rows(list(range(10)))))[NAME]()) == ([], [])


@pytest.mark.parametrize("top", ["", "NAB", "deep/NAB-master"])
def test_folders_and_zips_of_them_read_the_same(tmp_path: Path, top: str) -> None:
    lay(tmp_path / "a", rows(list(range(10))), window(5, 6), top=top)
    (tmp_path / "b/nab").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "b/nab/any.zip", "w") as archive:
        for path in (tmp_path / "a").rglob("*.*"):
            archive.write(path, path.relative_to(tmp_path / "a/nab"))
    a, b = (nab(home=tmp_path / home)[NAME]() for home in "ab")
    assert a.digest == b.digest
    assert steps(a) == ([], [5, 6])


def test_only_files_in_the_folders_of_data_are_series_even_in_a_home_named_data(tmp_path: Path) -> None:
    home = lay(tmp_path / "data", rows(list(range(10))))
    for other in ("labels/raw.csv", "results/numenta/realKnownCause/numenta_nyc_taxi.csv", "data/realTweets/._x.csv"):
        path = home / "nab/NAB" / other
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("timestamp,value\n", encoding="utf-8")
    (home / "nab/mine.csv").write_text("1\n", encoding="utf-8")
    assert list(nab(home=home)) == [NAME]


def test_missing_data_and_missing_labels_say_what_to_get(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="put the folders data and labels, or a zip of them, there"):
        nab(home=tmp_path)
    lay(tmp_path, rows(list(range(10))))
    (tmp_path / "nab/NAB/labels/combined_windows.json").unlink()
    with pytest.raises(MissingDataError, match=r"combined_windows\.json is not in .*nab: put labels/combined_windows"):
        nab(home=tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("timestamp,value\n", "holds no rows"),
        ("time,value\n2014-07-01 00:00:00,1\n", "has no column 'timestamp'; its first line names: time, value"),
        ("timestamp,value\nnoon,1\n", "holds what is not a time: "),
        ("timestamp,value\n,1\n", "holds no time in row 1"),
        ("timestamp,value\n2014-07-01 00:00:00,one\n", "holds what is not a number: "),
        ("timestamp,value\n2014-07-01 00:00:00,\n", "holds what is not a number: "),
        ("timestamp,value\n2014-07-01 00:00:00,1\n2014-07-01 00:00:00,inf\n", "not finite in row 2"),
        ("timestamp,value\n2014-07-01 00:00:00,1\n2014-07-01 00:00:00\n", "line 3 has 1 columns"),
        ("timestamp,value\n2014-07-01 00:00:00,1,2\n", "line 2 has 3 columns"),
        (rows(list(range(6))), "holds 6 rows; 7 are the fewest"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    message = refusal(lay(tmp_path, text))
    assert f"data/{KEY}" in message
    assert words in message


@pytest.mark.parametrize("span", [(20, 30), (6, 5)])
def test_a_file_shorter_than_its_labels_is_named(tmp_path: Path, span: tuple[int, int]) -> None:
    message = refusal(lay(tmp_path, rows(list(range(10))), window(*span)))
    assert f"data/{KEY} has no row in the labelled window from {minute(span[0])} to {minute(span[1])}" in message


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("{", "is not a JSON file of windows"),
        ("[]", "is not a JSON file of windows"),
        (
            json.dumps({KEY: [["2014-07-01 00:00:00"]]}),
            f"is not a JSON file of windows: Field required ['{KEY}'][0][1]",
        ),
        (json.dumps({KEY: [["noon", "2014-07-01 00:00:00"]]}), "is not a JSON file of windows"),
        ("{}", f"says nothing of {KEY}"),
        (" ", "is empty"),
    ],
)
def test_broken_labels_are_named(tmp_path: Path, labels: str, words: str) -> None:
    message = refusal(lay(tmp_path, rows(list(range(10))), labels=labels))
    assert f"labels/combined_windows.json {words}" in message


def test_a_truncated_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "nab").mkdir()
    (tmp_path / "nab/NAB.zip").write_bytes(b"PK\x03\x04 half of an archive")
    assert "NAB.zip is not a whole zip archive" in refusal(tmp_path)


@real
def test_the_whole_benchmark_adds_up() -> None:
    total, in_training = Counts(0, 0, 0, 0, 0), 0
    for name, read in nab().items():
        series = read()
        assert series.name == name
        assert series.train_labels_T is not None
        total += Counts.of(series)
        in_training += int(series.train_labels_T.sum())
    assert total.series == 58
    assert (total.train_steps or 0) + (total.test_steps or 0) == 365_558
    # no window touches another or the probationary part
    assert (total.events, in_training) == (116, 0)


@real
@pytest.mark.parametrize(
    ("name", "shape", "period"),
    [
        ("realKnownCause-nyc_taxi", (750, 10320, 5), 1800),
        # one of its rows is an hour earlier than the row before
        ("realKnownCause-machine_temperature_system_failure", (750, 22695, 4), 300),
        ("realAdExchange-exchange-3_cpc_results", (230, 1538, 3), 3600),
        ("artificialNoAnomaly-art_flatline", (604, 4032, 0), 300),
    ],
)
def test_real_series_have_their_rows_windows_and_period(name: str, shape: tuple[int, int, int], period: int) -> None:
    series = nab()[name]()
    counts = Counts.of(series)
    assert counts.train_steps is not None
    assert counts.test_steps is not None
    assert (counts.train_steps, counts.train_steps + counts.test_steps, counts.events) == shape
    assert series.sampling_period == period


@real
def test_the_marathon_is_labelled_from_its_first_to_its_last_row() -> None:
    # "2014-10-30 15:30" to "2014-11-03 22:30" in steps of half an hour from 2014-07-01
    series = nab()["realKnownCause-nyc_taxi"]()
    assert series.labels_T is not None
    start = int((np.datetime64("2014-10-30T15:30") - np.datetime64("2014-07-01")) / np.timedelta64(30, "m")) - 750
    edges = np.flatnonzero(np.diff(series.labels_T.astype(int), prepend=0, append=0))
    assert edges[:2].tolist() == [start, start + 4 * 48 + 14 + 1]
