"""Resamples of an execution: how often each holds each data set, series and seed."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tsad_core import Array

from tsad_bench.statistics.units import Units, known_mean

POPULATION = 5
"""From so many data sets on they are resampled too. Fewer are fixed: three have but ten different resamples, and
what is said is then said of these data sets, not of others like them."""


@dataclass(frozen=True)
class Resamples:
    """Counts of the hierarchical bootstrap, made once for all detectors: no table is walked again."""

    datasets_RN: Array
    series_RS: Array
    cells_RSCM: Array
    """Of corruption and model seeds, each of which a series has its count times as many as in the execution."""

    def macro_means(self, units: Units, filled_SXCM: Array) -> Array:
        """Return the mean over data sets of the mean over series, for each resample and column of `filled` values."""
        done_SX = ~np.isnan(filled_SXCM[:, :, 0, 0])
        by_stratum = [self._means(filled_SXCM, done_SX, units.stratum_S == n) for n in range(self.datasets_RN.shape[1])]
        means_RNX, drawn_RN1 = np.stack(by_stratum, axis=1), self.datasets_RN[:, :, None]
        # a data set that was not drawn has no mean, and needs none
        return np.asarray(np.where(drawn_RN1 > 0, drawn_RN1 * means_RNX, 0).sum(axis=1) / drawn_RN1.sum(axis=1))

    def _means(self, filled_SXCM: Array, done_SX: Array, mine_S: Array) -> Array:
        values_VX = np.nan_to_num(np.moveaxis(filled_SXCM[mine_S], 1, -1)).reshape(-1, done_SX.shape[1])
        sums_RX = self.cells_RSCM[:, mine_S].reshape(len(self.cells_RSCM), -1).astype(float) @ values_VX
        cells = math.prod(self.cells_RSCM.shape[2:])
        counts_RX = cells * self.series_RS[:, mine_S].astype(float) @ done_SX[mine_S].astype(float)
        means_RX: Array = np.divide(sums_RX, counts_RX, out=np.full(sums_RX.shape, np.nan), where=counts_RX > 0)
        return means_RX


def resample(units: Units, *, resamples: int, seed: int = 0) -> Resamples:
    """Draw with replacement data sets, families in them, series in these, corruption seeds, and model seeds.

    What is drawn twice has its parts drawn twice. All detectors share the draws, so a difference
    between two is resampled as one (Davison and Hinkley, Bootstrap Methods, 1997, 3.8). Drawing at
    every level makes intervals rather too wide than too narrow.
    """
    rng = np.random.default_rng(seed)
    datasets = int(units.stratum_S.max(initial=-1)) + 1
    once_R = np.ones(resamples, dtype=int)
    datasets_RN = _draw(rng, once_R, datasets) if datasets >= POPULATION else np.ones((resamples, datasets), dtype=int)
    series_RS = np.zeros((resamples, len(units.stratum_S)), dtype=int)
    for stratum in range(datasets):
        _draw_series(rng, units, stratum, drawn_R=datasets_RN[:, stratum], series_RS=series_RS)
    *_, C, M = units.values_SDCM.shape
    return Resamples(datasets_RN, series_RS, _draw(rng, _draw(rng, series_RS, C), M))


def without_spread(places: pd.DataFrame) -> str:
    """Say why series cannot be resampled, if so."""
    families = places.groupby("dataset", sort=False)["family"].nunique()
    single = [str(name) for name in families.index[families < 2]]
    if not single or len(families) >= POPULATION:
        return ""
    return f"a single family of series in {', '.join(single)}: nothing to resample"


def filled(values_SXCM: Array) -> Array:
    """Give missing seeds the mean of those that are there: a detector without seeds is the same for all."""
    over_seeds = known_mean(values_SXCM, axis=3)[..., None]
    known_SXCM = np.where(np.isnan(values_SXCM), over_seeds, values_SXCM)
    over_corruptions = known_mean(known_SXCM, axis=2)[:, :, None]
    return np.where(np.isnan(known_SXCM), over_corruptions, known_SXCM)


def _draw_series(rng: np.random.Generator, units: Units, stratum: int, *, drawn_R: Array, series_RS: Array) -> None:
    mine = np.flatnonzero(units.stratum_S == stratum)
    codes, families = pd.factorize(units.places["family"].iloc[mine])
    families_RF = _draw(rng, drawn_R, len(families))
    for number in range(len(families)):
        members = mine[codes == number]
        series_RS[:, members] = _draw(rng, families_RF[:, number], len(members))


def _draw(rng: np.random.Generator, parents: Array, parts: int) -> Array:
    """Return how often each part of each parent is drawn: `parts` times for each time that the parent was."""
    return rng.multinomial(parents * parts, np.full(parts, 1 / parts))
