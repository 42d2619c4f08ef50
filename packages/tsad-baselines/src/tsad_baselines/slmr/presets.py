"""Named tables of options: a small budget, and the published settings for each data set of the paper.

The latter are from the authors' code, HEAD 9fb39f8, with the ten epochs that its README asks for; its default is one.
Of SMAP and MSL it scores the first channel alone, the only one that is telemetry. Three things are no options:
validation windows drawn at random, channels made comparable by the scores of the whole test part, and scores set to 0
around the joints of channels.
"""

from collections.abc import Mapping

from tsad_core.options import Option

_PUBLISHED: dict[str, Option] = {
    "dropout": 0.3,
    "learning_rate": 1e-3,
    "decay": 1.0,
    "batch": 256,
    "epochs": 10,
    "keep": "last",
    "legacy_repeat": True,
    "legacy_odd_pool": True,
    "precision": "float32",
}

PRESETS: Mapping[str, Mapping[str, Option]] = {
    "quick": {"steps": 200},
    "paper-swat": _PUBLISHED,
    "paper-smap": _PUBLISHED | {"targets": 1},
    "paper-msl": _PUBLISHED | {"targets": 1},
}
"""Options by the name of the preset. All else is published as it is by default."""
