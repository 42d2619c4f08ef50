"""The short-time spectrum of a window and back, as convolutions: equal to `torch.stft` and `torch.istft`.

Letters beside the usual ones: H row of the spectrum, W column of it.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Spectrum(nn.Module):
    """Centred, normalised spectra under a Hann window; a quarter of it from column to column."""

    analysis: Tensor
    synthesis: Tensor
    power: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.hop, self.rows = size, size // 4, size // 2 + 1
        step_L = torch.arange(size, dtype=torch.float64)
        angle_HL = 2 * math.pi / size * torch.arange(self.rows, dtype=torch.float64)[:, None] * step_L
        wave_2HL = torch.stack([angle_HL.cos(), -angle_HL.sin()]).reshape(2 * self.rows, 1, size)
        hann_L = 0.5 - 0.5 * (2 * math.pi / size * step_L).cos()
        # all rows but the first and the last stand for their mirror image too
        count_H = torch.full((self.rows,), 2.0, dtype=torch.float64)
        count_H[[0, -1]] = 1
        self.register_buffer("analysis", wave_2HL * hann_L / math.sqrt(size), persistent=False)
        self.register_buffer(
            "synthesis", wave_2HL * hann_L / math.sqrt(size) * count_H.repeat(2)[:, None, None], persistent=False
        )
        self.register_buffer("power", hann_L.square()[None, None], persistent=False)

    def forward(self, windows_BL: Tensor) -> Tensor:
        """Return spectra (B, 2, H, W), real and imaginary parts."""
        padded_B1L = functional.pad(windows_BL[:, None], (self.size // 2, self.size // 2), mode="reflect")
        spectra_BRW: Tensor = functional.conv1d(padded_B1L, self.analysis.to(windows_BL.dtype), stride=self.hop)
        return spectra_BRW.view(len(windows_BL), 2, self.rows, -1)

    def inverse(self, spectra_B2HW: Tensor) -> Tensor:
        """Return the windows of spectra, (W - 1) times the hop long."""
        rows_BRW = spectra_B2HW.flatten(1, 2)
        sums_B1L = functional.conv_transpose1d(rows_BRW, self.synthesis.to(rows_BRW.dtype), stride=self.hop)
        ones_11W = rows_BRW.new_ones(1, 1, rows_BRW.shape[-1])
        power_11L = functional.conv_transpose1d(ones_11W, self.power.to(rows_BRW.dtype), stride=self.hop)
        inner = slice(self.size // 2, -(self.size // 2))
        return (sums_B1L[..., inner] / power_11L[..., inner])[:, 0]
