"""What tsad-baselines offers."""

from tsad_core import Entry, hookimpl


@hookimpl
def tsad_detectors() -> list[Entry]:
    """Name the detectors; AMSL and TimeVQVAE-AD will stand here too."""
    return [
        Entry("mixad", "tsad_baselines.mixad.detector:MIXAD", "memory-augmented graph GRU: shifts of its memory's use"),
        Entry("slmr", "tsad_baselines.slmr.detector:SLMR", "split convolutions: a forecast and a reconstruction"),
    ]
