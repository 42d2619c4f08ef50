"""The rules for the width of margins keep their promises."""

import doctest

import numpy as np
import pytest
from tsad_core.errors import OptionError, Undefined
from tsad_core.metrics import widths
from tsad_core.metrics.widths import tsb_period, width

NOTHING = {"train_TC": None, "observed_TC": None}


def test_examples_run() -> None:
    assert doctest.testmod(widths).failed == 0


def test_a_number_of_steps_is_taken_as_it_is() -> None:
    assert width(0, labels_T=np.zeros(3), **NOTHING) == 0


def test_steps_may_be_counted_by_numpy() -> None:
    assert width(np.int64(7), labels_T=np.zeros(3), **NOTHING) == 7


@pytest.mark.parametrize("window", [-1, "week", True, False, np.True_, 1.5, 2.0, np.nan, None, [3]])
def test_what_is_no_window_is_refused_in_one_line(window: object) -> None:
    with pytest.raises(OptionError) as refused:
        width(window, labels_T=np.ones(3), **NOTHING)
    allowed = "a window is 0 steps or more, or one of period, event-mean, event-median, mma-events, tsb-file"
    assert str(refused.value) == f"window = {window!r}; {allowed}"


@pytest.mark.parametrize(("window", "missing"), [("period", "train_TC"), ("tsb-file", "train_TC")])
def test_a_rule_names_the_input_that_it_lacks(window: str, missing: str) -> None:
    with pytest.raises(OptionError, match=f"window = '{window}' needs {missing}"):
        width(window, labels_T=np.ones(3), **NOTHING)
    with pytest.raises(OptionError, match="needs observed_TC"):
        width("tsb-file", labels_T=np.ones(3), train_TC=np.zeros((5, 1)), observed_TC=None)


@pytest.mark.parametrize(
    ("labels", "mean", "median"),
    [
        ([1], 1, 1),
        ([0, 1, 1, 0, 1], 1, 1),
        ([1, 1, 1, 1, 1, 0, 1, 0, 1, 1], 2, 2),
        ([1, 0, 1, 0, 1, 1, 1, 1, 1, 1], 2, 1),
    ],
)
def test_event_lengths_are_rounded_down_and_count_events_at_the_ends(labels: list[int], mean: int, median: int) -> None:
    assert width("event-mean", labels_T=np.array(labels), **NOTHING) == mean
    assert width("event-median", labels_T=np.array(labels), **NOTHING) == median


def test_without_an_event_there_is_no_event_length() -> None:
    with pytest.raises(Undefined, match="no event"):
        width("event-median", labels_T=np.zeros(3), **NOTHING)


def plain_tsb_period(values: list[float]) -> int:
    """Highest local maximum among the lags 4 to 399, from sums of products; 125 outside 6 … 303."""
    values = values[:20_000]
    mean = sum(values) / len(values)
    lags = range(3, min(401, len(values)))
    sums = {lag: sum((a - mean) * (b - mean) for a, b in zip(values, values[lag:], strict=False)) for lag in lags}
    peaks = [lag for lag in lags if lag - 1 in sums and lag + 1 in sums and sums[lag - 1] < sums[lag] > sums[lag + 1]]
    best = max(peaks, key=lambda lag: sums[lag], default=0)
    return best if 6 <= best <= 303 else 125


@pytest.mark.parametrize("period", [4, 5, 6, 7, 100, 290, 303, 310, 350])
def test_the_rule_of_tsb_ad_is_the_highest_peak_in_its_range(period: int) -> None:
    rng = np.random.default_rng(period)
    values_T = np.sin(np.arange(1500) * 2 * np.pi / period) + 0.2 * rng.normal(size=1500)
    assert tsb_period(values_T) == plain_tsb_period(values_T.tolist())


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0], [0.0] * 50, list(range(30)), [0.0, 1.0] * 30])
def test_a_file_without_a_period_gets_125(values: list[float]) -> None:
    assert tsb_period(np.array(values)) == 125


def test_tsb_ad_looks_at_the_first_channel_of_training_and_test_part() -> None:
    wave_T = np.sin(np.arange(900) * 2 * np.pi / 30)
    noise_T = np.random.default_rng(1).normal(size=900)
    train_TC, observed_TC = np.stack([wave_T, noise_T], 1)[:100], np.stack([wave_T, noise_T], 1)[100:]
    given = {"labels_T": np.zeros(800), "train_TC": train_TC, "observed_TC": observed_TC}
    assert width("tsb-file", **given) == 30
    given["observed_TC"] = np.stack([np.sin(np.arange(800) * 2 * np.pi / 70), noise_T[100:]], 1)
    assert width("tsb-file", **given) == pytest.approx(70, abs=2)


def test_tsb_ad_looks_at_no_more_than_20_000_steps() -> None:
    values_T = np.concatenate([np.sin(np.arange(20_000) * 2 * np.pi / 40), 50 * np.sin(np.arange(20_000) / 20)])
    assert tsb_period(values_T) == 40


def test_the_published_rule_of_mma_leaves_an_event_at_the_end_out_and_counts_a_step_too_many() -> None:
    labels_T = np.array([1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1], dtype=bool)
    assert width("mma-events", labels_T=labels_T, **NOTHING) == 2 * 3
    with pytest.raises(Undefined, match="ends before"):
        width("mma-events", labels_T=labels_T[-4:], **NOTHING)
