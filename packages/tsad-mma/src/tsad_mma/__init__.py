"""The MLP-Mixer masked autoencoder (MMA), a detector for time series."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsad_mma.detector import MMA

__all__ = ["MMA"]


def __getattr__(name: str) -> Any:
    # torch is loaded by whoever asks for the detector, not by who lists plugins
    if name == "MMA":
        from tsad_mma.detector import MMA

        return MMA
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
