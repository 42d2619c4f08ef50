"""What filtering hides and what it leaves."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_core import nn  # noqa: E402 - it needs torch
from tsad_mma.filtering import Limits, fill, legacy_block, patch_error, restore, restore_filtered, suspicious  # noqa: E402
from tsad_mma.masking import random_masks  # noqa: E402
from tsad_mma.model import Shape, new_model  # noqa: E402


def errors(*high: tuple[int, int], tiles: int = 2, patches: int = 10):
    error_BN = torch.full((tiles, patches), 0.1)
    for tile, patch in high:
        error_BN[tile, patch] = 1.0
    return error_BN


def hidden_places(hidden_BN):
    return [tuple(place) for place in hidden_BN.nonzero().tolist()]


def test_only_the_last_patch_of_only_one_channel_is_hidden() -> None:
    again_B, hidden_BN = suspicious(errors((1, 9)), torch.tensor([0.5, 0.5]))
    assert again_B.tolist() == [False, True]
    assert hidden_places(hidden_BN) == [(1, 9)]


def test_regions_are_hidden_without_what_lies_between() -> None:
    _, hidden_BN = suspicious(errors((0, 0), (0, 7), (0, 8)), torch.tensor([0.5, 0.5]))
    assert hidden_places(hidden_BN) == [(0, 0), (0, 7), (0, 8)]


def test_each_channel_has_a_limit_of_its_own() -> None:
    again_B, _ = suspicious(errors((0, 3), (1, 3)), torch.tensor([0.5, 2.0]))
    assert again_B.tolist() == [True, False]


def test_of_too_many_patches_the_worst_are_hidden() -> None:
    error_BN = torch.arange(1.0, 11.0)[None]
    _, hidden_BN = suspicious(error_BN, torch.tensor([0.5]))
    assert hidden_places(hidden_BN) == [(0, 6), (0, 7), (0, 8), (0, 9)]


def test_nothing_is_done_again_without_a_suspicion() -> None:
    again_B, hidden_BN = suspicious(errors(), torch.tensor([0.5, 0.5]))
    assert not again_B.any()
    assert not hidden_BN.any()


@pytest.mark.parametrize(
    ("high", "hidden"),
    [([1, 12], [0, 1]), ([15], []), ([6], [6]), ([4, 5, 6], [4, 5, 6]), ([0, 1, 2], [0, 1, 2])],
    ids=["two regions", "the last patch", "one patch", "one region", "the middle one is 1"],
)
def test_legacy_hides_one_stretch_around_the_lower_middle(high: list[int], hidden: list[int]) -> None:
    error_BN = errors(*((0, n) for n in high), tiles=1, patches=16)
    again_B, hidden_BN = legacy_block(error_BN, 1, window_limit=0.0, patch_limit=0.5)
    assert again_B.all()
    assert [n for _, n in hidden_places(hidden_BN)] == hidden


def test_legacy_hides_in_all_channels_of_a_window() -> None:
    again_B, hidden_BN = legacy_block(errors((2, 4), tiles=4), 2, window_limit=0.12, patch_limit=0.3)
    assert again_B.tolist() == [False, False, True, True]
    assert {place for place in hidden_places(hidden_BN) if place[0] >= 2} == {(2, 4), (3, 4)}


@pytest.fixture
def model():
    return new_model(Shape(patches=8, patch=4, width=12, layers=2), nn.generator(0, "cpu"))


@pytest.fixture(name="patches_BNP")
def tiles_of_noise():
    return torch.rand(3, 8, 4, generator=torch.Generator().manual_seed(1))


def test_what_is_filled_in_does_not_depend_on_what_was_there(model, patches_BNP) -> None:
    hidden_BN = torch.zeros(3, 8, dtype=torch.bool)
    hidden_BN[0, 7] = True
    changed_BNP = patches_BNP.clone()
    changed_BNP[0, 7] = 1000.0
    filled_BNP = fill(model, patches_BNP, hidden_BN)
    torch.testing.assert_close(fill(model, changed_BNP, hidden_BN), filled_BNP)
    assert torch.equal(filled_BNP[~hidden_BN], patches_BNP[~hidden_BN])
    assert not torch.equal(filled_BNP[hidden_BN], patches_BNP[hidden_BN])


def test_a_missing_patch_is_neither_filled_in_nor_seen(model, patches_BNP) -> None:
    patches_BNP[1, 2] = torch.nan
    filled_BNP = fill(model, patches_BNP, torch.ones(3, 8, dtype=torch.bool))
    assert filled_BNP[1, 2].isnan().all()
    assert int(filled_BNP.isnan().sum()) == 4


def test_tiles_without_a_suspicion_are_left_as_they_were(model, patches_BNP) -> None:
    patches_BNP[1, 7] = 50.0
    masks = random_masks(2, 3, 3, 8, ratio=0.5, generator=nn.generator(2, "cpu"))
    plain = restore(model, patches_BNP, masks[0])
    filtered = restore_filtered(model, patches_BNP, masks, Limits(torch.full((3,), 20.0)))
    for before, after in zip(plain, filtered, strict=True):
        assert torch.equal(before[[0, 2]], after[[0, 2]])
        assert not torch.equal(before[1], after[1])


def test_the_error_of_a_patch_with_a_missing_value_counts_nothing(patches_BNP) -> None:
    patches_BNP[0, 0, 1] = torch.nan
    error_BN = patch_error(patches_BNP, torch.zeros_like(patches_BNP))
    assert error_BN[0, 0] == 0
    assert torch.allclose(error_BN[1], patches_BNP[1].mean(dim=1))
