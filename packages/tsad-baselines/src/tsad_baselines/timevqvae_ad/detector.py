"""The detector `TimeVQVAEAD`: its options, how it learns, how it scores, what it would have expected."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal, Self, TypeVar

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from torch import Tensor
from tsad_core import Array, Detection, OptionError, detector, nn
from tsad_core.held_out import Part, split
from tsad_core.options import Option
from tsad_core.scaling import scales
from tsad_core.windows import cover, starts_within

from tsad_baselines.timevqvae_ad import periods, scoring, tokenizer
from tsad_baselines.timevqvae_ad import prior as priors
from tsad_baselines.timevqvae_ad.counterfactual import Counterfactuals, Sampler, counterfactuals, expectation
from tsad_baselines.timevqvae_ad.masking import Stretches, stretches
from tsad_baselines.timevqvae_ad.presets import PRESETS
from tsad_baselines.timevqvae_ad.training import Recipe, train_prior, train_tokenizer
from tsad_baselines.timevqvae_ad.windows import Windows

Count = Annotated[int, Ge(1)]
Steps = Annotated[int, Ge(0)]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Ge(0), Le(0.9)]

_Drawn = TypeVar("_Drawn")

_SHORTEST = 8
"""Steps of the shortest window; a shorter part is filled up with its last step."""
_LEAST_SPREAD = 1e-4
"""A window that deviates by less counts as constant, in standard deviations of its channel in the training part."""
_LOOKED_AT = 4096
"""Most steps that say what is usual."""
_SAMPLES = 4
"""Samples whose median is expected."""
_CACHED = 1 << 15
"""Most windows whose tokens the prior is trained on, if its steps draw as many."""


@detector
class TimeVQVAEAD:
    """How unlikely the tokens of a window's spectrum are, given those around them.

    A window of each channel is turned into a spectrum and that into a grid of tokens, bands by columns, by an encoder
    that mixes no bands; a masked transformer tells how likely each is if the columns around it are hidden (Lee et al.,
    Pattern Recognition 156, 2024). Channels share codes and transformer and are scored as if independent. A score
    looks ahead by up to a window and a half.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Option]]] = PRESETS
    """Options by name, published ones among them: ``TimeVQVAEAD(**TimeVQVAEAD.presets["paper"])``."""

    window: Count | Literal["auto"] = "auto"
    """Steps of a window; ``"auto"`` is twice the dominant period of the training part, 1,024 at most. No longer than
    the longest segment, and eight at least."""
    fft: Annotated[int, Ge(4), MultipleOf(4)] = 4
    """Steps of a spectrum; it has half as many bands and one more."""
    columns: Count = 32
    """About how many columns of tokens a window has, 32 as published; fewer are coarser, and far cheaper to score."""
    codes: Annotated[int, Ge(2)] = 64
    """Codes that a token may be."""
    code_width: Count = 64
    """Features of a code."""
    blocks: Count = 4
    """Residual blocks at each width of the encoder and of the decoder."""
    decay: Annotated[float, Ge(0), Le(1)] = 0.8
    """How much of a code stays as it was in a step."""
    layers: Count = 4
    """Layers of the prior."""
    width: Count = 128
    """Features of a token in the prior."""
    heads: Count = 2
    """Heads of an attention; each has 64 features."""
    expansion: Count = 1
    """Hidden units between the two products of a layer, in widths."""
    rates: str = "0.1 0.3 0.5"
    """Shares of a window's columns that are hidden together, separated by spaces; scores are added up."""
    stride: Annotated[float, Gt(0), Le(1)] = 0.1
    """Steps from one scored window to the next, in windows."""
    tokenizer_steps: Count = 200
    """Steps of the optimiser for the first stage."""
    tokenizer_batch: Annotated[int, Ge(2)] = 64
    """Windows of such a step, drawn at random; 256 as published."""
    prior_steps: Count = 400
    """Steps of the optimiser for the second stage."""
    prior_batch: Count = 64
    """Windows of such a step, drawn at random; 128 as published."""
    learning_rate: Positive = 1e-3
    """Highest learning rate: a tenth of the steps leads up to it, half a cosine down to 1e-6 at the last."""
    tokenizer_dropout: Share = 0.0
    """Share of features dropped in residual blocks. The authors drop 0.3, for many more steps."""
    dropout: Share = 0.1
    """Share of hidden units and of looks dropped in the prior, in 256ths; 0.3 as published."""
    layer_dropout: Share = 0.0
    """Chance of each half of a layer of the prior to be skipped in a step; 0.3 as published."""
    token_dropout: Share = 0.0
    """Share of the features of tokens that are not hidden to be dropped; 0.3 in the authors' later code."""
    held_out: Annotated[float, Ge(0), Le(0.5)] = 0.1
    """Share at the end of the training part that is not trained on and says which scores are usual.

    A window at least; none if that is more than half: then the end of what is trained on does.
    """
    quantile: Annotated[float, Gt(0), Lt(1)] = 0.99
    """Which quantile of a channel's usual scores makes a higher one suspicious, to be drawn anew."""
    expected: bool = True
    """Whether suspicious columns are drawn anew by the prior, for what is expected. If all of a part is
    suspicious, it costs a tenth of what the scores cost; usually less than a hundredth."""
    decoding_steps: Count = 8
    """Steps in which they are drawn, the surest first; 20 as published."""
    temperature: Annotated[float, Ge(0)] = 4.0
    """How much chance has a say in what is surest."""
    legacy_periods: str = ""
    """A CSV file with periods measured by hand, as the authors have them: columns ``train``, what
    `tsad_baselines.timevqvae_ad.digest` returns for a training part, and ``period``. It overrules `window`."""
    legacy_sum: bool = False
    """Whether overlapping windows are added up, as in the authors' code: the ends of a part then score less."""
    legacy_mask: bool = False
    """Whether the prior is trained on hidden single tokens alone, as in the authors' code, and not on columns too."""
    legacy_quantiser: bool = False
    """Whether codes start anywhere and unused ones are left alone, as in the authors' code."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the prior's products; ``"auto"`` is bfloat16 where the processor multiplies it in hardware."""
    device: str = "auto"
    """Where the model runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; ``"auto"`` is a GPU if there is one."""
    seed: Steps = 0
    """Decides weights, batches, masks, dropout and samples."""

    def __post_init__(self) -> None:
        self._rates()

    def fit(self, train_TC: Array, starts: tuple[int, ...] = (0,)) -> Self:
        """Learn tokens, how likely they are, and which scores are usual."""
        self.device_ = nn.resolve_device(self.device)
        self.precision_ = nn.resolve_precision(self.precision, self.device_)
        self.channels_ = train_TC.shape[1]
        self.window_ = self._window(train_TC, starts)
        self.least_C_ = _LEAST_SPREAD * scales(train_TC, "standard")[1]
        least = min(self.window_, len(train_TC))
        fitted, held_out = split(train_TC, starts, share=self.held_out, least=least)
        self._train(*fitted)
        self._learn_usual(*(held_out or _end(*fitted)))
        return self

    def detect(self, test_TC: Array, starts: tuple[int, ...] = (0,)) -> Detection:
        """Score a test part. Attribution is each channel's score, bands are what each row of the spectrum adds."""
        seen = self._see(test_TC, starts)
        final_TC = self._final(seen, test_TC, starts)
        expected_TC = self._redrawn(expectation, test_TC, starts, final_TC, _SAMPLES) if self.expected else None
        bands = {f"frequency {row}/{self.fft}": band_T for row, band_T in enumerate(seen.bands_TH.T)}
        return Detection(final_TC.mean(axis=1), attribution_TC=final_TC, expected_TC=expected_TC, bands=bands)

    def counterfactuals(self, test_TC: Array, starts: tuple[int, ...] = (0,), *, samples: int = 8) -> Counterfactuals:
        """Return samples of what a test part could have been where its scores are suspicious.

        Their fields are ``samples_STC`` and ``edited_TC``, their properties ``low``, ``median`` and ``high``, (T, C).
        `OptionError` if `samples` is no integer of 1 or more.
        """
        if not isinstance(samples, int) or samples < 1:
            raise OptionError(f"samples = {samples!r}; it must be an integer of 1 or more")
        final_TC = self._final(self._see(test_TC, starts), test_TC, starts)
        return self._redrawn(counterfactuals, test_TC, starts, final_TC, samples)

    def _rates(self) -> tuple[float, ...]:
        try:
            rates = tuple(float(rate) for rate in self.rates.split())
        except ValueError:
            rates = ()
        if not rates or not all(0 < rate <= 1 for rate in rates):
            raise OptionError(f"rates = {self.rates!r}; it must be numbers above 0 and up to 1, as '0.1 0.3 0.5'")
        return rates

    def _window(self, train_TC: Array, starts: tuple[int, ...]) -> int:
        longest = int(np.diff([*starts, len(train_TC)]).max())
        if self.legacy_periods:
            wanted = periods.looked_up(train_TC, self.legacy_periods)
        else:
            wanted = periods.found(train_TC) if self.window == "auto" else self.window
        return max(_SHORTEST, self.fft, min(wanted, longest))

    def _train(self, fitted_TC: Array, starts: tuple[int, ...]) -> None:
        windows = self._windows(fitted_TC, starts, stride=1)
        model = self._new_tokenizer()
        random = self._random(1)
        train_tokenizer(model, windows, self._tokenizer_recipe(), random, kmeans=not self.legacy_quantiser)
        self.tokenizer_ = nn.pack(model)
        index_B = _some(len(windows), min(_CACHED, self.prior_steps * self.prior_batch), random)
        tokens_BN = scoring.tokens_of(model, windows, index_B)
        prior = self._new_prior()
        train_prior(prior, tokens_BN, windows.channels(index_B), self._prior_recipe(), self._random(2))
        self.prior_ = nn.pack(prior)

    def _tokenizer_recipe(self) -> Recipe:
        return Recipe(
            steps=self.tokenizer_steps,
            batch=self.tokenizer_batch,
            learning_rate=self.learning_rate,
            dropout=self.tokenizer_dropout,
        )

    def _prior_recipe(self) -> Recipe:
        return Recipe(
            steps=self.prior_steps,
            batch=self.prior_batch,
            learning_rate=self.learning_rate,
            dropout=self.dropout,
            layer_dropout=self.layer_dropout,
            token_dropout=self.token_dropout,
            widest=max(self._rates()),
            columns=not self.legacy_mask,
        )

    def _learn_usual(self, part_TC: Array, starts: tuple[int, ...]) -> None:
        """Learn above which score a step of each channel is suspicious."""
        part_TC, starts = _end(part_TC, starts)
        final_TC = self._final(self._see(part_TC, starts), part_TC, starts)
        self.threshold_C_ = _quantiles(final_TC, ~np.isnan(part_TC), self.quantile)

    def _see(self, part_TC: Array, starts: tuple[int, ...]) -> scoring.Seen:
        models = self._fitted_tokenizer(), self._fitted_prior()
        windows = self._windows(part_TC, starts, stride=max(1, round(self.stride * self.window_)))
        return scoring.see(models, windows, self._stretches(models[0].sizes), total=self.legacy_sum)

    def _final(self, seen: scoring.Seen, part_TC: Array, starts: tuple[int, ...]) -> Array:
        """Return the score of each channel; a missing value is never to blame."""
        final_TC = scoring.smoothed(seen.bar_TC, window=self.window_, starts=starts)
        return np.where(np.isnan(part_TC), 0.0, final_TC)

    def _redrawn(
        self, how: Callable[..., _Drawn], part_TC: Array, starts: tuple[int, ...], final_TC: Array, samples: int
    ) -> _Drawn:
        """Return what is made of a part whose suspicious columns are drawn anew."""
        sampler = Sampler(
            tokenizer=self._fitted_tokenizer(),
            prior=self._fitted_prior(),
            random=self._random(4),
            steps=self.decoding_steps,
            temperature=self.temperature,
        )
        windows = self._windows(part_TC, starts, stride=max(1, self.window_ // 2))
        return how(sampler, windows, final_TC - self.threshold_C_, samples=samples)

    def _stretches(self, sizes: tokenizer.Sizes) -> Stretches:
        return stretches(self._rates(), rows=sizes.rows, columns=sizes.columns, device=nn.resolve_device(self.device))

    def _windows(self, part_TC: Array, starts: tuple[int, ...], *, stride: int) -> Windows:
        spans_S2 = cover(len(part_TC), window=self.window_, stride=stride, starts=starts)
        device = nn.resolve_device(self.device)
        return Windows(part_TC, spans_S2, starts, window=self.window_, least_C=self.least_C_, device=device)

    def _grid(self) -> tokenizer.Sizes:
        return tokenizer.Sizes(
            window=self.window_,
            fft=self.fft,
            halvings=tokenizer.halvings(self.window_, self.fft, self.columns),
            width=self.code_width,
            codes=self.codes,
            blocks=self.blocks,
            decay=self.decay,
        )

    def _new_tokenizer(self) -> tokenizer.Tokenizer:
        return tokenizer.new_tokenizer(self._grid(), self._random(0), revive=not self.legacy_quantiser)

    def _new_prior(self) -> priors.Prior:
        grid = self._grid()
        sizes = priors.Sizes(
            tokens=grid.rows * grid.columns,
            rows=grid.rows,
            codes=self.codes,
            channels=self.channels_,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            expansion=self.expansion,
        )
        device = nn.resolve_device(self.device)
        precision = nn.PRECISIONS[nn.resolve_precision(self.precision, device)]
        return priors.new_prior(sizes, self._random(3), precision=precision)

    def _fitted_tokenizer(self) -> tokenizer.Tokenizer:
        model = self._new_tokenizer()
        nn.unpack(model, self.tokenizer_)
        return model.eval()

    def _fitted_prior(self) -> priors.Prior:
        model = self._new_prior()
        nn.unpack(model, self.prior_)
        return model.eval()

    def _random(self, stream: int) -> torch.Generator:
        return nn.stream(self.seed, stream, nn.resolve_device(self.device))


def _quantiles(final_TC: Array, known_TC: Array, quantile: float) -> Array:
    """Return what each channel's scores rarely exceed where its values are known; if none is, nothing exceeds it."""
    scores = [final_T[known_T] for final_T, known_T in zip(final_TC.T, known_TC.T, strict=True)]
    return np.array([np.quantile(score_N, quantile) if score_N.size else np.inf for score_N in scores])


def _end(part_TC: Array, starts: tuple[int, ...]) -> Part:
    """Return the last of the steps that say what is usual, if there are more."""
    first = max(0, len(part_TC) - _LOOKED_AT)
    return part_TC[first:], starts_within(starts, first, len(part_TC))


def _some(windows: int, most: int, random: torch.Generator) -> Tensor:
    """Return all windows, or so many drawn at random if there are more."""
    if windows <= most:
        return torch.arange(windows, device=random.device)
    return torch.randint(windows, (most,), generator=random, device=random.device)
