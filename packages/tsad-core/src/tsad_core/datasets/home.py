"""The data home: official files found and read where they lie, unpacked or inside their zips.

Zip members are read in place and nothing is ever extracted, so no archive can write anywhere.
"""

import functools
import itertools
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tsad_core.dataset import Collection
from tsad_core.errors import DataError, MissingDataError

_UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class DataFile:
    """A file, or a member of a zip; ``str`` names it as errors do."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}: {self.member}"

    def read(self) -> bytes:
        """Return the content; raise `DataError` if it cannot be read or is empty."""
        return next(contents([self]))


def contents(files: Iterable[DataFile]) -> Iterator[bytes]:
    """Yield the content of each file; a zip is opened once for all of its members that follow each other.

    Raises `DataError` for a file that cannot be read or is empty.
    """
    for path, members in itertools.groupby(files, key=lambda file: file.path if file.member else None):
        if path is None:
            yield from (_checked(file, file.path.read_bytes) for file in members)
            continue
        with _opened(path) as archive:
            yield from (_checked(file, functools.partial(archive.read, file.member or "")) for file in members)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise DataError(f"{path} is not a whole zip archive ({error}); get it again") from error


def _checked(file: DataFile, read: Callable[[], bytes]) -> bytes:
    try:
        content = read()
    except _UNREADABLE as error:
        raise DataError(f"{file} cannot be read ({error}); get it again") from error
    if not content.strip():
        raise DataError(f"{file} is empty; get it again")
    return content


def find_home(given: Path | None = None) -> Path | None:
    """Return the folder given, else the one named by the environment variable ``TSAD_DATA``, else none."""
    named = given or os.environ.get("TSAD_DATA")
    return Path(named).expanduser() if named else None


def find_files(home: Path | None, collection: Collection) -> dict[tuple[str, ...], DataFile]:
    """Return the files of a collection by their keys, at whatever depth below its folder they lie.

    Zips are opened only where nothing is unpacked. Nothing found raises `DataError` with what to do.
    """
    folder = (find_home(home) or Path()) / collection.folder
    paths = sorted(_walk(folder)) if find_home(home) else []
    files = _matching(collection.pattern, [(path.as_posix(), DataFile(path)) for path in paths])
    if not files:
        zips = [path for path in paths if path.suffix.lower() == ".zip"]
        files = _matching(collection.pattern, [member for path in zips for member in _members(path)])
    if not files:
        raise missing(home, collection)
    return files


def complete(found: Iterable[tuple[str, str, DataFile]], needed: Iterable[str]) -> dict[str, dict[str, DataFile]]:
    """Return the files of each entity by part, given entity, part and file, without those that lack a part."""
    entities: dict[str, dict[str, DataFile]] = {}
    for entity, part, file in found:
        entities.setdefault(entity, {})[part] = file
    return {entity: parts for entity, parts in entities.items() if parts.keys() >= set(needed)}


def missing(home: Path | None, collection: Collection, *, lack: str = "") -> MissingDataError:
    """Return the error of a data home without a collection: what is missing, what to put where, where to get it.

    `lack` says what is missing if something is there.
    """
    found = find_home(home)
    if found is None:
        where = f"<data home>/{collection.folder}, and set TSAD_DATA to the data home"
        return MissingDataError(
            f"there is no data home: put {collection.put} into {where}; get it from {collection.get}"
        )
    folder = found / collection.folder
    told = (
        f"{lack}: put {collection.put} into {folder}"
        if lack
        else (f"{collection.title} is not in {folder}: put {collection.put} there")
    )
    return MissingDataError(f"{told}; get it from {collection.get}")


def _walk(folder: Path) -> Iterator[Path]:
    # links are followed at the first level only: people link whole data sets, and deeper ones may run in circles
    tops = [folder, *(entry for entry in folder.iterdir() if entry.is_symlink())] if folder.is_dir() else []
    for top in tops:
        for where, _, names in os.walk(top):
            yield from (Path(where, name) for name in names)


def _matching(pattern: re.Pattern[str], named: list[tuple[str, DataFile]]) -> dict[tuple[str, ...], DataFile]:
    tail = re.compile(rf"(?:.*/)?{pattern.pattern}", re.DOTALL)
    files: dict[tuple[str, ...], DataFile] = {}
    for name, file in named:
        match = tail.fullmatch(name)
        if match:
            files.setdefault(match.groups(), file)
    return files


def _members(path: Path) -> list[tuple[str, DataFile]]:
    with _opened(path) as archive:
        return [(name, DataFile(path, name)) for name in archive.namelist() if _stays_inside(name)]


def _stays_inside(member: str) -> bool:
    path = PurePosixPath(member.replace("\\", "/"))
    return not (path.is_absolute() or ".." in path.parts or ":" in member)
