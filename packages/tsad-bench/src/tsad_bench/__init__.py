"""Run every installed detector through suites, and log each cell to MLflow."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsad_bench.runner import resume, run_suite

__all__ = ["resume", "run_suite"]


def __getattr__(name: str) -> Any:
    """Load the runner when it is first used: the command line starts without it."""
    if name in __all__:
        return getattr(import_module("tsad_bench.runner"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
