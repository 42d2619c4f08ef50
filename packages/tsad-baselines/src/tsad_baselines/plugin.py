"""What tsad-baselines offers: nothing yet."""

from tsad_core import Entry, hookimpl


@hookimpl
def tsad_detectors() -> list[Entry]:
    """Name the detectors; MIXAD, SLMR, AMSL and TimeVQVAE-AD will stand here."""
    return []
