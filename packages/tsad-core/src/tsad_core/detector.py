"""The contract of a detector: what it is asked, what it returns, how it is kept on disk."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from safetensors.numpy import load_file, save_file

from tsad_core.errors import ContractError, DataError
from tsad_core.series import Array


@dataclass(frozen=True, eq=False)
class Detection:
    """What one pass over a test part yields. Checked once, when made; faults raise `ContractError`."""

    scores_T: Array
    """One finite float64 per step; higher is more anomalous."""
    attribution_TC: Array | None = None
    """How much each channel contributes to the score; higher is more to blame."""
    expected_TC: Array | None = None
    """What normal would have looked like, in the units of the series."""
    bands: Mapping[str, Array] = field(default_factory=dict)
    """Further scores by name, one per step each: per frequency band, per view."""

    def __post_init__(self) -> None:
        scores_T = np.asarray(self.scores_T, dtype=np.float64)
        if scores_T.ndim != 1:
            raise ContractError(f"scores_T has shape {scores_T.shape}; it must have one axis, the steps")
        object.__setattr__(self, "scores_T", _finite("scores_T", scores_T))
        for name in ("attribution_TC", "expected_TC"):
            values_TC = getattr(self, name)
            if values_TC is not None:
                object.__setattr__(self, name, _matrix(name, np.asarray(values_TC), len(scores_T)))
        bands = {name: _band(name, np.asarray(band_T), len(scores_T)) for name, band_T in self.bands.items()}
        object.__setattr__(self, "bands", bands)


@runtime_checkable
class Detector(Protocol):
    """What every detector can do. Write one as a class under `tsad_core.detector`.

    A ``fit`` or ``detect`` that also names the keyword ``starts`` is given the first steps of the
    independent segments of its part.
    """

    def fit(self, train_TC: Array) -> Self:
        """Learn from a training part without labels. Raise `Skip` for a series it cannot take."""

    def detect(self, test_TC: Array) -> Detection:
        """Score a test part of which nothing was seen before."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the options as they were given."""

    def set_params(self, **options: Any) -> Self:
        """Change options, checked as by the constructor."""

    def save(self, folder: Path) -> None:
        """Write options and what was learnt into a folder."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""


@runtime_checkable
class Redrawn(Protocol):
    """A detector whose scores are a cheap random draw, reported as a distribution."""

    draws: int
    """How many draws a result is made of."""

    def redraw(self, test_TC: Array, draw: int) -> Detection:
        """Return another draw; draw 0 equals `detect`."""


def fit(detector: Detector, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Detector:
    """Fit a detector, with the segments' starts if its ``fit`` names them."""
    return detector.fit(train_TC, **_named(detector.fit, starts=starts))


def detect(detector: Detector, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
    """Let a detector score, with the segments' starts if it names them, and check what it returns."""
    return _fitting(detector.detect(test_TC, **_named(detector.detect, starts=starts)), test_TC)


def redraw(detector: Redrawn, test_TC: Array, draw: int, starts: tuple[int, ...] = (0,)) -> Detection:
    """Let a detector draw again, with the segments' starts if it names them, and check what it returns."""
    return _fitting(detector.redraw(test_TC, draw, **_named(detector.redraw, starts=starts)), test_TC)


def _fitting(detection: object, test_TC: Array) -> Detection:
    if not isinstance(detection, Detection):
        raise ContractError(f"detect returned {type(detection).__name__}; it must return a tsad_core.Detection")
    if len(detection.scores_T) != len(test_TC):
        raise ContractError(f"detect returned {len(detection.scores_T)} scores for {len(test_TC)} steps")
    for name in ("attribution_TC", "expected_TC"):
        values_TC = getattr(detection, name)
        if values_TC is not None and values_TC.shape != test_TC.shape:
            raise ContractError(f"{name} has shape {values_TC.shape}; the series has {test_TC.shape}")
    return detection


def get_params_method(self: Any, deep: bool = True) -> dict[str, Any]:  # noqa: ARG001 - scikit-learn's signature
    """Return the options as they were given."""
    return {option.name: getattr(self, option.name) for option in fields(self)}


def set_params_method(self: Any, **options: Any) -> Any:
    """Change options, checked as by the constructor; what was learnt is kept."""
    changed = type(self)(**{**self.get_params(), **options})
    for name, value in get_params_method(changed).items():
        setattr(self, name, value)
    return self


def save_method(self: Any, folder: Path) -> None:
    """Write options, and every learnt array or scalar whose name ends in an underscore, into a folder.

    Arrays go to ``state.safetensors``, the rest to ``detector.json``; a detector that learns
    anything else brings its own ``save`` and ``load``.
    """
    learnt = {k: v for k, v in vars(self).items() if k.endswith("_") and not k.startswith("_")}
    arrays = {k: np.ascontiguousarray(v) for k, v in learnt.items() if isinstance(v, np.ndarray)}
    scalars = {k: v for k, v in learnt.items() if k not in arrays}
    Path(folder).mkdir(parents=True, exist_ok=True)
    save_file(arrays, Path(folder) / "state.safetensors")
    text = json.dumps({"detector": _qualified(type(self)), "options": self.get_params(), "learnt": scalars}, indent=1)
    (Path(folder) / "detector.json").write_text(text, encoding="utf-8")


@classmethod  # type: ignore[misc]  # added to classes by `tsad_core.detector`
def load_method(cls: Any, folder: Path) -> Any:
    """Read back what ``save`` wrote; a folder of none, or of another detector, raises `DataError`."""
    file = Path(folder) / "detector.json"
    if not file.is_file():
        raise DataError(f"{folder} holds no detector: there is no {file.name}, which `save` writes")
    config = json.loads(file.read_text(encoding="utf-8"))
    if config["detector"] != _qualified(cls):
        raise DataError(f"{folder} holds a {config['detector']}, not a {_qualified(cls)}")
    loaded = cls(**config["options"])
    for name, value in {**config["learnt"], **load_file(Path(folder) / "state.safetensors")}.items():
        setattr(loaded, name, value)
    return loaded


def _named(method: Any, **available: Any) -> dict[str, Any]:
    names = inspect.signature(method).parameters
    return {name: value for name, value in available.items() if name in names}


def _finite(name: str, values_T: Array) -> Array:
    if not np.isfinite(values_T).all():
        wrong = int(np.flatnonzero(~np.isfinite(values_T.reshape(len(values_T), -1)).all(axis=1))[0])
        raise ContractError(f"{name} is not finite at step {wrong}; every value must be a number")
    return values_T


def _band(name: str, band_T: Array, steps: int) -> Array:
    if band_T.shape != (steps,):
        raise ContractError(f"bands[{name!r}] has shape {band_T.shape}; it must be ({steps},)")
    return _finite(f"bands[{name!r}]", band_T)


def _matrix(name: str, values_TC: Array, steps: int) -> Array:
    if values_TC.ndim != 2 or len(values_TC) != steps:
        raise ContractError(f"{name} has shape {values_TC.shape}; it must be ({steps}, channels)")
    return _finite(name, values_TC)


def _qualified(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"
