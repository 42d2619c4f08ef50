"""What expected values are worth as counterfactuals: do they look like normal data, and how much do they change?

Neither needs the series without its anomalies, so neither says whether the expected values are right: read both
beside `restoration_skill` where that is known.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from annotated_types import Ge

from tsad_core.anomalies import Spread
from tsad_core.errors import DataError, Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import check, same_shape, spans
from tsad_core.series import Array
from tsad_core.windows import chunks, cover, gather, period

Where = Literal["events", "normal"]
"""Whether the steps of the events count, or all others."""

_POOL = 2000
"""Most training windows among which the nearest one is sought."""
_POOL_VALUES = 10_000_000
"""Most values that these hold, so that they fit in memory at once."""
_HELD_OUT = 500
"""Most held-out normal windows that a distance is ranked among."""
_FEWEST = 10
"""Fewest held-out windows among which a rank says something."""
_TIE = 1e-6
"""Distances that differ by less, in training deviations a cell, are equal: values are kept as float32."""


@metric(
    Card(
        name="plausibility",
        title="Plausibility of expected values",
        definition=(
            "Expected values of an event, in windows of one training period: share of normal windows (up to 500, "
            "drawn from the last fifth of the training part) that are as far or further from their nearest "
            "neighbour in a pool (up to 2,000 windows or 10 million values, drawn from the first four fifths). "
            "Euclidean distance over all channels in training deviations; mean over windows of an event, then events."
        ),
        source=(
            "own definition: distance to observed data of Dandl et al., Multi-Objective Counterfactual Explanations, "
            "PPSN 2020, as a conformal rank"
        ),
        low=0,
        high=1,
        better="higher",
    )
)
def plausibility(*, labels_T: Array, expected_TC: Array, train_TC: Array, window: Annotated[int, Ge(0)] = 0) -> float:
    """Return how normal the expected values of the events look, from 0 to 1; more of what is normal gets about 1/2.

    An event is covered by windows of `window` steps (0: the period of the training part), one after the other, after
    it was widened about its middle to one of them. A window's distance is that to its nearest neighbour in the first
    four fifths of the training part; held-out windows of the last fifth, a window's length away, have theirs in the
    same pool, so that nothing is its own neighbour and a thinner pool strikes both alike. Windows are not
    standardised one by one: a wrong level is not plausible. Channels count in deviations of the whole training part;
    those that are constant in it have none and are left out, as are windows with missing values.

    Copies of training data get 1, however wrong they are here, and so do averages of it that noise never reaches: a
    level where normal values scatter is near to everything. Higher is better. `Undefined` without an event, if every
    channel is constant, and if the parts are too short: the test part for a window, the training part for 10 held-out
    windows and a pool.

    A ramp is what the training part holds all along; a step to 50 never came.

    >>> train_TC = np.tile(np.arange(10.0), 10)[:, None]
    >>> values = {"labels_T": np.arange(20) >= 10, "train_TC": train_TC, "window": 10}
    >>> plausibility(expected_TC=train_TC[:20], **values)
    1.0
    >>> plausibility(expected_TC=np.full((20, 1), 50.0), **values)
    0.0
    """
    anomalous_T = _checked(labels_T, train_TC, expected_TC=expected_TC)
    length = window or period(train_TC)
    if length > len(anomalous_T):
        raise Undefined(f"the test part of {len(anomalous_T)} steps is shorter than a window of {length}")
    unit = _Unit.of(train_TC)
    held_N2, pool_M2 = _normal_windows(train_TC, length)
    pool_MD = unit.pool(train_TC, pool_M2)
    usual_N = np.sort(unit.nearest(train_TC, _drawn(held_N2, _HELD_OUT), pool_MD))
    events = [_covering(start, stop, length, len(anomalous_T)) for start, stop in zip(*spans(anomalous_T), strict=True)]
    distance_N = unit.nearest(expected_TC, np.concatenate(events), pool_MD)
    share_N = 1 - np.searchsorted(usual_N, distance_N - _TIE) / len(usual_N)
    ends = np.cumsum([len(event) for event in events])[:-1]
    return float(np.mean([share_M.mean() for share_M in np.split(share_N, ends)]))


@metric(
    Card(
        name="share-changed",
        title="Share of cells changed",
        definition=(
            "Share of the cells (steps x channels) of all events in which expected and observed values differ by more "
            'than a median absolute deviation (MAD) of the training part; of all other steps with where = "normal".'
        ),
        source="sparsity of counterfactuals, as in Mothilal et al., DiCE, FAT* 2020, over cells",
        low=0,
        high=1,
        better="neither",
    )
)
def share_changed(
    *,
    labels_T: Array,
    expected_TC: Array,
    observed_TC: Array,
    train_TC: Array,
    tolerance: Annotated[float, Ge(0)] = 1.0,
    where: Where = "events",
) -> float:
    """Return the share of the cells that expected values change by more than `tolerance` training MADs.

    Few changes explain best, if they undo the anomaly; expecting what was observed changes none and explains nothing.
    So neither direction is better in events; among normal steps every change is one too many. A channel whose MAD is
    0 counts in standard deviations, a constant one in its own units. Cells without an observed value are left out.
    `Undefined` without an event, and without a cell.

    Of four cells in the event one is off by more than the MAD, which is 1.

    >>> labels_T, train_TC = np.array([0, 1, 1]), np.array([[-1, -1], [0, 0], [1, 1], [0, 0], [-1, -1], [1, 1]])
    >>> observed_TC, expected_TC = np.array([[9, 9], [0, 5], [0, 0]]), np.zeros((3, 2))
    >>> values = {"labels_T": labels_T, "expected_TC": expected_TC, "observed_TC": observed_TC, "train_TC": train_TC}
    >>> share_changed(**values), share_changed(**values, where="normal")
    (0.25, 1.0)
    """
    missing_TC = np.isnan(observed_TC)
    present_TC = np.where(missing_TC, 0.0, observed_TC)
    anomalous_T = _checked(labels_T, train_TC, expected_TC=expected_TC, observed_TC=present_TC)
    counted_T = anomalous_T if where == "events" else ~anomalous_T
    known_TC = ~missing_TC[counted_T]
    if not known_TC.any():
        raise Undefined(f"no observed value in {'an event' if where == 'events' else 'a normal step'}")
    change_TC = np.abs(expected_TC[counted_T].astype(np.float64) - present_TC[counted_T])
    # a channel at a time: quantiles take several times the memory of what they are of
    scale_C = np.concatenate([Spread.of(train_TC[:, [c]]).scale_C for c in range(train_TC.shape[1])])
    return float((change_TC > tolerance * scale_C)[known_TC].mean())


def _checked(labels_T: Array, train_TC: Array, **values: Array) -> Array:
    """Return the labels of a series with an event, its values of one shape and its training part of their channels."""
    anomalous_T = check(labels_T, **values)
    same_shape("expected_TC", values)
    channels = values["expected_TC"].shape[1]
    if train_TC.ndim != 2 or train_TC.shape[1] != channels:
        raise DataError(f"train_TC has shape {train_TC.shape}; expected_TC has {channels} channels")
    if np.isinf(train_TC).any():
        raise DataError("train_TC holds an infinite value; a metric takes finite values only")
    if not anomalous_T.any():
        raise Undefined("no event in the labels")
    return anomalous_T


def _normal_windows(train_TC: Array, length: int) -> tuple[Array, Array]:
    """Return the spans of the held-out windows of a training part and of those before, a window's length apart."""
    last_fifth = len(train_TC) * 4 // 5
    broken_T = np.concatenate([[0], np.cumsum(np.isnan(train_TC).any(axis=1))])
    first_N = np.flatnonzero(broken_T[length:] == broken_T[:-length])
    held_N, pool_N = first_N[first_N >= last_fifth], first_N[first_N + 2 * length <= last_fifth]
    if len(held_N) < _FEWEST or not len(pool_N):
        raise Undefined(
            f"the training part of {len(train_TC)} steps is too short: of windows of {length} steps it holds "
            f"{len(held_N)} in its last fifth, where {_FEWEST} are needed, and {len(pool_N)} in the rest"
        )
    return np.stack([held_N, held_N + length], axis=1), np.stack([pool_N, pool_N + length], axis=1)


def _drawn(spans_N2: Array, most: int) -> Array:
    """Return that many spans at most, the same each time; at even strides they might all have the same few phases."""
    if len(spans_N2) <= most:
        return spans_N2
    return spans_N2[np.sort(np.random.default_rng(0).choice(len(spans_N2), most, replace=False))]


def _covering(start: int, stop: int, length: int, steps: int) -> Array:
    """Return the spans of the windows that cover an event, widened to one if it is shorter."""
    if stop - start < length:
        start = int(np.clip(start - (length - (stop - start)) // 2, 0, steps - length))
        stop = start + length
    return start + cover(stop - start, window=length, stride=length)


@dataclass(frozen=True)
class _Unit:
    """What distances are measured in: which channels vary in the training part, about which mean, by how much."""

    channels: Array
    mean_C: Array
    sd_C: Array

    @classmethod
    def of(cls, train_TC: Array) -> Self:
        known = [channel_T[~np.isnan(channel_T)].astype(np.float64) for channel_T in train_TC.T]
        varying = [c for c, known_T in enumerate(known) if (known_T != known_T[:1]).any()]
        if not varying:
            raise Undefined("every channel is constant in the training part")
        mean_C, sd_C = (np.array([measure(known[c]) for c in varying]) for measure in (np.mean, np.std))
        return cls(np.array(varying), mean_C, sd_C)

    def pool(self, train_TC: Array, spans_N2: Array) -> Array:
        """Return as many of the windows of a training part as may be searched."""
        affordable = _POOL_VALUES // ((spans_N2[0, 1] - spans_N2[0, 0]) * len(self.channels))
        return self.windows(train_TC, _drawn(spans_N2, int(np.clip(affordable, 1, _POOL))))

    def windows(self, series_TC: Array, spans_N2: Array) -> Array:
        """Return the windows of a series in this unit, a row each."""
        length = int(spans_N2[0, 1] - spans_N2[0, 0])
        windows_NLC = gather(series_TC, spans_N2, window=length)[..., self.channels]
        scaled_NLC: Array = (windows_NLC - self.mean_C) / self.sd_C
        return scaled_NLC.reshape(len(spans_N2), -1)

    def nearest(self, series_TC: Array, spans_N2: Array, pool_MD: Array) -> Array:
        """Return the distance of each window to the nearest in a pool, root mean square over its cells."""
        distance_N = np.empty(len(spans_N2))
        squares_M = np.square(pool_MD).sum(axis=1)
        for part in chunks(spans_N2, window=max(pool_MD.shape)):
            windows_ND = self.windows(series_TC, spans_N2[part])
            nearest_N = (squares_M - 2 * windows_ND @ pool_MD.T).argmin(axis=1)
            # measured again: a difference of large sums loses digits
            distance_N[part] = np.sqrt(np.square(windows_ND - pool_MD[nearest_N]).mean(axis=1))
        return distance_N
