"""Statistics of an execution: verdicts, intervals, ranks, stability and variance, all over series."""

from tsad_bench.statistics.families import family
from tsad_bench.statistics.intervals import Estimate, Interval, intervals
from tsad_bench.statistics.ranks import Ranks, median_differences, ranks
from tsad_bench.statistics.stability import agreement_of_datasets, agreement_of_metrics
from tsad_bench.statistics.units import Units, units
from tsad_bench.statistics.variance import Components, variance
from tsad_bench.statistics.verdicts import Comparison, Verdict, verdicts

__all__ = [
    "Comparison",
    "Components",
    "Estimate",
    "Interval",
    "Ranks",
    "Units",
    "Verdict",
    "agreement_of_datasets",
    "agreement_of_metrics",
    "family",
    "intervals",
    "median_differences",
    "ranks",
    "units",
    "variance",
    "verdicts",
]
