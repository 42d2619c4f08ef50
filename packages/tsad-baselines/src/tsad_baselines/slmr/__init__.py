"""SLMR: split convolutions under a learnt mask, a forecast and a reconstruction from one state."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsad_baselines.slmr.detector import SLMR

__all__ = ["SLMR"]


def __getattr__(name: str) -> Any:
    # torch is loaded by whoever asks for the detector, not by who lists plugins
    if name == "SLMR":
        from tsad_baselines.slmr.detector import SLMR

        return SLMR
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
