"""The detector `MMA`: its options, how it learns, how it scores."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from tsad_core import Array, Detection, OptionError, detector, nn, windows
from tsad_core.held_out import Part, split
from tsad_core.options import Option
from tsad_core.scaling import Scaling, scaled, scales

from tsad_mma.filtering import Limits
from tsad_mma.model import Mixer, Shape, new_model
from tsad_mma.ops import How, resolve
from tsad_mma.presets import PRESETS
from tsad_mma.scoring import Seen, root_mean_square, see
from tsad_mma.tiles import Tiles, tiles_of
from tsad_mma.training import Recipe, train

Count = Annotated[int, Ge(1)]
Steps = Annotated[int, Ge(0)]
Positive = Annotated[float, Gt(0)]

_PATCHES = 32
_DTYPES = nn.PRECISIONS | {"tf32x3": torch.float32}


@detector
class MMA:
    """MLP-Mixer masked autoencoder: what a model of patches cannot rebuild from the patches around them.

    Each channel is looked at by itself, by one model for all. A missing value (NaN) is a hidden patch.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Option]]] = PRESETS
    """Options by name, published ones among them: ``MMA(**MMA.presets["paper-asd"])``, ``--detector mma:paper-asd``."""

    window: Count | Literal["auto"] = "auto"
    """Steps of a window, rounded up to whole patches; ``"auto"`` is 32 patches, so four periods if patches are too.

    No longer than the longest segment of the training part.
    """
    patch: Count | Literal["auto"] = "auto"
    """Steps of a patch; ``"auto"`` is an eighth of the training part's period, or 1/32 of a window that is given."""
    width: Annotated[int, Ge(2)] = 64
    """Features of a patch."""
    layers: Count = 3
    """Mixer layers."""
    expansion: Count = 6
    """Hidden units of a mixer block, in multiples of what it mixes."""
    gating: bool = True
    """Whether what a block adds is weighted by a softmax of itself (gated attention)."""
    dropout: Annotated[float, Ge(0), Le(0.9)] = 0.0
    """Share of values dropped in training, in 256ths. The paper drops 0.2; on a small budget none learns more."""
    mask_ratio: Annotated[float, Ge(0.1), Le(0.9)] = 0.5
    """Share of patches that the first of two views hides; the second hides the others."""
    draws: Count = 5
    """Masks that a score is averaged over."""
    contrast: Annotated[float, Ge(0)] = 0.005
    """Weight of the contrastive loss beside the squared error."""
    temperature: Positive = 0.1
    """Temperature of the contrastive loss."""
    learning_rate: Positive = 4e-3
    """Learning rate of the first step; twice the published one, for a hundredth of the steps."""
    decay: Annotated[float, Gt(0), Le(1)] = 0.006
    """Share of the learning rate that is left at the last step: 0.95 to the power of 100 in the paper's code."""
    weight_decay: Annotated[float, Ge(0)] = 1e-5
    """Weight decay of AdamW."""
    steps: Count = 800
    """Steps of the optimiser. The default is a quick fit: some twenty seconds of one core, whatever the series."""
    epochs: Steps = 0
    """If not 0, as many steps as it takes to see each training window so many times."""
    batch: Count = 16
    """Windows of one channel that a step sees, drawn at random; the paper's 64 windows of C channels are 64 C.

    On a small budget, many small steps learn more than few large ones (chosen on the held-out error).
    """
    train_stride: Count | Literal["auto"] = 1
    """Steps between the windows that training draws from; ``"auto"`` is half a patch."""
    score_stride: Count | Literal["auto"] = "auto"
    """Steps between the windows that are scored; ``"auto"`` is a quarter of the window."""
    scaling: Scaling = "min-max"
    """How channels are made comparable, learnt on the training part."""
    smoothing: Steps | Literal["auto"] = "auto"
    """Steps of the moving average over the scores, 0 for none.

    ``"auto"`` is as published: the training part's period for one channel, none for several.
    """
    filtering: bool = True
    """Whether suspicious patches are filled in before the rest is rebuilt (dynamic anomaly filtering)."""
    deviations: Positive = 3.0
    """Standard deviations above the mean error that make a patch suspicious."""
    held_out: Annotated[float, Ge(0), Le(0.5)] = 0.2
    """Share at the end of the training part that gives the usual errors and is not trained on.

    A window at least; none if that is more than half, and in-sample errors then, as in the paper.
    """
    keep: Literal["last", "best"] = "last"
    """Which weights are kept: of the last step, or of the least loss on what is held out."""
    legacy_excess: bool = False
    """Whether errors below the usual raise the score like those above, as in the authors' code."""
    legacy_filtering: bool = False
    """Whether filtering hides one stretch in all channels, anew for each mask, as in the authors' code."""
    precision: Literal["auto", "float32", "tf32x3", "bfloat16"] = "auto"
    """Precision of matrix products; ``"auto"`` is bfloat16 where the processor multiplies it in hardware.

    ``"tf32x3"`` is nearly float32, by three products of TF32: fast, and Triton's kernels have it alone.
    """
    device: str = "auto"
    """Where the model runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; ``"auto"`` is a GPU if there is one."""
    kernels: Literal["auto", "triton", "onednn", "reference"] = "auto"
    """Implementation of the mixer; ``"auto"`` is Triton's fused kernels on a GPU, on a CPU oneDNN's products.

    What an implementation does not take is by the reference, plain PyTorch: training on a CPU, more than 128 patches
    or features.
    """
    gelu: Literal["auto", "exact", "fast"] = "auto"
    """How Triton's kernels compute GELU: ``"fast"`` to an error that bfloat16 hides, ``"auto"`` only for bfloat16."""
    seed: Steps = 0
    """Decides weights, batches, masks and dropout."""

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn scales, sizes, weights, and which errors are usual."""
        fitted, held_out = self._prepare(train_TC, starts)
        model = self._train(fitted, held_out)
        self._finish(model, held_out or fitted)
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part. Expected is the restored series, attribution each channel's excess of error."""
        scaled_TC = self._scaled(test_TC)
        seen = self._see(scaled_TC, starts, self._limits() if self.filtering else None)
        excess_TC = _error(scaled_TC, seen) - self.usual_error_C_
        unlike_TC = np.where(np.isnan(scaled_TC), 0.0, seen.dissimilarity_TC) - self.usual_dissimilarity_C_
        bands = {"error": self._score(excess_TC, starts), "similarity": self._score(unlike_TC, starts)}
        return Detection(
            bands["error"] + bands["similarity"],
            attribution_TC=excess_TC.clip(min=0),
            expected_TC=seen.values_TC * self.scale_C_ + self.centre_C_,
            bands=bands,
        )

    def _prepare(self, train_TC: Array, starts: tuple[int, ...]) -> tuple[Part, Part | None]:
        """Settle sizes and scales; return what is trained on, and what is held out if anything is."""
        self._resolve(train_TC, starts)
        self.centre_C_, self.scale_C_ = scales(train_TC, self.scaling)
        return split(self._scaled(train_TC), starts, share=self.held_out, least=self.window_)

    def _finish(self, model: Mixer, usual: Part) -> None:
        """Keep the weights, and learn from a part which errors are usual."""
        self.weights_ = nn.pack(model)
        self._learn_usual(*usual)

    def _resolve(self, train_TC: Array, starts: tuple[int, ...]) -> None:
        """Settle what ``"auto"`` means for a training part."""
        longest = int(np.diff([*starts, len(train_TC)]).max())
        self.period_ = windows.period(train_TC)
        self.patch_ = self._fitting_patch(longest)
        wanted = _PATCHES if self.window == "auto" else -(-self.window // self.patch_)
        self.window_ = min(wanted, max(1, longest // self.patch_)) * self.patch_
        stride = max(1, self.window_ // 4) if self.score_stride == "auto" else self.score_stride
        self.score_stride_ = min(stride, self.window_)
        self.train_stride_ = max(1, self.patch_ // 2) if self.train_stride == "auto" else self.train_stride
        published = self.period_ if train_TC.shape[1] == 1 else 0
        self.smoothing_ = published if self.smoothing == "auto" else self.smoothing
        self.device_ = nn.resolve_device(self.device)
        self.precision_ = nn.resolve_precision(self.precision, self.device_)
        how = self._how(self.device_)
        self.kernels_, self.gelu_ = how.kernels, "fast" if how.fast_gelu else "exact"

    def _fitting_patch(self, longest: int) -> int:
        if self.patch != "auto":
            return self.patch
        wanted = -(-self.period_ // 8) if self.window == "auto" else -(-self.window // _PATCHES)
        return min(wanted, max(1, longest // 8))

    def _scaled(self, part_TC: Array) -> Array:
        return scaled(part_TC, self.centre_C_, self.scale_C_)

    def _train(self, fitted: Part, held_out: Part | None) -> Mixer:
        model = self._new_model()
        tiles = self._tiles(*fitted, self.train_stride_)
        looked_at = self._tiles(*held_out, self.score_stride_) if held_out and self.keep == "best" else None
        # another stream than that of the weights
        train(model, tiles, self._recipe(len(tiles)), self._random(1), looked_at)
        return model

    def _recipe(self, tiles: int) -> Recipe:
        names = ("batch", "learning_rate", "decay", "weight_decay", "dropout", "mask_ratio", "contrast", "temperature")
        self.steps_ = math.ceil(self.epochs * tiles / self.batch) or self.steps
        return Recipe(steps=self.steps_, **{name: getattr(self, name) for name in names})

    def _learn_usual(self, part_TC: Array, starts: tuple[int, ...]) -> None:
        """Learn the usual errors, and those above which a patch is suspicious."""
        seen = self._see(part_TC, starts, None)
        error_TC = _error(part_TC, seen)
        known_TC = ~np.isnan(part_TC)
        self.usual_error_C_ = _mean(error_TC, known_TC)
        self.usual_dissimilarity_C_ = _mean(seen.dissimilarity_TC, known_TC)
        self.patch_limit_C_ = _above(seen.patch_error_BC, self.deviations)
        lengths = {"window": self.window_, "patch": self.patch_}
        self.legacy_limits_ = legacy_limits(error_TC.mean(axis=1), **lengths, deviations=self.deviations)

    def _limits(self) -> Limits:
        patch_C = torch.from_numpy(self.patch_limit_C_).float().to(nn.resolve_device(self.device))
        window, patch = self.legacy_limits_
        return Limits(patch_C, window, patch, legacy=self.legacy_filtering)

    def _see(self, part_TC: Array, starts: tuple[int, ...], limits: Limits | None) -> Seen:
        model = self._new_model()
        nn.unpack(model, self.weights_)
        tiles = self._tiles(part_TC, starts, self.score_stride_)
        return see(model, tiles, draws=self.draws, mask_ratio=self.mask_ratio, random=self._random(2), limits=limits)

    def _new_model(self) -> Mixer:
        device = nn.resolve_device(self.device)
        precision = _DTYPES[nn.resolve_precision(self.precision, device)]
        shape = Shape(self.window_ // self.patch_, self.patch_, self.width, self.layers, self.expansion, self.gating)
        return new_model(shape, self._random(0), precision=precision, how=self._how(device))

    def _how(self, device: str) -> How:
        kernels = resolve(self.kernels, device, patches=self.window_ // self.patch_, width=self.width)
        precision = nn.resolve_precision(self.precision, device)
        for name, value in (("precision", "tf32x3"), ("gelu", "fast")):
            if getattr(self, name) == value and kernels != "triton":
                raise OptionError(
                    f"{name} = {value!r} needs kernels = 'triton', here they are {kernels!r}: take 'auto'"
                )
        fast = self.gelu == "fast" or (self.gelu == "auto" and kernels == "triton" and precision == "bfloat16")
        return How(kernels, tf32x3=precision == "tf32x3", fast_gelu=fast)

    def _random(self, stream: int) -> torch.Generator:
        return nn.stream(self.seed, stream, nn.resolve_device(self.device))

    def _tiles(self, part_TC: Array, starts: tuple[int, ...], stride: int) -> Tiles:
        device = nn.resolve_device(self.device)
        return tiles_of(part_TC, window=self.window_, patch=self.patch_, stride=stride, starts=starts, device=device)

    def _score(self, excess_TC: Array, starts: tuple[int, ...]) -> Array:
        """Return the root mean square excess over the channels, smoothed."""
        counted_TC = excess_TC if self.legacy_excess else excess_TC.clip(min=0)
        score_T = root_mean_square(counted_TC)
        if not self.smoothing_:
            return score_T
        return windows.moving_average(score_T, width=self.smoothing_, starts=starts)


def legacy_limits(error_T: Array, *, window: int, patch: int, deviations: float) -> list[float]:
    """Return the errors above which windows and patches are suspicious, as the authors' code learns them."""
    return [float(_above(_block_means(error_T, length), deviations)[0]) for length in (window, patch)]


def _error(scaled_TC: Array, seen: Seen) -> Array:
    """Return the absolute error of each value; 0 where it is missing."""
    return np.asarray(np.nan_to_num(np.abs(scaled_TC - seen.values_TC), nan=0.0))


def _mean(values_TC: Array, known_TC: Array) -> Array:
    """Return the mean of the known values of each channel; 0 where none is."""
    return np.asarray(np.where(known_TC, values_TC, 0.0).sum(axis=0) / np.maximum(known_TC.sum(axis=0), 1))


def _above(errors_BC: Array, deviations: float) -> Array:
    """Return the mean of each channel's errors and so many standard deviations more; infinite where none is known."""
    known_BC = ~np.isnan(errors_BC)
    mean_C = _mean(errors_BC, known_BC)
    limit_C = mean_C + deviations * np.sqrt(_mean(np.square(errors_BC - mean_C), known_BC))
    return np.where(known_BC.any(axis=0), limit_C, np.inf)


def _block_means(error_T: Array, length: int) -> Array:
    """Return the means of consecutive stretches, shape (B, 1); of everything if it is shorter than one."""
    whole = len(error_T) // length * length
    blocks_BL = error_T[:whole].reshape(-1, length) if whole else error_T[None]
    return np.asarray(blocks_BL.mean(axis=1, keepdims=True))
