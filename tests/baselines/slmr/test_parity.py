"""The network equals the authors' code: weights, masks and results made by it lie beside the real data.

Theirs has a fifth scale, of which nothing is left: it is taken from itself. Ours has none; its numbers are passed over.
"""

import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.slmr.model import Network, Shape  # noqa: E402 - it needs torch
from tsad_baselines.slmr.pairs import Pairs  # noqa: E402
from tsad_baselines.slmr.scoring import errors, see  # noqa: E402
from tsad_baselines.slmr.training import losses  # noqa: E402

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
BUFFERS = ("running_mean", "running_var")


class Given:
    """The numbers of one of the two networks, and the same network of ours."""

    def __init__(self, arrays, name: str, dtype) -> None:
        self.arrays, self.name, self.dtype = arrays, name, dtype
        K, W, out, features, scales, groups, hidden, ahead, rebuilt, narrow = self["cfg"].tolist()
        self.features = features // scales
        self.shape = Shape(
            channels=K,
            outputs=out,
            window=W,
            group=self.features // groups,
            groups=groups,
            hidden=hidden,
            forecast_hidden=ahead,
            rebuilt_hidden=rebuilt,
            reduction=K // narrow,
            scrambled=True,
            odd_pool=True,
        )

    def __getitem__(self, key: str):
        return self.arrays[f"{self.name}.{key}"]

    def __contains__(self, key: str) -> bool:
        return f"{self.name}.{key}" in self.arrays.files

    def network(self, **changes) -> Network:
        made = Network(Shape(**{**self.shape.__dict__, **changes})).to(self.dtype)
        made.load_state_dict({name: torch.from_numpy(self.ours(name)) for name in made.state_dict()})
        return made

    def ours(self, name: str, prefix: str = "w"):
        """Return their numbers for a parameter or a buffer of ours."""
        theirs, scale = _theirs(name)
        values = self[f"{prefix}.{theirs}"]
        if theirs.startswith("gate.") and values.ndim == 3:
            # on one step, of a kernel of three only the middle counts
            values = values[..., 1]
        rows = slice(self.features * scale, self.features * (scale + 1))
        if theirs.startswith("reduce_out"):
            return values[:, rows, 0].copy()
        if theirs.startswith("reduce_in"):
            return values[rows, :, 0].copy()
        return values[rows].copy() if theirs.startswith("bn_in") else values

    def windows(self):
        values = np.concatenate([self["x"], self["y"]], axis=1).transpose(2, 1, 0)
        mask = self["mask"].transpose(2, 1, 0) == 0
        return torch.from_numpy(values).to(self.dtype), torch.from_numpy(mask)

    def equal(self, ours, theirs) -> None:
        ours = ours.detach().double().numpy() if isinstance(ours, torch.Tensor) else ours
        # of the largest value where all are small: some gradients are
        tolerance = TOLERANCE[self.dtype] * min(1.0, np.abs(theirs).max() or 1.0)
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def arrays():
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the parity arrays lie beside the real data sets")
    path = Path(os.environ["TSAD_DATA"]).parent / "parity" / "slmr.npz"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside TSAD_DATA")
    return np.load(path)


@pytest.fixture(params=list(TOLERANCE), ids=["float64", "float32"])
def dtype(request):
    return request.param


@pytest.fixture(params=["small", "default_gate"])
def given(request, arrays, dtype) -> Given:
    return Given(arrays, request.param, dtype)


def test_all_their_weights_have_a_place(given) -> None:
    ours = {_theirs(name)[0] for name in given.network().state_dict()}
    assert ours == {name.split(".w.", 1)[1] for name in given.arrays.files if name.startswith(f"{given.name}.w.")}


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_every_intermediate_result_of_a_forward_pass_is_theirs(given, mode: str) -> None:
    model = given.network().train(mode == "train")
    values, mask = given.windows()
    windows = values[:, :-1].masked_fill(mask, 0.0)
    halves = {"even": windows[:, 1::2], "odd": windows[:, 0::2]}
    kernels = model.kernels()
    left = {side: _branch_like_theirs(given, model, half, kernels, f"{mode}.{side}") for side, half in halves.items()}
    mixed = model.cross(halves["odd"] + left["even"], halves["even"] + left["odd"])
    for side, first in (("odd", 0), ("even", 1)):
        given.equal(_theirs_first(mixed[:, first::2]), given[f"{mode}.{side}.out"])
    gate = model.gate(mixed)
    given.equal(gate.mT, given[f"{mode}.gate"])
    gated = mixed * gate[:, None]
    given.equal(gated.permute(2, 1, 0), given[f"{mode}.gated"])
    state = model.encoder(gated, 10)[:, -1]
    given.equal(state.mT, given[f"{mode}.h"])
    states = model.decoder(model.repeated(state), 10)
    given.equal(states.permute(2, 1, 0), given[f"{mode}.recon_gru"])


def _branch_like_theirs(given, model, half, kernels, prefix: str):
    """Check what a half becomes, scale by scale, and return what is left of it."""
    whole, taken = given[f"{prefix}.u"], None
    pooled = prefix.endswith("odd")
    left = torch.zeros_like(half)
    for number, (scale, kernel) in enumerate(zip(model.branch.scales, kernels, strict=True), start=1):
        features = scale.features(half, given.dtype)
        rows = slice(given.features * number, given.features * (number + 1))
        given.equal(_theirs_first(features), whole[:, rows])
        taken = scale.mix(features if taken is None else features + taken, kernel, pooled=pooled)
        given.equal(_theirs_first(taken), given[f"{prefix}.y{number}"])
        left = left + torch.einsum("cd,dsb->csb", scale.last.weight, features - taken)
    given.equal(_theirs_first(left), given[f"{prefix}.w"])
    return left


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_both_heads_and_losses_are_theirs(given, mode: str) -> None:
    values, mask = given.windows()
    seen = given.network().train(mode == "train")(values[:, :-1].masked_fill(mask, 0.0))
    given.equal(seen.forecast_OB.mT, given[f"{mode}.forecast"])
    given.equal(seen.rebuilt_OLB.permute(2, 1, 0), given[f"{mode}.recon"])
    forecast, rebuilt = losses(given.network().train(mode == "train"), values, mask)
    given.equal(forecast, given[f"{mode}.loss_forecast"])
    given.equal(rebuilt, given[f"{mode}.loss_recon"])
    given.equal(forecast + rebuilt, given[f"{mode}.loss"])


def test_the_state_is_repeated_as_theirs_or_as_a_whole(given) -> None:
    values, mask = given.windows()
    windows = values[:, :-1].masked_fill(mask, 0.0)
    state = torch.from_numpy(given["eval.h"]).to(given.dtype).mT
    given.equal(given.network().repeated(state).permute(2, 1, 0), given["eval.h_repeated_original"])
    copied = given.network(scrambled=False).eval()(windows)
    given.equal(copied.rebuilt_OLB.permute(2, 1, 0), given["eval.recon_copy"])


def test_gradients_and_running_statistics_of_a_training_step_are_theirs(given) -> None:
    model = given.network().train()
    sum(losses(model, *given.windows())).backward()
    for name, parameter in model.named_parameters():
        if f"grad.{_theirs(name)[0]}" in given:
            given.equal(parameter.grad, given.ours(name, "grad"))
        else:
            assert given.name == "default_gate"
    for name, buffer in model.named_buffers():
        given.equal(buffer, given.ours(name, "after"))


@pytest.mark.parametrize(("scrambled", "suffix"), [(True, ""), (False, "_copy")])
def test_scores_of_one_forward_a_step_are_theirs_of_two(given, scrambled: bool, suffix: str) -> None:
    pairs = Pairs(given["score.series"], (0,), window=10, device="cpu")
    pairs.series_CT = torch.from_numpy(given["score.series"].T).to(given.dtype)
    seen = see(given.network(scrambled=scrambled), pairs)
    steps = slice(10, 70)
    given.equal(seen.forecast_OT[:, steps].mT, given["score.forecast"])
    given.equal(seen.rebuilt_OT[:, steps].mT, given[f"score.recon_last{suffix}"])
    forecast_TO, rebuilt_TO = errors(seen, pairs)
    channel_TO = forecast_TO + float(given["score.gamma"]) * rebuilt_TO
    given.equal(channel_TO[steps], given[f"score.channel{suffix}"])
    given.equal(channel_TO[steps].mean(axis=1), given[f"score.S{suffix}"])


def _theirs_first(values_DSB):
    return values_DSB.permute(2, 0, 1)


def _theirs(name: str) -> tuple[str, int]:
    """Return their name of a parameter of ours, and its scale."""
    scale = 0
    if name.startswith("branch.scales."):
        number, name = name.removeprefix("branch.scales.").split(".", 1)
        scale = int(number) + 1
    renamed = {
        "first.": "reduce_in.",
        "first_norm.": "bn_in.",
        "convolution.": f"scale{scale}.conv.",
        "last.": "reduce_out.",
        "norm.": f"scale{scale}.bn." if scale else "bn_out.",
        "squeeze.": "gate.fc1.",
        "excite.": "gate.fc2.",
        "encoder.": "gru.",
        "ahead.": "forecast.fc0.",
        "forecast.": "forecast.fc1.",
        "decoder.": "recon.gru.",
        "rebuild.": "recon.fc.",
    }
    ours = next(ours for ours in renamed if name.startswith(ours))
    return renamed[ours] + name.removeprefix(ours), scale
