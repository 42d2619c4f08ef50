"""The detector `AMSL`: its options, how it learns, how it scores."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from tsad_core import Array, Detection, detector, nn, windows
from tsad_core.held_out import Part, split
from tsad_core.options import Option
from tsad_core.scaling import Scaling, scaled, scales

from tsad_baselines.amsl.model import Network, Shape, cells, new_model
from tsad_baselines.amsl.presets import PRESETS
from tsad_baselines.amsl.scoring import Seen, see
from tsad_baselines.amsl.training import Material, Recipe, train
from tsad_baselines.amsl.views import VIEWS, Draws, draw
from tsad_baselines.amsl.windows import Ranges, Windows, learn_ranges

Count = Annotated[int, Ge(1)]
Steps = Annotated[int, Ge(0)]
Positive = Annotated[float, Gt(0)]
Weight = Annotated[float, Ge(0)]

_SHORTEST, _LONGEST, _USUAL = 32, 128, 64
"""Steps of a window that is as long as the period; the last where there is none."""
_CELLS = 1 << 14
"""Steps times channels of a batch, if `batch` is ``"auto"``."""
_MOST = 32
_AT_ONCE = {"cpu": 1 << 15, "cuda": 1 << 20}
"""Most steps times channels that are worked on at once, seven views of each."""
_DRAWS = 64
_LEGACY_DRAWS = 1 << 25
"""Most values of noise that are drawn once, 128 MiB."""


@detector
class AMSL:
    """Seven views of a window through one encoder, memories of normal features, and a decoder for each view.

    A score is how badly the views of the windows around a step are rebuilt, at the step (Zhang et al., Adaptive
    Memory Networks with Self-supervised Learning for Unsupervised Anomaly Detection, TKDE 2022). Views are the window
    as it is, with noise, negated, reversed, with five blocks permuted, scaled and smoothed.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Option]]] = PRESETS
    """Options by name, published ones among them: ``AMSL(**AMSL.presets["paper-dsads"])``, ``amsl:quick``."""

    window: Count | Literal["auto"] = "auto"
    """Steps of a window; ``"auto"`` is the dominant period, 32 at least, 128 at most, 64 if there is none. It is never
    longer than the longest segment of the training part."""
    stride: Count | Literal["auto"] = "auto"
    """Steps from one window that is scored to the next; ``"auto"`` is a quarter of the window, more a window."""
    filters: Count = 16
    """Filters of the first convolution; the others have two and four times as many. The paper has 32."""
    slots: Count = 100
    """Slots of each of the eight memories: one of each view, one that all share. The paper has 500."""
    skip: bool = True
    """Whether decoders see the encoder's features beside what memories recall, as published; they can then rebuild
    what no memory knows."""
    head_weight: Weight = 1.0
    """Weight of telling the views apart, in training."""
    entropy_weight: Weight = 2e-4
    """Weight of how spread the attention to slots is, in training."""
    learning_rate: Positive = 3e-3
    """Learning rate of the first step; three times the published one, for fewer steps."""
    decay: Annotated[float, Gt(0), Le(1)] = 0.1
    """Share of the learning rate that is left at the last step; all of it as published."""
    steps: Count = 300
    """Steps of the optimiser. The default is a quick fit: some thirty seconds of one core, up to 128 channels."""
    epochs: Steps = 0
    """If not 0, as many steps as it takes to see each training window so many times."""
    batch: Count | Literal["auto"] = "auto"
    """Windows that a step sees, drawn at random; ``"auto"`` is 16,384 over the steps times channels of a window, from 1
    to 32."""
    scaling: Scaling = "min-max"
    """How channels are made comparable before views are made of them, learnt on the training part. The views
    themselves are always brought to 0 … 1 by the least and largest values of their channels."""
    held_out: Annotated[float, Ge(0), Le(0.5)] = 0.2
    """Share at the end of the training part that is not trained on and can tell which weights are best.

    A window at least, and whole segments if they are as short; none if that is more than half.
    """
    keep: Literal["last", "best"] = "last"
    """Which weights are kept: of the last step, or of the least loss on what is held out."""
    legacy_memories: bool = False
    """Whether the views that are scaled and smoothed recall what the raw view does, as in the authors' code."""
    legacy_cells: bool = False
    """Whether each step of a window has least and largest values of its own, as in the authors' code."""
    legacy_draws: bool = False
    """Whether the views of a training window are drawn once, as in the authors' code, instead of for each batch.

    Draws repeat after so many windows as their noise takes 128 MiB: 5,965 of the published size.
    """
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of products; ``"auto"`` is bfloat16 where the processor multiplies it in hardware."""
    device: str = "auto"
    """Where the network runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; ``"auto"`` is a GPU if there is one."""
    seed: Steps = 0
    """Decides weights, batches, dropout and what is random in the views."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn scales, the ranges of views, and weights.

        Among what is learnt are the gates, ``gates_R2_``: how much each view's own memory and the shared one count.
        """
        self._resolve(train_TC, starts)
        self.centre_C_, self.scale_C_ = scales(train_TC, self.scaling)
        scaled_TC = self._scaled(train_TC)
        self.fill_C_ = _filling(scaled_TC)
        share = _share(self.held_out, len(train_TC), starts, window=self.window_)
        fitted, held_out = split(scaled_TC, starts, share=share, least=self.window_)
        self._learn_ranges(fitted)
        model = self._train(fitted, held_out)
        self.weights_ = nn.pack(model)
        self.gates_R2_ = model.gates().detach().cpu().numpy()
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part. Attribution is each channel's error, bands are what each view adds to the score."""
        seen = self._see(self._scaled(test_TC), starts)
        return Detection(
            seen.error_TC.mean(axis=1),
            attribution_TC=seen.error_TC,
            expected_TC=seen.expected_TC * self.scale_C_ + self.centre_C_,
            bands=dict(zip(VIEWS, seen.error_TR.T, strict=True)),
        )

    def _resolve(self, train_TC: Array, starts: tuple[int, ...]) -> None:
        """Settle what ``"auto"`` means for a training part."""
        longest = int(np.diff([*starts, len(train_TC)]).max())
        period = min(max(windows.period(train_TC, default=_USUAL), _SHORTEST), _LONGEST)
        self.window_ = min(period if self.window == "auto" else self.window, longest)
        self.stride_ = min(max(1, self.window_ // 4) if self.stride == "auto" else self.stride, self.window_)
        fitting = _CELLS // cells(train_TC.shape[1], self.window_)
        self.batch_ = min(max(1, fitting), _MOST) if self.batch == "auto" else self.batch
        self.device_ = nn.resolve_device(self.device)
        self.precision_ = nn.resolve_precision(self.precision, self.device_)

    def _scaled(self, part_TC: Array) -> Array:
        return scaled(part_TC, self.centre_C_, self.scale_C_)

    def _learn_ranges(self, fitted: Part) -> None:
        seen = self._windows(*fitted, self.stride_)
        table = self._table(2, min(_DRAWS, len(seen)))
        ranges = learn_ranges(seen, table, cells=self.legacy_cells, at_once=self._at_once())
        self.low_RCL_, self.span_RCL_ = (values.cpu().numpy() for values in ranges)

    def _train(self, fitted: Part, held_out: Part | None) -> Network:
        model, seen = self._new_model(), self._windows(*fitted, 1)
        distinct = max(1, _LEGACY_DRAWS // (self.window_ * len(self.centre_C_)))
        table = self._table(3, min(distinct, len(seen))) if self.legacy_draws else None
        looked_at = self._looked_at(*held_out) if held_out and self.keep == "best" else None
        # another stream than that of the weights
        train(model, Material(seen, self._ranges(), table), self._recipe(len(seen)), self._random(1), looked_at)
        return model

    def _looked_at(self, part_TC: Array, starts: tuple[int, ...]) -> Material:
        return Material(self._windows(part_TC, starts, self.stride_), self._ranges(), self._table(4, _DRAWS))

    def _recipe(self, windows: int) -> Recipe:
        self.steps_ = math.ceil(self.epochs * windows / self.batch_) or self.steps
        names = ("learning_rate", "decay", "head_weight", "entropy_weight")
        options = {name: getattr(self, name) for name in names}
        # parts of equal size
        parts = math.ceil(self.batch_ / self._at_once())
        return Recipe(steps=self.steps_, batch=self.batch_, at_once=math.ceil(self.batch_ / parts), **options)

    def _see(self, scaled_TC: Array, starts: tuple[int, ...]) -> Seen:
        model = self._new_model()
        nn.unpack(model, self.weights_)
        part = self._windows(scaled_TC, starts, self.stride_)
        return see(model, part, self._ranges(), self._table(5, _DRAWS), at_once=self._at_once())

    def _new_model(self) -> Network:
        device = nn.resolve_device(self.device)
        precision = nn.PRECISIONS[nn.resolve_precision(self.precision, device)]
        shape = Shape(
            channels=len(self.centre_C_),
            window=self.window_,
            filters=self.filters,
            slots=self.slots,
            skip=self.skip,
            legacy_memories=self.legacy_memories,
        )
        return new_model(shape, self._random(0), precision=precision)

    def _ranges(self) -> Ranges:
        device = nn.resolve_device(self.device)
        return Ranges(*(torch.from_numpy(values.copy()).to(device) for values in (self.low_RCL_, self.span_RCL_)))

    def _table(self, stream: int, count: int) -> Draws:
        """Return draws that are the same on every device."""
        drawn = draw(count, len(self.centre_C_), self.window_, nn.stream(self.seed, stream, "cpu"))
        device = nn.resolve_device(self.device)
        return Draws(*(values.to(device) for values in drawn))

    def _random(self, stream: int) -> torch.Generator:
        return nn.stream(self.seed, stream, nn.resolve_device(self.device))

    def _windows(self, part_TC: Array, starts: tuple[int, ...], stride: int) -> Windows:
        device = nn.resolve_device(self.device)
        return Windows(part_TC, self.fill_C_, window=self.window_, stride=stride, starts=starts, device=device)

    def _at_once(self) -> int:
        most = _AT_ONCE.get(torch.device(nn.resolve_device(self.device)).type, _AT_ONCE["cuda"])
        return max(1, most // cells(len(self.centre_C_), self.window_))


def _filling(scaled_TC: Array) -> Array:
    """Return the mean of the known values of each channel; 0 where none is."""
    known_TC = ~np.isnan(scaled_TC)
    sum_C = np.where(known_TC, scaled_TC, 0.0).sum(axis=0, dtype=np.float64)
    return np.asarray(sum_C / np.maximum(known_TC.sum(axis=0), 1))


def _share(share: float, steps: int, starts: tuple[int, ...], *, window: int) -> float:
    """Return the share to hold out so that no segment about as short as a window is cut.

    >>> _share(0.2, 50, tuple(range(0, 50, 5)), window=5), _share(0.25, 50, (0,), window=5)
    (0.2, 0.25)
    >>> round(50 * _share(0.25, 50, tuple(range(0, 50, 5)), window=5), 1)
    14.5
    """
    stop = steps - math.ceil(share * steps)
    first = max(start for start in starts if start <= stop) if share else stop
    # half a step less, since a share is rounded up to steps
    return (steps - first - 0.5) / steps if 0 < stop - first < window else share
