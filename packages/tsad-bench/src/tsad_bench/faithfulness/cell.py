"""The probe of one cell: a fitted detector explains and judges, and the outcome gets its faithfulness."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tsad_core import Array, Detection, Series, Skip, Undefined
from tsad_core.corruption import Condition
from tsad_core.detector import Detector, Redrawn, detect
from tsad_core.windows import period

from tsad_bench.cells import Cell
from tsad_bench.faithfulness.cards import CIRCULAR, How, cards, names
from tsad_bench.faithfulness.fitted import keep
from tsad_bench.faithfulness.infill import Infill, infill
from tsad_bench.faithfulness.orders import references
from tsad_bench.faithfulness.probe import Finding, Probe, Scale, areas, event_count, probe
from tsad_bench.faithfulness.untrained import untrained
from tsad_bench.outcome import Outcome, brief
from tsad_bench.suite import Faithfulness

logger = logging.getLogger(__name__)

FACT = "faithfulness"
OWN = "detector"
"""The explainer whose faithfulness is the cell's, among those that the gate compares."""

_PENDING = "the probe of faithfulness did not come to its end: it took too much time or memory"
_ELSEWHERE = "faithfulness is measured where the condition leaves the test part as it is"


@dataclass(frozen=True)
class Case:
    """What a probe is made of."""

    detector: Detector
    """Fitted; it judges."""
    series: Series
    """The clean one."""
    calibration_T: Array
    budget: Faithfulness
    folder: Path | None = None
    """Where it is kept, with its blame, for the others to judge and be judged; nowhere if they do not."""

    def probe(self, infill_TC: Array) -> Probe:
        """Return what all events share before this detector, with what they are infilled with."""
        return Probe(
            self.series,
            infill_TC,
            lambda part_TC, starts: detect(self.detector, part_TC, starts).scores_T,
            Scale.of(self.calibration_T),
            margin(self.detector, self.series.train_TC),
            self.budget.orders,
        )


def has_place(cell: Cell) -> bool:
    """Return whether faithfulness is measured on a cell: where the test part is as it is."""
    return "test" not in Condition.parse(cell.condition).touches


def hold_open(cell: Cell, budget: Faithfulness | None) -> dict[str, str]:
    """Return why a cell has no faithfulness, by metric, as long as `add_to` has not ended."""
    return dict.fromkeys(cards(budget), _PENDING if has_place(cell) else _ELSEWHERE)


def add_to(outcome: Outcome, case: Case) -> Iterator[None]:
    """Add a detector's faithfulness to the outcome of its cell; yield after each event, so that a wait has an end.

    A number that cannot be had is undefined with its reason; nothing is raised.
    """
    try:
        yield from _measured(outcome, case)
    except (Skip, Undefined) as reason:
        _undefine(outcome, cards(case.budget), str(reason))
    except Exception as error:  # a fault in the probe, or of the detector in it, costs the probe
        logger.exception("no faithfulness")
        _undefine(outcome, cards(case.budget), f"the probe failed: {type(error).__name__}: {error}")


def margin(detector: Detector, train_TC: Array) -> int:
    """Return how many steps on each side of an event its scores depend on, as far as the options tell.

    The detector's window and smoothing (`window_` rather than `window`, where it was ``"auto"``); without a window
    four periods of the training part.
    """
    window, smoothing = _steps(detector, "window"), _steps(detector, "smoothing")
    return (4 * period(train_TC) if window is None else window) + (smoothing or 0)


def _steps(detector: Detector, option: str) -> int | None:
    value = getattr(detector, f"{option}_", getattr(detector, option, None))
    return int(value) if isinstance(value, int | np.integer) else None


def _measured(outcome: Outcome, case: Case) -> Iterator[None]:
    detection = _explained(case)
    assert detection.attribution_TC is not None
    own = {OWN: detection.attribution_TC}
    if case.folder:
        keep(case.folder, case.detector, case.calibration_T, detection.attribution_TC)
    compared = own | _for_the_gate(case)
    yield
    yield from _added(outcome, case, infill(case.series), detection, compared)
    if not case.budget.self_circular:
        return
    if detection.expected_TC is None:
        _undefine(outcome, names(CIRCULAR), "the detector gives no expected values")
        return
    yield from _added(outcome, case, Infill(detection.expected_TC, CIRCULAR), detection, own)


def _explained(case: Case) -> Detection:
    """Return what a detector makes of the test part, if there is something to probe."""
    if isinstance(case.detector, Redrawn):
        raise Undefined("its scores are noise: a judge must give equal scores for equal values")
    if case.series.labels_T is None:
        raise Undefined("the series has no labels")
    if not case.series.labels_T.any():
        raise Undefined("no event in the labels")
    detection = detect(case.detector, case.series.test_TC, case.series.test_starts)
    if detection.attribution_TC is None:
        raise Undefined("the detector gives no attribution")
    return detection


def _for_the_gate(case: Case) -> dict[str, Array]:
    """Return the blame of the explainers that the gate compares, where anomalies are known cell by cell."""
    if case.series.normal_TC is None or case.series.root_causes_TC is None:
        return {}
    return references(case.series) | untrained(case.detector, case.series)


def _added(
    outcome: Outcome, case: Case, made_normal: Infill, detection: Detection, blame: Mapping[str, Array]
) -> Iterator[None]:
    """Probe with one infill, and add what came of it to the outcome."""
    circular = made_normal.source == CIRCULAR
    setup = case.probe(made_normal.values_TC)
    findings: list[Finding] = []
    for finding in probe(setup, blame, events=case.budget.events, scores_T=detection.scores_T):
        findings.append(finding)
        yield
    outcome.facts[f"{FACT}-{CIRCULAR}" if circular else FACT] = {
        "infill": made_normal.source,
        "judge": "self",
        "orders": setup.orders,
        "margin": setup.margin,
        **_counted(findings, event_count(case.series)),
        **({} if circular else {"explainers": _means(findings)}),
    }
    _settle(outcome, CIRCULAR if circular else "self", findings)


def _settle(outcome: Outcome, how: How, findings: Sequence[Finding]) -> None:
    """Give an outcome the means over events, or the reason why there are none."""
    try:
        worth = areas(findings, OWN)
    except Undefined as reason:
        _undefine(outcome, names(how), str(reason))
        return
    for name, area in zip(names(how), worth, strict=True):
        outcome.metrics[name] = area
        outcome.undefined.pop(name, None)


def _counted(findings: Sequence[Finding], events: int) -> dict[str, Any]:
    used = [finding for finding in findings if not finding.skipped]
    return {
        "events": events,
        "used": len(used),
        "skipped": dict(Counter(finding.skipped for finding in findings if finding.skipped)),
        "not-looked-at": events - len(findings),
        "calls": sum(finding.calls for finding in findings),
        "cut-error": float(np.median([finding.cut_error for finding in used])) if used else 0.0,
    }


def _means(findings: Sequence[Finding]) -> dict[str, float]:
    """Return each explainer's mean area by deletion; nothing where no event counts."""
    explainers = next((finding.deletion for finding in findings if not finding.skipped), {})
    return {name: areas(findings, name)[0] for name in explainers}


def _undefine(outcome: Outcome, numbers: Iterable[str], reason: str) -> None:
    outcome.undefined |= {name: brief(reason) for name in numbers if name not in outcome.metrics}
