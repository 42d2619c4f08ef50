"""Official files are found wherever people put them, and nothing an archive says leads out of it."""

import io
import re
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from tsad_core.datasets.home import Collection, DataFile, complete, find_files, find_home
from tsad_core.datasets.reading import check_labels, read_headed_table, read_npy, read_rows, read_table, read_values
from tsad_core.errors import DataError
from tsad_core.series import Array

NUMBERS = Collection(
    title="the Numbers", folder="numbers", put="numbers.zip", get="the library", pattern=re.compile(r"(n\d)\.txt")
)


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def write_zip(path: Path, members: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


@pytest.mark.parametrize("where", ["n1.txt", "top/n1.txt", "top/middle/deep/n1.txt"])
def test_a_file_is_found_at_any_depth_unpacked_or_zipped(tmp_path: Path, where: str) -> None:
    write(tmp_path / "a/numbers" / where, "1 2")
    write_zip(tmp_path / "b/numbers/numbers.zip", {where: "1 2"})
    for home in ("a", "b"):
        files = find_files(tmp_path / home, NUMBERS)
        assert list(files) == [("n1",)]
        assert read_values(files["n1",]).tolist() == [1, 2]


def test_a_zip_is_found_below_the_folder_too(tmp_path: Path) -> None:
    write_zip(tmp_path / "numbers/downloads/any name.ZIP", {"n1.txt": "7"})
    assert read_values(find_files(tmp_path, NUMBERS)["n1",]).tolist() == [7]


def test_what_is_unpacked_goes_before_a_zip_which_may_then_be_broken(tmp_path: Path) -> None:
    write(tmp_path / "numbers/x/n1.txt", "1")
    write(tmp_path / "numbers/numbers.zip", b"PK\x03\x04 half")
    assert read_values(find_files(tmp_path, NUMBERS)["n1",]).tolist() == [1]


def test_a_data_set_that_is_linked_into_the_home_is_found(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/n1.txt", "1")
    (tmp_path / "numbers").mkdir()
    (tmp_path / "numbers/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/circle").symlink_to(tmp_path / "elsewhere")
    assert read_values(find_files(tmp_path, NUMBERS)["n1",]).tolist() == [1]


@pytest.mark.parametrize(
    "name", ["../n1.txt", "a/../../n1.txt", "/n1.txt", "..\\n1.txt", "C:\\n1.txt", "\\\\host\\n1.txt"]
)
def test_a_malicious_member_is_neither_listed_nor_read_nor_written(tmp_path: Path, name: str) -> None:
    archive = write_zip(tmp_path / "home/numbers/numbers.zip", {name: "6 6 6", "good/n2.txt": "2"})
    write(tmp_path / "home/n1.txt", "9 9 9")
    before = sorted(tmp_path.rglob("*"))
    files = find_files(tmp_path / "home", NUMBERS)
    assert list(files) == [("n2",)]
    assert read_values(files["n2",]).tolist() == [2]
    assert sorted(tmp_path.rglob("*")) == before
    assert archive.exists()


def test_a_link_inside_a_zip_is_not_followed(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "42")
    link = zipfile.ZipInfo("n1.txt")
    link.external_attr = 0o120777 << 16
    (tmp_path / "numbers").mkdir()
    with zipfile.ZipFile(tmp_path / "numbers/numbers.zip", "w") as archive:
        archive.writestr(link, str(secret))
    with pytest.raises(DataError, match="not a number"):
        read_values(find_files(tmp_path, NUMBERS)["n1",])


def test_the_shadow_files_of_a_mac_are_not_data(tmp_path: Path) -> None:
    write_zip(tmp_path / "numbers/numbers.zip", {"__MACOSX/top/._n1.txt": "\0", "top/n1.txt": "1"})
    files = find_files(tmp_path, NUMBERS)
    assert read_values(files["n1",]).tolist() == [1]


@pytest.mark.parametrize("laid", ["nothing", "an empty folder", "something else"])
def test_missing_data_says_in_one_line_what_to_get_and_where_to_put_it(tmp_path: Path, laid: str) -> None:
    if laid != "nothing":
        (tmp_path / "numbers").mkdir()
    if laid == "something else":
        write(tmp_path / "numbers/other.txt", "1")
        write_zip(tmp_path / "numbers/other.zip", {"other.txt": "1"})
    with pytest.raises(DataError) as caught:
        find_files(tmp_path, NUMBERS)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("the Numbers", "numbers.zip", "the library", str(tmp_path / "numbers")):
        assert part in message


def test_no_data_home_at_all_says_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TSAD_DATA", raising=False)
    with pytest.raises(DataError, match=r"put numbers\.zip into <data home>/numbers, and set TSAD_DATA"):
        find_files(None, NUMBERS)


def test_the_home_given_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSAD_DATA", str(tmp_path / "named"))
    assert find_home(tmp_path / "given") == tmp_path / "given"
    assert find_home() == tmp_path / "named"
    monkeypatch.setenv("TSAD_DATA", "")
    assert find_home() is None


def test_a_truncated_zip_is_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "numbers/numbers.zip", {"n1.txt": "1 2 3 " * 1000})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"numbers\.zip is not a whole zip archive"):
        find_files(tmp_path, NUMBERS)


def test_a_zip_with_a_damaged_member_names_zip_and_member(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "numbers/numbers.zip", {"n1.txt": " ".join(map(str, range(5000)))})
    content = bytearray(path.read_bytes())
    content[2000:2100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"numbers\.zip: n1\.txt cannot be read"):
        read_values(find_files(tmp_path, NUMBERS)["n1",])


@pytest.mark.parametrize("content", ["", " \n\n"])
@pytest.mark.parametrize("read", [read_values, read_table])
def test_an_empty_file_is_named(tmp_path: Path, content: str, read: object) -> None:
    with pytest.raises(DataError, match=r"n1\.txt is empty"):
        read(DataFile(write(tmp_path / "n1.txt", content)))  # type: ignore[operator]


@pytest.mark.parametrize("content", [b"1 2 three", b"\xff\xfe\x00", b"1,2"])
def test_text_among_numbers_names_the_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"n1\.txt holds what is not a number"):
        read_values(DataFile(write(tmp_path / "n1.txt", content)))


@pytest.mark.parametrize("content", ["1,2\n3,x", "1,2\n3", "1,2\n3,4,5", "1,\n2,3"])
def test_a_broken_table_names_the_file(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"n1\.txt is not a table of numbers"):
        read_table(DataFile(write(tmp_path / "n1.txt", content)))


def test_a_value_that_is_not_finite_names_the_file_and_the_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"n1\.txt holds a value that is not finite in line 2"):
        read_table(DataFile(write(tmp_path / "n1.txt", "1,2\n3,nan\n")))


@pytest.mark.parametrize("content", ["1.5 -2e3 3", "1.5\n-2e3\n3\n", "  1.5\r\n  -2e3\r\n\r\n  3", "\t1.5 -2e3\n3"])
def test_any_white_space_parts_numbers(tmp_path: Path, content: str) -> None:
    assert read_values(DataFile(write(tmp_path / "n1.txt", content))).tolist() == [1.5, -2000, 3]


def test_a_table_of_one_row_or_one_column_keeps_its_two_axes(tmp_path: Path) -> None:
    assert read_table(DataFile(write(tmp_path / "n1.txt", "1,2,3"))).shape == (1, 3)
    assert read_table(DataFile(write(tmp_path / "n2.txt", "1\n2\n3\n"))).shape == (3, 1)
    assert np.array_equal(read_table(DataFile(tmp_path / "n2.txt")), [[1], [2], [3]])


def npy(values: Array, *, allow_pickle: bool = False) -> bytes:
    content = io.BytesIO()
    np.save(content, values, allow_pickle=allow_pickle)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["f4", ">f8", "i2", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_npy_file_comes_back_as_it_was(tmp_path: Path, kind: str, order: Literal["C", "F"]) -> None:
    values_TC = np.asarray(np.arange(6).reshape(2, 3), dtype=kind, order=order)
    array = read_npy(DataFile(write(tmp_path / "a.npy", npy(values_TC))))
    assert array.dtype == values_TC.dtype
    assert np.array_equal(array, values_TC)


class Touches:
    """Makes a file when an ordinary unpickler reads it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


def test_an_npy_file_that_needs_unpickling_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = npy(np.array([[Touches(trace)]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"a\.npy is not an npy file of numbers: Object arrays cannot be loaded"):
        read_npy(DataFile(write(tmp_path / "a.npy", content)))
    assert not trace.exists()
    np.load(io.BytesIO(content), allow_pickle=True)
    assert trace.exists()


def test_an_npy_file_cut_anywhere_is_one_line_that_names_it(tmp_path: Path) -> None:
    content = npy(np.ones((2, 3)))
    for length in range(1, len(content)):
        with pytest.raises(DataError, match=r"^.*a\.npy is not an npy file of numbers: [^\n]+$"):
            read_npy(DataFile(write(tmp_path / "a.npy", content[:length])))


@pytest.mark.parametrize("shape", ["(99999999999, 99999)", "(-1, 3)", "(2,", "3", "(2, 'x')", "((((((1,),),),),),)"])
def test_an_npy_file_with_an_impossible_shape_is_named(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(48)
    with pytest.raises(DataError, match=r"a\.npy (is not an npy file of numbers|holds)"):
        read_npy(DataFile(write(tmp_path / "a.npy", content)))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([["a"]]), "values of type <U1; expected numbers"),
        (np.array([[1j]]), "values of type complex128; expected numbers"),
        (np.ones(3), r"an array of shape \(3,\); expected 2 axes"),
        (np.ones((0, 3)), r"an array of shape \(0, 3\); expected 2 axes, none of length 0"),
        (np.array([[1.0], [np.nan]]), "a value that is not finite in row 2"),
    ],
)
def test_an_array_that_is_no_table_of_finite_numbers_is_named(tmp_path: Path, values: Array, words: str) -> None:
    with pytest.raises(DataError, match=rf"a\.npy holds {words}"):
        read_npy(DataFile(write(tmp_path / "a.npy", npy(values))))


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\xef\xbb\xbfa , b\r\n1,2\r\n\r\n", b"\n\na,b\n1,2"])
def test_a_headed_table_is_its_names_and_its_numbers(tmp_path: Path, content: bytes) -> None:
    names, table_TC = read_headed_table(DataFile(write(tmp_path / "n1.txt", content)))
    assert names == ["a", "b"]
    assert table_TC.tolist() == [[1, 2]]


def test_rows_are_what_stands_in_the_columns_asked_for_with_their_lines(tmp_path: Path) -> None:
    text = '\ufeffa,b,c\r\n1,"x, y",2\r\n\r\n"3\n4",z,5\r\n'
    rows = read_rows(DataFile(write(tmp_path / "n1.txt", text)), "c", "b")
    assert rows == [(2, ["2", "x, y"]), (5, ["5", "z"])]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "has no column 'c'; its first line names: a, b"),
        ("c\n", "holds no rows below its header"),
        ("c,d\n1,2\n3\n", ": line 3 has 1 columns; the first line names 2"),
        ("c,d\n1,2,3\n", ": line 2 has 3 columns; the first line names 2"),
        (f"c\n{'x' * 200_000}\n", ": line 2 is not CSV: field larger than field limit"),
        (b"c\n\xff\n", "is not text in UTF-8"),
        (b"\xef\xbb\xbf", "has no column 'c'; its first line names: none"),
    ],
)
def test_rows_that_cannot_be_told_apart_name_the_file_and_the_line(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(DataError, match=rf"n1\.txt ?{words}"):
        read_rows(DataFile(write(tmp_path / "n1.txt", content)), "c")


def test_an_entity_is_complete_with_all_it_needs_and_keeps_what_else_it_has() -> None:
    file = DataFile(Path("x"))
    found = [("a", "train", file), ("b", "more", file), ("a", "test", file), ("b", "train", file), ("a", "more", file)]
    assert complete(found, ("train", "test")) == {"a": {"train": file, "test": file, "more": file}}


def test_labels_are_zeros_and_ones_one_a_step() -> None:
    file = DataFile(Path("x"))
    labels_T = check_labels(file, np.array([0.0, 1.0]), steps=2)
    assert (labels_T.dtype, labels_T.tolist()) == (bool, [False, True])
    with pytest.raises(DataError, match="x holds 2 labels for 3 steps"):
        check_labels(file, np.array([0, 1]), steps=3)
    with pytest.raises(DataError, match="x holds labels other than 0 and 1"):
        check_labels(file, np.array([0, 2]), steps=2)
