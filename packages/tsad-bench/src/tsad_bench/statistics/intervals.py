"""How sure the numbers of a table are: bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from tsad_core import Array

from tsad_bench.statistics.resampling import filled, resample, without_spread
from tsad_bench.statistics.units import Units, macro_mean


@dataclass(frozen=True)
class Interval:
    """A number with its bootstrap interval; without one, the reason."""

    value: float | None
    low: float | None = None
    high: float | None = None
    series: int = 0
    """Of how many series it is the mean."""
    families: int = 0
    """From how many sources these are: what is in truth resampled."""
    reason: str = ""


@dataclass(frozen=True)
class Estimate:
    """A detector's number in a table, and how far it is above the best control's."""

    detector: str
    number: Interval
    control: str = ""
    """The control with the best number; empty where there is none to compare with."""
    above: Interval | None = None
    """Detector minus that control on the series of both, positive is better; None for this control itself."""


def intervals(units: Units, *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> list[Estimate]:
    """Return each detector's number, the macro mean over data sets, and its difference to the best control.

    The resamples are those of `resample`: data set (from 5 on), base family, series, seed. The
    limits are percentiles of the resampled numbers: they never leave a metric's range and treat
    number and difference alike. BCa would need an acceleration, which a few families cannot give, and
    breaks down where resamples tie. In simulations with normal effects of family, series and seed,
    95 % intervals held the truth in 81 % of cases with 3 families, 92 % with 6, 95 % with 40.
    The best control is the best as observed, not in each resample.
    """
    control = _best_control(units)
    filled_SDCM = filled(units.values_SDCM)
    drawn = resample(units, resamples=resamples, seed=seed)
    numbers = _intervals(units, units.means_SD, drawn.macro_means(units, filled_SDCM), level=level)
    if not control:
        return [Estimate(name, number) for name, number in zip(units.detectors, numbers, strict=True)]
    best = units.detectors.index(control)
    gains_SDCM = units.sign * (filled_SDCM - filled_SDCM[:, [best]])
    above_SD = units.gains_SD - units.gains_SD[:, [best]]
    above = _intervals(units, above_SD, drawn.macro_means(units, gains_SDCM), level=level)
    return [
        Estimate(name, number, control, None if name == control else difference)
        for name, number, difference in zip(units.detectors, numbers, above, strict=True)
    ]


def _intervals(units: Units, values_SX: Array, resampled_RX: Array, *, level: float) -> list[Interval]:
    """Return the interval of each column's macro mean."""
    means_X = macro_mean(values_SX, units.stratum_S)
    places = [units.places[~np.isnan(values_S)] for values_S in values_SX.T]
    columns = zip(means_X, places, resampled_RX.T, strict=True)
    return [_interval(mean, known, resampled_R, level=level) for mean, known, resampled_R in columns]


def _interval(mean: float, known: pd.DataFrame, resampled_R: Array, *, level: float) -> Interval:
    families = len(known[["dataset", "family"]].drop_duplicates())
    if np.isnan(mean):
        return Interval(
            None, None, None, len(known), families, "not in every data set" if families else "no series done"
        )
    if obstacle := without_spread(known):
        return Interval(float(mean), None, None, len(known), families, obstacle)
    tail = (1 - level) / 2
    # a resample may hold no series that this detector has done
    low, high = np.nanquantile(resampled_R, [tail, 1 - tail])
    return Interval(float(mean), float(low), float(high), len(known), families)


def _best_control(units: Units) -> str:
    if units.better == "neither":
        return ""
    gains_D = macro_mean(units.gains_SD, units.stratum_S)
    able = {n: g for n, g in zip(units.detectors, gains_D, strict=True) if n in units.controls and not np.isnan(g)}
    return max(able, key=lambda name: able[name], default="")
