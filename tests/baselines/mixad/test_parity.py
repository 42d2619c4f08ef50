"""MIXAD equals the authors' code: weights, noise and results made by it lie beside the real data."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_baselines.mixad import graph  # noqa: E402 - it needs torch
from tsad_baselines.mixad.gru import unroll  # noqa: E402
from tsad_baselines.mixad.losses import losses  # noqa: E402
from tsad_baselines.mixad.model import Mixad, Shape  # noqa: E402
from tsad_baselines.mixad.shift import Clean, by_step, divergence, legacy_erased, legacy_periods  # noqa: E402
from tsad_baselines.mixad.training import teaching  # noqa: E402

THEIRS = {
    "slots_MD": "memory.Phi",
    "query_HD": "memory.Wq",
    "source_NM": "memory.We1",
    "target_NM": "memory.We2",
}
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}


@pytest.fixture(scope="module")
def given():
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the parity arrays lie beside the real data sets")
    path = Path(os.environ["TSAD_DATA"]).parent / "parity" / "mixad.npz"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside TSAD_DATA")
    return np.load(path)


@pytest.fixture(params=list(TOLERANCE), ids=["float64", "float32"])
def dtype(request):
    return request.param


@pytest.fixture(params=["eval", "train"])
def mode(request):
    return request.param


@pytest.fixture
def model(given, dtype):
    nodes, _, units, slots, width, order = given["cfg"].tolist()
    made = Mixad(Shape(nodes, units, slots, width, order)).to(dtype)
    made.load_state_dict({name: _tensor(given, f"w.{_theirs(name)}", dtype) for name in made.state_dict()})
    assert sum(name.startswith("w.") for name in given.files) == len(made.state_dict())
    return made


def test_embeddings_graphs_and_laplacians_are_theirs(given, model, dtype, mode) -> None:
    ends = model.embeddings()
    for k, (source, target) in enumerate((ends, ends[::-1]), start=1):
        _equal(source, given[f"{mode}.E{k}"], dtype)
        noise = _tensor(given, f"{mode}.gumbel{k}", dtype)
        edges = graph.drawn(graph.likelihood(source, target), noise)
        _equal(edges, given[f"{mode}.adj{k}"], dtype)
        _equal(graph.laplacian(edges), given[f"{mode}.lap{k}"], dtype)


def test_every_state_of_the_encoder_and_what_the_memory_makes_of_the_last_are_theirs(given, model, dtype, mode) -> None:
    windows, mix = _windows(given, dtype), _mix(given, model, dtype, mode)
    cell = model.encoder.on(mix, dtype)
    states = unroll(*cell.project(windows), torch.zeros(windows[0].numel(), 8, dtype=dtype), cell.recurrent)
    _equal(_by_window(states, windows), given[f"{mode}.enc_states"], dtype)
    state = model.encode(windows, mix)
    _equal(state, given[f"{mode}.h"], dtype)
    read = model.read(state)
    names = {"query": read.query_RD, "att": read.attention_RM, "value": read.value_RD}
    for name, values in {**names, "pos": read.nearest_RD, "neg": read.second_RD}.items():
        _equal(values, given[f"{mode}.{name}"], dtype)


def test_every_state_of_the_decoder_and_what_is_rebuilt_are_theirs(given, model, dtype, mode) -> None:
    windows, mix = _windows(given, dtype), _mix(given, model, dtype, mode)
    start = torch.cat([_tensor(given, f"{mode}.{name}", dtype).flatten(0, 1) for name in ("h", "value")], dim=1)
    rebuilt = model.decode(windows, start, mix, _taught(given, mode))
    _equal(rebuilt.transpose(0, 1), given[f"{mode}.recon"], dtype)
    taught = torch.tensor(_taught(given, mode))[:-1, None, None]
    shown = torch.where(taught, windows.flip(0)[:-1], rebuilt.flip(0)[:-1])
    cell = model.decoder.on(mix, dtype)
    inputs = cell.project(torch.cat([torch.zeros_like(windows[:1]), shown]))
    _equal(_by_window(unroll(*inputs, start, cell.recurrent), windows), given[f"{mode}.dec_states"], dtype)


def test_rebuilding_without_being_taught_is_theirs(given, model, dtype) -> None:
    start = torch.cat([_tensor(given, f"eval.{name}", dtype).flatten(0, 1) for name in ("h", "value")], dim=1)
    with torch.no_grad():
        rebuilt = model.rebuild(start, _mix(given, model, dtype, "eval"), steps=8)
    _equal(rebuilt.transpose(0, 1), given["eval.recon"], dtype)


def test_the_four_losses_are_theirs(given, model, dtype, mode) -> None:
    terms = _losses(given, model, dtype, mode)
    for name, term in zip(("mae", "triplet", "consistency", "balance"), terms, strict=True):
        _equal(term, given[f"{mode}.loss_{name}"], dtype)
    _equal(_total(given, terms), given[f"{mode}.loss_total"], dtype)


def test_the_gradients_of_all_parameters_are_theirs(given, model, dtype) -> None:
    _total(given, _losses(given, model, dtype, "train")).backward()
    for name, parameter in model.named_parameters():
        _equal(parameter.grad, given[f"train.grad.{_theirs(name)}"], dtype)
    lengths = [parameter.grad.norm() for parameter in model.parameters()]
    _equal(torch.stack(lengths).norm(), given["train.grad_norm"], dtype)


@pytest.mark.parametrize("term", ["mae", "triplet", "consistency", "balance"])
def test_the_gradient_of_each_loss_to_the_memory_is_theirs(given, model, dtype, term: str) -> None:
    terms = dict(zip(("mae", "triplet", "consistency", "balance"), _losses(given, model, dtype, "train"), strict=True))
    terms[term].backward()
    for ours in ("slots_MD", "query_HD", "source_NM"):
        gradient = model.get_parameter(ours).grad
        _equal(torch.zeros(1) if gradient is None else gradient, given[f"train.grad_{term}.{THEIRS[ours]}"], dtype)


def test_how_likely_a_step_is_taught_is_theirs(given) -> None:
    ours = [teaching(int(step), 2000.0) for step in given["sampling_threshold.b"]]
    np.testing.assert_allclose(ours, given["sampling_threshold.eps"], atol=1e-12)


def test_activations_of_all_windows_and_their_shifts_are_theirs(given, model, dtype) -> None:
    series = _tensor(given, "score.series", dtype)
    attention = model.read(model.encode(series.unfold(0, 8, 1).permute(2, 0, 1), _mix(given, model, dtype, "eval")))
    attention = attention.attention_RM.view(-1, 5, 3)
    _equal(attention, given["score.att"], dtype)
    _equal(divergence(attention[:-1], attention[1:]), given["score.js"][1:], dtype)


def test_shifts_of_what_are_no_shares_are_theirs(given) -> None:
    attention = torch.from_numpy(given["js_edge.att"])
    _equal(divergence(attention[:-1], attention[1:]), given["js_edge.js"][1:], torch.float64)


def test_erased_rows_and_periods_are_theirs(given) -> None:
    erased = legacy_erased(given["score.js"])
    np.testing.assert_allclose(erased, given["score.js_erased"], rtol=0, atol=1e-15)
    assert (
        np.flatnonzero((legacy_erased(np.ones((560, 1))) == 0).all(axis=1)).tolist()
        == given["score.erased_rows"].tolist()
    )
    assert legacy_periods(erased) == given["score.stl_period"].tolist()


@pytest.mark.skipif(importlib.util.find_spec("statsmodels") is None, reason="statsmodels is not installed")
def test_scores_without_seasons_are_theirs(given) -> None:
    first_B = np.arange(560)
    clean = Clean("stl", 2, legacy_period=True, legacy_erasure=True)
    channel = by_step(given["score.js"], np.stack([first_B, first_B + 8], axis=1), (0,), clean)[7:]
    np.testing.assert_allclose(channel, given["score.final_channel"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(channel.max(axis=1), given["score.S"], rtol=0, atol=1e-9)


def _losses(given, model, dtype, mode: str):
    windows, mix = _windows(given, dtype), _mix(given, model, dtype, mode)
    state = model.encode(windows, mix)
    read = model.read(state)
    rebuilt = model.decode(windows, torch.cat([state, read.value_RD], dim=1), mix, _taught(given, mode))
    return losses(rebuilt, windows, windows != 0, read, legacy_balance=True)


def _total(given, terms):
    return terms.error + sum(weight * term for weight, term in zip(given["lambda"].tolist(), terms[1:], strict=True))


def _windows(given, dtype):
    return _tensor(given, "fwd.x", dtype).transpose(0, 1)


def _mix(given, model, dtype, mode: str):
    return model.mix(torch.stack([_tensor(given, f"{mode}.gumbel{k}", dtype) for k in (1, 2)]))


def _taught(given, mode: str) -> list[bool]:
    return given["train.teacher"].astype(bool).tolist() if mode == "train" else [False] * 8


def _by_window(states_TRH, windows_TBN):
    return states_TRH.view(*windows_TBN.shape, -1).transpose(0, 1)


def _tensor(given, name: str, dtype):
    return torch.from_numpy(given[name]).to(dtype)


def _theirs(name: str) -> str:
    return THEIRS.get(name, name)


def _equal(ours, theirs, dtype) -> None:
    # of the largest value where all are small: some gradients are
    tolerance = TOLERANCE[dtype] * min(1.0, np.abs(theirs).max() or 1.0)
    np.testing.assert_allclose(ours.detach().double().numpy().reshape(theirs.shape), theirs, rtol=0, atol=tolerance)
