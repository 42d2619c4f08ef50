"""Long series in few points and columns, without losing a peak."""

import numpy as np
from tsad_core import Array

POINTS = 4000
"""A longer line is thinned to its lowest and highest value in each of half as many stretches."""
COLUMNS = 500
"""A wider heat map shows the highest value of so many stretches."""


def thinned(values_T: Array) -> tuple[Array, Array]:
    """Return steps and values, thinned so that no peak is lost; only a stretch that is missing whole leaves a gap."""
    T = len(values_T)
    if T <= POINTS:
        return np.arange(T), values_T
    width = -(-T // (POINTS // 2))
    values_PW = np.pad(values_T, (0, -T % width), constant_values=np.nan).reshape(-1, width)
    missing_PW = np.isnan(values_PW)
    low_P = np.where(missing_PW, np.inf, values_PW).argmin(axis=1)
    high_P = np.where(missing_PW, -np.inf, values_PW).argmax(axis=1)
    first_P = np.arange(len(values_PW)) * width
    kept_N = np.unique([first_P + low_P, first_P + high_P])
    return kept_N, values_T[kept_N]


def pooled(values_TC: Array) -> tuple[Array, int]:
    """Return the highest value of each stretch and channel, and how many steps a stretch has."""
    T, C = values_TC.shape
    width = -(-T // COLUMNS)
    # the last stretch is filled up with its last step
    filled_TC = np.pad(values_TC, ((0, -T % width), (0, 0)), mode="edge")
    return filled_TC.reshape(-1, width, C).max(axis=1), width
