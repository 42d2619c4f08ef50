"""The page of metric cards: a row a metric, whatever its texts hold."""

from tsad_bench.report.cards import card_page
from tsad_core.metric import Card


def test_texts_with_pipes_and_line_breaks_stay_in_their_cells() -> None:
    card = Card("m", "M", "The share\nof a|b.", "A paper", 0, 1, "higher")
    head, _, row = card_page({"m-rate-0.1": card}).splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "metric",
        "title",
        "definition",
        "source",
        "range",
        "better",
    ]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "m-rate-0.1",
        "M",
        "The share of a/b.",
        "A paper",
        "0 to 1",
        "higher",
    ]


def test_an_unbounded_range_is_told() -> None:
    assert "-inf to inf" in card_page({"m": Card("m", "M", "D", "S", float("-inf"), float("inf"), "neither")})
