"""Above the floor: exact tests against enumeration and scipy, every control, few series, twins, noise."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from tsad_bench.statistics import units, verdicts
from tsad_bench.statistics.verdicts import EXACT, sign_flip_p
from tsad_core.errors import OptionError


def rows(detector, values, **more):
    return [{"detector": detector, "value": v, "series": f"s{i}", **more} for i, v in enumerate(values)]


def judge(make, *made, **options):
    (verdict,) = verdicts(units(make(*(row for part in made for row in part), **options)))
    return verdict


def enumerated(terms):
    """Count by the bits of a number, in exact arithmetic."""
    exact = [Fraction(str(term)) for term in terms]
    sums = [sum(-t if n >> i & 1 else t for i, t in enumerate(exact)) for n in range(2 ** len(exact))]
    return sum(each >= sum(exact) for each in sums) / len(sums)


@pytest.mark.parametrize(
    "terms",
    [
        [0.1],
        [0.1, 0.2, 0.3],
        [0.1, 0.2, -0.3],
        [0.1, 0.1, 0.1, -0.1, -0.2],
        [0, 0, 0.5],
        [0, 0, 0],
        [-1, -2],
        [0.3] * 7,
    ],
)
def test_few_units_are_tested_exactly_with_all_ties(terms) -> None:
    assert sign_flip_p(np.array(terms, dtype=float)) == enumerated(terms)


def test_on_signed_ranks_it_is_the_exact_wilcoxon_test() -> None:
    signed = np.array([1, 2, -3, 4, 5, 6, -7, 8, 9, 10.0])
    expected = stats.wilcoxon(signed, alternative="greater", method="exact").pvalue
    assert sign_flip_p(signed) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [2, 5, EXACT, EXACT + 1, 60])
def test_it_agrees_with_the_permutation_test_of_scipy(n) -> None:
    terms = np.random.default_rng(n).normal(0.2, 1, n)
    other = stats.permutation_test(
        (terms,), np.sum, permutation_type="samples", alternative="greater", n_resamples=20_000, rng=1
    ).pvalue
    assert sign_flip_p(terms) == pytest.approx(other, abs=1e-12 if n <= EXACT else 0.005)


def test_p_is_never_zero() -> None:
    assert sign_flip_p(np.ones(100)) == 1 / 10_001


def test_above_the_floor_is_above_every_control(make) -> None:
    low, high = rows("random", [0.1] * 6), rows("pca", [0.8, 0.8, 0.9, 0.8, 0.9, 0.8])
    middle = rows("foo", [0.5] * 6)
    assert judge(make, low, middle).standing == "above the floor"
    verdict = judge(make, low, high, middle)
    assert verdict.standing == "not above the floor"
    assert verdict.hardest.control == "pca"
    assert verdict.hardest.p == 1
    assert verdict.hardest.difference == pytest.approx(-1 / 3)
    assert [one.p for one in verdict.comparisons] == [1 / 64, 1]


@pytest.mark.parametrize("n", [1, 4])
def test_few_series_are_underpowered_and_the_smallest_p_is_told(make, n) -> None:
    verdict = judge(make, rows("random", [0.0] * n), rows("foo", [1.0] * n))
    assert verdict.standing == "underpowered"
    assert str(verdict).startswith(f"underpowered (smallest reachable p = {0.5**n:.2g}); hardest to beat: random")


def test_five_series_are_enough_at_five_percent_and_not_at_one(make) -> None:
    found = units(make(*rows("random", [0.0] * 5), *rows("foo", [1.0] * 5)))
    assert verdicts(found)[0].standing == "above the floor"
    assert verdicts(found, alpha=0.01)[0].standing == "underpowered"


def test_ties_everywhere_are_not_above(make) -> None:
    verdict = judge(make, rows("random", [0.5] * 8), rows("foo", [0.5] * 8))
    assert (verdict.standing, verdict.hardest.p) == ("not above the floor", 1)


def test_where_lower_is_better_the_lower_wins(make) -> None:
    parts = rows("random", [0.9] * 6), rows("foo", [0.1] * 6)
    assert judge(make, *parts, better="lower").standing == "above the floor"
    assert judge(make, *parts).standing == "not above the floor"
    with pytest.raises(OptionError, match="metric m is 'neither' better"):
        judge(make, *parts, better="neither")


def test_twins_count_once(make) -> None:
    series = [("a", "t"), ("b", "t"), ("c", ""), ("d", ""), ("e", "")]
    parts = [
        [{"detector": detector, "value": v, "series": name, "twin": twin} for name, twin in series]
        for detector, v in (("random", 0.0), ("foo", 1.0))
    ]
    verdict = judge(make, *parts)
    assert verdict.standing == "underpowered"
    assert (verdict.hardest.series, verdict.hardest.units, verdict.hardest.p) == (5, 4, 1 / 16)


def test_a_group_of_twins_keeps_the_weight_that_it_has_in_the_table(make) -> None:
    # block sums 1 + 1 and -1.5: flipped together they reach the observed .5 in (++), (+-), not in (-+), (--)
    gains = [("a", "t", 1.0), ("b", "t", 1.0), ("c", "", -1.5)]
    foo = [{"detector": "foo", "value": v, "series": s, "twin": t} for s, t, v in gains]
    random = [{**row, "detector": "random", "value": 0.0} for row in foo]
    (one,) = judge(make, foo, random).comparisons
    assert one.difference == pytest.approx(0.5 / 3)
    assert one.p == 0.5


def test_data_sets_weigh_the_same(make) -> None:
    parts = [*rows("foo", [0.1] * 9), *rows("foo", [-0.5] * 2, dataset="e")]
    parts += [{**row, "detector": "random", "value": 0.0} for row in parts]
    assert judge(make, parts).hardest.difference == pytest.approx((0.1 - 0.5) / 2)


def test_the_test_gives_data_sets_the_weights_of_the_mean(make) -> None:
    # terms 1/4, 1/8 and -.15 sum to .225, which three of eight patterns reach; unweighted, only two would
    foo = [*rows("foo", [1.0, 0.5]), *rows("foo", [-0.3], dataset="e")]
    assert judge(make, foo, [{**row, "detector": "random", "value": 0.0} for row in foo]).hardest.p == 3 / 8


def test_only_what_both_have_done_is_compared_and_the_rest_is_counted(make) -> None:
    foo = [*rows("foo", [1.0, 1.0, "failed", 1.0]), *rows("foo", ["failed"], dataset="e")]
    random = [*rows("random", [0.0, None, 0.0, 0.0, 0.0]), *rows("random", [0.0], dataset="e")]
    verdict = judge(make, foo, random)
    assert (verdict.hardest.series, verdict.hardest.left_out, verdict.hardest.missing) == (2, 4, ("e",))
    assert str(verdict).endswith("2 series; 4 series left out; nothing from e")


def test_without_anything_to_compare_the_verdict_says_why(make) -> None:
    good, bad = rows("foo", [1.0] * 6), rows("foo", ["no"] * 6)
    assert str(judge(make, good)) == "undefined (no control has a result)"
    assert str(judge(make, bad, rows("random", [0.0] * 6))) == "undefined (no result)"
    apart = [{**row, "series": f"other {i}"} for i, row in enumerate(rows("random", [0.0] * 6))]
    assert str(judge(make, good, apart)) == "undefined (no series that random has done too)"


def test_a_control_without_any_result_is_no_floor_and_is_named(make) -> None:
    verdict = judge(make, rows("foo", [1.0] * 6), rows("random", [0.0] * 6), rows("pca", ["no"] * 6))
    assert verdict.standing == "above the floor"
    assert str(verdict).endswith("without pca, which has no result")


@pytest.mark.parametrize("n", [7, 20])
def test_noise_is_seldom_told_from_noise(n) -> None:
    rng = np.random.default_rng(5)
    runs = 2000 if n <= EXACT else 200
    p = np.array([sign_flip_p(rng.standard_t(3, n)) for _ in range(runs)])
    assert np.mean(p <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert 0.4 < p.mean() < 0.6


def test_copies_of_series_do_not_make_noise_significant(make) -> None:
    twins = [{"series": f"s{i}", "twin": f"t{i // 2}"} for i in range(12)]
    rng = np.random.default_rng(6)
    drawn = np.repeat(rng.normal(size=(500, 6)), 2, axis=1)

    def share(places):
        made = units(make(*({"detector": d, "value": 0.0, **place} for place in places for d in ("random", "foo"))))
        judged = [
            verdicts(replace(made, values_SDCM=np.stack([0 * gains, gains], 1)[..., None, None])) for gains in drawn
        ]
        return np.mean([verdict.standing == "above the floor" for (verdict,) in judged])

    assert share(twins) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 500)
    assert share([{"series": place["series"]} for place in twins]) > 0.09
