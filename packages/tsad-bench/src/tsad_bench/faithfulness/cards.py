"""What the numbers of the probe mean."""

import math
from typing import Final, Literal

from tsad_core import Card

from tsad_bench.suite import Faithfulness

CIRCULAR: Final = "self-circular"
OTHERS: Final = "others"
How = Literal["self", "others", "self-circular"]
"""Who judges, with which infill: the detector itself, the other detectors, or itself with what it expects."""

_SOURCE = "own definition, after deletion and insertion (Petsiuk et al., RISE, BMVC 2018)"
_DEFINITIONS = {
    "deletion": (
        "How much sooner the calibrated score of an event falls when its blocks (channel by stretch of time) are made "
        "normal, the most blamed first, than in random order: the area between the two curves; mean over events."
    ),
    "insertion": (
        "How much sooner the calibrated score of an event made normal rises when its true blocks are put back, the "
        "most blamed first, than in random order: the area between the two curves; mean over events."
    ),
}
_ADDED: dict[How, tuple[str, str]] = {
    "self": ("", ""),
    "others": (
        " (judged by others)",
        " The score is that of the other detectors on the same series, one after the other; mean over them.",
    ),
    "self-circular": (
        " (self, circular)",
        " Circular: normal is what the detector itself expects, to which its score falls by construction.",
    ),
}


def names(how: How) -> list[str]:
    """Return the names of the numbers by one sort of judge."""
    return [direction if how == "self" else f"{direction}-{how}" for direction in _DIRECTIONS]


_DIRECTIONS = [f"faithfulness-{direction}" for direction in _DEFINITIONS]


def _card(name: str, how: How, direction: str) -> Card:
    title, added = _ADDED[how]
    definition = _DEFINITIONS[direction] + added
    return Card(name, f"Faithfulness, {direction}{title}", definition, _SOURCE, -math.inf, math.inf, "higher")


CARDS = {
    name: _card(name, how, direction)
    for how in _ADDED
    for name, direction in zip(names(how), _DEFINITIONS, strict=True)
}


def cards(budget: Faithfulness | None) -> dict[str, Card]:
    """Return the cards of the numbers that a budget pays for; none without one."""
    if budget is None:
        return {}
    paid: dict[How, bool] = {"self": True, "others": budget.others, "self-circular": budget.self_circular}
    return {name: CARDS[name] for how, asked in paid.items() if asked for name in names(how)}
