"""Named tables of options: a small budget, and the published settings for each data set of the paper.

The latter are from the authors' code, HEAD 01ab368; what the paper's text says otherwise is in the README. A published
batch of 64 windows is one of 64 times C tiles. Two things cannot be had by options: the learning rate falls with every
step here, there with every epoch, and windows end flush with the series instead of starting before it.
"""

from collections.abc import Mapping

from tsad_core.options import Option

_PUBLISHED: dict[str, Option] = {
    "dropout": 0.2,
    "learning_rate": 2e-3,
    "held_out": 0.0,
    "legacy_excess": True,
    "legacy_filtering": True,
    "precision": "float32",
}
_LONG = _PUBLISHED | {"window": 1024, "patch": 16, "epochs": 101, "decay": 0.95**100}

PRESETS: Mapping[str, Mapping[str, Option]] = {
    "quick": {"steps": 200},
    "paper-asd": _LONG | {"batch": 64 * 19, "train_stride": 4},
    "paper-synthetic": _LONG | {"batch": 64 * 5, "train_stride": 4},
    "paper-satellite": _LONG | {"batch": 64 * 9, "train_stride": 2},
    "paper-ucr": _PUBLISHED | {"width": 128, "epochs": 201, "decay": 0.95**200, "batch": 64, "train_stride": "auto"},
}
"""Options by the name of the preset. All else is published as it is by default."""
