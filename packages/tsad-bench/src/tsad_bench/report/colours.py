"""How a detector looks in every figure: a colour, a dash and a marker, of which any two tell it from the others.

The colours are those of Okabe and Ito that show on white and on black, for the detectors that the project knows;
others take colours of Petroff's ten that are neither grey nor near one of these (arXiv 2107.02270). Controls are grey.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Dash = str | tuple[int, tuple[int, ...]]

KNOWN: Mapping[str, str] = {
    "mma": "#0072b2",
    "mixad": "#d55e00",
    "slmr": "#009e73",
    "amsl": "#cc79a7",
    "timevqvae-ad": "#e69f00",
}
"""Detectors whose colour never changes, whatever company they are in."""
CONTROLS = ("random", "moving-average", "k-means", "pca", "matrix-profile", "deviation", "seasonal-naive", "linear")
"""Controls whose grey and dash never change."""

_OTHERS = ("#56b4e9", "#a96b59", "#832db6", "#b9ac70", "#92dadd")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
_DASHES: tuple[Dash, ...] = ("-", (0, (7, 2)), (0, (3, 2)), (0, (7, 2, 2, 2)), (0, (1, 1)))
_GREYS = ("#7a7a7a", "#929292", "#a8a8a8")
_GREY_MARKERS = ("x", "+", "1", "2", "3", "4", "|", "_")
_GREY_DASHES: tuple[Dash, ...] = (
    (0, (1, 2)),
    (0, (5, 2)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (9, 2)),
    (0, (2, 4)),
    (0, (4, 1, 4, 4)),
    (0, (8, 2, 1, 1, 1, 2)),
)


@dataclass(frozen=True)
class Style:
    """How a detector is drawn."""

    colour: str
    dash: Dash
    marker: str
    control: bool = False


def styles(detectors: Iterable[str], *, controls: Collection[str] = ()) -> dict[str, Style]:
    """Return how each detector is drawn: those of `KNOWN` and `CONTROLS` always so, others by order of name.

    Detectors that differ by options or preset share a colour and have dashes and markers of their own.

    >>> styles(["mma", "foo"])["mma"].colour == styles(["mma"])["mma"].colour
    True
    """
    names = sorted(dict.fromkeys(detectors))
    grey = [name for name in names if name in controls]
    return _coloured([name for name in names if name not in controls]) | _grey(grey)


def _coloured(names: list[str]) -> dict[str, Style]:
    families = _families(names, KNOWN)
    order = [*KNOWN, *(family for family in dict.fromkeys(families.values()) if family not in KNOWN)]
    colours = [*KNOWN.values(), *_OTHERS]
    made = {}
    for name, family in families.items():
        place, twin = order.index(family), _place_in_family(name, families)
        # beyond the palette the others' colours come again, with the next dash
        again, colour = divmod(place - len(KNOWN), len(_OTHERS)) if place >= len(colours) else (0, None)
        chosen = colours[place] if colour is None else _OTHERS[colour]
        made[name] = Style(chosen, _DASHES[(twin + again) % len(_DASHES)], _MARKERS[(place + 5 * twin) % len(_MARKERS)])
    return made


def _grey(names: list[str]) -> dict[str, Style]:
    families = _families(names, CONTROLS)
    order = [*CONTROLS, *(family for family in dict.fromkeys(families.values()) if family not in CONTROLS)]
    made = {}
    for name, family in families.items():
        place, twin = order.index(family), _place_in_family(name, families)
        dash, marker = _GREY_DASHES[place % len(_GREY_DASHES)], _GREY_MARKERS[(place + twin) % len(_GREY_MARKERS)]
        made[name] = Style(_GREYS[place % len(_GREYS)], dash, marker, control=True)
    return made


def _families(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return the name without its options or preset of each label, where it is a known one."""
    longest = sorted(known, key=len, reverse=True)
    return {name: next((k for k in longest if re.match(rf"{re.escape(k)}(?=[-:]|$)", name)), name) for name in names}


def _place_in_family(name: str, families: Mapping[str, str]) -> int:
    """Return 0 for the bare name, and for labels with options their place by name."""
    family = families[name]
    members = sorted(other for other, of in families.items() if of == family and other != family)
    return 0 if name == family else members.index(name) + (family in families)
