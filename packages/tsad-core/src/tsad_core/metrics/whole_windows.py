"""Windows as the unit, as AMSL reports them: each anomalous or not, an alarm or not, and both classes count alike.

A window is anomalous if any of its steps is. Its score is the mean or the maximum of its steps' (`fold`), and it is an
alarm if that is above the threshold that `rule` and `rate` derive from calibration scores folded the same way.
`window` is its length in steps, 0 for the period of the training part; `stride` from one start to the next, 0 for
windows that do not overlap. One more window ends with the series; a series shorter than a window is one window.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from annotated_types import Ge

from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.inputs import check
from tsad_core.metrics.sweep import alarms
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule
from tsad_core.windows import cover, period

Fold = Literal["mean", "max"]
"""How the scores of a window's steps become its own."""
Steps = Annotated[int, Ge(0)]

_SOURCE = "Zhang et al., AMSL, TKDE 2022, as its public code computes it: mPre, mRec, mF1, Acc"


@metric(
    Card(
        name="window-macro-precision",
        title="Macro precision (windows)",
        definition="Mean of the precision of the anomalous and of the normal windows, at a threshold from calibration.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def window_macro_precision(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    train_TC: Array,
    window: Steps = 0,
    stride: Steps = 0,
    fold: Fold = "mean",
    rule: Rule = "quantile",
    rate: Rate = 0.02,
) -> float:
    """Return the mean of TP / (TP + FP) and TN / (TN + FN), counted in windows, from 0 to 1; higher is better.

    `Undefined` without an alarm and if every window is one: a class that is never named has no precision. Also
    without an anomalous window or without a normal one.

    Of four windows, one is a hit, one a false alarm, one a miss and one rightly silent.

    >>> labels_T, scores_T = np.array([0, 0, 0, 0, 1, 0, 0, 1]), np.array([1, 1, 9, 9, 9, 9, 1, 1])
    >>> given = {"labels_T": labels_T, "scores_T": scores_T, "calibration_T": np.ones(8), "train_TC": np.ones((8, 1))}
    >>> window_macro_precision(**given, window=2)
    0.5
    """
    windows = _Windows(window or period(train_TC), stride, fold, rule, rate)
    return _Counts.of(labels_T, scores_T, calibration_T, windows).precision


@metric(
    Card(
        name="window-macro-recall",
        title="Macro recall (windows)",
        definition="Mean of the recall of the anomalous and of the normal windows, at a threshold from calibration.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def window_macro_recall(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    train_TC: Array,
    window: Steps = 0,
    stride: Steps = 0,
    fold: Fold = "mean",
    rule: Rule = "quantile",
    rate: Rate = 0.02,
) -> float:
    """Return the mean of TP / (TP + FN) and TN / (TN + FP), counted in windows, from 0 to 1; higher is better.

    No alarm at all, or nothing but alarms, gets 1/2. `Undefined` without an anomalous window or without a normal one.

    Of four windows, one is a hit, one a false alarm, one a miss and one rightly silent.

    >>> labels_T, scores_T = np.array([0, 0, 0, 0, 1, 0, 0, 1]), np.array([1, 1, 9, 9, 9, 9, 1, 1])
    >>> given = {"labels_T": labels_T, "scores_T": scores_T, "calibration_T": np.ones(8), "train_TC": np.ones((8, 1))}
    >>> window_macro_recall(**given, window=2)
    0.5
    """
    windows = _Windows(window or period(train_TC), stride, fold, rule, rate)
    return _Counts.of(labels_T, scores_T, calibration_T, windows).recall


@metric(
    Card(
        name="window-macro-f1",
        title="Macro F1 (windows)",
        definition="Harmonic mean of macro precision and macro recall of windows, not the mean of both classes' F1.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def window_macro_f1(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    train_TC: Array,
    window: Steps = 0,
    stride: Steps = 0,
    fold: Fold = "mean",
    rule: Rule = "quantile",
    rate: Rate = 0.02,
) -> float:
    """Return the harmonic mean of macro precision and macro recall, AMSL's mF1, from 0 to 1; higher is better.

    ``2 P R / (P + R)`` of `window_macro_precision` and `window_macro_recall`; not the mean of two F1s, which others
    call macro F1. 0 if both are 0; `Undefined` where the former is.

    Of four windows, one is a hit, one a false alarm, one a miss and one rightly silent.

    >>> labels_T, scores_T = np.array([0, 0, 0, 0, 1, 0, 0, 1]), np.array([1, 1, 9, 9, 9, 9, 1, 1])
    >>> given = {"labels_T": labels_T, "scores_T": scores_T, "calibration_T": np.ones(8), "train_TC": np.ones((8, 1))}
    >>> window_macro_f1(**given, window=2)
    0.5
    """
    windows = _Windows(window or period(train_TC), stride, fold, rule, rate)
    return _Counts.of(labels_T, scores_T, calibration_T, windows).f1


@metric(
    Card(
        name="window-accuracy",
        title="Accuracy (windows)",
        definition="Share of the windows that are rightly alarms or rightly none, at a threshold from calibration.",
        source=_SOURCE,
        low=0,
        high=1,
        better="higher",
    )
)
def window_accuracy(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    train_TC: Array,
    window: Steps = 0,
    stride: Steps = 0,
    fold: Fold = "mean",
    rule: Rule = "quantile",
    rate: Rate = 0.02,
) -> float:
    """Return the share of windows that are rightly alarms or rightly none, from 0 to 1; higher is better.

    ``(TP + TN) / windows``: with few anomalous windows, silence already gets close to 1. `Undefined` without an
    anomalous window or without a normal one.

    Of four windows, one is a hit, one a false alarm, one a miss and one rightly silent.

    >>> labels_T, scores_T = np.array([0, 0, 0, 0, 1, 0, 0, 1]), np.array([1, 1, 9, 9, 9, 9, 1, 1])
    >>> given = {"labels_T": labels_T, "scores_T": scores_T, "calibration_T": np.ones(8), "train_TC": np.ones((8, 1))}
    >>> window_accuracy(**given, window=2)
    0.5
    """
    windows = _Windows(window or period(train_TC), stride, fold, rule, rate)
    return _Counts.of(labels_T, scores_T, calibration_T, windows).accuracy


@dataclass(frozen=True)
class _Windows:
    """How steps become windows and windows alarms."""

    length: int
    stride: int
    fold: Fold
    rule: Rule
    rate: float

    def of(self, steps: int) -> Array:
        """Return the windows of so many steps, as (start, stop)."""
        if self.stride > self.length:
            raise OptionError(f"stride = {self.stride} is longer than window = {self.length}: steps would be left out")
        return cover(steps, window=self.length, stride=self.stride or self.length)

    def alarms(self, scores_T: Array, calibration_T: Array) -> Array:
        """Return which windows are alarms."""
        folded = [self._folded(np.asarray(values_T, dtype=np.float64)) for values_T in (scores_T, calibration_T)]
        return alarms(*folded, rule=self.rule, rate=self.rate)

    def _folded(self, scores_T: Array) -> Array:
        spans_B2 = self.of(len(scores_T))
        if self.fold == "max":
            return _reduced(np.maximum, scores_T, spans_B2)
        mean_B: Array = _reduced(np.add, scores_T, spans_B2) / (spans_B2[:, 1] - spans_B2[:, 0])
        return mean_B


def _reduced(function: np.ufunc, values_T: Array, spans_B2: Array) -> Array:
    """Reduce the values of each window; what reduceat makes of the gaps between windows is dropped."""
    reduced: Array = function.reduceat(np.append(values_T, values_T[-1:]), spans_B2.ravel())[::2]
    return reduced


@dataclass(frozen=True)
class _Counts:
    """Windows by what they are and what they are called; both classes are there."""

    tn: int
    fp: int
    fn: int
    tp: int

    @classmethod
    def of(cls, labels_T: Array, scores_T: Array, calibration_T: Array, windows: _Windows) -> Self:
        """Count the windows of a series."""
        anomalous_T = check(labels_T, scores_T=scores_T)
        if not anomalous_T.any():
            raise Undefined("no event in the labels")
        if not len(calibration_T):
            raise DataError("calibration_T is empty; a threshold needs one score at least")
        anomalous_B = _reduced(np.logical_or, anomalous_T, windows.of(len(anomalous_T)))
        if anomalous_B.all():
            raise Undefined("every window is anomalous")
        alarmed_B = windows.alarms(scores_T, calibration_T)
        return cls(*np.bincount(2 * anomalous_B + alarmed_B, minlength=4).tolist())

    @property
    def precision(self) -> float:
        """Mean precision of the two classes."""
        if not self.tp + self.fp:
            raise Undefined("no window is an alarm")
        if not self.tn + self.fn:
            raise Undefined("every window is an alarm")
        return (self.tp / (self.tp + self.fp) + self.tn / (self.tn + self.fn)) / 2

    @property
    def recall(self) -> float:
        """Mean recall of the two classes."""
        return (self.tp / (self.tp + self.fn) + self.tn / (self.tn + self.fp)) / 2

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return 2 * self.precision * self.recall / ((self.precision + self.recall) or 1)

    @property
    def accuracy(self) -> float:
        """Share of what is right."""
        return (self.tp + self.tn) / (self.tn + self.fp + self.fn + self.tp)
