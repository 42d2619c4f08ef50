"""Dropout by a counter: whether a value is dropped follows from the seed and from where the value stands.

So forward pass, backward pass and reference agree, whatever the size of the blocks they work in. A
word of 32 bits decides on four values, each by a byte: the rate is a multiple of 1/256.
"""

import torch
from torch import Tensor

LEVELS = 256
LANES = 16
"""Values whose words lie side by side; a word decides on the values u, u + 16, u + 32, u + 48 of 64."""
GOLDEN = 0x9E3779B9
_WORD = 0xFFFFFFFF


class CounterDropout:
    """Dropout whose seed lies on the device, so that a captured step draws anew each time it is replayed."""

    def __init__(self, rate: float, seed: int, device: str) -> None:
        self.dropped = round(rate * LEVELS)
        self.seed_1 = torch.tensor([seed], dtype=torch.int64, device=device)
        self._uses = 0

    def refresh(self) -> None:
        """Drop other values from now on; not between a forward pass and its backward pass."""
        self.seed_1 += 1
        self._uses = 0

    def use(self) -> int:
        """Return the number of another use: values of the same place are dropped independently in each."""
        self._uses += 1
        return self._uses - 1

    def __call__(self, values: Tensor) -> Tensor:
        """Return the values of shape (…, B, X, U), some of them dropped, the others scaled up."""
        use = self.use()
        return values * self.factors(use, values.shape).to(values.dtype) if self.dropped else values

    def factors(self, use: int, shape: torch.Size) -> Tensor:
        """Return what values of shape (…, B, X, U) are multiplied by, float32: X rows a tile, U units a row."""
        *models, B, X, U = (1, 1, *shape)
        row_R = torch.arange(B * X, device=self.seed_1.device)
        model_M = torch.arange(max(1, torch.Size(models).numel()), device=self.seed_1.device)
        unit_U = torch.arange(U, device=self.seed_1.device)
        word_MRU = _words(_row_keys(_keys(self.seed_1, use, model_M), row_R), unit_U)
        byte_MRU = word_MRU >> (unit_U // LANES % 4 * 8) & 0xFF
        return (byte_MRU >= self.dropped).view(shape) * (LEVELS / (LEVELS - self.dropped))


def _keys(seed_1: Tensor, use: int, model_M: Tensor) -> Tensor:
    key_1 = scramble(seed_1 & _WORD) ^ (seed_1 >> 32 & _WORD)
    return scramble((scramble((key_1 + use * GOLDEN) & _WORD) + model_M * GOLDEN) & _WORD)


def _row_keys(key_M: Tensor, row_R: Tensor) -> Tensor:
    return scramble((key_M[:, None] + row_R) & _WORD)


def _words(key_MR: Tensor, unit_U: Tensor) -> Tensor:
    word_U = unit_U // (4 * LANES) * LANES + unit_U % LANES
    return scramble((key_MR[..., None] + word_U * GOLDEN) & _WORD)


def scramble(word: Tensor) -> Tensor:
    """Return words of 32 bits, each bit of which depends on each bit of the word given (Wellons, lowbias32)."""
    word = (word ^ word >> 16) * 0x7FEB352D & _WORD
    word = (word ^ word >> 15) * 0x846CA68B & _WORD
    return word ^ word >> 16
