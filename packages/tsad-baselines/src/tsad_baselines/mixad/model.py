"""MIXAD: a graph GRU that reads a window, a memory that says what it has read, and one that writes it backwards.

Windows are (T, B, N): steps, windows, nodes; a node is a channel. Rows R are the nodes of one window after another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, softmax

from tsad_baselines.mixad import graph
from tsad_baselines.mixad.gru import Recurrent, states, unroll


@dataclass(frozen=True)
class Shape:
    """The sizes of a model."""

    nodes: int
    units: int = 64
    slots: int = 5
    width: int = 64
    order: int = 3


class Read(NamedTuple):
    """What the memory makes of windows."""

    query_RD: Tensor
    attention_RM: Tensor
    """How much each slot is like the query; sums to 1."""
    value_RD: Tensor
    nearest_RD: Tensor
    """The slot most like the query."""
    second_RD: Tensor


class Convolution(nn.Module):
    """The weights of a graph convolution: 2 K (1 + S) rows, for each term of both supports the input and the state."""

    def __init__(self, state: int, outputs: int, order: int) -> None:
        super().__init__()
        self.order = order
        self.weight = nn.Parameter(torch.empty(2 * order * (1 + state), outputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    def split(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the weights of the input for each term, of the node's own state, and of the mixed ones.

        Both supports begin with the identity: one product with the sum of their weights does for two.
        """
        weight_SKIO = self.weight.view(2, self.order, -1, self.weight.shape[1])
        own_IO = weight_SKIO[:, 0].sum(dim=0)
        mixed_JIO = weight_SKIO[:, 1:].flatten(0, 1)
        return torch.cat([own_IO[:1], mixed_JIO[:, 0]]), own_IO[1:], mixed_JIO[:, 1:].flatten(0, 1)


class Cell(nn.Module):
    """The weights of a graph GRU of one input a node."""

    def __init__(self, state: int, order: int) -> None:
        super().__init__()
        self.gate = Convolution(state, 2 * state, order)
        self.update = Convolution(state, state, order)

    def on(self, mix_MN: Tensor, dtype: torch.dtype) -> "CellOnGraph":
        """Return the weights on a graph, in the precision of the products."""
        (gate_JG, *gate), (update_JH, *update) = self.gate.split(), self.update.split()
        recurrent = Recurrent(*(part.to(dtype) for part in (mix_MN, *gate, *update)))
        inputs = (part.to(dtype) for part in (gate_JG, self.gate.bias, update_JH, self.update.bias))
        return CellOnGraph(recurrent, *inputs)


class CellOnGraph(NamedTuple):
    """A graph GRU on one graph."""

    recurrent: Recurrent
    gate_input_JG: Tensor
    gate_bias_G: Tensor
    update_input_JH: Tensor
    update_bias_H: Tensor

    def project(self, values_TBN: Tensor) -> tuple[Tensor, Tensor]:
        """Return what inputs add to the gates and to the candidate: (T, R, 2H) and (T, R, H)."""
        T, B, N = values_TBN.shape
        values_TBN = values_TBN.to(self.gate_bias_G.dtype)
        mixed_TBM = linear(values_TBN, self.recurrent.mix_MN)
        terms_XJ = torch.cat([values_TBN.reshape(-1, 1), mixed_TBM.view(T * B * N, -1)], dim=1)
        gate_XG = torch.addmm(self.gate_bias_G, terms_XJ, self.gate_input_JG)
        update_XH = torch.addmm(self.update_bias_H, terms_XJ, self.update_input_JH)
        return gate_XG.view(T, B * N, -1), update_XH.view(T, B * N, -1)


class Mixad(nn.Module):
    """The model. Products of the GRUs run in `precision`, the rest in that of the parameters."""

    def __init__(self, shape: Shape, *, precision: torch.dtype | None = None) -> None:
        super().__init__()
        self.shape, self.precision = shape, precision
        self.slots_MD = nn.Parameter(torch.empty(shape.slots, shape.width))
        self.query_HD = nn.Parameter(torch.empty(shape.units, shape.width))
        self.source_NM = nn.Parameter(torch.empty(shape.nodes, shape.slots))
        self.target_NM = nn.Parameter(torch.empty(shape.nodes, shape.slots))
        self.encoder = Cell(shape.units, shape.order)
        self.decoder = Cell(shape.units + shape.width, shape.order)
        self.head = nn.Linear(shape.units + shape.width, 1)

    def mix(self, noise: Tensor | None = None) -> Tensor:
        """Return what a node takes from the others, (J N, N): on a graph drawn with noise, else on the settled one."""
        source_ND, target_ND = self.embeddings()
        likely = graph.likelihood(source_ND, target_ND), graph.likelihood(target_ND, source_ND)
        if noise is None:
            edges = [graph.settled(likely_NN) for likely_NN in likely]
        else:
            edges = [graph.drawn(likely_NN, one) for likely_NN, one in zip(likely, noise, strict=True)]
        terms_JNN = graph.chebyshev([graph.laplacian(edges_NN) for edges_NN in edges], self.shape.order)
        return terms_JNN.transpose(0, 1).flatten(0, 1)

    def embeddings(self) -> tuple[Tensor, Tensor]:
        """Return the embeddings of the nodes as sources and as targets of edges: mixtures of the memory's slots."""
        return self.source_NM @ self.slots_MD, self.target_NM @ self.slots_MD

    def encode(self, windows_TBN: Tensor, mix_MN: Tensor) -> Tensor:
        """Return the states that windows lead to, shape (R, H)."""
        cell = self.encoder.on(mix_MN, self.dtype)
        start_RH = self.slots_MD.new_zeros(windows_TBN[0].numel(), self.shape.units)
        return unroll(*cell.project(windows_TBN), start_RH, cell.recurrent)[-1]

    def read(self, state_RH: Tensor) -> Read:
        """Return what the memory makes of states."""
        query_RD = state_RH @ self.query_HD
        attention_RM = softmax(query_RD @ self.slots_MD.t(), dim=-1)
        best_R2 = attention_RM.topk(2, dim=-1).indices
        value_RD = attention_RM @ self.slots_MD
        return Read(query_RD, attention_RM, value_RD, self.slots_MD[best_R2[:, 0]], self.slots_MD[best_R2[:, 1]])

    def decode(self, windows_TBN: Tensor, state_RH: Tensor, mix_MN: Tensor, taught: Sequence[bool]) -> Tensor:
        """Return windows as they are rebuilt, last step first and turned round, shape (T, B, N).

        What is rebuilt at a step is the next step's input; if taught there, the true value is. `state_RH`
        is what was encoded beside what the memory made of it.
        """
        backwards_TBN = windows_TBN.flip(0)
        shown_TBN = torch.cat([torch.zeros_like(backwards_TBN[:1]), backwards_TBN[:-1]])
        cell = self.decoder.on(mix_MN, self.dtype)
        rebuilt: list[Tensor] = []
        for first, stop in _stretches(taught, len(windows_TBN)):
            known_TBN = shown_TBN[first:stop] if not first or taught[first - 1] else rebuilt[-1][-1:]
            states_TRH = unroll(*cell.project(known_TBN), state_RH, cell.recurrent)
            state_RH = states_TRH[-1]
            rebuilt.append(self.head(states_TRH).view(known_TBN.shape))
        return torch.cat(rebuilt).flip(0)

    def rebuild(self, state_RH: Tensor, mix_MN: Tensor, *, steps: int) -> Tensor:
        """Return windows as they are rebuilt without being taught, shape (T, B, N). No gradients."""
        cell = self.decoder.on(mix_MN, self.dtype)

        def inputs(t: int, state_RH: Tensor) -> tuple[Tensor, Tensor]:
            values_R1 = self.head(state_RH) if t else state_RH.new_zeros(len(state_RH), 1)
            gate_TRG, update_TRH = cell.project(values_R1.view(1, -1, self.shape.nodes))
            return gate_TRG[0], update_TRH[0]

        backwards = [self.head(after_RH) for after_RH in states(inputs, state_RH, cell.recurrent, steps=steps)]
        return torch.stack(backwards[::-1]).view(steps, -1, self.shape.nodes)

    def at_once(self, most: Mapping[str, int]) -> int:
        """Return how many windows to work on at once, given the most rows by kind of device."""
        return max(1, most.get(self.slots_MD.device.type, most["cuda"]) // self.shape.nodes)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the products of the GRUs."""
        return self.precision or self.slots_MD.dtype


def new_model(shape: Shape, random: torch.Generator, *, precision: torch.dtype | None = None) -> Mixad:
    """Return a model with weights drawn by the generator: normal after Glorot, the head's as by `torch.nn.Linear`."""
    # not on the meta device: to leave it imports sympy, a second
    with torch.random.fork_rng(devices=[]):
        model = Mixad(shape, precision=precision).to(random.device)
    for name, parameter in model.named_parameters():
        if name.startswith("head"):
            bound = model.head.in_features**-0.5
            nn.init.uniform_(parameter, -bound, bound, generator=random)
        elif parameter.ndim == 2:
            nn.init.xavier_normal_(parameter, generator=random)
        else:
            nn.init.zeros_(parameter)
    return model


def _stretches(taught: Sequence[bool], steps: int) -> Iterator[tuple[int, int]]:
    """Yield stretches of steps whose inputs are known when the first one's is: taught steps, or a free one alone."""
    free = [t for t in range(1, steps) if not taught[t - 1]]
    yield from pairwise(sorted({0, *free, *(t + 1 for t in free), steps}))
