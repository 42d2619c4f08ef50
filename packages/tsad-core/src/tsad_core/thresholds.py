"""Thresholds without labels: from calibration scores to the score above which a step is an alarm."""

from collections.abc import Callable
from typing import Annotated, Literal, get_args

import numpy as np
from annotated_types import Gt, Lt
from scipy.special import boxcox, ndtri

from tsad_core.errors import DataError, OptionError
from tsad_core.series import Array

Rule = Literal["quantile", "mad", "pot"]
"""How a threshold is derived: `quantile`, `mad` or `pot`."""

Rate = Annotated[float, Gt(0), Lt(1)]
"""The nominal false-alarm rate: the share of normal steps that may be alarms."""

_FEWEST_EXCESSES = 10


def threshold(calibration_T: Array, *, rule: Rule = "quantile", rate: Rate = 0.01) -> float:
    """Return the threshold that a rule derives from calibration scores; an alarm is a score above it.

    `calibration_T` holds one finite score per step of data that is taken to be normal; one step is
    enough. Constant calibration scores are their own threshold under every rule. An empty or
    non-finite calibration raises `DataError`, an unknown rule or a rate outside (0, 1) `OptionError`.

    >>> threshold(np.arange(101), rate=0.05)
    95.0
    """
    if rule not in _RULES:
        raise OptionError(f"rule = {rule!r}; allowed are {', '.join(get_args(Rule))}")
    return _RULES[rule](calibration_T, rate=rate)


def quantile(calibration_T: Array, *, rate: Rate) -> float:
    """Return the score that a share `rate` of the calibration scores exceeds, interpolated between steps.

    >>> quantile(np.arange(101), rate=0.1)
    90.0
    """
    return float(np.quantile(_checked(calibration_T, rate), 1 - rate))


def mad(calibration_T: Array, *, rate: Rate) -> float:
    """Return the median plus as many robust deviations as a normal distribution exceeds with probability `rate`.

    The deviation is the median absolute deviation (MAD) times 1.4826, which makes it the standard
    deviation of normally distributed scores. Where more than half of the scores are equal it is 0
    and the threshold their common value, which then may raise many more alarms than `rate`.
    Leys et al., Journal of Experimental Social Psychology 49, 2013.

    >>> round(mad(np.array([0, 1, 2, 3, 50]), rate=0.1587), 3)
    3.482
    """
    scores_T = _checked(calibration_T, rate)
    median = np.median(scores_T)
    deviation = np.median(np.abs(scores_T - median)) / ndtri(0.75)
    return float(median - ndtri(rate) * deviation)


def pot(calibration_T: Array, *, rate: Rate) -> float:
    """Return the score exceeded with probability `rate` under a generalised Pareto tail (peaks over threshold).

    Peaks are the scores above the 98 % quantile, or above that of ``1 - 2 * rate`` where it is lower.
    Their excesses are fitted by probability-weighted moments, a closed form that needs no search.
    With fewer than ten excesses, only equal ones, or so many ties that no more than a share `rate`
    lies above the initial quantile, the answer is that of `quantile`.
    Siffer et al., KDD 2017; the fit: Hosking and Wallis, Technometrics 29, 1987.

    >>> import math
    >>> scores_T = -np.log(1 - (np.arange(10_000) + 0.5) / 10_000)
    >>> round(pot(scores_T, rate=0.0001), 2), round(-math.log(0.0001), 2)
    (9.23, 9.21)
    """
    scores_T = _checked(calibration_T, rate)
    initial = np.quantile(scores_T, max(1 - max(0.02, 2 * rate), 0))
    excesses_N = np.sort(scores_T[scores_T > initial]) - initial
    share = len(excesses_N) / len(scores_T)
    if len(excesses_N) < _FEWEST_EXCESSES or share <= rate or excesses_N[0] == excesses_N[-1]:
        return quantile(scores_T, rate=rate)
    shape, scale = _pareto(excesses_N)
    return float(initial + scale * boxcox(share / rate, shape))


def _pareto(excesses_N: Array) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution with the same first two weighted moments."""
    N = len(excesses_N)
    mean = excesses_N.mean()
    # E[Y (1 - F(Y))] without bias, from rising excesses
    weighted = np.mean(excesses_N * np.arange(N - 1, -1, -1) / (N - 1))
    spread = mean - 2 * weighted
    return 2 - mean / spread, 2 * mean * weighted / spread


def _checked(calibration_T: Array, rate: float) -> Array:
    if not 0 < rate < 1:
        raise OptionError(f"rate = {rate!r}; a false-alarm rate lies between 0 and 1, both excluded")
    scores_T = np.asarray(calibration_T, dtype=np.float64)
    if scores_T.ndim != 1 or not scores_T.size:
        raise DataError(f"calibration_T has shape {scores_T.shape}; it must be (steps,), at least one")
    if not np.isfinite(scores_T).all():
        step = int(np.flatnonzero(~np.isfinite(scores_T))[0])
        raise DataError(f"calibration_T is {scores_T[step]} at step {step}; scores must be finite")
    return scores_T


_RULES: dict[Rule, Callable[..., float]] = {"quantile": quantile, "mad": mad, "pot": pot}
