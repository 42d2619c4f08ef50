"""The network against the published sizes and a plain version of itself."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.nn import functional  # noqa: E402
from tsad_baselines.amsl.model import Network, Shape, new_model  # noqa: E402
from tsad_core import nn  # noqa: E402

R = 7


def network(**sizes) -> Network:
    shape = Shape(**{"channels": 3, "window": 6, "filters": 2, "slots": 5, **sizes})
    model = new_model(shape, nn.stream(0, 0, "cpu")).double()
    # gates and biases that tell views apart
    for parameter in (model.gate_R2, *(value for name, value in model.named_parameters() if name.endswith("bias"))):
        torch.nn.init.normal_(parameter, generator=nn.stream(0, 1, "cpu"))
    return model


def views_of(model: Network, windows: int = 2):
    size = (R, windows, model.shape.channels, model.shape.window)
    return torch.randn(*size, generator=nn.stream(0, 2, "cpu"), dtype=torch.float64)


def plain(model: Network, views_RBCL, owners=range(R)):
    """Return what the network reads, one window and view at a time, each layer in its published form."""
    with torch.no_grad():
        codes = [[_encode(model, plane_CL) for plane_CL in view_BCL] for view_BCL in views_RBCL]
        logits = torch.stack([torch.stack([_head(model.head, code) for code in view]) for view in codes])
        rebuilt, entropy = [], 0.0
        for view in range(R):
            own, own_entropies = zip(*(_read(code, model.own_RMD[view]) for code in codes[view]), strict=True)
            shared, entropies = zip(*(_read(code, model.shared_1MD[0]) for code in codes[view]), strict=True)
            entropy += sum(own_entropies + entropies) / len(codes[view])
        for view, owner in enumerate(owners):
            gate_own, gate_shared = torch.sigmoid(model.gate_R2[view])
            windows = []
            for code, used in zip(codes[view], codes[owner], strict=True):
                own, shared = _read(used, model.own_RMD[owner])[0], _read(used, model.shared_1MD[0])[0]
                fused = gate_own * own + gate_shared * shared
                windows.append(_decode(model, view, torch.cat([code, fused]) if model.shape.skip else fused))
            rebuilt.append(torch.stack(windows))
    return torch.stack(rebuilt), logits, entropy


def _same(values, layer):
    return functional.conv2d(functional.pad(values[None], (1, 2, 1, 2)), layer.weight, layer.bias)[0]


def _transposed(values, weight_IO, bias, stride: int):
    whole = functional.conv_transpose2d(values[None], weight_IO, bias, stride=stride)[0]
    return whole[:, 1 : 1 + stride * values.shape[1], 1 : 1 + stride * values.shape[2]]


def _encode(model: Network, plane_CL):
    rows, columns = model.shape.front
    padded = functional.pad(plane_CL, (columns, 0, rows, 0))[None]
    halves = functional.max_pool2d(_same(padded, model.first).relu(), 2)
    return functional.max_pool2d(_same(halves, model.second).relu(), 2)


def _head(head, code):
    hidden = head.hidden(torch.sigmoid(_same(code, head.squeeze)).flatten()).relu()
    return head.last(hidden)


def _read(code, bank_MD):
    weight = torch.softmax(code.flatten(1).T @ bank_MD.T, dim=1)
    return (weight @ bank_MD).T.view_as(code), -(weight * weight.log()).mean()


def _decode(model: Network, view: int, planes):
    decoder = model.decoders[view]
    first, *doubled = decoder.layers
    turned = [layer.weight.flip(2, 3).transpose(0, 1) for layer in (first, decoder.last)]
    planes = _transposed(planes, turned[0], first.bias, 1).relu()
    for layer in doubled:
        planes = _transposed(planes, layer.weight, layer.bias, 2).relu()
    rows, columns = model.shape.front
    return torch.sigmoid(_transposed(planes, turned[1], decoder.last.bias, 1))[0, rows:, columns:]


def test_it_has_as_many_parameters_as_published() -> None:
    model = Network(Shape(channels=45, window=125))
    assert sum(parameter.numel() for parameter in model.parameters()) == 3_327_645


@pytest.mark.parametrize("size", [{}, {"channels": 1, "window": 1}, {"channels": 4, "window": 8}, {"skip": False}])
def test_it_reads_as_its_plain_version(size) -> None:
    model = network(**size)
    views_RBCL = views_of(model)
    rebuilt, logits, entropy = plain(model, views_RBCL)
    read = model(views_RBCL)
    torch.testing.assert_close(read.rebuilt_RBCL, rebuilt)
    torch.testing.assert_close(read.logit_RBR, logits)
    torch.testing.assert_close(read.entropy, entropy)


def test_scoring_rebuilds_as_training_does() -> None:
    model = network()
    torch.testing.assert_close(model.rebuild(views_of(model)), model(views_of(model)).rebuilt_RBCL)


def test_the_legacy_way_lets_the_last_two_views_recall_what_the_raw_one_does() -> None:
    model = network(legacy_memories=True)
    rebuilt, *_ = plain(model, views_of(model), owners=[0, 1, 2, 3, 4, 0, 0])
    torch.testing.assert_close(model.rebuild(views_of(model)), rebuilt)
    assert (model.rebuild(views_of(model))[:5] == network().rebuild(views_of(model))[:5]).all()


@pytest.mark.parametrize(("legacy", "reached"), [(False, [True] * 7), (True, [True] * 5 + [False] * 2)])
def test_errors_reach_the_memory_of_every_view_but_in_the_legacy_way(legacy: bool, reached: list[bool]) -> None:
    model = network(legacy_memories=legacy)
    model(views_of(model)).rebuilt_RBCL.sum().backward()
    assert [bool((bank_MD != 0).any()) for bank_MD in model.own_RMD.grad] == reached


def test_every_parameter_learns() -> None:
    model = network()
    read = model(views_of(model))
    (read.rebuilt_RBCL.square().sum() + read.logit_RBR.square().sum() + read.entropy).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    assert all((parameter.grad != 0).any() for parameter in (model.gate_R2, model.shared_1MD, model.first.weight))


def test_gates_start_at_a_half_and_biases_at_0() -> None:
    model = new_model(Shape(channels=3, window=6), nn.stream(0, 0, "cpu"))
    assert (model.gates() == 0.5).all()
    assert (model.first.bias == 0).all()
    assert 0.9 * 500**-0.5 < model.own_RMD.abs().max() <= 500**-0.5
