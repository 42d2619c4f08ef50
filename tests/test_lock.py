"""The lock pins versions and names no index."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILTER = [sys.executable, str(ROOT / "scripts" / "strip_lock.py")]


def strip(text: str) -> str:
    return subprocess.run(FILTER, input=text, capture_output=True, text=True, check=True).stdout


def committed() -> str:
    show = subprocess.run(["git", "show", "HEAD:uv.lock"], cwd=ROOT, capture_output=True, text=True, check=False)
    if show.returncode:
        pytest.skip("not a git checkout: there is no committed lock to look at")
    return show.stdout


def test_the_committed_lock_has_no_address() -> None:
    assert [line for line in committed().splitlines() if "://" in line] == []


def test_the_filter_strips_addresses_and_keeps_every_version() -> None:
    whole = """version = 1

[[package]]
name = "numpy"
version = "2.4.6"
source = { registry = "ADDRESS/simple" }
dependencies = [
    { name = "b", version = "1", source = { registry = "ADDRESS/simple" }, marker = "x" },
]
sdist = { url = "ADDRESS/numpy.tar.gz", hash = "sha256:0", size = 1 }
wheels = [
    { url = "ADDRESS/numpy-1.whl", hash = "sha256:0", size = 1 },
    { url = "ADDRESS/numpy-2.whl", hash = "sha256:0", size = 1 },
]

[package.optional-dependencies]
extra = [
    { name = "c" },
]

[package.metadata]
requires-dist = [{ name = "c", marker = "extra == 'extra'" }]

[package.metadata.requires-dev]
dev = [{ name = "d", specifier = ">=1" }]

[[package]]
name = "last"
version = "1"
"""
    stripped = strip(whole.replace("ADDRESS", "https" + "://index.example"))
    assert (
        stripped
        == """version = 1

[[package]]
name = "numpy"
version = "2.4.6"
source = { registry = "index" }
dependencies = [
    { name = "b", version = "1", source = { registry = "index" }, marker = "x" },
]

[package.optional-dependencies]
extra = [
    { name = "c" },
]

[[package]]
name = "last"
version = "1"
"""
    )
    assert strip(stripped) == stripped


@pytest.mark.slow
def test_a_sync_from_the_stripped_lock_gives_the_pinned_versions(tmp_path: Path) -> None:
    import shutil
    import tomllib

    (tmp_path / "uv.lock").write_text(strip((ROOT / "uv.lock").read_text()))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "packages", tmp_path / "packages")
    pinned = {p["name"]: p["version"] for p in tomllib.loads((tmp_path / "uv.lock").read_text())["package"]}
    subprocess.run(["uv", "sync", "-q"], cwd=tmp_path, check=True, env=_without_venv())
    listed = subprocess.run(
        ["uv", "pip", "freeze"], cwd=tmp_path, capture_output=True, text=True, check=True, env=_without_venv()
    )
    installed = dict(line.split("==") for line in listed.stdout.splitlines() if "==" in line)
    assert len(installed) > 50
    assert {name: version for name, version in installed.items() if pinned[name] != version} == {}
    assert strip((tmp_path / "uv.lock").read_text()) == strip((ROOT / "uv.lock").read_text())


def _without_venv() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
