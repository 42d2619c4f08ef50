"""Hand-made executions for the statistics."""

from collections.abc import Callable, Mapping

import pytest
from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome
from tsad_bench.results import Results, collect

Make = Callable[..., Results]


@pytest.fixture
def make() -> Make:
    """Return what makes results of rows that say who, where and what came out."""
    return _results


def _results(*rows: Mapping[str, object], better: str | Mapping[str, str] = "higher") -> Results:
    """Make results; a value of None is an undefined metric, a text the reason of a cell that failed."""
    metrics = {"m": better} if isinstance(better, str) else better
    pairs = [_pair(**row) for row in rows]
    return collect(pairs, metrics=metrics, headline="m")


def _pair(
    detector: str,
    value: object,
    *,
    dataset: str = "d",
    series: str = "s0",
    seed: int = 0,
    again: int = 0,
    condition: str = "clean",
    twin: str = "",
) -> tuple[Cell, Outcome]:
    cell = Cell(detector, detector, dataset, series, condition=condition, seed=seed, corruption_seed=again)
    outcome = Outcome(cell.slot, facts={"distribution": "tsad-core" if detector in {"random", "pca"} else "tsad-foo"})
    if isinstance(value, str):
        outcome.status, outcome.reason = "failed", value
        return cell, outcome
    outcome.facts["twin"] = twin
    if value is not None:
        outcome.metrics = dict(value) if isinstance(value, Mapping) else {"m": value}
    return cell, outcome
