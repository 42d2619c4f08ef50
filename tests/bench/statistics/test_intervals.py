"""Intervals: against known spreads, at each level of the hierarchy, and where there can be none."""

import numpy as np
import pandas as pd
import pytest
from tsad_bench.statistics import Units, intervals, units
from tsad_bench.statistics.resampling import POPULATION, filled, resample
from tsad_bench.statistics.units import macro_mean


def table(values_SD, *, families=None, datasets=None, better="higher", controls=()):
    """Make units of values by series and detector (and, with more axes, corruption seed and seed)."""
    values = np.array(values_SD, dtype=float)
    values = values.reshape(*values.shape, *[1] * (4 - values.ndim))
    names = [f"s{i}" for i in range(len(values))]
    places = {"dataset": datasets or "d", "series": names, "family": families or names, "block": names}
    detectors = tuple("abcdefgh"[: values.shape[1]])
    done = np.ones(values.shape[:2], dtype=bool)
    return Units("m", "clean", better, detectors, frozenset(controls), pd.DataFrame(places), done, values)


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    values = np.random.default_rng(0).normal(3, 2, (400, 1))
    number = intervals(table(values))[0].number
    error = values.std() / np.sqrt(400)
    assert number.value == pytest.approx(values.mean())
    assert number.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert number.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_series_of_one_family_are_no_more_than_one_witness() -> None:
    values = np.repeat(np.random.default_rng(1).normal(size=20), 10)[:, None]
    together = intervals(table(values, families=[f"f{i // 10}" for i in range(200)]))[0].number
    apart = intervals(table(values))[0].number
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(np.sqrt(10), rel=0.1)
    assert (together.families, apart.families) == (20, 200)


@pytest.mark.parametrize("shape", [(1, 3), (3, 1)])
def test_seeds_that_disagree_widen_the_interval(shape) -> None:
    same = np.ones((30, 1, *shape))
    apart = np.tile(np.reshape([0.0, 1.0, 2.0], shape), (30, 1, 1, 1))
    assert intervals(table(same))[0].number.high == 1
    number = intervals(table(apart))[0].number
    # 90 draws of a variance of 2/3, and nothing else varies
    assert number.high - number.low == pytest.approx(2 * 1.96 * np.sqrt(2 / 3 / 90), rel=0.15)


def test_a_difference_is_resampled_in_pairs() -> None:
    level = np.random.default_rng(2).normal(0, 5, 50)
    a, b = intervals(table(np.stack([level, level + 0.25], axis=1), controls={"a"}))
    assert a.above is None
    assert b.control == "a"
    assert b.above.value == pytest.approx(0.25)
    assert (b.above.low, b.above.high) == pytest.approx((0.25, 0.25))
    assert b.number.high - b.number.low > 1


def test_a_corruption_that_strikes_both_is_no_difference() -> None:
    # the control has no seeds; the corruption seeds shift it and the detector alike
    shift_C = np.array([0.0, 1.0, 5.0])
    values = np.full((10, 2, 3, 2), np.nan)
    values[:, 0, :, 0] = shift_C
    values[:, 1] = shift_C[:, None] + 0.5
    above = intervals(table(values, controls={"a"}))[1].above
    assert (above.value, above.low, above.high) == pytest.approx((0.5, 0.5, 0.5))


def test_where_lower_is_better_the_best_control_is_the_lowest_and_less_is_above() -> None:
    values = np.tile([0.5, 0.2, 0.1], (6, 1))
    estimates = intervals(table(values, better="lower", controls={"a", "b"}))
    assert estimates[2].control == "b"
    assert estimates[2].above.low == pytest.approx(0.1)
    assert estimates[2].number.value == pytest.approx(0.1)


def test_a_metric_without_a_direction_has_intervals_and_no_differences() -> None:
    (one, _) = intervals(table(np.ones((6, 2)), better="neither", controls={"a"}))
    assert one.number.low == 1
    assert (one.control, one.above) == ("", None)


def test_few_data_sets_are_fixed_and_many_are_resampled() -> None:
    def spread(datasets):
        levels = np.repeat(np.arange(datasets, dtype=float), 4)
        names = [f"d{i // 4}" for i in range(len(levels))]
        number = intervals(table(levels[:, None], datasets=names))[0].number
        return number.high - number.low

    assert spread(POPULATION - 1) == 0
    assert spread(POPULATION) > 1


def test_what_is_drawn_twice_has_its_parts_drawn_twice() -> None:
    names = [f"d{i // 6}" for i in range(36)]
    made = table(np.ones((36, 1, 2, 3)), datasets=names, families=[f"f{i // 2}" for i in range(36)])
    drawn = resample(made, resamples=50)
    by_dataset = drawn.series_RS.reshape(50, 6, 3, 2).sum(axis=3)
    assert (drawn.datasets_RN.sum(axis=1) == 6).all()
    np.testing.assert_array_equal(by_dataset.sum(axis=2), drawn.datasets_RN * 6)
    assert (by_dataset % 2 == 0).all()
    np.testing.assert_array_equal(drawn.cells_RSCM.sum(axis=(2, 3)), drawn.series_RS * 6)


def test_resampled_means_equal_those_of_tables_written_out() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(12, 2, 1, 3))
    values[4, 1] = np.nan
    made = table(values, datasets=["d"] * 8 + ["e"] * 4, families=[f"f{i // 2}" for i in range(12)])
    drawn = resample(made, resamples=20)
    means_RX = drawn.macro_means(made, filled(values))
    for r in range(20):
        cells = drawn.cells_RSCM[r, :, 0]
        copies = [(s, m) for s in range(12) for m in range(3) for _ in range(cells[s, m])]
        for x in range(2):
            by_dataset = {"d": [], "e": []}
            for s, m in copies:
                if not np.isnan(values[s, x, 0, m]):
                    by_dataset[made.places["dataset"][s]].append(values[s, x, 0, m])
            assert means_RX[r, x] == pytest.approx(np.mean([np.mean(each) for each in by_dataset.values()]))


def test_the_same_seed_gives_the_same_interval_and_another_does_not() -> None:
    made = table(np.random.default_rng(4).normal(size=(30, 2)))
    assert intervals(made) == intervals(made)
    assert intervals(made) != intervals(made, seed=1)


def test_one_series_or_one_family_has_a_number_without_an_interval() -> None:
    (one,) = intervals(table([[0.5]]))
    assert (one.number.value, one.number.low, one.number.high) == (0.5, None, None)
    (one,) = intervals(table([[0.5], [0.7]], families=["f", "f"]))
    assert one.number.reason == "a single family of series in d: nothing to resample"


def test_what_has_no_number_says_why(make) -> None:
    made = make(
        *({"detector": "a", "value": 0.5, "series": f"s{i}", "dataset": d} for i in range(3) for d in "de"),
        *({"detector": "b", "value": 0.5, "series": f"s{i}"} for i in range(3)),
        *({"detector": "c", "value": "no", "series": f"s{i}", "dataset": d} for i in range(3) for d in "de"),
        *({"detector": "pca", "value": None, "series": f"s{i}", "dataset": d} for i in range(3) for d in "de"),
    )
    found = {one.detector: one for one in intervals(units(made))}
    assert found["a"].number.value == 0.5
    assert found["b"].number.reason == "not in every data set"
    assert found["c"].number.reason == found["pca"].number.reason == "no series done"
    assert found["a"].control == ""


def test_with_all_cells_failed_there_are_only_reasons(make) -> None:
    found = intervals(units(make({"detector": "a", "value": "no"}, {"detector": "pca", "value": "no"})))
    assert [one.number.value for one in found] == [None, None]


def test_the_number_is_the_table_s_when_seeds_are_undefined_here_and_there() -> None:
    values = np.random.default_rng(5).normal(size=(8, 1, 2, 2))
    values[0, 0, 0, 0] = np.nan
    made = table(values)
    assert intervals(made)[0].number.value == pytest.approx(macro_mean(made.means_SD, made.stratum_S).item())
