"""The three hooks through which a package joins: detectors, data sets, metrics.

A package names a module under the entry point group ``tsad``; the functions in it
that are marked with `hookimpl` list what the package offers. Listing imports nothing
heavy: a target is a name, loaded when it is first used.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pluggy

PROJECT = "tsad"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True)
class Entry:
    """One thing a plugin offers."""

    name: str
    """Lower case with hyphens, as in ``timevqvae-ad``."""
    target: str
    """Where it is: ``"package.module:attribute"``."""
    summary: str
    """One line for ``tsad-bench list``."""


@hookspec
def tsad_detectors() -> Iterable[Entry]:  # type: ignore[empty-body]  # a specification has no body
    """Name the detectors this package offers; each target is a class made by `tsad_core.detector`."""


@hookspec
def tsad_datasets() -> Iterable[Entry]:  # type: ignore[empty-body]  # a specification has no body
    """Name the data sets this package offers; each target is a `tsad_core.Dataset`."""


@hookspec
def tsad_metrics() -> Iterable[Entry]:  # type: ignore[empty-body]  # a specification has no body
    """Name the metrics this package offers; each target is a function made by `tsad_core.metric`."""
