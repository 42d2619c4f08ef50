"""Metrics of windows keep their promises."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, precision_score, recall_score
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import whole_windows
from tsad_core.metrics.whole_windows import (
    window_accuracy,
    window_macro_f1,
    window_macro_precision,
    window_macro_recall,
)
from tsad_core.testing import check_metric
from tsad_core.thresholds import threshold

Metric = Callable[..., float]
ALL = [window_macro_precision, window_macro_recall, window_macro_f1, window_accuracy]
EVERY = pytest.mark.parametrize("metric", ALL)
quick = settings(max_examples=80, deadline=None, derandomize=True)


def inputs(labels: list[int], scores: list[float], calibration: list[float]) -> dict[str, np.ndarray]:
    given = {"labels_T": np.array(labels), "scores_T": np.array(scores, dtype=float)}
    return given | {"calibration_T": np.array(calibration, dtype=float), "train_TC": np.ones((20, 1))}


def test_examples_run() -> None:
    assert doctest.testmod(whole_windows).failed == 0


@EVERY
def test_it_keeps_the_contract(metric: Metric) -> None:
    check_metric(metric)


def test_amsls_published_row_follows_from_the_only_counts_that_fit_it() -> None:
    # DSADS: 2658 true negatives, 30 false alarms, 310 misses, 2090 hits
    labels = [0] * 2688 + [1] * 2400
    scores = [0] * 2658 + [9] * 30 + [0] * 310 + [9] * 2090
    given = inputs(labels, scores, [1, 1])
    assert [round(evaluate(metric, given, {"window": 1}), 4) for metric in ALL] == [0.9407, 0.9298, 0.9352, 0.9332]


def test_f1_is_the_harmonic_mean_of_the_means() -> None:
    # two hits, one miss, no false alarm, one rightly silent
    given = inputs([1, 1, 1, 0], [9, 9, 0, 0], [1, 1])
    precision, recall = (1 + 1 / 2) / 2, (2 / 3 + 1) / 2
    assert evaluate(window_macro_f1, given, {"window": 1}) == pytest.approx(
        2 * precision * recall / (precision + recall)
    )
    f1_of_both = (2 * 2 / (2 * 2 + 1) + 2 * 1 / (2 * 1 + 1)) / 2
    assert evaluate(window_macro_f1, given, {"window": 1}) != pytest.approx(f1_of_both, abs=1e-3)


def test_one_anomalous_step_makes_a_window_anomalous() -> None:
    given = inputs([0, 0, 0, 0, 0, 1], [0, 0, 0, 9, 9, 9], [1, 1])
    assert evaluate(window_accuracy, given, {"window": 3}) == 1


def test_the_mean_hides_a_peak_that_the_maximum_shows() -> None:
    given = inputs([0, 0, 1, 1], [2, 2, 9, 0], [5, 5])
    assert evaluate(window_accuracy, given, {"window": 2, "fold": "mean"}) == 0.5
    assert evaluate(window_accuracy, given, {"window": 2, "fold": "max"}) == 1


def test_the_last_window_ends_with_the_series() -> None:
    # windows 0 to 3, 3 to 6 and 4 to 7: the last two are anomalous, one alone is an alarm
    given = inputs([0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 9], [1, 1])
    assert evaluate(window_accuracy, given, {"window": 3}) == pytest.approx(2 / 3)


def test_no_window_given_means_the_period_of_the_training_part() -> None:
    given = inputs([0] * 40 + [1] + [0] * 19, [0] * 40 + [9] * 20, [1, 1])
    given["train_TC"] = np.sin(np.arange(400) * 2 * np.pi / 20)[:, None]
    assert evaluate(window_accuracy, given) == evaluate(window_accuracy, given, {"window": 20}) == 1


def test_a_stride_that_leaves_steps_out_is_refused() -> None:
    with pytest.raises(OptionError, match="stride = 3 is longer than window = 2"):
        evaluate(window_accuracy, inputs([0, 1, 0], [0, 1, 0], [0]), {"window": 2, "stride": 3})


def plain_windows(T: int, window: int, stride: int) -> list[range]:
    starts = list(range(0, max(T - window, 0) + 1, stride))
    last = max(T - window, 0)
    return [range(start, min(start + window, T)) for start in dict.fromkeys([*starts, last])]


series = st.integers(1, 30).flatmap(
    lambda T: st.tuples(arrays(bool, T), arrays(np.float64, T, elements=st.integers(0, 4).map(float)))
)


@quick
@given(
    series,
    arrays(np.float64, st.integers(1, 12), elements=st.integers(0, 4).map(float)),
    st.tuples(st.integers(1, 8), st.integers(1, 8)).map(sorted),
    st.sampled_from(["mean", "max"]),
    st.sampled_from([0.02, 0.5]),
)
def test_values_are_scikit_learns_over_windows_made_one_by_one(
    case: tuple[np.ndarray, np.ndarray], calibration_T: np.ndarray, sizes: list[int], fold: str, rate: float
) -> None:
    (labels_T, scores_T), (stride, window) = case, sizes
    function = {"mean": np.mean, "max": np.max}[fold]
    folded = [
        [function(values_T[list(w)]) for w in plain_windows(len(values_T), window, stride)]
        for values_T in (scores_T, calibration_T)
    ]
    true = [labels_T[list(w)].any() for w in plain_windows(len(labels_T), window, stride)]
    called = np.array(folded[0]) > threshold(np.array(folded[1]), rate=rate)
    inputs = {"labels_T": labels_T, "scores_T": scores_T, "calibration_T": calibration_T, "train_TC": np.ones((9, 1))}
    options = {"window": window, "stride": stride, "fold": fold, "rate": rate}
    if all(true) or not any(true):
        with pytest.raises(Undefined, match=r"no event|every window is anomalous"):
            evaluate(window_accuracy, inputs, options)
        return
    assert evaluate(window_accuracy, inputs, options) == pytest.approx(accuracy_score(true, called))
    recall = recall_score(true, called, average="macro")
    assert evaluate(window_macro_recall, inputs, options) == pytest.approx(recall)
    if called.all() or not called.any():
        for metric in (window_macro_precision, window_macro_f1):
            with pytest.raises(Undefined, match="window is an alarm"):
                evaluate(metric, inputs, options)
        return
    precision = precision_score(true, called, average="macro")
    assert evaluate(window_macro_precision, inputs, options) == pytest.approx(precision)
    harmonic = 2 * precision * recall / (precision + recall) if precision else 0
    assert evaluate(window_macro_f1, inputs, options) == pytest.approx(harmonic)


@EVERY
def test_where_there_is_one_class_only_there_is_no_value(metric: Metric) -> None:
    with pytest.raises(Undefined, match="no event in the labels"):
        evaluate(metric, inputs([0, 0, 0], [1, 2, 3], [0]), {"window": 1})
    with pytest.raises(Undefined, match="every window is anomalous"):
        evaluate(metric, inputs([1, 0, 0, 1], [1, 2, 3, 4], [0]), {"window": 2})
    with pytest.raises(Undefined, match="every window is anomalous"):
        evaluate(metric, inputs([1], [1], [0]), {"window": 5})


@EVERY
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("scores_T", np.array([0, np.nan, 1]), "scores_T is nan"),
        ("scores_T", np.array([0, np.inf, 1]), "scores_T is inf"),
        ("scores_T", np.zeros(2), "scores_T has shape"),
        ("labels_T", np.full(3, 0.5), "labels_T holds 0.5"),
        ("calibration_T", np.array([]), "calibration_T is empty"),
        ("calibration_T", np.array([np.nan]), "must be finite"),
    ],
)
def test_what_no_metric_can_use_is_refused(metric: Metric, name: str, value: np.ndarray, message: str) -> None:
    given = inputs([0, 1, 0], [0, 1, 0], [0]) | {name: value}
    with pytest.raises(DataError, match=message):
        evaluate(metric, given, {"window": 1})
