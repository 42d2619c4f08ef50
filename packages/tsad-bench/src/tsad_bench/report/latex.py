"""The headline tables, and those by kind of anomaly, as LaTeX, for a paper."""

from collections.abc import Iterable, Sequence

from tsad_bench.report.headline import KEY, Board
from tsad_bench.report.rows import COST_HEADS
from tsad_bench.report.tabular import Grid

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


def latex(boards: Iterable[Board], grids: Iterable[Grid] = ()) -> str:
    """Return a table for each board, the best value bold if its detector is above the floor, and for each grid."""
    tables = [*map(_of_board, boards), *map(_of_grid, grids)]
    return "\n\n".join(["% \\usepackage{booktabs}", *tables]) + "\n"


def escaped(text: str) -> str:
    r"""Return text in which nothing is a command to LaTeX.

    >>> print(escaped("100 %_{x}"))
    100 \%\_\{x\}
    """
    return "".join(_SPECIAL.get(sign, sign) for sign in " ".join(text.split()))


def _of_board(board: Board) -> str:
    best = _best(board)
    lines = [_line(row.cells, bold=row.detector in best) for row in board.rows]
    return _table((f"{board.title}.", KEY, board.note), _COLUMNS, board.heads, lines)


def _of_grid(grid: Grid) -> str:
    lines = [_line(row) for row in grid.rows]
    return _table((f"{grid.title}.", grid.note), "l" + "r" * (len(grid.heads) - 1), grid.heads, lines)


def _table(told: Iterable[str], columns: str, heads: Sequence[str], lines: Sequence[str]) -> str:
    notes = [escaped(text) for text in told if text]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{' '.join(notes)}}}",
            rf"  \begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            f"    {' & '.join(map(escaped, heads))} \\\\",
            r"    \midrule",
            *lines,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def _line(cells: Sequence[str], *, bold: bool = False) -> str:
    detector, value, *rest = map(escaped, cells)
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
