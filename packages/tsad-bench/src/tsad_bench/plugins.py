"""What plugins offer, loaded and checked: whatever their code raises becomes one line that names them."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tsad_core import (
    Card,
    ContractError,
    Detector,
    Metric,
    MissingDataError,
    OptionError,
    PluginError,
    Registry,
    TsadError,
)
from tsad_core.errors import did_you_mean
from tsad_core.metric import INPUTS
from tsad_core.options import Option, bind, option_names
from tsad_core.registry import Kind


def make_detector(registry: Registry, name: str, options: Mapping[str, Option]) -> Detector:
    """Return a detector with its options checked."""
    with _blamed(registry, "detectors", name):
        made = registry.resolve("detectors", name)(**options)
    if not isinstance(made, Detector) or not hasattr(made, "__dataclass_fields__"):
        raise PluginError(
            f"{_called(registry, 'detectors', name)} is not a detector; decorate it with tsad_core.detector"
        )
    return made


def options_of(registry: Registry, name: str) -> list[str]:
    """Return the names of a detector's options."""
    return option_names(type(make_detector(registry, name, {})))


def presets_of(registry: Registry, name: str) -> Mapping[str, Mapping[str, Option]]:
    """Return a detector's named tables of options."""
    presets: Mapping[str, Mapping[str, Option]] = getattr(registry.resolve("detectors", name), "presets", {})
    return presets


def preset_of(registry: Registry, name: str, preset: str) -> Mapping[str, Option]:
    """Return the options of a detector's preset; none for the preset ``""``."""
    presets = presets_of(registry, name)
    if preset and preset not in presets:
        raise OptionError(f"detector {name} has no preset {preset!r}; {did_you_mean(preset, presets)}")
    return presets[preset] if preset else {}


def load_metric(registry: Registry, name: str, options: Mapping[str, Option]) -> Metric:
    """Return a metric; its options are checked, not bound."""
    function: Metric = registry.resolve("metrics", name)
    with _blamed(registry, "metrics", name):
        bind(function, options, owner=f"metric {name}", provided=INPUTS)
    if not isinstance(getattr(function, "card", None), Card):
        raise PluginError(f"{_called(registry, 'metrics', name)} has no card; decorate it with tsad_core.metric")
    return function


def reads_files(registry: Registry, name: str) -> bool:
    """Return whether a data set lives in the data home; the others are generated."""
    return "home" in inspect.signature(registry.resolve("datasets", name)).parameters


def open_dataset(registry: Registry, name: str, options: Mapping[str, Option], home: Path | None) -> Mapping[str, Any]:
    """Return a data set's series by name, unread."""
    function = registry.resolve("datasets", name)
    with _blamed(registry, "datasets", name):
        bound = bind(function, options, owner=f"data set {name}", provided=["home"])
        if reads_files(registry, name) and home is None:
            raise MissingDataError(f"data set {name} is read from files; set TSAD_DATA or --data-home to their folder")
        series = bound(home=home) if reads_files(registry, name) else bound()
        if not isinstance(series, Mapping) or not all(isinstance(key, str) and callable(series[key]) for key in series):
            raise ContractError(
                f"it returned {type(series).__name__}; it must map names to functions that read a Series"
            )
    return series


@contextmanager
def _blamed(registry: Registry, kind: Kind, name: str) -> Iterator[None]:
    try:
        yield
    except ContractError as error:
        raise PluginError(f"{_called(registry, kind, name)}: {error}") from error
    except TsadError:
        raise
    except Exception as error:
        raise PluginError(f"{_called(registry, kind, name)} raised {type(error).__name__}: {error}") from error


def _called(registry: Registry, kind: Kind, name: str) -> str:
    return f"{kind[:-1]} {name} of {registry.offer(kind, name).distribution}"
