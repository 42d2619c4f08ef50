"""The headline tables as LaTeX, for a paper."""

from collections.abc import Iterable

from tsad_bench.report.headline import KEY, Board, Row
from tsad_bench.report.rows import COST_HEADS

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "–": "--",
} | {sign: f"\\{sign}" for sign in "$&#_%"}
_COLUMNS = "lrclrr" + "r" * len(COST_HEADS)


def latex(boards: Iterable[Board]) -> str:
    """Return a table for each board; the best value is bold if its detector is above the floor."""
    tables = [_table(board) for board in boards]
    return "\n\n".join(["% \\usepackage{booktabs}", *tables]) + "\n"


def escaped(text: str) -> str:
    r"""Return text in which nothing is a command to LaTeX.

    >>> print(escaped("100 %_{x}"))
    100 \%\_\{x\}
    """
    return "".join(_SPECIAL.get(sign, sign) for sign in " ".join(text.split()))


def _table(board: Board) -> str:
    best = _best(board)
    lines = [_line(row, bold=row.detector in best) for row in board.rows]
    notes = [escaped(text) for text in (f"{board.title}.", KEY, board.note) if text]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{' '.join(notes)}}}",
            rf"  \begin{{tabular}}{{{_COLUMNS}}}",
            r"    \toprule",
            f"    {' & '.join(map(escaped, board.heads))} \\\\",
            r"    \midrule",
            *lines,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def _line(row: Row, *, bold: bool) -> str:
    detector, value, *rest = map(escaped, row.cells)
    shown = rf"\textbf{{{value}}}" if bold else value
    return f"    {' & '.join([detector, shown, *rest])} \\\\"


def _best(board: Board) -> set[str]:
    """Return who has the best value of those above the floor; several if they tie as printed."""
    above = {row.detector: row for row in board.rows if row.above and not row.missing}
    values = {name: float(row.value) for name, row in above.items()}
    if not values or board.better == "neither":
        return set()
    best = (min if board.better == "lower" else max)(values.values())
    return {name for name, value in values.items() if value == best}
