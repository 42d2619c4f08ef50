"""Downloads from a server on loopback that cuts, stalls, forgets, changes and lies."""

import errno
import hashlib
import http.server
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tsad_bench.cli import cli
from tsad_bench.data.fetch import Fetched, Patience, fetch
from tsad_core import DataError, Download
from tsad_core.datasets.ucr import ucr

CONTENT = bytes(range(256)) * 1000
HURRY = Patience(tries=3, pause=0.0, timeout=5.0)


@dataclass
class Site:
    """What the server does; each cut ends one answer after so many bytes."""

    content: bytes = CONTENT
    etag: str = '"one"'
    ranges: bool = True
    honest: bool = True
    """Whether a range of another version is refused."""
    status: int = 200
    length: bool = True
    cuts: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The range of each request."""
    release: threading.Event = field(default_factory=threading.Event)
    stalls: bool = False
    address: str = ""


def answer(site: Site, handler: http.server.BaseHTTPRequestHandler) -> None:
    wanted = handler.headers.get("Range", "")
    site.asked.append(wanted)
    cut = site.cuts.pop(0) if site.cuts else None
    same = handler.headers.get("If-Range") == site.etag or not site.honest
    start = int(wanted[len("bytes=") : -1]) if wanted and site.ranges and same else 0
    if start >= len(site.content):
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(site.content)}")
        handler.end_headers()
        return
    handler.send_response(206 if start else site.status)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
    if site.etag:
        handler.send_header("ETag", site.etag)
    if site.length:
        handler.send_header("Content-Length", str(len(site.content) - start))
    handler.end_headers()
    handler.wfile.write(site.content[start:] if cut is None else site.content[start : start + cut])
    if site.stalls:
        handler.wfile.flush()
        site.release.wait(30)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(made, self)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        made.address = f"http://127.0.0.1:{server.server_port}"
        yield made
        made.release.set()
        server.shutdown()
        thread.join()


def get(site: Site, home: Path, *, name: str = "toy.bin", sha256: str = "", unpack: bool = False, **how) -> Fetched:
    download = Download(f"{site.address}/{name}", name, sha256=sha256, unpack=unpack)
    return fetch(download, home / "toy", **{"watch": lambda _done, _total: None, "patience": HURRY, **how})


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def kept(home: Path) -> bytes:
    (part,) = home.rglob("*.part")
    return part.read_bytes()


def test_a_file_is_fetched_into_its_folder_and_nothing_else_stays(site: Site, tmp_path: Path) -> None:
    fetched = get(site, tmp_path)
    assert fetched == Fetched(tmp_path / "toy/toy.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert (tmp_path / "toy/toy.bin").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def test_several_cuts_are_survived_each_going_on_where_it_was(site: Site, tmp_path: Path) -> None:
    cuts = [20_000, 1, 70_000, 0]
    site.cuts = cuts.copy()
    assert get(site, tmp_path).size == len(CONTENT)
    assert (tmp_path / "toy/toy.bin").read_bytes() == CONTENT
    begins = [int(wanted.strip("bytes=-") or 0) for wanted in site.asked]
    assert len(begins) == 1 + len(cuts)
    for begin, cut, then in zip(begins, cuts, begins[1:], strict=False):
        assert begin + cut - 8192 <= then <= begin + cut


def test_a_server_that_knows_no_ranges_is_asked_from_the_beginning(site: Site, tmp_path: Path) -> None:
    site.cuts, site.ranges = [10_000, 5000], False
    get(site, tmp_path)
    assert (tmp_path / "toy/toy.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_way_to_tell_versions_apart_no_part_is_added_to(site: Site, tmp_path: Path, etag: str) -> None:
    site.cuts, site.etag = [10_000], etag
    get(site, tmp_path)
    assert site.asked == ["", ""]
    assert (tmp_path / "toy/toy.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("honest", [True, False])
def test_a_file_that_changed_in_between_is_fetched_anew(site: Site, tmp_path: Path, honest: bool) -> None:
    site.cuts = [100_000, 0, 0, 0]
    with pytest.raises(DataError, match="98,304 bytes are kept; the same command goes on from there"):
        get(site, tmp_path)
    assert kept(tmp_path) == CONTENT[:98_304]
    site.content, site.etag, site.honest = CONTENT[::-1], '"two"', honest
    get(site, tmp_path)
    assert site.asked[4] == "bytes=98304-"
    assert (tmp_path / "toy/toy.bin").read_bytes() == CONTENT[::-1]


def test_a_part_that_is_already_whole_is_recognised(site: Site, tmp_path: Path) -> None:
    def killed_at_the_end(done: int, total: int | None) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(site, tmp_path, watch=killed_at_the_end)
    assert get(site, tmp_path).size == len(CONTENT)
    assert site.asked == ["", f"bytes={len(CONTENT)}-"]


def test_a_connection_that_is_always_cut_ends_in_one_line(site: Site, tmp_path: Path) -> None:
    site.cuts = [10_000] + [0] * 20
    with pytest.raises(DataError, match=r"toy\.bin: the connection failed .*; 8,192 bytes are kept") as caught:
        get(site, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(site.asked) == 1 + HURRY.tries
    assert not (tmp_path / "toy/toy.bin").exists()


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (503, 3)])
def test_a_refusal_is_one_line_and_only_a_passing_one_is_tried_again(
    site: Site, tmp_path: Path, status: int, asked: int
) -> None:
    site.status = status
    with pytest.raises(DataError, match=f"answers {status}"):
        get(site, tmp_path)
    assert len(site.asked) == asked
    assert list(tmp_path.iterdir()) == []


def test_what_has_not_come_is_not_promised_to_go_on(site: Site, tmp_path: Path) -> None:
    site.status = 503
    with pytest.raises(DataError, match=r"answers 503 .*; nothing has come yet; try again later$"):
        get(site, tmp_path)
    site.status, site.etag, site.cuts = 200, "", [10_000] * 20
    with pytest.raises(DataError, match=r"the server does not say how to go on, so the same command begins anew$"):
        get(site, tmp_path)


def test_a_server_that_is_not_there_is_one_line(site: Site, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(DataError, match=r"connection failed .*Connection refused") as caught:
        get(replace(site, address=address), tmp_path)
    assert "Max retries" not in str(caught.value)


def test_a_server_that_stalls_is_waited_for_so_long(site: Site, tmp_path: Path) -> None:
    site.cuts, site.stalls = [5], True
    with pytest.raises(DataError, match=r"connection failed \(Read timed out"):
        get(site, tmp_path, patience=Patience(tries=1, pause=0, timeout=0.2))


def test_a_full_disk_is_one_line_and_what_has_come_is_kept(site: Site, tmp_path: Path) -> None:
    def full(done: int, _: int | None) -> None:
        if done > 100_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DataError, match="No space left on device; make room"):
        get(site, tmp_path, watch=full)
    assert 100_000 < len(kept(tmp_path)) < len(CONTENT)
    get(site, tmp_path)
    assert site.asked[1].startswith("bytes=1")


def test_a_home_that_cannot_be_written_is_one_line(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        get(site, tmp_path / "file")


def test_a_wrong_checksum_throws_the_file_away(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has not the checksum 00"):
        get(site, tmp_path, sha256="00" * 32)
    assert files(tmp_path) == set()
    assert get(site, tmp_path, sha256=hashlib.sha256(CONTENT).hexdigest()).size == len(CONTENT)


def test_a_page_in_place_of_a_zip_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.content = b"<html>please log in</html>"
    with pytest.raises(DataError, match="is not a whole zip archive"):
        get(site, tmp_path, name="toy.zip")
    assert files(tmp_path) == set()


def test_a_zip_cut_without_a_word_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.content, site.length, site.cuts = packed({"a.txt": "a" * 999}), False, [60]
    with pytest.raises(DataError, match="is not a whole zip archive"):
        get(site, tmp_path, name="toy.zip")
    assert get(site, tmp_path, name="toy.zip").size == len(site.content)


@pytest.mark.parametrize("cut", [None, 100_000])
def test_a_file_of_unknown_length_comes_with_a_warning(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture, cut: int | None
) -> None:
    site.length, site.cuts = False, [] if cut is None else [cut]
    assert get(site, tmp_path).size == (cut or len(CONTENT))
    (record,) = caplog.records
    assert (
        record.getMessage()
        == f"{site.address}/toy.bin: the server did not say how long it is, so it may have come cut short"
    )


@pytest.mark.parametrize("known", ["length", "sha256", "zip"])
def test_a_file_that_can_be_checked_comes_without_a_warning(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture, known: str
) -> None:
    site.content, site.length = packed({"a.txt": "a" * 999}), known == "length"
    sha256 = hashlib.sha256(site.content).hexdigest() if known == "sha256" else ""
    get(site, tmp_path, name="toy.zip" if known == "zip" else "toy.bin", sha256=sha256)
    assert not caplog.records


def test_a_rest_without_a_length_is_whole_only_if_it_comes_to_the_end(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site.cuts = [100_000, 0, 0, 0]
    with pytest.raises(DataError, match="bytes are kept"):
        get(site, tmp_path)
    site.length, site.cuts = False, [50_000]
    get(site, tmp_path)
    assert (tmp_path / "toy/toy.bin").read_bytes() == CONTENT
    assert not caplog.records


def test_what_is_there_is_not_fetched_again_unless_forced(site: Site, tmp_path: Path) -> None:
    get(site, tmp_path)
    assert get(site, tmp_path) == Fetched(tmp_path / "toy/toy.bin")
    assert len(site.asked) == 1
    site.content, site.etag = b"new", '"two"'
    get(site, tmp_path, force=True)
    assert (tmp_path / "toy/toy.bin").read_bytes() == b"new"


def test_what_is_there_with_another_checksum_is_told(site: Site, tmp_path: Path) -> None:
    get(site, tmp_path)
    with pytest.raises(DataError, match=r"is there, but its checksum is not .*--force"):
        get(site, tmp_path, sha256="00" * 32)


def test_an_archive_becomes_a_folder_and_is_there_from_then_on(site: Site, tmp_path: Path) -> None:
    site.content = packed({"deep/a.txt": "a"})
    assert get(site, tmp_path, name="toy.zip", unpack=True).path == tmp_path / "toy/toy"
    assert files(tmp_path) == {"toy/toy/deep/a.txt"}
    get(site, tmp_path, name="toy.zip", unpack=True)
    assert len(site.asked) == 1


def test_an_archive_that_is_refused_is_asked_for_again(site: Site, tmp_path: Path) -> None:
    site.content = packed({"../evil.txt": "a"})
    with pytest.raises(DataError, match=r"evil\.txt' leads out"):
        get(site, tmp_path, name="toy.zip", unpack=True)
    assert files(tmp_path) == set()
    site.content = packed({"good.txt": "a"})
    get(site, tmp_path, name="toy.zip", unpack=True)
    assert files(tmp_path) == {"toy/toy/good.txt"}


def test_an_archive_that_no_disk_can_hold_is_asked_for_again(site: Site, tmp_path: Path) -> None:
    site.content = packed({"a": "a", "a/b": "b"})
    with pytest.raises(DataError, match=r"^toy\.zip cannot be unpacked \(.*directory.*\), so it was thrown away$"):
        get(site, tmp_path, name="toy.zip", unpack=True)
    assert files(tmp_path) == set()
    site.content = packed({"good.txt": "a"})
    get(site, tmp_path, name="toy.zip", unpack=True)
    assert files(tmp_path) == {"toy/toy/good.txt"}


def test_an_archive_for_which_there_is_no_room_is_kept(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    site.content = packed({"good.txt": "a"})
    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extractall", full)
        with pytest.raises(DataError, match="No space left on device; make room, and the same command goes on"):
            get(site, tmp_path, name="toy.zip", unpack=True)
    get(site, tmp_path, name="toy.zip", unpack=True)
    assert len(site.asked) == 1


def test_two_at_once_do_not_mix_their_bytes(site: Site, tmp_path: Path) -> None:
    def again(*_: object) -> None:
        get(site, tmp_path)

    with pytest.raises(DataError, match="is being fetched by another process"):
        get(site, tmp_path, watch=again)


KILLED = """
import sys
from pathlib import Path
from tsad_bench.data.fetch import fetch
from tsad_core import Download
fetch(Download(sys.argv[1], "toy.bin"), Path(sys.argv[2]), watch=lambda done, _: print(done, flush=True))
"""


def test_a_killed_process_leaves_a_part_to_go_on_from(site: Site, tmp_path: Path) -> None:
    site.cuts, site.stalls = [150_000], True
    command = [sys.executable, "-c", KILLED, f"{site.address}/toy.bin", str(tmp_path / "toy")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        deadline = time.monotonic() + 60
        while int(process.stdout.readline()) < 100_000 and time.monotonic() < deadline:
            pass
        process.send_signal(signal.SIGKILL)
    site.stalls = False
    size = len(kept(tmp_path))
    assert size > 0
    assert not (tmp_path / "toy").exists()
    get(site, tmp_path)
    assert site.asked == ["", f"bytes={size}-"]
    assert (tmp_path / "toy/toy.bin").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def call(*arguments: str, **env: str | None):
    return CliRunner().invoke(cli, ["data", *arguments], env=env)


def offered(monkeypatch: pytest.MonkeyPatch, **changes) -> None:
    monkeypatch.setattr(ucr, "collection", replace(ucr.collection, **changes))


def packed(members: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_what_was_fetched_is_listed(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.content = packed({"001_UCR_Anomaly_x_2_3_3.txt": "1 2 3 4"})
    offered(monkeypatch, downloads=(Download(f"{site.address}/u.zip", "u.zip"),))
    first = call("fetch", "ucr", "--data-home", str(tmp_path / "new"))
    assert first.exit_code == 0, first.output
    assert "sha256" in first.stdout
    assert "was there already" in call("fetch", "ucr", "--data-home", str(tmp_path / "new")).stdout
    assert "1 of 250 series are here: 2 training steps" in call("list", "ucr", TSAD_DATA=str(tmp_path / "new")).stdout


def test_each_data_set_that_cannot_be_fetched_is_one_line(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(monkeypatch, downloads=(), get="its owners, who ask you to register")
    result = call("fetch", "ucr", "synthetic", "nothing", "--data-home", str(tmp_path))
    assert result.exit_code == 2
    register, generated, unknown = result.stderr.splitlines()
    assert "get it from its owners, who ask you to register and put" in register
    assert "synthetic has nothing to fetch" in generated
    assert "no dataset named 'nothing'" in unknown


def test_without_a_data_home_nothing_is_fetched() -> None:
    result = call("fetch", "ucr", TSAD_DATA=None)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "set TSAD_DATA or --data-home" in result.stderr


def test_a_missing_file_on_the_server_is_one_line(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.status = 404
    offered(monkeypatch, downloads=(Download(f"{site.address}/u.zip", "u.zip"),))
    result = call("fetch", "ucr", "--data-home", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [f"Error: {site.address}/u.zip answers 404 Not Found"]
