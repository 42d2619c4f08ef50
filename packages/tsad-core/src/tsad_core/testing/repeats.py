"""Checks that a detector's scores depend on its options, its training part and the scored part alone."""

import inspect
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from sklearn.base import clone

from tsad_core.detector import Redrawn, detect, fit, redraw
from tsad_core.series import Array
from tsad_core.testing.randomness import fingerprints, seeded
from tsad_core.testing.trial import Check, Trial

_UNLIKELY = 982_451_653
"""A seed that no detector uses by itself."""


def _repeatable(trial: Trial) -> Iterator[str]:
    wanted_T = trial.scores(trial.fitted())
    if not np.array_equal(wanted_T, trial.scores(trial.fitted())):
        yield "two detectors of equal options and seed give different scores"
    elif not np.array_equal(wanted_T, trial.scores(trial.fitted(by=clone(trial.given)))):
        yield "scikit-learn's clone gives different scores"


def _random_state(trial: Trial) -> Iterator[str]:
    one_T, other_T = (trial.scores(trial.fitted(seed=seed), seed=seed) for seed in (0, 1))
    if not np.array_equal(one_T, other_T):
        yield "scores depend on the global state of a random generator; draw from one seeded by an option"
        return
    with seeded(_UNLIKELY):
        before = fingerprints()
        detect(fit(trial.fresh(), trial.series.train_TC.copy()), trial.series.test_TC.copy())
        after = fingerprints()
    for name in before:
        if before[name] != after[name]:
            yield f"fit or detect changes the global state of {name}; draw from a generator of its own"


def _fit_anew(trial: Trial) -> Iterator[str]:
    wanted_T = trial.scores(trial.fitted())
    if not np.array_equal(wanted_T, trial.scores(trial.fitted(by=trial.fitted(trial.another_part())))):
        yield "fitted a second time, it scores differently from one that is fitted once; fit must start anew"


def _detect_again(trial: Trial) -> Iterator[str]:
    detector = trial.fitted()
    wanted_T = trial.scores(detector)
    trial.scores(detector, trial.another_part())
    if not np.array_equal(wanted_T, trial.scores(detector)):
        yield "scores change once it has scored another part; detect must leave the detector as it is"
        return
    trial.scores(trial.fitted(trial.another_part()), trial.another_part())
    if not np.array_equal(wanted_T, trial.scores(detector)):
        yield "scores change once another detector of its class is fitted; keep what is learnt in the instance"


def _save_and_load(trial: Trial) -> Iterator[str]:
    wanted_T = trial.scores(trial.fitted())
    detector = trial.fitted()
    with tempfile.TemporaryDirectory() as folder:
        detector.save(Path(folder) / "saved")
        loaded = type(detector).load(Path(folder) / "saved")
    if loaded.get_params() != detector.get_params():
        yield f"loaded, its options are {loaded.get_params()}; they were {detector.get_params()}"
    elif not np.array_equal(wanted_T, trial.scores(loaded)):
        yield "loaded, it scores differently from the detector that was saved"


def _segments(trial: Trial) -> Iterator[str]:
    test_TC = trial.series.test_TC
    starts = _thirds(test_TC)
    detector = trial.fitted(starts=_thirds(trial.series.train_TC))
    wanted_T = trial.scores(detector, starts=starts)
    if "starts" not in inspect.signature(detector.detect).parameters or len(starts) < 3:
        return
    middle, changed_TC = slice(starts[1], starts[2]), test_TC.copy()
    changed_TC[middle] = 3 * changed_TC[middle][::-1] + 1
    same_T = np.isclose(
        trial.scores(detector, changed_TC, starts=starts), wanted_T, rtol=1e-6, atol=1e-5 * np.ptp(wanted_T)
    )
    outside_T = np.delete(same_T, middle)
    if not outside_T.all() and outside_T.any() and trial.look_ahead < starts[1]:
        yield "with starts, what changes in a segment changes scores of others; no window may cross a start"


def _thirds(part_TC: Array) -> tuple[int, ...]:
    return tuple(sorted({0, len(part_TC) // 3, 2 * len(part_TC) // 3}))


def _draws(trial: Trial) -> Iterator[str]:
    detector = trial.fitted()
    if not isinstance(detector, Redrawn):
        return
    draws = [redraw(detector, trial.series.test_TC, draw).scores_T for draw in (0, 1)]
    if not np.array_equal(draws[0], trial.scores(detector)):
        yield "redraw gives as draw 0 other scores than detect"
    if np.array_equal(draws[0], draws[1]):
        yield "redraw gives the same scores for every draw"


def _look_ahead(trial: Trial) -> Iterator[str]:
    _ = trial.look_ahead  # measured here, so that an error is told as this check's
    yield from ()


REPEATABLE: Mapping[str, Check] = {"repeatable": _repeatable}
CHECKS: Mapping[str, Check] = {
    "global random state": _random_state,
    "a second fit": _fit_anew,
    "a second detect": _detect_again,
    "save and load": _save_and_load,
    "segments": _segments,
    "draws": _draws,
    "look-ahead": _look_ahead,
}
