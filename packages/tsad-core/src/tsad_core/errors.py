"""What can go wrong, in words for the person who can mend it."""

import difflib
from collections.abc import Iterable


class TsadError(Exception):
    """Something the user can mend: shown as one line, without a traceback."""


class OptionError(TsadError):
    """An option that does not exist, or a value it does not take."""


class PluginError(TsadError):
    """A plugin, or a name a plugin should offer, that cannot be used."""


class DataError(TsadError):
    """Data that is missing, broken or not in the expected form."""


class MissingDataError(DataError):
    """A data set whose files are not at hand; the message says what to get and where to put it."""


class ContractError(TsadError):
    """A detector, data set or metric that returned what its contract forbids."""


class Skip(TsadError):  # noqa: N818 - a status with a reason, not a fault
    """A detector cannot take this series; the cell ends ``skipped`` with the reason."""


class Undefined(TsadError):  # noqa: N818 - a status with a reason, not a fault
    """A metric has no value here; the cell stays done and the metric carries the reason."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return what to say of an unknown name: the nearest one that is known, or all there are."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none'}"
