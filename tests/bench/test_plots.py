"""Pictures: thinned without losing a peak, drawn for any kind of series."""

from pathlib import Path

import numpy as np
import pytest
from tsad_bench.artifacts import write_artifacts
from tsad_bench.cells import Cell
from tsad_bench.measure import first_cells
from tsad_bench.plots import POINTS, plot_cell, thinned
from tsad_core.datasets.synthetic import synthetic
from tsad_core.metric import INPUTS


@pytest.mark.parametrize("steps", [1, POINTS, POINTS + 1, 123_457])
def test_a_long_line_is_thinned_and_keeps_every_peak(steps: int) -> None:
    values_T = np.random.default_rng(0).normal(size=steps)
    peaks = np.random.default_rng(1).integers(0, steps, size=5)
    values_T[peaks] = [9, -9, 10, -11, 12]
    kept_T, shown_T = thinned(values_T)
    assert set(peaks) <= set(kept_T)
    np.testing.assert_array_equal(shown_T, values_T[kept_T])
    assert len(kept_T) <= max(POINTS, 1)
    assert (np.diff(kept_T) > 0).all()


def test_a_picture_is_drawn_of_a_series_with_more_channels_than_fit(tmp_path: Path) -> None:
    series = synthetic(channels=9, test_steps=300)["sines-0"]()
    inputs = dict.fromkeys(INPUTS) | {"scores_T": np.arange(300.0), "calibration_T": np.arange(7.0)}
    write_artifacts(tmp_path, inputs, whole=False)
    plot_cell(tmp_path, series, title="pca")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_the_cells_drawn_are_those_of_each_data_sets_first_series() -> None:
    cells = [
        Cell(detector, detector, dataset, series, condition=condition, seed=seed)
        for dataset in ("d", "e")
        for series in ("s0", "s1")
        for detector in ("a", "b")
        for seed in (0, 1)
        for condition in ("clean", "train-anomalies@5")
    ]
    chosen = [cell for cell in cells if cell.slot in first_cells(cells, 1)]
    assert {(c.dataset, c.detector, c.series, c.condition, c.seed) for c in chosen} == {
        (dataset, detector, "s0", "clean", 0) for dataset in "de" for detector in "ab"
    }
    assert len(first_cells(cells, 2)) == 8
    assert first_cells(cells, 0) == frozenset()
