"""Figures as SVG inside a page: in its colours, light or dark, with names as text, and nothing from elsewhere."""

import io
import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

INK, FAINT = "#010203", "#040506"
"""Stand in a drawing for the page's own colours of text and of rules, and are replaced by them."""
_THEME: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(["text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"], INK),
}


@contextmanager
def figure(width: float, height: float) -> Iterator[Any]:
    """Give a figure of so many inches to draw in, with the page's settings while it is drawn."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_THEME):
        yield Figure(figsize=(width, height), layout="constrained")


def inline(figure: Any, *, name: str, alt: str) -> str:
    """Return a figure as an ``<svg>`` element whose ids begin with `name`, unlike those of other figures."""
    import matplotlib as mpl

    buffer = io.StringIO()
    nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
    with warnings.catch_warnings(), mpl.rc_context({**_THEME, "svg.hashsalt": name}):
        # the browser draws the text, with fonts of its own
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _adapted(buffer.getvalue(), name=name, alt=alt)


def _adapted(text: str, *, name: str, alt: str) -> str:
    from markupsafe import escape

    box = re.search(r'viewBox="([^"]+)"', text)
    assert box, "matplotlib gives every drawing a view box"
    body = text[text.index(">", box.end()) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(<[^>]*?\bid=")', rf"\g<1>{name}-", body).replace("xlink:href", "href")
    body = body.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    body = body.replace(INK, "currentColor").replace(FAINT, "var(--rule)")
    # points as the page's rems: text in a drawing is then as large as that around it, nearly
    width = float(box[1].split()[2]) / 12
    return f'<svg role="img" aria-label="{escape(alt)}" style="width:{width:.1f}rem" viewBox="{box[1]}">{body}'


def spread(
    places: Sequence[float], gap: float, *, low: float = -float("inf"), high: float = float("inf")
) -> list[float]:
    """Return places moved apart, in their order, so that neighbours are `gap` away or more, within limits if they fit.

    >>> spread([0.0, 0.1, 5.0], 1.0)
    [0.0, 1.0, 5.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for first in order[:1]:
        moved[first] = max(moved[first], low)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    for last in order[-1:]:
        moved[last] = min(moved[last], high)
    for after, before in itertools.pairwise(reversed(order)):
        moved[before] = min(moved[before], moved[after] - gap)
    return moved
