"""`tsad-bench data`: what is here against what is published, and every broken kind of file in one line."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tsad_bench.cli import cli
from tsad_bench.data.inventory import Stock, compared, told
from tsad_core import Counts
from tsad_core.datasets.smd import smd
from tsad_core.datasets.ucr import ucr

STEPS = 40


def call(*arguments: str, home: Path | None = None):
    return CliRunner().invoke(cli, ["data", *arguments], env={"TSAD_DATA": str(home) if home else None})


def machine(home: Path, number: int, **files: str) -> Path:
    """Lay a machine of two channels, with some of its files replaced."""
    table = "\n".join(f"0.{step:02},1" for step in range(STEPS))
    labels = "\n".join("1" if 30 <= step < 34 else "0" for step in range(STEPS))
    for part, text in {"train": table, "test": table, "test_label": labels, **files}.items():
        path = home / f"smd/ServerMachineDataset/{part}/machine-1-{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


def published(monkeypatch: pytest.MonkeyPatch, counts: Counts) -> None:
    monkeypatch.setattr(smd, "collection", replace(smd.collection, published=counts))


@pytest.mark.parametrize(
    ("found", "public", "words"),
    [
        (Counts(), Counts(), "here; how much is published is not known"),
        (Counts(series=3, events=1), Counts(), "here; how much is published is not known"),
        (Counts(series=3), Counts(series=3, events=9), "as published"),
        (Counts(series=1200), Counts(series=2800), "1,200 of 2,800 series are here"),
        (Counts(series=3), Counts(series=2), "3 of 2 series are here"),
        (Counts(3, 10, 20, 5, 1), Counts(3, 10, 20, 5, 1), "as published"),
        (
            Counts(3, 10, 2000, 5, 1),
            Counts(3, 10, 2001, None, 2),
            "not as published (test steps: 2,000 here, 2,001 published; events: 1 here, 2 published)",
        ),
    ],
)
def test_counts_are_held_against_what_is_published_as_far_as_both_are_known(
    found: Counts, public: Counts, words: str
) -> None:
    assert compared(found, public) == words


def test_some_of_the_series_are_told_as_some(tmp_path: Path) -> None:
    result = call("list", "smd", home=machine(tmp_path, 1))
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "1 of 28 series are here: 40 training steps, 40 test steps, 4 anomalous steps, 1 events" in text
    assert "licence: MIT" in text


def test_all_series_with_other_counts_are_a_difference_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(monkeypatch, Counts(series=1, test_steps=41, events=1))
    text = " ".join(call("list", "smd", home=machine(tmp_path, 1)).stdout.split())
    assert "not as published (test steps: 40 here, 41 published)" in text
    published(monkeypatch, Counts(series=1, test_steps=40, events=1))
    assert "as published: 1 series, 40 training steps" in call("list", "smd", home=tmp_path).stdout


def test_each_broken_file_is_one_line_and_the_others_are_told(tmp_path: Path) -> None:
    machine(tmp_path, 1)
    machine(tmp_path, 2, test="\n".join(["0.1"] * STEPS))
    machine(tmp_path, 3, train="0.1,oops")
    machine(tmp_path, 4, test_label="0\n1")
    machine(tmp_path, 5, test="")
    result = call(home=tmp_path)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    faults = result.stderr.splitlines()
    assert len(faults) == 4
    for fault, number, words in zip(
        faults,
        (2, 3, 4, 5),
        ("has 1 channels", "not a table of numbers", "2 labels for 40 steps", "is empty"),
        strict=True,
    ):
        assert f"machine-1-{number}" in fault
        assert words in fault
    text = " ".join(result.stdout.split())
    assert "4 of 5 series cannot be read, see below; the others: 1 series, 40 training steps" in text
    assert "generated: 6 series" in text


def test_of_very_many_broken_files_the_first_are_named(tmp_path: Path) -> None:
    for number in range(1, 9):
        machine(tmp_path, number, test="")
    *named, last = call("list", "smd", home=tmp_path).stderr.splitlines()
    assert [f"machine-1-{number}.txt" in line for number, line in enumerate(named, 1)] == [True] * 5
    assert last == "Error: and 3 more like these"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut"])
def test_a_truncated_zip_is_one_line_and_the_others_are_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ucr").mkdir()
    (tmp_path / "ucr/any.zip").write_bytes(content)
    result = call(home=machine(tmp_path, 1))
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "any.zip is not a whole zip archive" in line
    assert "1 of 28 series are here" in result.stdout


def test_a_zip_with_a_cut_member_names_the_member(tmp_path: Path) -> None:
    path = tmp_path / "ucr/any.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("001_UCR_Anomaly_x_2_3_3.txt", "1 2 3 4")
    path.write_bytes(path.read_bytes().replace(b"1 2 3 4", b"1 2 3 5"))
    result = call("list", "ucr", home=tmp_path)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "001_UCR_Anomaly_x_2_3_3.txt cannot be read" in result.stderr


def test_what_is_missing_is_told_with_where_to_get_and_put_it(tmp_path: Path) -> None:
    result = call("list", "ucr", home=tmp_path)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert f"into {tmp_path / 'ucr'} get it from {ucr.collection.get} or: tsad-bench data fetch ucr" in text


def test_without_a_data_home_it_says_how_to_set_one() -> None:
    result = call()
    assert result.exit_code == 0
    assert "data home: none; set TSAD_DATA or --data-home" in result.stdout
    assert "data fetch ucr" in result.stdout


def test_what_cannot_be_fetched_is_not_offered_for_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ucr, "collection", replace(ucr.collection, downloads=()))
    assert "data fetch" not in call("list", "ucr", home=tmp_path).stdout


def test_the_quick_form_reads_nothing(tmp_path: Path) -> None:
    machine(tmp_path, 1, test="", train="oops", test_label="x")
    result = call("list", "smd", "--quick", home=tmp_path)
    assert result.exit_code == 0
    assert "1 of 28 series are here" in result.stdout


@pytest.mark.parametrize(
    "place", [["--data-home", "{home}"], ["--data-home", "{home}", "list"], ["list", "--data-home", "{home}"]]
)
def test_the_data_home_is_taken_before_and_after_the_command(tmp_path: Path, place: list[str]) -> None:
    result = call(*(word.format(home=machine(tmp_path, 1)) for word in place))
    assert f"data home: {tmp_path}" in result.stdout
    assert "1 of 28 series" in result.stdout


def test_an_unknown_data_set_is_one_line(tmp_path: Path) -> None:
    result = call("list", "usr", home=tmp_path)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == ["Error: no dataset named 'usr'; did you mean 'ucr'?"]


@pytest.mark.usefixtures("faulty")
def test_a_third_partys_series_are_counted_and_its_faults_leave_the_others_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import tsad_faulty

    def broken() -> dict[str, object]:
        raise OSError("no such luck")

    monkeypatch.setattr(tsad_faulty, "unreadable", broken)
    result = call("list", "tiny", "unreadable", "synthetic")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line == "Error: dataset unreadable of tsad-faulty raised OSError: no such luck"
    assert "generated: 3 series" in result.stdout
    assert "generated: 6 series" in result.stdout


def test_a_data_set_that_needs_an_option_says_which(tmp_path: Path) -> None:
    assert "its own files: set csv.path" in call("list", "csv", home=tmp_path).stdout


@pytest.mark.parametrize("width", [20, 80, 120])
def test_text_keeps_to_its_columns_and_addresses_stay_whole(width: int) -> None:
    address = "https://example.org/" + "long/" * 20
    stocks = [Stock(name="a", title="A", lines=("word " * 40, address)), Stock(name="longer", title="", lines=())]
    rows = told(stocks, width=width).splitlines()
    assert max(len(row) for row in rows if address not in row) <= max(width, 38)
    assert address in "".join(rows)
    assert rows[0].startswith("a       A")
    assert rows[-1].strip() == "longer"
