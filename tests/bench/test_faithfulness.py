"""Faithfulness: hand-solved curves, odd events, what is infilled and in which order, and how a cell gets its number."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from tsad_bench.faithfulness.cards import CARDS
from tsad_bench.faithfulness.cell import Case, add_to, margin
from tsad_bench.faithfulness.infill import infill
from tsad_bench.faithfulness.orders import FRACTIONS, STRETCHES, blamed_first, blocks, counts
from tsad_bench.faithfulness.probe import Finding, Probe, Scale, probe
from tsad_bench.outcome import Outcome
from tsad_bench.suite import Faithfulness
from tsad_core import Array, Detection, Series, Undefined, detector
from tsad_core.controls import PCA, MovingAverage, Random
from tsad_core.datasets.synthetic import synthetic
from tsad_core.scaling import scales

PLAIN = Scale(0.0, 1.0)
WEIGHTED = np.array([[4.0, 3.0, 2.0, 1.0]])
# the areas under the curves of WEIGHTED by trapezoids: without 1, 2, 3 and 4 of 4 blocks there is left .6, .3, .1, 0
# if the greatest go first, .9, .7, .4, 0 if the least do, and .75, .5, .25, 0 on average over all orders
GREATEST, LEAST, CHANCE = 0.305, 0.595, 0.45


def total(part_TC: Array, starts: tuple[int, ...]) -> Array:
    return np.nan_to_num(part_TC).sum(axis=1, dtype=np.float64)


def made(test_TC: Array, labels_T: Array, **more: object) -> Series:
    test_TC = np.asarray(test_TC, dtype=float)
    return Series(name="s", train_TC=np.zeros_like(test_TC), test_TC=test_TC, labels_T=np.asarray(labels_T), **more)


def event_in_zeros(event_TC: Array, *, before: int = 3, after: int = 3) -> Series:
    test_TC = np.pad(np.asarray(event_TC, dtype=float), [(before, after), (0, 0)])
    return made(test_TC, np.pad(np.ones(len(event_TC), dtype=bool), (before, after)))


def findings(
    series: Series, blame: dict[str, Array], judge: Callable[..., Array] = total, **more: object
) -> list[Finding]:
    options = {"infill_TC": np.zeros(series.test_TC.shape), "scale": PLAIN, "margin": 2, **more}
    return list(probe(Probe(series, judge=judge, **options), blame))


def test_deletion_and_insertion_are_the_areas_solved_by_hand() -> None:
    series = event_in_zeros(WEIGHTED)
    (found,) = findings(series, {"greatest": series.test_TC, "least": -series.test_TC}, orders=3000)
    # the random curve is common to both, so that their difference is exact
    assert found.deletion["greatest"] - found.deletion["least"] == pytest.approx(LEAST - GREATEST)
    assert found.insertion["greatest"] - found.insertion["least"] == pytest.approx(LEAST - GREATEST)
    assert found.deletion["greatest"] == pytest.approx(CHANCE - GREATEST, abs=0.01)
    assert found.insertion["greatest"] == pytest.approx(CHANCE - GREATEST, abs=0.01)
    assert found.deletion["least"] == pytest.approx(CHANCE - LEAST, abs=0.01)


def test_deletion_and_insertion_part_where_one_channel_hides_another() -> None:
    series = event_in_zeros([[5.0, 4.0]])
    (found,) = findings(
        series, {"greatest": series.test_TC, "least": -series.test_TC}, lambda part_TC, _: part_TC.max(axis=1)
    )
    # without the 5 there is .8 left, without the 4 all of it: by trapezoids .2 from q = .05 to .5, slopes beside it
    assert found.deletion["greatest"] - found.deletion["least"] == pytest.approx(0.12, abs=1e-6)
    assert found.insertion["greatest"] - found.insertion["least"] == pytest.approx(0.12, abs=1e-6)
    assert found.deletion["greatest"] + found.insertion["greatest"] != pytest.approx(0.12, abs=1e-6)


def test_random_blame_is_worth_nothing_on_average() -> None:
    rng = np.random.default_rng(1)
    worth = []
    for _ in range(30):
        series = event_in_zeros(rng.exponential(size=(4, 3)))
        (found,) = findings(series, {"random": rng.random(series.test_TC.shape), "true": series.test_TC}, orders=20)
        worth.append((found.deletion["random"], found.insertion["random"], found.deletion["true"]))
    deletion, insertion, true = np.mean(worth, axis=0)
    assert abs(deletion) < 0.05
    assert abs(insertion) < 0.05
    assert true > 0.1


def test_the_random_orders_are_the_same_whoever_explains() -> None:
    series = event_in_zeros(WEIGHTED)
    alone = findings(series, {"greatest": series.test_TC})
    (both,) = findings(series, {"least": -series.test_TC, "greatest": series.test_TC})
    assert alone[0].deletion["greatest"] == both.deletion["greatest"]


def test_an_event_whose_score_falls_by_less_than_one_is_skipped_and_one_by_one_counts() -> None:
    (weak,) = findings(event_in_zeros([[0.5, 0.499]]), {"any": np.ones((7, 2))})
    assert weak.skipped == "its score falls by less than 1"
    assert weak.deletion == weak.insertion == {}
    (just,) = findings(event_in_zeros([[0.5, 0.5]]), {"any": np.ones((7, 2))})
    assert just.skipped == ""


def test_an_event_of_one_step_in_one_channel_has_nothing_to_order_and_asks_no_judge() -> None:
    (found,) = findings(event_in_zeros([[9.0]]), {"any": np.ones((7, 1))})
    assert (found.skipped, found.calls) == ("a single block", 0)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_an_event_at_the_very_edges_is_worth_the_same(before: int, after: int) -> None:
    series = event_in_zeros(WEIGHTED, before=before, after=after)
    (found,) = findings(series, {"greatest": series.test_TC})
    inner = event_in_zeros(WEIGHTED)
    # the random orders are those of another place in time
    assert found.deletion["greatest"] == pytest.approx(
        findings(inner, {"greatest": inner.test_TC})[0].deletion["greatest"], abs=0.08
    )


def test_the_judge_sees_parts_of_one_shape_with_their_segments_however_long_the_series() -> None:
    seen = set()

    def judge(part_TC: Array, starts: tuple[int, ...]) -> Array:
        seen.add((part_TC.shape, starts))
        assert not part_TC.flags.writeable
        return total(part_TC, starts)

    test_TC, labels_T = np.zeros((1000, 2)), np.zeros(1000, dtype=bool)
    labels_T[500:503] = True
    test_TC[labels_T] = [[2, 1], [4, 3], [5, 6]]
    series = made(test_TC, labels_T, test_starts=(0, 490, 501, 505, 600))
    (found,) = findings(series, {"greatest": series.test_TC}, judge, margin=4)
    assert seen == {((11, 2), (0, 5, 9))}
    assert found.calls <= 2**6


def test_what_the_judge_knows_already_is_not_asked_again() -> None:
    asked = []

    def judge(part_TC: Array, starts: tuple[int, ...]) -> Array:
        asked.append(part_TC.tobytes())
        return total(part_TC, starts)

    series = event_in_zeros(WEIGHTED)
    (found,) = findings(series, {"greatest": series.test_TC}, judge, orders=100)
    assert len(asked) == len(set(asked)) == found.calls <= 2**4


def test_missing_values_stay_missing_whatever_is_infilled() -> None:
    test_TC = np.zeros((6, 2))
    test_TC[2:5] = [[3, np.nan], [3, 1], [np.nan, 1]]
    series = made(test_TC, [0, 0, 1, 1, 1, 0], missing=True)

    def judge(part_TC: Array, starts: tuple[int, ...]) -> Array:
        assert np.isnan(part_TC).sum() == 2
        assert np.isnan(part_TC[2, 1])
        assert np.isnan(part_TC[4, 0])
        return total(part_TC, starts)

    (found,) = findings(series, {"greatest": np.nan_to_num(series.test_TC)}, judge)
    assert found.deletion["greatest"] > 0.1


def test_the_first_events_that_count_are_enough() -> None:
    test_TC = np.tile([[0.0, 0.0], [3.0, 2.0]], (6, 1))
    test_TC[3] /= 10
    series = made(test_TC, test_TC[:, 0] > 0)
    setup = Probe(series, np.zeros((12, 2)), total, PLAIN, margin=0)
    found = list(probe(setup, {"a": test_TC}, events=3))
    assert [finding.start for finding in found] == [1, 3, 5, 7]
    assert [bool(finding.skipped) for finding in found] == [False, True, False, False]


def test_how_much_the_cut_changes_is_told() -> None:
    series = event_in_zeros(WEIGHTED)
    setup = Probe(series, np.zeros((7, 4)), total, PLAIN, margin=2)
    (found,) = probe(setup, {"a": series.test_TC}, scores_T=total(series.test_TC, (0,)) + 1)
    assert found.cut_error == pytest.approx(0.1)


def test_scores_are_calibrated_by_median_and_99_percent_quantile() -> None:
    scale = Scale.of(np.arange(101.0))
    assert scale.mean(np.array([50.0])) == 0
    assert scale.mean(np.array([99.0])) == 1
    with pytest.raises(Undefined, match="nothing to scale by"):
        Scale.of(np.array([1.0, 1.0, 1.0]))


@pytest.mark.parametrize(("steps", "channels"), [(1, 1), (1, 5), (3, 1), (19, 2), (20, 1), (21, 3), (1000, 4)])
def test_blocks_are_equal_but_for_a_step_and_at_most_twenty_in_time(steps: int, channels: int) -> None:
    block_TC = blocks(steps, channels)
    sizes = np.bincount(block_TC.ravel())
    assert block_TC.shape == (steps, channels)
    assert len(sizes) == min(steps, STRETCHES) * channels
    assert sizes.max() - sizes.min() <= 1
    assert all((np.unique(column_T, return_counts=True)[1] == np.bincount(block_TC[:, 0] // channels)).all()
               for column_T in block_TC.T)  # fmt: skip


def test_fractions_of_blocks_are_rounded_up_and_rise() -> None:
    assert counts(20) == [0, 1, 2, 4, 7, 10, 15, 20]
    assert counts(2) == [0, 1, 1, 1, 1, 1, 2, 2]
    assert all(a <= b for total in range(1, 300) for a, b in pairwise(counts(total)))
    assert FRACTIONS[0] == 0
    assert FRACTIONS[-1] == 1


def test_equal_blame_is_ordered_at_random_though_blocks_differ_in_size() -> None:
    block_TC = blocks(35, 3)
    constant_TC = np.full((35, 3), 0.1)
    orders = {tuple(blamed_first(constant_TC, block_TC, np.random.default_rng(seed))) for seed in range(5)}
    assert len(orders) == 5
    firsts = [blamed_first(constant_TC, block_TC, np.random.default_rng(seed))[0] for seed in range(300)]
    assert 25 < np.mean(firsts) < 34


def test_negative_and_zero_blame_is_ordered_like_any() -> None:
    assert blamed_first(np.array([[-3.0, 0.0, -1.0]]), blocks(1, 3), np.random.default_rng(0)).tolist() == [1, 2, 0]


def test_infill_is_the_normal_series_where_that_is_known() -> None:
    normal_TC = np.arange(8.0).reshape(4, 2)
    series = made(normal_TC + np.array([[0], [9], [9], [0]]), [0, 1, 1, 0], normal_TC=normal_TC)
    found = infill(series)
    assert found.source == "normal"
    np.testing.assert_array_equal(found.values_TC, normal_TC)


def test_seasonal_infill_is_the_nearest_earlier_normal_cycle_else_the_next() -> None:
    period = np.arange(10.0)
    test_T = np.concatenate([period, 100 + period, 200 + period, 300 + period])
    train_T = np.tile(period, 20)
    labels_T = np.zeros(40, dtype=bool)
    labels_T[[3, 15, 25]] = True  # 25 follows 15 by a cycle, which is anomalous itself
    series = Series(name="s", train_TC=train_T[:, None], test_TC=test_T[:, None], labels_T=labels_T)
    found = infill(series)
    assert found.source == "seasonal-naive"
    assert found.values_TC[[3, 15, 25], 0].tolist() == [103, 5, 5]
    np.testing.assert_array_equal(found.values_TC[~labels_T, 0], test_T[~labels_T])


def test_seasonal_infill_does_not_look_into_other_segments() -> None:
    test_T = np.arange(40.0)
    labels_T = np.zeros(40, dtype=bool)
    labels_T[22] = True
    train_TC = np.tile(np.arange(10.0), 20)[:, None]
    series = Series(name="s", train_TC=train_TC, test_TC=test_T[:, None], labels_T=labels_T, test_starts=(0, 20))
    assert infill(series).values_TC[22, 0] == 32


def test_without_a_cycle_to_copy_infill_is_linear_between_the_edges() -> None:
    found = infill(made([[1.0], [9.0], [9.0], [4.0], [9.0]], [0, 1, 1, 0, 1]))
    assert found.source == "linear"
    assert found.values_TC[:, 0].tolist() == [1, 2, 3, 4, 4]


def test_where_nothing_is_normal_infill_is_the_training_mean() -> None:
    series = Series(name="s", train_TC=[[1.0, 0], [3.0, 0]], test_TC=[[9.0, 9], [9.0, 9]], labels_T=[1, 1])
    assert infill(series).source == "training-mean"
    assert infill(series).values_TC.tolist() == [[2, 0], [2, 0]]


def test_infill_steps_over_missing_values() -> None:
    nan = math.nan
    series = made([[1.0, nan], [nan, nan], [9.0, 9], [5.0, nan]], [0, 0, 1, 0], missing=True)
    assert infill(series).values_TC[2].tolist() == [pytest.approx(1 + 4 * 2 / 3), 0]


def test_scales_pass_over_what_is_missing_and_give_constant_channels_one() -> None:
    mean_C, sd_C = scales(np.array([[1, 5, np.nan], [3, 5, np.nan], [np.nan, 5, np.nan]]), "standard")
    assert mean_C.tolist() == [2, 5, 0]
    assert sd_C.tolist() == [1, 1, 1]


def outcome_of(detector: object, series: Series, **budget: object) -> Outcome:
    outcome = Outcome(undefined={"faithfulness-deletion": "not yet"})
    calibration_T = detector.detect(series.train_TC[len(series.train_TC) // 2 :]).scores_T
    for _ in add_to(outcome, Case(detector, series, calibration_T, Faithfulness(**budget))):
        pass
    return outcome


def test_a_control_that_blames_what_it_scores_is_faithful_and_the_true_causes_beat_deviation_beats_random() -> None:
    series = synthetic(count=1, train_steps=800, test_steps=1000)["sines-0"]()
    outcome = outcome_of(PCA(window=25).fit(series.train_TC), series, orders=2, events=4)
    assert outcome.undefined == {}
    assert all(value > 0.1 for value in outcome.metrics.values())
    assert set(outcome.metrics) == {
        "faithfulness-deletion",
        "faithfulness-insertion",
        "faithfulness-deletion-self-circular",
        "faithfulness-insertion-self-circular",
    }
    facts = outcome.facts["faithfulness"]
    assert facts["infill"] == "normal"
    assert facts["used"] + sum(facts["skipped"].values()) + facts["not-looked-at"] == facts["events"] > 4
    worth = facts["explainers"]
    assert worth["true-causes"] > worth["largest-deviation"] > worth["random"]
    assert worth["detector"] == outcome.metrics["faithfulness-deletion"]
    assert outcome.facts["faithfulness-self-circular"]["infill"] == "self-circular"


def test_windows_of_a_control_lie_within_the_margin_so_that_the_cut_changes_nothing() -> None:
    series = synthetic(count=1, test_steps=600)["sines-0"]()
    for fitted in (PCA(window=20).fit(series.train_TC), MovingAverage().fit(series.train_TC)):
        outcome = outcome_of(fitted, series, orders=1, events=3, self_circular=False)
        assert outcome.facts["faithfulness"]["cut-error"] < 1e-6


def test_without_the_self_circular_infill_its_numbers_are_not_spoken_of() -> None:
    series = synthetic(count=1, test_steps=600)["sines-0"]()
    outcome = outcome_of(MovingAverage().fit(series.train_TC), series, orders=1, events=1, self_circular=False)
    assert {name for name in {**outcome.metrics, **outcome.undefined} if "circular" in name} == set()


@detector
class Levels:
    """Scores by level; blames nothing unless told to."""

    blames: bool = False
    window: int = 10
    fails_below: int = 0
    """Raises on parts of fewer steps."""

    def fit(self, train_TC: Array) -> object:
        return self

    def detect(self, test_TC: Array) -> Detection:
        if len(test_TC) < self.fails_below:
            raise ZeroDivisionError("on purpose")
        return Detection(test_TC.sum(axis=1), attribution_TC=np.abs(test_TC) if self.blames else None)


@pytest.mark.parametrize(
    ("explainer", "labelled", "reason"),
    [
        (Levels(), True, "the detector gives no attribution"),
        (Levels(blames=True), None, "the series has no labels"),
        (Levels(blames=True), False, "no event in the labels"),
        (Random(draws=2).fit(np.zeros((100, 2))), True, "its scores are noise"),
    ],
)
def test_where_there_is_nothing_to_probe_the_reason_is_told(
    explainer: object, labelled: bool | None, reason: str
) -> None:
    values_TC = np.random.default_rng(0).normal(size=(100, 2))
    labels_T = None if labelled is None else np.arange(100) < 10 * labelled
    outcome = outcome_of(explainer, Series(name="s", train_TC=values_TC, test_TC=values_TC, labels_T=labels_T))
    assert outcome.metrics == {}
    assert set(outcome.undefined) == set(CARDS)
    assert all(reason in said for said in outcome.undefined.values())


def test_a_detector_without_expected_values_lacks_only_the_self_circular_numbers() -> None:
    outcome = outcome_of(Levels(blames=True), levels())
    assert set(outcome.metrics) == {"faithfulness-deletion", "faithfulness-insertion"}
    assert set(outcome.undefined.values()) == {"the detector gives no expected values"}
    assert "true-causes" not in outcome.facts["faithfulness"]["explainers"]


def test_weak_events_are_counted_and_if_there_are_only_such_that_is_the_reason() -> None:
    outcome = outcome_of(Levels(blames=True), levels(height=0.01))
    assert outcome.metrics == {}
    assert outcome.facts["faithfulness"]["skipped"] == {"its score falls by less than 1": 1}
    assert outcome.undefined["faithfulness-deletion"] == "no event counts: 1 x its score falls by less than 1"


def test_a_detector_that_fails_in_the_probe_costs_the_probe_alone() -> None:
    outcome = outcome_of(Levels(blames=True, fails_below=50), levels())
    assert outcome.status == "done"
    assert "ZeroDivisionError: on purpose" in outcome.undefined["faithfulness-insertion"]


def levels(height: float = 9.0) -> Series:
    train_TC = np.random.default_rng(0).normal(size=(200, 2))
    test_TC = train_TC.copy()
    test_TC[100:103] = train_TC[90:93] + height
    labels_T = np.isin(np.arange(200), (100, 101, 102))
    return Series(name="s", train_TC=train_TC, test_TC=test_TC, labels_T=labels_T)


def test_the_margin_is_window_and_smoothing_else_four_periods() -> None:
    train_TC = np.sin(np.arange(1000) * 2 * np.pi / 20)[:, None]
    assert margin(PCA(smoothing=7).fit(train_TC), train_TC) == 20 + 7
    assert margin(PCA(window=33), train_TC) == 33
    assert margin(Random(smoothing=7), train_TC) == 80 + 7


def test_parts_of_one_shape_get_the_same_masks_from_mma(monkeypatch: pytest.MonkeyPatch) -> None:
    scoring = pytest.importorskip("tsad_mma.scoring")
    import torch
    from tsad_mma import MMA

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    series = synthetic(count=1, train_steps=120, test_steps=100, channels=1, density=0)["sines-0"]()
    fitted = MMA(window=16, patch=4, steps=1, width=2, layers=1, draws=2).fit(series.train_TC)
    masks, draw = [], scoring.random_masks
    monkeypatch.setattr(scoring, "random_masks", lambda *a, **k: masks.append(draw(*a, **k)) or masks[-1])
    first_T = fitted.detect(series.test_TC[:40]).scores_T
    drawn, masks[:] = list(masks), []
    second_T = fitted.detect(series.test_TC[40:80]).scores_T
    torch.set_num_threads(threads)
    assert all((a == b).all() for a, b in zip(drawn, masks, strict=True))
    assert (first_T != second_T).any()
