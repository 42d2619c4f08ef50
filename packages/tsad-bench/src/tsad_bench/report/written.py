"""The report on an execution in each of its formats, from the store alone."""

from functools import partial

from tsad_bench.report import headline, table
from tsad_bench.report.headline import boards
from tsad_bench.report.kinds import kind_grids
from tsad_bench.report.latex import latex
from tsad_bench.report.rebuild import rebuild


def written(uri: str, execution: str | None, *, form: str) -> tuple[str, str]:
    """Return the report as ``markdown``, ``csv``, ``latex`` or ``html``, and what the execution lacks, if anything."""
    results, lacks = rebuild(uri, execution)
    if form == "csv":
        return headline.csv(results, table.numbers(results)), lacks
    if form == "latex":
        return latex(boards(results), kind_grids(results)), lacks
    if form == "markdown":
        return table.markdown(results), lacks
    from tsad_bench.report.page import page
    from tsad_bench.report.record import read_kept, read_record

    record = read_record(uri, execution, lacks=lacks)
    return page(results, record, fetch=partial(read_kept, uri, record.suite, record.execution)), lacks
