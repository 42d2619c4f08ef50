"""Stage 1: a window's spectrum as a grid of tokens, and a window from tokens. Letter beside the usual ones: K code."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsad_baselines.timevqvae_ad.blocks import Down, Residual, Snake, Up
from tsad_baselines.timevqvae_ad.quantiser import Quantiser
from tsad_baselines.timevqvae_ad.spectrum import Spectrum

_NARROW = 4
"""Features after the first convolution; twice as many after each further one."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of a tokenizer."""

    window: int
    fft: int = 4
    halvings: int
    """How often the columns of a spectrum are halved; `halvings` says how often as published."""
    width: int = 64
    codes: int = 64
    blocks: int = 4
    """Residual blocks after each halving but the first."""
    decay: float = 0.8

    @property
    def rows(self) -> int:
        """Rows of a grid of tokens, one a band."""
        return self.fft // 2 + 1

    @property
    def columns(self) -> int:
        """Columns of a grid of tokens."""
        columns = _spectral_columns(self.window, self.fft)
        for _ in range(max(1, self.halvings)):
            columns = (columns - 2) // 2 + 1
        return columns


def halvings(window: int, fft: int, columns: int = 32) -> int:
    """Return how often the columns are halved until about so many are left, as published, but keep one.

    >>> [halvings(window, 4) for window in (48, 78, 164, 408, 3028)]
    [1, 1, 2, 4, 7]
    """
    rate = round(round(window / (math.log2(fft) - 1)) / columns) if window >= columns else 1
    most = _spectral_columns(window, fft).bit_length() - 1
    return min(round(math.log2(max(1, rate))), most)


def _spectral_columns(window: int, fft: int) -> int:
    return window // (fft // 4) + 1


class Losses(NamedTuple):
    """What stage 1 is trained on, each a mean of squares."""

    rebuilt: Tensor
    commitment: Tensor


class Tokenizer(nn.Module):
    """Encoder, quantiser and decoder of windows (B, L), z-scored each."""

    def __init__(self, sizes: Sizes, *, revive: bool = True) -> None:
        super().__init__()
        self.sizes = sizes
        self.spectrum = Spectrum(sizes.fft)
        self.encoder, self.decoder = nn.Sequential(*_encoder(sizes)), nn.Sequential(*_decoder(sizes))
        self.quantiser = Quantiser(sizes.codes, sizes.width, decay=sizes.decay, revive=revive)
        self.linear = nn.Linear(sizes.window, sizes.window)

    def encode(self, windows_BL: Tensor) -> Tensor:
        """Return the vectors of windows, (B, D, H, W)."""
        spectra_B2HW = self.spectrum(windows_BL)
        encoded: Tensor = self.encoder(spectra_B2HW.contiguous(memory_format=torch.channels_last))
        return encoded

    def tokens(self, windows_BL: Tensor) -> Tensor:
        """Return the tokens of windows, (B, N): one band after the other."""
        code_N: Tensor = self.quantiser(_rows(self.encode(windows_BL)))
        return code_N.view(len(windows_BL), -1)

    def decode(self, tokens_BN: Tensor) -> Tensor:
        """Return the windows that tokens stand for."""
        return self.rebuild(self.vectors(tokens_BN))

    def vectors(self, tokens_BN: Tensor) -> Tensor:
        """Return the codes of tokens, (B, D, H, W)."""
        return _grid(self.quantiser.codebook[tokens_BN], self.sizes.rows)

    def rebuild(self, vectors_BDHW: Tensor) -> Tensor:
        """Return the windows of vectors."""
        long_BL = self.spectrum.inverse(self.decoder(vectors_BDHW))
        window_BL = functional.interpolate(long_BL[:, None], self.sizes.window, mode="linear")[:, 0]
        rebuilt_BL: Tensor = window_BL + self.linear(window_BL)
        return rebuilt_BL

    def losses(self, windows_BL: Tensor, random: torch.Generator | None = None) -> Losses:
        """Return the losses of windows; in training, the codes then follow."""
        vectors_BDHW = self.encode(windows_BL)
        rows_ND = _rows(vectors_BDHW)
        code_N = self.quantiser(rows_ND.detach())
        quantised_BDHW = self.vectors(code_N.view(len(windows_BL), -1))
        # the slope of what is rebuilt reaches the encoder as if nothing had been quantised
        through_BDHW = vectors_BDHW + (quantised_BDHW - vectors_BDHW).detach()
        commitment = functional.mse_loss(vectors_BDHW, quantised_BDHW)
        if self.training:
            self.quantiser.follow(rows_ND.detach(), code_N, random)
        return Losses(functional.mse_loss(self.rebuild(through_BDHW), windows_BL), commitment)


def _rows(vectors_BDHW: Tensor) -> Tensor:
    return vectors_BDHW.permute(0, 2, 3, 1).flatten(0, 2)


def _grid(vectors_BND: Tensor, rows: int) -> Tensor:
    B, _, D = vectors_BND.shape
    return vectors_BND.view(B, rows, -1, D).permute(0, 3, 1, 2)


def _encoder(sizes: Sizes) -> list[nn.Module]:
    blocks: list[nn.Module] = [Down(2, _NARROW)]
    features = _NARROW
    for _ in range(sizes.halvings - 1):
        blocks.append(Down(features, 2 * features))
        features *= 2
        blocks += [Residual(features, features) for _ in range(sizes.blocks)]
    return [*blocks, Residual(features, sizes.width)]


def _decoder(sizes: Sizes) -> list[nn.Module]:
    features = _NARROW * 2 ** max(0, sizes.halvings - 1)
    blocks: list[nn.Module] = [Residual(sizes.width, features)]
    for _ in range(sizes.halvings - 1):
        blocks += [Residual(features, features) for _ in range(sizes.blocks)]
        blocks.append(Up(features, features // 2))
        features //= 2
    return [*blocks, _plain_up(features), _plain_up(2)]


def _plain_up(source: int) -> nn.Module:
    return nn.ConvTranspose2d(source, 2, (1, 4), stride=(1, 2), padding=(0, 1))


def new_tokenizer(sizes: Sizes, random: torch.Generator, *, revive: bool = True) -> Tokenizer:
    """Return a tokenizer with weights drawn by the generator, as PyTorch's layers would draw their own."""
    # not on the meta device: to leave it imports sympy, a second
    with torch.random.fork_rng(devices=[]):
        model = Tokenizer(sizes, revive=revive).to(random.device).to(memory_format=torch.channels_last)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            bound = 1 / math.sqrt(module.weight[0].numel())
            for parameter in module.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=random)
        elif isinstance(module, Snake):
            nn.init.uniform_(module.a, 0.2, 0.5, generator=random)
    quantiser = model.quantiser
    quantiser.codebook.normal_(generator=random)
    quantiser.total.copy_(quantiser.codebook)
    return model
