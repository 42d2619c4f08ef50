"""Memories against NumPy, and their gradients against numbers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.amsl.memory import recall, recall_with_entropy  # noqa: E402


def example(scale: float = 1.0):
    random = torch.Generator().manual_seed(0)
    query, bank = (torch.randn(2, size, 3, generator=random, dtype=torch.float64) for size in (5, 4))
    return scale * query, bank


def weights(query_ND, bank_MD):
    exponent_NM = np.exp(query_ND @ bank_MD.T)
    return exponent_NM / exponent_NM.sum(axis=1, keepdims=True)


def test_a_query_recalls_the_mean_slot_weighted_by_a_softmax() -> None:
    query, bank = example()
    wanted = np.stack([weights(q, b) @ b for q, b in zip(query.numpy(), bank.numpy(), strict=True)])
    np.testing.assert_allclose(recall(query, bank), wanted)
    np.testing.assert_allclose(recall_with_entropy(query, bank)[0], wanted)


def test_entropy_is_that_of_the_weights() -> None:
    query, bank = example()
    weight = np.stack([weights(q, b) for q, b in zip(query.numpy(), bank.numpy(), strict=True)])
    np.testing.assert_allclose(recall_with_entropy(query, bank)[1], -(weight * np.log(weight)).sum(axis=2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_weights_of_zero_have_no_entropy_and_finite_gradients(dtype) -> None:
    query = torch.tensor([[[1e4, 0.0]]], dtype=dtype, requires_grad=True)
    bank = torch.tensor([[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]], dtype=dtype, requires_grad=True)
    recalled, entropy = recall_with_entropy(query, bank)
    assert recalled.tolist() == [[[1.0, 0.0]]]
    assert entropy.item() == pytest.approx(0.0, abs=0.1 if dtype == torch.bfloat16 else 1e-3)
    (recalled.sum() + entropy.sum()).backward()
    assert query.grad.isfinite().all()
    assert bank.grad.isfinite().all()


def test_equal_weights_have_the_largest_entropy() -> None:
    entropy = recall_with_entropy(torch.zeros(1, 1, 2), torch.randn(1, 8, 2))[1]
    assert entropy.item() == pytest.approx(np.log(8))


def test_gradients_of_recalled_and_entropy_are_those_of_the_plain_formulas() -> None:
    query, bank = (values.requires_grad_() for values in example())
    weight = torch.softmax(query @ bank.mT, dim=2)
    plain = weight @ bank, -(weight * weight.log()).sum(dim=2)
    # each result counts by a factor of its own
    factors = [torch.arange(1.0, result.numel() + 1).view_as(result) for result in plain]
    gradients = [
        torch.autograd.grad(results, (query, bank), factors) for results in (plain, recall_with_entropy(query, bank))
    ]
    torch.testing.assert_close(*gradients)
