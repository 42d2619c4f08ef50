"""A series under a condition, with a record of what was changed."""

from dataclasses import dataclass

import numpy as np

from tsad_core.corruption.condition import Condition
from tsad_core.corruption.kind import Change, Dose
from tsad_core.corruption.kinds import KINDS
from tsad_core.detector import Detection
from tsad_core.series import Array, Series


@dataclass(frozen=True, eq=False)
class Corrupted:
    """A series under a condition, and what the condition changed.

    Results are measured against `series` where `clock_T` is None, and against the clean series
    else, after `on_clean_clock`.
    """

    series: Series
    condition: Condition
    train_changed_TC: Array
    """Which cells of the training part differ from the clean one, bool, on the changed series' clock."""
    test_changed_TC: Array
    """Which cells of the test part differ from the clean one, bool, on the changed series' clock."""
    clock_T: Array | None = None
    """For each step of the clean test part the changed step that stands for it, int64; None: clocks are equal."""

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels with a changed cell, by index."""
        changed_C = self.train_changed_TC.any(axis=0) | self.test_changed_TC.any(axis=0)
        return tuple(np.flatnonzero(changed_C).tolist())

    def on_clean_clock(self, detection: Detection) -> Detection:
        """Return what was detected in the changed test part, for each step of the clean one."""
        if self.clock_T is None:
            return detection
        attribution_TC, expected_TC = detection.attribution_TC, detection.expected_TC
        return Detection(
            detection.scores_T[self.clock_T],
            attribution_TC=None if attribution_TC is None else attribution_TC[self.clock_T],
            expected_TC=None if expected_TC is None else expected_TC[self.clock_T],
            bands={name: band_T[self.clock_T] for name, band_T in detection.bands.items()},
        )


def corrupt(series: Series, condition: Condition, *, seed: int) -> Corrupted:
    """Return the series under a condition; at the kind's neutral level it is returned as it is.

    What changes depends on the values of the series, the condition and the seed alone, and a worse
    level changes the cells that a milder one does and more. Steps that a condition leaves on their
    clock keep their labels; missing values stay missing, and no anomaly, burst or onset reaches
    over the start of an independent segment. A series that cannot take it raises `Skip`.

    >>> series = Series(name="flat", train_TC=np.zeros((4, 1)), test_TC=np.zeros((200, 1)))
    >>> int(corrupt(series, Condition("missing-values", 10), seed=0).test_changed_TC.sum())
    20
    """
    kind = KINDS[condition.kind]
    if condition.level == kind.neutral:
        return _recorded(series, condition, Change(series))
    dose = Dose(condition.kind, condition.level, condition.touches, (seed, int(series.digest, 16)))
    return _recorded(series, condition, kind.apply(series, dose))


def _recorded(clean: Series, condition: Condition, change: Change) -> Corrupted:
    return Corrupted(
        change.series,
        condition,
        train_changed_TC=_differs(change.series.train_TC, clean.train_TC, change.train_from_T),
        test_changed_TC=_differs(change.series.test_TC, clean.test_TC, change.test_from_T),
        clock_T=change.clock_T,
    )


def _differs(changed_TC: Array, clean_TC: Array, from_T: Array | None) -> Array:
    before_TC = clean_TC if from_T is None else clean_TC[from_T]
    differs_TC = (changed_TC != before_TC) & ~(np.isnan(changed_TC) & np.isnan(before_TC))
    differs_TC.flags.writeable = False
    return np.asarray(differs_TC)
