"""TimeVQVAE-AD: tokens of a window's spectrum, and a masked prior that says how likely each of them is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsad_baselines.timevqvae_ad.detector import TimeVQVAEAD
    from tsad_baselines.timevqvae_ad.periods import digest

__all__ = ["TimeVQVAEAD", "digest"]


def __getattr__(name: str) -> Any:
    # torch is loaded by whoever asks for the detector, not by who lists plugins
    if name == "TimeVQVAEAD":
        from tsad_baselines.timevqvae_ad.detector import TimeVQVAEAD

        return TimeVQVAEAD
    if name == "digest":
        from tsad_baselines.timevqvae_ad.periods import digest

        return digest
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
