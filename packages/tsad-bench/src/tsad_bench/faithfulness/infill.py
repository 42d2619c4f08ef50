"""What anomalous values are replaced by: the true normal ones where they are known, a guess from around otherwise."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from tsad_core import Array, Series
from tsad_core.gaps import by_channel, last_period, line
from tsad_core.scaling import scales
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
    lag = period(series.train_TC)
    guesses["seasonal-naive"] = by_channel(known_TC, series.test_starts, lambda values_T: last_period(values_T, lag))
    guesses["linear"] = by_channel(known_TC, series.test_starts, lambda values_T: line(values_T, 1))
    guesses["training-mean"] = np.broadcast_to(scales(series.train_TC, "standard")[0], known_TC.shape)
    return _first_known(known_TC, guesses, np.flatnonzero(series.labels_T))


def _first_known(known_TC: Array, guesses: dict[Source, Array], steps_N: Array) -> Infill:
    values_TC = known_TC.copy()
    sources: list[Source] = []
    for source, guess_TC in guesses.items():
        lacking_NC = np.isnan(values_TC[steps_N])
        if (lacking_NC & np.isfinite(guess_TC[steps_N])).any():
            sources.append(source)
        values_TC[steps_N] = np.where(lacking_NC, guess_TC[steps_N], values_TC[steps_N])
    return Infill(values_TC, sources[0] if sources else next(iter(guesses)))
