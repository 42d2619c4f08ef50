"""Training: a budget of steps on random windows, with graphs drawn anew for each, and the weights that are kept."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from tsad_core import nn

from tsad_baselines.mixad.graph import gumbel
from tsad_baselines.mixad.losses import losses
from tsad_baselines.mixad.model import Mixad
from tsad_baselines.mixad.windows import Windows

AT_ONCE = {"cpu": 3 << 8, "cuda": 1 << 15}
"""Most rows (windows times channels) that are trained on at once, a quarter of a MiB each as published."""
_LOOKS = 30
_LOOKED_AT = 256


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained."""

    steps: int
    batch: int
    learning_rate: float
    epsilon: float
    longest: float
    curriculum: float
    contrast: float
    consistency: float
    balance: float
    legacy_zeros: bool = False
    legacy_balance: bool = False


def train(
    model: Mixad, windows: Windows, recipe: Recipe, random: torch.Generator, held_out: Windows | None = None
) -> None:
    """Train a model on windows. With held-out ones, the weights of least loss on them are kept, otherwise the last."""
    nn.keep_freed_memory()
    luck = _Luck(model, windows, recipe, random)
    best = None if held_out is None else nn.Best(model, _look(model, held_out, recipe, random))
    descent = nn.descend(
        model.parameters(),
        lambda index_B: loss_of(model, windows, index_B, recipe, mix_MN=model.mix(luck.noise), taught=luck.taught),
        luck.batches(),
        learning_rate=recipe.learning_rate,
        epsilon=recipe.epsilon,
        longest=recipe.longest,
        at_once=model.at_once(AT_ONCE),
    )
    for step in descent:
        if best is not None and (step * _LOOKS) % recipe.steps < _LOOKS:
            best.look()
    if best is not None:
        best.restore()


def loss_of(
    model: Mixad, windows: Windows, index_B: Tensor, recipe: Recipe, *, mix_MN: Tensor, taught: list[bool]
) -> Tensor:
    """Return the loss of windows on a graph, taught at some steps."""
    step_TB = windows.steps(index_B)
    windows_TBN, known_TBN = windows.values_TN[step_TB], windows.known_TN[step_TB]
    state_RH = model.encode(windows_TBN, mix_MN)
    read = model.read(state_RH)
    rebuilt_TBN = model.decode(windows_TBN, torch.cat([state_RH, read.value_RD], dim=1), mix_MN, taught)
    counted_TBN = known_TBN & (windows_TBN != 0) if recipe.legacy_zeros else known_TBN
    terms = losses(rebuilt_TBN, windows_TBN, counted_TBN, read, legacy_balance=recipe.legacy_balance)
    beside = (recipe.contrast, terms.contrast), (recipe.consistency, terms.consistency), (recipe.balance, terms.balance)
    return terms.error + sum(weight * term for weight, term in beside)


def teaching(step: int, slowness: float) -> float:
    """Return how likely a step is taught after so many batches; a half after `slowness` times its logarithm.

    >>> round(teaching(0, 2000.0), 4), round(teaching(15_200, 2000.0), 4)
    (0.9995, 0.5002)
    """
    return 1 / (1 + math.exp(min(step / slowness - math.log(slowness), 700.0)))


class _Luck:
    """What is drawn at random for each batch."""

    noise: Tensor
    """Decides the edges of both graphs."""
    taught: list[bool]

    def __init__(self, model: Mixad, windows: Windows, recipe: Recipe, random: torch.Generator) -> None:
        self._nodes, self._length, self._recipe, self._random = model.shape.nodes, windows.window, recipe, random
        self._whole_B = windows.whole()

    def batches(self) -> Iterator[Tensor]:
        """Yield the numbers of the windows of a batch; noise and taught steps are then those of this batch."""
        for step in range(self._recipe.steps):
            self.noise = gumbel(self._nodes, self._random)
            drawn_T = torch.rand(self._length, generator=self._random, device=self._random.device)
            self.taught = (drawn_T < teaching(step, self._recipe.curriculum)).tolist()
            size = (self._recipe.batch,)
            drawn_B = torch.randint(len(self._whole_B), size, generator=self._random, device=self._random.device)
            yield self._whole_B[drawn_B]


def _look(model: Mixad, windows: Windows, recipe: Recipe, random: torch.Generator) -> Callable[[], float]:
    """Return what measures the loss on some of the windows, untaught and on the settled graph."""
    order_B = torch.randperm(len(windows), generator=random, device=random.device)[:_LOOKED_AT]
    untaught = [False] * windows.window

    def look() -> float:
        with torch.no_grad():
            mix_MN = model.mix()
            parts = order_B.split(model.at_once(AT_ONCE))
            losses = (loss_of(model, windows, part, recipe, mix_MN=mix_MN, taught=untaught) for part in parts)
            return sum(len(part) * float(loss) for part, loss in zip(parts, losses, strict=True))

    return look
