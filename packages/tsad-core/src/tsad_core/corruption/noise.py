"""Noise of a given signal-to-noise ratio: white, pink, spiky."""

from collections.abc import Callable

import numpy as np

from tsad_core.anomalies import Spread
from tsad_core.corruption.part import Part, Strike
from tsad_core.series import Array

Draw = Callable[[Part, np.random.Generator], Array]
"""What returns noise for a part, of any strength."""


def added(draw: Draw) -> Strike:
    """Return what adds noise: at `level` dB, its power is that of the signal less `level` dB, in each channel.

    The signal's power is the channel's variance about its mean in the training part; a channel that is
    constant there counts as one with the standard deviation `Spread.scale_C`, which is 1, or a
    hundred-thousandth of its magnitude where that is more. The draw is the same at each level.
    """

    def strike(part: Part) -> Array:
        present_TC = ~np.isnan(part.values_TC)
        unit_TC = _of_unit_power(draw(part, part.rng()), present_TC)
        amplitude_C = _deviation(part.series.train_TC) * 10 ** (-part.dose.level / 20)
        return np.asarray(part.values_TC + unit_TC * amplitude_C)

    return strike


def white(part: Part, rng: np.random.Generator) -> Array:
    """Return independent normal noise."""
    return rng.standard_normal(part.values_TC.shape)


def pink(part: Part, rng: np.random.Generator) -> Array:
    """Return noise whose power falls with the frequency, each segment by itself.

    The mean has the power of the lowest frequency.
    """
    white_TC = white(part, rng)
    return np.concatenate([_reddened(white_TC[start:stop]) for start, stop in part.segments])


def spiky(part: Part, rng: np.random.Generator) -> Array:
    """Return impulses of random sign in 1 % of each channel's steps, at least one, each of its own height."""
    present_TC = ~np.isnan(part.values_TC)
    spikes_TC = np.zeros(present_TC.shape)
    for channel, present_T in enumerate(present_TC.T):
        struck = rng.permutation(np.flatnonzero(present_T))[: max(1, round(present_T.sum() / 100))]
        spikes_TC[struck, channel] = rng.choice([-1.0, 1.0], len(struck)) * rng.uniform(0.5, 1.5, len(struck))
    return spikes_TC


def _reddened(white_LC: Array) -> Array:
    steps = len(white_LC)
    frequency_F = np.maximum(np.fft.rfftfreq(steps), 1 / steps)
    spectrum_FC = np.fft.rfft(white_LC, axis=0) / np.sqrt(frequency_F)[:, None]
    return np.fft.irfft(spectrum_FC, steps, axis=0)


def _of_unit_power(noise_TC: Array, present_TC: Array) -> Array:
    """Scale each channel so that the mean square over the cells that are not missing is 1."""
    energy_C = np.where(present_TC, noise_TC**2, 0.0).sum(axis=0)
    power_C = energy_C / np.maximum(present_TC.sum(axis=0), 1)
    return np.asarray(noise_TC / np.sqrt(np.where(power_C > 0, power_C, 1.0)))


def _deviation(train_TC: Array) -> Array:
    known_TC = np.ma.masked_invalid(train_TC.astype(np.float64))
    # the computed deviation of a constant channel can differ from 0 by rounding
    varies_C = (known_TC.max(axis=0) > known_TC.min(axis=0)).filled(fill_value=False)
    return np.where(varies_C, known_TC.std(axis=0).filled(0.0), Spread.of(train_TC).scale_C)
