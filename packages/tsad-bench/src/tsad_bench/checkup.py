"""What `tsad-bench check` finds out: plugins and their faults, data, store, torch, CUDA, Triton."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tsad_core import DataError, Registry, TsadError
from tsad_core.registry import KINDS

from tsad_bench import environment
from tsad_bench.plugins import open_dataset


@dataclass(frozen=True)
class Finding:
    """One line of a check-up."""

    topic: str
    text: str
    fault: bool = False
    """Whether it is something to mend."""


def check_up(registry: Registry, *, home: Path | None, tracking_uri: str) -> Iterator[Finding]:
    """Yield what is found, topic by topic."""
    yield from _plugins(registry)
    yield from _entries(registry)
    yield from _data(registry, home)
    yield _store(tracking_uri)
    yield from _accelerators()


def _plugins(registry: Registry) -> Iterator[Finding]:
    for name, version in sorted(registry.plugins.items()):
        yield Finding("plugin", f"{name} {version}")
    for fault in registry.faults:
        yield Finding("plugin", f"{fault.distribution} is left out: {fault.reason}", fault=True)
    for warning in registry.warnings:
        yield Finding("plugin", warning, fault=True)


def _entries(registry: Registry) -> Iterator[Finding]:
    """Load every entry: what listing does not touch can still be broken."""
    for kind in KINDS:
        for name in registry.entries(kind):
            try:
                registry.resolve(kind, name)
            except TsadError as error:
                yield Finding(kind, str(error), fault=True)
        yield Finding(kind, ", ".join(registry.entries(kind)) or "none")


def _data(registry: Registry, home: Path | None) -> Iterator[Finding]:
    yield Finding("data home", str(home) if home else "none; set TSAD_DATA or --data-home")
    for name in registry.entries("datasets"):
        try:
            yield Finding("data", f"{name}: {len(open_dataset(registry, name, {}, home))} series")
        except DataError as error:
            yield Finding("data", f"{name}: {error}")
        except TsadError as error:
            yield Finding("data", f"{name}: {error}", fault=True)


def _store(uri: str) -> Finding:
    from tsad_bench.tracking import TrackingError, reach, sqlite_file

    path = sqlite_file(uri)
    if path and not path.exists():
        return Finding("store", f"{uri} (the first run makes it)")
    try:
        reach(uri)
    except TrackingError as error:
        return Finding("store", str(error), fault=True)
    return Finding("store", uri)


def _accelerators() -> Iterator[Finding]:
    torch = environment.version("torch")
    yield Finding("torch", torch or "not installed (the controls do not need it)")
    if torch:
        import torch as library

        cuda = library.cuda.is_available()
        yield Finding("CUDA", library.cuda.get_device_name() if cuda else "no device")
    yield Finding("triton", environment.version("triton") or "not installed")
