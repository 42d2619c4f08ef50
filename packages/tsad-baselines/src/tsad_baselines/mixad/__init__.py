"""MIXAD: a graph GRU with a memory; an anomaly is a channel whose use of the memory shifts."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsad_baselines.mixad.detector import MIXAD

__all__ = ["MIXAD"]


def __getattr__(name: str) -> Any:
    # torch is loaded by whoever asks for the detector, not by who lists plugins
    if name == "MIXAD":
        from tsad_baselines.mixad.detector import MIXAD

        return MIXAD
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
