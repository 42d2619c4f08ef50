"""One time series with its training and test part, and what is known about its anomalies."""

import hashlib
import itertools
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from tsad_core.errors import DataError

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """A series as every detector and metric sees it. Checked once, when made; faults raise `DataError`.

    Arrays are copied, converted and made read-only. Steps are rows, channels are columns.
    """

    name: str
    train_TC: Array
    """Training part, float32, assumed to be mostly normal."""
    test_TC: Array
    """Test part, float32, with the same channels."""
    labels_T: Array | None = None
    """Which steps of the test part are anomalous, bool."""
    root_causes_TC: Array | None = None
    """Which channels cause each anomalous step, bool."""
    normal_TC: Array | None = None
    """The test part without its anomalies, float32."""
    train_labels_T: Array | None = None
    """Which steps of the training part are anomalous, bool; no detector sees them."""
    event_kinds: tuple[str, ...] = ()
    """The kind of each event of the test part, in order of time, if known; an event is an unbroken run of labels."""
    channels: tuple[str, ...] = ()
    """Names of the channels; ``0``, ``1``, … if not given."""
    sampling_period: float | None = None
    """Seconds between steps, if known."""
    train_starts: tuple[int, ...] = (0,)
    """First steps of independent segments of the training part: no window crosses one."""
    test_starts: tuple[int, ...] = (0,)
    """First steps of independent segments of the test part."""
    missing: bool = False
    """Whether NaN stands for a missing value; without it, NaN is an error."""

    def __post_init__(self) -> None:
        for name in ("train_TC", "test_TC", "normal_TC"):
            self._set(name, self._values(name, getattr(self, name)))
        for name in ("labels_T", "train_labels_T", "root_causes_TC"):
            self._set(name, self._marks(name, getattr(self, name)))
        self._check_shapes()
        self._set("channels", tuple(self.channels) or tuple(str(c) for c in range(self.train_TC.shape[1])))
        if len(self.channels) != self.train_TC.shape[1]:
            raise self._error(f"{len(self.channels)} channel names for {self.train_TC.shape[1]} channels")
        self._check_event_kinds()
        self._check_starts("train_starts", len(self.train_TC))
        self._check_starts("test_starts", len(self.test_TC))

    @property
    def digest(self) -> str:
        """A hash of everything that can change a result: values, labels, segments.

        The kinds of events are not in it: they say which results go together, and change none.
        """
        state = hashlib.sha256()
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in {"name", "channels", "sampling_period", "event_kinds"}:
                continue
            state.update(field.name.encode())
            state.update(_bytes(value))
        return state.hexdigest()[:16]

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _values(self, name: str, values: Array | None) -> Array | None:
        if values is None:
            return None
        values_TC = np.array(values, dtype=np.float32, order="C")
        wrong_TC = np.isinf(values_TC) if self.missing else ~np.isfinite(values_TC)
        hint = "infinite values are never allowed" if self.missing else "declare missing=True if NaN means missing"
        check_part(values_TC, wrong_TC, name=f"series {self.name}: {name}", hint=hint)
        values_TC.flags.writeable = False
        return values_TC

    def _marks(self, name: str, marks: Array | None) -> Array | None:
        if marks is None:
            return None
        given = np.asarray(marks)
        if given.dtype != bool and not np.isin(given, (0, 1)).all():
            raise self._error(f"{name} holds values other than 0 and 1")
        copy = np.array(given, dtype=bool)
        copy.flags.writeable = False
        return copy

    def _check_shapes(self) -> None:
        train_T, test_T, C = len(self.train_TC), len(self.test_TC), self.train_TC.shape[1]
        wanted = {
            "test_TC": (test_T, C),
            "labels_T": (test_T,),
            "root_causes_TC": (test_T, C),
            "normal_TC": (test_T, C),
            "train_labels_T": (train_T,),
        }
        for name, shape in wanted.items():
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                raise self._error(f"{name} has shape {value.shape}; expected {shape}")

    def _check_event_kinds(self) -> None:
        kinds = tuple(self.event_kinds)
        self._set("event_kinds", kinds)
        if kinds and self.labels_T is None:
            raise self._error(f"{len(kinds)} event_kinds without labels_T; give the labels whose events they name")
        events = 0 if self.labels_T is None else int((np.diff(self.labels_T.astype(np.int8), prepend=0) == 1).sum())
        if kinds and len(kinds) != events:
            raise self._error(f"{len(kinds)} event_kinds for {events} events; give one for each run of labels, or none")

    def _check_starts(self, name: str, steps: int) -> None:
        self._set(name, checked_starts(getattr(self, name), steps, name=f"series {self.name}: {name}"))

    def _error(self, message: str) -> DataError:
        return DataError(f"series {self.name}: {message}")


def check_part(values_TC: Array, wrong_TC: Array, *, name: str, hint: str) -> None:
    """Raise `DataError` if a part is not (steps, channels), neither zero, or something in it is wrong."""
    if values_TC.ndim != 2 or 0 in values_TC.shape:
        single = ", as values[:, None] for a single channel" if values_TC.ndim == 1 and values_TC.size else ""
        raise DataError(f"{name} has shape {values_TC.shape}; it must be (steps, channels), neither zero{single}")
    if wrong_TC.any():
        step, channel = np.argwhere(wrong_TC)[0]
        raise DataError(f"{name} is {values_TC[step, channel]} at step {step}, channel {channel}; {hint}")


def checked_starts(starts: Any, steps: int, *, name: str = "starts") -> tuple[int, ...]:
    """Return the first steps of segments; `DataError` if they do not rise from 0 and stay below the steps."""
    try:
        given = tuple(int(start) for start in starts)
    except (TypeError, ValueError):
        raise DataError(f"{name} = {starts!r}; it must be the first steps of segments, as (0, 500)") from None
    rising = all(a < b for a, b in itertools.pairwise(given))
    if not given or given[0] != 0 or not rising or given[-1] >= steps:
        raise DataError(f"{name} = {given} must rise from 0 and stay below {steps}")
    return given


def _bytes(value: object) -> bytes:
    if isinstance(value, np.ndarray):
        return str((value.dtype, value.shape)).encode() + value.tobytes()
    return repr(value).encode()
