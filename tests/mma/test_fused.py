"""The fused kernels, in Triton's interpreter: on the CPU, with what NumPy makes of them."""

import numpy as np
import pytest
from scipy.special import ndtr

torch = pytest.importorskip("torch", reason="torch is not installed")
triton = pytest.importorskip("triton", reason="triton is not installed")
if not triton.knobs.runtime.interpret:
    pytest.skip("TRITON_INTERPRET is not 1", allow_module_level=True)

import triton.language as tl  # noqa: E402 - it needs triton
from tsad_mma.ops import BlockWeights, CounterDropout, Ends, reference  # noqa: E402
from tsad_mma.ops.fused import blocking  # noqa: E402
from tsad_mma.ops.fused.draws import average_draws  # noqa: E402
from tsad_mma.ops.fused.gelu import gelu_and_slope  # noqa: E402
from tsad_mma.ops.fused.length import to_length_one  # noqa: E402
from tsad_mma.ops.fused.mixer import Way, mix  # noqa: E402

REFERENCE = {True: reference.mix_patches, False: reference.mix_features}
SIDES = pytest.mark.parametrize("over_patches", [True, False], ids=["patches", "features"])


@triton.jit
def gelu_kernel(x_ptr, value_ptr, slope_ptr, SIZE: tl.constexpr, FAST: tl.constexpr):
    index = tl.arange(0, SIZE)
    value, slope = gelu_and_slope(tl.load(x_ptr + index), FAST)
    tl.store(value_ptr + index, value)
    tl.store(slope_ptr + index, slope)


@pytest.fixture(autouse=True)
def _nan_where_nothing_is_written():
    # PyTorch fills new memory with NaN in this mode
    torch.use_deterministic_algorithms(mode=True)
    yield
    torch.use_deterministic_algorithms(mode=False)


def example(B: int, N: int, D: int, E: int, *, over_patches: bool, gated: bool = True, models: tuple[int, ...] = ()):
    """Return tiles and weights that need gradients, and what the output's gradient is."""
    A, random = N if over_patches else D, np.random.default_rng(B + N + D)
    shapes = [(D,), (D,), (E, A), (E,), (A, E), (A,), *([(A, A), (A,)] if gated else [])]
    values = [torch.from_numpy(random.normal(size=(*models, *shape)) / shape[-1] ** 0.5).float() for shape in shapes]
    values[0] += 1
    tiles, upward = (torch.from_numpy(random.normal(size=(*models, B, N, D))).float() for _ in range(2))
    return tiles.requires_grad_(), BlockWeights(*(value.requires_grad_() for value in values)), upward


def results(function, tiles, weights, upward):
    """Return the output and all gradients."""
    mixed = function(tiles, weights)
    needed = [tiles, *(value for value in weights if value is not None)]
    return [mixed, *torch.autograd.grad((mixed * upward).sum(), needed)]


def assert_equal(found, wanted, atol: float = 1e-5) -> None:
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=atol)


@SIDES
@pytest.mark.parametrize("rate", [0.0, 0.3])
@pytest.mark.parametrize("shape", [(1, 1, 2, 6), (3, 63, 17, 70), (1, 100, 24, 33), (9, 7, 16, 96)])
def test_outputs_and_all_gradients_are_the_references(shape: tuple[int, ...], rate: float, over_patches: bool) -> None:
    given = example(*shape, over_patches=over_patches)
    found = results(
        lambda tiles, weights: mix(tiles, weights, Way(over_patches), CounterDropout(rate, 7, "cpu")), *given
    )
    wanted = results(
        lambda tiles, weights: REFERENCE[over_patches](tiles, weights, CounterDropout(rate, 7, "cpu")), *given
    )
    assert_equal(found, wanted)


@SIDES
def test_full_tiles_without_a_gate_are_the_references(over_patches: bool) -> None:
    given = example(2, 64, 64, 128, over_patches=over_patches, gated=False)
    found = results(lambda tiles, weights: mix(tiles, weights, Way(over_patches)), *given)
    assert_equal(found, results(REFERENCE[over_patches], *given), atol=3e-5)


@SIDES
def test_no_tiles_mix_to_no_tiles(over_patches: bool) -> None:
    tiles, weights, upward = example(0, 4, 16, 8, over_patches=over_patches)
    mixed, *gradients = results(lambda tiles, weights: mix(tiles, weights, Way(over_patches)), tiles, weights, upward)
    assert mixed.shape == (0, 4, 16)
    assert not any(gradient.any() for gradient in gradients)


@SIDES
def test_the_size_of_blocks_changes_nothing_that_is_dropped(over_patches: bool, monkeypatch) -> None:
    given = example(5, 20, 20, 150, over_patches=over_patches)

    def run():
        return results(
            lambda tiles, weights: mix(tiles, weights, Way(over_patches), CounterDropout(0.5, 3, "cpu")), *given
        )

    before = run()
    for chunk in (16, 32, 128):
        table = {(kernel, 32): (64 if chunk == 16 else 128, chunk, 4, 1) for kernel in ("forward", "input", "weight")}
        monkeypatch.setattr(blocking, "TABLE", table)
        assert_equal(run(), before)


@SIDES
def test_bfloat16_is_near_the_reference(over_patches: bool) -> None:
    tiles, weights, upward = example(2, 32, 16, 96, over_patches=over_patches)
    half = BlockWeights(*weights[:2], *(value.detach().bfloat16().requires_grad_() for value in weights[2:]))
    found = results(lambda tiles, weights: mix(tiles, weights, Way(over_patches, fast=True)), tiles, half, upward)
    assert [value.dtype for value in found] == [torch.float32] * 4 + [torch.bfloat16] * 6
    for ours, theirs in zip(found, results(REFERENCE[over_patches], tiles, weights, upward), strict=True):
        assert (ours.float() - theirs).norm() < 0.03 * theirs.norm() + 1e-3


@SIDES
def test_many_models_are_one_launch(over_patches: bool, monkeypatch) -> None:
    from tsad_mma.ops.fused import mixer

    given = example(2, 6, 20, 40, over_patches=over_patches, models=(3,))
    singly = [
        results(
            lambda tiles, weights: mix(tiles, weights, Way(over_patches)),
            given[0][m],
            BlockWeights(*(value[m] for value in given[1])),
            given[2][m],
        )
        for m in range(3)
    ]
    launches = []
    monkeypatch.setattr(mixer, "launched", lambda kernel: launches.append(kernel) or kernel)
    together = results(torch.vmap(lambda tiles, weights: mix(tiles, weights, Way(over_patches))), *given)
    assert len(launches) == 3
    assert_equal(together, [torch.stack(parts) for parts in zip(*singly, strict=True)])


@SIDES
def test_models_may_share_their_tiles(over_patches: bool) -> None:
    tiles, weights, _ = example(2, 6, 20, 40, over_patches=over_patches, models=(3,))
    with torch.no_grad():
        shared = torch.vmap(lambda tiles, weights: mix(tiles, weights, Way(over_patches)), in_dims=(None, 0))
        wanted = torch.stack(
            [REFERENCE[over_patches](tiles[0], BlockWeights(*(value[m] for value in weights))) for m in range(3)]
        )
        torch.testing.assert_close(shared(tiles[0], weights), wanted, rtol=1e-5, atol=1e-5)


@SIDES
def test_the_operation_keeps_pytorchs_rules(over_patches: bool) -> None:
    tiles, weights, _ = example(2, 5, 16, 20, over_patches=over_patches)
    given = [value[None].detach().requires_grad_() for value in (tiles, *weights)]
    rest = (torch.zeros(1, dtype=torch.int64), 0, 0, True, over_patches, False, False)
    # what it is made of when compiled is wrapped kernels, and the interpreter has none
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(torch.ops.tsad_mma.mix.default, (*given, *rest), test_utils=checks)


def test_nothing_is_kept_for_gradients_that_nobody_wants() -> None:
    tiles, weights, _ = example(2, 5, 16, 20, over_patches=True)
    with torch.no_grad():
        assert not mix(tiles, weights, Way(over_patches=True)).requires_grad
    _, mixed = torch.ops.tsad_mma.mix(
        *(value[None].detach() for value in (tiles, *weights)),
        torch.zeros(1, dtype=torch.int64), 0, 0, False, True, False, False,
    )  # fmt: skip
    assert not mixed.numel()


@pytest.mark.parametrize("shape", [(1, 2), (63, 17), (2, 33, 64), (0, 4)])
def test_vectors_of_length_one_and_their_gradients_are_the_references(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    features, upward = (torch.from_numpy(random.normal(size=shape)).float() for _ in range(2))
    features.requires_grad_()
    found, wanted = (function(features) for function in (to_length_one, reference.to_length_one))
    pairs = [torch.autograd.grad((divided * upward).sum(), features)[0] for divided in (found, wanted)]
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(*pairs, rtol=1e-5, atol=1e-6)
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(torch.ops.tsad_mma.to_length_one.default, (features,), test_utils=checks)
    if len(shape) == 3:
        torch.testing.assert_close(torch.vmap(to_length_one, in_dims=1, out_dims=1)(features), wanted)


@pytest.mark.parametrize(("K", "B", "N", "D", "P"), [(1, 1, 1, 2, 1), (5, 3, 33, 17, 7), (2, 1, 64, 64, 16)])
def test_means_over_the_draws_are_the_references(K, B, N, D, P) -> None:
    random = np.random.default_rng(D)
    shapes = [(K, B, N, D), (B, N, D), (P, D), (P,), (D, P), (D,)]
    encoded, features, *ends = (torch.from_numpy(random.normal(size=shape)).float() for shape in shapes)
    found = average_draws(encoded, features, Ends(*ends))
    wanted = reference.average_draws(encoded, features, Ends(*ends))
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("fast", [False, True])
def test_gelu_and_its_slope(fast: bool) -> None:
    x = torch.linspace(-9, 9, 4096)
    value, slope = torch.empty_like(x), torch.empty_like(x)
    gelu_kernel[(1,)](x, value, slope, SIZE=4096, FAST=fast)
    exact = x.double().numpy()
    density = np.exp(-(exact**2) / 2) / np.sqrt(2 * np.pi)
    # rounding to bfloat16 is off by up to 2^-9 of the value
    tolerance = {"rtol": 2**-11, "atol": 0} if fast else {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(value.numpy(), exact * ndtr(exact), **tolerance)
    np.testing.assert_allclose(
        slope.numpy(), ndtr(exact) + exact * density, rtol=1e-3 if fast else 1e-5, atol=1e-4 if fast else 1e-6
    )


def test_tiles_that_do_not_fit_are_known() -> None:
    assert blocking.fits(1, 2)
    assert blocking.fits(64, 128)
    assert blocking.fits(128, 64)
    assert not blocking.fits(128, 128)
    assert not blocking.fits(129, 16)
    assert not blocking.fits(16, 256)
