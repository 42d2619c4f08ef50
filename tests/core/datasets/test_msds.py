"""MSDS: hosts joined by time and cut by hand-counted rows, scaled on the training part unless a leak is asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tsad_core.datasets.msds import msds
from tsad_core.errors import DataError, MissingDataError
from tsad_core.series import Series

HEADER = "now,cpu.user,mem.used,load.cpucore,load.min1,load.min5,load.min15"


def host(cpu: list[float], *, start: int = 0, extra: str = "") -> str:
    rows = [f"2019-11-25 15:00:{start + row:02} CET,{value},{1000 + row},8,1,1,1" for row, value in enumerate(cpu)]
    return "\n".join([HEADER, *rows]) + "\n" + extra


def lay(home: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = home / "msds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


def hosts(**other: str) -> dict[str, str]:
    """Return 22 and 20 rows, of which 20 are at times that both hosts have; TranAD drops the first 2 of them."""
    texts = {"wally113": host([float(row) for row in range(22)]), "wally117": host([5.0] * 20, start=2)}
    return {f"concurrent data/metrics/{name}_metrics_concurrent.csv": text for name, text in (texts | other).items()}


def read(home: Path, **options: Any) -> Series:
    return msds(home=home, **options)["msds"]()


def test_hosts_are_joined_cut_and_halved(tmp_path: Path) -> None:
    series = read(lay(tmp_path, hosts()), stride=1)
    assert series.channels == tuple(
        f"{name}:{kind}" for name in ("wally113", "wally117") for kind in ("cpu.user", "mem.used")
    )
    # common rows hold 2 ... 21; after the first tenth 4 ... 12 are the training and 13 ... 21 the test part
    assert (series.train_TC.shape, series.test_TC.shape) == ((9, 4), (9, 4))
    assert series.train_TC[:, 0] == pytest.approx(np.arange(9) / 8, abs=1e-4)
    assert series.test_TC[:, 0] == pytest.approx(np.arange(9, 18) / 8, abs=1e-4)
    assert (series.labels_T, series.sampling_period) == (None, 1)


def test_the_stride_starts_at_the_first_row_of_each_part(tmp_path: Path) -> None:
    series = read(lay(tmp_path, hosts()))
    assert (len(series.train_TC), len(series.test_TC), series.sampling_period) == (2, 2, 5)
    assert series.test_TC[:, 0] == pytest.approx(np.array([9, 14]) / 5, abs=1e-4)


def test_only_the_leak_scales_on_both_parts(tmp_path: Path) -> None:
    series = read(lay(tmp_path, hosts()), stride=1, legacy_scale_on_all=True)
    assert series.test_TC[-1, 0] == pytest.approx(1, abs=1e-4)
    assert series.train_TC[-1, 0] == pytest.approx(8 / 17, abs=1e-4)


def test_equal_times_are_averaged(tmp_path: Path) -> None:
    repeated = host([5.0] * 20, start=2, extra="2019-11-25 15:00:21 CET,7,1019,8,1,1,1\n")
    series = read(lay(tmp_path, hosts(wally117=repeated)), stride=1)
    assert len(series.test_TC) == 9
    # 5 and 7 on a training part of 5: a rise of 1 over a range of 0, to which 1e-4 is added
    assert series.test_TC[-1, 2] == pytest.approx(1e4)


@pytest.mark.parametrize("rows", [2, 9])
def test_labels_may_be_those_of_the_test_part_before_or_after_the_stride(tmp_path: Path, rows: int) -> None:
    marks = {0: "0,0,0,0", rows - 1: "0,0,0,0", {2: 1, 9: 5}[rows]: "0,1,0,1"}
    lines = [f"{row},{marks.get(row, '0,0,0,0')}" for row in range(rows)]
    series = read(lay(tmp_path, hosts() | {"labels.csv": "\n".join([",a,b,c,d", *lines]) + "\n"}))
    assert series.labels_T is not None
    assert series.root_causes_TC is not None
    assert series.labels_T.tolist() == [False, True]
    assert np.argwhere(series.root_causes_TC).tolist() == [[1, 1], [1, 3]]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"labels.csv": ",a,b,c,d\n0,0,0,0,0\n"},
            r"labels\.csv holds 1 rows and 4 channels; expected 2 \(or 9\) and 4",
        ),
        ({"labels.csv": ",a,b\n0,0,0\n1,0,0\n"}, r"labels\.csv holds 2 rows and 2 channels"),
        ({"labels.csv": ",a,b,c,d\n0,0,0,0,0\n1,0,0,0,x\n"}, r"labels\.csv, row 3, column 'd': 'x' is not a number"),
        (hosts(wally117="a,b\n1,2\n"), r"wally117_metrics_concurrent\.csv has no column 'now'"),
        (hosts(wally117=HEADER), r"wally117_metrics_concurrent\.csv holds no row of values"),
        (hosts(wally117=""), r"wally117_metrics_concurrent\.csv is empty"),
        (hosts(wally117=host([1.0, 2.0]).replace("1001", "x")), r"wally117.*, row 3, column 'mem.used': 'x' is not a"),
        (
            hosts(wally117=host([1.0, 2.0]).replace(",1001", ",")),
            r"wally117.*, row 3, column 'mem.used': it has no value",
        ),
        (
            hosts(wally117=host([1.0]).replace("2019-", "19-")),
            r"row 2, column 'now': .* is not a time as in 2019-11-25",
        ),
        (hosts(wally117=host([1.0], start=50)), r"the hosts of msds have 0 times in common"),
        (hosts(wally117=host([1.0]) + "2019-11-25 15:00:21 CET,1\n"), r"row 3: it holds 2 values for 7 columns"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    read_it = msds(home=lay(tmp_path, hosts() | files))["msds"]
    with pytest.raises(DataError, match=message):
        read_it()


def test_no_host_says_what_to_get(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"put the folder metrics of the concurrent data"):
        msds(home=lay(tmp_path, {"labels.csv": ",a\n0,0\n"}))
