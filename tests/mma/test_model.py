"""The masked autoencoder: what it may see, what it must not, what it may not touch."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_core import nn  # noqa: E402 - it needs torch
from tsad_mma.masking import random_masks  # noqa: E402
from tsad_mma.model import Shape, losses, new_model  # noqa: E402


@pytest.fixture
def model():
    return new_model(Shape(patches=6, patch=4, width=8, layers=2), nn.generator(0, "cpu"))


@pytest.fixture(name="patches_BNP")
def tiles_of_noise():
    return torch.rand(2, 6, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("N", "ratio", "hidden"), [(1, 0.5, 1), (7, 0.5, 4), (8, 0.5, 4), (10, 0.2, 2), (10, 0.9, 9)])
def test_a_mask_hides_as_many_as_the_ratio_says(N: int, ratio: float, hidden: int) -> None:
    masks = random_masks(50, 3, N, ratio=ratio, generator=nn.generator(0, "cpu"))
    assert (masks.sum(dim=-1) == hidden).all()
    assert N == 1 or len(masks.flatten(0, 1).unique(dim=0)) > 1


def test_every_patch_is_hidden_about_as_often() -> None:
    masks = random_masks(4000, 9, ratio=0.5, generator=nn.generator(0, "cpu"))
    assert torch.allclose(masks.float().mean(dim=0), torch.tensor(5 / 9), atol=0.04)


def test_no_patch_is_predicted_from_itself(model, patches_BNP) -> None:
    masks = random_masks(1, 2, 6, ratio=0.5, generator=nn.generator(0, "cpu"))
    before = model(patches_BNP, masks).values_KBNP
    for n in range(6):
        changed_BNP = patches_BNP.clone()
        changed_BNP[:, n] += 1.0
        after = model(changed_BNP, masks).values_KBNP
        torch.testing.assert_close(after[:, :, n], before[:, :, n])
        assert not torch.allclose(after, before)


def test_a_patch_with_a_missing_value_is_hidden_in_both_views(model, patches_BNP) -> None:
    masks = random_masks(3, 2, 6, ratio=0.5, generator=nn.generator(0, "cpu"))
    seen = []
    for value in (0.0, 9.0):
        patches_BNP[0, 2] = torch.tensor([value, torch.nan, value, value])
        seen.append(model(patches_BNP, masks).values_KBNP)
    torch.testing.assert_close(seen[0], seen[1])
    assert seen[0].isfinite().all()


def test_missing_values_count_in_no_loss(model, patches_BNP) -> None:
    masks = random_masks(2, 6, ratio=0.5, generator=nn.generator(0, "cpu"))
    alone = losses(model, patches_BNP[:1], masks[:1])
    patches_BNP[1] = torch.nan
    both = losses(model, patches_BNP, masks)
    torch.testing.assert_close(both, alone)
    (both[0] + both[1]).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_tiles_without_any_value_have_no_loss_and_finite_gradients(model) -> None:
    squared, contrast = losses(model, torch.full((2, 6, 4), torch.nan), torch.ones(2, 6, dtype=torch.bool))
    (squared + contrast).backward()
    assert squared.item() == contrast.item() == 0
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in model.parameters())


def test_what_is_rebuilt_exactly_is_not_unlike(model, patches_BNP) -> None:
    masks = torch.ones(1, 2, 6, dtype=torch.bool)
    rebuilt_BNP = model(patches_BNP, masks).values_KBNP[0]
    _, unlike_BN = model.score(patches_BNP, rebuilt_BNP, masks)
    assert unlike_BN.abs().max() < 0.01
    assert model.score(patches_BNP, patches_BNP, masks)[1].abs().max() > 0.1


def test_a_model_is_decided_by_its_generator_alone() -> None:
    shape = Shape(patches=4, patch=2, width=4, layers=1)
    before = torch.get_rng_state()
    one, same, other = (new_model(shape, nn.generator(seed, "cpu")).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["embed.weight"], other["embed.weight"])


def test_the_published_model_has_as_many_parameters_as_published() -> None:
    model = new_model(Shape(patches=64, patch=16), nn.generator(0, "cpu"))
    assert sum(parameter.numel() for parameter in model.parameters()) == 325_456


def test_choosing_before_the_last_half_layer_is_choosing_after_the_head(model, patches_BNP) -> None:
    masks = random_masks(3, 2, 6, ratio=0.5, generator=nn.generator(0, "cpu"))
    features_BND = model.features(patches_BNP)
    for values_BNP, mask_BN in zip(model(patches_BNP, masks).values_KBNP, masks, strict=True):
        first, second = model.head(model.encode(features_BND, torch.stack([mask_BN, ~mask_BN])))
        torch.testing.assert_close(values_BNP, torch.where(mask_BN[..., None], first, second))


def test_training_imports_neither_torchs_compiler_nor_sympy() -> None:
    program = """
import sys
from tsad_core import nn
from tsad_mma.model import Shape, new_model
model = new_model(Shape(patches=2, patch=2, width=2, layers=1), nn.generator(0, "cpu"))
list(nn.descend(model.parameters(), lambda part: model.embed(part).sum(), [nn.torch.ones(3, 2)], learning_rate=0.1))
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert answer.strip() == "[]"
