"""Resampling: a part on a slower clock."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np

from tsad_core.corruption.kind import Change, Dose
from tsad_core.series import Array, Series


def resampled(series: Series, dose: Dose) -> Change:
    """Put parts on a clock that is slower by `level` percent, by linear interpolation, each segment by itself.

    A changed step is anomalous if any clean step it stands for is. Events that come to touch are one, so their
    kinds are not told any more.
    """
    rate = 100 - dose.level
    test = _Clock.of(series.test_starts, len(series.test_TC), rate)
    slow = replace(
        series,
        test_TC=test.interpolated(series.test_TC),
        labels_T=test.any(series.labels_T),
        event_kinds=(),
        root_causes_TC=test.any(series.root_causes_TC),
        normal_TC=None if series.normal_TC is None else test.interpolated(series.normal_TC),
        test_starts=test.starts,
    )
    if "train" not in dose.touches:
        return Change(slow, test_from_T=test.nearest_S, clock_T=test.slow_T)
    train = _Clock.of(series.train_starts, len(series.train_TC), rate)
    slow = replace(slow, **_slow_training(series, train, rate))
    return Change(slow, train_from_T=train.nearest_S, test_from_T=test.nearest_S, clock_T=test.slow_T)


def _slow_training(series: Series, train: "_Clock", rate: int) -> dict[str, Any]:
    seconds = series.sampling_period
    return {
        "train_TC": train.interpolated(series.train_TC),
        "train_labels_T": train.any(series.train_labels_T),
        "train_starts": train.starts,
        "sampling_period": None if seconds is None else seconds * 100 / rate,
    }


@dataclass(frozen=True, eq=False)
class _Clock:
    """A slower clock (S) beside the clean one (T)."""

    position_S: Array
    """Where each slow step is on the clean clock, in steps."""
    nearest_S: Array
    """The clean step nearest to each slow step."""
    slow_T: Array
    """The slow step nearest to each clean step; each slow step is nearest to some."""
    starts: tuple[int, ...]
    """The first slow steps of the segments."""

    @classmethod
    def of(cls, starts: tuple[int, ...], steps: int, rate: int) -> Self:
        """Make a clock with `rate` steps for 100 clean ones, anew from the start of each segment."""
        positions, slow, slow_starts = [], [], [0]
        for start, stop in pairwise((*starts, steps)):
            length = (rate * (stop - start) + 50) // 100
            positions.append(start + np.minimum(np.arange(length) * 100 / rate, stop - start - 1))
            slow.append(slow_starts[-1] + np.minimum((rate * np.arange(stop - start) + 50) // 100, length - 1))
            slow_starts.append(slow_starts[-1] + length)
        position_S = np.concatenate(positions)
        nearest_S = np.floor(position_S + 0.5).astype(np.int64)
        return cls(position_S, nearest_S, np.concatenate(slow), tuple(slow_starts[:-1]))

    def interpolated(self, values_TC: Array) -> Array:
        """Return values between their neighbours; beside a missing value they are missing."""
        before_S = np.floor(self.position_S).astype(np.int64)
        after_S = np.minimum(before_S + 1, len(values_TC) - 1)
        share_S1 = (self.position_S - before_S)[:, None]
        between_SC = (1 - share_S1) * values_TC[before_S] + share_S1 * values_TC[after_S]
        return np.where(share_S1 == 0, values_TC[before_S], between_SC)

    def any(self, marks_T: Array | None) -> Array | None:
        """Return for each slow step whether any clean step it stands for is marked."""
        if marks_T is None:
            return None
        first_S = np.flatnonzero(np.diff(self.slow_T, prepend=-1))
        return np.asarray(np.logical_or.reduceat(marks_T, first_S, axis=0))
