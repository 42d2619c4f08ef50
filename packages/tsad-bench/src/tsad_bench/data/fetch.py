"""Downloads that go on where they were cut: a file is under its name whole, or not at all."""

import errno
import fcntl
import logging
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooch
import requests
from tsad_core import Collection, DataError, Download

from tsad_bench.data.unpack import unpack, unpacked_name

logger = logging.getLogger(__name__)

Watch = Callable[[int, int | None], None]
"""Is told how many bytes are there, and of how many if that is known."""

_CHUNK = 1 << 13
"""Bytes taken at once; as many at most are lost when a connection is cut."""

_LOCK = "lock"
_FULL = {errno.ENOSPC, errno.EDQUOT}
"""What the system says when there is no room."""
_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""What a server may answer that it will not answer for long."""


@dataclass(frozen=True)
class Patience:
    """How long to try."""

    tries: int = 5
    """Attempts in a row that bring nothing new."""
    pause: float = 1.0
    """Seconds before the second attempt; twice as many before each further one."""
    timeout: float = 30.0
    """Seconds without an answer."""


PATIENCE = Patience()


@dataclass(frozen=True)
class Fetched:
    """What became of one download."""

    path: Path
    """The file, or the folder that it was unpacked to."""
    size: int = 0
    sha256: str = ""
    """Empty where the file was already there."""


class _Cut(Exception):  # noqa: N818 - not a fault while there is patience
    """A download stopped before its end; what has come is kept."""


def downloads_of(collection: Collection, home: Path) -> tuple[Download, ...]:
    """Return what there is to fetch; nothing, because its owners wish to be asked, raises `DataError`."""
    if not collection.downloads:
        raise DataError(
            f"{collection.title} cannot be fetched from here; get it from {collection.get} "
            f"and put {collection.put} into {home / collection.folder}"
        )
    return collection.downloads


def fetch(
    download: Download, folder: Path, *, force: bool = False, watch: Watch, patience: Patience = PATIENCE
) -> Fetched:
    """Return a file when it is in its folder of the data home, fetched unless it was there.

    What hinders it raises `DataError`: one line that says what to do. What has come of a broken download is
    kept in a hidden folder of the data home, and the next call goes on from there.
    """
    with _told(download):
        return _fetch(download, folder, force=force, watch=watch, patience=patience)


def _fetch(download: Download, folder: Path, *, force: bool, watch: Watch, patience: Patience) -> Fetched:
    target = folder / (unpacked_name(download.name) if download.unpack else download.name)
    if target.exists() and not force:
        _verify(target, download)
        return Fetched(target)
    with _workplace(folder) as work:
        if force:
            (work / download.name).unlink(missing_ok=True)
        file = _download(download, work, watch=watch, patience=patience)
        fetched = Fetched(target, file.stat().st_size, pooch.file_hash(str(file)))
        folder.mkdir(exist_ok=True)
        _settle(file, target, work) if download.unpack else file.replace(target)
    return fetched


def _settle(archive: Path, target: Path, work: Path) -> None:
    """Unpack an archive; one that cannot be is thrown away, or the next call would find it again."""
    try:
        unpack(archive, target, work=work)
    except DataError:
        archive.unlink()
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise
        archive.unlink()
        reason = error.strerror or error
        raise DataError(f"{archive.name} cannot be unpacked ({reason}), so it was thrown away") from error
    archive.unlink()


def _verify(target: Path, download: Download) -> None:
    if download.sha256 and target.is_file() and pooch.file_hash(str(target)) != download.sha256:
        raise DataError(f"{target} is there, but its checksum is not {download.sha256}; get it again with --force")


def _download(download: Download, work: Path, *, watch: Watch, patience: Patience) -> Path:
    """Return the whole, checked file in the work folder."""
    resuming = _Resuming(work / f"{download.name}.part", watch, patience)
    pooch.get_logger().setLevel(logging.WARNING)
    whole = work / download.name
    try:
        # a file that is there came whole, but could not be unpacked or moved: pooch takes it
        pooch.retrieve(
            download.url, known_hash=download.sha256 or None, fname=download.name, path=work, downloader=resuming
        )
    except ValueError as error:
        raise DataError(
            f"what {download.url} sends has not the checksum {download.sha256}, so it was thrown away; "
            f"try again later, or tell the data set's maintainers"
        ) from error
    if download.name.endswith(".zip") and not zipfile.is_zipfile(whole):
        whole.unlink()
        raise DataError(f"what {download.url} sends is not a whole zip archive, so it was thrown away")
    if not (resuming.length_known or download.sha256 or download.name.endswith(".zip")):
        logger.warning("%s: the server did not say how long it is, so it may have come cut short", download.url)
    return whole


class _Resuming:
    """A downloader for pooch that goes on where it was cut, if the file is still the same one."""

    def __init__(self, part: Path, watch: Watch, patience: Patience) -> None:
        self._part, self._watch, self._patience = part, watch, patience
        self._mark = part.with_suffix(".version")
        self.length_known = True

    def __call__(self, url: str, output_file: Any, _: Any) -> None:
        with requests.Session() as session:
            self._persist(session, url)
        self._mark.unlink(missing_ok=True)
        self._part.replace(output_file)

    def _persist(self, session: requests.Session, url: str) -> None:
        most, idle, whole = self._size(), 0, False
        while not whole:
            try:
                self._go_on(session, url)
                whole = True
            except _Cut as cut:
                idle = 0 if self._size() > most else idle + 1
                most = max(most, self._size())
                if idle >= self._patience.tries:
                    raise DataError(f"{url}: {cut}; {self._outlook()}") from cut
                logger.info("%s: %s at byte %d", url, cut, self._size())
                time.sleep(self._patience.pause * 2 ** max(idle - 1, 0))

    def _outlook(self) -> str:
        """Return what the next call can do."""
        if not self._size():
            return "nothing has come yet; try again later"
        if not self._version():
            return "the server does not say how to go on, so the same command begins anew"
        return f"{self._size():,} bytes are kept; the same command goes on from there"

    def _go_on(self, session: requests.Session, url: str) -> None:
        """Add to the part what is missing; raise `_Cut` if it does not come to its end."""
        try:
            with session.get(url, headers=self._headers(), stream=True, timeout=self._patience.timeout) as response:
                if self._is_whole(response):
                    return
                self._check(response)
                self._write(response)
        except requests.Timeout as error:
            raise _Cut(f"no answer within {self._patience.timeout:g} seconds") from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise _Cut(f"the connection failed ({_reason(error)})") from error
        except requests.RequestException as error:
            raise DataError(f"{url} cannot be fetched: {error}") from error

    def _headers(self) -> dict[str, str]:
        # as packed on the server, so that lengths and ranges count the bytes of the file
        headers = {"Accept-Encoding": "identity"}
        if self._size() and self._version():
            headers |= {"Range": f"bytes={self._size()}-", "If-Range": self._version()}
        return headers

    def _is_whole(self, response: requests.Response) -> bool:
        """Whether there is nothing left to ask for: a run was killed between the last byte and the move."""
        if response.status_code != requests.codes.requested_range_not_satisfiable:
            return False
        if response.headers.get("Content-Range", "").endswith(f"/{self._size()}"):
            return True
        self._part.unlink()
        raise _Cut("what was kept does not fit the file any more")

    def _check(self, response: requests.Response) -> None:
        if response.status_code in _PASSING:
            raise _Cut(f"the server answers {response.status_code} {response.reason}")
        if not response.ok:
            raise DataError(f"{response.url} answers {response.status_code} {response.reason}")

    def _write(self, response: requests.Response) -> None:
        begins = self._begin(response)
        total = _length_of(response, begins)
        self.length_known = total is not None or response.headers.get("Transfer-Encoding", "").lower() == "chunked"
        with self._part.open("ab" if begins else "wb") as part:
            if not begins:
                self._mark.write_text(_version_of(response), encoding="utf-8")
            for chunk in response.iter_content(_CHUNK):
                part.write(chunk)
                self._watch(part.tell(), total)
            if total is not None and "Content-Encoding" not in response.headers and part.tell() < total:
                raise _Cut("the connection ended too early")

    def _begin(self, response: requests.Response) -> int:
        """Return the byte of the file at which the answer begins: where the part ends, or at 0."""
        if response.status_code != requests.codes.partial_content:
            return 0
        begins = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        other = _version_of(response) not in {"", self._version()}
        if other or begins is None or int(begins[1]) != self._size():
            self._part.unlink()
            raise _Cut("the server sent another piece than it was asked for")
        return self._size()

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _version(self) -> str:
        return self._mark.read_text(encoding="utf-8") if self._mark.exists() else ""


def _length_of(response: requests.Response, begins: int) -> int | None:
    """Return how long the whole file is, unless the answer does not say."""
    if "Content-Length" in response.headers:
        return begins + int(response.headers["Content-Length"])
    whole = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    return int(whole[1]) if begins and whole else None


def _version_of(response: requests.Response) -> str:
    """Return what tells this version of the file from the next one; nothing if a part of it may not be added to."""
    if "Content-Encoding" in response.headers:
        return ""
    etag = response.headers.get("ETag", "")
    return response.headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag


def _reason(error: BaseException) -> str:
    """Return the last cause in a chain of wrapped errors, without the wrapping."""
    while isinstance(error.args[0] if error.args else None, BaseException):
        error = error.args[0]
    inner = getattr(error, "reason", None) or error
    text = inner.args[0] if inner.args and isinstance(inner.args[0], str) else str(inner)
    return text.rpartition(": ")[2]


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """Give a hidden folder beside a data set's, for one process at a time; it stays only while it keeps something."""
    # beside it, not in it: what is half done there must not be found as data
    real = folder.resolve()
    work = real.parent / f".fetch-{real.name}"
    work.mkdir(parents=True, exist_ok=True)
    with (work / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{folder} is being fetched by another process; wait for it, or end it") from None
        try:
            yield work
        finally:
            if not any(file.stat().st_size for file in work.iterdir() if file.name != _LOCK):
                shutil.rmtree(work)


@contextmanager
def _told(download: Download) -> Iterator[None]:
    """Say in one line what the disk refused."""
    try:
        yield
    except OSError as error:
        where = error.filename or download.name
        hint = "; make room, and the same command goes on from there" if error.errno in _FULL else ""
        raise DataError(f"{where} cannot be written: {error.strerror or error}{hint}") from error
