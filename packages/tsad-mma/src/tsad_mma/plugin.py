"""What tsad-mma offers: nothing yet."""

from tsad_core import Entry, hookimpl


@hookimpl
def tsad_detectors() -> list[Entry]:
    """Name the detectors; MMA will stand here."""
    return []
