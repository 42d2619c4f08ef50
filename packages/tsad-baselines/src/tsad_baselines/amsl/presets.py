"""Named tables of options: a small budget, and the published settings for DSADS.

The latter are from the authors' code, HEAD b72a886, with the faults mended that the README lists. For the other three
data sets of the paper neither window nor classes are public.
"""

from collections.abc import Mapping

from tsad_core.options import Option

PRESETS: Mapping[str, Mapping[str, Option]] = {
    "quick": {"steps": 80},
    "paper-dsads": {
        "window": 125,
        "stride": 125,
        "filters": 32,
        "slots": 500,
        "batch": 16,
        "epochs": 100,
        "learning_rate": 1e-3,
        "decay": 1.0,
        "scaling": "none",
        "precision": "float32",
    },
}
"""Options by the name of the preset. All else is published as it is by default."""
