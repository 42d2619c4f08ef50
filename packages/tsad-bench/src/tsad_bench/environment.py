"""The machine a run happens on: processors, versions, the commit, where results go."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""What numerical libraries take their number of threads from."""
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "triton", "stumpy", "mlflow")


def cpus() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS has no affinity
        return os.cpu_count() or 1


def default_uri() -> str:
    """Return the team's store if one is set, else an SQLite file in the working directory."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def version(distribution: str) -> str | None:
    """Return the version of an installed distribution."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def commit() -> str:
    """Return the commit of the checkout this package runs from, with ``+dirty`` if it was changed; else nothing.

    uv completes ``uv.lock`` in every clone; that is not a change.
    """
    here = Path(__file__).parent
    head = _git(here, "rev-parse", "HEAD")
    changed = _git(here, "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)uv.lock")
    return f"{head}+dirty" if head and changed else head


def tags() -> dict[str, str]:
    """Return what a run's tags say about where it ran."""
    versions = {f"tsad.version.{name}": version(name) for name in LIBRARIES}
    found = {
        "tsad.commit": commit(),
        "tsad.version.python": platform.python_version(),
        "tsad.system": f"{platform.system()} {platform.machine()}, {cpus()} processors",
    }
    return found | {name: text for name, text in versions.items() if text}


def _git(folder: Path, *arguments: str) -> str:
    try:
        run = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
