"""Each model on a GPU: it learns there, and what was learnt elsewhere scores there as it does on a CPU."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from tsad_core import Array

torch = pytest.importorskip("torch", reason="torch is not installed")

FEW: dict[str, dict[str, Any]] = {
    "amsl:AMSL": {"window": 16, "filters": 4, "slots": 8, "steps": 20},
    "mixad:MIXAD": {"window": 8, "units": 8, "slots": 3, "width": 8, "steps": 20, "score": "joined"},
    "slmr:SLMR": {"group": 4, "hidden": 12, "steps": 40},
    "timevqvae_ad:TimeVQVAEAD": {"window": 32, "columns": 8, "blocks": 1, "tokenizer_steps": 20, "prior_steps": 20},
}


def waves(steps: int, seed: int = 0) -> Array:
    noise_TC = np.random.default_rng(seed).normal(scale=0.05, size=(steps, 3))
    return np.sin(np.arange(steps)[:, None] / (3, 4, 5)) + noise_TC


def made(name: str, **options: Any) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(f"tsad_baselines.{module}"), attribute)(**FEW[name], precision="float32", **options)


@pytest.mark.parametrize("name", FEW)
def test_a_tiny_model_of_each_fits_on_a_cpu(name: str) -> None:
    scores_T = made(name, device="cpu").fit(waves(400)).detect(waves(200, seed=9)).scores_T
    assert np.isfinite(scores_T).all()
    assert np.ptp(scores_T) > 0


@pytest.mark.gpu
@pytest.mark.parametrize("name", FEW)
def test_a_gpu_scores_as_a_cpu_does(name: str) -> None:
    fitted = made(name, device="cpu").fit(waves(400))
    one, other = (fitted.set_params(device=device).detect(waves(200, seed=9)).scores_T for device in ("cpu", "cuda"))
    assert np.corrcoef(one, other)[0, 1] > 0.999


@pytest.mark.gpu
@pytest.mark.parametrize("name", FEW)
def test_a_gpu_learns_the_same_twice(name: str) -> None:
    one, same = (made(name, device="cuda").fit(waves(400)).detect(waves(200, seed=9)).scores_T for _ in range(2))
    np.testing.assert_allclose(one, same, rtol=1e-3)
