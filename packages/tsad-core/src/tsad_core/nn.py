"""Neural detectors on a device: a series and its windows, cheap dropout, descent, and back to steps. Needs torch."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from tsad_core.errors import OptionError
from tsad_core.series import Array

try:
    import torch
except ImportError as error:
    raise ImportError('this needs PyTorch: pip install "tsad-core[torch]"') from error
from torch import Tensor
from torch.optim import adamw as functional

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_LEVELS = 256


def resolve_device(name: str) -> str:
    """Return the device that an option ``device`` means; ``"auto"`` is a GPU if there is one.

    >>> resolve_device("cpu")
    'cpu'
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise OptionError(f"device = {name!r} is not to be had here; allowed: auto, cpu, cuda, cuda:1, …") from error
    return name


def resolve_precision(name: str, device: str) -> str:
    """Return the precision that an option ``precision`` means.

    ``"auto"`` is bfloat16 where matrices of it are multiplied in hardware, else float32.
    """
    if name != "auto":
        return name
    return "bfloat16" if _multiplies_bfloat16(device) else "float32"


def generator(seed: int, device: str) -> torch.Generator:
    """Return a random generator of its own, so that the shared state of torch stays as it is."""
    return torch.Generator(device).manual_seed(seed)


def stream(seed: int, number: int, device: str) -> torch.Generator:
    """Return the generator of one of the independent streams of random numbers that a seed has."""
    mixed = int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return generator(mixed, device)


def channels_first(series_TC: Array, device: str) -> Tensor:
    """Return a copy of a series on the device, shape (C, T), float32."""
    return torch.from_numpy(np.array(series_TC.T, dtype=np.float32, order="C")).to(device)


def gather(series_CT: Tensor, spans_B2: Tensor, channel_B: Tensor, *, window: int) -> Tensor:
    """Return one window of one channel each, shape (B, L); what lies past the end of a shortened span is NaN."""
    step_BL = spans_B2[:, :1] + torch.arange(window, device=spans_B2.device)
    inside_BL = step_BL < spans_B2[:, 1:]
    index_BL = channel_B[:, None] * series_CT.shape[1] + torch.minimum(step_BL, spans_B2[:, 1:] - 1)
    return torch.where(inside_BL, series_CT.reshape(-1)[index_BL], math.nan)


class Overlap:
    """Collects values of windows and gives their mean at each step."""

    def __init__(self, steps: int, channels: int, *, like: Tensor) -> None:
        # what fills a shortened span goes to one more step, that nobody reads
        self._sums_CT = like.new_zeros(channels, steps + 1)
        self._count_T = like.new_zeros(steps + 1)

    def add(self, values_BCL: Tensor, spans_B2: Tensor) -> None:
        """Add the values of windows at their steps."""
        C, size = self._sums_CT.shape
        step_BL = spans_B2[:, :1] + torch.arange(values_BCL.shape[2], device=spans_B2.device)
        step_BL = torch.where(step_BL < spans_B2[:, 1:], step_BL, size - 1)
        step_BCL = step_BL[:, None] + size * torch.arange(C, device=spans_B2.device)[:, None]
        # index_put_ adds in one order on every device, index_add_ does not
        self._sums_CT.view(-1).index_put_((step_BCL.reshape(-1),), values_BCL.reshape(-1), accumulate=True)
        ones = self._count_T.new_ones(step_BL.numel())
        self._count_T.index_put_((step_BL.reshape(-1),), ones, accumulate=True)

    def mean(self) -> Array:
        """Return the means, float64, shape (T, C); a step that no window covers is 0."""
        mean_CT = self._sums_CT[:, :-1].double() / self._count_T[:-1].clamp(min=1)
        return np.ascontiguousarray(mean_CT.cpu().numpy().T)


class Dropout:
    """Dropout that costs one multiplication: each use takes another stretch of a store of factors.

    A sixteenth of the store is drawn anew by each `refresh`. The rate is rounded to a multiple of 1/256.
    Drawing every factor of every use anew would cost more than a mixer's matrix products do.
    """

    def __init__(self, rate: float, generator: torch.Generator, *, dtype: torch.dtype, size: int = 1 << 21) -> None:
        self._dropped = round(rate * _LEVELS)
        self._generator = generator
        self._places = np.random.default_rng(generator.initial_seed())
        self._factors = torch.empty(0, dtype=dtype, device=generator.device)
        self._size = size
        self._next = 0

    def refresh(self) -> None:
        """Draw a part of the factors anew; not between a forward pass and its backward pass."""
        if self._dropped and len(self._factors):
            share = len(self._factors) // 16
            self._factors[self._next : self._next + share] = self._draw(share)
            self._next = (self._next + share) % (16 * share)

    def __call__(self, values: Tensor) -> Tensor:
        """Return the values, changed in place: some of them dropped, the others scaled up."""
        if not self._dropped:
            return values
        if len(self._factors) < 2 * values.numel():
            self._factors = self._draw(max(self._size, 2 * values.numel()))
        first = int(self._places.integers(len(self._factors) - values.numel() + 1))
        return values.mul_(self._factors[first : first + values.numel()].view(values.shape))

    def _draw(self, size: int) -> Tensor:
        words = torch.empty(-(-size // 8), dtype=torch.int64, device=self._generator.device)
        # eight factors from each number; without bounds random_ leaves the sign bit alone
        words.random_(-(2**63), None, generator=self._generator)
        kept = words.view(torch.uint8)[:size] >= self._dropped
        return kept.to(self._factors.dtype).mul_(_LEVELS / (_LEVELS - self._dropped))


def descend(
    parameters: Iterable[Tensor],
    loss: Callable[[Tensor], Tensor],
    batches: Iterable[Tensor],
    *,
    learning_rate: float | Iterable[float],
    gamma: float = 1.0,
    weight_decay: float = 0.0,
    epsilon: float = 1e-8,
    longest: float | None = None,
    at_once: int = 1 << 30,
    captured: torch.Generator | None = None,
) -> Iterator[int]:
    """Take one AdamW step a batch and yield how many were taken.

    The learning rate is multiplied by `gamma` after each, or those of all steps are given. A batch is worked on in
    parts of `at_once` rows whose gradients are added up: exact where the loss is a mean over rows, and far less memory.
    The gradient of all parameters is cut to the length `longest`, if that is given.
    Steps are `captured` where the generator that the loss draws from is given, on a CUDA device: the loss must
    not wait for a result, and all batches must be as long as the first.
    """
    adamw = _AdamW(parameters, weight_decay, epsilon)
    rates = learning_rate if isinstance(learning_rate, Iterable) else _falling(learning_rate, gamma)
    rate = _Rate(captured)

    def step(batch: Tensor) -> None:
        adamw.forget()
        for part in torch.split(batch, at_once):
            (loss(part) * (len(part) / len(batch))).backward()
        if longest is not None:
            adamw.cut(longest)
        adamw.step(rate.value)

    take = step if captured is None else Captured(step, captured)
    for number, (batch, value) in enumerate(zip(batches, rates, strict=False), start=1):
        rate.set(value)
        take(batch)
        yield number


@dataclass
class Best:
    """The weights of a model, running statistics too, when a loss was least."""

    model: torch.nn.Module
    loss: Callable[[], float]
    least: float = math.inf
    state: dict[str, Tensor] = field(default_factory=dict)

    def look(self) -> None:
        """Keep the weights if the loss is less than ever."""
        loss = self.loss()
        if loss < self.least:
            self.least = loss
            self.state = {name: value.clone() for name, value in self.model.state_dict().items()}

    def restore(self) -> None:
        """Give the model what was kept; it stays as it is if no loss was a number."""
        self.model.load_state_dict(self.state or self.model.state_dict())


def pack(model: torch.nn.Module) -> Array:
    """Return all weights and running statistics of a model in one row, float32: what a fitted detector keeps."""
    return torch.cat([values.flatten().float() for values in model.state_dict().values()]).cpu().numpy()


def unpack(model: torch.nn.Module, packed_N: Array) -> None:
    """Give a model of the same sizes what `pack` returned."""
    state = model.state_dict()
    parts = torch.from_numpy(packed_N.copy()).split([values.numel() for values in state.values()])
    model.load_state_dict({name: part.view_as(state[name]) for name, part in zip(state, parts, strict=True)})


class Captured:
    """A step that is recorded as a CUDA graph and replayed: its hundreds of launches become one.

    The first steps are taken as they are, so that what is compiled or allocated at the first use is there.
    """

    AS_THEY_ARE = 3

    def __init__(self, step: Callable[[Tensor], None], generator: torch.Generator) -> None:
        self._step, self._generator = step, generator
        self._taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, batch: Tensor) -> None:
        """Take a step with a batch."""
        self._taken += 1
        if self._taken <= self.AS_THEY_ARE:
            self._aside(batch)
            return
        if self._graph is None:
            self._batch = batch.clone()
            self._graph = self._record()
        self._batch.copy_(batch)
        self._graph.replay()

    def _aside(self, batch: Tensor) -> None:
        """Take a step on another stream, as recording asks for."""
        stream = torch.cuda.Stream(batch.device)
        stream.wait_stream(torch.cuda.current_stream(batch.device))
        with torch.cuda.stream(stream):
            self._step(batch)
        torch.cuda.current_stream(batch.device).wait_stream(stream)

    def _record(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._generator)
        with torch.cuda.graph(graph):
            self._step(self._batch)
        return graph


def _falling(first: float, gamma: float) -> Iterator[float]:
    return (first * gamma**taken for taken in itertools.count())


class _Rate:
    """The learning rate of a step, on the device if steps are captured, since a number would be replayed for ever."""

    def __init__(self, captured: torch.Generator | None) -> None:
        self._rate_1 = None if captured is None else torch.zeros((), device=captured.device)
        self.value: float | Tensor = 0.0

    def set(self, value: float) -> None:
        """Make it that of the next step."""
        self.value = value if self._rate_1 is None else self._rate_1.fill_(value)


class _AdamW:
    """AdamW by its functional form: to make a `torch.optim.AdamW` imports torch's compiler, seconds and 150 MiB."""

    def __init__(self, parameters: Iterable[Tensor], weight_decay: float, epsilon: float) -> None:
        self._weight_decay, self._epsilon = weight_decay, epsilon
        # of each its moments, and the steps it has taken
        self._state = [
            (p, torch.zeros_like(p), torch.zeros_like(p), p.new_zeros((), dtype=torch.float32)) for p in parameters
        ]

    def forget(self) -> None:
        """Clear the gradients."""
        for parameter, *_ in self._state:
            parameter.grad = None

    def cut(self, longest: float) -> None:
        """Shorten the gradient of all parameters, if it is longer."""
        torch.nn.utils.clip_grad_norm_([parameter for parameter, *_ in self._state], longest)

    @torch.no_grad()
    def step(self, learning_rate: float | Tensor) -> None:
        """Take a step with the parameters that have a gradient."""
        rows = [(p, p.grad, *state) for p, *state in self._state if p.grad is not None]
        parameters, gradients, means, squares, taken = (list(column) for column in zip(*rows, strict=True))
        functional.adamw(
            parameters,
            gradients,
            means,
            squares,
            max_exp_avg_sqs=[],
            state_steps=taken,
            fused=True,
            lr=learning_rate,
            weight_decay=self._weight_decay,
            beta1=0.9,
            beta2=0.999,
            eps=self._epsilon,
            amsgrad=False,
            maximize=False,
        )


def keep_freed_memory() -> None:
    """Make the C library keep memory that is freed, up to 64 MiB, for whoever asks next.

    It would give it back to the system and get it anew, page by page, with each layer: half of the time of a small
    model. glibc keeps twice the largest block that was freed, of at most 32 MiB (mallopt(3)); nothing else changes.
    """
    torch.empty((1 << 25) - (1 << 13), dtype=torch.uint8)


def _multiplies_bfloat16(device: str) -> bool:
    if device.startswith("cuda"):
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    # private, and the only way to ask: without them, float32 is always right
    asks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return device == "cpu" and any(ask is not None and ask() for ask in asks)
