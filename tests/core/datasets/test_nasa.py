"""SMAP and MSL: ranges by hand, every way a file can be broken, and the published counts of the real telemetry."""

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from tsad_core.dataset import Counts
from tsad_core.datasets.nasa import msl, smap
from tsad_core.errors import DataError, MissingDataError
from tsad_core.series import Array, Series

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
HEADER = "chan_id,spacecraft,anomaly_sequences,class,num_values\n"
ROW = 'P-1,SMAP,"[[1, 2], [8, 8]]","[point, point]",10\n'
TABLE = "labeled_anomalies.csv"


def npy(values: Array) -> bytes:
    content = io.BytesIO()
    np.save(content, values)
    return content.getvalue()


VALUES = np.arange(30.0).reshape(10, 3)


def files(channel: str = "P-1", **changed: Array | bytes) -> dict[str, bytes]:
    """Return the two parts of one channel, by their official paths."""
    parts = {"train": VALUES[:7], "test": VALUES} | changed
    return {
        f"data/{part}/{channel}.npy": content if isinstance(content, bytes) else npy(content)
        for part, content in parts.items()
    }


def lay(home: Path, laid: Mapping[str, bytes], table: str | None = HEADER + ROW, where: str = TABLE) -> Path:
    for name, content in (dict(laid) | ({} if table is None else {where: table.encode()})).items():
        path = home / "nasa" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return home


def marked(series: Series) -> list[int]:
    assert series.labels_T is not None
    return np.flatnonzero(series.labels_T).tolist()


def refusal(home: Path, channel: str = "P-1") -> str:
    with pytest.raises(DataError) as caught:
        smap(home=home)[channel]()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_ranges_count_from_0_and_include_both_ends(tmp_path: Path) -> None:
    series = smap(home=lay(tmp_path, files()))["P-1"]()
    assert marked(series) == [1, 2, 8]
    assert np.array_equal(series.test_TC, VALUES)
    assert np.array_equal(series.train_TC, VALUES[:7])
    assert series.channels == ("telemetry", "command-1", "command-2")
    assert series.root_causes_TC is None


def test_two_rows_of_one_channel_join_whatever_their_order(tmp_path: Path) -> None:
    rows = 'P-2,SMAP,"[[6, 7], [0, 0]]",[point],10\n' + ROW + 'P-2,SMAP,"[[7, 9]]",[point],10\n'
    channels = smap(home=lay(tmp_path, files("P-2") | files(), HEADER + rows))
    assert list(channels) == ["P-2", "P-1"]
    assert marked(channels["P-2"]()) == [0, 6, 7, 8, 9]


def test_a_channel_without_anomalies_is_all_normal(tmp_path: Path) -> None:
    assert marked(smap(home=lay(tmp_path, files(), HEADER + "P-1,SMAP,[],[],10\n"))["P-1"]()) == []


def test_each_channel_belongs_to_its_spacecraft_and_one_without_a_row_to_none(tmp_path: Path) -> None:
    laid = files() | files("M-6") | files("T-10")
    home = lay(tmp_path, laid, HEADER + ROW + 'M-6,MSL,"[[3, 4]]",[point],10\n')
    assert (list(smap(home=home)), list(msl(home=home))) == (["P-1"], ["M-6"])


@pytest.mark.parametrize("where", [TABLE, f"data/{TABLE}", f"elsewhere/{TABLE}"])
@pytest.mark.parametrize("zipped", ["nothing", "the arrays", "all"])
def test_the_table_may_lie_beside_the_data_or_in_it_zipped_or_not(tmp_path: Path, where: str, zipped: str) -> None:
    table = {where: (HEADER + ROW).encode()}
    packed = {"nothing": {}, "the arrays": files(), "all": files() | table}[zipped]
    lay(tmp_path, {name: content for name, content in (files() | table).items() if name not in packed}, None)
    (tmp_path / "nasa").mkdir(exist_ok=True)
    with zipfile.ZipFile(tmp_path / "nasa/data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in packed.items():
            archive.writestr(name, content)
    assert marked(smap(home=tmp_path)["P-1"]()) == [1, 2, 8]


def test_arrays_of_other_folders_are_no_data(tmp_path: Path) -> None:
    lay(tmp_path, {"data/2018-05-19_15.00.10/y_hat/P-1.npy": npy(VALUES), "data/train/P-1.npy": npy(VALUES)})
    with pytest.raises(MissingDataError, match="the telemetry of SMAP is not in"):
        smap(home=tmp_path)


def test_a_channel_with_one_part_is_not_listed(tmp_path: Path) -> None:
    lay(tmp_path, files() | {"data/test/S-1.npy": npy(VALUES)}, HEADER + 'S-1,SMAP,"[[1, 2]]",[point],10\n' + ROW)
    assert list(smap(home=tmp_path)) == ["P-1"]


@pytest.mark.parametrize("dataset", [smap, msl])
def test_missing_data_says_what_to_get(tmp_path: Path, dataset: Callable[..., object]) -> None:
    with pytest.raises(MissingDataError, match=r"put data\.zip, or its folders .* with labeled_anomalies\.csv there"):
        dataset(home=tmp_path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"labeled_anomalies\.csv is not in .*nasa: put labeled_anomalies\.csv"):
        smap(home=lay(tmp_path, files(), None))


def test_channels_of_the_other_spacecraft_alone_are_missing_data(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="the telemetry of MSL is not in"):
        msl(home=lay(tmp_path, files()))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('P-1,SMAP,"[[8, 10]]",[point],10\n', "marks steps up to 10, but "),
        ('P-1,SMAP,"[[4, 3]]",[point],10\n', "no start may pass its end"),
        ('P-1,SMAP,"[[-1, 3]]",[point],10\n', "expected [[start, end], ...]"),
        ('P-1,SMAP,"[[1, 2, 3]]",[point],10\n', "expected [[start, end], ...]"),
        ('P-1,SMAP,"[[1, 2]",[point],10\n', "expected [[start, end], ...]"),
        ('P-1,SMAP,"[[1.5, 2]]",[point],10\n', "expected [[start, end], ...]"),
        ("P-1,SMAP,text,[point],10\n", "expected [[start, end], ...]"),
        ("P-1,SMAP,,[point],10\n", "expected [[start, end], ...]"),
        ('P-1,smap,"[[1, 2]]",[point],10\n', "names the spacecraft 'smap'"),
        ("P-1,SMAP\n", " columns; the first line names 5"),
        ("P-1,SMAP,[[1, 2]],[point],10\n", " columns; the first line names 5"),
    ],
)
def test_a_broken_row_names_the_table_and_the_line(tmp_path: Path, row: str, words: str) -> None:
    message = refusal(lay(tmp_path, files(), HEADER + ROW + row))
    assert "labeled_anomalies.csv: line 3 " in message
    assert words in message


@pytest.mark.parametrize(("table", "words"), [("a,b\n1,2\n", "has no column 'chan_id'"), (HEADER, "holds no rows")])
def test_a_broken_table_is_named(tmp_path: Path, table: str, words: str) -> None:
    assert f"labeled_anomalies.csv {words}" in refusal(lay(tmp_path, files(), table))


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"1 2 3", "is not an npy file"),
        (npy(VALUES)[:-8], "is not an npy file"),
        (npy(VALUES)[:20], "is not an npy file"),
        (npy(np.array([["a"]])), "expected numbers"),
        (npy(np.array([[None]], dtype=object)), "is not an npy file"),
        (VALUES[0], "expected 2 axes"),
        (VALUES[:0], "none of length 0"),
        (np.full((10, 3), np.inf), "not finite in row 1"),
    ],
)
def test_a_broken_array_is_named(tmp_path: Path, part: str, content: Array | bytes, words: str) -> None:
    message = refusal(lay(tmp_path, files(**{part: content})))
    assert f"data/{part}/P-1.npy {words}" in message or f"data/{part}/P-1.npy holds" in message
    assert words in message


def test_parts_of_different_widths_are_both_named(tmp_path: Path) -> None:
    message = refusal(lay(tmp_path, files(train=VALUES[:, :2])))
    assert "test/P-1.npy has 3 channels, but " in message
    assert "train/P-1.npy has 2" in message


def test_a_truncated_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "nasa").mkdir()
    (tmp_path / "nasa/data.zip").write_bytes(b"PK\x03\x04 half of an archive")
    assert "data.zip is not a whole zip archive" in refusal(tmp_path)


@real
@pytest.mark.parametrize(
    ("dataset", "width", "counts"),
    [
        # 69 sequences, of which the two of P-2 overlap
        (smap, 25, Counts(series=54, train_steps=138_004, test_steps=435_826, anomalous_steps=55_972, events=68)),
        (msl, 55, Counts(series=27, train_steps=58_317, test_steps=73_729, anomalous_steps=7_766, events=36)),
    ],
)
def test_the_whole_telemetry_adds_up(
    dataset: Callable[[], Mapping[str, Callable[[], Series]]], width: int, counts: Counts
) -> None:
    total = Counts(0, 0, 0, 0, 0)
    for name, read in dataset().items():
        series = read()
        assert (series.name, series.train_TC.shape[1]) == (name, width)
        assert np.isin(series.test_TC[:, 1:], (0, 1)).all()
        total += Counts.of(series)
    assert total == counts


@real
def test_the_shares_of_anomalies_are_those_of_the_literature() -> None:
    shares = {}
    for dataset in (smap, msl):
        labels = np.concatenate([read().labels_T for read in dataset().values()])
        shares[dataset.__name__] = round(100 * labels.mean(), 1)
    assert shares == {"smap": 12.8, "msl": 10.5}


@real
def test_real_channels_come_in_the_order_of_the_table_without_the_one_that_has_no_row() -> None:
    assert (list(smap())[:3], list(msl())[:3]) == (["P-1", "S-1", "E-1"], ["M-6", "M-1", "M-2"])
    assert "T-10" not in {*smap(), *msl()}


@real
def test_the_two_rows_of_a_real_channel_join() -> None:
    # one row says 5350 to 6575, the other 5300 to 6420
    steps = marked(smap()["P-2"]())
    assert (steps[0], steps[-1], len(steps)) == (5300, 6575, 1276)
