"""How far into the future a detector looks: how many steps after a step its score still depends on."""

import math
from collections.abc import Sequence

import numpy as np

from tsad_core.detector import Detector, Redrawn, detect
from tsad_core.errors import Skip, Undefined
from tsad_core.series import Array

_EXCERPT = 2500
_CUTS = 7
_GOLDEN = (math.sqrt(5) - 1) / 2


def look_ahead(detector: Detector, test_TC: Array, starts: tuple[int, ...] = (0,)) -> float:
    """Return how many steps after a step the score of a fitted detector still depends on, measured.

    0 for a causal detector, ``w - 1`` for scores averaged over all windows of ``w`` steps, `math.inf`
    where even the first score depends on the last step, as when scores are scaled by the whole part
    or windows are longer than the excerpt.

    The first 2,500 steps are scored whole and cut short at seven places in their second half, each in
    the second half of its segment; what a cut changes lies at most the look-ahead before it. So this
    is a lower bound: a dependence that the excerpt does not bring out, or that changes no score by
    1e-5 of their range, is not seen, and windows at a stride may fall short by a part of the stride.

    >>> from tsad_core.controls import PCA
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> look_ahead(PCA(window=20).fit(X), X)
    19.0

    A detector of noise, and one that takes neither the excerpt nor any part of it, raise `Undefined`.
    """
    if isinstance(detector, Redrawn):
        raise Undefined("noise has no look-ahead")
    excerpt_TC = test_TC[:_EXCERPT]
    if len(excerpt_TC) < 2:
        raise Undefined("a look-ahead needs 2 steps or more to be seen")
    try:
        whole_T = _scores(detector, excerpt_TC, starts)
        found = [_reach(whole_T, cut_T) for cut_T in _cut_short(detector, excerpt_TC, starts)]
    except Skip as skip:
        raise Undefined(f"the detector skips every part of the series: {skip}") from skip
    return math.inf if all(to_the_first for _, to_the_first in found) else float(max(reach for reach, _ in found))


def _cut_short(detector: Detector, excerpt_TC: Array, starts: tuple[int, ...]) -> list[Array]:
    """Return the scores of the excerpt's beginnings; if all are skipped, the last `Skip` is raised."""
    scores: list[Array] = []
    skipped = Skip("there is nothing to cut")
    for cut in _cuts(len(excerpt_TC), starts):
        try:
            scores.append(_scores(detector, excerpt_TC[:cut], starts))
        except Skip as skip:
            skipped = skip
    if not scores:
        raise skipped
    return scores


def _cuts(steps: int, starts: tuple[int, ...]) -> Sequence[int]:
    # multiples of the golden section: spread evenly, and out of step with whatever stride
    half = steps // 2
    spread = {half + int(half * (k * _GOLDEN % 1)) for k in range(_CUTS)} - {0}
    return sorted({_past_the_middle(cut, (*starts, steps)) for cut in spread})


def _past_the_middle(cut: int, edges: tuple[int, ...]) -> int:
    """Move a cut out of the first half of its segment, where a warm-up passes for looking ahead."""
    start, stop = max(edge for edge in edges if edge < cut), min(edge for edge in edges if edge >= cut)
    half = (stop - start) // 2
    return cut if cut - start >= half else cut + half


def _scores(detector: Detector, part_TC: Array, starts: tuple[int, ...]) -> Array:
    return detect(detector, part_TC, tuple(start for start in starts if start < len(part_TC))).scores_T


def _reach(whole_T: Array, cut_T: Array) -> tuple[int, bool]:
    """Return how far before the cut the scores change, and whether the very first one does."""
    kept_T = whole_T[: len(cut_T)]
    same_T = np.isclose(cut_T, kept_T, rtol=1e-6, atol=1e-5 * float(np.ptp(whole_T)))
    first = len(cut_T) if same_T.all() else int(np.argmin(same_T))
    return len(cut_T) - first, first == 0
