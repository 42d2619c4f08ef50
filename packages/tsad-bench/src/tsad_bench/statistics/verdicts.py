"""Whether a detector is above the floor: better than every control, by more than chance."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from tsad_core import Array

from tsad_bench.statistics.units import Units, macro_mean

Standing = Literal["above the floor", "not above the floor", "underpowered", "undefined"]

EXACT = 12
"""Up to so many independent units all sign patterns are looked at."""
PATTERNS = 10_000
"""For more units: so many random ones."""


@dataclass(frozen=True)
class Comparison:
    """A detector against one control, on the series that both have done."""

    control: str
    difference: float
    """Mean over data sets of the mean over series; positive is better, whichever way the metric points."""
    p: float
    smallest_p: float
    """The smallest p that so few units can give."""
    series: int
    units: int
    """Series, twins counted once."""
    left_out: int
    """Series on which only one of the two, or neither, has a value."""
    missing: tuple[str, ...]
    """Data sets of which every series is left out."""


@dataclass(frozen=True)
class Verdict:
    """Whether a detector is above the floor, and against which control that was hardest."""

    detector: str
    metric: str
    condition: str
    standing: Standing
    reason: str = ""
    """Why there is no answer, if there is none."""
    comparisons: tuple[Comparison, ...] = ()
    absent: tuple[str, ...] = ()
    """Controls without any result here, which therefore are no part of the floor."""

    @property
    def hardest(self) -> Comparison | None:
        """The control with the largest p; of equals, the one with the smallest difference."""
        return max(self.comparisons, key=lambda one: (one.p, -one.difference), default=None)

    def __str__(self) -> str:
        hardest = self.hardest
        parts = [f"{self.standing} ({self.reason})" if self.reason else self.standing]
        if hardest:
            parts.append(
                f"hardest to beat: {hardest.control}, difference {hardest.difference:+.3f}, "
                f"p = {hardest.p:.2g}, {hardest.series} series"
            )
            parts += [f"{hardest.left_out} series left out"] if hardest.left_out else []
            parts += [f"nothing from {', '.join(hardest.missing)}"] if hardest.missing else []
        parts += [f"without {', '.join(self.absent)}, which has no result"] if self.absent else []
        return "; ".join(parts)


def verdicts(units: Units, *, alpha: float = 0.05) -> list[Verdict]:
    """Return the verdict on each detector that is no control.

    For each series the mean over seeds of detector minus control is taken, then a one-sided
    sign-flip test of its mean against every control; all must give p <= `alpha`. Such an
    intersection-union test has level `alpha` as it stands: the detector has to pass all tests, so
    more controls give it no more chances and nothing is to be corrected (Berger, Technometrics
    1982). Over detectors nothing is corrected either: each verdict is about one of them.

    Several data sets are strata that weigh the same: the statistic is the mean over data sets of
    the mean over series, the number that tables show. The null hypothesis is that each difference
    is as likely with the opposite sign. Twins are no independent witnesses, so the signs of a
    group of twins flip together; each keeps its weight, and the statistic stays the tables'.
    """
    judged = [name for name in units.detectors if name not in units.controls]
    return [_verdict(units, name, alpha=alpha) for name in judged]


def sign_flip_p(sums_B: Array, *, seed: int = 0) -> float:
    """Return the one-sided p of the sum of independent terms, each as likely with the opposite sign.

    Exact over all sign patterns up to `EXACT` terms; above that over `PATTERNS` random ones and the
    observed one (Phipson and Smyth, 2010), so that p is never 0. `scipy.stats.permutation_test`
    gives the same but where the sum is near 0, where it misses ties, and takes 20 times as long.

    >>> sign_flip_p(np.array([0.1, 0.2, 0.3]))
    0.125
    """
    # sums that are equal on paper differ by rounding
    least = sums_B.sum() - 1e-12 * np.abs(sums_B).sum()
    if len(sums_B) <= EXACT:
        signs_PB = 1.0 - 2 * (np.arange(2 ** len(sums_B))[:, None] >> np.arange(len(sums_B)) & 1)
        return float(np.mean(signs_PB @ sums_B >= least))
    signs_PB = 2.0 * np.random.default_rng(seed).integers(2, size=(PATTERNS, len(sums_B)), dtype=np.int8) - 1
    return float((np.count_nonzero(signs_PB @ sums_B >= least) + 1) / (PATTERNS + 1))


def _verdict(units: Units, detector: str, *, alpha: float) -> Verdict:
    present = [name for name in units.alive if name in units.controls]
    found = {control: _compare(units, detector, control) for control in present}
    comparisons = tuple(one for one in found.values() if one)
    absent = tuple(sorted(units.controls.difference(present)))
    unmet = [control for control, one in found.items() if not one]
    standing, reason = _standing(comparisons, alpha=alpha)
    if not present or unmet:
        standing = "undefined"
        reason = f"no series that {', '.join(unmet)} has done too" if unmet else "no control has a result"
    if detector not in units.alive:
        standing, reason = "undefined", "no result"
    return Verdict(detector, units.metric, units.condition, standing, reason, comparisons, absent)


def _standing(comparisons: tuple[Comparison, ...], *, alpha: float) -> tuple[Standing, str]:
    smallest = max((one.smallest_p for one in comparisons), default=1.0)
    if smallest > alpha:
        return "underpowered", f"smallest reachable p = {smallest:.2g}"
    return ("above the floor" if all(one.p <= alpha for one in comparisons) else "not above the floor"), ""


def _compare(units: Units, detector: str, control: str) -> Comparison | None:
    """Compare on the series that both have done; None if there is none."""
    pair = [units.detectors.index(name) for name in (detector, control)]
    ours_S, theirs_S = units.gains_SD[:, pair].T
    planned_S = units.planned_SD[:, pair].any(axis=1)
    both_S = ~np.isnan(ours_S - theirs_S)
    if not both_S.any():
        return None
    stratum_S, difference_S = units.stratum_S[both_S], (ours_S - theirs_S)[both_S]
    sums_B = _block_sums(difference_S, stratum_S, units.block_S[both_S])
    datasets = units.places["dataset"]
    return Comparison(
        control=control,
        difference=float(macro_mean(difference_S, stratum_S)),
        p=sign_flip_p(sums_B),
        smallest_p=0.5 ** len(sums_B) if len(sums_B) <= EXACT else 1 / (PATTERNS + 1),
        series=int(both_S.sum()),
        units=len(sums_B),
        left_out=int((planned_S & ~both_S).sum()),
        missing=tuple(name for name in datasets[planned_S].unique() if name not in set(datasets[both_S])),
    )


def _block_sums(difference_S: Array, stratum_S: Array, block_S: Array) -> Array:
    """Return what each group of twins adds to the macro mean."""
    _, stratum_S, sizes = np.unique(stratum_S, return_inverse=True, return_counts=True)
    shares_S = difference_S / (sizes[stratum_S] * len(sizes))
    _, block_S = np.unique(block_S, return_inverse=True)
    return np.bincount(block_S, weights=shares_S)
