"""AMSL: seven views of a window, one encoder, memories, and how well each view is rebuilt."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsad_baselines.amsl.detector import AMSL

__all__ = ["AMSL"]


def __getattr__(name: str) -> Any:
    # torch is loaded by whoever asks for the detector, not by who lists plugins
    if name == "AMSL":
        from tsad_baselines.amsl.detector import AMSL

        return AMSL
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
