"""Markdown tables between pipes."""

from collections.abc import Sequence


def pipe_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return an aligned Markdown table."""
    widths = [max(len(row[i]) for row in [head, *lines]) for i in range(len(head))]
    ruled = [head, ["-" * width for width in widths], *lines]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in ruled)


def cells_of_pipes(table: str) -> list[list[str]]:
    r"""Return the cells of a Markdown table, its heads first.

    >>> cells_of_pipes("| a | b |\n| - | - |\n| 1 | 2 |")
    [['a', 'b'], ['1', '2']]
    """
    head, _, *lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in [head, *lines]]
