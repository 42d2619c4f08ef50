"""Many models trained at once."""

import numpy as np
import pytest
from tsad_core import OptionError

torch = pytest.importorskip("torch", reason="torch is not installed")

from tsad_core import nn  # noqa: E402 - it needs torch
from tsad_mma import MMA  # noqa: E402
from tsad_mma.model import Shape, losses, new_model  # noqa: E402
from tsad_mma.ops import How, keep  # noqa: E402
from tsad_mma.together import Stack, fit_together  # noqa: E402
from tsad_mma.training import Recipe  # noqa: E402

RECIPE = Recipe(
    steps=3, batch=4, learning_rate=0.01, decay=1.0, weight_decay=0.1, dropout=0.0, mask_ratio=0.5, contrast=0.1,
    temperature=0.1,
)  # fmt: skip
TINY = {"width": 16, "layers": 1, "steps": 80, "batch": 16, "draws": 2, "smoothing": 0, "precision": "float32"}


def wave(period: float, steps: int = 600):
    noise = np.random.default_rng(0).normal(scale=0.05, size=(steps, 1))
    return (np.sin(2 * np.pi * np.arange(steps)[:, None] / period) + noise).astype(np.float32)


@pytest.mark.parametrize("kernels", ["reference", "triton"])
def test_losses_and_gradients_are_those_of_each_model_alone(kernels: str) -> None:
    if kernels == "triton":
        pytest.importorskip("triton", reason="triton is not installed")
    random = torch.Generator().manual_seed(0)
    lengths = (3, 7, 5)
    models = [new_model(Shape(6, length, 16, layers=2), random, how=How(kernels)) for length in lengths]
    patches = [torch.randn(4, 6, length, generator=random) for length in lengths]
    patches[1][0, 2, 1] = torch.nan
    masks_MBN = torch.rand(3, 4, 6, generator=random) > 0.5
    stack = Stack(models)
    filled = [torch.nn.functional.pad(values, (0, 7 - values.shape[2])) for values in patches]
    found_M = stack.losses(torch.stack(filled), masks_MBN, RECIPE, keep)
    found_M.sum().backward()
    for m, (model, values) in enumerate(zip(models, patches, strict=True)):
        squared, contrast = losses(model, values, masks_MBN[m])
        torch.testing.assert_close(found_M[m], squared + 0.1 * contrast, rtol=1e-5, atol=1e-6)
        (squared + 0.1 * contrast).backward()
        for own, stacked in zip(model.parameters(), stack.weights.values(), strict=True):
            gradient = stacked.grad[m]
            inner = tuple(slice(size) for size in own.shape)
            torch.testing.assert_close(gradient[inner], own.grad, rtol=1e-4, atol=1e-6)
            gradient[inner] = 0
            assert not gradient.any()  # what only fills up learns nothing


def test_weights_come_back_as_they_went() -> None:
    models = [new_model(Shape(4, length, 8), nn.generator(length, "cpu")) for length in (2, 5)]
    before = [[value.clone() for value in model.parameters()] for model in models]
    stack = Stack(models)
    with torch.no_grad():
        for model in models:
            for value in model.parameters():
                value.zero_()
    stack.give_back()
    for model, values in zip(models, before, strict=True):
        assert all(torch.equal(now, value) for now, value in zip(model.parameters(), values, strict=True))


def test_fitted_together_they_find_what_each_would_find_alone() -> None:
    periods = (20, 32)
    together = [MMA(**TINY, seed=seed) for seed in range(2)]
    fit_together(together, [wave(period) for period in periods])
    assert [one.patch_ for one in together] == [3, 4]
    for one, period in zip(together, periods, strict=True):
        test_TC = wave(period)[:300].copy()
        test_TC[150:156] += 3
        assert 145 <= one.detect(test_TC).scores_T.argmax() < 161
        alone = MMA(**TINY).fit(wave(period))
        assert one.usual_error_C_ < 1.5 * alone.usual_error_C_


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 8}, "width"),
        ({"layers": 2}, "layers"),
        ({"window": 8, "patch": 4}, "patches"),
        ({"learning_rate": 0.1}, "2 ways"),
        ({"keep": "best"}, "take keep = 'last'"),
    ],
)
def test_what_cannot_take_the_same_steps_is_refused(options, message: str) -> None:
    detectors = [MMA(**TINY), MMA(**{**TINY, **options})]
    with pytest.raises(OptionError, match=message):
        fit_together(detectors, [wave(20), wave(20)])
