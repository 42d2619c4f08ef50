"""What is compared: the series, after its seeds were averaged."""

import doctest
import importlib

import numpy as np
import pytest
from tsad_bench.results import over_datasets, summarise
from tsad_bench.statistics import units
from tsad_bench.statistics.units import macro_mean
from tsad_core import Undefined
from tsad_core.errors import OptionError


def test_seeds_and_corruption_seeds_are_averaged_inside_a_series(make) -> None:
    rows = [
        {"detector": "a", "value": v, "seed": s, "again": c} for v, s, c in [(0, 0, 0), (1, 1, 0), (2, 0, 1), (5, 1, 1)]
    ]
    assert units(make(*rows)).means_SD.tolist() == [[2.0]]


def test_a_series_with_a_failed_seed_is_not_done_and_an_undefined_seed_is_passed_over(make) -> None:
    made = make(
        {"detector": "a", "value": 1.0},
        {"detector": "a", "value": "no", "seed": 1},
        {"detector": "b", "value": 1.0},
        {"detector": "b", "value": None, "seed": 1},
    )
    found = units(made)
    np.testing.assert_array_equal(found.means_SD, [[np.nan, 1.0]])
    assert found.alive == ("b",)
    assert found.planned_SD.all()


def test_the_macro_mean_is_the_table_s(make) -> None:
    rows = [
        {"detector": "a", "value": v, "dataset": d, "series": s}
        for d, s, v in [("d", "x", 0.1), ("d", "y", 0.5), ("e", "x", 0.9)]
    ]
    rows += [{"detector": "b", "value": 0.3, "series": "x"}]
    made = make(*rows)
    found = units(made)
    means = dict(zip(found.detectors, macro_mean(found.means_SD, found.stratum_S), strict=True))
    assert means["a"] == over_datasets(summarise(made))["mean"].item() == pytest.approx(0.6)
    assert np.isnan(means["b"])


def test_a_condition_and_a_metric_are_chosen_by_name(make) -> None:
    made = make(
        {"detector": "a", "value": {"m": 0.1, "k": 5.0}},
        {"detector": "a", "value": {"m": 0.2, "k": 6.0}, "condition": "white-noise@10"},
        better={"m": "higher", "k": "lower"},
    )
    assert units(made).means_SD.item() == 0.1
    assert units(made, metric="k", condition="white-noise@10").gains_SD.item() == -6.0
    with pytest.raises(OptionError, match="no metric named 'n'"):
        units(made, metric="n")
    with pytest.raises(OptionError, match=r"no condition named 'white-noise@11' .* 'white-noise@10'"):
        units(made, condition="white-noise@11")


def test_data_sets_that_are_shown_but_not_pooled_are_left_out_unless_asked_for(make) -> None:
    made = make(*({"detector": "a", "value": v, "dataset": d} for d, v in (("ucr", 0.2), ("nab", 0.8), ("smap", 0.9))))
    assert units(made).means_SD.tolist() == [[0.2]]
    assert units(made, datasets=["nab"]).means_SD.tolist() == [[0.8]]
    with pytest.raises(Undefined, match="no cells under clean on smd"):
        units(made, datasets=["smd"])


def test_nothing_at_all_is_undefined(make) -> None:
    with pytest.raises(Undefined, match="without cells"):
        units(make())


def test_a_cell_that_was_lost_still_knows_its_twin(make) -> None:
    made = make(
        {"detector": "a", "value": "no", "series": "x"},
        {"detector": "a", "value": 1.0, "series": "y", "twin": "t"},
        {"detector": "b", "value": 1.0, "series": "x", "twin": "t"},
    )
    assert units(made).block_S.tolist() == [0, 0]


def test_merging_puts_the_mean_of_twins_in_place_of_the_first(make) -> None:
    values = [("x", "t", 1.0), ("y", "", 5.0), ("z", "t", 3.0)]
    merged = units(make(*({"detector": "a", "value": v, "series": s, "twin": t} for s, t, v in values))).merged()
    assert merged.places["series"].tolist() == ["x", "y"]
    assert merged.means_SD.tolist() == [[2.0], [5.0]]


def test_controls_are_those_of_tsad_core_or_as_told(make) -> None:
    made = make({"detector": "pca", "value": 1.0}, {"detector": "a", "value": 1.0})
    assert units(made).controls == {"pca"}
    assert units(made, controls=["a", "identity"]).controls == {"a"}


@pytest.mark.parametrize("module", ["families", "ranks", "verdicts"])
def test_the_examples_of_the_docstrings_run(module: str) -> None:
    # the package's function of that name hides the module's
    found = doctest.testmod(importlib.import_module(f"tsad_bench.statistics.{module}"))
    assert found.attempted > 0
    assert found.failed == 0
