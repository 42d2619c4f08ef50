"""What the statistics compare: one metric under one condition, a row a series, a column a detector."""

import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from tsad_core import Array, Undefined
from tsad_core.errors import OptionError, did_you_mean

from tsad_bench.results import Results, controls_of, pooled, under
from tsad_bench.statistics.families import family

_SIGNS = {"higher": 1.0, "lower": -1.0}


@dataclass(frozen=True)
class Units:
    """The values of one metric under one condition, by series and detector.

    The unit of comparison is the series. A detector has done a series when every cell of it there
    ended ``done`` and the metric is defined in one or more of them.
    """

    metric: str
    condition: str
    better: str
    detectors: tuple[str, ...]
    controls: frozenset[str]
    places: pd.DataFrame
    """One row a series: ``dataset``, ``series``, ``family``, and ``block``, which twins have in common."""
    planned_SD: Array
    """Whether a detector has any cell on a series, however it ended."""
    values_SDCM: Array
    """By series, detector, corruption seed and model seed; NaN where there is no value."""

    @functools.cached_property
    def means_SD(self) -> Array:  # noqa: N802 - an array carries its axes
        """Mean over the cells of each series, as in tables; NaN where a detector has not done it."""
        return known_mean(self.values_SDCM, axis=(2, 3))

    @functools.cached_property
    def done_SD(self) -> Array:  # noqa: N802 - an array carries its axes
        """Whether a detector has done a series."""
        return np.asarray(~np.isnan(self.means_SD))

    @property
    def alive(self) -> tuple[str, ...]:
        """The detectors that have done any series."""
        return tuple(name for name, done_S in zip(self.detectors, self.done_SD.T, strict=True) if done_S.any())

    @property
    def sign(self) -> float:
        """1 where higher is better, -1 where lower is."""
        if self.better not in _SIGNS:
            raise OptionError(
                f"metric {self.metric} is {self.better!r} better, so nothing beats another by it; "
                "take one whose card says higher or lower"
            )
        return _SIGNS[self.better]

    @property
    def gains_SD(self) -> Array:  # noqa: N802 - an array carries its axes
        """`means_SD` with its sign such that higher is better."""
        return self.sign * self.means_SD

    @functools.cached_property
    def stratum_S(self) -> Array:  # noqa: N802 - an array carries its axes
        """The number of each series' data set."""
        return np.asarray(pd.factorize(self.places["dataset"])[0])

    @functools.cached_property
    def block_S(self) -> Array:  # noqa: N802 - an array carries its axes
        """The number of each series' group of twins; a series without twins has one of its own."""
        return np.asarray(pd.factorize(self.places["block"])[0])

    def only(self, series_S: Array, detectors: Iterable[str] | None = None) -> Self:
        """Keep some series by their numbers, and some detectors."""
        kept = self.detectors if detectors is None else tuple(detectors)
        columns = [self.detectors.index(name) for name in kept]
        return replace(
            self,
            detectors=kept,
            controls=self.controls & set(kept),
            places=self.places.iloc[series_S].reset_index(drop=True),
            planned_SD=self.planned_SD[series_S][:, columns],
            values_SDCM=self.values_SDCM[series_S][:, columns],
        )

    def complete(self) -> Self:
        """Keep the detectors that have done any series, and the series that all of these have done."""
        alive = self.only(np.arange(len(self.places)), self.alive)
        return alive.only(np.flatnonzero(alive.done_SD.all(axis=1)))

    def merged(self) -> Self:
        """Put the mean of each group of twins in the place of its first: what is left is independent."""
        _, first_B = np.unique(self.block_S, return_index=True)
        members = [self.block_S == self.block_S[first] for first in first_B]
        values_BDCM = [known_mean(self.values_SDCM[member_S], axis=0) for member_S in members]
        planned_BD = [self.planned_SD[member_S].any(axis=0) for member_S in members]
        firsts = self.only(first_B)
        return replace(
            firsts,
            values_SDCM=np.reshape(values_BDCM, firsts.values_SDCM.shape),
            planned_SD=np.reshape(planned_BD, firsts.planned_SD.shape),
        )


def units(
    results: Results,
    *,
    metric: str | None = None,
    condition: str | None = None,
    datasets: Collection[str] | None = None,
    controls: Collection[str] | None = None,
) -> Units:
    """Return one metric of an execution under one condition, for all statistics of this package.

    By default it is the headline under the first condition, on the data sets that tables pool, and
    the controls are the detectors of tsad-core.
    """
    frame = results.frame
    if frame.empty:
        raise Undefined("an execution without cells has nothing to compare")
    metric = _known("metric", metric or results.headline, results.metrics)
    condition = _known("condition", condition or frame["condition"].iloc[0], frame["condition"].unique())
    datasets = pooled(frame["dataset"]) if datasets is None else datasets
    cells = under(results, condition).frame
    cells = cells[cells["dataset"].isin(list(datasets))]
    if cells.empty:
        raise Undefined(f"no cells under {condition} on {', '.join(datasets) or 'data sets that are pooled'}")
    controls = controls_of(results) if controls is None else controls
    detectors = tuple(cells["detector"].unique())
    planned_SD, values_SDCM = _arrays(cells, metric)
    return Units(
        metric=metric,
        condition=condition,
        better=results.metrics[metric],
        detectors=detectors,
        controls=frozenset(controls) & set(detectors),
        places=_places(cells, frame),
        planned_SD=planned_SD,
        values_SDCM=values_SDCM,
    )


def macro_mean(values_SX: Array, stratum_S: Array) -> Array:
    """Return the mean over data sets of the mean over series of each column.

    Data sets weigh the same whatever their size, as in tables. A column without any value in some
    data set is NaN: its mean would be over other data sets than its neighbours'.
    """
    if not len(stratum_S):
        return np.full(values_SX.shape[1:], np.nan)
    by_stratum = [known_mean(values_SX[stratum_S == stratum], axis=0) for stratum in np.unique(stratum_S)]
    return np.asarray(np.mean(by_stratum, axis=0))


def known_mean(values: Array, *, axis: int | tuple[int, ...]) -> Array:
    """Return the mean of what is not NaN; NaN where there is nothing else, and no warning."""
    count = np.asarray((~np.isnan(values)).sum(axis=axis))
    mean: Array = np.divide(np.nansum(values, axis=axis), count, out=np.full(count.shape, np.nan), where=count > 0)
    return mean


def _known(kind: str, name: str, known: Iterable[str]) -> str:
    if name not in list(known):
        raise OptionError(f"no {kind} named {name!r} in these results; {did_you_mean(name, known)}")
    return name


def _arrays(cells: pd.DataFrame, metric: str) -> tuple[Array, Array]:
    """Return where there are cells, and the metric's values where a detector ended all cells of a series."""
    series = cells.groupby(["dataset", "series"], sort=False).ngroup().to_numpy()
    others = [pd.factorize(cells[column])[0] for column in ("detector", "corruption_seed", "seed")]
    values_SDCM = np.full([int(codes.max()) + 1 for codes in (series, *others)], np.nan)
    values_SDCM[series, *others] = cells[metric].to_numpy(dtype=float)
    planned_SD, lost_SD = np.zeros((2, *values_SDCM.shape[:2]), dtype=bool)
    planned_SD[series, others[0]] = True
    lost = (cells["status"] != "done").to_numpy()
    lost_SD[series[lost], others[0][lost]] = True
    values_SDCM[lost_SD] = np.nan
    return planned_SD, values_SDCM


def _places(cells: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    # a cell that was lost before its series was read knows no twin, but another cell does
    twins = frame.groupby(["dataset", "series"])["twin"].max()
    places = cells[["dataset", "series"]].drop_duplicates(ignore_index=True)
    keys = twins.reindex(pd.MultiIndex.from_frame(places)).tolist()
    named = list(zip(places["dataset"], places["series"], keys, strict=True))
    return places.assign(
        family=[family(dataset, series, twin) for dataset, series, twin in named],
        block=[twin or f"{dataset}:{series}" for dataset, series, twin in named],
    )
