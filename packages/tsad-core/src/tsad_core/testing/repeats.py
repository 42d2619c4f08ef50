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
from tsad_core.testing.trial import Check, Trial, difference

_UNLIKELY = 982_451_653
"""A seed that no detector uses by itself."""

_SAFE = (".safetensors", ".json")
"""Endings of files that hold values alone: a pickle runs code when it is read."""


def _repeatable(trial: Trial) -> Iterator[str]:
    wanted = trial.detection(trial.fitted())
    if what := difference(wanted, trial.detection(trial.fitted())):
        yield f"two detectors of equal options and seed give different {what}"
    elif what := difference(wanted, trial.detection(trial.fitted(by=clone(trial.given)))):
        yield f"scikit-learn's clone gives different {what}"


def _random_state(trial: Trial) -> Iterator[str]:
    if what := difference(*(trial.detection(trial.fitted(seed=seed), seed=seed) for seed in (0, 1))):
        yield f"gives other {what} in another global state of a random generator; draw from one seeded by an option"
        return
    with seeded(_UNLIKELY):
        before = fingerprints()
        detect(fit(trial.fresh(), trial.series.train_TC.copy()), trial.series.test_TC.copy())
        after = fingerprints()
    for name in before:
        if before[name] != after[name]:
            yield f"fit or detect changes the global state of {name}; draw from a generator of its own"


def _fit_anew(trial: Trial) -> Iterator[str]:
    anew = trial.fitted(by=trial.fitted(trial.another_part()))
    if what := difference(trial.detection(trial.fitted()), trial.detection(anew)):
        yield f"fitted a second time, it gives other {what} than one that is fitted once; fit must start anew"


def _detect_again(trial: Trial) -> Iterator[str]:
    detector = trial.fitted()
    wanted = trial.detection(detector)
    trial.detection(detector, trial.another_part())
    if what := difference(wanted, trial.detection(detector)):
        yield f"gives other {what} once it has scored another part; detect must leave the detector as it is"
        return
    trial.detection(trial.fitted(trial.another_part()), trial.another_part())
    if what := difference(wanted, trial.detection(detector)):
        yield f"gives other {what} once another detector of its class is fitted; keep what is learnt in the instance"


def _save_and_load(trial: Trial) -> Iterator[str]:
    wanted, detector = trial.detection(trial.fitted()), trial.fitted()
    with tempfile.TemporaryDirectory() as folder:
        detector.save(Path(folder) / "saved")
        yield from _unsafe(Path(folder))
        loaded = type(detector).load(Path(folder) / "saved")
    if loaded.get_params() != detector.get_params():
        yield f"loaded, its options are {loaded.get_params()}; they were {detector.get_params()}"
    elif what := difference(wanted, trial.detection(loaded)):
        yield f"loaded, it gives other {what} than the detector that was saved"


def _unsafe(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in _SAFE:
            yield f"save writes {path.name}; only {' and '.join(_SAFE)} files may be written, never a pickle"


def _segments(trial: Trial) -> Iterator[str]:
    test_TC = trial.series.test_TC
    train_starts, starts = _thirds(trial.series.train_TC), _thirds(test_TC)
    yield from trial.changed(train_starts=train_starts, test_starts=starts)
    detector = trial.fitted(starts=train_starts)
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
