"""What tsad-mma offers."""

from tsad_core import Entry, hookimpl


@hookimpl
def tsad_detectors() -> list[Entry]:
    """Name the detectors."""
    return [Entry("mma", "tsad_mma.detector:MMA", "MLP-Mixer masked autoencoder of patches")]
