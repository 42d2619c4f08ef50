"""The detector `SLMR`: its options, how it learns, how it scores."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor
from tsad_core import Array, Detection, detector, nn
from tsad_core.held_out import Part, split
from tsad_core.options import Option
from tsad_core.scaling import Scaling, scaled, scales

from tsad_baselines.slmr.model import Network, Shape, new_model
from tsad_baselines.slmr.pairs import Pairs
from tsad_baselines.slmr.presets import PRESETS
from tsad_baselines.slmr.scoring import Seen, errors, see
from tsad_baselines.slmr.training import Recipe, train

Count = Annotated[int, Ge(1)]
Steps = Annotated[int, Ge(0)]
Positive = Annotated[float, Gt(0)]

_LEAST_SPREAD = 0.1


@detector
class SLMR:
    """Split convolutions under masks: what neither a forecast nor a reconstruction from one state gets right.

    A window's odd and even steps are convolved apart and crossed, a gate weighs the channels, and a recurrent state
    forecasts the next step and rebuilds the window (Miao et al., ICONIP 2022). A score looks at no later step. A
    missing value (NaN) is a masked one.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Option]]] = PRESETS
    """Options by name, published ones among them: ``SLMR(**SLMR.presets["paper-swat"])``, ``--detector slmr:quick``."""

    window: Annotated[int, Ge(2)] = 10
    """Steps of a window, rounded up to an even number; shorter than the longest segment of the training part."""
    targets: Count | Literal["all"] = "all"
    """How many channels, from the first on, are forecast, rebuilt and scored; all are looked at."""
    group: Count = 30
    """Features of each of the six groups of each of the four scales of the convolutions."""
    hidden: Count = 150
    """Hidden units of both recurrent layers and of the forecast."""
    dropout: Annotated[float, Ge(0), Le(0.9)] = 0.0
    """Share of hidden units of the forecast that are dropped in training, in 256ths. The paper drops 0.3."""
    mask_ratio: Annotated[float, Ge(0), Le(0.5)] = 0.03
    """Share of values that are hidden in training, in stretches of single channels."""
    mask_length: Annotated[float, Ge(2)] = 3.0
    """Steps of such a stretch, on average."""
    gamma: Annotated[float, Ge(0)] = 0.8
    """Weight of the rebuilt step's error beside that of the forecast."""
    error_scaling: Literal["none", "robust"] = "none"
    """Whether errors count in robust deviations from the usual ones of their channel, learnt on what is held out."""
    learning_rate: Positive = 3e-3
    """Learning rate of the first step; three times the published one, for fewer steps."""
    decay: Annotated[float, Gt(0), Le(1)] = 0.05
    """Share of the learning rate that is left at the last step; all of it as published."""
    steps: Count = 800
    """Steps of the optimiser. The default is a quick fit: some twenty seconds of one core, whatever the series."""
    epochs: Steps = 0
    """If not 0, as many steps as it takes to see each training window so many times."""
    batch: Annotated[int, Ge(2)] = 64
    """Windows that a step sees, drawn at random; 256 as published. On a small budget many small steps learn more."""
    scaling: Scaling = "min-max"
    """How channels are made comparable, learnt on the training part."""
    held_out: Annotated[float, Ge(0), Le(0.5)] = 0.1
    """Share at the end of the training part that is not trained on and tells which weights are best.

    A window and a step at least; none if that is more than half.
    """
    keep: Literal["last", "best"] = "best"
    """Which weights are kept: of the last step, or of the least loss on what is held out."""
    expected: Literal["mean", "forecast", "reconstruction"] = "mean"
    """What is given as expected: the forecast, which has not seen the step, the rebuilt step, or their mean."""
    legacy_repeat: bool = False
    """Whether each step is rebuilt from a few units of the state instead of from all, as in the authors' code."""
    legacy_odd_pool: bool = False
    """Whether the convolutions of odd steps are pooled once more than those of even ones, as in the authors' code."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of large matrix products; ``"auto"`` is bfloat16 where the processor multiplies it in hardware."""
    device: str = "auto"
    """Where the network runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; ``"auto"`` is a GPU if there is one."""
    seed: Steps = 0
    """Decides weights, batches, masks and dropout."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn scales and weights, and which errors are usual if they count."""
        longest = int(np.diff([*starts, len(train_TC)]).max())
        self.window_ = 2 * max(1, min(-(-self.window // 2), (longest - 1) // 2))
        self.device_ = nn.resolve_device(self.device)
        self.precision_ = nn.resolve_precision(self.precision, self.device_)
        self.centre_C_, self.scale_C_ = scales(train_TC, self.scaling)
        least = self.window_ + 1
        fitted, held_out = split(self._scaled(train_TC), starts, share=self.held_out, least=least)
        self.weights_ = nn.pack(self._train(fitted, held_out))
        if self.error_scaling == "robust":
            self._learn_usual(*(held_out or fitted))
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part. Attribution is each channel's error, bands are what each head adds (unscaled)."""
        scaled_TC = self._scaled(test_TC)
        seen, pairs = self._see(scaled_TC, starts)
        forecast_TO, rebuilt_TO = errors(seen, pairs)
        error_TO = forecast_TO + self.gamma * rebuilt_TO
        if self.error_scaling == "robust":
            error_TO = (error_TO - self.usual_O_) / self.spread_O_
        expected_TC = _with_others(self._expected(seen, pairs), np.nan_to_num(scaled_TC))
        return Detection(
            error_TO.mean(axis=1),
            attribution_TC=_with_others(error_TO, np.zeros_like(scaled_TC)),
            expected_TC=expected_TC * self.scale_C_ + self.centre_C_,
            bands={"forecast": forecast_TO.mean(axis=1), "reconstruction": self.gamma * rebuilt_TO.mean(axis=1)},
        )

    def gates(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Array:
        """Return how much each channel counts at each step of a part, in 0 … 1, shape (T, C).

        It is the gate of the window that ends with the step; of the first steps of a segment, of its first window.
        """
        seen, pairs = self._see(self._scaled(test_TC), starts)
        return _of_steps(seen.gate_CT, pairs)

    def _scaled(self, part_TC: Array) -> Array:
        return scaled(part_TC, self.centre_C_, self.scale_C_)

    def _train(self, fitted: Part, held_out: Part | None) -> Network:
        model, pairs = self._new_model(), self._pairs(*fitted)
        looked_at = self._pairs(*held_out) if held_out and self.keep == "best" else None
        # another stream than that of the weights
        train(model, pairs, self._recipe(len(pairs)), self._random(1), looked_at)
        return model

    def _recipe(self, pairs: int) -> Recipe:
        names = ("batch", "learning_rate", "decay", "dropout", "mask_ratio", "mask_length")
        self.steps_ = math.ceil(self.epochs * pairs / self.batch) or self.steps
        return Recipe(steps=self.steps_, **{name: getattr(self, name) for name in names})

    def _learn_usual(self, part_TC: Array, starts: tuple[int, ...]) -> None:
        """Learn the median and the spread of each channel's errors."""
        forecast_TO, rebuilt_TO = errors(*self._see(part_TC, starts))
        self.usual_O_, self.spread_O_ = usual(forecast_TO + self.gamma * rebuilt_TO)

    def _expected(self, seen: Seen, pairs: Pairs) -> Array:
        forecast_TO, rebuilt_TO = _of_steps(seen.forecast_OT, pairs), _of_steps(seen.rebuilt_OT, pairs)
        if self.expected == "mean":
            return (forecast_TO + rebuilt_TO) / 2
        return forecast_TO if self.expected == "forecast" else rebuilt_TO

    def _see(self, scaled_TC: Array, starts: tuple[int, ...]) -> tuple[Seen, Pairs]:
        model, pairs = self._new_model(), self._pairs(scaled_TC, starts)
        nn.unpack(model, self.weights_)
        return see(model, pairs), pairs

    def _new_model(self) -> Network:
        device = nn.resolve_device(self.device)
        precision = nn.PRECISIONS[nn.resolve_precision(self.precision, device)]
        return new_model(self._shape(), self._random(0), precision=precision)

    def _shape(self) -> Shape:
        C = len(self.centre_C_)
        return Shape(
            channels=C,
            outputs=C if self.targets == "all" else min(C, self.targets),
            window=self.window_,
            group=self.group,
            hidden=self.hidden,
            forecast_hidden=self.hidden,
            rebuilt_hidden=self.hidden,
            scrambled=self.legacy_repeat,
            odd_pool=self.legacy_odd_pool,
        )

    def _random(self, stream: int) -> torch.Generator:
        return nn.stream(self.seed, stream, nn.resolve_device(self.device))

    def _pairs(self, scaled_TC: Array, starts: tuple[int, ...]) -> Pairs:
        return Pairs(scaled_TC, starts, window=self.window_, device=nn.resolve_device(self.device))


def usual(error_TO: Array) -> tuple[Array, Array]:
    """Return the median of each channel's errors, and 0.1 more than the distance of their quartiles."""
    low_O, median_O, high_O = np.percentile(error_TO, [25, 50, 75], axis=0)
    return median_O, high_O - low_O + _LEAST_SPREAD


def _of_steps(seen_CT: Tensor, pairs: Pairs) -> Array:
    """Return what was seen of the steps of a part, float64, shape (T, C)."""
    return np.asarray(seen_CT.T.double().cpu().numpy()[pairs.place_T])


def _with_others(targets_TO: Array, others_TC: Array) -> Array:
    """Return values of all channels, of those beyond the targets the given ones."""
    return np.concatenate([targets_TO, others_TC[:, targets_TO.shape[1] :]], axis=1)
