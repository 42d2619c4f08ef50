"""The data set: generated waves, with all that is known about their anomalies."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

import numpy as np
from annotated_types import Ge
from tsad_core import Series


def waves(
    *,
    count: Annotated[int, Ge(1)] = 3,
    steps: Annotated[int, Ge(60)] = 1000,
    channels: Annotated[int, Ge(1)] = 5,
    seed: Annotated[int, Ge(0)] = 0,
) -> Mapping[str, Callable[[], Series]]:
    """Return `count` series by name, each generated when it is asked for: shifted sines of 50 steps.

    Three times in the test part, one channel stands upside down. A series depends on the options and
    its own number alone.
    """
    return {f"waves-{number}": partial(_series, number, steps, channels, seed) for number in range(count)}


def _series(number: int, steps: int, channels: int, seed: int) -> Series:
    rng = np.random.default_rng((seed, number))
    turns_TC = np.arange(2 * steps)[:, None] / 50 + np.arange(channels) / channels
    train_TC, normal_TC = np.split(np.sin(2 * np.pi * turns_TC) + 0.1 * rng.standard_normal(turns_TC.shape), 2)
    causes_TC = np.zeros(normal_TC.shape, dtype=bool)
    for third_TC in np.array_split(causes_TC, 3):
        start = rng.integers(len(third_TC) // 2)
        third_TC[start : start + steps // 20, rng.integers(channels)] = True
    return Series(
        name=f"waves-{number}",
        train_TC=train_TC,
        test_TC=np.where(causes_TC, -normal_TC, normal_TC),
        labels_T=np.asarray(causes_TC.any(axis=1)),
        root_causes_TC=causes_TC,
        normal_TC=normal_TC,
    )
