"""What tsad-baselines offers."""

from tsad_core import Entry, hookimpl


@hookimpl
def tsad_detectors() -> list[Entry]:
    """Name the detectors."""
    return [
        Entry("amsl", "tsad_baselines.amsl.detector:AMSL", "seven views of a window, rebuilt from memories"),
        Entry("mixad", "tsad_baselines.mixad.detector:MIXAD", "memory-augmented graph GRU: shifts of its memory's use"),
        Entry("slmr", "tsad_baselines.slmr.detector:SLMR", "split convolutions: a forecast and a reconstruction"),
        Entry(
            "timevqvae-ad",
            "tsad_baselines.timevqvae_ad.detector:TimeVQVAEAD",
            "tokens of a spectrogram, and how likely a prior finds hidden ones",
        ),
    ]
