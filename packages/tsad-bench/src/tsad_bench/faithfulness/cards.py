"""What the numbers of the probe mean."""

import math
from typing import Final

from tsad_core import Card

from tsad_bench.suite import Faithfulness

CIRCULAR: Final = "self-circular"

_SOURCE = "own definition, after deletion and insertion (Petsiuk et al., RISE, BMVC 2018)"
_DELETION = (
    "How much sooner the calibrated score of an event falls when its blocks (channel by stretch of time) are made "
    "normal, the most blamed first, than in random order: the area between the two curves; mean over events."
)
_INSERTION = (
    "How much sooner the calibrated score of an event made normal rises when its true blocks are put back, the most "
    "blamed first, than in random order: the area between the two curves; mean over events."
)
_OWN = " Circular: normal is what the detector itself expects, to which its score falls by construction."


def _card(direction: str, definition: str, *, circular: bool = False) -> Card:
    name = f"faithfulness-{direction}" + (f"-{CIRCULAR}" if circular else "")
    title = f"Faithfulness, {direction}" + (" (self, circular)" if circular else "")
    return Card(name, title, definition + (_OWN if circular else ""), _SOURCE, -math.inf, math.inf, "higher")


CARDS = {
    card.name: card
    for circular in (False, True)
    for card in (_card("deletion", _DELETION, circular=circular), _card("insertion", _INSERTION, circular=circular))
}


def cards(budget: Faithfulness | None) -> dict[str, Card]:
    """Return the cards of the numbers that a budget pays for; none without one."""
    return {name: card for name, card in CARDS.items() if budget and (budget.self_circular or CIRCULAR not in name)}
