"""TimeVQVAEAD as a detector: what it promises of any series."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tsad_core import OptionError

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.timevqvae_ad import TimeVQVAEAD, counterfactual, digest  # noqa: E402 - it needs torch
from tsad_baselines.timevqvae_ad.counterfactual import suspicious  # noqa: E402
from tsad_baselines.timevqvae_ad.windows import Windows  # noqa: E402
from tsad_core.testing import check_detector  # noqa: E402

TINY = {
    "window": 16,
    "codes": 16,
    "code_width": 8,
    "blocks": 1,
    "layers": 2,
    "width": 16,
    "tokenizer_steps": 2,
    "tokenizer_batch": 8,
    "prior_steps": 2,
    "prior_batch": 8,
    "stride": 0.5,
    "rates": "0.1 0.5",
    "decoding_steps": 2,
    "precision": "float32",
}
LEARNING = {
    **TINY,
    "tokenizer_steps": 20,
    "tokenizer_batch": 16,
    "prior_steps": 40,
    "prior_batch": 32,
    "learning_rate": 1e-2,
    "stride": 0.25,
}


def waves(steps: int, channels: int = 2, *, seed: int = 0):
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(steps, channels))
    phases = np.arange(steps)[:, None] * 2 * np.pi / 8 + np.arange(channels)
    return (10 * np.sin(phases) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def learnt():
    return TimeVQVAEAD(**LEARNING).fit(waves(500))


def test_it_keeps_the_contract() -> None:
    found = check_detector(TimeVQVAEAD(**{**LEARNING, "stride": 0.5, "rates": "0.5", "layers": 1}))
    assert found.skipped == {}
    # as far as a window reaches, and as far as scores are smoothed
    assert found.look_ahead == 16 - 1 + 16 // 2


@pytest.mark.parametrize("options", [{}, {"fft": 8}, {"rates": "0.3"}, {"window": "auto"}])
@pytest.mark.parametrize(("train", "test", "channels"), [(1, 1, 1), (3, 200, 2), (37, 5, 1), (61, 97, 20), (7, 30, 3)])
def test_any_series_gets_finite_scores(options, train: int, test: int, channels: int) -> None:
    fitted = TimeVQVAEAD(**{**TINY, **options}).fit(waves(train, channels))
    detection = fitted.detect(waves(test, channels))
    assert detection.scores_T.shape == (test,)
    assert detection.attribution_TC.shape == detection.expected_TC.shape == (test, channels)
    assert set(detection.bands) == {f"frequency {row}/{fitted.fft}" for row in range(fitted.fft // 2 + 1)}


@pytest.mark.parametrize(
    ("window", "train", "used"), [(16, 100, 16), (16, 12, 12), (16, 3, 8), ("auto", 400, 20), (5, 100, 8)]
)
def test_a_window_is_two_periods_and_no_longer_than_the_longest_segment(window, train: int, used: int) -> None:
    slow_TC = np.sin(np.arange(train) * 2 * np.pi / 10)[:, None]
    assert TimeVQVAEAD(**{**TINY, "window": window}).fit(slow_TC).window_ == used


def test_the_longest_segment_counts_and_not_the_part() -> None:
    assert TimeVQVAEAD(**TINY).fit(waves(40), starts=(0, 14, 29)).window_ == 15


def test_periods_measured_by_hand_are_looked_up_by_the_digest_of_the_part(tmp_path: Path) -> None:
    path, train_TC = tmp_path / "periods.csv", waves(100)
    path.write_text(f"train,period\n{digest(waves(50))},20\n{digest(train_TC)},7\n", encoding="utf-8")
    assert TimeVQVAEAD(**TINY, legacy_periods=str(path)).fit(train_TC).window_ == 14
    with pytest.raises(OptionError, match=r"no row for a training part of shape \(99, 2\): add one with train = "):
        TimeVQVAEAD(**TINY, legacy_periods=str(path)).fit(waves(99))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "name,period\na,3\n",
        "train;period\na;3\n",
        "train,period\na,soon\n",
        "train,period\na,inf\n",
        "train,period\na,0\n",
        "train,period\na\n",
        "train,period\na,3\nb,4\na,5\n",
    ],
)
def test_a_file_of_periods_that_cannot_be_read_is_a_clear_error(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "periods.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(OptionError, match=r"it must be a CSV file with the columns train, .* and period"):
        TimeVQVAEAD(**TINY, legacy_periods=str(path)).fit(waves(50))


def test_a_file_of_periods_may_come_from_a_spreadsheet(tmp_path: Path) -> None:
    path, train_TC = tmp_path / "periods.csv", waves(50)
    path.write_text(f"name, train, period\na, {digest(train_TC)}, 7\n", encoding="utf-8-sig")
    assert TimeVQVAEAD(**TINY, legacy_periods=str(path)).fit(train_TC).window_ == 14


@pytest.mark.parametrize("samples", [0, -1, 1.5])
def test_samples_are_one_or_more(learnt, samples: float) -> None:
    with pytest.raises(OptionError, match=f"samples = {samples}; it must be an integer of 1 or more"):
        learnt.counterfactuals(waves(40), samples=samples)


def test_a_digest_is_of_values_and_their_order() -> None:
    part_TC = waves(10)
    assert digest(part_TC) == digest(part_TC.astype(np.float64)) == digest(np.asfortranarray(part_TC))
    assert digest(part_TC) != digest(part_TC[::-1])


def test_an_anomaly_in_one_channel_is_found_and_blamed_on_it(learnt) -> None:
    test_TC = waves(203, seed=9)
    test_TC[120:126, 1] = test_TC[120, 1]
    detection = learnt.detect(test_TC)
    assert 110 <= detection.scores_T.argmax() < 136
    assert detection.attribution_TC[123].argmax() == 1
    np.testing.assert_allclose(detection.scores_T, detection.attribution_TC.mean(axis=1))


def test_bands_are_what_each_row_adds_before_smoothing(learnt) -> None:
    detection = learnt.detect(waves(100, seed=3))
    bar_T = sum(detection.bands.values()) / 3
    # half of the mean of this step and half of those around it
    wanted = [(bar_T[t] + bar_T[max(0, t - 8) : t + 8].mean()) / 2 for t in range(100)]
    np.testing.assert_allclose(detection.scores_T, wanted)


def test_expected_is_the_input_but_for_what_is_suspicious(learnt) -> None:
    normal_TC = waves(203, seed=9)
    test_TC = normal_TC.copy()
    test_TC[120:126, 1] += 12
    found = learnt.counterfactuals(test_TC, samples=5)
    assert found.samples_STC.shape == (5, 203, 2)
    assert found.edited_TC[121:125, 1].all()
    np.testing.assert_array_equal(found.samples_STC[:, ~found.edited_TC], np.tile(test_TC[~found.edited_TC], (5, 1)))
    assert (found.low <= found.median).all()
    assert (found.median <= found.high).all()
    assert (found.low < found.high)[found.edited_TC].any()
    detection = learnt.detect(test_TC)
    np.testing.assert_array_equal(detection.expected_TC[~found.edited_TC], test_TC[~found.edited_TC])
    far = np.abs(test_TC - normal_TC)[120:126, 1].mean()
    assert np.abs(detection.expected_TC - normal_TC)[120:126, 1].mean() < 0.9 * far


def test_samples_are_those_of_the_most_central_window(monkeypatch) -> None:
    excess_TC = np.random.default_rng(0).normal(size=(50, 3))
    spans = np.array([[start, start + 16] for start in (0, 5, 10, 15, 20, 25, 30, 34)])
    windows = Windows(np.zeros((50, 3)), spans, (0,), window=16, least_C=np.ones(3), device="cpu")

    def numbered(sampler, windows, index_B, columns_BW, samples: int):
        return np.tile(index_B % len(spans) + 1.0, (samples, 16, 1)).swapaxes(1, 2)

    monkeypatch.setattr(counterfactual, "_drawn", numbered)
    monkeypatch.setattr(counterfactual, "_AT_ONCE", 3)
    sampler = SimpleNamespace(tokenizer=SimpleNamespace(sizes=SimpleNamespace(columns=8)))
    found = counterfactual.counterfactuals(sampler, windows, excess_TC, samples=2)
    for step, channel in np.ndindex(50, 3):
        near = {}
        for number, (first, stop) in enumerate(spans, start=1):
            columns_W = suspicious(excess_TC[None, first:stop, channel], 8)[0]
            if first <= step < stop and columns_W[(step - first) // 2]:
                near.setdefault(abs(step - first - 7.5), []).append(number)
        assert found.edited_TC[step, channel] == bool(near)
        assert set(found.samples_STC[:, step, channel]) <= set(near[min(near)] if near else [0])
    assert 0.1 < found.edited_TC.mean() < 1


def test_no_expectation_costs_no_scores(learnt) -> None:
    test_TC = waves(100, seed=3)
    kept = learnt.detect(test_TC)
    without = TimeVQVAEAD(**{**LEARNING, "expected": False}).fit(waves(500)).detect(test_TC)
    assert without.expected_TC is None
    np.testing.assert_array_equal(without.scores_T, kept.scores_T)


def test_the_unit_of_a_channel_does_not_matter() -> None:
    factor_C = 2.0 ** np.array([-30, 20])
    plain, scaled = (
        TimeVQVAEAD(**TINY).fit(waves(100) * unit_C).detect(waves(60, seed=1) * unit_C) for unit_C in (1, factor_C)
    )
    np.testing.assert_allclose(scaled.attribution_TC, plain.attribution_TC, rtol=1e-4)
    np.testing.assert_allclose(scaled.expected_TC / factor_C, plain.expected_TC, rtol=1e-4)


def test_suspicious_columns_hold_an_excess_and_leave_some_to_go_by() -> None:
    excess_BL = np.array([[-1.0] * 20, [-1.0] * 13 + [3.0] + [-1.0] * 6, [*range(1, 21)]])
    found_BW = suspicious(excess_BL, 10)
    assert found_BW.sum(axis=1).tolist() == [0, 1, 9]
    assert found_BW[1, 6]
    assert not found_BW[2, 0]


def test_missing_values_score_nothing_and_hide_nothing_else(learnt) -> None:
    test_TC = waves(260, seed=9)
    test_TC[100:180, 0] = np.nan
    test_TC[40:46, 1] = 0
    detection = learnt.detect(test_TC)
    assert (detection.attribution_TC[100:180, 0] == 0).all()
    assert 30 <= detection.scores_T.argmax() < 56
    nothing = learnt.detect(np.full((60, 2), np.nan, dtype=np.float32))
    assert (nothing.scores_T == 0).all()


def test_what_is_missing_at_the_end_of_training_says_nothing_about_what_is_usual() -> None:
    train_TC = waves(400)
    train_TC[-30:, 0] = np.nan
    threshold_C = TimeVQVAEAD(**TINY, quantile=0.5).fit(train_TC).threshold_C_
    assert (threshold_C > 0).all()
    assert np.isfinite(threshold_C).all()
    # of what is never there nothing is suspicious
    train_TC[-60:, 0] = np.nan
    fitted = TimeVQVAEAD(**TINY).fit(train_TC)
    assert np.isinf(fitted.threshold_C_).tolist() == [True, False]
    assert not fitted.counterfactuals(waves(100, seed=1), samples=2).edited_TC[:, 0].any()


@pytest.mark.parametrize(("fft", "columns", "window"), [(16, 1, 100), (512, 8, 1024), (2048, 32, 2048)])
def test_a_grid_keeps_a_column_however_coarse(fft: int, columns: int, window: int) -> None:
    fitted = TimeVQVAEAD(**{**TINY, "fft": fft, "columns": columns, "window": window}).fit(waves(window + 50, 1))
    assert np.isfinite(fitted.detect(waves(window, 1)).scores_T).all()


def test_a_gap_is_crossed_by_a_line() -> None:
    part_TC = np.array([[0.0], [np.nan], [np.nan], [3.0], [np.nan]])
    windows = Windows(part_TC, np.array([[0, 5]]), (0,), window=8, least_C=np.full(1, 1e-4), device="cpu")
    assert windows.series_CT.tolist() == [[0, 1, 2, 3, 3]]
    # what is too short repeats its last step
    found = windows.scored(windows.of(slice(0, 1)), torch.float64)
    whole = [0, 1, 2, 3, 3, 3, 3, 3]
    np.testing.assert_allclose((found.values_BL * found.spread_B1 + found.centre_B1)[0], whole)
    assert found.spread_B1.item() == pytest.approx(np.std(whole, ddof=1))


def test_a_training_part_may_miss_values_and_hold_a_constant_channel() -> None:
    train_TC = waves(120, 4)
    train_TC[50:90, 0] = np.nan
    train_TC[:, 1] = 7
    train_TC[:, 2] = np.nan
    fitted = TimeVQVAEAD(**TINY).fit(train_TC)
    assert np.isfinite(fitted.tokenizer_).all()
    assert np.isfinite(fitted.prior_).all()
    assert np.isfinite(fitted.detect(waves(50, 4)).scores_T).all()


@pytest.mark.parametrize("value", [3e38, -3e38])
def test_values_however_large_leave_scores_finite(learnt, value: float) -> None:
    test_TC = waves(100)
    test_TC[50, 0] = value
    assert np.isfinite(learnt.detect(test_TC).expected_TC).all()


def test_scale_and_level_of_a_channel_do_not_matter(learnt) -> None:
    test_TC = waves(100, seed=3).astype(np.float64)
    plain = learnt.detect(test_TC)
    changed = learnt.detect(test_TC * np.array([1000, 0.001]) + np.array([5e4, -3]))
    np.testing.assert_allclose(changed.scores_T, plain.scores_T, rtol=1e-3)


def test_many_channels_are_worked_on_a_few_at_a_time(monkeypatch, learnt) -> None:
    test_TC = waves(100, seed=3)
    whole = learnt.detect(test_TC)
    monkeypatch.setattr("tsad_baselines.timevqvae_ad.scoring._VALUES", 1)
    few = learnt.detect(test_TC)
    np.testing.assert_allclose(few.scores_T, whole.scores_T, rtol=1e-4)
    for name, band_T in whole.bands.items():
        np.testing.assert_allclose(few.bands[name], band_T, rtol=1e-4)


def test_overlaps_may_be_added_up_as_published(learnt) -> None:
    test_TC = waves(100, seed=3)
    total = TimeVQVAEAD(**LEARNING, legacy_sum=True).fit(waves(500)).detect(test_TC)
    mean = learnt.detect(test_TC)
    count_T = np.zeros(100)
    for first in (*range(0, 85, 4),):
        count_T[first : first + 16] += 1
    for name, band_T in mean.bands.items():
        np.testing.assert_allclose(total.bands[name], band_T * count_T)


def test_a_segment_scores_as_it_would_alone(learnt) -> None:
    segments = [waves(60, seed=5), waves(4, seed=6), waves(44, seed=7)]
    together = learnt.detect(np.concatenate(segments), starts=(0, 60, 64))
    alone = [learnt.detect(segment_TC) for segment_TC in segments]
    wanted = np.concatenate([detection.attribution_TC for detection in alone])
    np.testing.assert_allclose(together.attribution_TC, wanted, rtol=1e-4)


def test_inputs_may_be_read_only_and_stay_as_they_were(learnt) -> None:
    train_TC, test_TC = waves(100), waves(100)
    test_TC[50:60] = 3
    kept = train_TC.copy(), test_TC.copy()
    train_TC.flags.writeable = test_TC.flags.writeable = False
    TimeVQVAEAD(**TINY).fit(train_TC)
    learnt.detect(test_TC)
    np.testing.assert_array_equal(train_TC, kept[0])
    np.testing.assert_array_equal(test_TC, kept[1])


REGULAR = {"dropout": 0.2, "layer_dropout": 0.3, "token_dropout": 0.3, "tokenizer_dropout": 0.3}


@pytest.mark.parametrize("options", [{}, REGULAR, {"precision": "bfloat16"}])
def test_equal_seeds_give_equal_scores_and_touch_no_shared_randomness(options) -> None:
    shared = torch.get_rng_state()
    test_TC = waves(60)
    test_TC[30:36] = 0
    found = [TimeVQVAEAD(**{**TINY, **options, "seed": seed}).fit(waves(80)).detect(test_TC) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(found[0].scores_T, found[1].scores_T)
    np.testing.assert_array_equal(found[0].expected_TC, found[1].expected_TC)
    assert (found[0].scores_T != found[2].scores_T).any()
    assert torch.equal(torch.get_rng_state(), shared)


@pytest.mark.parametrize("name", ["dropout", "layer_dropout", "token_dropout"])
def test_every_dropout_of_the_prior_changes_it(name: str) -> None:
    one, other = (TimeVQVAEAD(**TINY | {"dropout": 0.0} | changes).fit(waves(80)) for changes in ({}, {name: 0.5}))
    np.testing.assert_array_equal(one.tokenizer_, other.tokenizer_)
    assert (one.prior_ != other.prior_).any()


@pytest.mark.parametrize("change", [{"legacy_quantiser": True}, {"tokenizer_dropout": 0.3}, {"decay": 0.5}])
def test_every_option_of_stage_1_changes_it(change) -> None:
    one, other = (TimeVQVAEAD(**TINY | changes).fit(waves(80)) for changes in ({}, change))
    assert (one.tokenizer_ != other.tokenizer_).any()


def test_what_is_loaded_scores_as_what_was_saved(tmp_path: Path, learnt) -> None:
    learnt.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    test_TC = waves(90, seed=3)
    test_TC[40:46] = 0
    loaded, kept = TimeVQVAEAD.load(tmp_path).detect(test_TC), learnt.detect(test_TC)
    np.testing.assert_array_equal(loaded.scores_T, kept.scores_T)
    np.testing.assert_array_equal(loaded.expected_TC, kept.expected_TC)


def test_the_held_out_part_is_at_the_end_and_not_trained_on() -> None:
    train_TC = waves(200)
    changed_TC = train_TC.copy()
    changed_TC[182:] *= 0.5
    one, other = (TimeVQVAEAD(**TINY).fit(part_TC) for part_TC in (train_TC, changed_TC))
    np.testing.assert_array_equal(one.prior_, other.prior_)
    assert (TimeVQVAEAD(**TINY, held_out=0.0).fit(changed_TC).tokenizer_ != one.tokenizer_).any()


def test_bfloat16_scores_nearly_as_float32(learnt, tmp_path: Path) -> None:
    learnt.save(tmp_path)
    exact_T = learnt.detect(waves(200, seed=9)).scores_T
    rough_T = TimeVQVAEAD.load(tmp_path).set_params(precision="bfloat16").detect(waves(200, seed=9)).scores_T
    assert 0 < np.abs(rough_T - exact_T).max() < 0.05 * exact_T.max()


def test_a_device_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(OptionError, match="device = 'tpu' is not to be had here; allowed: auto, cpu"):
        TimeVQVAEAD(**TINY, device="tpu").fit(waves(100))


@pytest.mark.parametrize("rates", ["", "half", "0.1 1.5", "0"])
def test_rates_that_are_no_shares_are_refused(rates: str) -> None:
    with pytest.raises(OptionError, match="it must be numbers above 0 and up to 1"):
        TimeVQVAEAD(**{**TINY, "rates": rates})


@pytest.mark.parametrize(
    ("name", "value"), [("fft", 6), ("codes", 1), ("stride", 0.0), ("dropout", 1.0), ("window", 0)]
)
def test_options_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=f"{name} = {value}"):
        TimeVQVAEAD(**{name: value})


def test_the_published_presets_differ_in_the_prior_alone() -> None:
    later, early = TimeVQVAEAD.presets["paper"], TimeVQVAEAD.presets["paper-early"]
    assert {name for name in later if later.get(name) != early.get(name)} == {
        "heads",
        "expansion",
        "prior_steps",
        "token_dropout",
    }


def test_the_code_of_the_readme_does_what_it_says() -> None:
    readme = Path(__file__).parents[3] / "packages/tsad-baselines/src/tsad_baselines/timevqvae_ad/README.md"
    (code,) = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), flags=re.DOTALL)
    tiny = ", ".join(f"{name}={value!r}" for name, value in LEARNING.items() if name != "window")
    quick = code.replace("TimeVQVAEAD()", f"TimeVQVAEAD({tiny})")
    assert quick != code
    space: dict = {}
    exec(compile(quick, readme.name, "exec"), space)
    assert 280 <= space["detection"].scores_T.argmax() < 340


def test_listing_the_package_does_not_import_torch() -> None:
    code = "import sys, tsad_baselines.timevqvae_ad; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
