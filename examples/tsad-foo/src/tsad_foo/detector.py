"""The detector: a step is as anomalous as it is far from everything seen in training."""

from typing import Annotated, Self

import numpy as np
from annotated_types import Ge
from scipy.spatial import KDTree
from tsad_core import Array, Detection, Skip, detector


@detector
class Foo:
    """Distance of each step from the nearest training step, in deviations of the channels.

    It knows how channels go together, and nothing of their order in time.
    """

    memory: Annotated[int, Ge(1)] = 2000
    """Most training steps that are kept, drawn at random."""
    seed: Annotated[int, Ge(0)] = 0
    """Decides which steps are drawn."""

    def fit(self, train_TC: Array) -> Self:
        """Learn the channels' scales and keep a sample of the training steps."""
        _check(train_TC)
        deviation_C = train_TC.std(axis=0, dtype=np.float64)
        self.scale_C_ = np.where(deviation_C > 0, deviation_C, 1.0)
        steps = len(train_TC)
        kept = np.random.default_rng(self.seed).choice(steps, min(self.memory, steps), replace=False)
        self.kept_NC_ = train_TC[np.sort(kept)]
        return self

    def detect(self, test_TC: Array) -> Detection:
        """Score each step of a test part; what is expected of it is the nearest training step."""
        _check(test_TC)
        _, nearest_T = KDTree(self.kept_NC_ / self.scale_C_).query(test_TC / self.scale_C_)
        expected_TC = self.kept_NC_[nearest_T]
        distance_TC = np.abs(test_TC - expected_TC) / self.scale_C_
        return Detection(np.linalg.norm(distance_TC, axis=1), attribution_TC=distance_TC, expected_TC=expected_TC)


def _check(series_TC: Array) -> None:
    if not np.isfinite(series_TC).all():
        raise Skip("needs a series without missing values")
