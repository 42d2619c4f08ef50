"""What anomalous values are replaced by: the true normal ones where they are known, a guess from around otherwise."""

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from tsad_core import Array, Series
from tsad_core.windows import period

Source = Literal["normal", "seasonal-naive", "linear", "training-mean", "self-circular"]


@dataclass(frozen=True)
class Infill:
    """A test part in which the anomalous steps are made normal."""

    values_TC: Array
    source: Source
    """Where its values are from; single cells that this source lacks are from the next one."""


def infill(series: Series) -> Infill:
    """Return the test part with its labelled steps made normal.

    From the series without its anomalies where that is known. Otherwise each value is the nearest earlier normal one
    of its segment at a distance of whole periods (of the training part), or the nearest later one (seasonal naive);
    failing that, on the line between the nearest normal values on both sides (linear); failing that, the channel's
    training mean. Missing values are never copied.
    """
    assert series.labels_T is not None, "only labelled steps are made normal"
    known_TC = np.where(series.labels_T[:, None], np.nan, series.test_TC).astype(np.float64)
    guesses: dict[Source, Array] = {} if series.normal_TC is None else {"normal": series.normal_TC}
    segments = [known_TC[start:stop] for start, stop in itertools.pairwise([*series.test_starts, len(known_TC)])]
    lag = period(series.train_TC)
    guesses["seasonal-naive"] = np.concatenate([_seasonal(segment_TC, lag) for segment_TC in segments])
    guesses["linear"] = np.concatenate([_linear(segment_TC) for segment_TC in segments])
    guesses["training-mean"] = np.broadcast_to(moments(series.train_TC)[0], known_TC.shape)
    return _first_known(known_TC, guesses, np.flatnonzero(series.labels_T))


def moments(train_TC: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of each channel's present values; 0 and 1 where there is no such thing."""
    known_TC = np.isfinite(train_TC)
    values_TC = np.where(known_TC, train_TC, 0).astype(np.float64)
    count_C = np.maximum(known_TC.sum(axis=0), 1)
    mean_C = values_TC.sum(axis=0) / count_C
    variance_C = (np.where(known_TC, values_TC - mean_C, 0) ** 2).sum(axis=0) / count_C
    varies_C = variance_C > (1e-6 * np.abs(values_TC).max(axis=0)) ** 2
    return mean_C, np.where(varies_C, np.sqrt(variance_C), 1.0)


def _first_known(known_TC: Array, guesses: dict[Source, Array], steps_N: Array) -> Infill:
    values_TC = known_TC.copy()
    sources: list[Source] = []
    for source, guess_TC in guesses.items():
        lacking_NC = np.isnan(values_TC[steps_N])
        if (lacking_NC & np.isfinite(guess_TC[steps_N])).any():
            sources.append(source)
        values_TC[steps_N] = np.where(lacking_NC, guess_TC[steps_N], values_TC[steps_N])
    return Infill(values_TC, sources[0] if sources else next(iter(guesses)))


def _seasonal(known_TC: Array, lag: int) -> Array:
    """Fill what is not known from the nearest earlier cycle that knows it, else from the nearest later one."""
    steps, C = known_TC.shape
    cycles = -(-steps // lag)
    cycles_ND = np.full((cycles * lag, C), np.nan)
    cycles_ND[:steps] = known_TC
    cycles_ND = cycles_ND.reshape(cycles, lag * C)
    forward_ND = _carried(cycles_ND)
    backward_ND = _carried(cycles_ND[::-1])[::-1]
    return np.where(np.isnan(forward_ND), backward_ND, forward_ND).reshape(-1, C)[:steps]


def _carried(values_ND: Array) -> Array:
    """Carry each column's last known value on."""
    row_ND = np.where(np.isnan(values_ND), 0, np.arange(len(values_ND))[:, None])
    return np.asarray(np.take_along_axis(values_ND, np.maximum.accumulate(row_ND, axis=0), axis=0))


def _linear(known_TC: Array) -> Array:
    filled_TC = known_TC.copy()
    for channel_T in filled_TC.T:
        missing_T = np.isnan(channel_T)
        if not missing_T.all():
            channel_T[missing_T] = np.interp(
                np.flatnonzero(missing_T), np.flatnonzero(~missing_T), channel_T[~missing_T]
            )
    return filled_TC
