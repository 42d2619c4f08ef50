"""The network of AMSL: one encoder for all views, a head that tells views apart, memories, gates, a decoder a view.

Planes are (channels, steps), in front of which zeros fill up multiples of four. Letters beside the usual ones: R view,
D feature of a query, M slot, N query of a view: window by window, plane by plane.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsad_baselines.amsl.convolution import Doubled, Same, cast
from tsad_baselines.amsl.memory import recall, recall_with_entropy
from tsad_baselines.amsl.views import VIEWS

R = len(VIEWS)
_FOLD = 4
_HEAD = 128
_LEGACY_OWNERS = [0, 1, 2, 3, 4, 0, 0]
"""Whose reads each view is fused with in the authors' code."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a network."""

    channels: int
    window: int
    filters: int = 32
    slots: int = 500
    skip: bool = True
    """Whether decoders see the encoder's features beside the memories."""
    legacy_memories: bool = False
    """Whether the last two views are fused with what the raw view recalls."""

    @property
    def front(self) -> tuple[int, int]:
        """Rows and columns of zeros in front of a plane."""
        return -self.channels % _FOLD, -self.window % _FOLD

    @property
    def folded(self) -> int:
        """Queries of a window and view."""
        return cells(self.channels, self.window) // _FOLD**2


def cells(channels: int, window: int) -> int:
    """Return the cells of a plane: channels times steps, both filled up to multiples of four."""
    return (channels + -channels % _FOLD) * (window + -window % _FOLD)


Drop = Callable[[Tensor], Tensor]


def keep(values: Tensor) -> Tensor:
    """Return the values: no dropout."""
    return values


class Read(NamedTuple):
    """What the network reads from views."""

    rebuilt_RBCL: Tensor
    logit_RBR: Tensor
    """How likely the head takes each view for each, as logits."""
    entropy: Tensor
    """Of the weights of slots, mean over slots, queries and windows, summed over views and both memories."""


class Network(nn.Module):
    """All of it; products are in a precision, by default that of the weights."""

    def __init__(self, shape: Shape, *, precision: torch.dtype | None = None) -> None:
        super().__init__()
        self.shape, self.precision = shape, precision
        width = 2 * shape.filters
        self.first, self.second = Same(1, shape.filters), Same(shape.filters, width)
        self.head = Head(width, shape.folded)
        self.shared_1MD = nn.Parameter(torch.zeros(1, shape.slots, width))
        self.own_RMD = nn.Parameter(torch.zeros(R, shape.slots, width))
        self.gate_R2 = nn.Parameter(torch.zeros(R, 2))
        self.decoders = nn.ModuleList(Decoder(shape) for _ in VIEWS)

    def forward(self, views_RBCL: Tensor, drop: Drop = keep) -> Read:
        """Return all that is read from views."""
        folded = self.encode(views_RBCL)
        logit_RBR = self.head(folded, drop).unflatten(0, (R, -1))
        fused_RND, entropy = self.recall(_queries(folded))
        return Read(self.decode(folded, fused_RND), logit_RBR, entropy)

    def rebuild(self, views_RBCL: Tensor) -> Tensor:
        """Return the views as they are rebuilt, in 0 … 1."""
        folded = self.encode(views_RBCL)
        query_RND = _queries(folded)
        shared_RND, own_RND = recall(query_RND.flatten(0, 1)[None], self._shared), recall(query_RND, self._own)
        return self.decode(folded, self.fuse(own_RND, shared_RND.view_as(query_RND)))

    def encode(self, views_RBCL: Tensor) -> Tensor:
        """Return the features of views, window after window and view after view."""
        # their one feature is made the last axis in memory: convolutions and pools are then several times as fast
        planes = views_RBCL.flatten(0, 1)[..., None].to(self._dtype).permute(0, 3, 1, 2)
        # of what is pooled a quarter is left to rectify
        half = functional.relu(functional.max_pool2d(self.first(planes, self.shape.front), 2))
        return functional.relu(functional.max_pool2d(self.second(half), 2))

    def recall(self, query_RND: Tensor) -> tuple[Tensor, Tensor]:
        """Return what both memories recall, fused, and the entropy."""
        shared_1ND, shared_1N = recall_with_entropy(query_RND.flatten(0, 1)[None], self._shared)
        own_RND, own_RN = recall_with_entropy(query_RND, self._own)
        entropy = (shared_1N.mean() + own_RN.mean()) * (R / self.shape.slots)
        return self.fuse(own_RND, shared_1ND.view_as(query_RND)), entropy

    def fuse(self, own_RND: Tensor, shared_RND: Tensor) -> Tensor:
        """Return the sum of what both memories recall, as the gates of each view weigh it."""
        if self.shape.legacy_memories:
            own_RND, shared_RND = own_RND[_LEGACY_OWNERS], shared_RND[_LEGACY_OWNERS]
        own_R, shared_R = self.gates().to(own_RND.dtype).unbind(dim=1)
        return own_RND * own_R[:, None, None] + shared_RND * shared_R[:, None, None]

    def gates(self) -> Tensor:
        """Return how much each view's own memory and the shared one count, in 0 … 1, shape (R, 2)."""
        return torch.sigmoid(self.gate_R2)

    def decode(self, folded: Tensor, fused_RND: Tensor) -> Tensor:
        """Return the views as they are rebuilt from their features and what was recalled."""
        planes = folded.unflatten(0, (R, -1))
        B, D, *size = planes.shape[1:]
        recalled = fused_RND.view(R, B, *size, D).permute(0, 1, 4, 2, 3)
        rebuilt = [
            decoder(torch.cat([own, fused], dim=1) if self.shape.skip else fused)
            for decoder, own, fused in zip(self.decoders, planes, recalled, strict=True)
        ]
        return torch.stack(rebuilt)

    @property
    def _dtype(self) -> torch.dtype:
        return self.precision or self.gate_R2.dtype

    @property
    def _shared(self) -> Tensor:
        return self.shared_1MD.to(self._dtype)

    @property
    def _own(self) -> Tensor:
        return self.own_RMD.to(self._dtype)


class Head(nn.Module):
    """Tells which view it sees."""

    def __init__(self, width: int, folded: int) -> None:
        super().__init__()
        self.squeeze = Same(width, 1)
        self.hidden, self.last = nn.Linear(folded, _HEAD), nn.Linear(_HEAD, R)

    def forward(self, folded: Tensor, drop: Drop = keep) -> Tensor:
        """Return how likely each view is, as logits."""
        plane = torch.sigmoid(self.squeeze(folded)).flatten(1)
        hidden = torch.relu(drop(functional.linear(plane, *cast(self.hidden, plane))))
        return functional.linear(hidden, *cast(self.last, hidden))


class Decoder(nn.Module):
    """Unfolds the features of one view."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        F = shape.filters
        self.front = shape.front
        self.layers = nn.ModuleList(
            [Same((4 if shape.skip else 2) * F, 4 * F, transposed=True), Doubled(4 * F, 2 * F), Doubled(2 * F, F)]
        )
        self.last = Same(F, 1, transposed=True)

    def forward(self, planes: Tensor) -> Tensor:
        """Return windows, shape (B, C, L), in 0 … 1."""
        for layer in self.layers:
            planes = functional.relu(layer(planes), inplace=True)
        rows, columns = self.front
        last = self.last(planes, (-rows, -columns))[:, 0]
        return torch.sigmoid(last if last.dtype == torch.float64 else last.float())


def new_model(shape: Shape, generator: torch.Generator, *, precision: torch.dtype | None = None) -> Network:
    """Return a network with weights drawn by the generator, as the authors' framework would draw them."""
    # not on the meta device: to leave it imports sympy, a second
    with torch.random.fork_rng(devices=[]):
        model = Network(shape, precision=precision).to(generator.device)
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    bound = 1 / math.sqrt(shape.slots)
    for bank in (model.shared_1MD, model.own_RMD):
        nn.init.uniform_(bank, -bound, bound, generator=generator)
    return model


def _queries(folded: Tensor) -> Tensor:
    """Return a query for each place of the plane of each window, shape (R, N, D)."""
    return folded.permute(0, 2, 3, 1).reshape(R, -1, folded.shape[1])
