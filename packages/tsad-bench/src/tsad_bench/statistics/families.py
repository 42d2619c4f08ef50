"""Which series come from the same source, and so say less together than they seem to."""

import re

_RULES = {
    "ucr": re.compile(r"\d{3}-(?:DISTORTED|NOISE)?\d*(?P<base>\D.*?)\d*"),
    "smd": re.compile(r"(?P<base>machine-\d+)-\d+"),
}
"""By data set: what the names of one source's series have in common."""
_LEADS = ("Tkeep", "ltstdbs30791", "qtdbSel100", "s20101m")
"""Recordings of the UCR archive whose leads are told apart by letters."""


def family(dataset: str, series: str, twin: str = "") -> str:
    """Return the base family of a series: the same for series of one source in one data set.

    In the UCR archive it is the name without its number, ``DISTORTED`` or ``NOISE``, and the
    digits around it, so that all twins and all parts of a recording are one family; in SMD the
    group of machines. Elsewhere it is the group of twins, whose key is `twin`, or the series alone.

    >>> family("ucr", "093-NOISE1sddb40"), family("smd", "machine-1-6"), family("asd", "omi-1")
    ('sddb', 'machine-1', 'omi-1')
    """
    for name, rule in _RULES.items():
        match = rule.fullmatch(series) if dataset == name or dataset.startswith(f"{name}-") else None
        if match:
            base = match["base"]
            return next((lead for lead in _LEADS if base.startswith(lead)), base)
    return twin or series
