"""Archives unpacked whole or not at all, and never outside their folder."""

import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tsad_core import DataError

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError)
_SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


def unpacked_name(archive: str) -> str:
    """Return the name of the folder that an archive becomes: its own without what says how it is packed."""
    return next((archive.removesuffix(suffix) for suffix in reversed(_SUFFIXES) if archive.endswith(suffix)), archive)


def unpack(archive: Path, folder: Path, *, work: Path) -> None:
    """Make a zip or tar a folder, in place of the one that was there.

    A member that is not a plain file or folder, or whose path leads out, has the whole archive refused with a
    `DataError` before anything is written. `work` holds what is half done; it lies on the same disk as `folder`.
    """
    with tempfile.TemporaryDirectory(dir=work) as made:
        fresh, stale = Path(made) / "fresh", Path(made) / "stale"
        try:
            _extract(archive, fresh)
        except _BROKEN as error:
            raise DataError(f"{archive.name} is not a whole archive ({error}); nothing was unpacked") from error
        if folder.exists():
            folder.replace(stale)
        shutil.move(fresh, folder)


def _extract(archive: Path, folder: Path) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            _refuse(archive, _zip_members(zipped))
            zipped.extractall(folder)  # noqa: S202 - each member was looked at
        return
    with tarfile.open(archive) as tarred:
        _refuse(archive, ((member.name, member.isfile() or member.isdir()) for member in tarred))
        tarred.extractall(folder, filter="data")


def _zip_members(zipped: zipfile.ZipFile) -> Iterator[tuple[str, bool]]:
    for member in zipped.infolist():
        kind = stat.S_IFMT(member.external_attr >> 16)
        # the name as it stands in the archive: the other one is cut and turned for this system
        yield member.orig_filename, kind in {0, stat.S_IFREG, stat.S_IFDIR}


def _refuse(archive: Path, members: Iterator[tuple[str, bool]]) -> None:
    for name, plain in members:
        if not _stays_inside(name):
            raise DataError(f"{archive.name} is refused: its member {name!r} leads out of the folder")
        if not plain:
            raise DataError(f"{archive.name} is refused: its member {name!r} is a link or a device, not a file")


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return not (path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name)
