"""One codebook for all places: the nearest code stands for a vector, and codes follow the vectors they stand for."""

import torch
from torch import Tensor, nn

_EPSILON = 1e-5
_ROUNDS = 10
_DEAD = 0.05
"""A code is dead if it is used less than this share of what codes are used on average."""


class Quantiser(nn.Module):
    """K codes of D features, moved by running averages of the vectors that they stand for (van den Oord et al., 2017).

    A code that is hardly used is revived as a vector of the batch, unless that is switched off.
    """

    codebook: Tensor
    total: Tensor
    """The running sum of the vectors of each code."""
    count: Tensor
    """The running number of them."""

    def __init__(self, codes: int, width: int, *, decay: float = 0.8, revive: bool = True) -> None:
        super().__init__()
        self.decay, self.revive = decay, revive
        self.register_buffer("codebook", torch.zeros(codes, width))
        self.register_buffer("total", torch.zeros(codes, width))
        self.register_buffer("count", torch.zeros(codes))

    def start(self, vectors_ND: Tensor, random: torch.Generator) -> None:
        """Put the codes at the k-means of some vectors."""
        codebook_KD = vectors_ND[_draw(len(vectors_ND), len(self.codebook), random)].clone()
        for _ in range(_ROUNDS):
            total_KD, count_K = self._gathered(vectors_ND, _nearest(vectors_ND, codebook_KD))
            used_K1 = (count_K > 0)[:, None]
            codebook_KD = torch.where(used_K1, total_KD / count_K.clamp(min=1)[:, None], codebook_KD)
        self.codebook.copy_(codebook_KD)
        self.count.copy_(count_K)
        self.total.copy_(codebook_KD * count_K[:, None])

    def forward(self, vectors_ND: Tensor) -> Tensor:
        """Return the code that stands for each vector."""
        return _nearest(vectors_ND, self.codebook)

    @torch.no_grad()
    def follow(self, vectors_ND: Tensor, code_N: Tensor, random: torch.Generator | None = None) -> None:
        """Move the codes towards the vectors that they stand for."""
        total_KD, count_K = self._gathered(vectors_ND, code_N)
        self.count.lerp_(count_K, 1 - self.decay)
        self.total.lerp_(total_KD, 1 - self.decay)
        sum_1 = self.count.sum()
        smooth_K = (self.count + _EPSILON) / (sum_1 + len(self.count) * _EPSILON) * sum_1
        self.codebook.copy_(self.total / smooth_K[:, None])
        if self.revive and random is not None:
            self._revive(vectors_ND, random)

    def _revive(self, vectors_ND: Tensor, random: torch.Generator) -> None:
        usual_1 = self.count.mean()
        dead_K = self.count < _DEAD * usual_1
        drawn_KD = vectors_ND[_draw(len(vectors_ND), len(dead_K), random)]
        self.codebook.copy_(torch.where(dead_K[:, None], drawn_KD, self.codebook))
        # as if it had been used as others are: it is not dead again at once
        self.total.copy_(torch.where(dead_K[:, None], drawn_KD * usual_1, self.total))
        self.count.copy_(torch.where(dead_K, usual_1, self.count))

    def _gathered(self, vectors_ND: Tensor, code_N: Tensor) -> tuple[Tensor, Tensor]:
        """Return for each code the sum and the number of its vectors."""
        one_NK = torch.nn.functional.one_hot(code_N, len(self.codebook)).to(vectors_ND.dtype)
        return one_NK.T @ vectors_ND, one_NK.sum(0)


def _nearest(vectors_ND: Tensor, codebook_KD: Tensor) -> Tensor:
    # the square of the vector itself is the same for all codes
    distance_NK = torch.addmm(codebook_KD.square().sum(1), vectors_ND, codebook_KD.T, alpha=-2)
    return distance_NK.argmin(1)


def _draw(size: int, count: int, random: torch.Generator) -> Tensor:
    return torch.randint(size, (count,), generator=random, device=random.device)
