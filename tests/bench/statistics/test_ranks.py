"""Ranks: hand-solved ties and groups, Friedman and Holm by other ways, and where ranks say nothing."""

import itertools

import numpy as np
import pytest
from scipy import stats
from tsad_bench.statistics import median_differences, ranks, units
from tsad_bench.statistics.ranks import holm
from tsad_core import Undefined


def execution(make, columns, **more):
    """Make results of values by detector."""
    rows = [
        {"detector": name, "value": v, "series": f"s{i}", **more}
        for name, values in columns.items()
        for i, v in enumerate(values)
    ]
    return units(make(*rows))


def noise(n, *, seed=0, **shifts):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(shift, 1, n) for name, shift in shifts.items()}


def test_average_ranks_share_ties_and_one_is_best(make) -> None:
    a, b, c = [9.0] * 10, [1.0] * 8 + [9.0] * 2, [0.0] * 10
    found = ranks(execution(make, {"c": c, "b": b, "a": a}))
    assert found.detectors == ("a", "b", "c")
    # a is first 8 times and ties with b twice
    assert found.average_D == pytest.approx([1.1, 1.9, 3.0])


def test_friedman_is_that_of_its_formula(make) -> None:
    columns = noise(15, a=0, b=0.5, c=1, d=0)
    found = ranks(execution(make, columns))
    sums = 15 * found.average_D
    statistic = 12 / (15 * 4 * 5) * np.sum(sums**2) - 3 * 15 * 5
    assert found.friedman_p == pytest.approx(stats.chi2.sf(statistic, 3))


def test_pairs_carry_wilcoxon_and_holm(make) -> None:
    columns = noise(12, a=2, b=0, c=0.3)
    found = ranks(execution(make, columns))
    for row in found.pairs.itertuples():
        assert row.p == pytest.approx(stats.wilcoxon(columns[row.first], columns[row.second]).pvalue)
    assert found.pairs["holm"].min() == pytest.approx(3 * found.pairs["p"].min())


@pytest.mark.parametrize(
    ("given", "corrected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.04, 0.01, 0.03, 0.005], [0.06, 0.03, 0.06, 0.02]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.02], [0.02]),
    ],
)
def test_holm_as_worked_by_hand(given, corrected) -> None:
    assert holm(np.array(given)) == pytest.approx(corrected)


def test_groups_are_neighbours_of_whom_no_two_are_told_apart(make) -> None:
    found = ranks(execution(make, noise(60, a=3, b=2.8, c=2.8, d=2.4, e=-3)))
    apart = {frozenset((row.first, row.second)): row.apart for row in found.pairs.itertuples()}
    runs = [found.detectors[i:j] for i in range(5) for j in range(i + 2, 6)]
    quiet = [run for run in runs if not any(apart[frozenset(pair)] for pair in itertools.combinations(run, 2))]
    longest = [run for run in quiet if not any(set(run) < set(other) for other in quiet)]
    assert list(found.groups) == longest
    assert max(len(group) for group in found.groups) > 2
    assert not any("e" in group for group in found.groups)


def test_groups_may_overlap(make) -> None:
    a = np.arange(20.0)
    noise_20 = np.random.default_rng(0).normal(size=20)
    found = ranks(execution(make, {"a": a + 0.3 * np.sign(noise_20 + 0.6), "b": a + 0.2, "c": a, "d": a - 9}))
    assert all(len(group) > 1 for group in found.groups)
    assert all(set(x) - set(y) for x, y in itertools.permutations(found.groups, 2))


def test_twins_are_averaged_before_anything_is_ranked(make) -> None:
    columns = noise(10, a=1, b=0, c=0)
    once = ranks(execution(make, columns))
    doubled = [
        {"detector": name, "value": v, "series": f"s{i}-{copy}", "twin": f"t{i}"}
        for name, values in columns.items()
        for i, v in enumerate(values)
        for copy in range(2)
    ]
    twice = ranks(units(make(*doubled)))
    assert twice.units == 10
    assert twice.friedman_p == once.friedman_p
    np.testing.assert_array_equal(twice.pairs["p"], once.pairs["p"])


def test_only_series_that_all_have_done_are_ranked(make) -> None:
    columns = {name: list(values) for name, values in noise(12, a=1, b=0, c=0).items()}
    columns["b"][3] = "failed"
    columns["dead"] = ["failed"] * 12
    found = ranks(execution(make, columns))
    assert (found.units, found.left_out, found.unranked) == (11, 1, ("dead",))


def test_means_that_differ_by_rounding_are_ties(make) -> None:
    columns = noise(10, a=1, b=0)
    found = ranks(execution(make, {**columns, "c": columns["a"] + 1e-16}))
    assert found.average_D[0] == found.average_D[1]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (noise(20, a=0, b=0), "2 detectors with results"),
        ({"a": [1.0], "b": [2.0], "c": [3.0]}, "1 series and 3 detectors: the smallest p .* is 1$"),
        (noise(6, a=0, b=0, c=0), "the smallest p .* is 0.094"),
        ({name: [0.5] * 12 for name in "abc"}, "all detectors tie"),
        ({name: ["failed"] * 12 for name in "abc"}, "0 detectors with results"),
        ({"a": [1.0, "no"], "b": ["no", 1.0], "c": [1.0, 1.0]}, "no series that all detectors have done"),
    ],
)
def test_where_ranks_say_nothing_the_reason_is_told(make, columns, reason) -> None:
    with pytest.raises(Undefined, match=reason):
        ranks(execution(make, columns))


def test_noise_is_seldom_told_apart(make) -> None:
    found = [ranks(execution(make, noise(12, seed=seed, a=0, b=0, c=0))) for seed in range(40)]
    assert np.mean([one.pairs["apart"].any() for one in found]) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)


def test_median_differences_are_in_the_order_of_ranks_with_their_interval(make) -> None:
    columns = noise(101, low=0, high=2, middle=1)
    made = execution(make, columns)
    found = median_differences(made)
    order = ranks(made).detectors
    assert list(zip(found["first"], found["second"], strict=True)) == list(itertools.combinations(order, 2))
    row = found[(found["first"] == "high") & (found["second"] == "low")].iloc[0]
    difference = columns["high"] - columns["low"]
    assert row["median"] == pytest.approx(np.median(difference))
    other = stats.bootstrap((difference,), np.median, method="percentile", n_resamples=2000, rng=0)
    assert (row["low"], row["high"]) == pytest.approx(tuple(other.confidence_interval), abs=0.1)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_resampled_median_is_one_of_values_written_out(make, n) -> None:
    from tsad_bench.statistics.ranks import _weighted_medians

    values = np.array([0.4, -1.0, 3.0, 0.1])[:n]
    drawn = np.random.default_rng(n).multinomial(n, [1 / n] * n, size=40)
    expected = [np.median(np.repeat(values, counts)) for counts in drawn]
    np.testing.assert_allclose(_weighted_medians(values, drawn), expected)


def test_median_differences_want_a_second_family(make) -> None:
    with pytest.raises(Undefined, match="a single family"):
        median_differences(execution(make, {"a": [1.0], "b": [2.0]}))
    with pytest.raises(Undefined, match="no series that all"):
        median_differences(execution(make, {"a": [1.0, "no"], "b": ["no", 1.0]}))
    with pytest.raises(Undefined, match="no series that all"):
        median_differences(execution(make, {"a": ["no"], "b": ["no"]}))
