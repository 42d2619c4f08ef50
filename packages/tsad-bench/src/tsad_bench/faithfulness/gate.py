"""The gate: faithfulness is shown only of judges before whom good explanations beat bad ones, where that is known."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsad_bench.cells import Cell
from tsad_bench.faithfulness.cards import CIRCULAR, names
from tsad_bench.faithfulness.cell import FACT, OWN
from tsad_bench.faithfulness.untrained import UNTRAINED
from tsad_bench.outcome import Outcome

Pair = tuple[Cell, Outcome]

_FALLING = ("true-causes", "largest-deviation", "random")
_GATED = {*names("self"), *names(CIRCULAR)}


@dataclass(frozen=True)
class Verdict:
    """Whether a detector's faithfulness may be shown."""

    objection: str = ""
    """Why not; empty if it may."""
    note: str = ""
    """What could not be asked."""


def gated(pairs: Iterable[Pair]) -> list[Pair]:
    """Return cells and outcomes, with faithfulness undefined for the detectors that the gate objects to."""
    pairs = list(pairs)
    reasons = {label: verdict.objection for label, verdict in verdicts(pairs).items() if verdict.objection}
    return [(cell, _without_numbers(outcome, reasons.get(cell.label, ""))) for cell, outcome in pairs]


def verdicts(pairs: Iterable[Pair]) -> dict[str, Verdict]:
    """Return by label whether a detector's numbers may be shown, for every detector that has any.

    Asked of the series that tell their root causes and normal values, mean over events, seeds, then series, by
    deletion: the true causes beat the largest deviation, which beats random blame, and an untrained copy's blame is
    worth less than the detector's own, where there can be such a copy. Without such a series the answer is no.
    """
    return {label: _verdict(by_series) for label, by_series in _known(pairs).items()}


def may_judge(pairs: Iterable[Pair]) -> set[str]:
    """Return the labels of the detectors before which the true causes beat the largest deviation, and that random."""
    known = _known(pairs).items()
    return {label for label, by_series in known if by_series and not _misjudges(_mean(by_series))}


def _known(pairs: Iterable[Pair]) -> dict[str, list[Mapping[str, float]]]:
    """Return by label what each explainer was worth on each series that tells its causes; empty where none does."""
    known: dict[str, dict[tuple[str, str], list[Mapping[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for cell, outcome in pairs:
        if not _GATED & outcome.metrics.keys():
            continue
        explainers = outcome.facts.get(FACT, {}).get("explainers", {})
        places = known[cell.label]
        if set(_FALLING) <= explainers.keys():
            places[cell.source, cell.series].append(explainers)
    return {label: [_mean(seeds) for seeds in places.values()] for label, places in known.items()}


def _verdict(by_series: Sequence[Mapping[str, float]]) -> Verdict:
    if not by_series:
        return Verdict("no series tells its root causes and normal values, so that the probe could not be tested")
    worth = _mean(by_series)
    if objection := _misjudges(worth):
        return Verdict(objection)
    if UNTRAINED not in worth:
        return Verdict(note="an untrained copy is not applicable: the detector has no budget of steps or epochs")
    return Verdict() if worth[OWN] > worth[UNTRAINED] else Verdict(_beaten(OWN, UNTRAINED, worth))


def _misjudges(worth: Mapping[str, float]) -> str:
    """Return why a judge is not one: a worse explanation is worth as much before it as a better one."""
    pairs = itertools.pairwise(_FALLING)
    return next((_beaten(better, worse, worth) for better, worse in pairs if not worth[better] > worth[worse]), "")


def _beaten(better: str, worse: str, worth: Mapping[str, float]) -> str:
    return (
        f"the probe failed its test on series with known causes: {better} {worth[better]:.3f} "
        f"does not beat {worse} {worth[worse]:.3f}"
    )


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of what all rows have."""
    names = set.intersection(*(set(row) for row in rows))
    return {name: float(np.mean([row[name] for row in rows])) for name in names}


def _without_numbers(outcome: Outcome, reason: str) -> Outcome:
    hidden = _GATED & outcome.metrics.keys() if reason else set()
    if not hidden:
        return outcome
    kept = {name: value for name, value in outcome.metrics.items() if name not in hidden}
    return replace(outcome, metrics=kept, undefined=outcome.undefined | dict.fromkeys(hidden, reason))
