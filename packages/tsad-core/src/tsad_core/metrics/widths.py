"""How wide the margins around events are: a number of steps, or a rule that finds one."""

from typing import Annotated, Literal, get_args

import numpy as np
from annotated_types import Ge

from tsad_core import windows
from tsad_core.errors import OptionError, Undefined
from tsad_core.metrics.inputs import check, shared, spans
from tsad_core.series import Array

Rule = Literal["period", "event-mean", "event-median", "mma-events", "tsb-file"]
"""``"period"``: the main period of the training part. ``"event-mean"`` and ``"event-median"``: the length of the
labelled events, rounded down; these read labels, as does ``"mma-events"``, the MMA paper's: twice the mean length of
the events, each a step too long and one that ends with the series left out, as its code has it. ``"tsb-file"``: the
period that TSB-AD finds in the first channel of the whole file, test part included; for parity with its tables only."""

Window = Annotated[int, Ge(0)] | Rule
"""Width of the margins in steps, or the rule that finds it."""


def width(window: Window, *, labels_T: Array, train_TC: Array | None, observed_TC: Array | None) -> int:
    """Return the width in steps; what is no window, or a rule whose input is not given, raises `OptionError`.

    >>> width("event-mean", labels_T=np.array([1, 0, 1, 1, 1, 1]), train_TC=None, observed_TC=None)
    2
    """
    if isinstance(window, int | np.integer) and not isinstance(window, bool) and window >= 0:
        return int(window)
    if window == "period":
        return _period(_given("train_TC", train_TC, window))
    if window == "tsb-file":
        return _file_period(_given("train_TC", train_TC, window), _given("observed_TC", observed_TC, window))
    if window == "mma-events":
        return _mma_width(labels_T)
    if window in ("event-mean", "event-median"):
        lengths_K = _lengths(labels_T)
        return int(np.mean(lengths_K) if window == "event-mean" else np.median(lengths_K))
    raise OptionError(f"window = {window!r}; a window is 0 steps or more, or one of {', '.join(get_args(Rule))}")


def _given(name: str, values: Array | None, window: Window) -> Array:
    if values is None:
        raise OptionError(f"window = {window!r} needs {name}; give it, or a window in steps")
    return values


def _lengths(labels_T: Array) -> Array:
    starts_K, stops_K = spans(check(labels_T))
    if not len(starts_K):
        raise Undefined("no event in the labels")
    return stops_K - starts_K


def _mma_width(labels_T: Array) -> int:
    starts_K, stops_K = spans(check(labels_T))
    ended_K = stops_K < len(labels_T)
    if not ended_K.any():
        raise Undefined("no event ends before the series does, which window = 'mma-events' needs")
    return 2 * int(np.mean((stops_K - starts_K + 1)[ended_K]))


@shared
def _period(train_TC: Array) -> int:
    return windows.period(train_TC)


@shared
def _file_period(train_TC: Array, observed_TC: Array) -> int:
    return tsb_period(np.concatenate([train_TC[:, 0], observed_TC[:, 0]]))


def tsb_period(file_T: Array) -> int:
    """Return the period of a whole file by the rule of TSB-AD's `find_length_rank` with rank 1.

    The lag of the highest peak of the autocorrelation, among the lags 4 to 399 of the first 20,000 steps;
    125 if there is no peak, or if the highest lies below lag 6 or above lag 303.

    >>> tsb_period(np.sin(np.arange(2000) * 2 * np.pi / 50))
    50
    """
    products_L = _products(np.asarray(file_T, dtype=np.float64)[:20_000])[3:401]
    inner_L = products_L[1:-1]
    peaks_N = 1 + np.flatnonzero((inner_L > products_L[:-2]) & (inner_L > products_L[2:]))
    if not len(peaks_N):
        return 125
    highest = int(peaks_N[np.argmax(products_L[peaks_N])])
    return highest + 3 if 3 <= highest <= 300 else 125


def _products(values_T: Array) -> Array:
    """Sums of the products of centred values, by how many steps lie between them."""
    size = 2 * len(values_T)
    power = np.abs(np.fft.rfft(values_T - values_T.mean(), size)) ** 2
    return np.fft.irfft(power, size)[: len(values_T)]
