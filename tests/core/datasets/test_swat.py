"""SWaT: every way in which people save the tables as CSV reads the same; what is broken is one line."""

from pathlib import Path

import numpy as np
import pytest
from tsad_core.datasets.swat import swat
from tsad_core.errors import DataError, MissingDataError
from tsad_core.series import Series

SENSORS = [f"{kind}{number}" for kind in ("FIT", "MV", "P") for number in range(101, 118)]
NORMAL = "SWaT.A1 & A2_Dec 2015/Physical/SWaT_Dataset_Normal_v1.csv"
ATTACK = "SWaT.A1 & A2_Dec 2015/Physical/SWaT_Dataset_Attack_v0.csv"


def table(
    labels: list[str],
    *,
    separator: str = ",",
    decimal: str = ".",
    above: bool = False,
    start: float = 0.5,
    width: int = 51,
) -> str:
    """Return rows as the .xlsx has them: row r, column c holds start + r + c / 100."""
    header = separator.join([" Timestamp", *(f" {name}" for name in SENSORS[:width]), "Normal/Attack"])
    lines = [separator.join(["", "P1", *[""] * width])] if above else []
    for row, label in enumerate(labels):
        values = [f"{start + row + column / 100:.2f}".replace(".", decimal) for column in range(width)]
        quoted = [f'"{value}"' if decimal == separator else value for value in values]
        lines.append(separator.join([f" 28/12/2015 10:00:0{row} AM", *quoted, label]))
    return "\n".join([*lines[: int(above)], header, *lines[int(above) :]]) + "\n"


def lay(home: Path, normal: str | None = None, attack: str | None = None) -> Path:
    parts = {
        NORMAL: normal or table(["Normal"] * 3),
        ATTACK: attack or table(["Normal", "Attack", "A ttack", "Normal"], start=7),
    }
    for name, text in parts.items():
        path = home / "swat" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


def read(home: Path, **options: int) -> Series:
    return swat(home=home, **options)["swat"]()


def test_normal_days_are_training_and_days_with_attacks_are_the_test(tmp_path: Path) -> None:
    series = read(lay(tmp_path))
    assert series.channels == tuple(SENSORS)
    assert series.train_TC.shape == (3, 51)
    assert series.train_TC[2, 50] == pytest.approx(3.0)
    assert series.test_TC[0, 1] == pytest.approx(7.01)
    assert series.labels_T is not None
    assert series.labels_T.tolist() == [False, True, True, False]
    assert series.train_labels_T is not None
    assert not series.train_labels_T.any()
    assert series.sampling_period == 1


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("above", [False, True])
def test_every_way_to_save_it_reads_the_same(tmp_path: Path, separator: str, decimal: str, above: bool) -> None:
    plain = lay(tmp_path / "plain")
    saved = lay(
        tmp_path / "saved",
        table(["Normal"] * 3, separator=separator, decimal=decimal, above=above),
        table(["Normal", "Attack", "A ttack", "Normal "], separator=separator, decimal=decimal, above=above, start=7),
    )
    assert read(saved).digest == read(plain).digest


def test_the_newest_version_is_read(tmp_path: Path) -> None:
    lay(tmp_path)
    older = tmp_path / "swat" / "SWaT_Dataset_Normal_v0.csv"
    older.write_text(table(["Normal"] * 9), encoding="utf-8")
    assert len(read(tmp_path).train_TC) == 3


def test_the_warm_up_can_be_dropped(tmp_path: Path) -> None:
    whole, cut = read(lay(tmp_path)), read(tmp_path, warm_up=2)
    assert np.array_equal(cut.train_TC, whole.train_TC[2:])
    with pytest.raises(DataError, match=r"swat\.warm_up = 3 of 3 rows leaves no training part"):
        read(tmp_path, warm_up=3)


@pytest.mark.parametrize(
    ("normal", "message"),
    [
        (
            table(["Normal"], width=50),
            r"Normal_v1\.csv has 52 columns; expected Timestamp, 51 channels and Normal/Attack",
        ),
        (table(["Normal", "Atack"]), r"row 3, column 'Normal/Attack': 'Atack' is neither Normal nor Attack"),
        (table(["Normal", ""]), r"row 3, column 'Normal/Attack': .* is neither Normal nor Attack"),
        (table(["Normal", "Normal"]).replace("1.51", "x"), r"row 3, column 'FIT102': 'x' is not a number"),
        (table(["Normal", "Normal"], above=True).replace("1.51", ""), r"row 4, column 'FIT102': it has no value"),
        (table(["Normal", "Normal"], separator=";", decimal=",").replace("1,51", "1,5,1"), r"row 3, column 'FIT102'"),
        (table(["Normal"])[:-20], r"row 2: it holds \d+ values for 53 columns"),
        (table([]), r"holds no row of values"),
        (" \n", r"Normal_v1\.csv is empty"),
        ("a,b\n1,2\n", r"Normal_v1\.csv has no column Timestamp"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, normal: str, message: str) -> None:
    read_it = swat(home=lay(tmp_path, normal))["swat"]
    with pytest.raises(DataError, match=message) as caught:
        read_it()
    assert "\n" not in str(caught.value)


def test_other_columns_in_the_other_file_are_named(tmp_path: Path) -> None:
    home = lay(tmp_path, attack=table(["Normal", "Attack"]).replace("FIT101", "FIT999"))
    with pytest.raises(DataError, match=r"Attack_v0\.csv has other columns than .*Normal_v1\.csv"):
        read(home)


def test_the_xlsx_alone_is_not_enough(tmp_path: Path) -> None:
    lay(tmp_path)
    for name in (NORMAL, ATTACK):
        (tmp_path / "swat" / name).rename((tmp_path / "swat" / name).with_suffix(".xlsx"))
    with pytest.raises(MissingDataError, match=r"saved as CSV from the \.xlsx"):
        swat(home=tmp_path)
