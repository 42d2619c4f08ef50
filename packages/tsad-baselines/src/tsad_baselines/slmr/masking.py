"""Which values training hides: stretches of each channel by itself."""

import torch
from torch import Tensor


def random_masks(
    channels: int, steps: int, batch: int, *, ratio: float, length: float, generator: torch.Generator
) -> Tensor:
    """Return where values are hidden, bool, shape (C, L, B).

    A channel is hidden for `length` steps on average (2 or more), then shown for so long that a share `ratio` (at most
    a half) of all steps is hidden, as published (Zerveas et al., KDD 2021). All steps are drawn at once: a number hides
    its step, shows it, or leaves it like the step before, so that the last number to decide counts.
    """
    noise_CLB = torch.rand(channels, steps, batch, generator=generator, device=generator.device)
    hides_CLB = noise_CLB < ratio / (1 - ratio) / length
    shows_CLB = noise_CLB >= 1 - 1 / length
    hides_CLB[:, 0], shows_CLB[:, 0] = noise_CLB[:, 0] < ratio, noise_CLB[:, 0] >= ratio
    # an even number says shown at this step, an odd one hidden; the largest so far is the latest
    step_L1 = torch.arange(1, steps + 1, dtype=torch.int16, device=noise_CLB.device)[:, None]
    said_CLB = 2 * step_L1 * (hides_CLB | shows_CLB) + hides_CLB
    return (said_CLB.cummax(dim=1).values & 1).bool()
