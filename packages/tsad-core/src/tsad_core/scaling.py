"""How channels are made comparable: what to subtract from each and what to divide it by."""

from typing import Literal

import numpy as np

from tsad_core.series import Array

Scaling = Literal["none", "standard", "min-max"]

_FAR = 1e15


def scales(train_TC: Array, scaling: Scaling) -> tuple[Array, Array]:
    """Return what to subtract from each channel and what to divide it by; 1 for a constant channel.

    Missing values count for nothing; a channel without any other is taken for constant.
    """
    train_TC = present(np.asarray(train_TC, dtype=np.float64))
    if scaling == "none":
        return np.zeros(train_TC.shape[1]), np.ones(train_TC.shape[1])
    low_C = np.nanmin(train_TC, axis=0)
    range_C = np.nanmax(train_TC, axis=0) - low_C
    standard = np.nanmean(train_TC, axis=0), np.nanstd(train_TC, axis=0)
    centre_C, scale_C = standard if scaling == "standard" else (low_C, range_C)
    return centre_C, np.where(range_C > 1e-6 * np.nanmax(np.abs(train_TC), axis=0), scale_C, 1.0)


def present(train_TC: Array) -> Array:
    """Return the part with zeros in the channels of which nothing is known."""
    return np.where(np.isnan(train_TC).all(axis=0), 0.0, train_TC)


def scaled(part_TC: Array, centre_C: Array, scale_C: Array) -> Array:
    """Return a part in the units that `scales` gave, float32; what is far out ends where its square is still finite."""
    return np.asarray(((part_TC - centre_C) / scale_C).clip(-_FAR, _FAR), dtype=np.float32)
