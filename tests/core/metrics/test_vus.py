"""Volumes under the surface, and areas at one width, keep their promises under every definition."""

import doctest
import inspect
import itertools
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score
from tsad_core import windows
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import range_auc, range_curves, vus
from tsad_core.metrics.range_auc import r_auc_pr, r_auc_roc
from tsad_core.metrics.vus import vus_pr, vus_roc

Metric = Callable[..., float]
DEFINITIONS = ["tsb-ad", "aeon", "timeeval", "mma"]
BOTH = pytest.mark.parametrize("metric", [vus_pr, vus_roc])
ALL = pytest.mark.parametrize("metric", [vus_pr, vus_roc, r_auc_pr, r_auc_roc])
EVERY = pytest.mark.parametrize("definition", DEFINITIONS)
quick = settings(max_examples=80, deadline=None, derandomize=True)


def plain_volumes(labels: list[int], scores: list[float], window: int, rules: str, grid: int) -> tuple[float, float]:
    """ROC and precision-recall volume, step by step from the definition."""
    surface = [plain_areas(labels, scores, width, rules, grid) for width in range(window + 1)]
    return sum(roc for roc, _ in surface) / len(surface), sum(pr for _, pr in surface) / len(surface)


def plain_areas(labels: list[int], scores: list[float], width: int, rules: str, grid: int) -> tuple[float, float]:
    T, P = len(labels), sum(labels)
    soft, zones = soft_labels(labels, width, rules), plain_zones(labels, width, rules)
    ranked = sorted(scores, reverse=True)
    x, y, z, roc, pr = 0.0, 0.0, 1.0, 0.0, 0.0
    for rank in np.linspace(0, T - 1, grid).astype(int):
        alarms = [t for t in range(T) if scores[t] >= ranked[rank]]
        true, precision = sum(soft[t] for t in alarms), sum(soft[t] for t in alarms) / len(alarms)
        counted = alarms if rules == "tsb-ad" else range(T)
        positive = P + sum(soft[t] for t in counted if not labels[t]) / 2
        hit = sum(any(first <= t <= last and soft[t] > 0 for t in alarms) for first, last in zones) / len(zones)
        recall, false_rate = min(true / positive, 1) * hit, (len(alarms) - true) / (T - positive)
        roc += (false_rate - x) * (recall + y) / 2
        pr += (recall - y) * (precision if rules == "tsb-ad" else (precision + z) / 2)
        x, y, z = false_rate, recall, precision
    return roc + (1 - x) * (1 + y) / 2, pr


def plain_events(labels: list[int]) -> list[tuple[int, int]]:
    T = len(labels)
    firsts = [t for t in range(T) if labels[t] and (t == 0 or not labels[t - 1])]
    lasts = [t for t in range(T) if labels[t] and (t == T - 1 or not labels[t + 1])]
    return list(zip(firsts, lasts, strict=True))


def soft_labels(labels: list[int], width: int, rules: str) -> list[float]:
    soft = [float(label) for label in labels]
    reach = width // 2
    for first, last in plain_events(labels):
        for distance in range(1, reach + 1):
            for t, covered in ((first - distance, True), (last + distance, rules != "aeon" or distance < reach)):
                if 0 <= t < len(soft) and covered:
                    linear = 1 - (1 - math.sqrt(0.5)) * distance / reach
                    soft[t] = max(soft[t], linear) if rules == "timeeval" else soft[t] + math.sqrt(1 - distance / width)
    return [min(label, 1.0) for label in soft]


def plain_zones(labels: list[int], width: int, rules: str) -> list[tuple[int, int]]:
    if rules == "timeeval":
        # the alarm must lie on a soft label, so the further step counts in the next event's margin only
        return [(first - width // 2, last + width // 2 + 1) for first, last in plain_events(labels)]
    if rules in {"aeon", "range-auc"}:
        return plain_events([int(label > 0) for label in soft_labels(labels, width, rules)])
    return merged_zones(labels, width // 2)


def merged_zones(labels: list[int], reach: int) -> list[tuple[int, int]]:
    zones: list[tuple[int, int]] = []
    for first, last in plain_events(labels):
        if zones and zones[-1][1] >= first - reach:
            zones[-1] = (zones[-1][0], last + reach)
        else:
            zones.append((first - reach, last + reach))
    return zones


def load_parity() -> dict[str, np.ndarray]:
    """Read the numbers of other packages, or skip."""
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the parity numbers lie beside it")
    path = Path(os.environ["TSAD_DATA"]).parent / "parity" / "metrics_open.npz"
    if not path.exists():
        pytest.skip("there is no parity folder beside TSAD_DATA")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("module", [vus, range_auc])
def test_examples_run(module: object) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("metric", [vus_pr, vus_roc, r_auc_pr, r_auc_roc])
def test_titles_name_the_window_as_the_default_that_it_is(metric: Metric) -> None:
    assert inspect.signature(metric).parameters["window"].default == "period"
    assert metric.card.title.endswith("(default window: training period)")


FOLLOWED = {"TSB-AD 1.5": "tsb-ad", "vus 0.0.6": "tsb-ad", "TSB-UAD 0.0.3": "tsb-ad", "MMA repo 01ab368": "mma"}
FOLLOWED["aeon 1.6.0"] = "aeon"


def columns(prefix: str) -> list[tuple[int, dict[str, object]]]:
    """Columns of the parity file and the options that should give their numbers."""
    parity = load_parity()
    found: list[tuple[int, dict[str, object]]] = []
    for column, (peer, name) in enumerate(zip(parity["column_peer"], parity["column_metric"], strict=True)):
        if name.startswith(prefix) and (parity["status"][:, column] == 0).any():
            size, *variant = name.removeprefix(prefix).split("_")
            window = "event-median" if size == "default" else int(size.removeprefix("w"))
            grid = 50 if "thre50" in variant else 250
            found.append((column, {"window": window, "definition": FOLLOWED[peer], "grid": grid}))
    return found


@pytest.mark.parametrize(
    ("metric", "prefix", "expected"),
    [
        (vus_roc, "vus_roc_", 12),
        (vus_pr, "vus_pr_", 13),
        (r_auc_roc, "range_auc_roc_", 4),
        (r_auc_pr, "range_auc_pr_", 5),
    ],
)
def test_values_are_those_of_the_parity_file(metric: Metric, prefix: str, expected: int) -> None:
    parity, found = load_parity(), columns(prefix)
    assert len(found) == expected
    for column, options in found:
        for case in np.flatnonzero(parity["status"][:, column] == 0):
            steps = slice(parity["offset"][case], parity["offset"][case + 1])
            labels_T, scores_T = parity["label"][steps], parity["score"][steps]
            if options["definition"] == "aeon" and np.ptp(scores_T) == 0:
                continue  # aeon gives 0 instead of the area
            value = metric(labels_T=labels_T, scores_T=scores_T, **options)
            what = (parity["kind"][case], parity["column_peer"][column], options)
            assert value == pytest.approx(parity["value"][case, column], abs=1e-9), what


@pytest.mark.parametrize("window", [0, 1, 2, 3, 8, 25, 70])
@pytest.mark.parametrize("steps", [2, 3, 17, 60])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_values_are_those_of_the_plain_definition(steps: int, share: float, window: int) -> None:
    rng = np.random.default_rng([steps, window])
    labels_T = (rng.random(steps) < share).astype(int)
    labels_T[rng.permutation(steps)[:2]] = [0, 1]
    scores_T = rng.integers(4, size=steps) if window % 2 else rng.normal(size=steps)
    compare_with_plain(labels_T, scores_T, window=window, definition="tsb-ad")


@EVERY
def test_values_are_those_of_the_plain_definition_with_more_steps_than_thresholds(definition: str) -> None:
    rng = np.random.default_rng(9)
    labels_T = (np.arange(700) % 90 < 4).astype(int)
    compare_with_plain(labels_T, rng.normal(size=700).round(1) + labels_T, window=6, definition=definition)


def compare_with_plain(
    labels_T: np.ndarray, scores_T: np.ndarray, *, window: int, definition: str, grid: int = 250
) -> None:
    case = {"labels_T": labels_T, "scores_T": scores_T}
    options = {"window": window, "definition": definition, "grid": grid}
    roc, pr = plain_volumes(labels_T.tolist(), scores_T.tolist(), window, definition, grid)
    assert vus_roc(**case, **options) == pytest.approx(roc, abs=1e-12)
    assert vus_pr(**case, **options) == pytest.approx(pr, abs=1e-12)
    rules = definition if definition in {"aeon", "timeeval"} else "range-auc"
    roc, pr = plain_areas(labels_T.tolist(), scores_T.tolist(), window, rules, grid)
    assert r_auc_roc(**case, **options) == pytest.approx(roc, abs=1e-12)
    assert r_auc_pr(**case, **options) == pytest.approx(pr, abs=1e-12)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Labels with both classes, in short stretches, and scores that may be tied."""
    stretches = draw(st.lists(st.integers(1, 5), min_size=2, max_size=9))
    first = draw(st.booleans())
    labels_T = np.repeat(np.arange(len(stretches)) % 2 == first, stretches)
    scores = st.lists(st.integers(-3, 3), min_size=len(labels_T), max_size=len(labels_T))
    return {"labels_T": labels_T.astype(int), "scores_T": np.array(draw(scores))}


options = st.fixed_dictionaries(
    {"window": st.integers(0, 14), "definition": st.sampled_from(DEFINITIONS), "grid": st.sampled_from([2, 3, 7, 60])}
)


@quick
@given(case=cases(), options=options)
def test_fast_is_plain(case: dict[str, np.ndarray], options: dict[str, object]) -> None:
    compare_with_plain(**case, **options)


@EVERY
@pytest.mark.parametrize("gap", range(1, 8))
def test_fast_is_plain_where_margins_nearly_meet(gap: int, definition: str) -> None:
    labels_T = np.array([0, 0, 1, 0, 1, *[0] * gap, 1, 1, 0, 0, 0])
    step_T = np.arange(len(labels_T))
    for step in step_T:
        # one alarm on the last event, and one anywhere
        scores_T = ((step_T == step) | (step_T == gap + 6)) * 1
        for window in (2, 3, 6):
            compare_with_plain(labels_T, scores_T, window=window, definition=definition, grid=3)


@ALL
@quick
@given(case=cases(), options=options)
def test_values_lie_between_0_and_1(metric: Metric, case: dict[str, np.ndarray], options: dict[str, object]) -> None:
    assert -1e-12 <= metric(**case, **options) <= 1 + 1e-12


@ALL
@quick
@given(case=cases(), options=options, images=st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=7, unique=True))
def test_a_strictly_rising_map_of_the_scores_changes_nothing(
    metric: Metric, case: dict[str, np.ndarray], options: dict[str, object], images: list[float]
) -> None:
    mapped_T = np.sort(images)[case["scores_T"] + 3]
    assert metric(labels_T=case["labels_T"], scores_T=mapped_T, **options) == metric(**case, **options)


# one event of one step on step 2 of 6, and the highest score on the step after it, at width 2
@pytest.mark.parametrize(
    ("definition", "first_recall"),
    [
        # label sqrt(1/2), alone among the positives / beside that of step 1
        ("tsb-ad", math.sqrt(0.5) / (1 + math.sqrt(0.5) / 2)),
        ("mma", math.sqrt(0.5) / (1 + math.sqrt(0.5))),
        ("timeeval", math.sqrt(0.5) / (1 + math.sqrt(0.5))),
        # no margin behind the event
        ("aeon", 0.0),
    ],
)
def test_definitions_differ_as_their_peers_do(definition: str, first_recall: float) -> None:
    case = {"labels_T": np.array([0, 0, 1, 0, 0, 0]), "scores_T": np.array([0, 0, 1, 2, 0, 0])}
    precision = 0.0 if definition == "aeon" else math.sqrt(0.5)
    second_recall = 1 / (1 + math.sqrt(0.5) / 2) if definition == "aeon" else 1.0
    second = (1 + precision) / 2
    total = {"aeon": 1 + math.sqrt(0.5)}.get(definition, 1 + math.sqrt(2)) / 6
    corners = [(0.0, 1.0), (first_recall, precision), (second_recall, second), (1.0, total)]
    stairs = sum((r - q) * p for (q, _), (r, p) in itertools.pairwise(corners))
    lines = sum((r - q) * (p + o) / 2 for (q, o), (r, p) in itertools.pairwise(corners))
    # widths 0 and 1: the alarm is wrong, the next one right
    widths_0_and_1 = 2 * (0.5 if definition == "tsb-ad" else 0.25)
    area = stairs if definition == "tsb-ad" else lines
    value = vus_pr(**case, window=2, definition=definition)
    assert value == pytest.approx((widths_0_and_1 + area) / 3, abs=1e-12)


def test_an_unknown_definition_or_a_grid_without_a_curve_is_refused() -> None:
    case = {"labels_T": np.array([0, 1]), "scores_T": np.array([0, 1]), "window": 1}
    with pytest.raises(OptionError, match="did you mean 'tsb-ad'"):
        vus_pr(**case, definition="tsbad")
    with pytest.raises(OptionError, match="2 thresholds or more"):
        vus_pr(**case, grid=1)


def test_without_margins_one_event_gives_the_areas_of_the_ranking() -> None:
    # one threshold per step, no ties, and an event of one step: existence says nothing new
    scores_T = np.random.default_rng(10).permutation(40)
    labels_T = np.arange(40) == 11
    assert vus_pr(labels_T=labels_T, scores_T=scores_T, window=1) == pytest.approx(
        average_precision_score(labels_T, scores_T)
    )
    assert vus_roc(labels_T=labels_T, scores_T=scores_T, window=1) == pytest.approx(roc_auc_score(labels_T, scores_T))


def test_perfect_scores_get_one() -> None:
    labels_T = np.arange(200) % 50 > 40
    assert vus_pr(labels_T=labels_T, scores_T=labels_T * 1.0, window=0) == pytest.approx(1)
    assert vus_roc(labels_T=labels_T, scores_T=labels_T * 1.0, window=0) == pytest.approx(1)


@BOTH
def test_a_near_miss_is_worth_more_than_a_far_one(metric: Metric) -> None:
    labels_T = np.arange(300) == 150
    near, far = (metric(labels_T=labels_T, scores_T=np.arange(300) == step, window=20) for step in (153, 190))
    assert near > far


@BOTH
def test_time_may_run_backwards(metric: Metric) -> None:
    scores_T = np.random.default_rng(12).normal(size=400)
    labels_T = np.arange(400) % 97 < 9
    value = metric(labels_T=labels_T, scores_T=scores_T, window=15)
    assert metric(labels_T=labels_T[::-1], scores_T=scores_T[::-1], window=15) == pytest.approx(value, abs=1e-12)


@ALL
@EVERY
@pytest.mark.parametrize("window", [0, 7, 1000, "event-mean", "event-median", "mma-events"])
def test_without_an_anomalous_step_there_is_no_value(metric: Metric, definition: str, window: int | str) -> None:
    for steps in (0, 1, 5):
        case = {"labels_T": np.zeros(steps, dtype=bool), "scores_T": np.arange(steps)}
        with pytest.raises(Undefined, match="no event"):
            metric(**case, window=window, definition=definition)


@EVERY
@pytest.mark.parametrize("steps", [1, 5])
def test_all_steps_anomalous_leave_no_roc_but_full_precision(steps: int, definition: str) -> None:
    case = {"labels_T": np.ones(steps), "scores_T": np.arange(steps), "window": 4, "definition": definition}
    for metric in (vus_pr, r_auc_pr):
        assert metric(**case) == 1
    for metric in (vus_roc, r_auc_roc):
        with pytest.raises(Undefined, match="every step is anomalous"):
            metric(**case)


@ALL
@EVERY
def test_constant_scores_are_one_alarm_on_every_step(metric: Metric, definition: str) -> None:
    # 1 of 4 anomalous, no margin: precision 1/4 throughout, or the line to it from 1
    case = {"labels_T": np.array([0, 1, 0, 0]), "scores_T": np.ones(4), "window": 1, "definition": definition}
    lines = 0.625 if definition != "tsb-ad" or metric is r_auc_pr else 0.25
    assert metric(**case) == (0.5 if metric in {vus_roc, r_auc_roc} else lines)


@ALL
def test_what_no_metric_can_use_is_refused(metric: Metric) -> None:
    with pytest.raises(DataError, match="scores_T has shape"):
        metric(labels_T=np.array([0, 1]), scores_T=np.arange(3), window=2)
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(DataError, match=f"scores_T is {value}"):
            metric(labels_T=np.array([0, 1]), scores_T=np.array([0, value]), window=2)
    for window in (2, "event-mean"):
        with pytest.raises(DataError, match=r"labels_T holds 0\.5"):
            metric(labels_T=np.array([0, 0.5]), scores_T=np.arange(2), window=window)


@ALL
def test_the_window_is_the_training_period(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "period", lambda train_TC: 6 + train_TC.shape[1])
    rng = np.random.default_rng(13)
    case = {"labels_T": np.arange(200) % 60 < 5, "scores_T": rng.normal(size=200)}
    inputs = {**case, "train_TC": rng.normal(size=(50, 2)), "observed_TC": rng.normal(size=(200, 2))}
    assert evaluate(metric, inputs) == metric(**case, window=8)
    fixed = evaluate(metric, inputs, {"window": 30})
    assert fixed == metric(**case, window=30) != metric(**case, window=8)


@ALL
def test_options_from_a_suite_file_are_checked(metric: Metric) -> None:
    inputs = {"labels_T": np.array([0, 1]), "scores_T": np.array([0, 1]), "train_TC": None, "observed_TC": None}
    wrong = [("window", value) for value in (-1, True, 2.5, "week")] + [("definition", "vus"), ("grid", 1)]
    for name, value in wrong:
        with pytest.raises(OptionError, match=name):
            evaluate(metric, inputs, {name: value})


def frozen(values_T: np.ndarray) -> np.ndarray:
    values_T.flags.writeable = False
    return values_T


@pytest.mark.parametrize("pair", [(vus_roc, vus_pr), (r_auc_roc, r_auc_pr)])
@EVERY
def test_both_areas_of_read_only_scores_share_one_surface(
    pair: tuple[Metric, Metric], definition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[range] = []
    soft = range_curves.soft_mass
    monkeypatch.setattr(
        range_curves, "soft_mass", lambda margin, widths, **kw: calls.append(widths) or soft(margin, widths, **kw)
    )
    rng = np.random.default_rng(14)
    labels_T = frozen(np.arange(200) % 60 < 5)
    chosen = {"window": 9, "definition": definition}
    for _ in range(3):
        scores_T = frozen(rng.normal(size=200))
        shared = [metric(labels_T=labels_T, scores_T=scores_T, **chosen) for metric in pair]
        fresh_T = scores_T.copy()
        assert shared == [metric(labels_T=labels_T, scores_T=fresh_T, **chosen) for metric in pair]
    assert len(calls) == 3 + 2 * 3


def test_definitions_do_not_share_a_surface() -> None:
    case = {"labels_T": frozen(np.arange(200) % 60 < 5), "scores_T": frozen(np.random.default_rng(15).normal(size=200))}
    assert len({vus_pr(**case, window=20, definition=definition) for definition in DEFINITIONS}) == 4


def test_changed_scores_get_a_new_value() -> None:
    labels_T, scores_T = frozen(np.arange(50) == 20), np.arange(50) * 1.0
    before = vus_pr(labels_T=labels_T, scores_T=scores_T, window=5)
    scores_T[20] = 100
    assert vus_pr(labels_T=labels_T, scores_T=scores_T, window=5) > before
