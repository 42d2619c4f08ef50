"""Numbers in text: whatever is wrong is one line that names the line of the file, counted from 1."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tsad_core.datasets.home import DataFile
from tsad_core.datasets.reading import read_headed_table, read_table, read_values
from tsad_core.errors import DataError


def refusal(folder: Path, read: Callable[[DataFile], object], text: str) -> str:
    path = folder / "x.csv"
    path.write_bytes(text.encode())
    with pytest.raises(DataError) as caught:
        read(DataFile(path))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path} ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,4\n5,oops\n", "is not a table of numbers: line 3 holds 'oops'"),
        ("1,2\r\n3,4\r\n5,oops\r\n", "is not a table of numbers: line 3 holds 'oops'"),
        ("oops,2\n3,4\n", "is not a table of numbers: line 1 holds 'oops'"),
        ("\n\n1,2\n\n5,\n", "is not a table of numbers: line 5 holds ''"),
        ("1,2\n3,1_0\n", "is not a table of numbers: line 2 holds '1_0'"),
        ("1,2\n3,4\n5,6,7\n", "is not a table of numbers: line 3 has 3 columns; those above have 2"),
        ("1,2\n\n3,4,5\n", "is not a table of numbers: line 3 has 3 columns; those above have 2"),
        ("1,2\n  \n3,4\n", "is not a table of numbers: line 2 has 1 columns; those above have 2"),
        ("1,2\n3,4\n5,inf\n", "holds a value that is not finite in line 3"),
        ("1,2\n\nnan,4\n", "holds a value that is not finite in line 3"),
    ],
)
def test_a_table_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, read_table, text) == message


@pytest.mark.parametrize("header", ["a,b\n", "a,b\r\n"])
@pytest.mark.parametrize("above", ["", "\n\n"])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,2\n3,oops\n", "is not a table of numbers: line {} holds 'oops'"),
        ("1,2\n3,4,5\n", "is not a table of numbers: line {} has 3 columns; those above have 2"),
        ("1,2\n3,inf\n", "holds a value that is not finite in line {}"),
    ],
)
def test_a_headed_table_counts_its_header_and_what_is_blank(
    tmp_path: Path, header: str, above: str, rows: str, message: str
) -> None:
    line = 3 + above.count("\n")
    assert refusal(tmp_path, read_headed_table, above + header + rows) == message.format(line)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n3\n4 oops\n", "holds what is not a number: line 3 holds 'oops'"),
        ("\n 1 \n\n oops\n", "holds what is not a number: line 4 holds 'oops'"),
        ("1 2 3\n4 -inf 5\n", "holds a value that is not finite in line 2"),
        ("\n1\n\nnan", "holds a value that is not finite in line 4"),
    ],
)
def test_values_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, read_values, text) == message
