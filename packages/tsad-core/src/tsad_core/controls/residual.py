"""From residuals to scores with their reasons: the last step of the controls without a model."""

import numpy as np

from tsad_core.controls.choices import smooth
from tsad_core.detector import Detection
from tsad_core.series import Array


def detection(residual_TC: Array, expected_TC: Array, *, smoothing: int, starts: tuple[int, ...]) -> Detection:
    """Return the root mean square of the residuals as scores, each channel's own as its attribution.

    Residuals come in units that make channels comparable. A missing value (NaN) blames nobody: its attribution is
    0, and the mean is over the others.
    """
    known_TC = ~np.isnan(residual_TC)
    blame_TC = np.where(known_TC, np.abs(residual_TC), 0.0)
    mean_T = np.square(blame_TC).sum(axis=1) / np.maximum(known_TC.sum(axis=1), 1)
    return Detection(smooth(np.sqrt(mean_T), smoothing, starts), attribution_TC=blame_TC, expected_TC=expected_TC)
