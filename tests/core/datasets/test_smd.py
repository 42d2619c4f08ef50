"""SMD: root causes by hand, every trap of the interpretation files, and the facts of the real machines."""

import os
from pathlib import Path

import numpy as np
import pytest
from tsad_core.datasets.smd import smd
from tsad_core.errors import DataError
from tsad_core.series import Series

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
STEPS, CHANNELS = 10, 4


def lay(home: Path, lines: str | None, labels: str = "0111000110", machine: str = "machine-1-1") -> Path:
    rows = "\n".join(",".join(["0.5"] * CHANNELS) for _ in range(STEPS)) + "\n"
    parts = {"train": rows, "test": rows, "test_label": "\n".join(labels) + "\n", "interpretation_label": lines}
    for part, text in parts.items():
        path = home / "smd/ServerMachineDataset" / part / f"{machine}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text, encoding="utf-8")
    return home


def causes(home: Path) -> list[list[int]]:
    """Return for each step the channels, from 1, that cause its anomaly."""
    series = smd(home=home)["machine-1-1"]()
    assert series.root_causes_TC is not None
    return [(np.flatnonzero(row) + 1).tolist() for row in series.root_causes_TC]


def test_a_line_starts_at_its_first_step_ends_one_past_its_last_and_counts_channels_from_one(tmp_path: Path) -> None:
    assert causes(lay(tmp_path, "1-4:1,4\n7-9:2\n")) == [[], [1, 4], [1, 4], [1, 4], [], [], [], [2], [2], []]


def test_lines_out_of_order_mean_the_same(tmp_path: Path) -> None:
    assert causes(lay(tmp_path / "a", "7-9:2\n1-4:1,4\n")) == causes(lay(tmp_path / "b", "1-4:1,4\n7-9:2\n"))


def test_a_segment_without_a_line_has_no_known_cause(tmp_path: Path) -> None:
    assert causes(lay(tmp_path, "7-9:2")) == [[], [], [], [], [], [], [], [2], [2], []]


def test_several_lines_of_one_segment_join(tmp_path: Path) -> None:
    assert causes(lay(tmp_path, "1-4:1\n1-3:3\n7-9:2\n")) == [[], [1, 3], [1, 3], [1], [], [], [], [2], [2], []]


def test_a_line_that_ends_too_late_is_cut_at_the_labels(tmp_path: Path) -> None:
    assert causes(lay(tmp_path, "1-6:1\n7-99:2\n")) == [[], [1], [1], [1], [], [], [], [2], [2], []]


def test_a_line_that_ends_too_early_leaves_the_rest_of_its_segment_without_known_cause(tmp_path: Path) -> None:
    assert causes(lay(tmp_path, "1-2:1\n7-9:2\n")) == [[], [1], [], [], [], [], [], [2], [2], []]


@pytest.mark.parametrize("line", ["1-4", "1-4:", "1-4:0", "1-4:5", "4-1:1", "a-b:c", "1-4:1,,2", "-1-4:1"])
def test_a_broken_line_names_the_file_and_the_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=rf"interpretation_label.machine-1-1\.txt holds the line '{line}'"):
        causes(lay(tmp_path, f"7-9:2\n{line}\n"))


def test_a_machine_without_interpretation_has_labels_but_no_root_causes(tmp_path: Path) -> None:
    series = smd(home=lay(tmp_path, None))["machine-1-1"]()
    assert series.root_causes_TC is None
    assert series.labels_T is not None
    assert series.labels_T.sum() == 5


def test_a_machine_with_labels_alone_is_not_listed(tmp_path: Path) -> None:
    lay(tmp_path, "1-4:1")
    lay(tmp_path, "1-4:1", machine="machine-2-1")
    (tmp_path / "smd/ServerMachineDataset/train/machine-2-1.txt").unlink()
    assert list(smd(home=tmp_path)) == ["machine-1-1"]


def test_no_complete_machine_at_all_says_what_to_get(tmp_path: Path) -> None:
    lay(tmp_path, "1-4:1")
    (tmp_path / "smd/ServerMachineDataset/test/machine-1-1.txt").unlink()
    with pytest.raises(DataError, match="put the folder ServerMachineDataset"):
        smd(home=tmp_path)


def test_labels_of_another_length_name_the_file(tmp_path: Path) -> None:
    read = smd(home=lay(tmp_path, "1-4:1", labels="010"))["machine-1-1"]
    with pytest.raises(DataError, match=r"test_label.machine-1-1\.txt holds 3 labels for 10 steps"):
        read()


def test_machines_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for machine in ("machine-3-10", "machine-3-9", "machine-1-2"):
        lay(tmp_path, "1-4:1", machine=machine)
    assert list(smd(home=tmp_path)) == ["machine-1-2", "machine-3-9", "machine-3-10"]


def machine(name: str) -> Series:
    machines = smd()
    if name not in machines:
        pytest.skip(f"this data home has no data of {name}")
    return machines[name]()


def segments(series: Series) -> list[tuple[int, int]]:
    assert series.labels_T is not None
    edges = np.flatnonzero(np.diff(series.labels_T, prepend=False, append=False))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


@real
@pytest.mark.parametrize(
    ("name", "steps", "events", "unknown"),
    [
        # 1-3: a segment of 11 steps without a line, and a line that ends 1 step early
        ("machine-1-3", 23703, 12, 12),
        ("machine-1-4", 23707, 12, 0),  # lines out of order
        ("machine-1-6", 23689, 30, 0),
        ("machine-2-3", 23689, 10, 0),  # a line that ends 9 steps late
        ("machine-3-3", 23703, 26, 0),  # 28 lines for 26 segments
    ],
)
def test_real_machines_have_their_segments_and_causes(name: str, steps: int, events: int, unknown: int) -> None:
    series = machine(name)
    assert series.labels_T is not None
    assert series.root_causes_TC is not None
    assert series.test_TC.shape == (steps, 38)
    assert len(segments(series)) == events
    caused_T = series.root_causes_TC.any(axis=1)
    assert not (caused_T & ~series.labels_T).any()
    assert (series.labels_T & ~caused_T).sum() == unknown


@real
def test_real_machines_hold_values_between_0_and_1() -> None:
    series = next(iter(smd().values()))()
    for part_TC in (series.train_TC, series.test_TC):
        assert (part_TC.min(), part_TC.max()) == (0, 1)


@real
def test_real_machines_are_listed_only_if_complete() -> None:
    names = list(smd())
    assert 12 <= len(names) <= 28
    assert names == sorted(names, key=lambda name: [int(part) for part in name.split("-")[1:]])
