"""The random states that all code of a process shares, and that no detector may touch."""

import contextlib
import pickle
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class _Shared:
    """A shared random state: how to read, write and seed it."""

    read: Callable[[], Any]
    write: Callable[[Any], object]
    seed: Callable[[int], object]


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed every shared random state, and put back what was there."""
    before = {name: shared.read() for name, shared in _states().items()}
    try:
        for shared in _states().values():
            shared.seed(seed)
        yield
    finally:
        for name, state in before.items():
            _states()[name].write(state)


def fingerprints() -> dict[str, bytes]:
    """Return what tells a shared random state from another, by the name of its library."""
    return {name: pickle.dumps(shared.read()) for name, shared in _states().items()}


def _states() -> dict[str, _Shared]:
    states = {
        "random": _Shared(random.getstate, random.setstate, random.seed),
        # the legacy state is the shared one: a generator belongs to whoever made it
        "numpy.random": _Shared(np.random.get_state, np.random.set_state, np.random.seed),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        # as an array: a pickled tensor holds its address in memory
        states["torch"] = _Shared(
            lambda: torch.get_rng_state().numpy(),
            lambda state: torch.set_rng_state(torch.from_numpy(state)),
            torch.manual_seed,
        )
    return states
