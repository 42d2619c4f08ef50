"""A clean working directory with the plugin of faulty detectors on the path, for workers too."""

import sys
from pathlib import Path

import pytest

FAULTY = Path(__file__).parent / "faulty"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, with the store there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("TSAD_PLUGINS", raising=False)
    return tmp_path


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the faulty plugin importable, here and in workers."""
    monkeypatch.syspath_prepend(str(FAULTY))
    monkeypatch.setenv("PYTHONPATH", str(FAULTY))
    yield
    sys.modules.pop("tsad_faulty", None)
