"""Metrics of blame keep their promises."""

import doctest
import itertools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, ndcg_score
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import attribution, attribution_by_step, followers, ips, ndcg
from tsad_core.metrics.attribution import channel_auc_pr, channel_auc_pr_corrected, hit_rate_100, hit_rate_150
from tsad_core.metrics.attribution_by_step import hit_rate_150_by_step, ndcg_100_by_step, ndcg_150_by_step
from tsad_core.metrics.followers import hit_rate_100_mixad, hit_rate_150_mixad
from tsad_core.metrics.ips import ips_100, ips_150
from tsad_core.metrics.ndcg import ndcg_100, ndcg_150
from tsad_core.testing import check_metric

Metric = Callable[..., float]
BOTH = pytest.mark.parametrize("metric", [hit_rate_100, channel_auc_pr])
MODULES = [attribution, attribution_by_step, ndcg, ips, followers]
quick = settings(max_examples=60, deadline=None, derandomize=True)


def metrics_of(module: ModuleType) -> list[Metric]:
    return [value for value in vars(module).values() if hasattr(value, "card") and value.__module__ == module.__name__]


METRICS = {metric.card.name: metric for module in MODULES for metric in metrics_of(module)}
CORRECTED = {name: metric for name, metric in METRICS.items() if name.endswith("-corrected")}
PLAIN = {name: metric for name, metric in METRICS.items() if name not in CORRECTED}
EVERY = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def test_there_is_a_corrected_one_of_each() -> None:
    assert {f"{name}-corrected" for name in PLAIN} == set(CORRECTED)
    assert len(METRICS) == 26


@EVERY
def test_its_example_runs(metric: Metric) -> None:
    (example,) = doctest.DocTestFinder().find(metric, metric.__name__, module=False, globs=metric_names(metric))
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def metric_names(metric: Metric) -> dict[str, object]:
    return {"np": np, metric.__name__: metric}


@EVERY
def test_it_keeps_the_contract(metric: Metric) -> None:
    check_metric(metric)


def one_event(causes_C: list[int], blame_C: list[float]) -> dict[str, np.ndarray]:
    """A series of three steps; the middle one is the event."""
    root_causes_TC, attribution_TC = np.zeros((3, len(causes_C))), np.full((3, len(causes_C)), 99.0)
    root_causes_TC[1], attribution_TC[1] = causes_C, blame_C
    return {"labels_T": np.array([0, 1, 0]), "root_causes_TC": root_causes_TC, "attribution_TC": attribution_TC}


FOUND = {"scores_T": np.array([0.0, 9.0, 0.0]), "calibration_T": np.zeros(5)}
"""Scores by which the event of `one_event` is detected."""


def value_of(metric: Metric, given: dict[str, np.ndarray]) -> float:
    """Call a metric with scores that detect every event."""
    found = {"scores_T": given["labels_T"].astype(float), "calibration_T": np.zeros(5)}
    return metric(**found, **given)


@pytest.mark.parametrize(
    ("causes_C", "blame_C", "expected"),
    [
        ([1, 0], [2, 1], 1),
        ([1, 0], [1, 2], 0),
        ([1, 1, 0, 0], [9, 1, 5, 0], 1 / 2),
        ([1, 1, 1, 0], [1, 2, 3, 4], 2 / 3),
        ([1, 1], [0, 0], 1),
        ([1, 0, 0, 0], [7, 7, 7, 7], 1 / 4),
        ([1, 1, 0, 0], [9, 5, 5, 5], (1 + 1 / 3) / 2),
        ([0, 1, 1, 0], [9, 5, 5, 5], (0 + 2 / 3) / 2),
    ],
)
def test_hit_rate_of_one_event_is_the_one_solved_by_hand(
    causes_C: list[int], blame_C: list[float], expected: float
) -> None:
    assert hit_rate_100(**one_event(causes_C, blame_C)) == pytest.approx(expected)


def test_tied_channels_hit_by_their_expectation_over_all_orders() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        causes_C, blame_C = rng.integers(2, size=5), rng.integers(3, size=5)
        causes_C[0] = 1
        orders = [sorted(order, key=lambda c: -blame_C[c]) for order in itertools.permutations(range(5))]
        guilty = causes_C.sum()
        expected = np.mean([causes_C[order[:guilty]].sum() / guilty for order in orders])
        assert hit_rate_100(**one_event(causes_C.tolist(), blame_C.tolist())) == pytest.approx(expected)


def test_hit_rate_counts_each_event_once_however_long() -> None:
    labels_T = np.array([1, 0, 1, 1, 1, 1, 1, 0, 1])
    causes_TC = np.zeros((9, 3))
    # the first event is found, the second is not, the third has no cause and does not count
    causes_TC[0, 0] = causes_TC[4, 1] = 1
    blame_TC = np.tile([3.0, 1.0, 2.0], (9, 1))
    assert hit_rate_100(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC) == 0.5


def test_hit_rate_ranks_by_the_mean_over_the_event() -> None:
    # channel 1 peaks higher, channel 0 is blamed longer; channel 0 is guilty at one step only
    blame_TC = np.array([[4.0, 9.0], [4.0, 0.0], [4.0, 0.0]])
    causes_TC = np.array([[0, 0], [1, 0], [0, 0]])
    assert hit_rate_100(labels_T=np.ones(3), root_causes_TC=causes_TC, attribution_TC=blame_TC) == 1


@pytest.mark.parametrize("levels", [2, 1000])
def test_channel_average_precision_is_that_of_scikit_learn_on_anomalous_steps(levels: int) -> None:
    rng = np.random.default_rng(2)
    labels_T = rng.random(200) < 0.3
    causes_TC, blame_TC = rng.random((200, 7)) < 0.2, rng.integers(levels, size=(200, 7)).astype(np.float32)
    expected = average_precision_score(causes_TC[labels_T].ravel(), blame_TC[labels_T].ravel())
    value = channel_auc_pr(labels_T=labels_T, root_causes_TC=causes_TC, attribution_TC=blame_TC)
    assert value == pytest.approx(expected, abs=1e-12)


@BOTH
def test_normal_steps_do_not_count(metric: Metric) -> None:
    given = one_event([1, 1, 0, 0], [9, 1, 5, 0])
    value = metric(**given)
    given["attribution_TC"][[0, 2]] = np.random.default_rng(3).normal(size=(2, 4))
    given["root_causes_TC"][[0, 2]] = 1
    assert metric(**given) == value < 1


@EVERY
def test_where_nobody_is_to_blame_there_is_no_value(metric: Metric) -> None:
    with pytest.raises(Undefined, match="one channel"):
        metric(**one_event([1], [1]), **FOUND)
    with pytest.raises(Undefined, match="no event has a root cause"):
        metric(**one_event([0, 0], [1, 2]), **FOUND)
    with pytest.raises(Undefined, match="no event in the labels"):
        metric(**{**one_event([1, 0], [1, 2]), "labels_T": np.zeros(3)}, **FOUND)


@EVERY
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("attribution_TC", np.zeros((2, 2)), r"expected \(3, 'channels'\)"),
        ("attribution_TC", np.zeros((3, 4)), r"attribution_TC has shape \(3, 4\); root_causes_TC has \(3, 2\)"),
        ("attribution_TC", np.zeros(3), "attribution_TC has shape"),
        ("attribution_TC", np.full((3, 2), np.nan), "attribution_TC is nan"),
        ("attribution_TC", np.full((3, 2), np.inf), "attribution_TC is inf"),
        ("root_causes_TC", np.full((3, 2), 0.5), "root_causes_TC holds 0.5"),
        ("root_causes_TC", np.zeros((4, 2)), "root_causes_TC has shape"),
        ("labels_T", np.full(3, 0.5), "labels_T holds 0.5"),
    ],
)
def test_what_no_metric_can_use_is_refused(metric: Metric, name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        metric(**{**one_event([1, 0], [1, 2]), name: value}, **FOUND)


@EVERY
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("scores_T", np.array([0, np.nan, 0]), "scores_T is nan"),
        ("scores_T", np.array([0, np.inf, 0]), "scores_T is inf"),
        ("scores_T", np.zeros(2), "scores_T has shape"),
        ("calibration_T", np.array([0, np.nan]), "calibration_T is nan"),
        ("calibration_T", np.zeros(0), "calibration_T has shape"),
    ],
)
def test_scores_are_refused_even_where_every_event_counts(
    metric: Metric, name: str, value: np.ndarray, message: str
) -> None:
    given = {**one_event([1, 0], [2, 1]), name: value}
    with pytest.raises(DataError, match=message):
        metric(**FOUND | given)
    if not metric.card.name.startswith("ips"):
        with pytest.raises(DataError, match=message):
            metric(**given)


@BOTH
def test_the_runner_can_call_it(metric: Metric) -> None:
    assert evaluate(metric, one_event([1, 0], [2, 1]) | FOUND) == 1


@EVERY
@pytest.mark.parametrize("steps", [1, 4])
def test_a_series_that_is_one_event_has_a_value(metric: Metric, steps: int) -> None:
    causes_TC, blame_TC = np.tile([1, 0, 0], (steps, 1)), np.tile([3.0, 2.0, 1.0], (steps, 1))
    given = {"labels_T": np.ones(steps), "root_causes_TC": causes_TC, "attribution_TC": blame_TC}
    assert value_of(metric, given) == pytest.approx(1)


@pytest.mark.parametrize("metric", PLAIN.values(), ids=PLAIN)
def test_events_at_both_ends_count(metric: Metric) -> None:
    causes_TC = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 0]])
    given = {"labels_T": np.array([1, 0, 1]), "root_causes_TC": causes_TC, "attribution_TC": causes_TC * 2.0}
    assert value_of(metric, given) == 1


@pytest.mark.parametrize("metric", CORRECTED.values(), ids=CORRECTED)
def test_where_every_channel_is_guilty_nothing_is_left_to_correct(metric: Metric) -> None:
    with pytest.raises(Undefined, match="guilty"):
        metric(**one_event([1, 1, 1], [3, 2, 1]), **FOUND)


def test_an_event_in_which_every_channel_is_guilty_is_left_out_of_the_corrected_mean() -> None:
    causes_TC, blame_TC = np.array([[1, 1], [0, 0], [1, 0]]), np.array([[1, 1], [0, 0], [2, 1]])
    given = {"labels_T": np.array([1, 0, 1]), "root_causes_TC": causes_TC, "attribution_TC": blame_TC}
    assert CORRECTED["hit-rate-100-corrected"](**given) == 1
    blame_TC[2] = [1, 2]
    assert CORRECTED["hit-rate-100-corrected"](**given) == -1


class Case(NamedTuple):
    """Three or four channels, events of one to three steps, a root cause in one at least, few levels of blame."""

    labels_T: np.ndarray
    root_causes_TC: np.ndarray
    attribution_TC: np.ndarray


@st.composite
def cases(draw: st.DrawFn, some_innocent: bool = False) -> Case:
    T, C = draw(st.integers(1, 7)), draw(st.integers(3, 4))
    labels_T = draw(arrays(bool, T))
    labels_T[draw(st.integers(0, T - 1))] = True
    causes_TC = draw(arrays(bool, (T, C)))
    # in the first anomalous step too: that is all that MIXAD looks at
    causes_TC[np.flatnonzero(labels_T)[0], 1] = True
    if some_innocent:
        causes_TC[:, 0] = causes_TC[:, 2:] = False
    return Case(labels_T, causes_TC, draw(arrays(np.float64, (T, C), elements=st.integers(0, 3).map(float))))


def events(labels_T: np.ndarray) -> list[list[int]]:
    grouped = itertools.groupby(range(len(labels_T)), key=lambda t: bool(labels_T[t]))
    return [list(steps) for anomalous, steps in grouped if anomalous]


def places(guilty: int, percent: int, rounding: str) -> int:
    return int(guilty * percent / 100) if rounding == "down" else round(guilty * percent / 100)


def expected_gain(causes_C: np.ndarray, blame_C: np.ndarray, percent: int, worth: Callable[[int], float]) -> float:
    """The mean over all orders of the tied channels of the gain among the first places, over the best gain."""
    C, guilty = len(causes_C), int(causes_C.sum())
    orders = [o for o in itertools.permutations(range(C)) if all(np.diff(blame_C[list(o)]) <= 0)]
    named = [order[: places(guilty, percent, "down")] for order in orders]
    gains = [sum(worth(k) for k, c in enumerate(order) if causes_C[c]) for order in named]
    return float(np.mean(gains) / sum(worth(k) for k in range(guilty)))


def even(_: int) -> float:
    return 1.0


def discounted(place: int) -> float:
    return float(1 / np.log2(place + 2))


@quick
@given(cases())
@pytest.mark.parametrize(
    ("name", "percent", "worth"),
    [
        ("hit-rate-100", 100, even),
        ("hit-rate-150", 150, even),
        ("ndcg-100", 100, discounted),
        ("ndcg-150", 150, discounted),
    ],
)
def test_ties_get_the_mean_over_all_orders(name: str, percent: int, worth: Callable[[int], float], case: Case) -> None:
    causes_TC, blame_TC = case.root_causes_TC, case.attribution_TC
    guilty = [(event, causes_TC[event].any(axis=0)) for event in events(case.labels_T)]
    by_event = [expected_gain(g, blame_TC[e].sum(axis=0), percent, worth) for e, g in guilty if g.any()]
    steps = [t for event in events(case.labels_T) for t in event if causes_TC[t].any()]
    by_step = [expected_gain(causes_TC[t], blame_TC[t], percent, worth) for t in steps]
    assert METRICS[name](**case._asdict()) == pytest.approx(np.mean(by_event))
    assert METRICS[f"{name}-by-step"](**case._asdict()) == pytest.approx(np.mean(by_step))


@pytest.mark.parametrize(("metric", "percent"), [(ndcg_100_by_step, 100), (ndcg_150_by_step, 150)])
def test_ndcg_by_step_is_that_of_scikit_learn_with_tranads_places(metric: Metric, percent: int) -> None:
    rng = np.random.default_rng(4)
    causes_TC, blame_TC = rng.random((60, 7)) < 0.3, rng.integers(4, size=(60, 7))
    rows = [t for t in range(60) if causes_TC[t].any()]
    cut = [places(causes_TC[t].sum(), percent, "nearest") for t in rows]
    expected = [ndcg_score(causes_TC[[t]], blame_TC[[t]], k=k) for t, k in zip(rows, cut, strict=True)]
    given = {"labels_T": np.ones(60), "root_causes_TC": causes_TC, "attribution_TC": blame_TC}
    assert metric(**given, rounding="nearest") == pytest.approx(np.mean(expected), abs=1e-12)


def test_rounding_to_the_nearest_gives_one_guilty_channel_two_places() -> None:
    given = one_event([0, 1, 0], [3, 2, 1])
    for metric in (hit_rate_150, hit_rate_150_by_step):
        assert metric(**given) == 0
        assert metric(**given, rounding="nearest") == 1


@quick
@given(cases())
def test_values_lie_in_their_range(case: Case) -> None:
    for name, metric in PLAIN.items():
        assert 0 <= value_of(metric, case._asdict()) <= 1 + 1e-12, name


@quick
@given(cases(some_innocent=True))
def test_corrected_values_are_at_most_one(case: Case) -> None:
    for name, metric in CORRECTED.items():
        assert value_of(metric, case._asdict()) <= 1 + 1e-12, name


@quick
@given(cases(some_innocent=True), st.integers(0, 5))
def test_equal_blame_is_chance_exactly(case: Case, level: int) -> None:
    given = case._asdict() | {"attribution_TC": np.full(case.attribution_TC.shape, level)}
    for name, metric in CORRECTED.items():
        assert value_of(metric, given) == pytest.approx(0, abs=1e-12), name


@pytest.mark.parametrize("name", ["hit-rate-100", "hit-rate-150", "ndcg-100", "ndcg-150", "ips-100", "ips-150"])
def test_random_blame_is_chance_on_average_over_all_orders(name: str) -> None:
    for causes_C in ([1, 0, 0, 0], [0, 1, 0, 1], [1, 1, 0, 0]):
        for blame_C in ([1, 2, 3, 4], [1, 1, 2, 3], [5, 5, 5, 1]):
            cases = [one_event(causes_C, list(order)) for order in itertools.permutations(blame_C)]
            values = [CORRECTED[f"{name}-corrected"](**case, **FOUND) for case in cases]
            assert np.mean(values) == pytest.approx(0, abs=1e-12)


@quick
@given(cases(some_innocent=True), st.randoms(use_true_random=False))
def test_the_order_of_channels_changes_nothing(case: Case, random: object) -> None:
    order = np.random.default_rng(random.randrange(2**32)).permutation(case.root_causes_TC.shape[1])  # type: ignore[attr-defined]
    moved = Case(case.labels_T, case.root_causes_TC[:, order], case.attribution_TC[:, order])
    for name, metric in METRICS.items():
        assert value_of(metric, moved._asdict()) == pytest.approx(value_of(metric, case._asdict())), name


@quick
@given(cases(some_innocent=True))
def test_ranks_by_step_survive_any_increasing_map_of_a_step(case: Case) -> None:
    bent_TC = np.exp(case.attribution_TC) * np.arange(1, len(case.labels_T) + 1)[:, None] - 7
    for name in (name for name in METRICS if "by-step" in name):
        bent = METRICS[name](**case._replace(attribution_TC=bent_TC)._asdict())
        assert bent == pytest.approx(METRICS[name](**case._asdict())), name


@quick
@given(cases(some_innocent=True))
def test_ranks_by_event_survive_another_unit_for_each_event(case: Case) -> None:
    # powers of two, so that ties stay ties
    unit_T = 2.0 ** np.cumsum(np.diff(case.labels_T.astype(int), prepend=0) == 1)
    scaled = case._replace(attribution_TC=case.attribution_TC * unit_T[:, None] + unit_T[:, None])
    for name in (name for name in METRICS if "channel" not in name):
        assert value_of(METRICS[name], scaled._asdict()) == pytest.approx(value_of(METRICS[name], case._asdict())), name


def three_events() -> dict[str, np.ndarray]:
    """Three events, blamed rightly, wrongly and rightly; no score of the second one is above 1."""
    causes_TC = np.zeros((8, 3), dtype=int)
    causes_TC[[1, 3, 4, 6, 7]] = [1, 0, 0]
    blame_TC = np.tile([3, 2, 1], (8, 1))
    blame_TC[3:5] = [1, 2, 3]
    return {"labels_T": causes_TC.any(axis=1), "root_causes_TC": causes_TC, "attribution_TC": blame_TC}


OF_THREE = {"scores_T": np.array([9, 5, 9, 1, 0, 9, 0, 5]), "calibration_T": np.ones(4)}


@pytest.mark.parametrize(
    "name", [name for name in PLAIN if not name.startswith("ips")] + ["hit-rate-100-corrected", "ndcg-150-corrected"]
)
def test_only_detected_events_count_if_so_asked(name: str) -> None:
    assert METRICS[name](**three_events(), **OF_THREE) < 1
    assert METRICS[name](**three_events(), **OF_THREE, events="detected") == pytest.approx(1)
    with pytest.raises(Undefined, match="is detected"):
        METRICS[name](**three_events(), **{**OF_THREE, "calibration_T": np.full(4, 99)}, events="detected")
    with pytest.raises(OptionError, match="needs scores_T and calibration_T"):
        METRICS[name](**three_events(), events="detected")


def test_the_rule_and_the_rate_say_what_is_detected() -> None:
    found = {"scores_T": OF_THREE["scores_T"], "calibration_T": np.arange(10), "events": "detected"}
    assert hit_rate_100(**three_events(), **found, rate=0.5) == 1
    with pytest.raises(Undefined, match="is detected"):
        hit_rate_100(**three_events(), **found, rate=0.01)


def plain_ips(case: Case, alarmed_T: np.ndarray, percent: int) -> float:
    """InterFusion's score as its words say: every detected step brings the value of its event."""
    values = []
    for event in events(case.labels_T):
        steps, guilty_C = [t for t in event if alarmed_T[t]], case.root_causes_TC[event].any(axis=0)
        if steps and guilty_C.any():
            blame_C = case.attribution_TC[steps].max(axis=0)
            values += [expected_gain(guilty_C, blame_C, percent, even) for _ in steps]
    return float(np.mean(values))


@quick
@given(cases(), st.integers(0, 2**7 - 1))
@pytest.mark.parametrize(("metric", "percent"), [(ips_100, 100), (ips_150, 150)])
def test_ips_counts_an_event_as_often_as_it_is_detected(metric: Metric, percent: int, case: Case, bits: int) -> None:
    alarmed_T = np.array([bool(bits >> t & 1) for t in range(len(case.labels_T))])
    given = {**case._asdict(), "scores_T": alarmed_T * 2.0, "calibration_T": np.ones(3)}
    if not any(alarmed_T[e].any() and case.root_causes_TC[e].any() for e in events(case.labels_T)):
        with pytest.raises(Undefined, match="no event with a root cause is detected"):
            metric(**given)
    else:
        assert metric(**given) == pytest.approx(plain_ips(case, alarmed_T, percent))


def test_detected_events_without_a_cause_do_not_blur_those_before_and_after_in_ips() -> None:
    # the middle event has no cause and blames channel 1 the most, the others rightly blame channel 0
    causes_TC = np.array([[1, 0], [0, 0], [0, 0], [0, 0], [0, 0], [1, 0]])
    blame_TC = np.array([[2, 1], [0, 0], [0, 9], [0, 9], [0, 0], [2, 1]])
    given = {"labels_T": np.array([1, 0, 1, 1, 0, 1]), "root_causes_TC": causes_TC, "attribution_TC": blame_TC}
    assert value_of(ips_100, given) == 1


def test_leaders_that_tie_share_the_weight_of_one_event_in_mixads_variant() -> None:
    # two steps each; the first event is led by channels 0 and 1 alike, the second by 2, which is innocent
    causes_TC = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]])
    blame_TC = np.array([[1, 1, 5], [9, 9, 5], [0, 0, 0], [1, 2, 3], [3, 1, 9]])
    given = {"labels_T": np.array([1, 1, 0, 1, 1]), "root_causes_TC": causes_TC, "attribution_TC": blame_TC}
    assert hit_rate_100_mixad(**given) == pytest.approx((2 * 1 + 2 * 0) / 4)


def test_mixads_variant_gives_mixads_numbers(data_home: Path) -> None:
    path = data_home.parent / "parity" / "mixad.npz"
    if not path.exists():
        pytest.skip("there is no parity folder beside TSAD_DATA")
    with np.load(path, allow_pickle=False) as file:
        parity = {name: file[f"score.{name}"] for name in ("labels", "final_channel", "hit100", "hit150")}
    causes_TC = parity["labels"]
    given = {"labels_T": causes_TC.any(axis=1), "root_causes_TC": causes_TC, "attribution_TC": parity["final_channel"]}
    assert hit_rate_100_mixad(**given) == pytest.approx(float(parity["hit100"]), abs=1e-9)
    assert hit_rate_150_mixad(**given) == pytest.approx(float(parity["hit150"]), abs=1e-9)


def test_mixads_variant_takes_guilt_from_the_first_step_and_blame_from_correlation() -> None:
    # channel 2 peaks, 1 mirrors it, 0 is constant; the cause named later does not count
    blame_TC = np.array([[5.0, 4.0, 1.0], [5.0, 1.0, 9.0], [5.0, 3.0, 2.0]])
    causes_TC = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]])
    given = {"labels_T": np.ones(3), "root_causes_TC": causes_TC, "attribution_TC": blame_TC}
    assert hit_rate_100_mixad(**given) == 1
    causes_TC[0] = 0
    with pytest.raises(Undefined, match="first step"):
        hit_rate_100_mixad(**given)


@quick
@given(cases())
def test_the_best_blame_gets_one(case: Case) -> None:
    first = [event[0] for event in events(case.labels_T)]
    causes_TC = np.repeat(case.root_causes_TC[first], [len(e) for e in events(case.labels_T)], axis=0)
    case.root_causes_TC[case.labels_T] = causes_TC
    for metric in (hit_rate_100, hit_rate_150, ndcg_100, ndcg_150, ips_100, channel_auc_pr):
        given = case._replace(attribution_TC=case.root_causes_TC.astype(float))._asdict()
        assert value_of(metric, given) == pytest.approx(1)


def test_channel_average_precision_is_corrected_for_the_share_of_guilty_cells() -> None:
    given = one_event([1, 0, 1, 0], [4, 3, 2, 1])
    assert channel_auc_pr_corrected(**given) == pytest.approx((5 / 6 - 1 / 2) / (1 - 1 / 2))
