"""Archives: whole or not at all, and never outside their folder."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from tsad_bench.data.unpack import unpack, unpacked_name
from tsad_core import DataError

EVIL = ["/evil", "../evil", "a/../../evil", "..", "C:\\evil", "..\\evil", "a\\..\\..\\evil"]


def zipped(path: Path, *names: str, mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            member = zipfile.ZipInfo("x")
            member.filename = member.orig_filename = name
            member.external_attr = mode << 16
            archive.writestr(member, "content")
    return path


def tarred(path: Path, *names: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            member.size = 7 if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(b"content"))
    return path


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", EVIL)
def test_a_member_that_leads_out_has_the_whole_archive_refused(tmp_path: Path, make, name: str) -> None:
    archive = make(tmp_path / "archive", "good.txt", name)
    with pytest.raises(DataError, match=r"archive is refused: its member .* leads out") as caught:
        unpack(archive, tmp_path / "out", work=tmp_path)
    assert repr(name) in str(caught.value)
    assert files(tmp_path) == {"archive"}


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "../.."),
        (tarfile.LNKTYPE, "../../file"),
        (tarfile.CHRTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_a_tar_with_a_link_or_a_device_is_refused(tmp_path: Path, kind: bytes, target: str) -> None:
    archive = tarred(tmp_path / "archive", "odd", kind=kind, target=target)
    with pytest.raises(DataError, match="its member 'odd' is a link or a device"):
        unpack(archive, tmp_path / "out", work=tmp_path)
    assert files(tmp_path) == {"archive"}


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR])
def test_a_zip_with_a_link_or_a_device_is_refused(tmp_path: Path, mode: int) -> None:
    archive = zipped(tmp_path / "archive", "odd", mode=mode | 0o777)
    with pytest.raises(DataError, match="its member 'odd' is a link or a device"):
        unpack(archive, tmp_path / "out", work=tmp_path)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_cut_archive_leaves_nothing_and_what_was_there_stays(tmp_path: Path, make) -> None:
    archive = make(tmp_path / "archive", *(f"{n}.txt" for n in range(50)))
    archive.write_bytes(archive.read_bytes()[:-60])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "before.txt").touch()
    with pytest.raises(DataError, match="archive is not a whole archive"):
        unpack(archive, tmp_path / "out", work=tmp_path)
    assert files(tmp_path) == {"archive", "out", "out/before.txt"}


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(DataError, match="archive is not a whole archive"):
        unpack(tmp_path / "archive", tmp_path / "out", work=tmp_path)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_whole_archive_takes_the_place_of_the_folder_before(tmp_path: Path, make) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "before.txt").touch()
    unpack(make(tmp_path / "archive", "a.txt", "deep/b.txt"), tmp_path / "out", work=tmp_path)
    assert files(tmp_path / "out") == {"a.txt", "deep", "deep/b.txt"}
    assert (tmp_path / "out/deep/b.txt").read_text() == "content"
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "out"}


@pytest.mark.parametrize(
    ("archive", "folder"), [("a.zip", "a"), ("a.b.tar.gz", "a.b"), ("a.tgz", "a"), ("a.gz", "a.gz"), ("a", "a")]
)
def test_the_folder_is_named_as_the_archive_without_its_suffix(archive: str, folder: str) -> None:
    assert unpacked_name(archive) == folder
