"""The shift of activations: how far, step by step, and what seasons leave of it."""

import math
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.mixad.scoring import Shifts  # noqa: E402 - it needs torch
from tsad_baselines.mixad.shift import (  # noqa: E402
    Clean,
    by_step,
    divergence,
    legacy_erased,
    legacy_periods,
    stl,
    usual_season,
)
from tsad_core import nn  # noqa: E402

PLAIN = Clean("none", 1)


def test_divergence_by_hand() -> None:
    one, other = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]])
    assert divergence(one, other).item() == pytest.approx(math.log(2) / 2)
    assert divergence(one, one).item() == pytest.approx(0, abs=1e-12)
    half = torch.tensor([[[0.5, 0.5]]])
    by_hand = (math.log(1 / 0.75) + 0.5 * (math.log(0.5 / 0.75) + math.log(0.5 / 0.25))) / 4
    assert divergence(one, half).item() == pytest.approx(by_hand)


def test_shifts_are_the_same_in_any_chunks() -> None:
    attention = torch.softmax(torch.randn(11, 2, 3, generator=nn.generator(0, "cpu")), dim=-1)
    found = []
    for size in (11, 1, 4):
        shifts = Shifts()
        for chunk in attention.split(size):
            shifts.add(chunk)
        found.append(shifts.all())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[0][0], 0)
    np.testing.assert_allclose(found[0][5], divergence(attention[4], attention[5]).numpy())


def test_noise_in_place_of_activations_shifts_whatever_was_read() -> None:
    found = []
    for seed in (0, 0, 1):
        shifts = Shifts(nn.generator(seed, "cpu"))
        shifts.add(torch.full((5, 2, 3), 1 / 3))
        found.append(shifts.all())
    assert (found[0][1:] > 0).all()
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def spans(*firsts: int, window: int):
    first_B = np.array(firsts)
    return np.stack([first_B, first_B + window], axis=1)


def test_a_shift_stands_where_its_window_ends_and_leads_the_steps_before() -> None:
    shift = np.array([[0.0], [2.0], [3.0]])
    assert by_step(shift, spans(0, 1, 2, window=3), (0,), PLAIN)[:, 0].tolist() == [2, 2, 2, 2, 3]


def test_no_shift_crosses_a_start() -> None:
    shift = np.array([[9.0], [2.0], [9.0], [3.0]])
    assert by_step(shift, spans(0, 1, 3, 4, window=2), (0, 3), PLAIN)[:, 0].tolist() == [2, 2, 2, 3, 3, 3]


def test_segments_of_one_window_shift_nothing() -> None:
    cut = np.array([[0, 1], [1, 3], [3, 4]])
    assert by_step(np.full((3, 2), 9.0), cut, (0, 1, 3), PLAIN).tolist() == [[0, 0]] * 4


def test_windows_of_one_step_keep_their_segments_apart() -> None:
    shift = np.array([[9.0], [1.0], [9.0], [4.0]])
    assert by_step(shift, spans(0, 1, 2, 3, window=1), (0, 2), PLAIN)[:, 0].tolist() == [1, 1, 4, 4]


def test_what_comes_every_period_is_taken_off_more_and_more() -> None:
    shift = np.tile([1.0, 0.0, 0.0, 5.0], 30)[:, None]
    left = shift - usual_season(shift, 4)
    np.testing.assert_array_equal(left[:4], shift[:4])
    peaks = left[3::4, 0]
    assert (np.diff(peaks[:14]) < 0).all()
    assert np.ptp(left[80:]) < 0.1 * np.ptp(shift)


def test_a_single_rise_is_left_whole_and_lowers_its_phase_later() -> None:
    shift = np.zeros((60, 1))
    shift[30] = 10
    left = (shift - usual_season(shift, 10))[:, 0]
    assert left.argmax() == 30
    assert left[30] == 10
    # 9 above the mean over a period, of which four were seen by then and one of nothing is counted
    assert left[40] == pytest.approx(-9 / 5)


def test_what_is_usual_does_not_look_ahead() -> None:
    shift = np.random.default_rng(0).random((50, 3))
    changed = shift.copy()
    changed[30:] += 5
    np.testing.assert_array_equal(usual_season(shift, 7)[:31], usual_season(changed, 7)[:31])


@pytest.mark.parametrize("steps", [1, 4, 5, 6, 100])
def test_any_length_has_a_usual_season(steps: int) -> None:
    assert np.isfinite(usual_season(np.random.default_rng(0).random((steps, 2)), 5)).all()


def test_many_channels_are_worked_on_a_few_at_a_time(monkeypatch) -> None:
    shift = np.random.default_rng(0).random((50, 7))
    expected = usual_season(shift, 6)
    monkeypatch.setattr("tsad_baselines.mixad.shift._CHUNK", 120)
    np.testing.assert_array_equal(usual_season(shift, 6), expected)


def test_only_the_last_thirteen_periods_count() -> None:
    shift = np.zeros((40, 1))
    shift[2] = 1
    assert usual_season(shift, 2)[28, 0] == pytest.approx(0.5 / 14)
    assert usual_season(shift, 2)[30, 0] == pytest.approx(0, abs=1e-15)


def test_rows_near_multiples_of_256_are_erased() -> None:
    left = legacy_erased(np.ones((520, 1)))[:, 0]
    assert np.flatnonzero(left == 0).tolist() == [*range(6), *range(251, 262), *range(507, 518)]


def test_the_authors_period_is_a_tenth_of_the_true_one() -> None:
    step = np.arange(1000)[:, None]
    waves = np.sin(2 * np.pi * step / np.array([50, 200, 8]))
    assert legacy_periods(waves) == [5, 20, 62]
    assert legacy_periods(np.ones((1, 2))) == [62, 62]


def test_without_statsmodels_the_error_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels.tsa.seasonal", None)
    with pytest.raises(ImportError, match=r"tsad-baselines\[stl\]"):
        stl()


def test_stl_takes_off_seasons_of_the_whole_part_and_leaves_short_ones() -> None:
    pytest.importorskip("statsmodels", reason="statsmodels is not installed")
    step = np.arange(200)
    shift = (np.sin(2 * np.pi * step / 20) + 0.01 * step)[:, None]
    left = Clean("stl", 20)(shift)
    assert np.abs(left[:, 0] - 0.01 * step).max() < 0.1
    np.testing.assert_array_equal(Clean("stl", 150)(shift), shift)
