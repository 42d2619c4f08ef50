"""ASD: causes by hand, every way a file can be broken, and the facts of the real servers."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tsad_core.datasets.asd import asd
from tsad_core.errors import DataError, MissingDataError
from tsad_core.series import Array

real = pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA is not set: no real data")
STEPS, CHANNELS = 10, 4
LABELS = np.array([0, 1, 1, 1, 0, 0, 0, 1, 1, 0], dtype=np.float64)
LINES = "1-3:1,4\n7-8:2"


def parts(name: str = "omi-1", lines: str | None = LINES, **changed: Array | bytes) -> dict[str, bytes]:
    """Return the files of one server, by their official paths."""
    values_TC = np.arange(STEPS * CHANNELS, dtype=np.float32).reshape(STEPS, CHANNELS)
    arrays = {"train": values_TC[:7], "test": values_TC, "test_label": LABELS} | changed
    files = {
        f"processed/{name}_{part}.pkl": content if isinstance(content, bytes) else pickle.dumps(content, 3)
        for part, content in arrays.items()
    }
    return files if lines is None else files | {f"interpretation_label/{name}.txt": lines.encode()}


def lay(home: Path, files: dict[str, bytes], top: str = "") -> Path:
    for name, content in files.items():
        path = home / "asd" / top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return home


def causes(home: Path) -> list[list[int]]:
    """Return for each step the channels, from 1, that cause its anomaly."""
    series = asd(home=home)["omi-1"]()
    assert series.root_causes_TC is not None
    return [(np.flatnonzero(row) + 1).tolist() for row in series.root_causes_TC]


def refusal(home: Path) -> str:
    with pytest.raises(DataError) as caught:
        asd(home=home)["omi-1"]()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_line_includes_both_ends_and_counts_steps_from_0_and_channels_from_1(tmp_path: Path) -> None:
    assert causes(lay(tmp_path, parts())) == [[], [1, 4], [1, 4], [1, 4], [], [], [], [2], [2], []]


def test_two_lines_of_one_segment_have_their_own_causes(tmp_path: Path) -> None:
    lines = "7-8:2\n1-1:3\n2-3:1,2\n"
    assert causes(lay(tmp_path, parts(lines=lines))) == [[], [3], [1, 2], [1, 2], [], [], [], [2], [2], []]


@pytest.mark.parametrize("top", ["", "InterFusion-main/data"])
def test_folders_and_zips_of_them_read_the_same(tmp_path: Path, top: str) -> None:
    lay(tmp_path / "a", parts(), top)
    (tmp_path / "b/asd").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "b/asd/any.zip", "w") as archive:
        for name, content in parts().items():
            archive.writestr(f"{top}/{name}".lstrip("/"), content)
    a, b = (asd(home=tmp_path / home)["omi-1"]() for home in "ab")
    assert a.digest == b.digest
    assert a.train_TC[:, 1].tolist() == [1, 5, 9, 13, 17, 21, 25]
    assert (a.sampling_period, a.test_TC.shape) == (300, (STEPS, CHANNELS))


def test_servers_come_in_the_order_of_their_numbers_and_incomplete_ones_do_not(tmp_path: Path) -> None:
    for name in ("omi-10", "omi-9", "omi-2"):
        lay(tmp_path, parts(name))
    for part in ("train", "test", "test_label"):
        lay(tmp_path, parts(f"omi-3{len(part)}"))
        (tmp_path / f"asd/processed/omi-3{len(part)}_{part}.pkl").unlink()
    assert list(asd(home=tmp_path)) == ["omi-2", "omi-9", "omi-10"]


def test_a_server_without_interpretation_has_labels_but_no_root_causes(tmp_path: Path) -> None:
    series = asd(home=lay(tmp_path, parts(lines=None)))["omi-1"]()
    assert series.root_causes_TC is None
    assert np.array_equal(series.labels_T, LABELS)


@pytest.mark.parametrize("laid", ["nothing", "interpretation alone"])
def test_missing_data_says_what_to_get(tmp_path: Path, laid: str) -> None:
    if laid != "nothing":
        lay(tmp_path, {"interpretation_label/omi-1.txt": b"1-3:1"})
    with pytest.raises(MissingDataError, match="put the folders processed and interpretation_label, or a zip of them"):
        asd(home=tmp_path)


@pytest.mark.parametrize("line", ["1-3", "1-3:", "1-3:0", "1-3:5", "3-1:1", "a-b:c", "1-3:1,,2", "8-10:1"])
def test_a_broken_line_names_the_file_and_the_line(tmp_path: Path, line: str) -> None:
    assert f"interpretation_label/omi-1.txt holds the line '{line}'" in refusal(lay(tmp_path, parts(lines=line)))


@pytest.mark.parametrize("lines", ["1-3:1", "1-3:1\n7-9:2", "0-3:1\n7-8:2"])
def test_lines_that_contradict_the_labels_name_both_files(tmp_path: Path, lines: str) -> None:
    message = refusal(lay(tmp_path, parts(lines=lines)))
    assert "interpretation_label/omi-1.txt and " in message
    assert "processed/omi-1_test_label.pkl mark different steps" in message


@pytest.mark.parametrize(
    ("part", "content", "words"),
    [
        ("train", b"", "is empty"),
        ("train", b"1 2 3", "is not a pickle of arrays"),
        ("test", pickle.dumps(np.ones((9, 9)), 3)[:-30], "is not a pickle of arrays"),
        ("test", np.array([["a", "b"]]), "expected numbers"),
        ("test", np.ones(STEPS), "expected 2 axes"),
        ("test", np.ones((STEPS, 3)), "has 3 channels, but "),
        ("test", np.full((STEPS, CHANNELS), np.nan), "not finite in row 1"),
        ("test_label", np.zeros(9), "holds 9 labels for 10 steps"),
        ("test_label", np.arange(10), "holds labels other than 0 and 1"),
        ("test_label", np.zeros((10, 1)), "expected 1 axes"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, part: str, content: Array | bytes, words: str) -> None:
    message = refusal(lay(tmp_path, parts(**{part: content})))
    assert f"processed/omi-1_{part}.pkl" in message
    assert words in message


def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path) -> None:
    attack = f"cos\nsystem\n(Vtouch {tmp_path / 'trace'}\ntR.".encode()
    assert "omi-1_test.pkl asks for os.system" in refusal(lay(tmp_path, parts(test=attack)))
    assert not (tmp_path / "trace").exists()


def test_a_truncated_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "asd").mkdir()
    with zipfile.ZipFile(tmp_path / "asd/data.zip", "w") as archive:
        archive.writestr("processed/omi-1_train.pkl", parts()["processed/omi-1_train.pkl"])
    path = tmp_path / "asd/data.zip"
    path.write_bytes(path.read_bytes()[:-30])
    assert "data.zip is not a whole zip archive" in refusal(tmp_path)


@real
def test_the_whole_data_set_adds_up() -> None:
    servers = {name: read() for name, read in asd().items()}
    assert list(servers) == [f"omi-{number}" for number in range(1, 13)]
    assert [len(one.train_TC) for one in servers.values()] == [8640] * 11 + [7291]
    assert {one.test_TC.shape for one in servers.values()} == {(4320, 19)}
    labels = np.concatenate([np.append(one.labels_T, False) for one in servers.values() if one.labels_T is not None])
    assert round(100 * labels.sum() / (12 * 4320), 2) == 4.61
    assert (np.diff(labels, prepend=False)[labels]).sum() == 76
    assert all(one.root_causes_TC is not None for one in servers.values())


@real
def test_a_real_segment_in_two_lines_changes_its_causes_in_the_middle() -> None:
    # the lines of omi-11 say 738-755, 757-781, then without a gap 782-815, and 2365-2381 for channel 19 alone
    series = asd()["omi-11"]()
    assert series.root_causes_TC is not None
    assert series.root_causes_TC.sum(axis=1)[[755, 756, 757, 781, 782, 815, 816, 2365, 2381]].tolist() == [
        *(1, 0, 17, 17, 15, 15, 0, 1, 1)
    ]
    assert np.flatnonzero(series.root_causes_TC[2365]).tolist() == [18]
