"""How far into the future a detector looks: how many steps after a step its score still depends on."""

import contextlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from tsad_core.detector import Detector, Redrawn, detect
from tsad_core.errors import Skip, Undefined
from tsad_core.series import Array
from tsad_core.windows import starts_within

_EXCERPT = 2500
_CUTS = 7
_GOLDEN = (math.sqrt(5) - 1) / 2


def look_ahead(detector: Detector, test_TC: Array, starts: tuple[int, ...] = (0,)) -> float:
    """Return how many steps after a step the score of a fitted detector still depends on, measured.

    0 for a causal detector, ``w - 1`` for scores averaged over all windows of ``w`` steps, `math.inf`
    where even the first score depends on the last step, as when scores are scaled by the whole part
    or windows are longer than the excerpt.

    The first 2,500 steps are scored as they are, and with other futures. At seven places in their second
    half, each in the second half of its segment, they are cut short; at three of these, every channel
    jumps about instead, far above and below its range (an excursion). Cuts show most; excursions show
    what a cut cannot if an extreme of the whole part counts and lies before it, as for scores divided
    by their maximum. What a future changes lies at most the look-ahead before it; the farthest change
    counts, and futures that the detector skips do not.

    So this is a lower bound: a dependence that no future brings out, or that changes no score by 1e-5
    of the range of the unchanged excerpt's, is not seen, and windows at a stride may fall short by a
    part of the stride.

    >>> from tsad_core.controls import PCA
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> look_ahead(PCA(window=20).fit(X), X)
    19.0

    A detector of noise, and one that skips the excerpt or each of its futures, raise `Undefined`.
    """
    if isinstance(detector, Redrawn):
        raise Undefined("noise has no look-ahead")
    excerpt_TC = test_TC[:_EXCERPT]
    if len(excerpt_TC) < 2:
        raise Undefined("a look-ahead needs 2 steps or more to be seen")
    try:
        whole_T = _scores(detector, excerpt_TC, starts)
    except Skip as skip:
        raise Undefined(f"the detector skips the series: {skip}") from skip
    found = [_reaches(detector, whole_T, futures, starts) for futures in _futures(excerpt_TC, starts)]
    if not any(found):
        raise Undefined("the detector skips the series cut short, and with an excursion")
    if any(reaches and all(cut == reach for cut, reach in reaches.items()) for reaches in found):
        return math.inf
    return float(max(reach for reaches in found for reach in reaches.values()))


def _futures(excerpt_TC: Array, starts: tuple[int, ...]) -> tuple[dict[int, Array], dict[int, Array]]:
    """Return the excerpt cut short and with excursions, by the steps that stay as they were."""
    cuts = _cuts(len(excerpt_TC), starts)
    return {cut: excerpt_TC[:cut] for cut in cuts}, {cut: _excursion(excerpt_TC, cut) for cut in cuts[::-3]}


def _excursion(excerpt_TC: Array, cut: int) -> Array:
    # fmin and fmax pass over what is missing; a channel of nothing else counts as zero
    low_C, high_C = np.nan_to_num(np.fmin.reduce(excerpt_TC)), np.nan_to_num(np.fmax.reduce(excerpt_TC))
    range_C = np.where(high_C > low_C, high_C - low_C, np.maximum(np.abs(high_C), 1))
    rng = np.random.default_rng(0)
    far_TC = rng.uniform(5, 10, size=excerpt_TC[cut:].shape) * range_C
    tail_TC = np.where(rng.random(far_TC.shape) < 0.5, low_C - far_TC, high_C + far_TC)
    return np.concatenate([excerpt_TC[:cut], tail_TC.astype(excerpt_TC.dtype)])


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
    return detect(detector, part_TC, starts_within(starts, 0, len(part_TC))).scores_T


def _reaches(
    detector: Detector, whole_T: Array, futures: Mapping[int, Array], starts: tuple[int, ...]
) -> dict[int, int]:
    """Return how far before each cut scores change; the cut itself if the very first one does."""
    reaches: dict[int, int] = {}
    for cut, part_TC in futures.items():
        with contextlib.suppress(Skip):
            reaches[cut] = _reach(whole_T, _scores(detector, part_TC, starts)[:cut])
    return reaches


def _reach(whole_T: Array, kept_T: Array) -> int:
    same_T = np.isclose(kept_T, whole_T[: len(kept_T)], rtol=1e-6, atol=1e-5 * float(np.ptp(whole_T)))
    return 0 if same_T.all() else len(kept_T) - int(np.argmin(same_T))
