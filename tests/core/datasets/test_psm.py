"""PSM: three tables joined into one series, and what may be missing or broken in them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tsad_core.datasets.psm import psm
from tsad_core.errors import DataError, MissingDataError
from tsad_core.series import Series

HEADER = ",".join(["timestamp_(min)", *(f"feature_{number}" for number in range(25))])
LABELS = "timestamp_(min),label\n100,0\n101,1\n102,1\n"


def table(first: list[str], *, start: int = 0, width: int = 25) -> str:
    """Return rows whose first channel is given; the others hold 1."""
    rows = [",".join([str(start + row), value, *["1.0"] * (width - 1)]) for row, value in enumerate(first)]
    return "\n".join([",".join(HEADER.split(",")[: width + 1]), *rows]) + "\n"


def lay(home: Path, **parts: str) -> Path:
    texts = {
        "train": table(["", "0.25", "", "", "0.5"]),
        "test": table(["1", "2", "3"], start=100),
        "test_label": LABELS,
    }
    for name, text in (texts | parts).items():
        path = home / "psm/data" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


def read(home: Path, **options: Any) -> Series:
    return psm(home=home, **options)["psm"]()


def test_the_tables_are_one_series_without_its_times(tmp_path: Path) -> None:
    series = read(lay(tmp_path))
    assert (series.train_TC.shape, series.test_TC.shape) == ((5, 25), (3, 25))
    assert series.channels == tuple(f"feature_{number}" for number in range(25))
    assert series.test_TC[:, 0].tolist() == [1, 2, 3]
    assert series.labels_T is not None
    assert series.labels_T.tolist() == [False, True, True]
    assert series.sampling_period == 60


def test_missing_values_take_the_last_known_one_or_stay(tmp_path: Path) -> None:
    filled = read(lay(tmp_path))
    assert filled.train_TC[:, 0].tolist() == [0.25, 0.25, 0.25, 0.25, 0.5]
    assert not filled.missing
    kept = read(tmp_path, fill_missing="keep")
    assert np.isnan(kept.train_TC[:, 0]).tolist() == [True, False, True, True, False]
    assert kept.missing


def test_labels_may_come_as_decimals(tmp_path: Path) -> None:
    assert read(lay(tmp_path, test_label=LABELS.replace(",1\n", ",1.0\n"))).digest == read(lay(tmp_path)).digest


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": table(["1", "2"], width=24)}, r"train\.csv has 24 channels; expected 25"),
        ({"test": table(["1", "x", "3"], start=100)}, r"test\.csv, row 3, column 'feature_0': 'x' is not a number"),
        ({"test": table(["1", "2", "3"], start=100).replace("_7", "_77")}, r"test\.csv has other columns than .*train"),
        ({"test_label": LABELS[:-6]}, r"test_label\.csv holds 2 labels for 3 steps"),
        ({"test_label": LABELS.replace("102", "103")}, r"test_label\.csv holds other times than the test file"),
        ({"test_label": LABELS.replace("102,1", "102,")}, r"test_label\.csv, row 4, column 'label': it has no value"),
        (
            {"test_label": LABELS.replace("102,1", "102,2")},
            r"test_label\.csv, row 4, column 'label': 2 is no label; expected 0 or 1",
        ),
        (
            {"test_label": LABELS.replace("101,1", "101,0.5")},
            r"test_label\.csv, row 3, column 'label': 0\.5 is no label; expected 0 or 1",
        ),
        (
            {"test_label": "timestamp_(min)\n100\n101\n102\n"},
            r"test_label\.csv has 0 columns beside 'timestamp_\(min\)'; expected one of labels",
        ),
        ({"train": table(["1", "2"]) + "5,1,1\n"}, r"train\.csv, row 4: it holds 3 values for 26 columns"),
        ({"train": table(["", ""])}, r"train\.csv: column 'feature_0' has no value at all; get it again"),
        ({"train": "a,b\n1,2\n"}, r"train\.csv has no column 'timestamp_\(min\)'"),
        ({"train": HEADER}, r"train\.csv holds no row of values"),
        ({"train": ""}, r"train\.csv is empty"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, parts: dict[str, str], message: str) -> None:
    read_it = psm(home=lay(tmp_path, **parts))["psm"]
    with pytest.raises(DataError, match=message):
        read_it()


def test_a_file_that_is_not_there_says_what_to_get(tmp_path: Path) -> None:
    (lay(tmp_path) / "psm/data/test_label.csv").unlink()
    with pytest.raises(MissingDataError, match=r"put train\.csv, test\.csv and test_label\.csv there"):
        psm(home=tmp_path)
