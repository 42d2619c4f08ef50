"""SLMR as a detector: any series, equal scores for equal options, and anomalies that it finds."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tsad_core import OptionError

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.slmr import SLMR  # noqa: E402 - it needs torch
from tsad_baselines.slmr.detector import usual  # noqa: E402
from tsad_baselines.slmr.training import _look  # noqa: E402
from tsad_core.testing import check_detector  # noqa: E402

TINY = {"group": 2, "hidden": 12, "steps": 12, "batch": 16, "learning_rate": 1e-3, "precision": "float32"}
LEARNING = {**TINY, "window": 6, "group": 3, "hidden": 24, "steps": 100, "batch": 32, "learning_rate": 2e-2}


def waves(steps: int, channels: int = 2, *, seed: int = 0):
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(steps, channels))
    phases = np.arange(steps)[:, None] * 2 * np.pi / 20 + np.arange(channels)
    return (10 * np.sin(phases) + noise).astype(np.float32)


LEGACY = {"legacy_repeat": True, "legacy_odd_pool": True, "held_out": 0.0, "targets": 1, "error_scaling": "robust"}


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["defaults", "legacy"])
def test_it_keeps_the_contract(options) -> None:
    found = check_detector(SLMR(**{**TINY, "window": 4, "steps": 2, "batch": 4, **options}))
    assert found.skipped == {}
    assert found.look_ahead == 0


@pytest.mark.parametrize("channels", [1, 5, 60])
@pytest.mark.parametrize(("train", "test"), [(1, 1), (3, 200), (37, 5), (201, 97)])
@pytest.mark.parametrize("window", [2, 7, 10, 40])
def test_any_series_gets_finite_scores(train: int, test: int, channels: int, window: int) -> None:
    fitted = SLMR(**{**TINY, "steps": 1, "window": window}).fit(waves(train, channels))
    detection = fitted.detect(waves(test, channels))
    assert detection.scores_T.shape == (test,)
    assert detection.attribution_TC.shape == detection.expected_TC.shape == (test, channels)
    assert fitted.gates(waves(test, channels)).shape == (test, channels)


@pytest.mark.parametrize(("window", "steps", "used"), [(10, 100, 10), (7, 100, 8), (40, 12, 10), (40, 1, 2), (2, 9, 2)])
def test_a_window_is_even_and_shorter_than_the_training_part(window: int, steps: int, used: int) -> None:
    assert SLMR(**{**TINY, "steps": 1, "window": window}).fit(waves(steps)).window_ == used


@pytest.mark.parametrize("seed", [0, 1])
def test_an_anomaly_in_one_channel_is_found_and_blamed_on_it(seed: int) -> None:
    test_TC = waves(203, 3, seed=9)
    test_TC[180:183, 1] += 12
    detection = SLMR(**LEARNING, seed=seed).fit(waves(800, 3)).detect(test_TC)
    assert 180 <= detection.scores_T.argmax() < 183
    assert detection.attribution_TC[180].argmax() == 1


def test_expected_is_near_what_normal_would_have_looked_like() -> None:
    normal_TC = waves(300, 2, seed=9)
    test_TC = normal_TC.copy()
    test_TC[150, 0] += 15
    detection = SLMR(**LEARNING).fit(waves(800)).detect(test_TC)
    # of waves 20 high, and of an excursion of 15
    assert np.abs(detection.expected_TC - normal_TC)[:150].mean() < 2
    assert abs(detection.expected_TC[150, 0] - normal_TC[150, 0]) < 7


def test_expected_is_the_forecast_the_rebuilt_step_or_their_mean() -> None:
    fitted = {how: SLMR(**TINY, expected=how).fit(waves(300)) for how in ("forecast", "reconstruction", "mean")}
    found = {how: detector.detect(waves(100, seed=3)) for how, detector in fitted.items()}
    both_TC = found["forecast"].expected_TC + found["reconstruction"].expected_TC
    np.testing.assert_allclose(found["mean"].expected_TC, both_TC / 2)
    changed_TC = waves(100, seed=3)
    changed_TC[50] += 9
    changed = {how: fitted[how].detect(changed_TC).expected_TC[50] for how in ("forecast", "reconstruction")}
    np.testing.assert_array_equal(changed["forecast"], found["forecast"].expected_TC[50])
    assert (changed["reconstruction"] != found["reconstruction"].expected_TC[50]).all()


def test_scores_bands_and_attribution_are_the_errors_of_both_heads() -> None:
    train_TC, test_TC = waves(300), waves(100, seed=3)
    options = {**TINY, "gamma": 0.5}
    forecast_TC, rebuilt_TC = (
        np.abs(SLMR(**options, expected=how).fit(train_TC).detect(test_TC).expected_TC - test_TC)[10:]
        / np.ptp(train_TC, axis=0)
        for how in ("forecast", "reconstruction")
    )
    detection = SLMR(**options).fit(train_TC).detect(test_TC)
    np.testing.assert_allclose(detection.attribution_TC[10:], forecast_TC + 0.5 * rebuilt_TC, atol=1e-5)
    np.testing.assert_allclose(detection.bands["forecast"][10:], forecast_TC.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(detection.bands["reconstruction"][10:], 0.5 * rebuilt_TC.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(detection.scores_T, detection.attribution_TC.mean(axis=1))
    assert (detection.scores_T[:10] == detection.scores_T[10]).all()


def test_gates_lie_between_0_and_1_and_look_at_no_later_step() -> None:
    fitted = SLMR(**TINY).fit(waves(300, 3))
    gates_TC = fitted.gates(waves(100, 3, seed=3))
    assert ((gates_TC > 0) & (gates_TC < 1)).all()
    assert (gates_TC[:10] == gates_TC[0]).all()
    np.testing.assert_allclose(fitted.gates(waves(100, 3, seed=3)[:50]), gates_TC[:50], rtol=1e-5)


def test_errors_may_count_in_robust_deviations_from_the_usual_ones() -> None:
    train_TC, test_TC = waves(300), waves(100, seed=3)
    plain, robust = (SLMR(**TINY, error_scaling=how).fit(train_TC) for how in ("none", "robust"))
    assert robust.usual_O_.shape == robust.spread_O_.shape == (2,)
    error_TC = plain.detect(test_TC).attribution_TC
    wanted_TC = (error_TC - robust.usual_O_) / robust.spread_O_
    np.testing.assert_allclose(robust.detect(test_TC).attribution_TC, wanted_TC)


def test_usual_errors_are_medians_and_quartiles() -> None:
    median_O, spread_O = usual(np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [100.0, 5.0]]))
    np.testing.assert_allclose(median_O, [2, 5])
    np.testing.assert_allclose(spread_O, [2.1, 0.1])


def test_few_targets_are_scored_and_all_channels_looked_at() -> None:
    fitted = SLMR(**TINY, targets=1).fit(waves(300, 3))
    test_TC = waves(100, 3, seed=3)
    detection = fitted.detect(test_TC)
    assert (detection.attribution_TC[:, 1:] == 0).all()
    assert (detection.attribution_TC[:, 0] == detection.scores_T).all()
    np.testing.assert_allclose(detection.expected_TC[:, 1:], test_TC[:, 1:], rtol=1e-5, atol=1e-4)
    test_TC[:, 2] += 5
    assert (fitted.detect(test_TC).scores_T != detection.scores_T).any()


def test_missing_values_score_nothing_and_hide_nothing_else() -> None:
    test_TC = waves(160, 2, seed=9)
    test_TC[80:84] = np.nan
    test_TC[20, 1] += 15
    detection = SLMR(**LEARNING).fit(waves(600, 2)).detect(test_TC)
    assert (detection.scores_T[80:84] == 0).all()
    assert detection.scores_T[:70].argmax() in {20, 21}


def test_a_training_part_may_miss_values_and_hold_a_constant_channel() -> None:
    train_TC = waves(400, 4)
    train_TC[100:140, 0] = np.nan
    train_TC[:, 1] = 7
    train_TC[:, 2] = np.nan
    fitted = SLMR(**TINY).fit(train_TC)
    assert np.isfinite(fitted.weights_).all()
    test_TC = waves(100, 4)
    test_TC[50, 1] = 1e6
    assert fitted.detect(test_TC).scores_T.argmax() == 50


@pytest.mark.parametrize("value", [3e38, -3e38])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_values_however_large_score_high_and_finite(value: float, precision: str) -> None:
    test_TC = waves(100, 1)
    test_TC[50] = value
    assert SLMR(**{**TINY, "precision": precision}).fit(waves(300, 1)).detect(test_TC).scores_T.argmax() == 50


def test_inputs_may_be_read_only_and_stay_as_they_were() -> None:
    train_TC, test_TC = waves(300), waves(100)
    kept = train_TC.copy(), test_TC.copy()
    train_TC.flags.writeable = test_TC.flags.writeable = False
    SLMR(**TINY).fit(train_TC).detect(test_TC)
    np.testing.assert_array_equal(train_TC, kept[0])
    np.testing.assert_array_equal(test_TC, kept[1])


@pytest.mark.parametrize("options", [{}, {"keep": "last"}, {"precision": "bfloat16"}, {"mask_ratio": 0.0}])
def test_equal_seeds_give_equal_scores_and_touch_no_shared_randomness(options) -> None:
    shared = torch.get_rng_state()
    scores = [
        SLMR(**{**TINY, **options, "seed": seed}).fit(waves(300)).detect(waves(100)).scores_T for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert (scores[0] != scores[2]).any()
    assert torch.equal(torch.get_rng_state(), shared)


@pytest.mark.parametrize("option", [{"mask_ratio": 0.3}, {"mask_length": 6.0}, {"dropout": 0.3}, {"batch": 15}])
def test_every_option_of_training_changes_what_is_learnt(option) -> None:
    one, other = (SLMR(**{**TINY, **changes}).fit(waves(300)) for changes in ({}, option))
    assert (one.weights_ != other.weights_).any()


def test_what_is_loaded_scores_as_what_was_saved(tmp_path: Path) -> None:
    fitted = SLMR(**TINY, error_scaling="robust").fit(waves(300))
    fitted.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    loaded, test_TC = SLMR.load(tmp_path), waves(90)
    np.testing.assert_array_equal(loaded.detect(test_TC).scores_T, fitted.detect(test_TC).scores_T)
    np.testing.assert_array_equal(loaded.gates(test_TC), fitted.gates(test_TC))


def test_a_segment_scores_as_it_would_alone() -> None:
    fitted = SLMR(**TINY).fit(waves(300))
    segments = [waves(60, seed=5), waves(4, seed=6), waves(44, seed=7)]
    together = fitted.detect(np.concatenate(segments), starts=(0, 60, 64))
    alone = [fitted.detect(segment_TC) for segment_TC in segments]
    for name in ("scores_T", "attribution_TC", "expected_TC"):
        wanted = np.concatenate([getattr(detection, name) for detection in alone])
        np.testing.assert_allclose(getattr(together, name), wanted, rtol=1e-4, atol=1e-4)


def test_the_held_out_part_is_at_the_end_and_not_trained_on() -> None:
    train_TC = waves(400)
    changed_TC = train_TC.copy()
    changed_TC[365:] *= 0.5
    one, other = (SLMR(**TINY, keep="last").fit(part_TC) for part_TC in (train_TC, changed_TC))
    np.testing.assert_array_equal(one.weights_, other.weights_)
    assert (SLMR(**TINY, held_out=0.0).fit(changed_TC).weights_ != one.weights_).any()


def test_a_look_at_what_is_held_out_leaves_training_as_it_was(monkeypatch) -> None:
    model = torch.nn.BatchNorm1d(1)
    monkeypatch.setattr(
        "tsad_baselines.slmr.training.losses", lambda model, part: (float(model.training), part.double().mean())
    )
    held_out = SimpleNamespace(spread=lambda _: torch.arange(600), values=lambda part: part)
    # not in training while it looks, and parts count by their size
    assert _look(model, held_out)() == pytest.approx(599 / 2)
    assert model.training


def test_epochs_say_how_often_each_window_is_seen() -> None:
    fitted = SLMR(**{**TINY, "epochs": 2, "batch": 10, "held_out": 0.0}).fit(waves(110, 3))
    assert fitted.steps_ == 2 * 100 / 10


def test_the_scale_of_a_channel_does_not_matter() -> None:
    factor_C = np.array([1024, 1 / 1024], dtype=np.float32)
    plain = SLMR(**TINY).fit(waves(300)).detect(waves(100, seed=3))
    scaled = SLMR(**TINY).fit(waves(300) * factor_C).detect(waves(100, seed=3) * factor_C)
    np.testing.assert_allclose(scaled.scores_T, plain.scores_T, atol=1e-3)
    np.testing.assert_allclose(scaled.expected_TC / factor_C, plain.expected_TC, atol=0.05)


def test_bfloat16_scores_nearly_as_float32() -> None:
    fitted = SLMR(**LEARNING).fit(waves(600, 3))
    exact_T = fitted.detect(waves(200, 3, seed=9)).scores_T
    rough_T = fitted.set_params(precision="bfloat16").detect(waves(200, 3, seed=9)).scores_T
    assert 0 < np.abs(rough_T - exact_T).max() < 0.1 * exact_T.mean()


def test_a_device_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(OptionError, match="device = 'tpu' is not to be had here; allowed: auto, cpu"):
        SLMR(**TINY, device="tpu").fit(waves(100))


@pytest.mark.parametrize(("name", "value"), [("mask_ratio", 0.9), ("mask_length", 1.0), ("window", 1), ("batch", 1)])
def test_options_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=f"{name} = {value}"):
        SLMR(**{name: value})


@pytest.mark.parametrize("preset", [name for name in SLMR.presets if name != "quick"])
def test_a_published_preset_has_the_published_sizes(monkeypatch, preset: str) -> None:
    monkeypatch.setattr("tsad_baselines.slmr.detector.train", lambda *_: None)
    fitted = SLMR(**SLMR.presets[preset]).fit(waves(2570, 25))
    assert fitted.window_ == 10
    assert fitted.steps_ == 10 * (2313 - 10) // 256 + 1


def test_the_code_of_the_readme_does_what_it_says() -> None:
    readme = Path(__file__).parents[3] / "packages/tsad-baselines/src/tsad_baselines/slmr/README.md"
    (code,) = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), flags=re.DOTALL)
    quick = code.replace("SLMR()", "SLMR(steps=100, batch=32, window=6, group=3, hidden=24, learning_rate=2e-2)")
    assert quick != code
    space: dict = {}
    exec(compile(quick, readme.name, "exec"), space)
    assert 300 <= space["detection"].scores_T.argmax() < 310
    assert space["detection"].attribution_TC[300].argmax() == 1


def test_listing_the_package_does_not_import_torch() -> None:
    code = "import sys, tsad_baselines.slmr; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
