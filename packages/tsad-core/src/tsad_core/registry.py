"""Find the installed plugins, list what they offer, load one thing by its name.

Each entry point is loaded and asked by itself, so a broken plugin is left out with
its reason and disturbs nobody.
"""

import importlib
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import pluggy

from tsad_core import hookspecs
from tsad_core.errors import ContractError, PluginError, did_you_mean
from tsad_core.hookspecs import PROJECT, Entry

logger = logging.getLogger(__name__)

Kind = Literal["detectors", "datasets", "metrics"]
KINDS: tuple[Kind, ...] = ("detectors", "datasets", "metrics")

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Offer:
    """An entry with the distribution it came from."""

    entry: Entry
    distribution: str
    version: str


@dataclass(frozen=True)
class Fault:
    """A plugin that was left out, and why."""

    distribution: str
    reason: str


@dataclass
class Registry:
    """What the installed plugins offer, and what is wrong with those left out."""

    plugins: dict[str, str] = field(default_factory=dict)
    """Versions of the distributions in use, by name."""
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    offers: dict[Kind, dict[str, Offer]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def entries(self, kind: Kind) -> dict[str, Entry]:
        """Return the entries of a kind by name, sorted."""
        return {name: self.offers[kind][name].entry for name in sorted(self.offers[kind])}

    def offer(self, kind: Kind, name: str) -> Offer:
        """Return the offer of a name; an unknown name raises `PluginError` with the nearest one."""
        if name not in self.offers[kind]:
            raise PluginError(f"no {kind[:-1]} named {name!r}; {did_you_mean(name, self.entries(kind))}")
        return self.offers[kind][name]

    def resolve(self, kind: Kind, name: str) -> Any:
        """Load what a name stands for; what cannot be loaded raises `PluginError` with the reason."""
        offer = self.offer(kind, name)
        module, _, attribute = offer.entry.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (Exception, SystemExit) as error:
            logger.debug("cannot load %s", offer.entry.target, exc_info=True)
            message = f"{name} of {offer.distribution} cannot be loaded: {_reason(error)}"
            raise PluginError(message) from error

    def add(self, distribution: str, version: str, offered: dict[Kind, list[Entry]]) -> None:
        """Take in what one plugin offers; a name that is taken stays with its first owner."""
        self.plugins[distribution] = version
        for kind, entries in offered.items():
            for entry in entries:
                first = self.offers[kind].setdefault(entry.name, Offer(entry, distribution, version))
                if first.entry is not entry:
                    self._warn(
                        f"{kind[:-1]} {entry.name} of {distribution} is hidden by that of {first.distribution}; "
                        f"set TSAD_PLUGINS to choose"
                    )

    def _warn(self, message: str) -> None:
        logger.warning(message)
        self.warnings.append(message)


def find_plugins(only: Iterable[str] | None = None) -> Registry:
    """Load the entry points of the group ``tsad``, in the order of their distributions' names.

    `only` limits loading to these distributions; without it, the comma-separated
    names in ``TSAD_PLUGINS``, if set, do.
    """
    registry = Registry()
    wanted = _wanted(only)
    for distribution, version, point in _points():
        if wanted is not None and distribution not in wanted:
            continue
        try:
            registry.add(distribution, version, _ask(distribution, point))
        except (Exception, SystemExit) as error:
            logger.warning("plugin %s of %s is left out: %s", point.name, distribution, _reason(error))
            logger.debug("traceback", exc_info=True)
            registry.faults.append(Fault(distribution, f"{point.value}: {_reason(error)}"))
    seen = {*registry.plugins, *(fault.distribution for fault in registry.faults)}
    missing = sorted((wanted or set()) - seen)
    registry.faults += [Fault(name, "named in TSAD_PLUGINS, but no such plugin is installed") for name in missing]
    return registry


def _wanted(only: Iterable[str] | None) -> set[str] | None:
    if only is None and "TSAD_PLUGINS" not in os.environ:
        return None
    names = os.environ["TSAD_PLUGINS"].split(",") if only is None else only
    return {_normal(name) for name in names if name.strip()}


def _points() -> Iterator[tuple[str, str, EntryPoint]]:
    found = {
        (_normal(point.dist.name), point.name, point.value): (point.dist.version, point)
        for point in entry_points(group=PROJECT)
        if point.dist is not None
    }
    for (distribution, _, _), (version, point) in sorted(found.items(), key=lambda item: item[0]):
        yield distribution, version, point


def _ask(distribution: str, point: EntryPoint) -> dict[Kind, list[Entry]]:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(point.load(), name=distribution)
    manager.check_pending()
    return {kind: [_checked(e) for es in getattr(manager.hook, f"tsad_{kind}")() for e in es] for kind in KINDS}


def _checked(entry: object) -> Entry:
    if not isinstance(entry, Entry):
        raise ContractError(f"a hook returned {entry!r}; it must return a list of tsad_core.Entry")
    if not _NAME.fullmatch(entry.name):
        raise ContractError(f"the name {entry.name!r} is not lower case letters and digits joined by hyphens")
    if not _TARGET.fullmatch(entry.target):
        raise ContractError(f"the target {entry.target!r} of {entry.name} is not 'package.module:attribute'")
    return entry


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
