"""Kinds that change values in place: each struck part by itself, steps, labels and channels as they were."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from tsad_core.corruption.kind import Change, Dose
from tsad_core.series import Array, Series


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a clean series, with the dose it is given."""

    series: Series
    name: str
    """``train`` or ``test``."""
    values_TC: Array
    """Its clean values."""
    dose: Dose

    @property
    def segments(self) -> list[tuple[int, int]]:
        """First step of each independent segment, and the step after its last."""
        return list(pairwise([*getattr(self.series, f"{self.name}_starts"), len(self.values_TC)]))

    def rng(self) -> np.random.Generator:
        """Return the random stream of this part."""
        return self.dose.rng(self.name)

    def shared_rng(self) -> np.random.Generator:
        """Return the random stream that both parts have in common, for what belongs to a channel."""
        return self.dose.rng("channels")

    def onset(self, rng: np.random.Generator, segment: tuple[int, int]) -> int:
        """Return a random step in the first half of a segment."""
        start, stop = segment
        return start + int(rng.integers((stop - start + 1) // 2))


Strike = Callable[[Part], Array]
"""What returns the changed values of a part."""


def in_place(strike: Strike, **fields: Any) -> Callable[[Series, Dose], Change]:
    """Return what lets a strike change the parts of a dose, and sets these fields of the series."""

    def apply(series: Series, dose: Dose) -> Change:
        clean = {name: getattr(series, f"{name}_TC") for name in dose.touches}
        changed: dict[str, Any] = {f"{k}_TC": strike(Part(series, k, v_TC, dose)) for k, v_TC in clean.items()}
        return Change(replace(series, **changed, **fields))

    return apply
