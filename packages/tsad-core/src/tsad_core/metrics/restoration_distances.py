"""Distances of the expected values of an event from normal ones, as the MMA paper reports them.

Local: to the normal series at the same steps. Global: to the nearest stretch of the training part. Each Euclidean
(ED) or by dynamic time warping (DTW), summed over channels, averaged over events. An event shorter than `shortest`
steps (0: the period of the training part) is widened to it, about its middle. ``region="normal"`` takes, for each
event, a stretch of the same length without an anomalous step instead, drawn with `seed`: what the value would be
without an anomaly. (MMA's code cuts off an event's last step, and its stretches may hold anomalies.)

The values are in the units of the series and grow with the events' length and the number of
channels: compare detectors on one series, never series.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from tsad_core.errors import DataError, Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import check, same_shape, spans
from tsad_core.metrics.subsequences import nearest, warped
from tsad_core.series import Array
from tsad_core.windows import period

Region = Literal["events", "normal"]
"""Where: at the events, or at as many normal stretches of their lengths."""
Steps = Annotated[int, Ge(0)]

_SOURCE = "explainability experiment of the MMA paper; distances as in its public code, over whole events"


@metric(
    Card(
        name="restoration-ed-local",
        title="Restoration ED-L",
        definition=(
            "Euclidean distance of the expected from the normal values of an event, summed over channels; "
            "mean over events."
        ),
        source=_SOURCE,
        low=0,
        high=math.inf,
        better="lower",
    )
)
def restoration_ed_local(
    *,
    labels_T: Array,
    normal_TC: Array,
    expected_TC: Array,
    train_TC: Array,
    shortest: Steps = 0,
    region: Region = "events",
    seed: int = 42,
) -> float:
    """Return the mean over events of the sum over channels of ED(normal, expected); lower is better.

    `Undefined` without an event, with missing values in the normal series or the training part, and, for
    ``region="normal"``, without a normal stretch as long as each event.

    Off by 3 and 4 at the two steps of the event.

    >>> normal_TC, expected_TC = np.zeros((4, 1)), np.array([[9], [3], [4], [9]])
    >>> values = {"normal_TC": normal_TC, "expected_TC": expected_TC, "train_TC": normal_TC}
    >>> restoration_ed_local(labels_T=np.array([0, 1, 1, 0]), **values, shortest=1)
    5.0
    """
    values = {"normal_TC": normal_TC, "expected_TC": expected_TC}
    parts = _Stretches(shortest, region, seed).of(labels_T, train_TC, **values)
    return _local(_euclidean, parts, expected_TC, normal_TC)


@metric(
    Card(
        name="restoration-dtw-local",
        title="Restoration DTW-L",
        definition=(
            "Warping distance of the expected from the normal values of an event, summed over channels; "
            "mean over events."
        ),
        source=_SOURCE,
        low=0,
        high=math.inf,
        better="lower",
    )
)
def restoration_dtw_local(
    *,
    labels_T: Array,
    normal_TC: Array,
    expected_TC: Array,
    train_TC: Array,
    shortest: Steps = 0,
    region: Region = "events",
    seed: int = 42,
) -> float:
    """Return the mean over events of the sum over channels of DTW(normal, expected); lower is better.

    DTW is the root of the least sum of squares along a warping path, without a band. `Undefined` as
    `restoration_ed_local`, to which it is never more.

    A peak that comes one step late costs nothing.

    >>> normal_TC, expected_TC = np.array([[0], [5], [0], [0]]), np.array([[0], [0], [5], [0]])
    >>> values = {"normal_TC": normal_TC, "expected_TC": expected_TC, "train_TC": normal_TC}
    >>> restoration_dtw_local(labels_T=np.ones(4), **values, shortest=1)
    0.0
    """
    values = {"normal_TC": normal_TC, "expected_TC": expected_TC}
    parts = _Stretches(shortest, region, seed).of(labels_T, train_TC, **values)
    return _local(warped, parts, expected_TC, normal_TC)


@metric(
    Card(
        name="restoration-ed-global",
        title="Restoration ED-G",
        definition=(
            "Euclidean distance of an event's expected values to the nearest stretch of the training part, "
            "summed over channels; mean over events."
        ),
        source=_SOURCE,
        low=0,
        high=math.inf,
        better="lower",
    )
)
def restoration_ed_global(
    *,
    labels_T: Array,
    expected_TC: Array,
    train_TC: Array,
    shortest: Steps = 0,
    region: Region = "events",
    seed: int = 42,
) -> float:
    """Return the mean over events of the sum over channels of the distance to the nearest training stretch.

    Each channel finds its own stretch, by FFT; values are not normalised. It needs no series without anomalies, and
    rewards whatever looks like training. Lower is better. `Undefined` as `restoration_ed_local`, and if the training
    part is shorter than an event.

    The training part has (1, 2), from which (1, 5) differs by 3.

    >>> values = {"expected_TC": np.array([[1], [5]]), "train_TC": np.array([[0], [1], [2]])}
    >>> restoration_ed_global(labels_T=np.ones(2), **values, shortest=1)
    3.0
    """
    parts = _Stretches(shortest, region, seed).of(labels_T, train_TC, expected_TC=expected_TC)
    return _global(nearest, parts, expected_TC, train_TC)


@metric(
    Card(
        name="restoration-dtw-global",
        title="Restoration DTW-G",
        definition=(
            "Warping distance of an event's expected values to any stretch of the training part, of any length, "
            "summed over channels; mean over events."
        ),
        source=_SOURCE,
        low=0,
        high=math.inf,
        better="lower",
    )
)
def restoration_dtw_global(
    *,
    labels_T: Array,
    expected_TC: Array,
    train_TC: Array,
    shortest: Steps = 0,
    region: Region = "events",
    seed: int = 42,
) -> float:
    """Return the mean over events of the sum over channels of the subsequence warping distance to the training part.

    As `restoration_ed_global`, to which it is never more, but the stretch may have any length. Lower is better. Every
    step of an event meets every training step: seconds for an event of 100 steps and a million training steps.

    The training part has (1, 2), and (1, 1, 2) lingers on it.

    >>> values = {"expected_TC": np.array([[1], [1], [2]]), "train_TC": np.array([[0], [1], [2]])}
    >>> restoration_dtw_global(labels_T=np.ones(3), **values, shortest=1)
    0.0
    """
    parts = _Stretches(shortest, region, seed).of(labels_T, train_TC, expected_TC=expected_TC)
    return _global(functools.partial(warped, anywhere=True), parts, expected_TC, train_TC)


Distance = Callable[[Array, Array], Array]


def _euclidean(one_LC: Array, other_LC: Array) -> Array:
    return np.asarray(np.linalg.norm(one_LC - other_LC, axis=0))


def _local(distance: Distance, parts: Sequence[slice], expected_TC: Array, normal_TC: Array) -> float:
    return float(np.mean([distance(_exact(expected_TC[part]), _exact(normal_TC[part])).sum() for part in parts]))


def _global(distance: Distance, parts: Sequence[slice], expected_TC: Array, train_TC: Array) -> float:
    if len(train_TC) < max(part.stop - part.start for part in parts):
        raise Undefined("the training part is shorter than an event")
    exact_TC = _exact(train_TC)
    return float(np.mean([distance(_exact(expected_TC[part]), exact_TC).sum() for part in parts]))


def _exact(values_TC: Array) -> Array:
    return values_TC.astype(np.float64)


@dataclass(frozen=True)
class _Stretches:
    """Where distances are taken, of a series with an event."""

    shortest: int
    region: Region
    seed: int

    def of(self, labels_T: Array, train_TC: Array, *, expected_TC: Array, **series: Array) -> list[slice]:
        """Check what a metric was given and return the stretches."""
        for name, values_TC in {**series, "train_TC": train_TC}.items():
            if np.isnan(values_TC).any():
                raise Undefined(f"{name} has missing values: no stretch to compare with")
        anomalous_T = check(labels_T, expected_TC=expected_TC, **series)
        same_shape("expected_TC", {"expected_TC": expected_TC, **series})
        check(np.zeros(len(train_TC)), train_TC=train_TC)
        if train_TC.shape[1] != expected_TC.shape[1]:
            raise DataError(f"train_TC has {train_TC.shape[1]} channels; expected_TC has {expected_TC.shape[1]}")
        if not anomalous_T.any():
            raise Undefined("no event in the labels")
        return self._parts(anomalous_T, self.shortest or period(train_TC))

    def _parts(self, anomalous_T: Array, shortest: int) -> list[slice]:
        events = _widened(anomalous_T, shortest)
        if self.region == "events":
            return events
        rng = np.random.default_rng(self.seed)
        return [_normal(anomalous_T, event.stop - event.start, rng) for event in events]


def _widened(anomalous_T: Array, shortest: int) -> list[slice]:
    """Return the events, those that are too short widened about their middle, inside the series."""
    starts_K, stops_K = spans(anomalous_T)
    length_K = np.minimum(np.maximum(stops_K - starts_K, shortest), len(anomalous_T))
    first_K = np.clip(starts_K - (length_K - (stops_K - starts_K)) // 2, 0, len(anomalous_T) - length_K)
    return [slice(first, first + length) for first, length in zip(first_K.tolist(), length_K.tolist(), strict=True)]


def _normal(anomalous_T: Array, length: int, rng: np.random.Generator) -> slice:
    """Draw a stretch without an anomalous step."""
    count_T = np.concatenate([[0], np.cumsum(anomalous_T)])
    firsts = np.flatnonzero(count_T[length:] == count_T[: len(count_T) - length])
    if not len(firsts):
        raise Undefined(f"no normal stretch of {length} steps")
    first = int(rng.choice(firsts))
    return slice(first, first + length)
