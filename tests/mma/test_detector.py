"""MMA as a detector: any series, equal scores for equal options, and anomalies that it finds."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tsad_core import OptionError

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_core.testing import check_detector  # noqa: E402 - MMA needs torch
from tsad_mma import MMA  # noqa: E402
from tsad_mma.ops import onednn  # noqa: E402

TINY = {
    "window": 32,
    "patch": 4,
    "width": 12,
    "layers": 1,
    "steps": 12,
    "batch": 16,
    "draws": 2,
    "smoothing": 0,
    "precision": "float32",
}


def waves(steps: int, channels: int = 2, *, seed: int = 0):
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(steps, channels))
    phases = np.arange(steps)[:, None] * 2 * np.pi / 20 + np.arange(channels)
    return (10 * np.sin(phases) + noise).astype(np.float32)


@pytest.mark.parametrize("options", [{}, {"legacy_filtering": True, "legacy_excess": True, "held_out": 0.0}])
def test_it_keeps_the_contract(options) -> None:
    assert check_detector(MMA(**{**TINY, "steps": 3, "batch": 4, "layers": 1, **options})).skipped == {}


@pytest.mark.parametrize("channels", [1, 50])
@pytest.mark.parametrize(("train", "test"), [(1, 1), (3, 200), (37, 5), (201, 97)])
@pytest.mark.parametrize("patch", ["auto", 4, 300])
def test_any_series_gets_finite_scores(train: int, test: int, channels: int, patch) -> None:
    options = {**TINY, "steps": 1, "patch": patch, "window": "auto" if patch == "auto" else 32}
    detection = MMA(**options).fit(waves(train, channels)).detect(waves(test, channels))
    assert detection.scores_T.shape == (test,)
    assert detection.attribution_TC.shape == detection.expected_TC.shape == (test, channels)


@pytest.mark.parametrize("seed", [0, 1])
def test_an_anomaly_in_the_last_patch_of_one_channel_is_found_and_blamed_on_it(seed: int) -> None:
    test_TC = waves(203, 3, seed=9)
    test_TC[-3:, 1] += 12
    fitted = MMA(**{**TINY, "steps": 60, "seed": seed}).fit(waves(600, 3))
    detection = fitted.detect(test_TC)
    assert detection.scores_T.argmax() >= 200
    assert (detection.attribution_TC[-3:].argmax(axis=1) == 1).all()


def test_filtering_restores_what_normal_would_have_looked_like() -> None:
    normal_TC = waves(320, 1, seed=9)
    test_TC = normal_TC.copy()
    test_TC[150:154] += 15
    options = {**TINY, "window": 64, "width": 16, "steps": 300, "learning_rate": 1e-2, "dropout": 0.0}
    errors = []
    for filtering in (False, True):
        detection = MMA(**{**options, "filtering": filtering}).fit(waves(800, 1)).detect(test_TC)
        errors.append(np.abs(detection.expected_TC - normal_TC)[130:174].mean())
    assert errors[1] < 0.75 * errors[0]


def test_channels_are_looked_at_one_by_one() -> None:
    test_TC = waves(160, 2, seed=9)
    changed_TC = test_TC.copy()
    changed_TC[40:60, 0] += 20
    fitted = MMA(**TINY).fit(waves(400, 2))
    before, after = fitted.detect(test_TC), fitted.detect(changed_TC)
    np.testing.assert_array_equal(before.expected_TC[:, 1], after.expected_TC[:, 1])
    assert (before.expected_TC[:, 0] != after.expected_TC[:, 0]).any()


def test_missing_values_score_nothing_and_hide_nothing_else() -> None:
    test_TC = waves(160, 1, seed=9)
    test_TC[80:84] = np.nan
    test_TC[20:23] += 12
    detection = MMA(**{**TINY, "steps": 60}).fit(waves(400, 1)).detect(test_TC)
    assert (detection.scores_T[80:84] == 0).all()
    assert 20 <= detection.scores_T.argmax() < 23


def test_a_training_part_may_miss_values_and_hold_a_constant_channel() -> None:
    train_TC = waves(400, 3)
    train_TC[100:140, 0] = np.nan
    train_TC[:, 1] = 7
    train_TC[:, 2] = np.nan
    fitted = MMA(**TINY).fit(train_TC)
    assert np.isfinite(fitted.weights_).all()
    test_TC = waves(100, 3)
    test_TC[50, 1] = 1e6
    assert fitted.detect(test_TC).scores_T.argmax() == 50


@pytest.mark.parametrize("value", [3e38, -3e38])
def test_values_however_large_score_high_and_finite(value: float) -> None:
    test_TC = waves(100, 1)
    test_TC[50] = value
    assert MMA(**TINY).fit(waves(300, 1)).detect(test_TC).scores_T.argmax() == 50


def test_inputs_may_be_read_only_and_stay_as_they_were() -> None:
    train_TC, test_TC = waves(300), waves(100)
    kept = train_TC.copy(), test_TC.copy()
    train_TC.flags.writeable = test_TC.flags.writeable = False
    MMA(**TINY).fit(train_TC).detect(test_TC)
    np.testing.assert_array_equal(train_TC, kept[0])
    np.testing.assert_array_equal(test_TC, kept[1])


@pytest.mark.parametrize("options", [{}, {"keep": "best"}, {"precision": "bfloat16"}, {"dropout": 0.0}])
def test_equal_seeds_give_equal_scores_and_touch_no_shared_randomness(options) -> None:
    shared = torch.get_rng_state()
    scores = [
        MMA(**{**TINY, **options, "seed": seed}).fit(waves(300)).detect(waves(100)).scores_T for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert (scores[0] != scores[2]).any()
    assert torch.equal(torch.get_rng_state(), shared)


def test_what_is_loaded_scores_as_what_was_saved(tmp_path: Path) -> None:
    fitted = MMA(**TINY).fit(waves(300))
    fitted.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    np.testing.assert_array_equal(MMA.load(tmp_path).detect(waves(90)).scores_T, fitted.detect(waves(90)).scores_T)


def test_windows_of_a_segment_are_the_same_wherever_it_stands() -> None:
    fitted = MMA(**TINY).fit(waves(300))
    segment_TC = waves(60, seed=5)
    alone_T = fitted.detect(segment_TC).scores_T
    together_T = fitted.detect(np.concatenate([segment_TC, waves(44, seed=6)]), starts=(0, 60)).scores_T
    np.testing.assert_allclose(together_T[:60], alone_T, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "steps", "window", "patch"),
    [
        ({}, 2000, 96, 3),
        ({"window": 320}, 2000, 320, 10),
        ({"window": 30, "patch": 4}, 2000, 32, 4),
        ({"patch": 5}, 2000, 160, 5),
        ({"window": 4000}, 210, 208, 26),
        ({}, 9, 9, 1),
    ],
)
def test_auto_means_an_eighth_of_a_period_and_32_patches(options, steps: int, window: int, patch: int) -> None:
    small = {name: TINY[name] for name in ("width", "layers", "draws", "batch")}
    fitted = MMA(**small, **options, steps=1).fit(waves(steps, 1))
    assert (fitted.window_, fitted.patch_) == (window, patch)


def test_the_held_out_part_is_not_trained_on() -> None:
    train_TC = waves(400)
    changed_TC = train_TC.copy()
    changed_TC[330:] = changed_TC[330:] * 0.5
    one, other = MMA(**TINY).fit(train_TC), MMA(**TINY).fit(changed_TC)
    np.testing.assert_array_equal(one.weights_, other.weights_)
    assert (one.usual_error_C_ != other.usual_error_C_).all()


def test_epochs_say_how_often_each_window_is_seen() -> None:
    fitted = MMA(**{**TINY, "epochs": 2, "batch": 10, "held_out": 0.0, "train_stride": 8}).fit(waves(32 + 8 * 9, 3))
    assert fitted.steps_ == 2 * 10 * 3 / 10


def test_smoothing_averages_both_parts_of_the_score() -> None:
    plain = MMA(**TINY).fit(waves(300)).detect(waves(100, seed=3)).scores_T
    smooth = MMA(**{**TINY, "smoothing": 5}).fit(waves(300)).detect(waves(100, seed=3)).scores_T
    np.testing.assert_allclose(smooth[10:-10], np.convolve(plain, np.full(5, 0.2), "same")[10:-10], rtol=1e-6)


def test_bands_are_the_parts_of_the_score() -> None:
    detection = MMA(**TINY).fit(waves(300)).detect(waves(100))
    np.testing.assert_allclose(detection.bands["error"] + detection.bands["similarity"], detection.scores_T)


def test_the_scale_of_a_channel_does_not_matter() -> None:
    factor_C = np.array([1000, 0.001], dtype=np.float32)
    plain = MMA(**TINY).fit(waves(300)).detect(waves(100, seed=3))
    scaled = MMA(**TINY).fit(waves(300) * factor_C).detect(waves(100, seed=3) * factor_C)
    np.testing.assert_allclose(scaled.scores_T, plain.scores_T, atol=1e-3)
    np.testing.assert_allclose(scaled.expected_TC / factor_C, plain.expected_TC, atol=0.05)


def test_a_device_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(OptionError, match="device = 'tpu' is not to be had here; allowed: auto, cpu"):
        MMA(**TINY, device="tpu").fit(waves(100))


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match="mask_ratio = 1"):
        MMA(mask_ratio=1.0)


def test_the_code_of_the_readme_does_what_it_says() -> None:
    readme = Path(__file__).parents[2] / "packages" / "tsad-mma" / "README.md"
    (code,) = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), flags=re.DOTALL)
    quick = code.replace("MMA()", "MMA(steps=100, width=24, layers=2, dropout=0.0, learning_rate=1e-2)")
    assert quick != code
    space: dict = {}
    exec(compile(quick, readme.name, "exec"), space)
    assert 300 <= space["detection"].scores_T.argmax() < 310
    assert space["detection"].attribution_TC[305].argmax() == 1
    np.testing.assert_allclose(space["detection"].expected_TC[305], space["series"][2305], atol=0.7)


def test_listing_the_plugin_does_not_import_torch() -> None:
    code = "import sys, tsad_mma.plugin; tsad_mma.plugin.tsad_detectors(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_kernels_are_recorded_and_score_alike() -> None:
    train_TC, test_TC = waves(400), waves(200, seed=9)
    auto, plain = (MMA(**TINY, kernels=kernels).fit(train_TC) for kernels in ("auto", "reference"))
    assert plain.kernels_ == "reference"
    assert auto.kernels_ == ("onednn" if onednn.AVAILABLE else "reference")
    np.testing.assert_allclose(auto.detect(test_TC).scores_T, plain.detect(test_TC).scores_T, rtol=0, atol=1e-5)


def test_kernels_that_are_not_to_be_had_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(onednn, "AVAILABLE", False)
    with pytest.raises(OptionError, match="take 'auto'"):
        MMA(**TINY, kernels="onednn").fit(waves(100))


@pytest.mark.parametrize("options", [{}, {"dropout": 0.2}, {"gating": False, "filtering": False}])
def test_fused_kernels_train_and_score_as_the_reference_does(options) -> None:
    pytest.importorskip("triton", reason="triton is not installed")
    train_TC, test_TC = waves(300), waves(100, seed=9)
    tiny = {**TINY, "steps": 3, "batch": 4, **options}
    fused = MMA(**tiny, kernels="triton").fit(train_TC)
    assert (fused.kernels_, fused.gelu_) == ("triton", "exact")
    plain = MMA(**tiny, kernels="reference").fit(train_TC)
    if not options.get("dropout"):  # the reference's is another one
        np.testing.assert_allclose(fused.weights_, plain.weights_, rtol=0, atol=1e-4)
    scores_T = fused.detect(test_TC).scores_T
    fused.kernels = "reference"
    np.testing.assert_allclose(fused.detect(test_TC).scores_T, scores_T, rtol=0, atol=1e-4)


def test_tiles_too_large_for_fused_kernels_are_the_references_and_so_recorded() -> None:
    pytest.importorskip("triton", reason="triton is not installed")
    assert MMA(**{**TINY, "width": 144, "steps": 1}, kernels="triton").fit(waves(100)).kernels_ == "reference"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernels": "triton"}, "kernels = 'triton' needs an NVIDIA GPU"),
        ({"precision": "tf32x3"}, "precision = 'tf32x3' needs kernels = 'triton'"),
        ({"gelu": "fast"}, "gelu = 'fast' needs kernels = 'triton'"),
    ],
)
def test_what_only_fused_kernels_have_is_refused_without_a_gpu(monkeypatch, options, message) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(OptionError, match=message):
        MMA(**{**TINY, "device": "cpu", **options}).fit(waves(100))


@pytest.mark.parametrize(
    ("preset", "period", "channels", "sizes"),
    [
        ("paper-asd", 100, 19, {"window": 1024, "patch": 16, "weights": 325_456, "steps": 101 * 45 / 64}),
        ("paper-synthetic", 25, 5, {"window": 1024, "patch": 16, "weights": 325_456, "steps": 101 * 45 / 64}),
        ("paper-ucr", 128, 1, {"window": 512, "patch": 16, "weights": 688_528, "steps": 201 * 87 / 64}),
    ],
)
def test_a_published_preset_has_the_published_sizes(monkeypatch, preset: str, period: int, channels: int, sizes):
    monkeypatch.setattr("tsad_mma.detector.train", lambda *_: None)
    steps_T = np.arange(1200)[:, None]
    series_TC = np.sin(2 * np.pi * steps_T / period + np.arange(channels)).astype(np.float32)
    fitted = MMA(**{**MMA.presets[preset], "draws": 1}).fit(series_TC)
    found = {"window": fitted.window_, "patch": fitted.patch_, "weights": len(fitted.weights_)}
    assert {**found, "steps": fitted.steps_} == {**sizes, "steps": np.ceil(sizes["steps"])}
