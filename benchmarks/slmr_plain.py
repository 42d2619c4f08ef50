"""The published SLMR, written plainly: eager float32, a mask per sample in Python, two forwards per scored row.

What `benchmarks/baselines.py` measures ours against; it shares no code with it. After the description of the model,
published sizes: 900 channels in five scales and six groups, three hidden layers of 150, windows of 10 steps.
"""

import random

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from tsad_core import Array

WINDOW, BATCH, CHANNELS, SCALES, GROUPS, HIDDEN = 10, 256, 900, 5, 6, 150
DROPOUT, MASK_RATIO, MASK_LENGTH, GAMMA = 0.3, 0.03, 3, 0.8
WIDTH = CHANNELS // SCALES


def steps(task: str, windows: int) -> int:
    """Return how long a series is that has so many windows, each with a step to forecast."""
    assert task in {"train", "score"}
    return windows + WINDOW


class Branch(nn.Module):
    """The convolutions that a half of a window goes through."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.last = (
            nn.Conv1d(channels, CHANNELS, 1, bias=False),
            nn.Conv1d(CHANNELS, channels, 1, bias=False),
        )
        self.norm = nn.BatchNorm1d(CHANNELS)
        self.pool = nn.MaxPool1d(3, stride=1, padding=1)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, 2 * s + 1, padding=s, groups=GROUPS, bias=False) for s in range(SCALES - 1)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(WIDTH) for _ in range(SCALES - 1))

    def forward(self, half: Tensor, *, odd: bool) -> Tensor:
        """Return what is left of a half when each scale is taken from it."""
        whole = functional.relu(self.norm(self.pool(self.first(half))))
        first, *rest = whole.split(WIDTH, dim=1)
        scales = [first]
        for s, (chunk, convolution, norm) in enumerate(zip(rest, self.convolutions, self.norms, strict=True)):
            mixed = convolution(chunk + scales[-1] if s else chunk)
            scales.append(functional.relu(norm(self.pool(mixed) if odd else mixed)))
        return self.last(whole - torch.cat(scales, dim=1))


class Plain(nn.Module):
    """The whole model: windows (B, W, K) in, forecast (B, K) and reconstruction (B, W, K) out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = Branch(channels)
        self.norm, self.pool = nn.BatchNorm1d(channels), nn.MaxPool1d(3, stride=1, padding=1)
        narrow = max(1, channels // 16)
        self.squeeze = nn.Conv1d(channels, narrow, 3, padding=1)
        self.excite = nn.Conv1d(narrow, channels, 3, padding=1)
        self.gru = nn.GRU(channels, HIDDEN, batch_first=True)
        self.forecast = nn.Sequential(
            nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, channels)
        )
        self.decoder, self.head = nn.GRU(HIDDEN, HIDDEN, batch_first=True), nn.Linear(HIDDEN, channels)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next step and the window itself, as the model would have them."""
        features = self.features(windows.transpose(1, 2))
        weights = torch.sigmoid(self.excite(functional.relu(self.squeeze(features.mean(dim=2, keepdim=True)))))
        _, state = self.gru((features * weights).transpose(1, 2))
        repeated = state[0].repeat_interleave(WINDOW, dim=1).view(len(windows), WINDOW, HIDDEN)
        return self.forecast(state[0]), self.head(self.decoder(repeated)[0])

    def features(self, windows: Tensor) -> Tensor:
        """Return windows (B, K, W) whose halves have been mixed."""
        odd, even = windows[:, :, 0::2], windows[:, :, 1::2]
        from_even, from_odd = self.branch(even, odd=False), self.branch(odd, odd=True)
        mixed = torch.randn_like(windows)
        mixed[:, :, 1::2] = functional.relu(self.norm(self.pool(from_even + odd)))
        mixed[:, :, 0::2] = functional.relu(self.norm(self.pool(from_odd + even)))
        return mixed


class Windows(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Windows of a series, each with a mask and the step after it."""

    def __init__(self, series_TC: Array) -> None:
        self.series_TC = torch.from_numpy(series_TC)

    def __len__(self) -> int:
        return len(self.series_TC) - WINDOW

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        window = self.series_TC[index : index + WINDOW]
        mask = np.stack([mask_of_one_channel() for _ in range(window.shape[1])], axis=1)
        return window, torch.from_numpy(mask) * window, self.series_TC[index + WINDOW]


def mask_of_one_channel() -> Array:
    """Return ones, and zeros in stretches of a length that is geometrically distributed."""
    leave = 1 / MASK_LENGTH, MASK_RATIO / (1 - MASK_RATIO) / MASK_LENGTH
    kept = random.random() > MASK_RATIO  # noqa: S311 - no secret
    mask = np.ones(WINDOW, dtype=np.float32)
    for step in range(WINDOW):
        mask[step] = kept
        if random.random() < leave[kept]:  # noqa: S311 - no secret
            kept = not kept
    return mask


def new(channels: int) -> Plain:
    """Return a model of so many channels."""
    return Plain(channels)


def train(model: Plain, series_TC: Array) -> None:
    """Train for an epoch."""
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for windows, masked, following in DataLoader(Windows(series_TC), BATCH, shuffle=True):
        forecast, rebuilt = model(masked)
        loss = functional.mse_loss(forecast, following).sqrt() + functional.mse_loss(rebuilt, windows).sqrt()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def score(model: Plain, series_TC: Array) -> Array:
    """Return a score of each step that has a window before it."""
    model.eval()
    pairs_B = torch.from_numpy(series_TC).unfold(0, WINDOW + 1, 1).transpose(1, 2)
    scores = []
    with torch.no_grad():
        for pairs in pairs_B.split(BATCH):
            forecast, _ = model(pairs[:, :-1])
            _, rebuilt = model(pairs[:, 1:])
            error = (forecast - pairs[:, -1]).abs() + GAMMA * (rebuilt[:, -1] - pairs[:, -1]).abs()
            scores.append(error.mean(dim=1))
    return torch.cat(scores).numpy()
