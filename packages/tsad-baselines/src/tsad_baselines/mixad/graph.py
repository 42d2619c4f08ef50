"""The graph of channels: how likely each edge is, a graph drawn or settled, and what a node then takes from others."""

import torch
from torch import Tensor


def likelihood(source_ND: Tensor, target_ND: Tensor) -> Tensor:
    """Return how likely there is an edge between each two nodes: half of one plus the cosine of their embeddings."""
    lengths_NN = source_ND.norm(dim=1)[:, None] * target_ND.norm(dim=1)
    cosine_NN: Tensor = source_ND @ target_ND.t() / (lengths_NN + 1e-6)
    return (cosine_NN + 1) / 2


def gumbel(nodes: int, random: torch.Generator) -> Tensor:
    """Return the noise that decides about the edges, for and against, of the two graphs of a model: (2, N, N, 2)."""
    uniform = torch.rand(2, nodes, nodes, 2, generator=random, device=random.device)
    return -torch.log(-torch.log(uniform.clamp(1e-10, 1 - 1e-7)))


def drawn(likely_NN: Tensor, noise_NN2: Tensor) -> Tensor:
    """Return a graph of edges 0 and 1. Its gradient is that of the likelihoods (straight through, as published)."""
    for_NN, against_NN = likely_NN + noise_NN2[..., 0], 1 - likely_NN + noise_NN2[..., 1]
    chosen_NN = (for_NN >= against_NN).to(likely_NN.dtype)
    return _without_loops(chosen_NN - likely_NN.detach() + likely_NN)


def settled(likely_NN: Tensor) -> Tensor:
    """Return the graph of the edges that are more likely than not."""
    return _without_loops((likely_NN > 0.5).to(likely_NN.dtype))


def laplacian(edges_NN: Tensor) -> Tensor:
    """Return the Laplacian of a graph, scaled by the range of its entries (as published, not by an eigenvalue).

    Without any edge it is minus the identity: each node is by itself.
    """
    plain_NN = torch.diag(edges_NN.sum(dim=1)) - edges_NN
    # amax and amin share their gradient evenly among the many entries that tie
    spread = plain_NN.amax() - plain_NN.amin()
    identity_NN = torch.eye(len(edges_NN), dtype=edges_NN.dtype, device=edges_NN.device)
    return 2 * plain_NN / torch.where(spread > 0, spread, 1.0) - identity_NN


def chebyshev(laplacians: list[Tensor], order: int) -> Tensor:
    """Return all Chebyshev terms but the identity, of one Laplacian after the other: (J, N, N), J = 2 (order - 1)."""
    identity_NN = torch.eye(len(laplacians[0]), dtype=laplacians[0].dtype, device=laplacians[0].device)
    found = []
    for scaled_NN in laplacians:
        terms = [identity_NN, scaled_NN]
        while len(terms) < order:
            terms.append(2 * scaled_NN @ terms[-1] - terms[-2])
        found += terms[1:]
    return torch.stack(found)


def _without_loops(edges_NN: Tensor) -> Tensor:
    return edges_NN * (1 - torch.eye(len(edges_NN), dtype=edges_NN.dtype, device=edges_NN.device))
