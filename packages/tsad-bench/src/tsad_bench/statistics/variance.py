"""How much of the spread inside a series comes from model seeds, and how much from corruption seeds."""

from dataclasses import dataclass

import numpy as np
from tsad_core import Array

from tsad_bench.statistics.units import Units, macro_mean


@dataclass(frozen=True)
class Components:
    """Variances inside a series, in squares of the metric's unit; None where it is not measured.

    With a single corruption seed what depends on both falls to `seed`, and the other way round.
    """

    detector: str
    seed: float | None
    """Between model seeds."""
    corruption: float | None
    """Between corruption seeds."""
    both: float | None
    """What is left: a model seed does well under one corruption seed and badly under another."""
    series: int
    """Of how many series it is the mean."""
    seeds: int
    corruption_seeds: int


def variance(units: Units) -> list[Components]:
    """Return the variance components of each detector.

    Every model seed meets every corruption seed, so they are crossed. For each series mean squares
    are taken, averaged as in tables (over series, then over data sets), and solved for the
    components by the method of moments (Searle, Casella and McCulloch, Variance Components, 1992,
    4.3); an estimate below 0 is given as 0. Series on which a combination of seeds has no value
    are left out.
    """
    return [_components(units, d) for d in range(len(units.detectors))]


def _components(units: Units, detector: int) -> Components:
    grid_SCM = _grid(units.values_SDCM[:, detector])
    C, M = grid_SCM.shape[1:]
    # a detector that has done nothing has no seeds, and a grid without seeds no gaps
    whole_S = ~np.isnan(grid_SCM).any(axis=(1, 2)) & (C * M > 0)
    series = int(whole_S.sum())
    unknown = Components(units.detectors[detector], None, None, None, series, seeds=M, corruption_seeds=C)
    if not series or C * M == 1:
        return unknown
    grid_SCM = grid_SCM[whole_S]
    squares_S3 = np.stack(_mean_squares(grid_SCM), axis=1)
    corruption, seed, both = (float(mean) for mean in macro_mean(squares_S3, units.stratum_S[whole_S]))
    crossed = C > 1 and M > 1
    return Components(
        units.detectors[detector],
        seed=max((seed - both) / C, 0.0) if M > 1 else None,
        corruption=max((corruption - both) / M, 0.0) if C > 1 else None,
        both=both if crossed else None,
        series=series,
        seeds=M,
        corruption_seeds=C,
    )


def _grid(values_SCM: Array) -> Array:
    """Keep the seeds that the detector has at all."""
    known_SCM = ~np.isnan(values_SCM)
    return values_SCM[:, known_SCM.any(axis=(0, 2))][:, :, known_SCM.any(axis=(0, 1))]


def _mean_squares(grid_SCM: Array) -> tuple[Array, Array, Array]:
    """Return the mean squares of corruption seeds, of model seeds, and of what is left; 0 where there is one seed."""
    _, C, M = grid_SCM.shape
    mean_S11 = grid_SCM.mean(axis=(1, 2), keepdims=True)
    corruption_SC1 = grid_SCM.mean(axis=2, keepdims=True) - mean_S11
    seed_S1M = grid_SCM.mean(axis=1, keepdims=True) - mean_S11
    left_SCM = grid_SCM - mean_S11 - corruption_SC1 - seed_S1M
    freedoms = max(C - 1, 1), max(M - 1, 1), max((C - 1) * (M - 1), 1)
    sums = M * corruption_SC1**2, C * seed_S1M**2, left_SCM**2
    return tuple(each.sum(axis=(1, 2)) / freedom for each, freedom in zip(sums, freedoms, strict=True))
