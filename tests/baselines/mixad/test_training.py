"""Training: what is drawn, what counts, and which weights are kept."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.mixad import training  # noqa: E402 - it needs torch
from tsad_baselines.mixad.model import Shape, new_model  # noqa: E402
from tsad_baselines.mixad.training import Recipe, loss_of, teaching, train  # noqa: E402
from tsad_baselines.mixad.windows import Windows  # noqa: E402
from tsad_core import nn  # noqa: E402

RECIPE = Recipe(
    steps=4,
    batch=6,
    learning_rate=1e-2,
    epsilon=1e-8,
    longest=5.0,
    curriculum=2000.0,
    contrast=0.01,
    consistency=0.1,
    balance=1e-4,
)


@pytest.fixture
def model():
    return new_model(Shape(2, units=3, slots=2, width=3, order=2), nn.generator(0, "cpu"))


def windows_of(part_TC, starts=(0,), window: int = 5) -> Windows:
    return Windows(np.asarray(part_TC, dtype=np.float32), window=window, starts=starts, device="cpu")


def noise(steps: int, channels: int = 2):
    return np.random.default_rng(steps).random((steps, channels))


def test_windows_hold_the_steps_of_a_part() -> None:
    part = noise(9)
    seen = windows_of(part)
    assert len(seen) == 5
    np.testing.assert_array_equal(seen.values_TN[seen.steps(torch.tensor([0, 3]))][:, 1], part[3:8].astype(np.float32))


def test_no_window_crosses_a_start_and_a_shorter_segment_repeats_its_last_step() -> None:
    seen = windows_of(noise(12), starts=(0, 6, 9))
    assert seen.steps(seen.numbers()).t().tolist() == [
        [0, 1, 2, 3, 4],
        [1, 2, 3, 4, 5],
        [6, 7, 8, 8, 8],
        [9, 10, 11, 11, 11],
    ]
    assert seen.whole().tolist() == [0, 1]


def test_every_step_is_in_a_window_of_a_stride() -> None:
    seen = windows_of(noise(23), starts=(0, 3, 12))
    covered = {int(step) for step in seen.steps(seen.covering(3).nonzero()[:, 0]).flatten()}
    assert covered == set(range(23))
    assert seen.covering(3).sum() < len(seen)


def test_gaps_hold_what_was_known_before_them_in_their_segment() -> None:
    part = np.array([[np.nan, 1], [2, np.nan], [np.nan, np.nan], [np.nan, 5]])
    seen = windows_of(part, starts=(0, 3), window=2)
    assert seen.values_TN.tolist() == [[2, 1], [2, 1], [2, 1], [0, 5]]
    assert seen.known_TN.tolist() == [[False, True], [True, False], [False, False], [False, True]]


def test_missing_values_and_zeros_for_those_who_ask_count_in_no_loss(model) -> None:
    part = noise(5)
    part[2, 0] = 0
    gap = part.copy()
    gap[2, 0] = np.nan
    gap[1, 0] = 0  # what the gap is filled with
    part[1, 0] = 0
    mix, taught = model.mix(), [True] * 5
    alike = {"mix_MN": mix, "taught": taught}
    legacy = Recipe(**{**RECIPE.__dict__, "legacy_zeros": True})
    plain, counted = (
        loss_of(model, windows_of(part), torch.tensor([0]), recipe, **alike) for recipe in (RECIPE, legacy)
    )
    missing = loss_of(model, windows_of(gap), torch.tensor([0]), legacy, **alike)
    assert plain != counted
    assert missing.item() == counted.item()


def test_a_window_without_any_value_has_finite_gradients(model) -> None:
    seen = windows_of(np.full((5, 2), np.nan))
    loss_of(model, seen, torch.tensor([0]), RECIPE, mix_MN=model.mix(), taught=[True] * 5).backward()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("curriculum", [2000.0, 1e-3])
def test_training_lowers_the_loss_taught_or_not(model, curriculum: float) -> None:
    step_T = np.arange(80)[:, None]
    seen = windows_of(0.5 + 0.5 * np.sin(step_T / 3 + np.arange(2)))
    every = {"mix_MN": model.mix(), "taught": [curriculum > 1] * 5}

    def loss() -> float:
        with torch.no_grad():
            return float(loss_of(model, seen, seen.numbers(), RECIPE, **every))

    before = loss()
    train(model, seen, Recipe(**{**RECIPE.__dict__, "steps": 60, "curriculum": curriculum}), nn.generator(1, "cpu"))
    every["mix_MN"] = model.mix().detach()
    assert loss() < 0.8 * before


def test_a_batch_in_parts_has_nearly_the_gradient_of_the_whole(model, monkeypatch) -> None:
    found = []
    for rows in (1000, 4):
        monkeypatch.setitem(training.AT_ONCE, "cpu", rows)
        made = new_model(model.shape, nn.generator(0, "cpu"))
        still = Recipe(**{**RECIPE.__dict__, "steps": 1, "learning_rate": 1e-12, "balance": 0.0})
        train(made, windows_of(noise(40)), still, nn.generator(1, "cpu"))
        found.append(torch.cat([parameter.grad.flatten() for parameter in made.parameters()]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("step", "slowness", "likely"), [(0, 2000.0, 0.9995), (15_200, 2000.0, 0.5), (10**9, 2.0, 0)])
def test_teaching_goes_from_nearly_always_to_never(step: int, slowness: float, likely: float) -> None:
    assert teaching(step, slowness) == pytest.approx(likely, abs=1e-3)
