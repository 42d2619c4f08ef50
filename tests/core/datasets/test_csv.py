"""Your own file: what each option promises, and one clear line for whatever may be wrong."""

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tsad_core.datasets.csv import csv
from tsad_core.errors import DataError, MissingDataError, OptionError, TsadError
from tsad_core.options import bind
from tsad_core.series import Array, Series

WIDE = "a,b\n1,10\n2,20\n3,30\n4,40\n"
CLOCK = ("00:00", "00:10", "00:20", "00:50", "01:00")
TIMED = "t,a\n" + "".join(f"2024-01-01T00:{time},{value}\n" for value, time in enumerate(CLOCK, 1))


def read(tmp_path: Path, text: str | bytes, name: str = "my.csv", **options: Any) -> Series:
    (series,) = csv(path=str(write(tmp_path, text, name)), **options).values()
    return series()


def write(tmp_path: Path, text: str | bytes, name: str = "my.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def error(tmp_path: Path, text: str | bytes, name: str = "my.csv", **options: Any) -> str:
    with pytest.raises(TsadError) as caught:
        read(tmp_path, text, name, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{tmp_path}/", "")


def rows(values_TC: Array) -> list[list[float]]:
    return [[float(value) for value in row] for row in values_TC]


def test_the_first_rows_are_the_training_part_and_the_rest_is_the_test_part(tmp_path: Path) -> None:
    series = read(tmp_path, WIDE)
    assert rows(series.train_TC) == [[1, 10], [2, 20]]
    assert rows(series.test_TC) == [[3, 30], [4, 40]]
    assert (series.name, series.channels, series.labels_T) == ("my", ("a", "b"), None)


@pytest.mark.parametrize(
    ("options", "train"),
    [({"train_share": 0.75}, 3), ({"train_share": 0.01}, 1), ({"train_share": 0.99}, 3), ({"train_rows": 1}, 1)],
)
def test_the_training_part_is_a_share_or_a_number_of_rows_and_no_part_is_empty(
    tmp_path: Path, options: dict[str, Any], train: int
) -> None:
    series = read(tmp_path, WIDE, **options)
    assert (len(series.train_TC), len(series.test_TC)) == (train, 4 - train)


def test_more_training_rows_than_there_are_is_refused(tmp_path: Path) -> None:
    assert error(tmp_path, WIDE, train_rows=4) == "csv.train_rows = 4: my.csv holds 4 rows, so none is left to test"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a;b\n1,5;2\n3,5;4\n", {"decimal": "comma"}),
        ("a\tb\n1.5\t2\n3.5\t4\n", {}),
        ("a, b\n1.5, 2\n3.5, 4\n", {}),
        ('"a";"b"\r\n"1.5";"2"\r\n"3.5";"4"\r\n', {}),
        ('a,b\n"1,5",2\n"3,5",4\n', {"decimal": "comma"}),
        ("\ufeffa,b\n1.5,2\n3.5,4", {}),
        ("a,b\n1.5,2\n3.5,4\n\n\n", {}),
        ("a|b;b\n1.5;2\n3.5;4\n", {"delimiter": "semicolon"}),
    ],
)
def test_delimiters_decimals_quotes_and_ends_of_files_are_as_people_have_them(
    tmp_path: Path, text: str, options: dict[str, Any]
) -> None:
    series = read(tmp_path, text, **options)
    assert (rows(series.train_TC), rows(series.test_TC)) == ([[1.5, 2]], [[3.5, 4]])


def test_packed_tab_separated_and_parquet_files_hold_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3.5, 4.5]})
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    frame.to_csv(tmp_path / "x.tsv", sep="\t", index=False)
    frame.to_parquet(tmp_path / "x.parquet")
    digests = set()
    for name in ("x.csv.gz", "x.tsv", "x.parquet"):
        (series,) = csv(path=str(tmp_path / name)).values()
        digests.add(series().digest)
        assert series().name == "x"
    assert len(digests) == 1


def test_an_index_that_pandas_stored_in_parquet_is_a_column(tmp_path: Path) -> None:
    index = pd.date_range("2024-01-01", periods=4, freq="10s", name="when")
    pd.DataFrame({"a": [1.0, 2, 3, 4]}, index=index).to_parquet(tmp_path / "x.parquet")
    series = csv(path=str(tmp_path / "x.parquet"), time="when")["x"]()
    assert (series.sampling_period, series.channels) == (10.0, ("a",))


@pytest.mark.parametrize("spelt", [("0", "1"), ("false", "True"), ("normal", "Anomaly"), ("0.0", "1.0")])
def test_labels_are_split_like_the_values(tmp_path: Path, spelt: tuple[str, str]) -> None:
    no, yes = spelt
    series = read(tmp_path, f"a,y\n1,{no}\n2,{yes}\n3,{yes}\n4,{no}\n", label="y")
    assert series.channels == ("a",)
    assert series.train_labels_T is not None
    assert series.labels_T is not None
    assert (series.train_labels_T.tolist(), series.labels_T.tolist()) == ([False, True], [True, False])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,y\n1,0\n2,1\n3,\n", "my.csv, row 4, column 'y': it has no label; expected 0 or 1, false or true"),
        ("a,y\n1,0\n2,2\n", "my.csv, row 3, column 'y': '2' is no label"),
        ("a,y\n1,no\n2,0\n", "my.csv, row 2, column 'y': 'no' is no label"),
    ],
)
def test_what_is_no_label_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert message in error(tmp_path, text, label="y")


@pytest.mark.parametrize(
    ("times", "options", "period"),
    [
        (("2024-01-01 00:00", "2024-01-01 00:05", "2024-01-01 00:10"), {}, 300),
        (("2024-03-31T01:59:59+01:00", "2024-03-31T03:00:00+02:00", "2024-03-31T03:00:01+02:00"), {}, 1),
        (("01.02.2024 10:00", "01.02.2024 10:01", "01.02.2024 10:02"), {"time_format": "%d.%m.%Y %H:%M"}, 60),
        (("0", "0.25", "0.5"), {}, 0.25),
        (("1700000000", "1700000002", "1700000004"), {}, 2),
        (("1700000000000", "1700000000020", "1700000000040"), {}, 0.02),
        (("1700000000000000000", "1700000000000000100", "1700000000000000200"), {}, 1e-7),
    ],
)
def test_times_are_iso_or_numbers_or_as_told(
    tmp_path: Path, times: tuple[str, ...], options: dict[str, Any], period: float
) -> None:
    text = "t,a\n" + "".join(f"{time},1\n" for time in times)
    assert read(tmp_path, text, time="t", **options).sampling_period == pytest.approx(period)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ("1 2 2", "row 4, column 't': the time 2 does not come after 2, the one before; sort the rows"),
        ("1 3 2", "row 4, column 't': the time 2 does not come after 3"),
        ("1 inf 2", "row 3, column 't': it is no time"),
        ("1 2 x", "row 2, column 't': '1' is not a time in ISO 8601; set csv.time_format"),
        ("01.02.2024 02.02.2024", "row 2, column 't': '01.02.2024' is not a time in ISO 8601; set csv.time_format"),
        ("2024-01-01 ,", "row 3, column 't': it has no time"),
    ],
)
def test_times_that_do_not_rise_or_are_none_are_named(tmp_path: Path, times: str, message: str) -> None:
    text = "t,a\n" + "".join(f"{time.strip(',')},1\n" for time in times.split(" "))
    assert message in error(tmp_path, text, time="t")


def test_a_gap_starts_a_segment(tmp_path: Path) -> None:
    series = read(tmp_path, TIMED, time="t", train_rows=1)
    assert (series.train_starts, series.test_starts, series.sampling_period) == ((0,), (0, 2), 10.0)


def test_a_gap_between_the_parts_starts_nothing(tmp_path: Path) -> None:
    series = read(tmp_path, TIMED, time="t", train_rows=3)
    assert (series.train_starts, series.test_starts) == ((0,), (0,))


def test_a_gap_can_be_kept(tmp_path: Path) -> None:
    assert read(tmp_path, TIMED, time="t", train_rows=1, gaps="keep").test_starts == (0,)


def test_a_gap_can_be_filled_with_missing_values_or_with_made_up_ones(tmp_path: Path) -> None:
    series = read(tmp_path, TIMED, time="t", train_rows=1, gaps="insert")
    assert series.missing
    assert np.array_equal(series.test_TC[:, 0], [2, 3, np.nan, np.nan, 4, 5], equal_nan=True)
    series = read(tmp_path, TIMED, time="t", train_rows=1, gaps="insert", missing="forward")
    assert not series.missing
    assert series.test_TC[:, 0].tolist() == [2, 3, 3, 3, 4, 5]


@pytest.mark.parametrize(("labels", "wanted"), [("00110", "011110"), ("00100", "010000"), ("00010", "000010")])
def test_inserted_steps_are_labelled_if_both_neighbours_are(tmp_path: Path, labels: str, wanted: str) -> None:
    lines = TIMED.splitlines()
    text = "\n".join([f"{lines[0]},y", *(f"{line},{mark}" for line, mark in zip(lines[1:], labels, strict=True))])
    series = read(tmp_path, text, time="t", label="y", train_rows=1, gaps="insert")
    assert series.labels_T is not None
    assert "".join(str(int(mark)) for mark in series.labels_T) == wanted


def test_times_that_jump_all_the_time_are_not_gaps(tmp_path: Path) -> None:
    times = np.cumsum([1, 1, 5] * 40)
    text = "t,a\n" + "".join(f"{time},1\n" for time in times)
    message = error(tmp_path, text, time="t")
    assert message.startswith("my.csv, training part: its times are irregular, 20 of 60 come more than 1.5 times")
    assert read(tmp_path, text, time="t", gaps="keep").test_starts == (0,)


def test_a_gap_of_years_is_not_filled(tmp_path: Path) -> None:
    text = "t,a\n0,1\n1,1\n2,1\n3,1\n1000000000,1\n1000000001,1\n"
    assert "set csv.gaps=segment" in error(tmp_path, text, time="t", gaps="insert", train_rows=1)


HOLES = "a,b\n,1\n2,2\n,3\n6,\n9,5\n,6\n"


def test_missing_values_are_refused_with_what_to_do(tmp_path: Path) -> None:
    message = error(tmp_path, HOLES)
    assert message.startswith("my.csv, row 2, column 'a': it has no value; 33.33% of all are missing; set csv.missing=")


@pytest.mark.parametrize(
    ("missing", "train", "test"),
    [
        ("interpolate", [[2, 1], [2, 2], [2, 3]], [[6, 5], [9, 5], [9, 6]]),
        ("forward", [[2, 1], [2, 2], [2, 3]], [[6, 5], [9, 5], [9, 6]]),
    ],
)
def test_missing_values_are_made_up_inside_each_part(
    tmp_path: Path, missing: str, train: list[list[float]], test: list[list[float]]
) -> None:
    # across the parts, the third value of a would be 4: the training part does not see the test part
    series = read(tmp_path, HOLES, missing=missing)
    assert (rows(series.train_TC), rows(series.test_TC)) == (train, test)


@pytest.mark.parametrize(("missing", "middle"), [("interpolate", [2, 3]), ("forward", [1, 1])])
def test_interpolation_is_on_a_line_and_forward_repeats(tmp_path: Path, missing: str, middle: list[float]) -> None:
    series = read(tmp_path, "a\n1\n\n\n4\n5\n", missing=missing, train_rows=4)
    assert series.train_TC[:, 0].tolist() == [1, *middle, 4]


def test_missing_values_can_be_kept(tmp_path: Path) -> None:
    series = read(tmp_path, HOLES, missing="keep")
    assert series.missing
    assert int(np.isnan(series.train_TC).sum() + np.isnan(series.test_TC).sum()) == 4
    assert not read(tmp_path, WIDE, missing="keep").missing


@pytest.mark.parametrize("missing", ["keep", "interpolate", "forward"])
def test_a_channel_without_any_value_in_a_part_is_named(tmp_path: Path, missing: str) -> None:
    message = error(tmp_path, "a,b\n1,\n2,\n3,3\n4,4\n", missing=missing)
    assert message == "my.csv, training part: column 'b' has no value at all; name it in csv.ignore"


LONG = "t,channel,value,y\n1,b,1,0\n1,a,10,0\n2,a,20,1\n2,b,2,0\n3,b,3,0\n3,a,30,0\n"


def test_the_long_form_makes_a_channel_of_each_name_in_order_of_appearance(tmp_path: Path) -> None:
    series = read(tmp_path, LONG, form="long", time="t", label="y", train_rows=1)
    assert series.channels == ("b", "a")
    assert (rows(series.train_TC), rows(series.test_TC)) == ([[1, 10]], [[2, 20], [3, 30]])
    assert series.labels_T is not None
    assert series.labels_T.tolist() == [True, False]


def test_the_long_form_may_come_channel_after_channel(tmp_path: Path) -> None:
    lines = LONG.splitlines()
    text = "\n".join([lines[0], *sorted(lines[1:], key=lambda line: (line.split(",")[1] == "a", line[0]))])
    options: dict[str, Any] = {"form": "long", "time": "t", "label": "y"}
    assert read(tmp_path, text, **options).digest == read(tmp_path, LONG, **options).digest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3,a,31,0", "row 8, column 'value': channel 'a' has another value at time 3"),
        ("2.5,a,31,0", "row 8, column 't': the time 2.5 does not come after 3.0"),
        ("4,a,31,0", "time 4, column 'b': it has no value"),
        ("4,,31,0", "row 8, column 'channel': it has no name"),
        ("4,a,x,0", "row 8, column 'value': 'x' is not a number"),
    ],
)
def test_what_is_wrong_in_the_long_form_is_named(tmp_path: Path, line: str, message: str) -> None:
    assert message in error(tmp_path, f"{LONG}{line}\n", form="long", time="t", label="y")


def test_the_long_form_has_no_use_for_other_columns(tmp_path: Path) -> None:
    message = error(tmp_path, LONG, form="long", time="t")
    assert message == "my.csv: the long form has no use for column 'y'; name it in csv.ignore"
    assert error(tmp_path, LONG, form="long") == "csv.form=long needs csv.time, the column that says when"


def test_a_column_tells_series_apart(tmp_path: Path) -> None:
    path = write(tmp_path, "pump,t,a\n007,1,1\nNorth,1,10\n007,2,2\nNorth,2,20\n")
    found = csv(path=str(path), series="pump", time="t")
    assert list(found) == ["007", "North"]
    assert [rows(found[name]().test_TC) for name in found] == [[[2]], [[20]]]
    assert found["007"]().name == "007"


def test_faults_in_one_of_several_series_name_the_row_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "p,a\nx,1\ny,1\nx,2\ny,oops\n")
    found = csv(path=str(path), series="p")
    assert rows(found["x"]().test_TC) == [[2]]
    with pytest.raises(DataError, match=r"my\.csv, row 5, column 'a': 'oops' is not a number"):
        found["y"]()
    short = write(tmp_path, "p,a\nx,1\ny,1\nx,2\n", "short.csv")
    with pytest.raises(DataError, match=r"short\.csv, series 'y' holds 1 row of values"):
        csv(path=str(short), series="p")["y"]()


@pytest.mark.parametrize("packed", [False, True])
def test_several_series_are_read_from_the_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    frame = pd.DataFrame({"p": list("xyzxyz"), "a": range(6)})
    path = tmp_path / ("my.csv.gz" if packed else "my.csv")
    frame.to_csv(path, index=False)
    found = csv(path=str(path), series="p")
    reads: list[object] = []
    whole = pd.read_csv
    monkeypatch.setattr(pd, "read_csv", lambda *given, **how: reads.append(given) or whole(*given, **how))
    assert [rows(found[name]().test_TC) for name in "zxyx"] == [[[5]], [[3]], [[4]], [[3]]]
    assert len(reads) == 1


def test_a_series_that_left_the_file_since_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "p,a\nx,1\ny,1\nx,2\ny,2\n")
    found = csv(path=str(path), series="p")
    path.write_text("p,a\nx,1\nx,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="series 'y' holds 0 row of values"):
        found["y"]()


def test_text_in_one_series_leaves_the_decimal_commas_of_another(tmp_path: Path) -> None:
    path = write(tmp_path, "p;a\nx;1,5\ny;1\nx;2,5\ny;oops\n")
    found = csv(path=str(path), series="p", decimal="comma")
    assert rows(found["x"]().test_TC) == [[2.5]]
    with pytest.raises(DataError, match=r"row 5, column 'a': 'oops' is not a number"):
        found["y"]()


@pytest.mark.parametrize("name", ["label", "Label", "labels", "is_anomaly", "anomaly"])
@pytest.mark.parametrize("marks", ["0011", "0000", ("0.0", "1.0", "0.0", "1.0"), ("False", "True", "False", "True")])
def test_labels_that_no_option_names_are_no_channel(tmp_path: Path, name: str, marks: tuple[str, ...]) -> None:
    text = f"a,{name}\n" + "".join(f"{step},{mark}\n" for step, mark in enumerate(marks))
    assert error(tmp_path, text) == (
        f"my.csv: channel {name!r} looks like labels, which no detector may see; "
        "name it in csv.label or csv.ignore, or give it another name if it was measured"
    )
    assert read(tmp_path, text, label=name).channels == read(tmp_path, text, ignore=name).channels == ("a",)


@pytest.mark.parametrize("missing", ["keep", "forward"])
def test_labels_with_gaps_are_no_channel_either(tmp_path: Path, missing: str) -> None:
    assert "looks like labels" in error(tmp_path, "a,label\n1,0\n2,\n3,1\n4,\n", missing=missing)


def test_a_channel_may_hold_two_values_or_be_called_label_but_not_both(tmp_path: Path) -> None:
    assert read(tmp_path, "valve,label\n0,0\n1,2\n0,1\n1,0\n").channels == ("valve", "label")


def test_labels_among_the_channels_of_the_long_form_are_refused(tmp_path: Path) -> None:
    text = "t,channel,value\n1,a,5\n1,label,0\n2,a,6\n2,label,1\n"
    message = error(tmp_path, text, form="long", time="t")
    assert "channel 'label' looks like labels, which no detector may see; take its rows away" in message


def test_a_series_without_a_name_is_named(tmp_path: Path) -> None:
    assert "row 3, column 'p': it has no name" in error(tmp_path, "p,a\nx,1\n,2\n", series="p")


def test_columns_can_be_ignored(tmp_path: Path) -> None:
    series = read(tmp_path, ",a,note\n0,1,x\n1,2,y\n", ignore="column 1, note")
    assert series.channels == ("a",)


def test_a_column_of_text_says_which_option_takes_it(tmp_path: Path) -> None:
    message = error(tmp_path, "a,when\n1,monday\n2,tuesday\n")
    assert message == (
        "my.csv, row 2, column 'when': it is text; name it in csv.time, csv.label, csv.series or csv.ignore"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"label": "lable"}, "csv.label = 'lable': my.csv has no such column; did you mean 'label'?"),
        ({"time": "q"}, "csv.time = 'q': my.csv has no such column; there are: t, label, a"),
        ({"ignore": "a,zz"}, "csv.ignore = 'zz': my.csv has no such column"),
        ({"label": "a", "time": "a"}, "column 'a' is named twice in the options of csv"),
        ({"ignore": "t,label,a"}, "my.csv has no channel"),
        ({"gaps": "insert"}, "csv.gaps=insert needs csv.time"),
    ],
)
def test_a_mistake_in_the_options_shows_before_any_row_is_read(
    tmp_path: Path, option: dict[str, Any], message: str
) -> None:
    path = write(tmp_path, b"t,label,a\n\xff\xff not even text")
    with pytest.raises(TsadError) as caught:
        csv(path=str(path), **option)
    assert message in str(caught.value).replace(f"{tmp_path}/", "")


def test_listing_reads_the_header_alone(tmp_path: Path) -> None:
    assert list(csv(path=str(write(tmp_path, b"a,b\n\xff\xff not even text")))) == ["my"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "my.csv is empty, or its header is"),
        ("\n\n", "my.csv is empty, or its header is"),
        ("a,b\n", "my.csv holds no row of values"),
        ("a,b\n\n\n", "my.csv holds no row of values"),
        ("a,b\n1,2\n", "my.csv holds 1 row of values; a training and a test part need 2 or more"),
        ("a,b\n1,2\n3,x\n", "my.csv, row 3, column 'b': 'x' is not a number"),
        ("a,b\n1,2\n\n3,x\n", "my.csv, row 4, column 'b': 'x' is not a number"),
        ("a;b\n1,5;2\n3,5;4\n", "row 2, column 'a': '1,5' is not a number; a decimal comma needs csv.decimal=comma"),
        ('a,b\n1,"-1234,5e3"\n', "'-1234,5e3' is not a number; a decimal comma needs csv.decimal=comma"),
        ("a;b\n1;2\n3;1,5,2\n", "'1,5,2' is not a number; mend it, leave it empty, or name its column in csv.ignore"),
        ("a;b\n1;2\n3;x,y\n", "'x,y' is not a number; mend it, leave it empty, or name its column in csv.ignore"),
        ("a,b\n1,2\n3,oops\n", "'oops' is not a number; mend it, leave it empty, or name its column in csv.ignore"),
        ("a,b\n1,2\n3,4,5\n", "my.csv, row 3: it holds 3 values for 2 columns"),
        ("a,b\n1,2,3\n3,4,5\n", "my.csv, row 2: it holds 3 values for 2 columns"),
        ("a,b\n1,2\n3\n", "my.csv, row 3: it holds 1 values for 2 columns"),
        ("a,b\n1,2\n3,inf\n", "my.csv, row 3, column 'b': inf is infinite or too large for float32"),
        ("a,b\n1,2\n3,1e39\n", "my.csv, row 3, column 'b': 1e+39 is infinite or too large for float32"),
        ('a,b\n1,"2\n3,4\n', "my.csv is not a table: Error tokenizing data. C error: EOF inside string"),
        ('"' + "x" * 200_000, "my.csv, row 1: it names no columns"),
        ("a,a\n1,2\n3,4\n", "my.csv, row 1: two columns are named 'a'"),
        ("1,2\n3,4\n5,6\n", "my.csv, row 1: it holds numbers; give the columns names there"),
        (
            "Temp °C,b\n1,2\n3,4\n".encode("latin-1"),
            "my.csv is not UTF-8 text: it holds the byte 0xb0; save it as UTF-8",
        ),
        (b"a,b\n1,2\n\xb0,4\n", "my.csv is not UTF-8 text: it holds the byte 0xb0; save it as UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "my.csv is not UTF-8 text: it holds the byte 0xff; save it as UTF-8"),
    ],
)
def test_what_is_broken_is_one_line_with_file_and_row(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert message in error(tmp_path, text)


def test_a_short_row_is_refused_even_where_missing_values_are_not(tmp_path: Path) -> None:
    assert "row 3: it holds 1 values for 2 columns" in error(tmp_path, "a,b\n1,2\n3\n5,6\n", missing="forward")


@pytest.mark.parametrize("name", ["cut.csv.gz", "cut.parquet", "no.csv.gz", "no.parquet"])
def test_a_truncated_or_wrong_file_is_named(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(0).random(5000)})
    path = tmp_path / name
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_csv(path, index=False)
    content = path.read_bytes()
    message = error(tmp_path, content[: len(content) // 2] if name.startswith("cut") else b"a,b\n1,2\n", name)
    assert f"{name} " in message
    assert "cannot be read" in message or "not a whole parquet file" in message


def test_no_path_a_wrong_path_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"set csv\.path to your file, as in --set csv\.path=my\.csv"):
        csv()
    for path, message in ((tmp_path / "no.csv", "there is no such file"), (tmp_path, "is a folder; it takes a file")):
        with pytest.raises(DataError, match=message) as caught:
            csv(path=str(path))
        assert not isinstance(caught.value, MissingDataError)
    with pytest.raises(DataError, match=r"x\.xlsx: expected \.csv, \.tsv \(also with \.gz\) or \.parquet"):
        csv(path=str(write(tmp_path, "", "x.xlsx")))


def test_without_pyarrow_parquet_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "parquet needs pyarrow; install tsad-core[parquet]" in error(tmp_path, b"PAR1", "x.parquet")


@pytest.mark.parametrize(
    "options", [{"train_share": 1.0}, {"train_share": 0.0}, {"train_rows": -1}, {"gaps": "drop"}, {"paht": "x"}]
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        bind(csv, options, owner="data set csv")


def test_every_option_is_in_the_docstring() -> None:
    assert csv.__doc__ is not None
    assert not [name for name in csv.__kwdefaults__ or {} if f"`{name}`" not in csv.__doc__]


def test_the_module_hides_no_csv_of_python_and_loads_no_pandas() -> None:
    code = (
        "import tsad_core.datasets.csv, csv, sys; assert hasattr(csv, 'DictReader'); assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_with_decimal_commas_a_point_is_no_decimal(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a;b\n5.006;1,5\n5.775;2,5\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"row 2, column 'a': '5\.006' is not a number; .* take the points out"):
        csv(path=str(file), decimal="comma")["a"]()
    file.write_text("a;b\n5006;1,5\n5775;2,5\n", encoding="utf-8")
    assert csv(path=str(file), decimal="comma")["a"]().train_TC.tolist() == [[5006.0, 1.5]]
