"""Whether detectors keep their order when the metric or the data set changes."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from tsad_bench.results import Results
from tsad_bench.statistics.units import Units, macro_mean, units

Numbers = Mapping[str, float]
"""A number a detector, higher is better."""


def agreement_of_metrics(results: Results, *, condition: str | None = None) -> pd.DataFrame:
    """Return Kendall's tau-b between the orders in which two metrics put the detectors.

    One row a pair of metrics: ``first``, ``second``, ``tau``, ``n`` detectors, and ``reason`` where
    tau is not defined (then it is NaN): fewer than 3 detectors, or all of them tied. Metrics of
    which neither way is better are left out. Numbers are the macro means of tables over the series
    that all detectors with any result have done; the metrics' directions are taken into account,
    so 1 is the same order (Kendall, Biometrika 1945).
    """
    directed = [metric for metric, better in results.metrics.items() if better != "neither"]
    found = {metric: _numbers(units(results, metric=metric, condition=condition)) for metric in directed}
    return _agreement(found)


def agreement_of_datasets(results: Results, *, metric: str | None = None, condition: str | None = None) -> pd.DataFrame:
    """Return Kendall's tau-b between the orders in which two data sets put the detectors.

    All data sets are compared, also those that tables show and do not pool; all else is as in
    `agreement_of_metrics`.
    """
    whole = units(results, metric=metric, condition=condition, datasets=_datasets(results))
    names = whole.places["dataset"]
    return _agreement({str(name): _numbers(whole.only(np.flatnonzero(names == name))) for name in names.unique()})


def _datasets(results: Results) -> list[str]:
    return [] if results.frame.empty else results.frame["dataset"].unique().tolist()


def _numbers(units: Units) -> Numbers:
    whole = units.complete()
    means_D = macro_mean(whole.gains_SD, whole.stratum_S)
    return {name: float(mean) for name, mean in zip(whole.detectors, means_D, strict=True) if not np.isnan(mean)}


def _agreement(found: Mapping[str, Numbers]) -> pd.DataFrame:
    rows = [[a, b, *_tau(found[a], found[b])] for a, b in itertools.combinations(found, 2)]
    return pd.DataFrame(rows, columns=["first", "second", "tau", "n", "reason"])


def _tau(ours: Numbers, theirs: Numbers) -> tuple[float, int, str]:
    common = [name for name in ours if name in theirs]
    if len(common) < 3:
        return np.nan, len(common), f"{len(common)} detectors in common; an order wants 3 or more"
    pair = [[numbers[name] for name in common] for numbers in (ours, theirs)]
    if any(len(set(values)) == 1 for values in pair):
        return np.nan, len(common), "all detectors tie"
    return float(stats.kendalltau(*pair).statistic), len(common), ""
