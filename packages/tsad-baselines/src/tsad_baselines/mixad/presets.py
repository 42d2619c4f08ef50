"""Named tables of options: a small budget, and the published settings for each data set of the paper.

The latter are from the authors' code, HEAD 56a0c9a, with the faults mended that the README lists; the memory's
activations are scored, not the random numbers that the public code puts in their place: that is `legacy_noise`.
"""

from collections.abc import Mapping

from tsad_core.options import Option

_PUBLISHED: dict[str, Option] = {
    "epochs": 30,
    "batch": 256,
    "held_out": 0.2,
    "keep": "best",
    "precision": "float32",
}

PRESETS: Mapping[str, Mapping[str, Option]] = {
    "quick": {"steps": 25},
    "paper-smd": _PUBLISHED,
    "paper-msds": _PUBLISHED | {"slots": 2, "order": 2, "contrast": 1e-3, "consistency": 1e-3},
}
"""Options by the name of the preset. All else is published as it is by default."""
