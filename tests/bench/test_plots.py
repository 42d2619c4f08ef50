"""Pictures: thinned without losing a peak, drawn for any kind of series."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tsad_bench.cells import Cell
from tsad_bench.plots import POINTS, plot_cell, thinned
from tsad_core import find_plugins


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
    cell = Cell("pca", "pca", "synthetic", "sines-0", dataset_options={"channels": 9, "test_steps": 300})
    scores = pd.DataFrame({"part": ["test"] * 300 + ["calibration"] * 3, "score": np.arange(303.0)})
    plot_cell(cell, scores, tmp_path / "a.png", home=None, registry=find_plugins())
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
