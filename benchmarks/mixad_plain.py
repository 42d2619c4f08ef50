"""The published MIXAD, written plainly: eager float32, Chebyshev matrices anew in each call, the decoder at scoring.

What `benchmarks/baselines.py` measures ours against; it shares no code with it. After the description of the model,
published sizes for SMD: windows of 30 steps, 64 units, five slots of 64, three Chebyshev terms. Activations are those
of the memory, not the random numbers that the public code puts in their place; the seasonal part of the scores, which
the public code takes off by statsmodels, stays in them.
"""

import random

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from tsad_core import Array

WINDOW, BATCH, UNITS, SLOTS, WIDTH, ORDER, DECAY = 30, 256, 64, 5, 64, 3, 2000
CONTRAST, CONSISTENCY, BALANCE = 0.01, 0.1, 1e-4


def steps(task: str, windows: int) -> int:
    """Return how long a series is that has so many windows."""
    assert task in {"train", "score"}
    return windows + WINDOW - 1


class Convolution(nn.Module):
    """A graph convolution: inputs mixed by the Chebyshev terms of two supports, then by weights."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(2 * ORDER * inputs, outputs)))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, values: Tensor, supports: list[Tensor]) -> Tensor:
        """Return the convolved values, shape (B, N, outputs)."""
        mixed = []
        for support in supports:
            terms = [torch.eye(len(support)), support]
            for _ in range(2, ORDER):
                terms.append(2 * support @ terms[-1] - terms[-2])
            mixed += [torch.einsum("nm,bmc->bnc", term, values) for term in terms]
        return torch.einsum("bni,io->bno", torch.cat(mixed, dim=-1), self.weight) + self.bias


class Cell(nn.Module):
    """A gated recurrent unit of graph convolutions."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.gate = Convolution(inputs + units, 2 * units)
        self.update = Convolution(inputs + units, units)

    def forward(self, values: Tensor, state: Tensor, supports: list[Tensor]) -> Tensor:
        """Return the next state, shape (B, N, units)."""
        gates = torch.sigmoid(self.gate(torch.cat([values, state], dim=-1), supports))
        reset, keep = torch.chunk(gates, 2, dim=-1)
        candidate = torch.tanh(self.update(torch.cat([values, reset * state], dim=-1), supports))
        return keep * state + (1 - keep) * candidate


class Plain(nn.Module):
    """The whole model: windows (B, W, N) in; reconstruction, query, two slots and activations out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.memory, self.query = nn.Parameter(torch.empty(SLOTS, WIDTH)), nn.Parameter(torch.empty(UNITS, WIDTH))
        self.first, self.second = (nn.Parameter(torch.empty(channels, SLOTS)) for _ in range(2))
        for parameter in (self.memory, self.query, self.first, self.second):
            nn.init.xavier_normal_(parameter)
        self.encoder, self.decoder = Cell(1, UNITS), Cell(1, UNITS + WIDTH)
        self.head = nn.Linear(UNITS + WIDTH, 1)
        self.batches = 0

    def forward(self, windows: Tensor) -> tuple[Tensor, ...]:
        """Return what the model makes of windows."""
        one, other = self.first @ self.memory, self.second @ self.memory
        supports = [support(one, other), support(other, one)]
        values = windows[..., None]
        state = torch.zeros(len(windows), windows.shape[2], UNITS)
        for t in range(WINDOW):
            state = self.encoder(values[:, t], state, supports)
        query = state @ self.query
        attention = torch.softmax(query @ self.memory.t(), dim=-1)
        best = torch.topk(attention, 2, dim=-1).indices
        state = torch.cat([state, attention @ self.memory], dim=-1)
        rebuilt = self.decode(values.flip(1), state, supports)
        return rebuilt, query, self.memory[best[..., 0]], self.memory[best[..., 1]], attention

    def decode(self, backwards: Tensor, state: Tensor, supports: list[Tensor]) -> Tensor:
        """Return the windows, rebuilt from their last step to their first."""
        value, outputs = torch.zeros_like(backwards[:, 0]), []
        teach = DECAY / (DECAY + 2.718281828 ** (self.batches / DECAY))
        for t in range(WINDOW):
            state = self.decoder(value, state, supports)
            outputs.append(self.head(state))
            taught = self.training and random.random() < teach  # noqa: S311 - no secret
            value = backwards[:, t] if taught else outputs[-1]
        return torch.stack(outputs, dim=1).flip(1)[..., 0]


def support(one: Tensor, other: Tensor) -> Tensor:
    """Return the scaled Laplacian of a graph that is drawn from embeddings."""
    lengths = one.norm(dim=1)[:, None] * other.norm(dim=1)[None] + 1e-6
    likely = (one @ other.t() / lengths + 1) / 2
    logits = torch.stack([likely, 1 - likely], dim=-1)
    noisy = logits - torch.log(-torch.log(torch.rand_like(logits)))
    drawn = (noisy[..., 0] >= noisy[..., 1]).float() - likely.detach() + likely
    edges = drawn * (1 - torch.eye(len(one)))
    laplacian = torch.diag(edges.sum(dim=1)) - edges
    return 2 * laplacian / (laplacian.max() - laplacian.min()) - torch.eye(len(one))


def loss_of(windows: Tensor, made: tuple[Tensor, ...]) -> Tensor:
    """Return the sum of the four losses."""
    rebuilt, query, nearest, second, attention = made
    mask = (windows != 0).float()
    error = ((rebuilt - windows).abs() * mask / mask.mean()).mean()
    contrast = functional.triplet_margin_loss(query, nearest.detach(), second.detach(), margin=1.0)
    consistency = functional.mse_loss(query, nearest.detach())
    load = functional.log_softmax(attention.sum(dim=(0, 1)), dim=0)
    balance = functional.kl_div(load, torch.full_like(load, 1 / SLOTS), reduction="batchmean")
    return error + CONTRAST * contrast + CONSISTENCY * consistency + BALANCE * balance


def new(channels: int) -> Plain:
    """Return a model of so many channels."""
    return Plain(channels)


def train(model: Plain, series_TC: Array) -> None:
    """Train for an epoch."""
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-3)
    for (windows,) in DataLoader(TensorDataset(windows_of(series_TC)), BATCH, shuffle=True):
        loss = loss_of(windows, model(windows))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimiser.step()
        model.batches += 1


def score(model: Plain, series_TC: Array) -> Array:
    """Return a score of each step at which a window ends."""
    model.eval()
    with torch.no_grad():
        attention = torch.cat([model(windows)[-1] for windows in windows_of(series_TC).split(BATCH)])
    shifts = torch.zeros(attention.shape[:2])
    for channel in range(attention.shape[1]):
        for t in range(1, len(attention)):
            shifts[t, channel] = divergence(attention[t - 1, channel], attention[t, channel])
    for edge in range(0, len(attention), BATCH):
        shifts[max(0, edge - 5) : edge + 6] = 0
    return shifts.amax(dim=1).numpy()


def divergence(one: Tensor, other: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of two distributions."""
    one, other = (values.clamp(min=1e-12) / values.clamp(min=1e-12).sum() for values in (one, other))
    middle = ((one + other) / 2 + 1e-12).log()
    parts = [functional.kl_div(middle, values + 1e-12, reduction="batchmean") for values in (one, other)]
    return (parts[0] + parts[1]) / 2


def windows_of(series_TC: Array) -> Tensor:
    """Return all windows of a series, copied."""
    return torch.from_numpy(series_TC).unfold(0, WINDOW, 1).transpose(1, 2).contiguous()
