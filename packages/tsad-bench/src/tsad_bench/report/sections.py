"""The sections of the page: what each shows of an execution, and nothing where there is nothing to say."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tsad_core import Undefined

from tsad_bench.report import comparison, figures, robustness, tabular
from tsad_bench.report.colours import Style
from tsad_bench.report.conditions import not_pooled, sentence
from tsad_bench.report.headline import KEY, Board
from tsad_bench.report.kinds import kind_grids
from tsad_bench.report.record import Record, Scores
from tsad_bench.report.robustness import SHAMS
from tsad_bench.report.slices import by_health, health_note
from tsad_bench.report.table import lost_cells, metric_tables, under_what
from tsad_bench.report.tabular import Grid
from tsad_bench.results import ALL, Results, plain_condition, pooled
from tsad_bench.statistics import Units, agreement_of_datasets, agreement_of_metrics, median_differences, ranks

PICTURES = 3
"""Series on which a control beats a detector whose scores are drawn."""

Fetch = Callable[[str], Scores | None]
"""Gives the scores that a cell kept, by its slot."""


@dataclass(frozen=True)
class Picture:
    """A figure as SVG."""

    svg: str
    caption: str = ""


Block = str | Grid | Picture
"""A paragraph, a table or a figure."""


@dataclass(frozen=True)
class Report:
    """What all sections are made from."""

    results: Results
    record: Record
    fetch: Fetch
    styles: dict[str, Style]
    boards: list[Board]

    @functools.cached_property
    def compared(self) -> Units:
        """The headline as statistics take it; `Undefined` where it has no direction."""
        return comparison.compared(self.results)


def _what_was_run(report: Report) -> Iterator[Block]:
    record = report.record
    if record.facts:
        yield Grid(("", ""), [[name, text] for name, text in record.facts.items()])
    if record.datasets:
        rows = [[name, str(count), digest] for name, count, digest in record.datasets]
        yield Grid(("data set", "series", "digest"), rows)
    if record.versions:
        yield Grid(("package", "version"), [[name, text] for name, text in record.versions.items()], folded="Versions")


def _headline(report: Report) -> Iterator[Block]:
    for board in report.boards:
        yield tabular.of_board(board, report.styles)
        first = board is report.boards[0]
        if first and any(row.number.value is not None and not row.missing for row in board.rows):
            yield Picture(figures.interval_figure(board, report.styles, name="intervals"))
    if report.boards:
        yield KEY
    if told := not_pooled(report.results.frame["dataset"]) if report.boards else "":
        yield told


def _critical_differences(report: Report) -> Iterator[Block]:
    try:
        found = ranks(report.compared)
        yield (
            f"Average ranks over {found.units} series{_left_out(found.left_out)}; 1 is best. A bar joins detectors of "
            f"whom no two can be told apart (Wilcoxon's signed-rank test, Holm's correction). Friedman's p of all "
            f"being the same: {found.friedman_p:.2g}."
        )
        yield Picture(figures.rank_figure(found, report.styles, name="ranks"))
        if found.unranked:
            yield f"Without a result, and so without a rank: {', '.join(found.unranked)}."
    except Undefined as reason:
        yield f"No ranks: {reason}."
    yield from _medians(report)


def _left_out(number: int) -> str:
    return f" that all have done ({number} left out)" if number else ""


def _medians(report: Report) -> Iterator[Block]:
    try:
        medians = median_differences(report.compared)
    except Undefined as reason:
        yield f"No median differences: {reason}."
        return
    if len(medians):
        yield tabular.of_medians(medians)


def _robustness(report: Report) -> Iterator[Block]:
    results = report.results
    if not len(results.frame) or results.frame["condition"].nunique() < 2:
        return
    named = list(results.frame["dataset"].unique())
    shams = set(SHAMS.values())
    every = robustness.kinds(results)
    for kind in [kind for kind in every if kind not in shams or not any(SHAMS.get(k) == kind for k in every)]:
        yield sentence(kind).replace("`", "")
        for dataset in [ALL] if pooled(named) else named:
            yield from _of_kind(report, kind, dataset)


def _of_kind(report: Report, kind: str, dataset: str) -> Iterator[Block]:
    pair = [kind, SHAMS.get(kind, "")]
    panels = [
        robustness.curves(report.results, name, dataset=dataset)
        for name in pair
        if name in robustness.kinds(report.results)
    ]
    if panels[0].means.notna().any(axis=None):
        svg = figures.curve_figure(
            panels, report.styles, name=f"curves-{kind.replace(':', '-')}-{dataset.replace(' ', '-')}"
        )
        yield Picture(svg, f"Over {panels[0].series} series of {dataset}." if dataset != ALL else "")
    for curves in panels:
        yield tabular.of_curves(curves, report.styles, folded=curves.kind != kind)
    effect = robustness.effect(report.results, kind, dataset=dataset)
    if len(effect):
        yield tabular.of_effect(effect, kind, report.styles)


def _cost(report: Report) -> Iterator[Block]:
    points = comparison.cost_points(report.results, report.boards[0]) if report.boards else {}
    if any(np.isfinite(seconds) for seconds, _, _ in points.values()):
        better = report.results.metrics[report.results.headline]
        metric = report.results.headline
        svg = figures.cost_figure(points, report.styles, metric=metric, better=better, name="cost")
        yield Picture(svg, "" if better == "neither" else "The line joins what nothing cheaper beats.")


def _wins(report: Report) -> Iterator[Block]:
    try:
        shares = comparison.wins(report.compared)
    except Undefined:
        return
    if len(shares) > 1 and shares.notna().any(axis=None):
        yield tabular.of_wins(shares)


def _stability(report: Report) -> Iterator[Block]:
    results, plain = report.results, plain_condition(report.results)
    made: list[tuple[str, Callable[[], pd.DataFrame]]] = [
        ("metrics", lambda: agreement_of_metrics(results, condition=plain)),
    ]
    if results.metrics[results.headline] != "neither":
        made.append(("data sets", lambda: agreement_of_datasets(results, condition=plain)))
    for name, agreement in made:
        try:
            found = agreement()
        except Undefined:
            continue
        if found["tau"].notna().any():
            yield tabular.of_agreement(found, name)


def _by_metric(report: Report) -> Iterator[Block]:
    plain = plain_condition(report.results)
    if told := under_what(report.results):
        yield told.replace("`", "")
    for table in metric_tables(report.results, plain) if report.boards else []:
        yield Grid(table.heads, table.lines, title=table.title, note=table.note, styles=report.styles)


def _slices(report: Report) -> Iterator[Block]:
    for dataset in report.results.frame["dataset"].unique() if report.boards else []:
        means = by_health(report.results, dataset)
        if len(means):
            note = health_note(means, report.results)
            yield tabular.of_slices(means, f"{report.results.headline}: {dataset}", report.styles, note=note)


def _kinds(report: Report) -> Iterator[Block]:
    yield from kind_grids(report.results, report.styles)


def _lost(report: Report) -> Iterator[Block]:
    try:
        lost = comparison.lost_series(report.compared)
    except Undefined:
        return
    if len(lost):
        yield tabular.of_lost(lost, report.results.headline)
        yield from _overlaid(report, lost)


def _overlaid(report: Report, lost: pd.DataFrame) -> Iterator[Picture]:
    """Draw both scores of the worst series whose scores were kept, each series once."""
    drawn: set[tuple[str, str]] = set()
    for row in lost.drop_duplicates(["dataset", "series", "detector"]).itertuples():
        place = (str(row.dataset), str(row.series))
        if len(drawn) == PICTURES or place in drawn:
            continue
        both = [(name, _kept(report, place, name)) for name in (str(row.detector), str(row.control))]
        (ours, mine), (control, theirs) = both
        if mine is not None and theirs is not None and mine.labels_T.any():
            drawn.add(place)
            pair = (ours, mine.scores_T), (control, theirs.scores_T)
            svg = figures.mirror_figure(*pair, mine.labels_T, report.styles, name=f"lost-{len(drawn)}")
            yield Picture(
                svg, f"{place[0]}: {place[1]}. Scores of {ours} upwards, of {control} downwards; events shaded."
            )


def _kept(report: Report, place: tuple[str, str], detector: str) -> Scores | None:
    frame, plain = report.results.frame, plain_condition(report.results)
    where = (frame["dataset"] == place[0]) & (frame["series"] == place[1]) & (frame["condition"] == plain)
    slots = frame.loc[where & (frame["detector"] == detector) & (frame["status"] == "done"), "slot"]
    return next((kept for slot in slots.iloc[:1] if (kept := report.fetch(slot)) is not None), None)


def _variance(report: Report) -> Iterator[Block]:
    found = comparison.spread_over_seeds(report.results) if report.boards else {}
    if found:
        yield tabular.of_variance(found, report.styles)


def _missing(report: Report) -> Iterator[Block]:
    if report.boards and (report.results.frame["status"] != "done").any():
        lost = lost_cells(report.results)
        yield Grid(list(lost.columns), [list(map(str, row)) for row in lost.itertuples(index=False)])


def _cards(report: Report) -> Iterator[Block]:
    if report.record.cards:
        heads, *rows = report.record.cards
        yield Grid(heads, [list(row) for row in rows], wide=True)


SECTIONS: tuple[tuple[str, str, Callable[[Report], Iterator[Block]]], ...] = (
    ("headline", "Who is above the floor", _headline),
    ("robustness", "Robustness", _robustness),
    ("ranks", "Critical differences", _critical_differences),
    ("cost", "Accuracy against cost", _cost),
    ("wins", "Who beats whom", _wins),
    ("lost", "Where a control beats a detector most", _lost),
    ("slices", "By the health of the series", _slices),
    ("kinds", "Results by kind of anomaly", _kinds),
    ("metrics", "All metrics", _by_metric),
    ("stability", "Do detectors keep their order?", _stability),
    ("variance", "Spread over seeds", _variance),
    ("missing", "Cells without a result", _missing),
    ("cards", "What the metrics mean", _cards),
    ("run", "What was run", _what_was_run),
)
