"""Series of odd shapes, with which a detector must cope: with scores or with a `Skip`."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tsad_core.series import Array
from tsad_core.testing.trial import Check, Trial

_FEW = 3
"""Steps that are fewer than a window."""


def _coping(change_train: Callable[[Array], Array], change_test: Callable[[Array], Array]) -> Check:
    def check(trial: Trial) -> Iterator[str]:
        detector = trial.fitted(change_train(trial.series.train_TC))
        trial.detection(detector, change_test(trial.series.test_TC))
        yield from ()

    return check


def _same(part_TC: Array) -> Array:
    return part_TC


def _first_channel(part_TC: Array) -> Array:
    return part_TC[:, :1]


def _one_constant(part_TC: Array) -> Array:
    return np.column_stack([np.full_like(part_TC[:, :1], 7.0), part_TC[:, 1:]])


def _one_step(part_TC: Array) -> Array:
    return part_TC[:1]


def _few_steps(part_TC: Array) -> Array:
    return part_TC[:_FEW]


def _with_gaps(part_TC: Array) -> Array:
    gappy_TC = part_TC.copy()
    gappy_TC[len(part_TC) // 2], gappy_TC[-len(part_TC) // 4 :, 0] = np.nan, np.nan
    return gappy_TC


CHECKS: Mapping[str, Check] = {
    "one channel": _coping(_first_channel, _first_channel),
    "a channel constant in training": _coping(_one_constant, _same),
    "a channel constant in the test part": _coping(_same, _one_constant),
    "a constant series": _coping(np.ones_like, np.ones_like),
    "one training step": _coping(_one_step, _same),
    "one test step": _coping(_same, _one_step),
    "few training steps": _coping(_few_steps, _same),
    "few test steps": _coping(_same, _few_steps),
    "missing values": _coping(_with_gaps, _with_gaps),
}
