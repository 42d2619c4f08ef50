"""The losses, solved by hand."""

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.mixad.losses import balance_of, legacy_balance_of, losses  # noqa: E402 - it needs torch
from tsad_baselines.mixad.model import Read  # noqa: E402


def read(query, nearest, second, attention=((0.5, 0.5),)) -> Read:
    query, nearest, second, attention = (torch.tensor(values) for values in (query, nearest, second, attention))
    return Read(query, attention, query, nearest.requires_grad_(), second.requires_grad_())


def test_the_error_is_over_what_is_known() -> None:
    windows = torch.tensor([[[1.0, 0.0]], [[3.0, 5.0]]])
    rebuilt = torch.tensor([[[2.0, 0.0]], [[3.0, 7.0]]])
    here = read([[0.0]], [[0.0]], [[0.0]])
    assert losses(rebuilt, windows, torch.ones(2, 1, 2), here).error == pytest.approx(3 / 4)
    assert losses(rebuilt, windows, windows != 0, here).error == pytest.approx(3 / 3)
    assert losses(rebuilt, windows, torch.zeros(2, 1, 2), here).error == 0


def test_contrast_and_consistency_by_hand_and_slots_stay_where_they_are() -> None:
    here = read([[0.0, 3.0]], [[4.0, 0.0]], [[0.0, -1.5]])
    query = here.query_RD.requires_grad_()
    found = losses(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), torch.ones(1, 1, 1), here)
    assert found.contrast.item() == pytest.approx(1 + 5 - 4.5, abs=1e-5)
    assert found.consistency.item() == pytest.approx((16 + 9) / 2)
    (found.contrast + found.consistency).backward()
    assert query.grad.abs().sum() > 0
    assert here.nearest_RD.grad is None
    assert here.second_RD.grad is None


def test_balance_is_none_for_equal_shares_however_sharp_each_one_is() -> None:
    assert balance_of(torch.eye(4)).item() == pytest.approx(0, abs=1e-6)
    by_hand = 0.5 * (math.log(0.5 / 0.9) + math.log(0.5 / 0.1))
    assert balance_of(torch.tensor([[1.0, 0.0], [0.8, 0.2]])).item() == pytest.approx(by_hand)


def test_balance_is_finite_if_a_slot_is_never_used() -> None:
    attention = torch.tensor([[1.0, 0.0]], requires_grad=True)
    balance_of(attention).backward()
    assert attention.grad.isfinite().all()


def test_the_authors_balance_grows_with_the_number_of_rows() -> None:
    attention = torch.tensor([[0.6, 0.4]])
    few, many = (legacy_balance_of(attention.expand(rows, 2)) for rows in (10, 1000))
    assert many > 50 * few
    assert balance_of(attention.expand(1000, 2)).item() == pytest.approx(balance_of(attention).item(), abs=1e-5)
