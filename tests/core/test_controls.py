import os
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from tsad_core import windows
from tsad_core.controls import PCA, Deviation, KMeans, Linear, MatrixProfile, MovingAverage, Random, SeasonalNaive
from tsad_core.datasets.synthetic import synthetic
from tsad_core.detector import Detector, Redrawn, detect, fit
from tsad_core.errors import OptionError, Skip
from tsad_core.metrics import hit_rate_100_corrected

FLOORS = [Deviation, SeasonalNaive, Linear]
FAST = [Random, MovingAverage, KMeans, PCA, *FLOORS]
ALL = [*FAST, MatrixProfile]
LEARNING = [MovingAverage, KMeans, PCA, MatrixProfile]


def naive_stump(test_T, window, other_T=None, *, ignore_trivial=True):
    """Matrix profile by its definition; compiling the real one takes 20 seconds, see the slow test."""
    shapes = [
        np.lib.stride_tricks.sliding_window_view(values_T, window)
        for values_T in (test_T, test_T if other_T is None else other_T)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        a_BL, b_BL = [(x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) for x in shapes]
    distance = np.linalg.norm(a_BL[:, None] - b_BL[None], axis=2)
    flat_a, flat_b = [np.ptp(x, axis=1) == 0 for x in shapes]
    distance[flat_a[:, None] | flat_b] = np.sqrt(window)
    distance[flat_a[:, None] & flat_b] = 0
    broken_a, broken_b = [~np.isfinite(x).all(1) for x in shapes]
    distance[broken_a[:, None] | broken_b] = np.inf
    if other_T is None:
        assert ignore_trivial
        near = np.abs(np.subtract.outer(np.arange(len(a_BL)), np.arange(len(a_BL)))) <= np.ceil(window / 4)
        distance[near] = np.inf
    return distance.min(axis=1)[:, None]


@pytest.fixture(autouse=True)
def _naive_stumpy(request, monkeypatch):
    if "slow" not in request.keywords:
        monkeypatch.setitem(sys.modules, "stumpy", types.SimpleNamespace(stump=naive_stump))


def series(steps=400, channels=2, seed=0):
    rng = np.random.default_rng(seed)
    phases_C = rng.uniform(0, 2 * np.pi, size=channels)
    waves_TC = np.sin(2 * np.pi * np.arange(steps)[:, None] / 25 + phases_C)
    return (waves_TC + 0.05 * rng.normal(size=(steps, channels))).astype(np.float32)


def with_anomaly(channel=0):
    test_TC = series(channels=2).copy()
    test_TC[200:220, channel] = test_TC[200:220, channel][::-1] * 0.2 + 0.8
    return test_TC


@pytest.mark.parametrize("control", ALL)
@pytest.mark.parametrize(
    ("train_T", "test_T", "channels"), [(400, 1, 1), (10, 300, 1), (300, 10, 3), (3, 3, 2), (60, 90, 1), (200, 200, 4)]
)
def test_one_finite_score_and_attribution_a_step_whatever_the_shape(control, train_T, test_T, channels):
    train_TC, test_TC = series(train_T, channels), series(test_T, channels, seed=1)
    if control is MatrixProfile and min(train_T, test_T) < 3:
        pytest.skip("a window of less than 3 steps has no shape, which another test asks for")
    detection = detect(fit(control(), train_TC), test_TC)
    assert detection.scores_T.shape == (test_T,)
    assert detection.attribution_TC.shape == (test_T, channels)


@pytest.mark.parametrize("control", FAST)
def test_a_series_of_one_step_can_be_learnt_from(control):
    detection = detect(fit(control(), np.ones((1, 2))), series(30))
    assert len(detection.scores_T) == 30


def test_matrix_profile_says_what_it_needs_of_a_series_without_shape():
    with pytest.raises(Skip, match="3 steps or more to compare shapes; the longest has 2"):
        MatrixProfile().fit(series(100)).detect(series(100), starts=tuple(range(0, 100, 2)))


@pytest.mark.parametrize("control", LEARNING)
@pytest.mark.parametrize("scaling", ["none", "standard", "min-max"])
def test_a_channel_constant_in_training_blames_nobody_until_it_moves(control, scaling):
    options = {} if control is MatrixProfile else {"scaling": scaling}
    train_TC, test_TC = series(), series(seed=1).copy()
    train_TC[:, 1], test_TC[:, 1] = 7.3, 7.3
    still = control(**options).fit(train_TC).detect(test_TC)
    assert still.attribution_TC[:, 1].max() < 1e-6
    test_TC[200, 1] += 3
    moved = control(**options).fit(train_TC).detect(test_TC)
    assert moved.attribution_TC[200, 1] > 0.1
    assert moved.scores_T[200] > still.scores_T[200]


@pytest.mark.parametrize("control", FLOORS)
def test_a_channel_constant_in_training_counts_in_its_own_units_once_it_moves(control):
    train_TC, test_TC = series(), series(seed=1).copy()
    train_TC[:, 1], test_TC[:, 1] = 7.3, 7.3
    assert control().fit(train_TC).detect(test_TC).attribution_TC[:, 1].max() < 1e-6
    test_TC[200, 1] += 3
    assert control().fit(train_TC).detect(test_TC).attribution_TC[200, 1] == pytest.approx(3, abs=1e-5)


@pytest.mark.parametrize("control", ALL)
def test_a_wholly_constant_series_is_scored_flat(control):
    detection = control().fit(np.ones((200, 2))).detect(np.ones((150, 2)))
    if control is not Random:
        assert np.ptp(detection.scores_T) == 0


@pytest.mark.parametrize("control", LEARNING)
def test_the_anomaly_and_its_channel_stand_out(control):
    detection = control().fit(series(1000)).detect(with_anomaly(channel=1))
    assert 175 <= np.argmax(detection.scores_T) < 245
    blame_C = detection.attribution_TC[195:225].max(axis=0)
    assert blame_C[1] > 1.5 * blame_C[0]


@pytest.mark.parametrize("control", [MovingAverage, KMeans, PCA])
def test_expected_is_close_to_normal_in_the_units_of_the_series(control):
    scale_C = np.array([1000.0, 0.01])
    normal_TC = series(seed=1) * scale_C + 5
    detection = control().fit(series() * scale_C + 5).detect(normal_TC)
    assert (np.abs(detection.expected_TC - normal_TC).mean(axis=0) < 0.5 * scale_C).all()


@pytest.mark.parametrize("control", ALL)
def test_equal_options_give_equal_scores_and_global_random_state_changes_nothing(control):
    train_TC, test_TC = series(600), with_anomaly()
    first = control().fit(train_TC).detect(test_TC)
    np.random.seed(3)  # noqa: NPY002 - the global state is what must not matter
    second = control().fit(train_TC).detect(test_TC)
    np.testing.assert_array_equal(first.scores_T, second.scores_T)
    np.testing.assert_array_equal(first.attribution_TC, second.attribution_TC)


@pytest.mark.parametrize("control", ALL)
def test_input_is_left_as_it_was(control):
    train_TC, test_TC = series(), series(seed=1)
    train_TC.flags.writeable = test_TC.flags.writeable = False
    control().fit(train_TC).detect(test_TC)


@pytest.mark.parametrize("control", ALL)
def test_what_was_saved_scores_the_same(control, tmp_path):
    fitted = control(smoothing=3).fit(series())
    fitted.save(tmp_path)
    test_TC = with_anomaly()
    loaded = control.load(tmp_path)
    np.testing.assert_array_equal(loaded.detect(test_TC).scores_T, fitted.detect(test_TC).scores_T)
    assert loaded.get_params() == fitted.get_params()


@pytest.mark.parametrize("control", ALL)
def test_controls_keep_the_contract(control):
    assert isinstance(control(), Detector)
    assert clone(control(smoothing=4)).smoothing == 4
    with pytest.raises(OptionError, match="did you mean 'smoothing'"):
        control(smothing=4)


@pytest.mark.parametrize("control", [*LEARNING, SeasonalNaive, Linear])
def test_auto_window_is_the_period_and_is_kept(control):
    assert control(window="auto").fit(series()).window_ == 25
    assert control(window=40).fit(series()).window_ == 40
    for wrong in (0, True, "40", 4.0):
        with pytest.raises(OptionError, match="window"):
            control(window=wrong)


@pytest.mark.parametrize("control", [*LEARNING, *FLOORS])
def test_segments_are_scored_as_if_alone(control):
    train_TC, test_TC = series(), with_anomaly()
    options = {} if control is Deviation else {"window": 25}
    fitted = control(**options, smoothing=5).fit(train_TC)
    whole = detect(fitted, test_TC, starts=(0, 110, 210))
    for start, stop in ((0, 110), (110, 210), (210, 400)):
        alone = detect(fitted, test_TC[start:stop])
        np.testing.assert_allclose(whole.scores_T[start:stop], alone.scores_T, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(whole.attribution_TC[start:stop], alone.attribution_TC, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("control", [KMeans, PCA, MatrixProfile])
def test_no_training_window_crosses_a_start(control):
    # a jump at the start is unheard of, unless windows reach over it
    train_TC = np.zeros((400, 1)) + 1e-3 * series(channels=1)
    train_TC[200:] += 1
    options = {KMeans: {"scaling": "none"}, PCA: {"scaling": "none", "variance": 0.999}, MatrixProfile: {}}[control]
    joined = fit(control(window=20, **options), train_TC).detect(train_TC)
    split = fit(control(window=20, **options), train_TC, starts=(0, 200)).detect(train_TC)
    assert split.scores_T[200] > 4 * joined.scores_T[200]


def test_noise_of_draw_0_is_that_of_detect_and_other_draws_differ():
    random, test_TC = Random(draws=3, seed=5).fit(series()), series(1000)
    assert isinstance(random, Redrawn)
    draws = np.stack([random.redraw(test_TC, draw).scores_T for draw in range(3)])
    detection = random.detect(test_TC)
    np.testing.assert_array_equal(draws[0], detection.scores_T)
    related = np.corrcoef(
        [*draws, Random(seed=6).fit(series()).redraw(test_TC, 0).scores_T, detection.attribution_TC[:, 0]]
    )
    assert np.abs(related - np.eye(5)).max() < 0.15
    assert 0 <= draws.min() < 0.02
    assert 0.98 < draws.max() < 1


def test_noise_takes_any_values_and_differs_from_series_to_series():
    fitted = Random().fit(series())
    missing = fitted.detect(np.full((50, 2), np.nan)).scores_T
    others = [fitted.detect(series(50)).scores_T, fitted.detect(series(50) + 1).scores_T]
    assert np.abs(np.corrcoef([missing, *others]) - np.eye(3)).max() < 0.5


@pytest.mark.parametrize("control", LEARNING)
def test_missing_values_are_skipped_with_the_reason(control):
    missing_TC = series()
    missing_TC[5, 0] = np.nan
    with pytest.raises(Skip, match="missing values"):
        control().fit(missing_TC)
    with pytest.raises(Skip, match="missing values"):
        control().fit(series()).detect(missing_TC)


@pytest.mark.parametrize("control", FLOORS)
def test_a_missing_value_blames_nobody_and_hides_no_other(control):
    rng = np.random.default_rng(0)
    train_TC, test_TC = series(), with_anomaly(channel=1)
    whole = control().fit(train_TC).detect(test_TC)
    for part_TC in (train_TC, test_TC):
        part_TC[rng.random(part_TC.shape) < 0.1] = np.nan
    gappy = control().fit(train_TC).detect(test_TC)
    missing_TC = np.isnan(test_TC)
    assert (gappy.attribution_TC[missing_TC] == 0).all()
    assert np.corrcoef(gappy.attribution_TC[~missing_TC], whole.attribution_TC[~missing_TC])[0, 1] > 0.9
    assert np.isfinite(gappy.expected_TC).all()


@pytest.mark.parametrize("control", FLOORS)
def test_a_channel_of_which_nothing_is_known_leaves_the_others_as_they_are(control):
    parts = [np.column_stack([part_TC, np.full(400, np.nan)]) for part_TC in (series(), series(seed=1))]
    with_nothing = control().fit(parts[0]).detect(parts[1])
    without = control().fit(series()).detect(series(seed=1))
    np.testing.assert_allclose(with_nothing.scores_T, without.scores_T)
    assert (with_nothing.expected_TC[:, 2] == 0).all()
    # nothing was known in training: what comes then counts in its own units
    parts[1][100, 2] = 2
    assert control().fit(parts[0]).detect(parts[1]).attribution_TC[100, 2] == 2


@pytest.mark.parametrize(
    ("centred", "expected", "scores"), [(True, [1.5, 3, 4, 5], [1, 1, 2, 2]), (False, [1, 1.5, 3, 4], [3, 3, 3, 0])]
)
def test_moving_average_by_hand(centred, expected, scores):
    # steps whose average is not whole take the nearest score that is
    test_TC = np.array([[1.0], [2], [6], [4]])
    detection = MovingAverage(window=3, centred=centred, scaling="none").fit(test_TC).detect(test_TC)
    np.testing.assert_allclose(detection.expected_TC[:, 0], expected)
    np.testing.assert_allclose(detection.scores_T, scores)


def test_deviation_by_hand():
    # mean 2, deviation 1, median 1; the other channel stands still at 5
    train_TC = np.array([[1.0, 5], [1, 5], [1, 5], [3, 5], [3, 5], [3, 5], [1, 5], [3, 5], [1, 5], [3, 5]])
    fitted = Deviation().fit(train_TC[:9])
    np.testing.assert_allclose(fitted.detect(train_TC).expected_TC, np.tile([1, 5], (10, 1)))
    detection = Deviation().fit(train_TC).detect(np.array([[2.0, 5], [5, 9], [-1, 5], [np.nan, 7], [np.nan, np.nan]]))
    np.testing.assert_allclose(detection.attribution_TC, [[0, 0], [3, 4], [3, 0], [0, 2], [0, 0]])
    np.testing.assert_allclose(detection.scores_T, [0, np.sqrt(12.5), np.sqrt(4.5), 2, 0])


NAN = np.nan


@pytest.mark.parametrize(
    ("starts", "values", "expected"),
    [
        # the first period takes the next one, whatever comes after looks back
        ((0,), [1, 2, 3, 4, 5, 6, 7], [4, 5, 6, 1, 2, 3, 4]),
        # a second period that is not whole leaves the training median
        ((0,), [1, 2, 3, 4], [4, 9, 9, 1]),
        ((0,), [1, 2], [9, 9]),
        ((0, 4), [1, 2, 3, 4, 5, 6, 7, 8], [4, 9, 9, 1, 8, 9, 9, 5]),
        # what is missing is sought a period further back, or further on
        ((0,), [1, 2, 3, NAN, 5, 6, 7, 8, 9], [7, 5, 6, 1, 2, 3, 1, 5, 6]),
        ((0,), [NAN, 2, 3, 4, 5, 6, 7, 8, 9], [4, 5, 6, 7, 2, 3, 4, 5, 6]),
    ],
)
def test_seasonal_naive_by_hand(starts, values, expected):
    # a training part with a period of 3, residuals of 2 from period to period and the median 9
    train_TC = np.array([8.0, 9, 10, 10, 7, 8, 8, 9, 10])[:, None]
    detection = SeasonalNaive(window=3).fit(train_TC).detect(np.array(values)[:, None], starts)
    np.testing.assert_allclose(detection.expected_TC[:, 0], expected)
    residual_T = np.abs(np.array(values) - expected) / 2
    np.testing.assert_allclose(detection.scores_T, np.nan_to_num(residual_T))


@pytest.mark.parametrize(
    ("starts", "values", "expected"),
    [
        # two steps to either side; at the edges the one that is there
        ((0,), [0, 2, 4, 6, 8, 20], [4, 6, 4, 11, 4, 6]),
        ((0,), [1, 2], [5, 5]),
        ((0,), [1, 2, 3], [3, 5, 1]),
        ((0, 3), [1, 2, 3, 4, 5, 6], [3, 5, 1, 6, 5, 4]),
        # what is missing is sought outward, and the line is longer on that side
        ((0,), [30, NAN, NAN, 0, 0, 0, 0, 0], [0, 0, 15, 12, 10, 0, 0, 0]),
    ],
)
def test_linear_by_hand(starts, values, expected):
    # residuals of 2 wherever there is a line, and the median 5
    train_TC = np.array([3.0, 3, 5, 5, 7, 7])[:, None]
    fitted = Linear(window=4).fit(train_TC)
    detection = fitted.detect(np.array(values)[:, None], starts)
    np.testing.assert_allclose(detection.expected_TC[:, 0], expected)
    residual_T = np.abs(np.array(values) - expected) / fitted.scale_C_
    np.testing.assert_allclose(detection.scores_T, np.nan_to_num(residual_T))


def test_residuals_of_a_wave_without_noise_count_in_its_deviation():
    train_TC = np.tile(np.array([0.0, 2, 0, -2]), 50)[:, None]
    fitted = SeasonalNaive(window=4).fit(train_TC)
    assert fitted.scale_C_ == pytest.approx(np.sqrt(2))
    assert fitted.detect(train_TC).scores_T.max() == 0


@pytest.mark.parametrize("control", [SeasonalNaive, Linear])
def test_residuals_count_in_those_of_the_training_part(control):
    normal = control().fit(series(2000)).detect(series(2000, seed=1))
    assert np.sqrt(np.square(normal.attribution_TC).mean(axis=0)) == pytest.approx(1, rel=0.2)


def test_no_training_residual_crosses_a_start():
    # a jump of 1000 at the start would make every other residual small
    train_TC = series(400, 1)
    train_TC[200:] += 1000
    for control in (SeasonalNaive, Linear):
        assert control(window=25).fit(train_TC).scale_C_ > 100
        assert control(window=25).fit(train_TC, starts=(0, 200)).scale_C_ < 3


def test_blaming_the_largest_deviation_beats_blaming_by_chance_which_gets_nothing():
    noise, deviation = [], []
    for read in synthetic(count=25).values():
        one = read()
        truth = {"labels_T": one.labels_T, "root_causes_TC": one.root_causes_TC}
        for blamed, values in ((Random(), noise), (Deviation(), deviation)):
            blame_TC = blamed.fit(one.train_TC).detect(one.test_TC).attribution_TC
            values.append(hit_rate_100_corrected(**truth, attribution_TC=blame_TC))
    # of 100 series noise gets -.31 to .33, deviations .43 to .94
    error = np.std(noise) / np.sqrt(len(noise))
    assert abs(np.mean(noise)) < 4 * error < 0.25
    assert np.mean(deviation) > 0.5


def test_smoothing_is_a_centred_average_of_the_scores():
    test_TC = np.array([[0.0], [0], [9], [0], [0]])
    options = {"window": 1, "scaling": "none"}
    for smoothing, wanted_T in ((0, [0, 0, 9, 0, 0]), (3, [0, 3, 3, 3, 0])):
        fitted = KMeans(**options, clusters=1, smoothing=smoothing).fit(np.zeros((5, 1)))
        assert fitted.detect(test_TC).scores_T.tolist() == wanted_T


def test_k_means_with_a_centre_for_every_window_is_the_nearest_neighbour_distance():
    train_TC, test_TC = series(40, 1), series(30, 1, seed=1)
    detection = KMeans(window=1, clusters=40, scaling="none").fit(train_TC).detect(test_TC)
    nearest_T = np.abs(test_TC[:, 0, None] - train_TC[None, :, 0]).min(axis=1)
    np.testing.assert_allclose(detection.scores_T, nearest_T, atol=1e-6)


def test_pca_finds_what_leaves_the_line_of_the_training_part():
    line_T = np.linspace(-1, 1, 50)
    fitted = PCA(window=1, scaling="none").fit(np.stack([line_T, line_T], axis=1))
    detection = fitted.detect(np.array([[3.0, 3.0], [1.0, -1.0], [0.0, 0.0]]))
    np.testing.assert_allclose(detection.scores_T, [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(detection.expected_TC, [[3, 3], [0, 0], [0, 0]], atol=1e-6)


@pytest.mark.parametrize("control", [KMeans, PCA])
def test_a_long_training_part_is_sampled_by_seed(control):
    train_TC, test_TC = series(2000), with_anomaly()
    scores = [control(max_windows=50, seed=seed).fit(train_TC).detect(test_TC).scores_T for seed in (0, 0, 1)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_more_clusters_than_distinct_windows_pass_without_a_warning():
    train_TC = np.tile([[0.0], [1.0]], (100, 1))
    detection = KMeans(window=2, clusters=50, scaling="none").fit(train_TC).detect(train_TC)
    np.testing.assert_allclose(detection.scores_T, 0, atol=1e-6)


def test_matrix_profile_by_hand():
    train_TC = np.array([[0.0], [1], [0], [1], [0]])
    # up-down-up and down-up-down occur in training, whatever their level and scale; a ramp does not
    test_TC = np.array([[5.0], [9], [5], [9], [13]])
    detection = MatrixProfile(window=3).fit(train_TC).detect(test_TC)
    ramp = np.linalg.norm(np.array([-1.5, 0, 1.5]) / np.sqrt(1.5) - np.array([-1, 2, -1]) / np.sqrt(2))
    np.testing.assert_allclose(detection.scores_T, [0, 0, ramp / 3, ramp / 2, ramp], atol=1e-6)


def test_matrix_profile_fills_a_segment_shorter_than_the_window_from_the_nearest_before_or_first():
    test_TC = with_anomaly()
    detection = MatrixProfile(window=25).fit(series()).detect(test_TC, starts=(0, 10, 300, 310))
    assert set(detection.scores_T[:10]) == {detection.scores_T[10]}
    assert set(detection.scores_T[300:310]) == {detection.scores_T[299]}


def test_matrix_profile_with_itself_needs_no_similar_training_part():
    noise_TC = np.random.default_rng(0).normal(size=(400, 2))
    detection = MatrixProfile(window=25, join="self").fit(noise_TC).detect(with_anomaly(1))
    assert 175 <= np.argmax(detection.scores_T) < 245
    assert np.isfinite(MatrixProfile(join="self", window=25).fit(noise_TC).detect(series(30)).scores_T).all()


def test_matrix_profile_skips_a_series_that_is_too_long_and_says_how_to_raise_the_limit():
    fitted = MatrixProfile(max_cells=1000).fit(series(100))
    with pytest.raises(Skip, match=r"100 x 6 steps x 2 channels are 1,200 cells .* max_cells = 1,000; set max_cells"):
        fitted.detect(series(6))
    assert len(fitted.detect(series(5)).scores_T) == 5


def test_matrix_profile_without_stumpy_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "stumpy", None)
    with pytest.raises(Skip, match=r"pip install 'tsad-core\[matrix-profile\]'"):
        MatrixProfile().fit(series()).detect(series())


@pytest.mark.slow
@pytest.mark.parametrize("join", ["train", "self"])
def test_stumpy_equals_the_definition(join, monkeypatch):
    pytest.importorskip("stumpy")
    train_TC, test_TC = series(), with_anomaly()
    test_TC[50:90, 0] = 0.5
    options = {"window": 25, "join": join}
    starts = (0, 10, 100, 250)
    real = detect(fit(MatrixProfile(**options), train_TC, starts), test_TC, starts)
    monkeypatch.setitem(sys.modules, "stumpy", types.SimpleNamespace(stump=naive_stump))
    naive = detect(fit(MatrixProfile(**options), train_TC, starts), test_TC, starts)
    np.testing.assert_allclose(real.attribution_TC, naive.attribution_TC, atol=1e-3)


def test_memory_of_a_long_series_stays_bounded_by_the_chunk(monkeypatch):
    sizes = []
    gather = windows.gather

    def recorded(series_TC, spans_B2, *, window):
        windows_BLC = gather(series_TC, spans_B2, window=window)
        sizes.append(windows_BLC.size)
        return windows_BLC

    fitted = PCA(window=400).fit(series(2000, 1))
    monkeypatch.setattr(windows, "gather", recorded)
    fitted.detect(series(20_000, 1))
    assert sum(sizes) > 7_000_000
    assert max(sizes) <= 2_000_000


@pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="needs the UCR archive: set TSAD_DATA")
def test_k_means_and_pca_find_the_anomaly_of_an_easy_ucr_series():
    archives = sorted((Path(os.environ["TSAD_DATA"]) / "ucr").glob("*.zip"))
    if not archives:
        pytest.skip("needs the UCR archive as a zip in TSAD_DATA/ucr")
    with zipfile.ZipFile(archives[0]) as archive:
        name = next(n for n in archive.namelist() if "/025_UCR" in n)
        values_TC = np.array(archive.read(name).split(), dtype=np.float32)[:, None]
    split, begin, end = map(int, name.removesuffix(".txt").split("_")[-3:])
    for control in (KMeans, PCA):
        scores_T = control().fit(values_TC[:split]).detect(values_TC[split:]).scores_T
        assert begin - 100 <= np.argmax(scores_T) + split + 1 <= end + 100, control


@pytest.mark.parametrize("control", FAST)
def test_smoothing_may_be_the_training_period(control) -> None:
    train_TC = np.sin(2 * np.pi * np.arange(600)[:, None] / 30) + 0.01
    test_TC = np.random.default_rng(0).normal(size=(200, 1))
    auto, given, none = (control(smoothing=s).fit(train_TC).detect(test_TC).scores_T for s in ("auto", 30, 0))
    np.testing.assert_array_equal(auto, given)
    assert not np.array_equal(auto, none)
