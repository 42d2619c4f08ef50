"""Variance components: hand-solved grids, simulated ones, and what is not measured."""

import numpy as np
import pytest
from tsad_bench.statistics import units, variance


def grid(make, values_SCM, **more):
    rows = [
        {"detector": "a", "value": value, "series": f"s{s}", "again": c, "seed": m, **more}
        for (s, c, m), value in np.ndenumerate(np.array(values_SCM, dtype=object))
    ]
    return make(*rows)


def test_a_grid_without_interaction_as_solved_by_hand(make) -> None:
    # rows 0 and 2, columns +0 and +4: variances 2 and 8, nothing left
    (found,) = variance(units(grid(make, [[[0, 4], [2, 6]]])))
    assert (found.corruption, found.seed, found.both) == pytest.approx((2, 8, 0))
    assert (found.series, found.corruption_seeds, found.seeds) == (1, 2, 2)


def test_a_grid_of_pure_interaction_has_neither_component(make) -> None:
    # mean squares: 0 and 0 for both, 4 for what is left; the estimates -2 and -2 are given as 0
    (found,) = variance(units(grid(make, [[[1, -1], [-1, 1]]])))
    assert (found.corruption, found.seed, found.both) == pytest.approx((0, 0, 4))


def test_components_of_simulated_series_are_found(make) -> None:
    rng = np.random.default_rng(0)
    S, C, M = 400, 3, 4
    level = rng.normal(0, 9, (S, 1, 1))
    values = level + rng.normal(0, 2, (S, C, 1)) + rng.normal(0, 1, (S, 1, M)) + rng.normal(0, 1, (S, C, M))
    (found,) = variance(units(grid(make, values)))
    assert (found.corruption, found.seed, found.both) == pytest.approx((4, 1, 1), rel=0.15)


def test_a_single_seed_is_not_measured_which_is_not_zero(make) -> None:
    values = np.random.default_rng(1).normal(size=(5, 1, 4))
    (found,) = variance(units(grid(make, values)))
    assert (found.corruption, found.both) == (None, None)
    assert found.seed == pytest.approx(values.var(axis=2, ddof=1).mean())
    (found,) = variance(units(grid(make, values.transpose(0, 2, 1))))
    assert (found.seed, found.both) == (None, None)
    assert found.corruption == pytest.approx(values.var(axis=2, ddof=1).mean())
    (found,) = variance(units(grid(make, values[:, :, :1])))
    assert (found.seed, found.corruption, found.both) == (None, None, None)


def test_a_detector_without_seeds_beside_one_with_them_has_none_measured(make) -> None:
    rows = [{"detector": "a", "value": float(s), "seed": s} for s in range(3)]
    with_seeds, without = variance(units(make(*rows, {"detector": "b", "value": 1.0})))
    assert with_seeds.seed == pytest.approx(1)
    assert (without.seed, without.seeds) == (None, 1)


def test_equal_values_have_a_variance_of_zero_which_is_measured(make) -> None:
    (found,) = variance(units(grid(make, np.ones((2, 2, 2)))))
    assert (found.corruption, found.seed, found.both) == (0, 0, 0)


def test_series_with_gaps_are_left_out(make) -> None:
    values = np.zeros((3, 1, 2), dtype=object)
    values[0] = [[0.0, 2.0]]
    values[1, 0, 1] = None
    values[2, 0, 1] = "failed"
    (found,) = variance(units(grid(make, values)))
    assert (found.series, found.seed) == (1, pytest.approx(2))


def test_data_sets_weigh_the_same(make) -> None:
    rows = [{"detector": "a", "value": v, "seed": m, "series": f"s{s}"} for s in range(3) for m, v in enumerate((0, 0))]
    rows += [{"detector": "a", "value": v, "seed": m, "dataset": "e"} for m, v in enumerate((0, 2))]
    assert variance(units(make(*rows)))[0].seed == pytest.approx(1)


def test_with_all_cells_failed_nothing_is_measured(make) -> None:
    (found,) = variance(units(grid(make, [[["no", "no"], ["no", "no"]]])))
    assert (found.series, found.seed, found.corruption, found.both) == (0, None, None, None)
