"""The published TimeVQVAE-AD, written plainly: eager float32, a forward for each rate and column of each scored window.

What `benchmarks/baselines.py` measures ours against; it shares no code with it. After the description of the model,
published sizes for a series of period 204: windows of 408 steps, three bands of 25 tokens, 64 codes, and, unless `new`
is told otherwise, the early, smaller prior of the two. All windows that fit are scored (the public code leaves out
those of the last two steps), a window is encoded once for all rates, and the learning rate stays at its peak.
"""

import math
import random
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tsad_core import Array

LENGTH, BATCH, PRIOR_BATCH, STRIDE, RATES = 408, 256, 128, 41, (0.1, 0.3, 0.5)
TRANSFORM, BANDS, COLUMNS, HALVINGS, RESIDUALS, FIRST = 4, 3, 25, 4, 4, 4
CODES, WIDTH, DECAY, EPSILON, DROPOUT = 64, 64, 0.8, 1e-5, 0.3
HIDDEN, DEPTH, HEAD, HALF = 128, 4, 64, ((1, 4), (1, 2), (0, 1))


def steps(task: str, windows: int) -> int:
    """Return how long a series is that has so many windows, at a stride of one step or of the scores."""
    return LENGTH + (windows - 1) * {"train": 1, "score": STRIDE}[task]


class Snake(nn.Module):
    """An activation that grows and waves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.empty(1, channels, 1, 1).uniform_(0.2, 0.5))

    def forward(self, image: Tensor) -> Tensor:
        """Return an image of the same shape."""
        return image + torch.sin(self.a * image) ** 2 / self.a


class Residual(nn.Module):
    """Two convolutions along time beside a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        widen = nn.Conv2d(inputs, outputs, (1, 3), padding=(0, 1)), nn.BatchNorm2d(outputs), Snake(outputs)
        last = nn.Conv2d(outputs, outputs, (1, 3), padding=(0, 1)), nn.Dropout(DROPOUT)
        self.layers = nn.Sequential(Snake(inputs), *widen, *last)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return an image of the same size."""
        return torch.add(self.skip(image), self.layers(image))


def encoder() -> nn.Sequential:
    """Return the layers from a spectrum to the codes' width."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise([2, *(FIRST * 2**stage for stage in range(HALVINGS))]):
        halve = nn.Conv2d(inputs, outputs, *HALF, padding_mode="replicate")
        layers += [halve, nn.BatchNorm2d(outputs), Snake(outputs)]
        layers += [Residual(outputs, outputs) for _ in range(RESIDUALS if layers[3:] else 0)]
    return nn.Sequential(*layers, Residual(outputs, WIDTH))


def decoder() -> nn.Sequential:
    """Return the layers from the codes' width to a spectrum of twice the columns."""
    layers: list[nn.Module] = [Residual(WIDTH, FIRST * 2 ** (HALVINGS - 1))]
    for inputs, outputs in pairwise(FIRST * 2**stage for stage in reversed(range(HALVINGS))):
        layers += [Residual(inputs, inputs) for _ in range(RESIDUALS)]
        layers += [nn.ConvTranspose2d(inputs, outputs, *HALF), nn.BatchNorm2d(outputs), Snake(outputs)]
    return nn.Sequential(*layers, *(nn.ConvTranspose2d(inputs, 2, *HALF) for inputs in (FIRST, 2)))


class First(nn.Module):
    """The first stage: windows (B, L) to codes and back, the codes following what is nearest to them."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.last = encoder(), decoder(), nn.Linear(LENGTH, LENGTH)
        self.codes, self.counts = torch.randn(CODES, WIDTH), torch.zeros(CODES)
        self.sums, self.hann = self.codes.clone(), torch.hann_window(TRANSFORM)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the windows as decoded, and how far their points are from codes."""
        points, tokens = self.encode(windows)
        nearest = self.codes[tokens]
        if self.training:
            self.follow(points.detach(), tokens)
        straight = (points + (nearest - points).detach()).transpose(1, 2).unflatten(2, (BANDS, COLUMNS))
        spectrum = torch.complex(*self.decoder(straight).unbind(dim=1))
        values = torch.istft(spectrum, TRANSFORM, 1, window=self.hann, normalized=True)
        rough = functional.interpolate(values[:, None], LENGTH, mode="linear")[:, 0]
        return rough + self.last(rough), functional.mse_loss(points, nearest)

    def encode(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the points (B, 3 * 25, WIDTH) of windows, band after band, and their tokens."""
        spectrum = torch.stft(windows, TRANSFORM, 1, window=self.hann, normalized=True, return_complex=True)
        points = self.encoder(torch.stack([spectrum.real, spectrum.imag], dim=1)).flatten(2).transpose(1, 2)
        return points, torch.cdist(points, self.codes).argmin(dim=-1)

    def follow(self, points: Tensor, tokens: Tensor) -> None:
        """Move the codes towards the points that they stand for."""
        chosen = functional.one_hot(tokens.flatten(), CODES).to(points)
        self.counts.lerp_(chosen.sum(dim=0), 1 - DECAY)
        self.sums.lerp_(chosen.t() @ points.flatten(0, 1), 1 - DECAY)
        self.codes = self.sums / (functional.normalize(self.counts + EPSILON, p=1, dim=0) * self.counts.sum())[:, None]


class Attention(nn.Module):
    """Every token looks at every token."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(HIDDEN, heads * HEAD, bias=False) for _ in range(3))
        self.out, self.dropout = nn.Linear(heads * HEAD, HIDDEN, bias=False), nn.Dropout(DROPOUT)

    def forward(self, states: Tensor) -> Tensor:
        """Return what is added to states (B, N, HIDDEN)."""
        q, k, v = (part(states).unflatten(-1, (-1, HEAD)).transpose(1, 2) for part in (self.q, self.k, self.v))
        attention = self.dropout((q @ k.transpose(-1, -2) * HEAD**-0.5).softmax(dim=-1))
        return functional.linear((attention @ v).transpose(1, 2).flatten(2), self.out.weight)


class Prior(nn.Module):
    """The second stage: tokens (B, 3 * 25), some of them masked, to the logits (B, 3 * 25, CODES) of what they are."""

    def __init__(self, *, early: bool) -> None:
        super().__init__()
        heads, wider, dropout = (2, 1, 0.0) if early else (4, 4, DROPOUT)
        self.embed, self.position = (nn.Embedding(rows + 1, WIDTH) for rows in (CODES, BANDS * COLUMNS))
        self.enter = nn.Sequential(nn.Linear(WIDTH, HIDDEN, bias=False), nn.LayerNorm(HIDDEN, bias=False))
        self.layers = nn.ModuleList()
        for _ in range(DEPTH):
            wide, narrow = nn.Linear(HIDDEN, wider * HIDDEN), nn.Linear(wider * HIDDEN, HIDDEN)
            for part in ([Attention(heads)], [wide, nn.GELU(), nn.Dropout(DROPOUT), narrow]):
                self.layers.append(nn.Sequential(nn.RMSNorm(HIDDEN, eps=1e-12), *part))
        self.leave = nn.Sequential(nn.RMSNorm(HIDDEN, eps=1e-12), nn.Linear(HIDDEN, WIDTH, bias=False))
        self.head = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.LayerNorm(WIDTH, eps=1e-12))
        self.bias, self.dropout = nn.Parameter(torch.zeros(BANDS * COLUMNS, CODES + 1)), nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of every token."""
        embedded: Tensor = self.embed(tokens)
        embedded = torch.where(tokens[..., None] == CODES, embedded, self.dropout(embedded))
        states: Tensor = self.enter(embedded + self.position.weight[:-1])
        for layer in self.layers:
            if not self.training or random.random() >= DROPOUT:  # noqa: S311 - no secret
                states = states + layer(states)
        return (functional.linear(self.head(self.leave(states)), self.embed.weight) + self.bias)[..., :-1]


def new(channels: int, *, early: bool = True) -> tuple[First, Prior]:
    """Return the two stages of a model, which is of one channel, with the early prior or the later one."""
    assert channels == 1
    return First(), Prior(early=early)


def train(model: tuple[First, Prior], series_TC: Array) -> None:
    """Train either stage for an epoch, the first before the second."""
    first, prior = model[0].train(), model[1].train()
    windows = torch.from_numpy(series_TC[:, 0]).unfold(0, LENGTH, 1)
    optimiser = torch.optim.AdamW(first.parameters(), lr=1e-3)
    for chosen in torch.randperm(len(windows)).split(BATCH):
        batch = scaled(windows[chosen])
        rebuilt, commitment = first(batch)
        descend(optimiser, functional.mse_loss(rebuilt, batch) + commitment)
    first.eval()
    optimiser = torch.optim.AdamW(prior.parameters(), lr=1e-3)
    for chosen in torch.randperm(len(windows)).split(PRIOR_BATCH):
        with torch.no_grad():
            _, tokens = first.encode(scaled(windows[chosen]))
        hidden = drawn(tokens)
        descend(optimiser, functional.cross_entropy(prior(tokens.masked_fill(hidden, CODES))[hidden], tokens[hidden]))


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take a step."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def drawn(tokens: Tensor) -> Tensor:
    """Return which tokens to mask: in each row all but a random number, at random places."""
    kept = torch.floor(torch.cos(math.pi / 2 * torch.rand(len(tokens), 1)) * tokens.shape[1])
    return torch.rand(tokens.shape).argsort(dim=1).argsort(dim=1) >= kept.clamp(max=tokens.shape[1] - 1)


@torch.no_grad()
def score(model: tuple[First, Prior], series_TC: Array) -> Array:
    """Return a score of each step up to the end of the last window."""
    first, prior = model[0].eval(), model[1].eval()
    windows = torch.from_numpy(series_TC[:, 0]).unfold(0, LENGTH, STRIDE)
    sums = np.zeros((len(RATES), BANDS, LENGTH + (len(windows) - 1) * STRIDE))
    for w, window in enumerate(windows):
        tokens = first.encode(scaled(window[None]))[1].view(BANDS, COLUMNS)
        surprises = torch.stack([surprises_of(prior, tokens, int(rate * COLUMNS) // 2) for rate in RATES])
        sums[..., w * STRIDE : w * STRIDE + LENGTH] += functional.interpolate(surprises, LENGTH).numpy()
    mean_T, half = sums.sum(axis=0).mean(axis=0), LENGTH // 2
    smooth_T = [mean_T[max(0, t - half) : t + half].mean() for t in range(len(mean_T))]
    return np.asarray((mean_T + smooth_T) / 2)


def surprises_of(prior: Prior, tokens: Tensor, reach: int) -> Tensor:
    """Return how little the prior expects each column when it and its neighbours are masked, shape (3, 25)."""
    surprises = []
    for column in range(COLUMNS):
        masked, around = tokens.clone(), slice(max(0, column - reach), column + reach + 1)
        masked[:, around] = CODES
        likely = prior(masked.view(1, -1)).softmax(dim=-1).view(BANDS, COLUMNS, CODES)
        surprises.append(-torch.log(likely.gather(2, tokens[..., None])[:, around, 0] + 1e-30).mean(dim=1))
    return torch.stack(surprises, dim=1)


def scaled(windows: Tensor) -> Tensor:
    """Return windows of mean zero and, where they vary, of variance one."""
    return (windows - windows.mean(dim=1, keepdim=True)) / windows.std(dim=1, keepdim=True).clamp(min=1e-4)
