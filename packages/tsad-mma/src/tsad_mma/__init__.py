"""The MLP-Mixer masked autoencoder (MMA), a detector for time series."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsad_mma.detector import MMA
    from tsad_mma.together import fit_together

__all__ = ["MMA", "fit_together"]


def __getattr__(name: str) -> Any:
    # torch is loaded by whoever asks for the detector, not by who lists plugins
    if name == "MMA":
        from tsad_mma.detector import MMA

        return MMA
    if name == "fit_together":
        from tsad_mma.together import fit_together

        return fit_together
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
