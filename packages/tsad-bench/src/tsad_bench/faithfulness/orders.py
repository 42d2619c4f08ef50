"""The blocks of an event, and in which order they are infilled."""

import math

import numpy as np
from tsad_core import Array, Series
from tsad_core.scaling import scales

FRACTIONS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
STRETCHES = 20
"""Most stretches of time that an event is cut into; each, in one channel, is a block."""

_DIGITS = 9
"""Mean blame that agrees so far is a tie: sums of equal values differ in their last digits."""


def blocks(steps: int, channels: int) -> Array:
    """Return for each cell of an event the number of its block, shape (steps, channels).

    A block is one channel in one of at most 20 stretches of time, which are equal but for a step.

    >>> blocks(2, 3).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    stretch_T = np.arange(steps) * min(steps, STRETCHES) // steps
    return np.asarray(stretch_T[:, None] * channels + np.arange(channels))


def counts(total: int) -> list[int]:
    """Return how many of so many blocks the fractions are, rounded up."""
    # 0.35 * 20 may be a little more than 7
    return [math.ceil(fraction * total - 1e-9) for fraction in FRACTIONS]


def blamed_first(blame_TC: Array, block_TC: Array, random: np.random.Generator) -> Array:
    """Return the blocks of an event by falling mean blame of their cells; the generator orders equal ones.

    >>> blamed_first(np.array([[1, 7, 4]]), blocks(1, 3), np.random.default_rng(0)).tolist()
    [1, 2, 0]
    """
    mean_B = np.bincount(block_TC.ravel(), weights=blame_TC.ravel()) / np.bincount(block_TC.ravel())
    tied_B = np.round(mean_B / max(float(np.abs(mean_B).max()), np.finfo(float).tiny), _DIGITS)
    return np.lexsort((random.permutation(len(tied_B)), -tied_B))


def references(series: Series) -> dict[str, Array]:
    """Return the blame of explainers that should be good, fair and useless, by name: what the gate compares.

    ``true-causes`` of the anomalies; ``largest-deviation`` from the channel's training mean, in its standard
    deviations; ``random`` blame.
    """
    assert series.root_causes_TC is not None, "the gate is for series that tell their root causes"
    mean_C, sd_C = scales(series.train_TC, "standard")
    return {
        "true-causes": series.root_causes_TC.astype(np.float64),
        "largest-deviation": np.nan_to_num(np.abs(series.test_TC - mean_C) / sd_C),
        "random": np.random.default_rng(int(series.digest, 16)).random(series.test_TC.shape),
    }
