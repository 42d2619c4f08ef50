"""The MLflow store: opened one process at a time, asked plainly."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.util import CommandError
from mlflow import MlflowClient
from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from tsad_core import TsadError

OPEN = ("RUNNING", "SCHEDULED")
EXPERIMENT = {"mlflow.experimentKind": "custom_model_development"}
"""Makes the UI open on runs and charts; without it, it takes every experiment for a chat model's."""


class TrackingError(TsadError):
    """The MLflow store cannot be reached or written. The journal keeps what it missed."""


@contextmanager
def told_plainly(uri: str) -> Iterator[None]:
    """Turn what MLflow raises into one clear line."""
    try:
        yield
    except (MlflowException, OSError, SQLAlchemyError, CommandError) as error:
        first = str(error).strip().splitlines()
        raise TrackingError(f"the MLflow store {uri} failed: {first[0] if first else type(error).__name__}") from error


def reach(uri: str) -> None:
    """Raise `TrackingError` if a store cannot be read."""
    with told_plainly(uri):
        existing(uri).search_experiments(max_results=1)


def existing(uri: str) -> MlflowClient:
    """Open a store to read from; an SQLite file that is not there is an error, and is not made."""
    path = sqlite_file(uri)
    if path and not path.exists():
        raise TrackingError(f"there is no MLflow store {uri} yet; the first run makes it")
    return MlflowClient(uri)


def sqlite_file(uri: str) -> Path | None:
    """Return the file behind an SQLite address, or nothing for another kind of store."""
    return Path(make_url(uri).database or "") if uri.startswith("sqlite:///") else None


@contextmanager
def alone(uri: str) -> Iterator[None]:
    """Let one process at a time open an SQLite store: two that make it at once ruin it."""
    path = sqlite_file(uri)
    if path is None:
        yield
        return
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def experiment(client: MlflowClient, uri: str, name: str) -> str:
    """Return the id of an experiment, made if it is not there."""
    known: Experiment | None = client.get_experiment_by_name(name)
    if known is None:
        return str(client.create_experiment(name, artifact_location=_artifact_root(uri), tags=EXPERIMENT))
    if known.lifecycle_stage == "deleted":
        raise TrackingError(f"the MLflow experiment {name!r} is in the trash of {uri}; restore it or empty the trash")
    return str(known.experiment_id)


def _artifact_root(uri: str) -> str | None:
    """Keep artefacts beside an SQLite file; a server decides for itself."""
    path = sqlite_file(uri)
    return (path.absolute().parent / "mlartifacts").as_uri() if path else None


def search(client: MlflowClient, experiment: str, query: str) -> list[Run]:
    """Return every run of an experiment that a query finds."""
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs([experiment], query, max_results=1000, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs


def text_of(client: MlflowClient, run_id: str, name: str) -> str:
    """Return the text of a run's artefact."""
    return Path(client.download_artifacts(run_id, name)).read_text(encoding="utf-8")
