"""One HTML page with everything about an execution: self-contained, for a screen, a phone, paper, light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsad_bench.report.colours import styles
from tsad_bench.report.headline import boards
from tsad_bench.report.record import Record
from tsad_bench.report.sections import SECTIONS, Block, Fetch, Picture, Report
from tsad_bench.report.tabular import Grid
from tsad_bench.results import Results, controls_of


@dataclass(frozen=True)
class Section:
    """A part of the page with an anchor of its own."""

    anchor: str
    title: str
    blocks: Sequence[Block]


def page(results: Results, record: Record, *, fetch: Fetch = lambda _: None) -> str:
    """Return the page of an execution. Sections of which there is nothing to say are left out."""
    controls = controls_of(results) if len(results.frame) else []
    names = results.frame["detector"].unique() if len(results.frame) else []
    report = Report(results, record, fetch, styles(names, controls=controls), boards(results))
    made = [Section(anchor, title, list(blocks(report))) for anchor, title, blocks in SECTIONS]
    return _render(record, _lead(report), [section for section in made if section.blocks])


def _render(record: Record, lead: str, sections: Sequence[Section]) -> str:
    from jinja2 import Environment, StrictUndefined

    here = Path(__file__).parent
    # names come from plugins and files: everything is escaped but the figures, which are drawn here
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((here / "page.html.jinja").read_text(encoding="utf-8"))
    kinds: dict[str, Any] = {"is_grid": lambda b: isinstance(b, Grid), "is_picture": lambda b: isinstance(b, Picture)}
    style = (here / "page.css").read_text(encoding="utf-8")
    return template.render(record=record, lead=lead, sections=sections, style=style, **kinds)


def _lead(report: Report) -> str:
    """Say in a sentence who is above the floor."""
    board = next(iter(report.boards), None)
    if board is None:
        return "No cells."
    judged = [row for row in board.rows if row.verdict]
    above = [row for row in judged if row.above]
    if not judged:
        return "Controls alone: they are the floor that detectors have to beat."
    if board.better == "neither":
        return f"Neither way is {board.metric} better: nobody is above or below the floor."
    verb = "is" if len(above) == 1 else "are"
    told = f"{len(above)} of {len(judged)} detectors {verb} above the floor on {board.metric}"
    return f"{told}: {', '.join(row.detector for row in above)}." if above else f"{told}."
