"""Stage 2: a bidirectional transformer that tells from some tokens of a window how likely each other one is.

Letters beside the usual ones: N token of a window, K code, E feature of all heads, A head, I set of hidden tokens,
Q hidden token of such a set.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsad_baselines.timevqvae_ad.blocks import Drop


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of a prior."""

    tokens: int
    rows: int = 3
    """Rows of the grid of tokens."""
    codes: int = 64
    channels: int = 1
    """Channels of the series; of several, each has an embedding of its own."""
    embedded: int = 64
    width: int = 128
    layers: int = 4
    heads: int = 2
    head_width: int = 64
    expansion: int = 1


def keep(values: Tensor) -> Tensor:
    """Return the values: no dropout."""
    return values


@dataclass(frozen=True)
class Chance:
    """What is left to chance in training."""

    drop: Drop = keep
    """Drops features and looks, in place."""
    thin: Drop = keep
    """Drops features of the embeddings of tokens that are not hidden, in place."""
    skips: Callable[[], bool] = bool
    """Whether half of a layer is skipped, asked for each."""


NONE = Chance()


class Gain(nn.Module):
    """The gain of a norm: a layer norm if there is an epsilon, else a root-mean-square norm."""

    def __init__(self, width: int, *, epsilon: float | None = None) -> None:
        super().__init__()
        self.gain, self.epsilon = nn.Parameter(torch.ones(width)), epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return normed rows."""
        if self.epsilon is not None:
            return functional.layer_norm(x, self.gain.shape, self.gain, None, self.epsilon)
        return functional.rms_norm(x, self.gain.shape, self.gain, 1e-24)


class Attention(nn.Module):
    """Each token looks at all tokens; no bias anywhere."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        inner = sizes.heads * sizes.head_width
        self.heads, self.norm = sizes.heads, Gain(sizes.width)
        self.q, self.k, self.v = (nn.Linear(sizes.width, inner, bias=False) for _ in range(3))
        self.out = nn.Linear(inner, sizes.width, bias=False)

    def read(self, x_BND: Tensor, dtype: torch.dtype) -> Tensor:
        """Return queries, keys and values side by side, (B, N, 3 E)."""
        weight = torch.cat([self.q.weight, self.k.weight, self.v.weight])
        return functional.linear(self.norm(x_BND).to(dtype), weight.to(dtype))

    def look(self, q_BQE: Tensor, k_BNE: Tensor, v_BNE: Tensor, drop: Drop = keep) -> Tensor:
        """Return what queries see of keys and values."""
        q, k, v = (rows.unflatten(2, (self.heads, -1)).transpose(1, 2) for rows in (q_BQE, k_BNE, v_BNE))
        plain = drop is not keep or (q.dtype is torch.bfloat16 and q.device.type == "cpu")
        seen_BAQE = _attend(q, k, v, drop) if plain else functional.scaled_dot_product_attention(q, k, v)
        return functional.linear(seen_BAQE.transpose(1, 2).flatten(2), self.out.weight.to(q.dtype))


def _attend(q_BAQE: Tensor, k_BANE: Tensor, v_BANE: Tensor, drop: Drop) -> Tensor:
    """Attend by plain products: with dropout, and in bfloat16 on a processor, where torch's own takes twice as long."""
    looks_BAQN = ((q_BAQE * (1 / math.sqrt(q_BAQE.shape[-1]))) @ k_BANE.mT).softmax(-1)
    # dropped in place, and softmax needs what it gave for its slope
    return (looks_BAQN if drop is keep else drop(looks_BAQN.clone())) @ v_BANE


class FeedForward(nn.Module):
    """Two products with a GELU between them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        inner = sizes.expansion * sizes.width
        self.norm = Gain(sizes.width)
        self.fc1, self.fc2 = nn.Linear(sizes.width, inner), nn.Linear(inner, sizes.width)

    def forward(self, x_BND: Tensor, dtype: torch.dtype, drop: Drop = keep) -> Tensor:
        """Return what is added to each token."""
        hidden = functional.linear(self.norm(x_BND).to(dtype), self.fc1.weight.to(dtype), self.fc1.bias.to(dtype))
        dropped = drop(functional.gelu(hidden))
        return functional.linear(dropped, self.fc2.weight.to(dtype), self.fc2.bias.to(dtype))


class Layer(nn.Module):
    """Attention and two products, each added to what goes in."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.attention, self.feed = Attention(sizes), FeedForward(sizes)

    def forward(self, x_BQD: Tensor, q_BQE: Tensor, k_BNE: Tensor, v_BNE: Tensor, chance: Chance = NONE) -> Tensor:
        """Return tokens after the layer, from their queries and from the keys and values of all."""
        if not chance.skips():
            x_BQD = x_BQD + self.attention.look(q_BQE, k_BNE, v_BNE, chance.drop)
        return x_BQD if chance.skips() else x_BQD + self.feed(x_BQD, q_BQE.dtype, chance.drop)


class Prior(nn.Module):
    """The transformer. Its layers multiply in `precision`; sums, norms and the head are in that of its weights."""

    def __init__(self, sizes: Sizes, *, precision: torch.dtype | None = None) -> None:
        super().__init__()
        self.sizes, self.precision = sizes, precision
        self.embed = nn.Parameter(torch.empty(sizes.codes + 1, sizes.embedded))
        self.position = nn.Parameter(torch.empty(sizes.tokens + 1, sizes.embedded))
        self.channel = nn.Parameter(torch.zeros(sizes.channels if sizes.channels > 1 else 0, sizes.embedded))
        self.into, self.norm = nn.Linear(sizes.embedded, sizes.width, bias=False), Gain(sizes.width, epsilon=1e-5)
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))
        self.last, self.out = Gain(sizes.width), nn.Linear(sizes.width, sizes.embedded, bias=False)
        self.head, self.head_norm = nn.Linear(sizes.embedded, sizes.embedded), nn.LayerNorm(sizes.embedded, eps=1e-12)
        self.bias = nn.Parameter(torch.zeros(sizes.tokens, sizes.codes + 1))

    @property
    def dtype(self) -> torch.dtype:
        """What layers multiply in."""
        return self.precision or self.embed.dtype

    def masked(self, tokens_BN: Tensor, hidden_BN: Tensor) -> Tensor:
        """Return tokens with the mask in the place of hidden ones."""
        return tokens_BN.masked_fill(hidden_BN, self.sizes.codes)

    def embedding(self, tokens_BN: Tensor, channel_B: Tensor, thin: Drop = keep) -> Tensor:
        """Return what tokens, their places and their channels add up to."""
        tokens_BNE = self.embed[tokens_BN]
        if thin is not keep:
            is_hidden = (tokens_BN == self.sizes.codes)[..., None]
            tokens_BNE = torch.where(is_hidden, tokens_BNE, thin(tokens_BNE.clone()))
        embedded = tokens_BNE + self.position[: tokens_BN.shape[1]]
        return embedded + self.channel[channel_B][:, None] if len(self.channel) else embedded

    def enter(self, embedded_BNE: Tensor) -> Tensor:
        """Return what the first layer sees."""
        entered: Tensor = self.norm(self.into(embedded_BNE))
        return entered

    def forward(self, tokens_BN: Tensor, channel_B: Tensor, chance: Chance = NONE) -> Tensor:
        """Return the features of tokens after the last layer."""
        x_BND = self.enter(self.embedding(tokens_BN, channel_B, chance.thin))
        for layer in self._layers():
            x_BND = layer(x_BND, *layer.attention.read(x_BND, self.dtype).chunk(3, dim=2), chance)
        return x_BND

    def heads(self, x_RD: Tensor) -> Tensor:
        """Return what the codes are compared with."""
        compared: Tensor = self.head_norm(functional.gelu(self.head(self.out(self.last(x_RD)))))
        return compared

    def logits(self, x_RD: Tensor, place_R: Tensor) -> Tensor:
        """Return for features at places the logit of each code."""
        K = self.sizes.codes
        return self.heads(x_RD) @ self.embed[:K].T + self.bias[place_R, :K]

    def surprise(self, tokens_BN: Tensor, channel_B: Tensor, hidden_IQ: Tensor) -> Tensor:
        """Return how unlikely tokens are if they are hidden together, (B, I, Q): negative logarithms.

        What the first layer reads is computed once a window and for a wholly hidden one; of the last, only hidden
        tokens are followed.
        """
        windows, sets = len(tokens_BN), len(hidden_IQ)
        x_BND, read_BNE = self._first(tokens_BN, channel_B, hidden_IQ)
        for layer, after in itertools.pairwise(self._layers()):
            x_BND = layer(x_BND, *read_BNE.chunk(3, dim=2))
            read_BNE = after.attention.read(x_BND, self.dtype)
        q, k, v = read_BNE.chunk(3, dim=2)
        x_BQD = self._layers()[-1](_picked(x_BND, hidden_IQ), _picked(q, hidden_IQ), k, v)
        logits_BQK = self.logits(x_BQD, hidden_IQ.repeat(windows, 1))
        truth_BQ = tokens_BN[:, hidden_IQ].flatten(0, 1)
        return -logits_BQK.log_softmax(-1).gather(2, truth_BQ[..., None]).view(windows, sets, -1)

    def _layers(self) -> list[Layer]:
        return cast("list[Layer]", list(self.layers))

    def _first(self, tokens_BN: Tensor, channel_B: Tensor, hidden_IQ: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the first layer sees and reads of windows with each set hidden, (B I, N, …)."""
        both = tokens_BN, torch.full_like(tokens_BN, self.sizes.codes)
        known_BND, masked_BND = (self.enter(self.embedding(tokens, channel_B)) for tokens in both)
        attention = self._layers()[0].attention
        hidden_IN1 = torch.zeros(len(hidden_IQ), tokens_BN.shape[1], dtype=torch.bool, device=tokens_BN.device)
        hidden_IN1 = hidden_IN1.scatter_(1, hidden_IQ, value=True)[..., None]

        def mixed(known: Tensor, masked: Tensor) -> Tensor:
            return torch.where(hidden_IN1, masked[:, None], known[:, None]).flatten(0, 1)

        read = attention.read(known_BND, self.dtype), attention.read(masked_BND, self.dtype)
        return mixed(known_BND, masked_BND), mixed(*read)


def _picked(rows_BND: Tensor, hidden_IQ: Tensor) -> Tensor:
    """Return of rows (B I, N, …) those of each set's hidden tokens."""
    rows_BIND = rows_BND.view(-1, len(hidden_IQ), *rows_BND.shape[1:])
    set_I1 = torch.arange(len(hidden_IQ), device=hidden_IQ.device)[:, None]
    return rows_BIND[:, set_I1, hidden_IQ].flatten(0, 1)


def new_prior(sizes: Sizes, random: torch.Generator, *, precision: torch.dtype | None = None) -> Prior:
    """Return a prior with weights drawn by the generator; at first, every code is about as likely."""
    # not on the meta device: to leave it imports sympy, a second
    with torch.random.fork_rng(devices=[]):
        model = Prior(sizes, precision=precision).to(random.device)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            for parameter in module.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=random)
    for table in (model.embed, model.position):
        nn.init.normal_(table, std=0.02, generator=random)
    return model
