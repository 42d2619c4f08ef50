"""A mixer block, against NumPy."""

import numpy as np
import pytest
from scipy.special import erf

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_mma.ops import BlockWeights, mix_features, mix_patches  # noqa: E402 - it needs torch


def example(mixed: int, D: int, *, E: int = 10, models: tuple[int, ...] = ()):
    random = np.random.default_rng(mixed)
    shapes = [(D,), (D,), (E, mixed), (E,), (mixed, E), (mixed,), (mixed, mixed), (mixed,)]
    return BlockWeights(*(torch.from_numpy(random.normal(size=(*models, *shape))) for shape in shapes))


def numpy_block(tile_ND, weights, *, over_patches: bool):
    """One tile, written out from the paper's equations; the token mixer multiplies from the left."""
    gain, shift, W1, b1, W2, b2, W3, b3 = (weight.numpy() for weight in weights)
    centred = tile_ND - tile_ND.mean(1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5) * gain + shift
    columns = normed if over_patches else normed.T
    hidden = W1 @ columns + b1[:, None]
    mixed = W2 @ (hidden * (1 + erf(hidden / np.sqrt(2))) / 2) + b2[:, None]
    weight = np.exp(W3 @ mixed + b3[:, None])
    gated = mixed * weight / weight.sum(0)
    return tile_ND + (gated if over_patches else gated.T)


@pytest.mark.parametrize(("B", "N", "D"), [(1, 1, 2), (2, 7, 3), (3, 5, 16), (1, 33, 8)])
@pytest.mark.parametrize("over_patches", [True, False], ids=["patches", "features"])
def test_a_block_equals_numpy(B: int, N: int, D: int, over_patches: bool) -> None:
    weights = example(N if over_patches else D, D)
    tiles = torch.from_numpy(np.random.default_rng(0).normal(size=(B, N, D)))
    mix = mix_patches if over_patches else mix_features
    wanted = np.stack([numpy_block(tile, weights, over_patches=over_patches) for tile in tiles.numpy()])
    np.testing.assert_allclose(mix(tiles, weights).numpy(), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("mix", [mix_patches, mix_features])
def test_many_small_models_run_in_one_call(mix) -> None:
    weights = example(6, 6, models=(3,))
    tiles = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 2, 6, 6)))
    singly = [mix(tiles[m], BlockWeights(*(weight[m] for weight in weights))) for m in range(3)]
    torch.testing.assert_close(torch.vmap(mix)(tiles, weights), torch.stack(singly))


@pytest.mark.parametrize("mix", [mix_patches, mix_features])
def test_bfloat16_weights_leave_the_residual_in_float32(mix) -> None:
    full = BlockWeights(*(weight.float() / 4 for weight in example(8, 8)))
    half = BlockWeights(*full[:2], *(weight.bfloat16() for weight in full[2:]))
    tiles = 100 + torch.rand(4, 8, 8, generator=torch.Generator().manual_seed(0))
    mixed = mix(tiles, half)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed - tiles, mix(tiles, full) - tiles, rtol=0, atol=0.02)
    assert (mixed - tiles).abs().max() > 0.05


def test_dropout_falls_on_the_hidden_and_the_mixed_values() -> None:
    seen = []

    def note(values):
        seen.append(tuple(values.shape))
        return values

    tiles = torch.rand(2, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mix_patches(tiles, example(5, 3), note)
    mix_features(tiles, example(3, 3), note)
    assert seen == [(2, 3, 10), (2, 3, 5), (2, 5, 10), (2, 5, 3)]


@pytest.mark.parametrize("mix", [mix_patches, mix_features])
def test_without_a_gate_what_is_mixed_counts_as_it_is(mix) -> None:
    weights = example(6, 6)
    even = weights._replace(gate_weight_AA=torch.zeros(6, 6).double(), gate_bias_A=torch.zeros(6).double())
    tiles = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 6, 6)))
    ungated = mix(tiles, weights._replace(gate_weight_AA=None, gate_bias_A=None))
    torch.testing.assert_close(ungated - tiles, 6 * (mix(tiles, even) - tiles))
