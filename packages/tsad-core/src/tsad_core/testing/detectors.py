"""`check_detector`: every promise of the detector contract, asked of one detector."""

from collections.abc import Mapping
from dataclasses import dataclass

from tsad_core.datasets.synthetic import Recipe, generate
from tsad_core.detector import Detector
from tsad_core.errors import ContractError
from tsad_core.series import Series
from tsad_core.testing import answers, options, repeats, shapes
from tsad_core.testing.faults import Faults
from tsad_core.testing.trial import Trial


@dataclass(frozen=True)
class Conformance:
    """What a detector that keeps its contract showed beside."""

    look_ahead: float
    """How many steps after a step its score depends on, as `tsad_core.look_ahead` measures it; NaN for noise."""
    skipped: Mapping[str, str]
    """What it cannot take, by the name of the check: the reasons of its `Skip`."""


def check_detector(detector: Detector, series: Series | None = None) -> Conformance:
    """Return what else there is to know of a detector that keeps its contract.

    One that does not raises `ContractError`, with a line for each promise that is broken. Detectors
    that look alike are made from the one given, which stays as it is; each of about 25 is fitted to a
    short generated series or to parts of the `series` given, so a costly one is given a small budget.

    >>> from tsad_core.controls import PCA
    >>> check_detector(PCA(window=10)).look_ahead
    9.0

    - *options*: scalars or text, documented, with defaults; the same after ``get_params``, ``set_params``,
      scikit-learn's ``clone`` and a fit, also if other values are given; unknown ones refused. Where the
      source of the class cannot be read, docstrings of options are not asked for.
    - *presets*: where the class has named tables of options, ``presets``, it takes each of them.
    - *signature*: ``fit`` and ``detect`` ask for nothing but their part and its ``starts``, so for no labels.
    - *detection*: a finite score a step; attribution and expected values in the shape of the series.
    - *repeatable*: equal scores, attribution, expected values and bands for equal options, whatever was
      fitted or scored before, whatever the state of the global random generators, which stays as it was;
      after ``save``, which writes safetensors and JSON alone, and ``load`` too.
    - *inputs*: never changed, with one segment or several, and taken read-only.
    - *gross anomaly*: a level shift and a spike score higher on average than normal steps. Noise
      (`Redrawn`) is exempt.
    - *segments*: with ``starts``, what changes in one segment changes no score in part of another. A score
      that compares a step with the whole part is exempt: all others change, or its look-ahead is a segment.
    - *one channel*, *one training step*, *missing values* and the like: scores or a `Skip`, never an error.
    """
    if isinstance(detector, type):
        raise ContractError(f"check_detector takes a detector with its options: {detector.__name__}(), not its class")
    trial = Trial(detector, series or _sample())
    faults = Faults(type(detector).__name__)
    faults.run(options.CHECKS, trial)
    # each step takes for granted what the one before has shown
    if faults.run(options.KEPT, trial) and faults.run(answers.ASKED, trial) and faults.run(answers.GIVEN, trial):
        faults.run({**answers.CHECKS, **shapes.CHECKS}, trial)
        if faults.run(repeats.REPEATABLE, trial):
            faults.run(repeats.CHECKS, trial)
    faults.tell()
    return Conformance(trial.look_ahead, faults.excused)


def _sample() -> Series:
    return generate(Recipe(train_steps=500, test_steps=500, channels=3, density=0))[0]
