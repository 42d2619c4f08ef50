"""The numbers of other packages, and small series of every shape."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest


class Case(NamedTuple):
    """One case of one column: what the peer was given, and its number."""

    kind: str
    labels_T: np.ndarray
    scores_T: np.ndarray
    alarmed_T: np.ndarray
    value: float


@pytest.fixture(scope="session")
def peer_cases(data_home: Path) -> Callable[[str, str], Iterator[Case]]:
    """Cases in which a peer, named by the first word of its column, gives a number."""
    path = data_home.parent / "parity" / "metrics_open.npz"
    if not path.exists():
        pytest.skip("there is no parity folder beside TSAD_DATA")
    with np.load(path, allow_pickle=False) as file:
        parity = dict(file)

    def cases(peer: str, metric: str) -> Iterator[Case]:
        peers = np.array([name.split()[0] for name in parity["column_peer"]])
        (column,) = np.flatnonzero((peers == peer) & (parity["column_metric"] == metric))
        for case in np.flatnonzero(parity["status"][:, column] == 0):
            steps = slice(parity["offset"][case], parity["offset"][case + 1])
            labels_T, alarmed_T = (parity[name][steps].astype(bool) for name in ("label", "pred"))
            yield Case(parity["kind"][case], labels_T, parity["score"][steps], alarmed_T, parity["value"][case, column])

    return cases
