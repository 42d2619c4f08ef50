"""AMSL as a detector: any series, equal scores for equal options, and anomalies that it finds."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tsad_core import OptionError

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.amsl import AMSL  # noqa: E402 - it needs torch
from tsad_baselines.amsl.views import VIEWS  # noqa: E402
from tsad_core.testing import check_detector  # noqa: E402

TINY = {"window": 12, "filters": 2, "slots": 4, "steps": 3, "batch": 4, "precision": "float32"}
LEARNING = {**TINY, "filters": 4, "slots": 20, "window": 20, "steps": 150, "batch": 8, "learning_rate": 1e-2}
LEGACY = {"legacy_memories": True, "legacy_cells": True, "legacy_draws": True, "scaling": "none"}


def waves(steps: int, channels: int = 2, *, seed: int = 0):
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(steps, channels))
    phases = np.arange(steps)[:, None] * 2 * np.pi / 20 + np.arange(channels)
    return (10 * np.sin(phases) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def learnt() -> AMSL:
    """A detector that knows waves of three channels."""
    return AMSL(**LEARNING).fit(waves(800, 3))


@pytest.mark.parametrize(
    "options", [{"keep": "best"}, {**LEGACY, "skip": False, "held_out": 0.0}], ids=["best", "legacy"]
)
def test_it_keeps_the_contract(options) -> None:
    found = check_detector(AMSL(**{**TINY, "steps": 1, "batch": 2, **options}))
    assert found.skipped == {}
    assert found.look_ahead <= TINY["window"]


@pytest.mark.parametrize("channels", [1, 50])
@pytest.mark.parametrize(("train", "test"), [(1, 1), (3, 60), (37, 5), (80, 97)])
@pytest.mark.parametrize("window", [1, 7, 16])
def test_any_series_gets_finite_scores(train: int, test: int, channels: int, window: int) -> None:
    fitted = AMSL(**{**TINY, "steps": 1, "window": window}).fit(waves(train, channels))
    detection = fitted.detect(waves(test, channels))
    assert detection.scores_T.shape == (test,)
    assert detection.attribution_TC.shape == detection.expected_TC.shape == (test, channels)


@pytest.mark.parametrize(("period", "window"), [(10, 32), (40, 40), (200, 128), (None, 64)])
def test_a_window_is_a_period_within_bounds(period: int | None, window: int) -> None:
    steps = np.arange(1000)[:, None]
    wave_TC = np.sin(steps * 2 * np.pi / period) if period else np.random.default_rng(0).normal(size=(1000, 1))
    fitted = AMSL(**{**TINY, "steps": 1, "window": "auto"}).fit(wave_TC.astype(np.float32))
    assert fitted.window_ == pytest.approx(window, abs=1)
    assert fitted.stride_ == fitted.window_ // 4


def test_a_window_is_never_longer_than_the_longest_segment() -> None:
    fitted = AMSL(**{**TINY, "steps": 1, "window": 40}).fit(waves(30), starts=(0, 18))
    assert fitted.window_ == 18


def test_an_anomaly_in_one_channel_is_found_and_blamed_on_it(learnt: AMSL) -> None:
    test_TC = waves(203, 3, seed=9)
    test_TC[150:153, 1] += 12
    detection = learnt.detect(test_TC)
    assert 148 <= detection.scores_T.argmax() < 155
    assert detection.attribution_TC[150:153].sum(axis=0).argmax() == 1


def test_expected_is_near_what_normal_would_have_looked_like(learnt: AMSL) -> None:
    normal_TC = waves(300, 3, seed=9)
    test_TC = normal_TC.copy()
    test_TC[150, 0] += 15
    detection = learnt.detect(test_TC)
    # of waves 20 high, and of an excursion of 15
    assert np.abs(detection.expected_TC - normal_TC)[:140].mean() < 2
    assert abs(detection.expected_TC[150, 0] - normal_TC[150, 0]) < 7


def test_the_score_is_the_sum_of_the_views_and_the_mean_of_the_channels() -> None:
    detection = AMSL(**TINY).fit(waves(200)).detect(waves(100, seed=3))
    assert tuple(detection.bands) == VIEWS
    np.testing.assert_allclose(sum(detection.bands.values()), detection.scores_T)
    np.testing.assert_allclose(detection.attribution_TC.mean(axis=1), detection.scores_T)


def test_the_raw_view_is_the_distance_from_what_is_expected() -> None:
    train_TC, test_TC = waves(200, 1), waves(60, 1, seed=3)
    fitted = AMSL(**{**TINY, "held_out": 0.0, "stride": 12}).fit(train_TC)
    detection = fitted.detect(test_TC)
    distance_T = (test_TC - detection.expected_TC)[:, 0] / np.ptp(train_TC)
    np.testing.assert_allclose(detection.bands["raw"], distance_T**2, atol=1e-4)


def test_gates_are_told_and_learnt() -> None:
    fitted = AMSL(**{**TINY, "steps": 20}).fit(waves(200))
    assert fitted.gates_R2_.shape == (7, 2)
    assert ((fitted.gates_R2_ > 0.3) & (fitted.gates_R2_ < 0.7) & (fitted.gates_R2_ != 0.5)).all()


def test_missing_values_score_nothing_and_hide_nothing_else(learnt: AMSL) -> None:
    test_TC = waves(160, 3, seed=9)
    test_TC[80:84] = np.nan
    test_TC[30, 1] += 15
    detection = learnt.detect(test_TC)
    assert (detection.scores_T[80:84] == 0).all()
    assert detection.scores_T[:70].argmax() == 30


def test_a_training_part_may_hold_a_constant_channel_and_one_of_which_nothing_is_known() -> None:
    train_TC = waves(300, 4)
    train_TC[:, 1] = 7
    train_TC[:, 2] = np.nan
    fitted = AMSL(**TINY).fit(train_TC)
    assert np.isfinite(fitted.weights_).all()
    test_TC = waves(100, 4)
    test_TC[:, 1] = 7
    test_TC[50, 1] = 1e6
    assert fitted.detect(test_TC).scores_T.argmax() == 50


@pytest.mark.parametrize("value", [3e38, -3e38])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_values_however_large_score_high_and_finite(value: float, precision: str) -> None:
    test_TC = waves(100, 1)
    test_TC[50] = value
    scores_T = AMSL(**{**TINY, "precision": precision}).fit(waves(300, 1)).detect(test_TC).scores_T
    assert abs(int(scores_T.argmax()) - 50) <= 5


def test_inputs_may_be_read_only_and_stay_as_they_were() -> None:
    train_TC, test_TC = waves(200), waves(100)
    kept = train_TC.copy(), test_TC.copy()
    train_TC.flags.writeable = test_TC.flags.writeable = False
    AMSL(**TINY).fit(train_TC).detect(test_TC)
    np.testing.assert_array_equal(train_TC, kept[0])
    np.testing.assert_array_equal(test_TC, kept[1])


@pytest.mark.parametrize("options", [{}, {"keep": "best"}, {"precision": "bfloat16"}, LEGACY])
def test_equal_seeds_give_equal_scores_and_touch_no_shared_randomness(options) -> None:
    shared = torch.get_rng_state()
    scores = [
        AMSL(**{**TINY, **options, "seed": seed}).fit(waves(200)).detect(waves(100)).scores_T for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert (scores[0] != scores[2]).any()
    assert torch.equal(torch.get_rng_state(), shared)


OPTIONS = [
    {"head_weight": 0.0},
    {"entropy_weight": 10.0},
    {"decay": 1.0},
    {"skip": False},
    {"batch": 5},
    {"legacy_memories": True},
    {"legacy_cells": True},
    {"legacy_draws": True},
]


@pytest.mark.parametrize("option", OPTIONS, ids=[next(iter(option)) for option in OPTIONS])
def test_every_option_of_training_changes_what_is_learnt(option) -> None:
    one, other = (AMSL(**{**TINY, **changes}).fit(waves(200)) for changes in ({}, option))
    assert one.weights_.shape != other.weights_.shape or (one.weights_ != other.weights_).any()


def test_ranges_of_cells_are_the_authors_way() -> None:
    one, other = (AMSL(**TINY, legacy_cells=cells).fit(waves(200)) for cells in (False, True))
    assert one.low_RCL_.shape == (7, 2, 1)
    assert other.low_RCL_.shape == (7, 2, 12)


def test_what_is_loaded_scores_as_what_was_saved(tmp_path: Path) -> None:
    fitted = AMSL(**TINY).fit(waves(200))
    fitted.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    loaded, test_TC = AMSL.load(tmp_path), waves(90)
    np.testing.assert_array_equal(loaded.detect(test_TC).scores_T, fitted.detect(test_TC).scores_T)
    np.testing.assert_array_equal(loaded.gates_R2_, fitted.gates_R2_)


def test_a_segment_scores_as_it_would_alone() -> None:
    fitted = AMSL(**TINY).fit(waves(200))
    segments = [waves(60, seed=5), waves(4, seed=6), waves(44, seed=7)]
    together = fitted.detect(np.concatenate(segments), starts=(0, 60, 64))
    alone = [fitted.detect(segment_TC) for segment_TC in segments]
    wanted = np.concatenate([detection.attribution_TC for detection in alone])
    np.testing.assert_allclose(together.attribution_TC, wanted, rtol=1e-4)


@pytest.mark.parametrize("keep", ["last", "best"])
def test_the_held_out_part_is_at_the_end_and_not_trained_on(keep: str) -> None:
    train_TC = waves(200)
    changed_TC = train_TC.copy()
    changed_TC[165:] *= 0.5
    options = {**TINY, "scaling": "none", "keep": keep, "steps": 1}
    one, other = (AMSL(**options).fit(part_TC) for part_TC in (train_TC, changed_TC))
    np.testing.assert_array_equal(one.weights_, other.weights_)
    np.testing.assert_array_equal(one.low_RCL_, other.low_RCL_)
    assert (AMSL(**options | {"held_out": 0.0}).fit(changed_TC).weights_ != one.weights_).any()


def test_segments_as_long_as_a_window_are_trained_on_and_scored_whole(monkeypatch) -> None:
    counted = []
    monkeypatch.setattr("tsad_baselines.amsl.detector.train", lambda *given: counted.append((given[1], given[-1])))
    starts = tuple(range(0, 144, 12))
    fitted = AMSL(**{**TINY, "epochs": 4, "keep": "best"}).fit(waves(144), starts=starts)
    ((seen, held_out),) = counted
    # a fifth of twelve is no whole number of segments
    assert seen.windows.spans_B2.tolist() == [[start, start + 12] for start in starts[:9]]
    assert held_out.windows.spans_B2.tolist() == [[start, start + 12] for start in starts[:3]]
    assert fitted.steps_ == 4 * 9 / 4
    scored = fitted._windows(waves(144), starts, fitted.stride_)
    assert scored.spans_B2.tolist() == [[start, start + 12] for start in starts]


def test_the_scale_of_a_channel_does_not_matter() -> None:
    factor_C = np.array([1024, 1 / 1024], dtype=np.float32)
    plain = AMSL(**TINY).fit(waves(200)).detect(waves(100, seed=3))
    scaled = AMSL(**TINY).fit(waves(200) * factor_C).detect(waves(100, seed=3) * factor_C)
    np.testing.assert_allclose(scaled.scores_T, plain.scores_T, atol=1e-3)
    np.testing.assert_allclose(scaled.expected_TC / factor_C, plain.expected_TC, atol=0.05)


def test_bfloat16_scores_nearly_as_float32(learnt: AMSL) -> None:
    exact_T = learnt.detect(waves(200, 3, seed=9)).scores_T
    rough = copy.copy(learnt).set_params(precision="bfloat16")
    rough_T = rough.detect(waves(200, 3, seed=9)).scores_T
    assert 0 < np.abs(rough_T - exact_T).mean() < 0.1 * exact_T.mean()


def test_a_device_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(OptionError, match="device = 'tpu' is not to be had here; allowed: auto, cpu"):
        AMSL(**TINY, device="tpu").fit(waves(100))


@pytest.mark.parametrize(("name", "value"), [("window", 0), ("filters", 0), ("decay", 0.0), ("held_out", 0.9)])
def test_options_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=f"{name} = {value}"):
        AMSL(**{name: value})


def test_the_published_preset_has_the_published_sizes(monkeypatch) -> None:
    monkeypatch.setattr("tsad_baselines.amsl.detector.train", lambda *_: None)
    starts = tuple(range(0, 2500, 125))
    fitted = AMSL(**AMSL.presets["paper-dsads"]).fit(waves(2500, 45), starts=starts)
    assert fitted.weights_.size == 3_327_645
    assert (fitted.window_, fitted.batch_, fitted.steps_) == (125, 16, 100 * 16 / 16)


def test_the_code_of_the_readme_does_what_it_says() -> None:
    readme = Path(__file__).parents[3] / "packages/tsad-baselines/src/tsad_baselines/amsl/README.md"
    (code,) = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), flags=re.DOTALL)
    quick = code.replace("AMSL()", "AMSL(steps=60, batch=8, filters=4, slots=10, learning_rate=5e-3)")
    assert quick != code
    space: dict = {}
    exec(compile(quick, readme.name, "exec"), space)
    assert 299 <= space["detection"].scores_T.argmax() < 311
    assert space["detection"].attribution_TC[300].argmax() == 1


def test_listing_the_package_does_not_import_torch() -> None:
    code = "import sys, tsad_baselines.amsl; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
