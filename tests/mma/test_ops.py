"""A mixer block, against NumPy."""

import numpy as np
import pytest
from scipy.special import erf

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_mma.ops import BlockWeights, keep, mix_features, mix_patches, onednn, reference  # noqa: E402 - it needs torch


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gated", [True, False], ids=["gated", "plain"])
@pytest.mark.parametrize("shape", [(0, 4, 3), (1, 1, 2), (2, 7, 3), (3, 33, 16)])
@pytest.mark.parametrize("name", ["mix_patches", "mix_features"])
def test_scoring_on_a_cpu_equals_the_reference(name: str, shape: tuple[int, int, int], gated: bool, dtype) -> None:
    _, N, D = shape
    weights = example(N if name == "mix_patches" else D, D)[: 8 if gated else 6]
    weights = BlockWeights(*(weight.float() / 2 for weight in weights[:2]), *(w.to(dtype) / 2 for w in weights[2:]))
    tiles = torch.from_numpy(np.random.default_rng(0).normal(size=shape)).float()
    before = tiles.clone()
    with torch.inference_mode():
        if not onednn.takes(tiles, weights, keep):
            pytest.skip("this processor or this PyTorch has no such products")
        fast = getattr(onednn, name)(tiles, weights)
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 0.1}[dtype]
    torch.testing.assert_close(fast, getattr(reference, name)(tiles, weights), rtol=0, atol=tolerance)
    assert torch.equal(tiles, before)


def test_what_needs_gradients_dropout_or_float64_is_the_references() -> None:
    tiles, weights = torch.zeros(1, 4, 4), BlockWeights(*(weight.float() for weight in example(4, 4)))
    assert not onednn.takes(tiles, weights, keep)
    with torch.no_grad():
        assert not onednn.takes(tiles, weights, torch.nn.Dropout())
        assert not onednn.takes(tiles.double(), example(4, 4), keep)
        assert mix_patches(tiles.double(), example(4, 4)).dtype == torch.float64
    assert mix_features(tiles.requires_grad_(), weights).requires_grad
