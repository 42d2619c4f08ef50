"""PAMAP2: activities cut into parts by hand, lost values, and what may be broken in a file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tsad_core.datasets.pamap2 import pamap2
from tsad_core.errors import DataError, MissingDataError, OptionError
from tsad_core.series import Series

# lying, nothing, running, lying, walking: 5 + 2 + 2 + 5 + 5 steps
ACTIVITIES = [1] * 5 + [0] * 2 + [5] * 2 + [1] * 5 + [4] * 5


def recording(activities: list[int], *, heart: str = "90", width: int = 54) -> str:
    """Return lines whose sensors' column c holds step + c / 100, c from 1."""
    lines = []
    for step, activity in enumerate(activities):
        sensors = [f"{step + column / 100:.2f}" for column in range(4, width + 1)]
        lines.append(" ".join([f"{step / 100:.2f}", str(activity), heart if step % 4 == 1 else "NaN", *sensors]))
    return "\n".join(lines) + "\n"


def lay(home: Path, text: str, name: str = "subject101") -> Path:
    path = home / "pamap2/PAMAP2_Dataset/Protocol" / f"{name}.dat"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return home


def read(home: Path, **options: Any) -> Series:
    return pamap2(home=home, **options)["subject101"]()


def test_each_stretch_of_a_normal_activity_is_cut_and_each_piece_is_a_segment(tmp_path: Path) -> None:
    series = read(lay(tmp_path, recording(ACTIVITIES)))
    # the temperature of the hand is column 4: step + 0.04
    assert series.channels[1] == "hand_temperature"
    assert np.floor(series.train_TC[:, 1]).tolist() == [0, 1, 2, 9, 10, 11, 14, 15, 16]
    assert np.floor(series.test_TC[:, 1]).tolist() == [3, 4, 7, 8, 12, 13, 17, 18]
    assert series.labels_T is not None
    assert np.flatnonzero(series.labels_T).tolist() == [2, 3]
    assert (series.train_starts, series.test_starts) == ((0, 3, 6), (0, 2, 4, 6))
    assert series.sampling_period == 0.01


def test_the_channels_are_those_of_the_readme_without_the_orientation(tmp_path: Path) -> None:
    series = read(lay(tmp_path, recording(ACTIVITIES)))
    assert len(series.channels) == 40
    first = dict(zip(series.channels, series.train_TC[0].tolist(), strict=True))
    # the readme counts columns from 1: hand 4-20, chest 21-37, ankle 38-54; in each temperature, acceleration of
    # 16 g and of 6 g, gyroscope, magnetometer, orientation (4)
    columns = {"hand_acc16_x": 5, "hand_acc6_z": 10, "hand_gyro_x": 11, "hand_mag_z": 16}
    columns |= {"chest_temperature": 21, "chest_mag_z": 33, "ankle_temperature": 38, "ankle_mag_z": 50}
    assert {name: round(first[name] * 100) for name in columns} == columns


def test_lost_values_take_the_last_known_one_or_stay(tmp_path: Path) -> None:
    filled = read(lay(tmp_path, recording(ACTIVITIES)))
    assert not filled.missing
    assert set(filled.train_TC[:, 0].tolist()) == {90}
    kept = read(tmp_path, fill_missing="keep")
    assert kept.missing
    assert np.isnan(kept.train_TC[:3, 0]).tolist() == [True, False, True]


def test_what_is_abnormal_can_be_chosen(tmp_path: Path) -> None:
    series = read(lay(tmp_path, recording(ACTIVITIES)), abnormal="4, 1", train_share=0.5)
    assert series.labels_T is not None
    assert (len(series.train_TC), len(series.test_TC), int(series.labels_T.sum())) == (1, 16, 15)


@pytest.mark.parametrize("abnormal", ["", "8", "5,x", "running", "0"])
def test_an_unknown_activity_is_refused_before_anything_is_read(tmp_path: Path, abnormal: str) -> None:
    with pytest.raises(OptionError, match=r"pamap2\.abnormal = .*: expected numbers with commas between them, of 1, 2"):
        pamap2(home=lay(tmp_path, "broken"), abnormal=abnormal)


def test_people_come_in_order_and_without_subject_109(tmp_path: Path) -> None:
    for number in (109, 103, 101):
        lay(tmp_path, "broken", f"subject{number}")
    optional = tmp_path / "pamap2/PAMAP2_Dataset/Optional/subject105.dat"
    optional.parent.mkdir()
    optional.write_text("broken", encoding="utf-8")
    assert list(pamap2(home=tmp_path)) == ["subject101", "subject103"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (recording(ACTIVITIES, width=53), r"subject101\.dat, row 1: it holds 53 values for 54 columns"),
        (recording(ACTIVITIES)[:-30], r"subject101\.dat, row 19: it holds \d+ values for 54 columns"),
        (recording(ACTIVITIES).replace(" 2.04 ", " x "), r"row 3, column 'hand_temperature': 'x' is not a number"),
        (recording([1, 8, 1]), r"row 2, column 'activity': there is no such activity"),
        (recording(ACTIVITIES, heart="NaN"), r"subject101\.dat: column 'heart_rate' has no value at all"),
        (recording([5, 5, 0]), r"subject101 holds too little of the normal activities"),
        ("", r"subject101\.dat is empty"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, text: str, message: str) -> None:
    read_it = pamap2(home=lay(tmp_path, text))["subject101"]
    with pytest.raises(DataError, match=message):
        read_it()


def test_missing_data_says_what_to_get(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"put PAMAP2_Dataset\.zip"):
        pamap2(home=tmp_path)
