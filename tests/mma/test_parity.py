"""The model equals the authors' code: weights, masks and results made by it lie beside the real data."""

import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_core import nn, windows  # noqa: E402 - it needs torch
from tsad_mma.filtering import Limits, Restored, restore, restore_filtered  # noqa: E402
from tsad_mma.model import Mixer, Shape, losses  # noqa: E402
from tsad_mma.ops import mix_features, mix_patches, reference  # noqa: E402
from tsad_mma.scoring import root_mean_square  # noqa: E402

T, P, C, D, N = 64, 8, 3, 16, 8
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}


@pytest.fixture(scope="module")
def given():
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the parity arrays lie beside the real data sets")
    path = Path(os.environ["TSAD_DATA"]).parent / "parity" / "mma.npz"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside TSAD_DATA")
    return np.load(path)


@pytest.fixture(params=list(TOLERANCE), ids=["float64", "float32"])
def dtype(request):
    return request.param


@pytest.fixture
def model(given, dtype):
    made = Mixer(Shape(N, P, width=D)).to(dtype)
    named = {name: given[f"w.{_theirs(name)}"] for name in made.state_dict()}
    made.load_state_dict({name: torch.from_numpy(value) for name, value in named.items()})
    assert sum(name.startswith("w.") for name in given.files) == len(named)
    return made


def test_every_intermediate_result_of_a_forward_pass_is_theirs(given, model, dtype) -> None:
    patches = _tiles(given["fwd.x"], dtype)
    masks = _masks(given["fwd.mask"])
    features = model.features(patches)
    _equal(patches, given["fwd.patches"], dtype)
    _equal(features, given["fwd.z0"], dtype)
    token = model.features(torch.zeros_like(patches))
    for view, hidden in (("view1", masks), ("view2", ~masks)):
        tiles = torch.where(hidden[..., None], token, features)
        _equal(tiles, given[f"fwd.{view}.embed"], dtype)
        for k, layer in enumerate(model.layers):
            patch_weights, feature_weights = layer.patch.weights(dtype), layer.feature.weights(dtype)
            mixed = mix_patches(tiles, patch_weights)
            _equal(mixed, given[f"fwd.{view}.layer{k}.patch"], dtype)
            _equal(mix_features(mixed, feature_weights), given[f"fwd.{view}.layer{k}.feature"], dtype)
            tiles = layer(tiles, dtype, reference.keep)
            _equal(tiles, given[f"fwd.{view}.layer{k}.l2"], dtype)
        _equal(tiles, model.encode(features, hidden[None])[0], dtype)
        _equal(model.head(tiles), given[f"fwd.{view}.head"], dtype)


def test_the_steps_within_a_block_are_theirs(given, model, dtype) -> None:
    tiles = torch.from_numpy(given["fwd.view1.embed"]).to(dtype).flatten(0, 1)
    weights = model.layers[0].patch.weights(dtype)
    normed = model.layers[0].patch.norm(tiles)
    _equal(normed, given["fwd.view1.layer0.patch.norm"], dtype)
    _equal(reference.mlp(normed.mT, weights), given["fwd.view1.layer0.patch.mlp"], dtype)
    _equal(reference.gated_mlp(normed.mT, weights), given["fwd.view1.layer0.patch.gated"], dtype)
    mixed = mix_patches(tiles, weights)
    feature_weights = model.layers[0].feature.weights(dtype)
    gated = reference.gated_mlp(model.layers[0].feature.norm(mixed), feature_weights)
    _equal(gated, given["fwd.view1.layer0.feature.gated"], dtype)


def test_what_is_rebuilt_and_how_unlike_it_is_are_theirs(given, model, dtype) -> None:
    patches = _tiles(given["fwd.x"], dtype)
    rebuilt = model(patches, _masks(given["fwd.mask"])[None])
    _equal(_series(rebuilt.values_KBNP[0]), given["fwd.recon"], dtype)
    _equal(rebuilt.features_KBND[0], given["fwd.z_recon"], dtype)
    values, unlike = model.score(patches, patches, _masks(given["fwd.mask"])[None])
    _equal(_series(values), given["fwd.recon"], dtype)
    _equal(_series(unlike[..., None].expand(-1, -1, P)), given["fwd.sim_score"], dtype)


def test_both_losses_and_the_gradients_of_each_are_theirs(given, model, dtype) -> None:
    squared, contrast = losses(model, _tiles(given["fwd.x"], dtype), _masks(given["fwd.mask"]))
    _equal(squared, given["fwd.loss_recon"], dtype)
    _equal(contrast, given["fwd.loss_contrast"], dtype)
    _equal(squared + 0.005 * contrast, given["fwd.loss"], dtype)
    for term, prefix in ((squared, "grad_recon."), (contrast, "grad_contrast.")):
        names = [name for name in model.state_dict() if prefix + _theirs(name) in given.files]
        assert len(names) == 3
        gradients = torch.autograd.grad(term, [model.get_parameter(name) for name in names], retain_graph=True)
        for name, gradient in zip(names, gradients, strict=True):
            _equal(gradient, given[prefix + _theirs(name)], dtype)


def test_gradients_of_all_parameters_are_theirs_in_parts_too(given, model, dtype) -> None:
    step = _descend(given, model, dtype, at_once=5)
    assert next(step) == 1
    for name, parameter in model.named_parameters():
        _equal(parameter.grad, given[f"grad.{_theirs(name)}"], dtype)


def test_one_step_of_the_optimiser_is_theirs(given, model, dtype) -> None:
    next(_descend(given, model, dtype, at_once=12))
    names = [name for name in model.state_dict() if f"after_step.{_theirs(name)}" in given.files]
    assert len(names) == 4
    for name in names:
        _equal(model.state_dict()[name], given[f"after_step.{_theirs(name)}"], dtype)


@pytest.mark.parametrize("filtering", ["nodaf", "daf", "daf_low"])
def test_scores_are_theirs(given, model, dtype, filtering: str) -> None:
    train, test = given["score.train_series"], given["score.test_series"]
    learnt = _seen(
        given, model, dtype, "train", lambda patches: restore(model, patches, _draws(given["score.train.masks"]))
    )
    _equal(learnt[0], given["score.train.recon"], dtype)
    _equal(learnt[1], given["score.train.sim"], dtype)
    seen = _seen(given, model, dtype, "test", lambda patches: _restored(given, model, patches, filtering))
    _equal(seen[0], given[f"score.{filtering}.recon"], dtype)
    _equal(seen[1], given[f"score.{filtering}.sim"], dtype)
    excess = np.abs(test - seen[0]) - np.abs(train - learnt[0]).mean(axis=0)
    _equal(excess, given[f"score.{filtering}.channel"], dtype)
    parts = root_mean_square(excess), root_mean_square(np.abs(seen[1]) - np.abs(learnt[1]).mean(axis=0))
    _equal(parts[0], given[f"score.{filtering}.S_err"], dtype)
    _equal(parts[1], given[f"score.{filtering}.S_sim_raw"], dtype)
    # the authors' code sets the first steps of the second part to 0, by mistake
    pad = int(given["score.pad_test"])
    _equal((parts[0] + parts[1])[pad:], given[f"score.{filtering}.S"][pad:], dtype)
    # at both ends theirs averages zeros in, ours the steps that exist
    inner = slice(pad + 9, -9)
    smooth = windows.moving_average(parts[0], width=9) + windows.moving_average(parts[1], width=9)
    _equal(smooth[inner], given[f"score.{filtering}.S_smooth9"][inner], dtype)


def test_limits_are_theirs(given) -> None:
    from tsad_mma.detector import legacy_limits

    error_T = np.abs(given["score.train_series"] - given["score.train.recon"]).mean(axis=1)
    limits = legacy_limits(error_T, window=T, patch=P, deviations=3.0)
    np.testing.assert_allclose(limits, [given["score.window_threshold"], given["score.patch_threshold"]], atol=1e-9)


def _descend(given, model, dtype, at_once: int):
    def loss(index_B):
        patches = _tiles(given["fwd.x"], dtype)[index_B]
        squared, contrast = losses(model, patches, _masks(given["fwd.mask"])[index_B])
        return squared + 0.005 * contrast

    batches = [torch.arange(4 * C)]
    return nn.descend(model.parameters(), loss, batches, learning_rate=2e-3, weight_decay=1e-5, at_once=at_once)


def _restored(given, model, patches, filtering: str) -> Restored:
    """Return what each mask draw gives on average, filtered as in the authors' code."""
    prefix = f"score.{filtering}"
    if filtering == "nodaf":
        return restore(model, patches, _draws(given[f"{prefix}.masks"]))
    limits = Limits(
        torch.full((C,), torch.inf),
        float(given[f"{prefix}.window_threshold"]),
        float(given[f"{prefix}.patch_threshold"]),
        legacy=True,
    )
    draws = [restore_filtered(model, patches, _pair(given, f"{prefix}.draw{d}", d, prefix), limits) for d in range(5)]
    return Restored(*(torch.stack(values).mean(dim=0) for values in zip(*draws, strict=True)))


def _pair(given, draw: str, d: int, prefix: str):
    """Return both masks of a draw; the second is known for windows done again alone."""
    first = given[f"{draw}.mask"]
    again = np.zeros_like(first)
    again[given[f"{prefix}.triggered"][d].astype(bool)] = given[f"{draw}.redraw_mask"]
    return torch.stack([_masks(first), _masks(again)])[:, None]


def _seen(given, model, dtype, part: str, function):
    """Return values and dissimilarity of a part, windows averaged, the zeros in front cut."""
    with torch.no_grad():
        restored = function(_tiles(given[f"score.{part}_windows"], dtype))
    W = len(given[f"score.{part}_windows"])
    stride, pad = int(given["score.stride"]), int(given[f"score.pad_{part}"])
    first_W = stride * torch.arange(W)
    spans_W2 = torch.stack([first_W, first_W + T], dim=1)
    unlike_BNP = restored.dissimilarity_BN[..., None].expand(-1, -1, P)
    means = []
    for tiles in (restored.values_BNP, unlike_BNP):
        overlap = nn.Overlap(stride * (W - 1) + T, C, like=tiles)
        overlap.add(tiles.reshape(W, C, T), spans_W2)
        means.append(overlap.mean()[pad:])
    return means


def _tiles(windows_WTC, dtype):
    return torch.from_numpy(windows_WTC).to(dtype).transpose(1, 2).reshape(-1, N, P)


def _series(tiles_BNP):
    return tiles_BNP.reshape(-1, C, T).transpose(1, 2)


def _masks(masks):
    return torch.from_numpy(masks.astype(bool)).flatten(0, 1)


def _draws(masks_KWCN):
    return torch.from_numpy(masks_KWCN.astype(bool)).flatten(1, 2)


def _theirs(name: str) -> str:
    return name.replace("layers.", "layer")


def _equal(ours, theirs, dtype) -> None:
    ours = ours.detach().double().numpy() if isinstance(ours, torch.Tensor) else ours
    theirs = theirs.detach().double().numpy() if isinstance(theirs, torch.Tensor) else theirs
    # of the largest value where all are small: some gradients are
    tolerance = TOLERANCE[dtype] * min(1.0, np.abs(theirs).max())
    np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=0, atol=tolerance)
