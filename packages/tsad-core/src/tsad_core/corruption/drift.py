"""Drift: a level, a trend or a scale that is not what it was in training.

Amplitudes are in units of each channel's `Spread.scale_C` of the training part: its median absolute
deviation (MAD), and what stands in for that where it is zero. Signs are random for each channel, the
same at every level and in both parts. Each independent segment drifts by itself.
"""

import numpy as np

from tsad_core.anomalies import Spread
from tsad_core.corruption.part import Part
from tsad_core.series import Array


def level_drift(part: Part) -> Array:
    """Return the values with a step of `level` percent of the MAD from a random onset on."""
    return np.asarray(part.values_TC + _after_onset(part)[:, None] * _amplitude(part))


def trend_drift(part: Part) -> Array:
    """Return the values with a ramp that reaches `level` percent of the MAD at the end of the segment."""
    ramp_T = np.concatenate([np.arange(1, stop - start + 1) / (stop - start) for start, stop in part.segments])
    return np.asarray(part.values_TC + ramp_T[:, None] * _amplitude(part))


def scale_drift(part: Part) -> Array:
    """Return the values with deviations from the training median larger by `level` percent from a random onset on."""
    deviation_TC = part.values_TC - Spread.of(part.series.train_TC).centre_C
    return np.asarray(part.values_TC + _after_onset(part)[:, None] * deviation_TC * (part.dose.level / 100))


def _amplitude(part: Part) -> Array:
    scale_C = Spread.of(part.series.train_TC).scale_C
    sign_C = part.shared_rng().choice([-1.0, 1.0], len(scale_C))
    return np.asarray(sign_C * scale_C * part.dose.level / 100)


def _after_onset(part: Part) -> Array:
    rng = part.rng()
    after_T = np.zeros(len(part.values_TC), dtype=bool)
    for segment in part.segments:
        after_T[part.onset(rng, segment) : segment[1]] = True
    return after_T
