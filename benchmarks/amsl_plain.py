"""The published AMSL, written plainly: eager float32, one view after the other, seven decoders in turn.

What `benchmarks/baselines.py` measures ours against; it shares no code with it. After the description of the model,
published sizes for DSADS: windows of 125 steps, filters 32, 64 and 128, eight memories of 500 slots. As published, the
views of all windows are drawn once, and each cell of a view is scaled over the windows at hand. Two views that the
public code fuses with the memories of the raw one by mistake are fused with their own, and a score belongs to a window,
not to a batch.
"""

import random
from collections.abc import Iterable

import numpy as np
import torch
from scipy.signal import savgol_filter
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from tsad_core import Array

WINDOW, BATCH, VIEWS, SLOTS, FILTERS = 125, 16, 7, 500, (32, 64, 128)
CLASSES_WEIGHT, SPARSITY_WEIGHT = 1.0, 2e-4
NOISE_DB, BLOCKS, FACTORS = 5, 5, (0.5, 2, 1.5, 0.8)


def steps(task: str, windows: int) -> int:
    """Return how long a series is that has so many windows."""
    assert task in {"train", "score"}
    return windows + WINDOW - 1


class Memory(nn.Module):
    """A bank of slots, from which each position of a code reads a mixture."""

    def __init__(self) -> None:
        super().__init__()
        bound = SLOTS**-0.5
        self.slots = nn.Parameter(torch.empty(SLOTS, FILTERS[1]).uniform_(-bound, bound))

    def forward(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a code (B, 64, H, W) reads, in its shape, and how evenly it reads."""
        logits = code.permute(0, 2, 3, 1) @ self.slots.t()
        attention = logits.softmax(dim=-1)
        entropy = -(attention * logits.log_softmax(dim=-1)).mean()
        return (attention @ self.slots).permute(0, 3, 1, 2), entropy


class Encoder(nn.Module):
    """Images (B, 1, H, W) to codes (B, 64, H/4, W/4)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, FILTERS[0], 4), nn.Conv2d(FILTERS[0], FILTERS[1], 4)

    def forward(self, images: Tensor) -> Tensor:
        """Return the codes of images."""
        halves = functional.max_pool2d(self.first(same(images)).relu(), 2)
        return functional.max_pool2d(self.second(same(halves)).relu(), 2)


class Head(nn.Module):
    """Codes to the logits of the view that they come from."""

    def __init__(self, positions: int) -> None:
        super().__init__()
        self.squeeze, self.hidden = nn.Conv2d(FILTERS[1], 1, 4), nn.Linear(positions, 128)
        self.dropout, self.last = nn.Dropout(0.5), nn.Linear(128, VIEWS)

    def forward(self, code: Tensor) -> Tensor:
        """Return a logit of each view, shape (B, 7)."""
        flat = torch.sigmoid(self.squeeze(same(code))).flatten(1)
        logits: Tensor = self.last(self.dropout(self.hidden(flat).relu()))
        return logits


class Decoder(nn.Module):
    """Codes beside what they read from the memories, (B, 128, H/4, W/4), to images."""

    def __init__(self) -> None:
        super().__init__()
        low, middle, high = FILTERS
        self.layers = nn.ModuleList(
            nn.ConvTranspose2d(inputs, outputs, 4, stride, padding=1)
            for inputs, outputs, stride in ((high, high, 1), (high, middle, 2), (middle, low, 2), (low, 1, 1))
        )

    def forward(self, code: Tensor) -> Tensor:
        """Return images (B, 1, H, W) between zero and one."""
        wide, double, quadruple, last = self.layers
        narrow = wide(code)[..., :-1, :-1].relu()
        large = quadruple(double(narrow).relu()).relu()
        return torch.sigmoid(last(large)[..., :-1, :-1])


class Plain(nn.Module):
    """The whole model: views (B, 7, T, D) in; reconstructions, logits (B, 7, 7) and the sum of the entropies out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = -channels % 4, 0, -WINDOW % 4, 0
        positions = (channels + self.pad[0]) * (WINDOW + self.pad[2]) // 16
        self.encoder, self.head, self.shared = Encoder(), Head(positions), Memory()
        self.own = nn.ModuleList(Memory() for _ in range(VIEWS))
        self.decoders = nn.ModuleList(Decoder() for _ in range(VIEWS))
        self.gates = nn.Parameter(torch.zeros(VIEWS, 2))
        self.apply(initialise)

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the model makes of views, one after the other."""
        made = [self.view(r, view) for r, view in enumerate(views.unbind(dim=1))]
        rebuilt, logits, entropies = zip(*made, strict=True)
        return torch.stack(rebuilt, dim=1), torch.stack(logits, dim=1), torch.stack(entropies).sum()

    def view(self, r: int, view: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the model makes of one view of shape (B, T, D)."""
        code = self.encoder(functional.pad(view[:, None], self.pad))
        (own, own_entropy), (shared, shared_entropy) = self.own[r](code), self.shared(code)
        gates = torch.sigmoid(self.gates[r])
        image = self.decoders[r](torch.cat([code, gates[0] * own + gates[1] * shared], dim=1))
        rebuilt = image[:, 0, self.pad[2] :, self.pad[0] :]
        return rebuilt, self.head(code), own_entropy + shared_entropy


def same(images: Tensor) -> Tensor:
    """Return images padded as TensorFlow does it, so that a kernel of four keeps their size."""
    return functional.pad(images, (1, 2, 1, 2))


def initialise(module: nn.Module) -> None:
    """Give a layer the first weights that Keras gives it."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def views_of(window_TC: Array) -> Array:
    """Return a window and its six transforms, in the order of their labels."""
    blocks = np.split(window_TC, BLOCKS)
    return np.stack(
        [
            window_TC,
            noisy(window_TC),
            -window_TC,
            window_TC[::-1],
            np.concatenate(random.sample(blocks, BLOCKS)),
            window_TC * np.float32(random.choice(FACTORS)),  # noqa: S311 - no secret
            savgol_filter(window_TC, 11, 2, axis=0),
        ]
    )


def noisy(window_TC: Array) -> Array:
    """Return a window with noise of exactly the published level."""
    noise_TC = np.random.default_rng().normal(size=window_TC.shape)
    level = np.sqrt((window_TC**2).mean() / 10 ** (NOISE_DB / 10))
    return np.asarray(window_TC + level * (noise_TC - noise_TC.mean()) / noise_TC.std(), dtype=np.float32)


def scaled_views(series_TC: Array) -> Tensor:
    """Return the views of all windows, shape (B, 7, T, D), each cell between zero and one."""
    starts = range(len(series_TC) - WINDOW + 1)
    views = torch.from_numpy(np.stack([views_of(series_TC[start : start + WINDOW]) for start in starts]))
    low, high = views.amin(dim=0), views.amax(dim=0)
    return (views - low) / (high - low).clamp(min=1e-12)


def loss_of(views: Tensor, made: Iterable[Tensor]) -> Tensor:
    """Return the sum of the three losses."""
    rebuilt, logits, entropy = made
    error = functional.mse_loss(rebuilt, views) * VIEWS
    labels = torch.arange(VIEWS).expand(len(views), VIEWS)
    classes = functional.cross_entropy(logits.flatten(0, 1), labels.flatten()) * VIEWS
    return error + CLASSES_WEIGHT * classes + SPARSITY_WEIGHT * entropy


def new(channels: int) -> Plain:
    """Return a model of so many channels."""
    return Plain(channels)


def train(model: Plain, series_TC: Array) -> None:
    """Train for an epoch."""
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    for (views,) in DataLoader(TensorDataset(scaled_views(series_TC)), BATCH, shuffle=True):
        loss = loss_of(views, model(views))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def score(model: Plain, series_TC: Array) -> Array:
    """Return a score of each window: the sum of the squared errors of its views."""
    model.eval()
    with torch.no_grad():
        errors = [(model(views)[0] - views) ** 2 for views in scaled_views(series_TC).split(BATCH)]
    return torch.cat([error.mean(dim=(2, 3)).sum(dim=1) for error in errors]).numpy()
