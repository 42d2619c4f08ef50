"""Faithfulness before other judges: once all detectors of a series are fitted, each judges what the others blame."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tsad_core import Registry, Series, Skip, Undefined

from tsad_bench.cells import Cell
from tsad_bench.faithfulness.cards import OTHERS, names
from tsad_bench.faithfulness.cell import FACT, Case, has_place
from tsad_bench.faithfulness.fitted import folder_of, read_blame, read_judge
from tsad_bench.faithfulness.gate import Pair, may_judge
from tsad_bench.faithfulness.infill import infill
from tsad_bench.faithfulness.probe import Finding, areas, probe
from tsad_bench.measure import read_series
from tsad_bench.outcome import Held, Outcome, Settings, brief, ended
from tsad_bench.plugins import make_detector
from tsad_bench.suite import Faithfulness

JUDGED = "judged"
"""The fact of a judge's outcome: by slot, the worth of a cell's blame by deletion and by insertion."""

_UNFINISHED = "the judge did not come to its end: it took too much time or memory, or its process ended"


@dataclass(frozen=True)
class Judgement:
    """A judge, and the cells of the same series whose blame it judges."""

    judge: Cell
    explained: tuple[Cell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Whose outcome an executor owes: the judge's."""
        return (self.judge,)


def awaits(cell: Cell, budget: Faithfulness | None) -> bool:
    """Return whether a cell is complete only when the others have judged it."""
    return budget is not None and budget.others and has_place(cell)


def judgements(pairs: Iterable[Pair]) -> list[Judgement]:
    """Return who judges whom.

    The judges of a series, under a condition, are the detectors that pass the gate's test of a judge, in their lowest
    seed; each judges every cell of every other detector whose own probe came to its end.
    """
    pairs = list(pairs)
    eligible = may_judge(pairs)
    groups = _explained_together(pairs)
    return [
        Judgement(judge, others)
        for group in groups
        for judge in _in_lowest_seed(cell for cell in group if cell.label in eligible)
        if (others := tuple(cell for cell in group if cell.label != judge.label))
    ]


def with_others(pairs: Iterable[Pair], judged: Mapping[str, Outcome]) -> list[Pair]:
    """Return cells and outcomes with the mean of what the other detectors, by the judge's slot, found."""
    pairs = list(pairs)
    found: dict[str, dict[str, list[float]]] = defaultdict(dict)
    faults: dict[str, list[str]] = defaultdict(list)
    for judgement in judgements(pairs):
        judge = judgement.judge
        outcome = judged.get(judge.slot, Outcome(status="failed", reason=_UNFINISHED))
        for cell in judgement.explained:
            if cell.slot in outcome.facts.get(JUDGED, {}):
                found[cell.slot][judge.label] = outcome.facts[JUDGED][cell.slot]
            else:
                faults[cell.slot].append(f"{judge.label}: {outcome.reason}")
    return [
        (cell, _with_mean(outcome, found[cell.slot], faults[cell.slot]) if FACT in outcome.facts else outcome)
        for cell, outcome in pairs
    ]


def judge(judgement: Judgement, settings: Settings, registry: Registry) -> Iterator[Outcome | Held]:
    """Yield what a judge found; before that, after each event, what stands should its process end."""
    cell, started = judgement.judge, time.time()
    unfinished = Held(Outcome(cell.slot, "failed", _UNFINISHED, started=started, ended=started))
    yield unfinished
    findings: list[Finding] = []
    try:
        for finding in _findings(judgement, settings, registry):
            findings.append(finding)
            yield unfinished
        worth = {other.slot: _rounded(areas(findings, other.slot)) for other in judgement.explained}
        outcome = Outcome(facts={JUDGED: worth})
    except (Skip, Undefined) as reason:
        outcome = Outcome(status="skipped", reason=brief(str(reason)))
    except Exception as error:  # noqa: BLE001 - this is where one judge runs
        outcome = ended(error)
    yield replace(outcome, slot=cell.slot, started=started, ended=time.time())


def _findings(judgement: Judgement, settings: Settings, registry: Registry) -> Iterator[Finding]:
    cell, budget = judgement.judge, settings.faithfulness
    assert budget, "there is no judgement without a budget"
    series: Series = read_series(cell, settings, registry)
    kind = type(make_detector(registry, cell.detector, cell.options))
    detector, calibration_T = read_judge(folder_of(cell.slot, settings), kind)
    case = Case(detector, series, calibration_T, budget)
    blame = {other.slot: read_blame(folder_of(other.slot, settings)) for other in judgement.explained}
    return probe(case.probe(infill(series).values_TC), blame, events=budget.events)


def _rounded(worth: Sequence[float]) -> list[float]:
    """Return numbers short enough for many judges in one tag of the store."""
    return [round(area, 6) for area in worth]


def _explained_together(pairs: Iterable[Pair]) -> Iterable[list[Cell]]:
    """Return the cells that were explained, those of one series under one condition together."""
    groups: dict[tuple[str, str, str, int], list[Cell]] = defaultdict(list)
    for cell, outcome in pairs:
        if FACT in outcome.facts:
            groups[cell.source, cell.series, cell.condition, cell.corruption_seed].append(cell)
    return groups.values()


def _in_lowest_seed(cells: Iterable[Cell]) -> list[Cell]:
    """Return one cell a detector."""
    lowest: dict[str, Cell] = {}
    for cell in cells:
        if cell.label not in lowest or cell.seed < lowest[cell.label].seed:
            lowest[cell.label] = cell
    return list(lowest.values())


def _with_mean(outcome: Outcome, found: Mapping[str, Sequence[float]], faults: Sequence[str]) -> Outcome:
    """Return an outcome with the mean over its judges, or why there is none."""
    if not found:
        none = "no other detector of this series may judge: none was fitted that passed the test of a judge"
        reason = brief("; ".join(faults) or none)
        return replace(outcome, undefined=outcome.undefined | dict.fromkeys(names(OTHERS), reason))
    means = dict(zip(names(OTHERS), np.mean(list(found.values()), axis=0).tolist(), strict=True))
    left = {name: reason for name, reason in outcome.undefined.items() if name not in means}
    facts = outcome.facts | {f"{FACT}-{OTHERS}": dict(found)}
    return replace(outcome, metrics=outcome.metrics | means, undefined=left, facts=facts)
