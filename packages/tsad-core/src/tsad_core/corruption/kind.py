"""A way to corrupt a series: its levels, the parts it can strike, what it does and with which dose."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsad_core.series import Array, Series

PARTS = {
    "none": frozenset[str](),
    "train": frozenset({"train"}),
    "test": frozenset({"test"}),
    "both": frozenset({"train", "test"}),
}
"""What each choice of parts stands for."""


@dataclass(frozen=True)
class Dose:
    """How much of which kind a series is given, where, and the source of its randomness."""

    kind: str
    level: int
    """In the kind's unit."""
    touches: frozenset[str]
    entropy: tuple[int, int]
    """The seed and the digest of the clean series."""

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the random stream of this kind for a purpose, the same at every level."""
        name = int.from_bytes(f"{self.kind}/{purpose}".encode(), "big")
        return np.random.default_rng([*self.entropy, name])


@dataclass(frozen=True, eq=False)
class Change:
    """What a kind made of a series, and where it took its steps from."""

    series: Series
    train_from_T: Array | None = None
    """For each step of the changed training part the clean step that is nearest to it; None: the same step."""
    test_from_T: Array | None = None
    """The same of the test part."""
    clock_T: Array | None = None
    """For each step of the clean test part the changed step that stands for it; None: results stay as they are."""


@dataclass(frozen=True)
class Kind:
    """A way to corrupt a series."""

    summary: str
    """What it does, in one line."""
    unit: str
    """What the level counts: ``percent``, ``dB``, ``count``; empty for none."""
    lowest: int
    highest: int
    neutral: int | None
    """The level at which a series is returned as it is; None if there is none."""
    parts: tuple[str, ...]
    """The choices of parts it can strike, its default first: ``train``, ``test``, ``both``, or ``none``."""
    apply: Callable[[Series, Dose], Change]
    """What it does; it need not expect the neutral level."""
