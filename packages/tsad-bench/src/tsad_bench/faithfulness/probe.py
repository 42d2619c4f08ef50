"""The probe: an event's score while its blocks are infilled one after the other, and what its order is worth."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from tsad_core import Array, Series, Undefined
from tsad_core.metrics.inputs import spans
from tsad_core.windows import starts_within

from tsad_bench.faithfulness.orders import FRACTIONS, blamed_first, blocks, counts

Judge = Callable[[Array, tuple[int, ...]], Array]
"""Scores of a part, given the first steps of its segments. Equal input must give equal scores."""

WEAKEST = 1.0
"""Least fall of the calibrated score, event against infill, for an event to count."""


@dataclass(frozen=True)
class Scale:
    """Makes scores of different detectors comparable: 0 is usual, 1 what one normal step in a hundred exceeds."""

    median: float
    unit: float

    @classmethod
    def of(cls, calibration_T: Array) -> "Scale":
        """Learn from calibration scores; `Undefined` where their median is their 99 % quantile."""
        median, high = np.quantile(calibration_T, [0.5, 0.99])
        if not high > median:
            raise Undefined("the median of the calibration scores is their 99 % quantile: nothing to scale by")
        return cls(float(median), float(high - median))

    def mean(self, scores_T: Array) -> float:
        """Return the mean calibrated score."""
        return float((np.mean(scores_T) - self.median) / self.unit)


@dataclass(frozen=True)
class Finding:
    """What came of one event."""

    start: int
    stop: int
    skipped: str = ""
    """Why it does not count, if it does not."""
    deletion: Mapping[str, float] = field(default_factory=dict)
    """By explainer: the area between the random and the blamed-first curve."""
    insertion: Mapping[str, float] = field(default_factory=dict)
    cut_error: float = 0.0
    """How far the event's score is off because the judge saw only what surrounds it, as a share of its fall."""
    calls: int = 0
    """How often the judge was asked."""


@dataclass(frozen=True)
class Probe:
    """What all events of a series share."""

    series: Series
    infill_TC: Array
    judge: Judge
    scale: Scale
    margin: int
    """Steps on each side of an event that the judge is given."""
    orders: int = 20
    seed: int = 0


def probe(
    setup: Probe, blame: Mapping[str, Array], *, events: int = 10, scores_T: Array | None = None
) -> Iterator[Finding]:
    """Yield the faithfulness of each explainer's blame (T, C), event by event, until so many events count.

    An event is a run of labels, R its steps in all channels, in equal blocks (`blocks`). S is the mean calibrated
    score of its steps. Deletion: ``D(q) = (S(x, first q of R infilled) - S(R infilled)) / (S(x) - S(R infilled))``
    at `FRACTIONS` q of the blocks, and F the area between the mean D of random orders and the D of the order of
    falling mean blame. Insertion: from the infilled event, the first q are put back, and F is the area between the
    blamed-first curve and the mean random one. Both are 0 for random blame and higher the better it is.

    The judge is given the event and `margin` steps on each side, so that its cost does not grow with the series.
    All parts that it is given of one event have one shape: a judge that draws by seed and shape draws the same masks
    for all q. Random orders depend on the seed and the event alone, not on who explains. Missing values stay missing.
    Events whose score falls by less than 1 do not count, nor does an event of one block, which has only one order.
    `scores_T`, the judge's scores of the whole test part, tell how much the cut costs (`Finding.cut_error`).
    """
    left = events
    for start, stop in _events(setup.series):
        if not left:
            return
        finding = _Trial(setup, start, stop).finding(blame, scores_T)
        left -= not finding.skipped
        yield finding


def areas(findings: Sequence[Finding], explainer: str) -> tuple[float, float]:
    """Return an explainer's mean area over the events that count, by deletion and by insertion.

    `Undefined`, with the reason of each event, where none counts.
    """
    used = [finding for finding in findings if not finding.skipped]
    if not used:
        skipped = Counter(finding.skipped for finding in findings)
        raise Undefined("no event counts: " + "; ".join(f"{n} x {why}" for why, n in skipped.items()))
    deletion = np.mean([finding.deletion[explainer] for finding in used])
    return float(deletion), float(np.mean([finding.insertion[explainer] for finding in used]))


def event_count(series: Series) -> int:
    """Return how many events a labelled series has."""
    return len(_events(series))


def _events(series: Series) -> list[tuple[int, int]]:
    assert series.labels_T is not None, "an event is a run of labels"
    return [(int(start), int(stop)) for start, stop in zip(*spans(series.labels_T), strict=True)]


class _Trial:
    """One event before a judge."""

    def __init__(self, setup: Probe, start: int, stop: int) -> None:
        self.setup, self.start, self.stop = setup, start, stop
        series = setup.series
        self.first, last = max(0, start - setup.margin), min(len(series.test_TC), stop + setup.margin)
        self.cut_TC = series.test_TC[self.first : last]
        self.inside = slice(start - self.first, stop - self.first)
        self.starts = starts_within(series.test_starts, self.first, last)
        observed_TC = series.test_TC[start:stop]
        self.normal_TC = np.where(np.isnan(observed_TC), np.nan, setup.infill_TC[start:stop])
        self.block_TC = blocks(*observed_TC.shape)
        self.total = int(self.block_TC.max()) + 1
        self._scores: dict[bytes, float] = {}

    def finding(self, blame: Mapping[str, Array], scores_T: Array | None) -> Finding:
        if self.total == 1:
            return Finding(self.start, self.stop, "a single block")
        if self.fall < WEAKEST:
            return Finding(self.start, self.stop, "its score falls by less than 1", calls=len(self._scores))
        orders = {name: self._order(blame_TC) for name, blame_TC in blame.items()}
        return Finding(
            self.start,
            self.stop,
            deletion={name: _area(self._random_deletion - self._deletion(order)) for name, order in orders.items()},
            insertion={name: _area(self._insertion(order) - self._random_insertion) for name, order in orders.items()},
            cut_error=self._cut_error(scores_T),
            calls=len(self._scores),
        )

    def score(self, infilled_B: Array) -> float:
        """Return the mean calibrated score of the event with some of its blocks infilled."""
        key = infilled_B.tobytes()
        if key not in self._scores:
            part_TC = self.cut_TC.copy()
            part_TC[self.inside] = np.where(infilled_B[self.block_TC], self.normal_TC, part_TC[self.inside])
            part_TC.flags.writeable = False
            self._scores[key] = self.setup.scale.mean(self.setup.judge(part_TC, self.starts)[self.inside])
        return self._scores[key]

    @cached_property
    def fall(self) -> float:
        """How far the score falls when the whole event is infilled."""
        return self._whole - self._normal

    @cached_property
    def _whole(self) -> float:
        return self.score(np.zeros(self.total, dtype=bool))

    @cached_property
    def _normal(self) -> float:
        return self.score(np.ones(self.total, dtype=bool))

    def _order(self, blame_TC: Array) -> Array:
        return blamed_first(blame_TC[self.start : self.stop], self.block_TC, self._random(0))

    def _random(self, stream: int) -> np.random.Generator:
        return np.random.default_rng((self.setup.seed, self.start, self.stop, stream))

    @cached_property
    def _random_orders(self) -> Sequence[Array]:
        random = self._random(1)
        return [random.permutation(self.total) for _ in range(self.setup.orders)]

    @cached_property
    def _random_deletion(self) -> Array:
        return np.asarray(np.mean([self._deletion(order) for order in self._random_orders], axis=0))

    @cached_property
    def _random_insertion(self) -> Array:
        return np.asarray(np.mean([self._insertion(order) for order in self._random_orders], axis=0))

    def _deletion(self, order_B: Array) -> Array:
        return self._curve([_marked(order_B[:count], self.total) for count in counts(self.total)])

    def _insertion(self, order_B: Array) -> Array:
        return self._curve([~_marked(order_B[:count], self.total) for count in counts(self.total)])

    def _curve(self, infilled: Sequence[Array]) -> Array:
        return np.array([(self.score(infilled_B) - self._normal) / self.fall for infilled_B in infilled])

    def _cut_error(self, scores_T: Array | None) -> float:
        if scores_T is None:
            return 0.0
        return abs(self._whole - self.setup.scale.mean(scores_T[self.start : self.stop])) / self.fall


def _marked(blocks_N: Array, total: int) -> Array:
    marked_B = np.zeros(total, dtype=bool)
    marked_B[blocks_N] = True
    return marked_B


def _area(difference_Q: Array) -> float:
    return float(np.trapezoid(difference_Q, FRACTIONS))
