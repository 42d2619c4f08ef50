"""Detectors ranked on every series, which of them can be told apart, and by how much they differ."""

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from tsad_core import Array, Undefined

from tsad_bench.statistics.resampling import resample, without_spread
from tsad_bench.statistics.units import Units

DIGITS = 12
"""What is equal to so many decimals is a tie: means over seeds differ by rounding."""


@dataclass(frozen=True)
class Ranks:
    """What a critical difference diagram shows, best detector first."""

    metric: str
    condition: str
    detectors: tuple[str, ...]
    average_D: Array
    """Mean rank of each detector; 1 is best, ties share the mean of their ranks."""
    friedman_p: float
    """Of the hypothesis that all detectors are the same."""
    pairs: pd.DataFrame
    """One row a pair: ``first`` and ``second`` by rank, ``p`` of Wilcoxon's test, ``holm``, and whether they are
    told ``apart``."""
    groups: tuple[tuple[str, ...], ...]
    """Neighbours in rank of whom no two are told apart: the bars of the diagram. They may overlap."""
    units: int
    """Series, twins counted once."""
    left_out: int
    """Series that some ranked detector has not done."""
    unranked: tuple[str, ...]
    """Detectors without any result."""


def ranks(units: Units, *, alpha: float = 0.05) -> Ranks:
    """Return average ranks over series, Friedman's test, and Wilcoxon's signed-rank tests with Holm's correction.

    Ranked are the detectors that have any result, on the series that all of these have done; twins
    are averaged first, since the tests take series for independent. Every series weighs the same,
    whatever its data set. Wilcoxon with Holm takes the place of Nemenyi's critical distance, which
    changes with the company a pair is in (Demsar, JMLR 2006; Benavoli et al., JMLR 2016).
    `Undefined` with fewer than 3 detectors, and where so few series are left that not even the
    clearest pair could be told apart.

    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    whole = units.complete()
    merged = whole.merged()
    gains_BD = _gains(merged)
    _refuse(gains_BD, alpha=alpha)
    average_D = _average_ranks(gains_BD)
    order = np.argsort(average_D, kind="stable")
    detectors = tuple(merged.detectors[d] for d in order)
    pairs = _pairs(gains_BD[:, order], detectors, alpha=alpha)
    return Ranks(
        metric=units.metric,
        condition=units.condition,
        detectors=detectors,
        average_D=average_D[order],
        friedman_p=float(stats.friedmanchisquare(*gains_BD.T).pvalue),
        pairs=pairs,
        groups=_groups(detectors, pairs),
        units=len(gains_BD),
        left_out=len(units.places) - len(whole.places),
        unranked=tuple(name for name in units.detectors if name not in detectors),
    )


def median_differences(units: Units, *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return the median over series of each pair's differences, with its bootstrap interval.

    One row a pair: ``first`` and ``second`` by rank, ``median`` (positive where the first is better),
    ``low``, ``high``, ``units``. The series are those of `ranks`, twins averaged. Resampled are families and
    series as in `resample`, data sets only from 5 on; seeds are averaged. Without a second family
    there is no interval: `Undefined`.
    """
    merged = units.complete().merged()
    gains_BD = _gains(merged)
    if not gains_BD.size:
        raise Undefined("no series that all detectors have done")
    if obstacle := without_spread(merged.places):
        raise Undefined(obstacle)
    drawn_RB = resample(merged, resamples=resamples, seed=seed).series_RS
    tail = (1 - level) / 2
    rows = []
    for i, j in itertools.combinations(np.argsort(_average_ranks(gains_BD), kind="stable"), 2):
        difference_B = gains_BD[:, i] - gains_BD[:, j]
        limits = np.quantile(_weighted_medians(difference_B, drawn_RB), [tail, 1 - tail])
        rows.append([merged.detectors[i], merged.detectors[j], np.median(difference_B), *limits, len(gains_BD)])
    return pd.DataFrame(rows, columns=["first", "second", "median", "low", "high", "units"])


def holm(p_N: Array) -> Array:
    """Return p values corrected for their number (Holm, 1979)."""
    order = np.argsort(p_N)
    stepped_N = np.maximum.accumulate(p_N[order] * np.arange(len(p_N), 0, -1))
    return np.asarray(np.minimum(stepped_N, 1)[np.argsort(order)])


def _gains(merged: Units) -> Array:
    return np.asarray(np.round(merged.gains_SD, DIGITS))


def _average_ranks(gains_BD: Array) -> Array:
    return np.asarray(stats.rankdata(-gains_BD, axis=1).mean(axis=0))


def _refuse(gains_BD: Array, *, alpha: float) -> None:
    """Raise `Undefined` where ranks would say nothing."""
    B, D = gains_BD.shape
    if D < 3:
        raise Undefined(f"{D} detectors with results; ranks want 3 or more")
    if not B:
        raise Undefined("no series that all detectors have done")
    smallest = min(1.0, 2 * 0.5**B * D * (D - 1) / 2)
    if smallest > alpha:
        raise Undefined(f"{B} series and {D} detectors: the smallest p after Holm's correction is {smallest:.2g}")
    if (gains_BD == gains_BD[:, :1]).all():
        raise Undefined("all detectors tie on every series")


def _pairs(gains_BD: Array, detectors: tuple[str, ...], *, alpha: float) -> pd.DataFrame:
    pairs = list(itertools.combinations(range(len(detectors)), 2))
    # zeros are split between the signs: dropped, they would hide that two detectors are the same
    p_P = np.array([stats.wilcoxon(gains_BD[:, i], gains_BD[:, j], zero_method="zsplit").pvalue for i, j in pairs])
    named = [(detectors[i], detectors[j]) for i, j in pairs]
    frame = pd.DataFrame(named, columns=["first", "second"]).assign(p=p_P, holm=holm(p_P))
    return frame.assign(apart=frame["holm"] <= alpha)


def _groups(detectors: tuple[str, ...], pairs: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Return the longest runs of two or more neighbours of whom no two are told apart."""
    apart = set(zip(pairs.loc[pairs["apart"], "first"], pairs.loc[pairs["apart"], "second"], strict=True))
    groups: list[tuple[str, ...]] = []
    reached = 0
    for start in range(len(detectors)):
        stop = start + 1
        while stop < len(detectors) and not any((name, detectors[stop]) in apart for name in detectors[start:stop]):
            stop += 1
        if stop > max(reached, start + 1):
            groups.append(detectors[start:stop])
        reached = max(reached, stop)
    return tuple(groups)


def _weighted_medians(values_B: Array, drawn_RB: Array) -> Array:
    """Return for each resample the median of the values, each as often as it was drawn."""
    order = np.argsort(values_B)
    sorted_B, upto_RB = values_B[order], np.cumsum(drawn_RB[:, order], axis=1)
    half_R1 = upto_RB[:, -1:] / 2
    lower_R, upper_R = (sorted_B[reached.argmax(axis=1)] for reached in (upto_RB >= half_R1, upto_RB > half_R1))
    return np.asarray((lower_R + upper_R) / 2)
