"""What the numbers of a table mean: the cards of its metrics."""

from collections.abc import Mapping

from tsad_core.metric import Card

from tsad_bench.report.pipe import pipe_table


def card_page(cards: Mapping[str, Card]) -> str:
    """Return the cards of metrics, by the label that tables have them under, as a Markdown table."""
    heads = ["metric", "title", "definition", "source", "range", "better"]
    lines = [
        [label, card.title, card.definition, card.source, f"{card.low:g} to {card.high:g}", card.better]
        for label, card in cards.items()
    ]
    # a line break or a pipe would end a cell
    flat = [[" ".join(text.replace("|", "/").split()) for text in line] for line in lines]
    return f"{pipe_table(heads, flat)}\n"
