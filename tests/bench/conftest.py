"""A clean working directory with the plugin of faulty detectors on the path, for workers too."""

import pickle
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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
    for module in ("tsad_faulty", "tsad_tardy"):
        sys.modules.pop(module, None)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store in which nothing is: to make one takes MLflow seconds, to copy it none."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(own_folder: Path, empty_store: Path) -> Path:
    """The store of the working directory, made already."""
    return shutil.copy(empty_store, own_folder / "mlflow.db")


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run cells by the code of a worker, but in this process: to start one takes seconds."""
    from tsad_bench import runner

    monkeypatch.setattr(runner, "run_jobs", _served_here)


class Line:
    """A worker's end of its connection: holds what it is to receive, and what it sent."""

    def __init__(self, *messages: object) -> None:
        self._messages = list(messages)
        self.sent: list[Any] = []

    def recv(self) -> object:
        if not self._messages:
            raise EOFError
        return self._messages.pop(0)

    def send(self, message: object) -> None:
        self.sent.append(pickle.loads(pickle.dumps(message)))  # noqa: S301 - as a pipe does


def _served_here(jobs: Sequence[Any], settings: object, **_: object) -> Iterator[Any]:
    """Yield what `run_jobs` would, if nothing happens to its workers."""
    from tsad_bench.executors.worker import serve
    from tsad_bench.outcome import Outcome

    line = Line(settings, *jobs)
    serve(line)
    yield from (message for message in line.sent if isinstance(message, Outcome))
