"""Checks of what a detector is asked and answers: nothing but its part, and a detection that makes sense."""

import inspect
from collections.abc import Iterator, Mapping

import numpy as np

from tsad_core.detector import Redrawn, detect, fit
from tsad_core.errors import Skip
from tsad_core.series import Array
from tsad_core.testing.randomness import seeded
from tsad_core.testing.trial import Check, Trial
from tsad_core.windows import moving_average


def _signature(trial: Trial) -> Iterator[str]:
    for method in (trial.given.fit, trial.given.detect):
        for name in [*inspect.signature(method).parameters][1:]:
            if name != "starts":
                yield f"{method.__name__} asks for {name}; it is given its part and the part's starts, nothing else"


def _detection(trial: Trial) -> Iterator[str]:
    try:
        detector = trial.fresh()
        fitted = trial.fitted(by=detector)
        if fitted is not detector:
            yield f"fit returns {type(fitted).__name__}; it must return the detector itself"
            return
        trial.detection(fitted)
    except Skip as skip:
        yield f"skips the series of the checks ({skip}); give check_detector a series that it takes"


def _options_after(trial: Trial) -> Iterator[str]:
    detector = trial.fresh()
    before = detector.get_params()
    trial.detection(trial.fitted(by=detector))
    after = detector.get_params()
    for name in before:
        if after.get(name) != before[name]:
            yield f"fit or detect sets option {name} to {after.get(name)!r}; what is learnt ends in an underscore"


def _inputs(trial: Trial) -> Iterator[str]:
    yield from trial.changed() or _read_only(trial)


def _read_only(trial: Trial) -> Iterator[str]:
    try:
        with seeded(0):
            detect(fit(trial.fresh(), trial.series.train_TC), trial.series.test_TC)
    except (ValueError, TypeError, RuntimeError) as error:
        yield f"cannot take a read-only array, as those of a Series are ({type(error).__name__}: {error})"


def _gross_anomaly(trial: Trial) -> Iterator[str]:
    if isinstance(trial.given, Redrawn):
        return
    test_TC, anomalous_T = _planted(trial.series.train_TC, trial.series.test_TC)
    scores_T = trial.scores(trial.fitted(), test_TC)
    near_T = moving_average(anomalous_T[:, None], width=2 * _length(test_TC))[:, 0] > 0
    anomalous, normal = scores_T[anomalous_T].mean(), scores_T[~near_T].mean()
    if np.ptp(scores_T) == 0:
        yield f"every score is {scores_T[0]:.3g}, although a level shift and a spike were planted"
    elif not anomalous > normal:
        yield f"a level shift and a spike score {anomalous:.3g} on average, normal steps {normal:.3g}; higher is worse"


def _planted(train_TC: Array, test_TC: Array) -> tuple[Array, Array]:
    """Return the test part with a level shift and a spike in every channel, and where they are."""
    T, length = len(test_TC), _length(test_TC)
    if length < 2:
        raise Skip(f"a test part of {T} steps is too short to plant anomalies in; 20 will do")
    anomalous_T = np.zeros(T, dtype=bool)
    anomalous_T[T // 4 : T // 4 + length] = anomalous_T[5 * T // 8] = True
    spread_C = np.nanstd(train_TC, axis=0)
    planted_TC = test_TC + 10 * np.where(spread_C > 0, spread_C, 1) * anomalous_T[:, None]
    return planted_TC.astype(np.float32), anomalous_T


def _length(test_TC: Array) -> int:
    return len(test_TC) // 10


ASKED: Mapping[str, Check] = {"signature": _signature}
GIVEN: Mapping[str, Check] = {"detection": _detection}
CHECKS: Mapping[str, Check] = {
    "options after a fit": _options_after,
    "inputs": _inputs,
    "gross anomaly": _gross_anomaly,
}
