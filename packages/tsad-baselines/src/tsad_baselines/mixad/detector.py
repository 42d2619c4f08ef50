"""The detector `MIXAD`: its options, how it learns, how it scores."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from tsad_core import Array, Detection, OptionError, detector, nn, windows
from tsad_core.held_out import Part, split
from tsad_core.options import Option
from tsad_core.scaling import Scaling, scaled, scales

from tsad_baselines.mixad.model import Mixad, Shape, new_model
from tsad_baselines.mixad.presets import PRESETS
from tsad_baselines.mixad.scoring import see
from tsad_baselines.mixad.shift import Clean, Deseasonal, by_step, stl
from tsad_baselines.mixad.training import Recipe, train
from tsad_baselines.mixad.windows import Windows

Count = Annotated[int, Ge(1)]
Several = Annotated[int, Ge(2)]
Steps = Annotated[int, Ge(0)]
Positive = Annotated[float, Gt(0)]
Weight = Annotated[float, Ge(0)]

_ROWS = 512
"""Windows times channels of a step of the optimiser, if `batch` is ``"auto"``."""
_REBUILT = 4
"""Windows that each step is rebuilt in."""
_LOOKED_AT = 4096
"""Most steps of a training part, at its end, that say what is usual."""


class _Seen(NamedTuple):
    """What the model makes of a part."""

    shift_TC: Array
    """How far activations shift, seasons taken off; 0 where a value is missing."""
    rebuilt_TC: Array | None


@detector
class MIXAD:
    """Memory-augmented graph GRU: an anomaly is a channel whose use of the memory shifts from one step to the next."""

    presets: ClassVar[Mapping[str, Mapping[str, Option]]] = PRESETS
    """Options by name, published ones among them: ``MIXAD(**MIXAD.presets["paper-smd"])``, ``mixad:paper-smd``."""

    window: Count = 30
    """Steps of a window; no longer than the longest segment that is trained on."""
    units: Count = 64
    """Units of the encoder for each channel; the decoder has those of a slot more."""
    slots: Several = 5
    """Slots of the memory: states that a channel may be in."""
    width: Count = 64
    """Features of a slot."""
    order: Several = 3
    """Chebyshev terms of a graph convolution, the channel itself included."""
    contrast: Weight = 0.01
    """Weight of the triplet loss: a query is to be nearer to its best slot than to the second."""
    consistency: Weight = 0.1
    """Weight of the squared distance between a query and its best slot."""
    balance: Weight = 1e-4
    """Weight of how unequally the slots are used."""
    curriculum: Positive = 2000.0
    """How slowly the decoder is weaned off true values: half of its steps are taught after this many batches times its
    logarithm. As published, a small budget is taught throughout."""
    learning_rate: Positive = 1e-3
    """Learning rate of Adam."""
    epsilon: Positive = 1e-3
    """Epsilon of Adam; the published one is larger than most gradients, so that steps are smaller than the rate."""
    longest: Positive = 5.0
    """Length that the gradient of all weights is cut to."""
    steps: Count = 150
    """Steps of the optimiser. The default is a quick fit: about half a minute of one core, whatever the series."""
    epochs: Steps = 0
    """If not 0, as many steps as it takes to see so many windows as that often all of the training part's."""
    batch: Count | Literal["auto"] = "auto"
    """Windows of a step, drawn at random; ``"auto"`` is 512 over the channels, one at least."""
    held_out: Annotated[float, Ge(0), Le(0.5)] = 0.0
    """Share at the end of the training part that is not trained on, a window at least; it chooses weights and says
    what is usual. None if that is more than half."""
    keep: Literal["last", "best"] = "last"
    """Which weights are kept: of the last step, or of the least loss on what is held out."""
    score: Literal["shift", "error", "joined"] = "shift"
    """What is scored: the shift of the memory's activations, as published; the error of what is rebuilt, above the
    usual one; or both, added in units of what one in a hundred steps at the end of the training part exceeds."""
    expected: bool = False
    """Whether the series is rebuilt even if its error is not scored; it takes half as long again."""
    deseasonal: Deseasonal = "causal"
    """How seasons are taken off the shifts: by what the same phase was like before, or as published by STL over the
    whole test part, its future included; for that, install ``tsad-baselines[stl]``."""
    scaling: Scaling = "min-max"
    """How channels are made comparable, learnt on the training part."""
    legacy_noise: bool = False
    """Whether the activations that are scored are random numbers, and only the error is learnt: what the authors'
    public code does."""
    legacy_zeros: bool = False
    """Whether zeros are taken for missing by the loss, as in the authors' code."""
    legacy_balance: bool = False
    """Whether `balance` looks at a softmax of summed activations, as in the authors' code: it is one slot."""
    legacy_period: bool = False
    """Whether STL takes a tenth of the strongest period, as in the authors' code."""
    legacy_erasure: bool = False
    """Whether shifts within five windows of a multiple of 256 are set to 0, as in the authors' code."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of matrix products; ``"auto"`` is bfloat16 where the processor multiplies it in hardware."""
    device: str = "auto"
    """Where the model runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; ``"auto"`` is a GPU if there is one."""
    seed: Steps = 0
    """Decides weights, batches, graphs and what is taught."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn scales, weights and, if errors are scored, which of them are usual."""
        self._resolve(train_TC)
        self.centre_C_, self.scale_C_ = scales(train_TC, self.scaling)
        least = min(self.window, _longest(train_TC, starts))
        fitted, held_out = split(self._scaled(train_TC), starts, share=self.held_out, least=least)
        self.window_ = min(self.window, _longest(*fitted))
        model = self._train(fitted, held_out)
        self.weights_ = nn.pack(model)
        if self.score != "shift":
            self._learn_usual(*(held_out or _end(*fitted)))
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part. Attribution is the score of each channel, the score their maximum."""
        scaled_TC = self._scaled(test_TC)
        seen = self._see(scaled_TC, starts, rebuild=self.expected or self.score != "shift")
        expected_TC = None if seen.rebuilt_TC is None else seen.rebuilt_TC * self.scale_C_ + self.centre_C_
        if self.score == "shift":
            return Detection(seen.shift_TC.max(axis=1), attribution_TC=seen.shift_TC, expected_TC=expected_TC)
        shift_TC, error_TC = seen.shift_TC / self.rare_shift_, self._excess(scaled_TC, seen) / self.rare_error_
        scored_TC = error_TC if self.score == "error" else shift_TC + error_TC
        bands = {"shift": shift_TC.max(axis=1), "error": error_TC.max(axis=1)}
        return Detection(scored_TC.max(axis=1), attribution_TC=scored_TC, expected_TC=expected_TC, bands=bands)

    def _resolve(self, train_TC: Array) -> None:
        """Settle what ``"auto"`` means for a training part."""
        if self.deseasonal == "stl":
            stl()
        if self.keep == "best" and not self.held_out:
            raise OptionError("keep = 'best' needs a held-out part to choose by: held_out is 0, set it to 0.2 or so")
        self.period_ = windows.period(train_TC)
        self.batch_ = max(1, _ROWS // train_TC.shape[1]) if self.batch == "auto" else self.batch
        self.device_ = nn.resolve_device(self.device)
        self.precision_ = nn.resolve_precision(self.precision, self.device_)

    def _scaled(self, part_TC: Array) -> Array:
        return scaled(part_TC, self.centre_C_, self.scale_C_)

    def _train(self, fitted: Part, held_out: Part | None) -> Mixad:
        model = self._new_model(fitted[0].shape[1])
        seen = self._windows(*fitted)
        looked_at = self._windows(*held_out) if held_out and self.keep == "best" else None
        # another stream than that of the weights
        train(model, seen, self._recipe(len(seen)), self._random(1), looked_at)
        return model

    def _recipe(self, windows: int) -> Recipe:
        self.steps_ = math.ceil(self.epochs * windows / self.batch_) or self.steps
        # random numbers have no gradient
        counted = 0.0 if self.legacy_noise else 1.0
        return Recipe(
            steps=self.steps_,
            batch=self.batch_,
            learning_rate=self.learning_rate,
            epsilon=self.epsilon,
            longest=self.longest,
            curriculum=self.curriculum,
            contrast=counted * self.contrast,
            consistency=counted * self.consistency,
            balance=counted * self.balance,
            legacy_zeros=self.legacy_zeros,
            legacy_balance=self.legacy_balance,
        )

    def _learn_usual(self, part_TC: Array, starts: tuple[int, ...]) -> None:
        """Learn the usual error of each channel, and what one step in a hundred exceeds."""
        seen = self._see(part_TC, starts, rebuild=True)
        error_TC, known_TC = _error(part_TC, seen), ~np.isnan(part_TC)
        self.usual_error_C_ = error_TC.sum(axis=0) / np.maximum(known_TC.sum(axis=0), 1)
        self.rare_shift_ = _rare(seen.shift_TC)
        self.rare_error_ = _rare(self._excess(part_TC, seen))

    def _excess(self, scaled_TC: Array, seen: _Seen) -> Array:
        """Return how far errors are above the usual."""
        return np.asarray((_error(scaled_TC, seen) - self.usual_error_C_).clip(min=0))

    def _see(self, part_TC: Array, starts: tuple[int, ...], *, rebuild: bool) -> _Seen:
        """Return what the model makes of a part in scaled units."""
        model, seen = self._fitted_model(), self._windows(part_TC, starts)
        stride = max(1, self.window_ // _REBUILT) if rebuild else 0
        noise = self._random(2) if self.legacy_noise else None
        made = see(model, seen, rebuild_stride=stride, noise=noise)
        clean = Clean(self.deseasonal, self.period_, self.legacy_period, self.legacy_erasure)
        shift_TC = by_step(made.shift_BC, seen.spans_B2.cpu().numpy(), starts, clean)
        return _Seen(np.where(np.isnan(part_TC), 0.0, shift_TC), made.rebuilt_TC)

    def _new_model(self, nodes: int) -> Mixad:
        device = nn.resolve_device(self.device)
        precision = nn.PRECISIONS[nn.resolve_precision(self.precision, device)]
        shape = Shape(nodes, self.units, self.slots, self.width, self.order)
        return new_model(shape, self._random(0), precision=precision)

    def _fitted_model(self) -> Mixad:
        model = self._new_model(len(self.centre_C_))
        nn.unpack(model, self.weights_)
        return model

    def _windows(self, part_TC: Array, starts: tuple[int, ...]) -> Windows:
        return Windows(part_TC, window=self.window_, starts=starts, device=nn.resolve_device(self.device))

    def _random(self, stream: int) -> torch.Generator:
        return nn.stream(self.seed, stream, nn.resolve_device(self.device))


def _longest(part_TC: Array, starts: tuple[int, ...]) -> int:
    return int(np.diff([*starts, len(part_TC)]).max())


def _end(part_TC: Array, starts: tuple[int, ...]) -> Part:
    """Return the last of the steps that say what is usual, if there are more."""
    first = max(0, len(part_TC) - _LOOKED_AT)
    return part_TC[first:], windows.starts_within(starts, first, len(part_TC))


def _error(scaled_TC: Array, seen: _Seen) -> Array:
    """Return the absolute error of each value; 0 where it is missing."""
    return np.asarray(np.nan_to_num(np.abs(scaled_TC - seen.rebuilt_TC), nan=0.0))


def _rare(values_TC: Array) -> float:
    """Return what the largest value of one step in a hundred exceeds."""
    return max(float(np.quantile(values_TC.max(axis=1), 0.99)), 1e-12)
