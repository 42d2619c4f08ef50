"""MIXAD as a detector: any series, equal scores for equal options, and anomalies that it finds."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tsad_core import OptionError

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.mixad import MIXAD  # noqa: E402 - it needs torch
from tsad_baselines.mixad.graph import settled  # noqa: E402
from tsad_core.testing import check_detector  # noqa: E402

TINY = {
    "window": 8,
    "units": 6,
    "width": 6,
    "slots": 3,
    "steps": 10,
    "batch": 8,
    "precision": "float32",
    "device": "cpu",
}
LEARNT = {**TINY, "units": 12, "width": 12, "steps": 60, "batch": 16, "learning_rate": 1e-2}


def waves(steps: int, channels: int = 2, *, seed: int = 0):
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(steps, channels))
    phases = np.arange(steps)[:, None] * 2 * np.pi / 20 + np.arange(channels)
    return (10 * np.sin(phases) + noise).astype(np.float32)


@pytest.mark.parametrize("options", [{}, {"score": "joined", "held_out": 0.2, "keep": "best", "precision": "bfloat16"}])
def test_it_keeps_the_contract(options) -> None:
    small = {**TINY, "units": 3, "width": 3, "steps": 2, "batch": 4}
    assert check_detector(MIXAD(**{**small, **options})).skipped == {}


@pytest.mark.parametrize("channels", [1, 40])
@pytest.mark.parametrize(("train", "test"), [(1, 1), (3, 60), (37, 5), (61, 37)])
@pytest.mark.parametrize("score", ["shift", "joined"])
def test_any_series_gets_finite_scores(train: int, test: int, channels: int, score: str) -> None:
    fitted = MIXAD(**{**TINY, "steps": 1, "score": score}).fit(waves(train, channels))
    detection = fitted.detect(waves(test, channels))
    assert detection.scores_T.shape == (test,)
    assert detection.attribution_TC.shape == (test, channels)
    assert (detection.expected_TC is None) == (score == "shift")


def test_an_anomaly_is_found_when_it_comes_or_goes() -> None:
    test_TC = waves(200, 3, seed=9)
    test_TC[150:156, 1] += 25
    scores_T = MIXAD(**LEARNT).fit(waves(600, 3)).detect(test_TC).scores_T
    assert min(abs(scores_T.argmax() - 151), abs(scores_T.argmax() - 157)) <= 1


@pytest.mark.parametrize("score", ["error", "joined"])
def test_an_anomaly_is_found_by_what_is_rebuilt_and_blamed_on_its_channel(score: str) -> None:
    test_TC = waves(200, 3, seed=9)
    test_TC[150:153, 1] += 25
    detection = MIXAD(**LEARNT, score=score, curriculum=1e-3).fit(waves(600, 3)).detect(test_TC)
    assert 149 <= detection.scores_T.argmax() <= 154
    assert detection.attribution_TC[151].argmax() == 1
    assert set(detection.bands) == {"shift", "error"}


def test_what_is_expected_is_near_what_is_normal() -> None:
    test_TC = waves(200, 2, seed=9)
    # learnt as it is asked: untaught
    detection = MIXAD(**{**LEARNT, "steps": 100}, curriculum=1e-3, expected=True).fit(waves(600, 2)).detect(test_TC)
    assert np.abs(detection.expected_TC - test_TC).mean() < 0.5 * np.abs(test_TC - test_TC.mean(axis=0)).mean()


def test_asking_what_is_expected_changes_no_score() -> None:
    plain, more = (MIXAD(**TINY, expected=expected).fit(waves(200)).detect(waves(90)) for expected in (False, True))
    np.testing.assert_array_equal(plain.scores_T, more.scores_T)
    np.testing.assert_array_equal(plain.attribution_TC, more.attribution_TC)
    assert plain.expected_TC is None


def test_the_joined_score_is_the_sum_of_its_parts_channel_by_channel() -> None:
    made = {
        name: MIXAD(**TINY, score=name).fit(waves(200)).detect(waves(90, seed=9))
        for name in ("shift", "error", "joined")
    }
    left_TC = made["joined"].attribution_TC - made["error"].attribution_TC
    ratio_TC = left_TC / made["shift"].attribution_TC
    np.testing.assert_allclose(ratio_TC, np.median(ratio_TC), rtol=1e-4)
    np.testing.assert_array_equal(made["joined"].bands["error"], made["error"].scores_T)


def test_scores_do_not_look_ahead() -> None:
    fitted, test_TC = MIXAD(**TINY).fit(waves(300)), waves(120, seed=9)
    changed_TC = test_TC.copy()
    changed_TC[80:] += 5
    before, after = fitted.detect(test_TC).scores_T, fitted.detect(changed_TC).scores_T
    np.testing.assert_allclose(after[:80], before[:80], rtol=1e-5, atol=1e-9)
    assert (before[80:] != after[80:]).any()


def test_missing_values_score_nothing() -> None:
    test_TC = waves(160, 2, seed=9)
    test_TC[80:84, 0] = np.nan
    test_TC[30:32, 1] += 12
    detection = MIXAD(**{**TINY, "score": "joined", "steps": 60}).fit(waves(400)).detect(test_TC)
    assert (detection.attribution_TC[80:84, 0] == 0).all()
    assert (detection.attribution_TC[80:84, 1] != 0).any()
    assert np.isfinite(detection.scores_T).all()


def test_a_training_part_may_miss_values_and_hold_a_constant_channel() -> None:
    train_TC = waves(400, 3)
    train_TC[100:140, 0] = np.nan
    train_TC[:, 1] = 7
    train_TC[:, 2] = np.nan
    fitted = MIXAD(**{**TINY, "score": "error", "steps": 40}).fit(train_TC)
    assert np.isfinite(fitted.weights_).all()
    test_TC = waves(100, 3)
    test_TC[:, 1:] = 7, 0
    test_TC[50, 1] = 1e6
    assert fitted.detect(test_TC).scores_T.argmax() == 50


@pytest.mark.parametrize("value", [3e38, -3e38])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_huge_values_have_finite_scores(value: float, precision: str) -> None:
    test_TC = waves(60)
    test_TC[30, 0] = value
    detection = MIXAD(**{**TINY, "score": "joined", "precision": precision}).fit(waves(200)).detect(test_TC)
    assert np.isfinite(detection.scores_T).all()


def test_one_channel_is_a_graph_of_one() -> None:
    assert settled(torch.ones(1, 1)).tolist() == [[0]]
    test_TC = waves(200, 1, seed=9)
    test_TC[150, 0] += 25
    assert 150 <= MIXAD(**LEARNT).fit(waves(400, 1)).detect(test_TC).scores_T.argmax() <= 152


@pytest.mark.parametrize("options", [{}, {"score": "joined"}, {"precision": "bfloat16"}, {"legacy_noise": True}])
def test_equal_seeds_give_equal_scores_and_touch_no_shared_randomness(options) -> None:
    shared = torch.get_rng_state()
    scores = [
        MIXAD(**{**TINY, **options, "seed": seed}).fit(waves(200)).detect(waves(90)).scores_T for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert (scores[0] != scores[2]).any()
    assert torch.equal(torch.get_rng_state(), shared)


def test_bfloat16_ranks_the_steps_nearly_as_float32_does() -> None:
    fitted = MIXAD(**{**TINY, "steps": 60, "deseasonal": "none"}).fit(waves(400))
    one = fitted.detect(waves(300, seed=9)).scores_T
    other = fitted.set_params(precision="bfloat16").detect(waves(300, seed=9)).scores_T
    ranks = [scores.argsort().argsort() for scores in (one, other)]
    assert np.corrcoef(*ranks)[0, 1] > 0.97
    assert (one != other).any()


def test_what_is_loaded_scores_as_what_was_saved(tmp_path: Path) -> None:
    fitted = MIXAD(**{**TINY, "score": "joined"}).fit(waves(200))
    fitted.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    np.testing.assert_array_equal(MIXAD.load(tmp_path).detect(waves(90)).scores_T, fitted.detect(waves(90)).scores_T)


def test_a_segment_scores_the_same_wherever_it_stands() -> None:
    fitted = MIXAD(**{**TINY, "score": "joined"}).fit(waves(200), starts=(0, 70))
    segment_TC = waves(60, seed=5)
    alone_T = fitted.detect(segment_TC).scores_T
    together_T = fitted.detect(np.concatenate([waves(5), segment_TC, waves(44, seed=6)]), starts=(0, 5, 65)).scores_T
    np.testing.assert_allclose(together_T[5:65], alone_T, rtol=1e-4, atol=1e-7)


def test_the_held_out_part_is_not_trained_on() -> None:
    train_TC = waves(400)
    changed_TC = train_TC.copy()
    changed_TC[330:] *= 0.5
    one, other = (MIXAD(**TINY, held_out=0.2, score="joined").fit(part_TC) for part_TC in (train_TC, changed_TC))
    np.testing.assert_array_equal(one.weights_, other.weights_)
    assert (one.usual_error_C_ != other.usual_error_C_).all()


def test_windows_are_no_longer_than_what_is_left_to_train_on() -> None:
    fitted = MIXAD(**TINY, held_out=0.5).fit(waves(30), starts=(0, 6, 12, 18))
    assert fitted.window_ == 6
    assert np.isfinite(fitted.detect(waves(20)).scores_T).all()


def test_epochs_say_how_often_each_window_is_seen() -> None:
    assert MIXAD(**{**TINY, "epochs": 2, "batch": 10}).fit(waves(8 + 44)).steps_ == 2 * 45 / 10


@pytest.mark.parametrize(("channels", "windows"), [(1, 512), (38, 13), (600, 1)])
def test_a_batch_holds_as_many_values_whatever_the_channels(channels: int, windows: int) -> None:
    fitted = MIXAD(window=2, units=1, width=1, steps=1, device="cpu").fit(waves(30, channels))
    assert fitted.batch_ == windows


def test_the_scale_of_a_channel_does_not_matter() -> None:
    factor_C = np.array([1000, 0.001], dtype=np.float32)
    plain = MIXAD(**TINY, score="joined").fit(waves(200)).detect(waves(90, seed=3))
    scaled = MIXAD(**TINY, score="joined").fit(waves(200) * factor_C).detect(waves(90, seed=3) * factor_C)
    np.testing.assert_allclose(scaled.scores_T, plain.scores_T, rtol=0.02, atol=0.02)
    np.testing.assert_allclose(scaled.expected_TC / factor_C, plain.expected_TC, atol=0.02)


def test_the_authors_noise_scores_whatever_is_seen() -> None:
    fitted = MIXAD(**TINY, legacy_noise=True, deseasonal="none").fit(waves(200))
    one, other = fitted.detect(waves(90)), fitted.detect(waves(90, seed=9) * 3)
    np.testing.assert_array_equal(one.scores_T, other.scores_T)


def test_the_authors_erasure_leaves_nothing_near_its_edges() -> None:
    fitted = MIXAD(**TINY, legacy_erasure=True, deseasonal="none").fit(waves(200))
    scores_T = fitted.detect(waves(300)).scores_T
    assert np.flatnonzero(scores_T == 0).tolist() == [*range(7 + 6), *range(7 + 251, 7 + 262)]


def test_stl_without_statsmodels_is_refused_before_anything_is_learnt(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels.tsa.seasonal", None)
    with pytest.raises(ImportError, match=r"tsad-baselines\[stl\]"):
        MIXAD(**TINY, deseasonal="stl").fit(waves(100))


def test_stl_takes_other_seasons_off_than_the_past_does() -> None:
    pytest.importorskip("statsmodels", reason="statsmodels is not installed")
    scores = [MIXAD(**TINY, deseasonal=name).fit(waves(200)).detect(waves(90)).scores_T for name in ("stl", "causal")]
    assert (scores[0] != scores[1]).any()
    legacy = MIXAD(**TINY, deseasonal="stl", legacy_period=True).fit(waves(200)).detect(waves(90)).scores_T
    assert (legacy != scores[0]).any()


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(OptionError, match="slots = 1"):
        MIXAD(slots=1)
    with pytest.raises(OptionError, match="keep = 'best' needs a held-out part"):
        MIXAD(**TINY, keep="best").fit(waves(100))
    with pytest.raises(OptionError, match="device = 'tpu' is not to be had here"):
        MIXAD(**{**TINY, "device": "tpu"}).fit(waves(100))


@pytest.mark.parametrize(("preset", "channels", "weights"), [("paper-smd", 38, 377_597), ("paper-msds", 10, 253_033)])
def test_a_published_preset_has_the_published_sizes(monkeypatch, preset: str, channels: int, weights: int) -> None:
    monkeypatch.setattr("tsad_baselines.mixad.detector.train", lambda *_: None)
    fitted = MIXAD(**MIXAD.presets[preset]).fit(waves(5 * 285 + 145, channels))
    assert len(fitted.weights_) == weights
    # windows of four fifths of the training part, in batches of 256
    assert fitted.steps_ == np.ceil(30 * (1256 - 29) / 256)


def test_the_code_of_the_readme_does_what_it_says() -> None:
    source = Path(__file__).parents[3] / "packages" / "tsad-baselines" / "src" / "tsad_baselines" / "mixad"
    (code,) = re.findall(r"```python\n(.*?)```", (source / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    small = "units=16, width=16, steps=50, batch=32, learning_rate=1e-2, seed=1, device='cpu', precision='float32'"
    quick = code.replace("MIXAD()", f"MIXAD({small})")
    assert quick != code
    space: dict = {}
    exec(compile(quick, "README.md", "exec"), space)
    assert 299 <= space["detection"].scores_T.argmax() <= 312
    assert space["detection"].attribution_TC[300].argmax() == 1


def test_listing_the_plugin_does_not_import_torch() -> None:
    code = "import sys, tsad_baselines.mixad, tsad_baselines.plugin; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
