"""Pictures: thinned without losing a peak, drawn for any kind of series, with reasons where a cell kept them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from tsad_bench.artifacts import write_artifacts
from tsad_bench.cells import Cell
from tsad_bench.measure import first_cells
from tsad_bench.plots import POINTS, most_blamed, plot_cell, thinned
from tsad_bench.plots.look import View, around, largest_event, runs
from tsad_bench.plots.reasons import draw_reasons
from tsad_bench.plots.thinning import COLUMNS, pooled
from tsad_core import Detection, Series
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


def test_a_peak_beside_missing_values_is_kept_and_a_stretch_without_values_is_a_gap() -> None:
    values_T = np.zeros(10 * POINTS)
    values_T[::3] = np.nan
    values_T[100:300] = np.nan
    values_T[[7_001, 39_001]] = [5, -5]
    kept_T, shown_T = thinned(values_T)
    assert {7_001, 39_001} <= set(kept_T)
    assert np.isnan(shown_T[(kept_T >= 100) & (kept_T < 300)]).all()
    assert not np.isnan(shown_T[kept_T >= 320]).any()


@pytest.mark.parametrize("steps", [1, COLUMNS, COLUMNS + 1, 12_345])
def test_a_heat_map_keeps_the_peak_of_every_channel_in_the_column_of_its_step(steps: int) -> None:
    values_TC = np.zeros((steps, 2), dtype=np.float32)
    values_TC[[steps // 3, steps - 1], [0, 1]] = [3, 4]
    pooled_PC, width = pooled(values_TC)
    assert len(pooled_PC) <= COLUMNS
    assert pooled_PC[steps // 3 // width, 0] == 3
    assert pooled_PC[-1, 1] == 4
    assert pooled_PC.sum() == 7


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("", []),
        ("0", []),
        ("1", [[0, 0, 1]]),
        ("0110", [[0, 1, 3]]),
        ("11 00 01", [[0, 0, 2], [2, 1, 2]]),
        ("101", [[0, 0, 1], [0, 2, 3]]),
    ],
)
def test_runs_are_told_by_row_first_and_last(rows: str, found: list[list[int]]) -> None:
    flags_RN = np.array([[letter == "1" for letter in row] for row in rows.split()] or [[]], dtype=bool)
    assert runs(flags_RN).tolist() == found


def test_the_largest_event_is_the_longest_or_the_highest_score() -> None:
    scores_T = np.array([0, 9, 0, 0, 1, 1, 0])
    labels_T = np.array([1, 1, 0, 1, 1, 1, 0], dtype=bool)
    assert largest_event(labels_T, scores_T) == View(3, 6, "largest event")
    assert largest_event(None, scores_T) == View(1, 2, "highest score")
    assert largest_event(labels_T & False, scores_T) == View(1, 2, "highest score")


def test_an_event_is_shown_with_as_much_around_it_and_no_step_that_does_not_exist() -> None:
    assert around(View(500, 600, "e"), 1000) == View(400, 700, "e")
    assert around(View(500, 501, "e"), 1000) == View(450, 551, "e")
    assert around(View(0, 1, "e"), 1) == View(0, 1, "e")


def test_channels_are_blamed_by_attribution_else_by_what_was_expected_else_by_deviation_from_training() -> None:
    train_TC = np.array([[0, 0, 0], [2, 2, 200]], dtype=np.float32)
    series = Series(name="s", train_TC=train_TC, test_TC=np.array([[1, 5, 100], [1, 5, 110]], dtype=np.float32))
    scores_T, attribution_TC = np.ones(2), np.array([[0, 9, 0], [3, 1, 2]])
    expected_TC = np.array([[0, 0, 0], [1, 4, 100]])
    both = Detection(scores_T, attribution_TC=attribution_TC, expected_TC=expected_TC)
    assert most_blamed(series, both, 1, 2).tolist() == [0, 2, 1]
    assert most_blamed(series, both, 0, 2)[0] == 1
    assert most_blamed(series, Detection(scores_T, expected_TC=expected_TC), 1, 2).tolist() == [2, 1, 0]
    assert most_blamed(series, Detection(scores_T), 1, 2).tolist() == [1, 2, 0]


def test_a_true_cause_is_outlined_and_nothing_else() -> None:
    series, attribution_TC = example(channels=3)
    causes_TC = np.zeros(series.test_TC.shape, dtype=bool)
    causes_TC[10:20, 1:3] = True
    marked = replace(series, root_causes_TC=causes_TC, labels_T=causes_TC.any(axis=1))
    detection = Detection(np.ones(len(causes_TC)), attribution_TC=attribution_TC)
    figure = draw_reasons(marked, detection, (View(0, 300, "all"), View(5, 25, "event")), np.arange(3), title="t")
    for axes in figure.axes[:2]:
        (outline,) = [found for found in axes.collections if isinstance(found, LineCollection)]
        corners = np.concatenate(outline.get_segments())
        assert {tuple(corner) for corner in corners} == {(9.5, 0.5), (19.5, 0.5), (9.5, 2.5), (19.5, 2.5)}
        assert len(outline.get_segments()) == 4


@pytest.mark.parametrize("channels", [1, 9, 120])
def test_pictures_are_drawn_of_any_number_of_channels(tmp_path: Path, channels: int) -> None:
    series, attribution_TC = example(channels=channels)
    keep(tmp_path, series, attribution_TC=attribution_TC, expected_TC=series.normal_TC, observed_TC=series.test_TC)
    plot_cell(tmp_path, series, title="pca")
    assert is_picture(tmp_path / "scores.png")
    assert is_picture(tmp_path / "reasons.png")


def test_a_cell_that_kept_no_reasons_has_a_picture_of_its_scores_alone(tmp_path: Path) -> None:
    series, _ = example(channels=9)
    keep(tmp_path, series)
    plot_cell(tmp_path, series, title="pca")
    assert is_picture(tmp_path / "scores.png")
    assert not (tmp_path / "reasons.png").exists()


def test_pictures_are_drawn_of_one_step_without_labels_of_missing_values_and_of_odd_names(tmp_path: Path) -> None:
    nothing_TC = np.full((1, 2), np.nan, dtype=np.float32)
    series = Series(name="s", train_TC=nothing_TC, test_TC=nothing_TC, missing=True, channels=("$x", "_{"))
    keep(tmp_path, series, attribution_TC=np.zeros((1, 2)), expected_TC=np.ones((1, 2)), observed_TC=nothing_TC)
    plot_cell(tmp_path, series, title="$a on \\b")
    assert is_picture(tmp_path / "reasons.png")


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


def test_data_sets_of_one_name_and_other_options_each_have_a_first_series() -> None:
    cells = [Cell("a", "a", "injected", "s", dataset_label=f"injected-source-{source}") for source in ("asd", "smd")]
    cells = [replace(cell, dataset_options={"source": cell.source[-3:]}) for cell in cells]
    assert first_cells(cells, 1) == {cell.slot for cell in cells}


def example(*, channels: int) -> tuple[Series, np.ndarray]:
    series = synthetic(channels=channels, test_steps=300)["sines-0"]()
    return series, np.abs(series.test_TC - series.normal_TC)


def keep(folder: Path, series: Series, **given: np.ndarray) -> None:
    scores_T = np.arange(float(len(series.test_TC)))
    inputs = dict.fromkeys(INPUTS) | {"scores_T": scores_T, "calibration_T": np.arange(7.0)} | given
    write_artifacts(folder, inputs, whole=bool(given))


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")
