"""Metrics of expected values as counterfactuals keep their promises."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from tsad_core.errors import DataError, OptionError, Undefined
from tsad_core.metric import evaluate
from tsad_core.metrics import counterfactual
from tsad_core.metrics.counterfactual import plausibility, share_changed
from tsad_core.testing import check_metric

Metric = Callable[..., float]
Inputs = dict[str, np.ndarray]
EVERY = pytest.mark.parametrize("metric", [plausibility, share_changed])


def labels(steps: int, *events: tuple[int, int]) -> np.ndarray:
    labels_T = np.zeros(steps, dtype=bool)
    for start, stop in events:
        labels_T[start:stop] = True
    return labels_T


def noisy_waves(steps: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angle_TC = np.arange(steps)[:, None] * 2 * np.pi / 20 + np.arange(channels)
    return (np.sin(angle_TC) + 0.1 * rng.normal(size=(steps, channels))).astype(np.float32)


def waves() -> Inputs:
    """Expect further waves of the same kind, observe them too; one event of three periods."""
    test_TC = noisy_waves(400, seed=1)
    return {
        "labels_T": labels(400, (200, 260)),
        "expected_TC": test_TC,
        "observed_TC": test_TC,
        "train_TC": noisy_waves(1000),
    }


def test_examples_run() -> None:
    assert doctest.testmod(counterfactual).failed == 0


@EVERY
def test_it_keeps_the_contract(metric: Metric) -> None:
    check_metric(metric)


def test_share_changed_among_normal_steps_keeps_the_contract() -> None:
    check_metric(share_changed, where="normal")


@pytest.mark.parametrize("window", [1, 7, 20])
def test_plausibility_is_the_rank_by_a_plain_search(window: int) -> None:
    given = waves()
    given["labels_T"] = labels(400, (0, 3), (100, 145), (399, 400))
    # partly better than normal: an average of a wave and one from training
    given["expected_TC"][100:] = 0.8 * given["expected_TC"][100:] + 0.2 * given["train_TC"][100:400]
    scaled = {name: given[name] / given["train_TC"].astype(float).std(axis=0) for name in ("train_TC", "expected_TC")}
    windows = {
        name: [values_TC[start : start + window].ravel() for start in range(len(values_TC) - window + 1)]
        for name, values_TC in scaled.items()
    }
    search = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(windows["train_TC"][: 800 - 2 * window + 1])
    usual_N = search.kneighbors(windows["train_TC"][800:])[0]
    # an event of one step is widened to the left by half of what lacks, a long one covered, its last window flush
    shares = []
    for start, stop in ((0, 3), (100, 145), (399, 400)):
        if stop - start < window:
            firsts = [min(max(start - (window - stop + start) // 2, 0), 400 - window)]
        else:
            firsts = sorted({*range(start, stop - window + 1, window), stop - window})
        distances = search.kneighbors([windows["expected_TC"][first] for first in firsts])[0]
        shares.append(np.mean([np.mean(usual_N >= distance - 1e-6 * np.sqrt(2 * window)) for distance in distances]))
    assert 0.05 < np.mean(shares) < 0.95
    assert evaluate(plausibility, given, {"window": window}) == pytest.approx(np.mean(shares), abs=1e-9)


def long_waves(seed: int = 0) -> Inputs:
    """Training parts long enough to be thinned, and 50 events in further waves of the same kind."""
    test_TC = noisy_waves(2000, seed=100 + seed)
    labels_T = labels(2000, *((start, start + 20) for start in range(0, 1950, 39)))
    return {"labels_T": labels_T, "expected_TC": test_TC, "train_TC": noisy_waves(5000, seed=seed)}


@pytest.mark.parametrize("window", [1, 7, 20])
def test_normal_data_gets_a_half_on_average_and_what_is_off_less(window: int) -> None:
    # at even strides, windows of one step got .35
    normal = np.mean([evaluate(plausibility, long_waves(seed), {"window": window}) for seed in range(6)])
    assert normal == pytest.approx(0.5, abs=0.08)
    given = long_waves()
    offs = [given | {"expected_TC": given["expected_TC"] + off} for off in (0.0, 0.1, 9.0)]
    shares = [evaluate(plausibility, off, {"window": window}) for off in offs]
    assert shares[0] > shares[1] > shares[2] == 0


def test_copies_of_training_data_are_as_plausible_as_can_be() -> None:
    given = waves()
    assert evaluate(plausibility, given | {"expected_TC": given["train_TC"][:400]}) == 1


def test_without_noise_a_copy_ties_with_what_was_held_out() -> None:
    # float32 leaves differences that say nothing
    train_TC = np.tile(np.sin(np.arange(20) * np.pi / 10), 50)[:, None].astype(np.float32)
    expected_TC = train_TC[:400] * np.float32(1 + 2e-7)
    given = {"labels_T": labels(400, (200, 260)), "expected_TC": expected_TC, "train_TC": train_TC}
    assert evaluate(plausibility, given) == 1


def test_a_wrong_level_and_a_relation_that_never_was_are_implausible() -> None:
    given = waves()
    shifted_TC = given["expected_TC"] + np.float32(2)
    torn_TC = np.column_stack([given["expected_TC"][:, 0], np.roll(given["expected_TC"][:, 1], 10)])
    assert evaluate(plausibility, given | {"expected_TC": shifted_TC}) == 0
    assert evaluate(plausibility, given | {"expected_TC": torn_TC}) == 0


def test_plausibility_is_the_mean_over_events_whatever_their_length() -> None:
    given = waves()
    given["expected_TC"] = given["train_TC"][:400].copy()
    given["expected_TC"][300:380] += 50
    values = [
        evaluate(plausibility, given | {"labels_T": labels(400, *events)})
        for events in ([(100, 120)], [(300, 380)], [(100, 120), (300, 380)])
    ]
    assert values == [1, 0, 0.5]


def test_units_of_channels_and_constant_ones_change_nothing() -> None:
    given = waves()
    given["expected_TC"] = given["expected_TC"] + np.float32(0.05)
    value = evaluate(plausibility, given)
    scale_C, level_C = np.array([1000, 0.01]), np.array([-5, 7])
    other = given | {name: given[name] * scale_C + level_C for name in ("expected_TC", "train_TC")}
    assert evaluate(plausibility, other) == pytest.approx(value)
    train_TC = np.column_stack([given["train_TC"], np.full(1000, 0.1, dtype=np.float32)])
    expected_TC = np.column_stack([given["expected_TC"], np.linspace(0, 9, 400)])
    assert evaluate(plausibility, given | {"expected_TC": expected_TC, "train_TC": train_TC}) == pytest.approx(value)
    with pytest.raises(Undefined, match="every channel is constant"):
        evaluate(plausibility, given | {"train_TC": np.ones((1000, 2))}, {"window": 20})


def test_training_windows_with_missing_values_are_left_out() -> None:
    given = waves()
    value = evaluate(plausibility, given, {"window": 20})
    missing_TC = given["train_TC"].copy()
    missing_TC[::18, 1] = np.nan
    with pytest.raises(Undefined, match="windows of 20 steps it holds 0 in its last fifth"):
        evaluate(plausibility, given | {"train_TC": missing_TC}, {"window": 20})
    missing_TC = given["train_TC"].copy()
    missing_TC[[300, 301, 850], 0] = np.nan
    assert evaluate(plausibility, given | {"train_TC": missing_TC}, {"window": 20}) == pytest.approx(value, abs=0.15)


@pytest.mark.parametrize(("steps", "window"), [(5, 1), (100, 12), (100, 40), (2, 1)])
def test_a_training_part_too_short_to_hold_windows_out_gives_no_value(steps: int, window: int) -> None:
    given = waves()
    given["train_TC"] = np.arange(2.0 * steps).reshape(steps, 2)
    with pytest.raises(Undefined, match=f"of {steps} steps is too short: of windows of {window} steps"):
        evaluate(plausibility, given, {"window": window})


def test_a_test_part_shorter_than_a_window_gives_no_value() -> None:
    given = {name: values[:10] if name != "train_TC" else values for name, values in waves().items()}
    with pytest.raises(Undefined, match="the test part of 10 steps is shorter than a window of 20"):
        evaluate(plausibility, given | {"labels_T": labels(10, (3, 5))}, {"window": 20})


@pytest.mark.parametrize(("pool", "values"), [(50, 10_000_000), (2000, 4000)])
def test_a_thinned_pool_leaves_normal_data_its_rank(pool: int, values: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counterfactual, "_POOL", pool)
    monkeypatch.setattr(counterfactual, "_POOL_VALUES", values)
    shares = [evaluate(plausibility, long_waves(seed), {"window": 20}) for seed in range(6)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.1)


def test_no_more_is_gathered_at_once_for_a_long_training_part(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    gather = counterfactual.gather

    def recorded(series_TC: np.ndarray, spans_B2: np.ndarray, *, window: int) -> np.ndarray:
        sizes.append(spans_B2.shape[0] * window)
        return gather(series_TC, spans_B2, window=window)

    monkeypatch.setattr(counterfactual, "gather", recorded)
    train_TC = noisy_waves(60_000, channels=1)
    given = {"labels_T": np.ones(60_000, dtype=bool), "expected_TC": train_TC, "train_TC": train_TC}
    evaluate(plausibility, given, {"window": 400})
    assert sum(sizes) > 800_000
    assert max(sizes) == 2000 * 400


def four_steps() -> Inputs:
    """Two channels of MAD 1 and 2; the second and third step are the event."""
    return {
        "labels_T": np.array([0, 1, 1, 0]),
        "observed_TC": np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 0.0]]),
        "expected_TC": np.array([[0.0, 3.0], [8.0, 2.0], [7.5, 0.0], [0.0, 0.0]]),
        "train_TC": np.array([[-1.0, -2.0], [0.0, 0.0], [1.0, 2.0]] * 9),
    }


@pytest.mark.parametrize(
    ("where", "tolerance", "share"),
    [
        *[
            ("events", 0.0, 1.0),
            ("events", 0.99, 1.0),
            ("events", 1.0, 0.5),
            ("events", 1.5, 0.25),
            ("events", 9.0, 0.0),
        ],
        *[("normal", 1.0, 0.25), ("normal", 1.5, 0.0)],
    ],
)
def test_a_cell_is_changed_if_it_moves_by_more_than_the_tolerance(where: str, tolerance: float, share: float) -> None:
    assert evaluate(share_changed, four_steps(), {"where": where, "tolerance": tolerance}) == share


def test_expecting_what_is_observed_changes_nothing() -> None:
    given = four_steps()
    given["expected_TC"] = given["observed_TC"]
    for where in ("events", "normal"):
        assert evaluate(share_changed, given, {"tolerance": 0.0, "where": where}) == 0


def test_missing_cells_are_left_out() -> None:
    given = four_steps()
    given["observed_TC"][2, 1] = np.nan
    assert evaluate(share_changed, given) == pytest.approx(1 / 3)
    given["observed_TC"][1:3] = np.nan
    with pytest.raises(Undefined, match="no observed value in an event"):
        evaluate(share_changed, given)


def test_without_a_normal_step_there_is_no_share_of_them() -> None:
    with pytest.raises(Undefined, match="no observed value in a normal step"):
        evaluate(share_changed, four_steps() | {"labels_T": np.ones(4)}, {"where": "normal"})


@EVERY
def test_without_an_event_there_is_no_value(metric: Metric) -> None:
    with pytest.raises(Undefined, match="no event"):
        evaluate(metric, waves() | {"labels_T": np.zeros(400)})


@EVERY
@pytest.mark.parametrize("name", ["expected_TC", "observed_TC", "train_TC"])
def test_infinite_values_and_other_shapes_are_refused(metric: Metric, name: str) -> None:
    if name not in metric.__annotations__:
        return
    given = waves()
    given[name] = given[name] + np.inf
    with pytest.raises(DataError, match=name):
        evaluate(metric, given)
    given[name] = np.zeros((400, 5))
    with pytest.raises(DataError, match=r"\(400, 5\)|has 5 channels"):
        evaluate(metric, given)


@pytest.mark.parametrize(
    ("metric", "option", "value"),
    [(plausibility, "window", -1), (share_changed, "tolerance", -0.1), (share_changed, "where", "everywhere")],
)
def test_options_out_of_range_are_refused(metric: Metric, option: str, value: object) -> None:
    with pytest.raises(OptionError, match=option):
        evaluate(metric, waves(), {option: value})
