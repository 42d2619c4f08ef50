"""One detector on trial: like ones made, fitted and asked for scores, the shared random states held still."""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tsad_core.detector import Detection, Detector, detect, fit
from tsad_core.errors import Undefined
from tsad_core.look_ahead import look_ahead
from tsad_core.series import Array, Series
from tsad_core.testing.randomness import seeded


@dataclass(frozen=True)
class Trial:
    """A detector and the series it is tried on. The detector itself is never fitted."""

    given: Detector
    series: Series

    def fresh(self) -> Detector:
        """Return another detector of the same options."""
        return type(self.given)(**self.given.get_params())

    def fitted(
        self,
        train_TC: Array | None = None,
        *,
        by: Detector | None = None,
        starts: tuple[int, ...] = (0,),
        seed: int = 0,
    ) -> Detector:
        """Fit a fresh detector, or the one given, to a copy of a part; by default of the training part."""
        part_TC = self.series.train_TC if train_TC is None else train_TC
        with seeded(seed):
            return fit(by or self.fresh(), part_TC.copy(), starts)

    def detection(
        self, detector: Detector, test_TC: Array | None = None, *, starts: tuple[int, ...] = (0,), seed: int = 0
    ) -> Detection:
        """Let a detector score a copy of a part; by default of the test part."""
        part_TC = self.series.test_TC if test_TC is None else test_TC
        with seeded(seed):
            return detect(detector, part_TC.copy(), starts)

    def scores(
        self, detector: Detector, test_TC: Array | None = None, *, starts: tuple[int, ...] = (0,), seed: int = 0
    ) -> Array:
        """Return the scores of `detection`."""
        return self.detection(detector, test_TC, starts=starts, seed=seed).scores_T

    @functools.cached_property
    def look_ahead(self) -> float:
        """The look-ahead, measured once; NaN if there is none."""
        detector = self.fitted()
        try:
            with seeded(0):
                return look_ahead(detector, self.series.test_TC.copy())
        except Undefined:
            return math.nan

    def changed(self, *, train_starts: tuple[int, ...] = (0,), test_starts: tuple[int, ...] = (0,)) -> list[str]:
        """Say which of its inputs, handed out as they are, a fresh detector changes."""
        train_TC, test_TC = self.series.train_TC.copy(), self.series.test_TC.copy()
        with seeded(0):
            detect(fit(self.fresh(), train_TC, train_starts), test_TC, test_starts)
        pairs = {"train_TC": (train_TC, self.series.train_TC), "test_TC": (test_TC, self.series.test_TC)}
        changed = [name for name, pair in pairs.items() if not np.array_equal(*pair, equal_nan=True)]
        return [f"changes {name}; it must work on a copy" for name in changed]

    def another_part(self) -> Array:
        """Another part: shorter and larger than the training part."""
        train_TC = self.series.train_TC
        return np.asarray(2 * train_TC[: max(1, len(train_TC) // 2)] + 1)


def difference(one: Detection, other: Detection) -> str:
    """Name the first thing in which two detections are not equal; empty if there is none."""
    if not np.array_equal(one.scores_T, other.scores_T):
        return "scores"
    for name, what in {"attribution_TC": "attribution", "expected_TC": "expected values"}.items():
        pair = getattr(one, name), getattr(other, name)
        if not _same(*pair):
            return what
    bands = {*one.bands, *other.bands}
    return "" if all(_same(one.bands.get(name), other.bands.get(name)) for name in bands) else "bands"


def _same(one: Array | None, other: Array | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


Check = Callable[[Trial], Iterator[str]]
"""Yields what is wrong with the detector on trial, a line each."""
