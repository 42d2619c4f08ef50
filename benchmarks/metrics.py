"""Seconds and peak memory of the metrics of labels and scores, by length of the series.

Run as ``python benchmarks/metrics.py [STEPS ...]``. Labels are 5 % anomalous in events of 100 steps,
the window is 100, scores are random float64. Each line gives the first call (which sorts) and, for
metrics called after another on the same read-only arrays, the call that shares the sort.
"""

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from tsad_core.metrics import auc_pr, auc_roc, f1, top_5, ucr_hit, vus_pr, vus_roc
from tsad_core.series import Array

REPEATS = 5


def labels(steps: int, *, events: int) -> Array:
    """Return labels with that many events of 100 steps at even distances."""
    labels_T = np.zeros(steps, dtype=bool)
    for start in np.linspace(50, steps - 150, events).astype(int):
        labels_T[start : start + 100] = True
    return labels_T


def read_only(values: Array) -> Array:
    """Return a copy that metrics may share work on."""
    copy = values.copy()
    copy.flags.writeable = False
    return copy


def measure(task: Callable[[dict[str, Array]], object], steps: int, *, events: int) -> tuple[float, float]:
    """Return the median seconds over fresh arrays, and the peak of further memory in MB."""
    rng = np.random.default_rng(0)
    marks_T = read_only(labels(steps, events=events))
    seconds = []
    for _ in range(REPEATS):
        given = {"labels_T": marks_T, "scores_T": read_only(rng.random(steps))}
        start = time.perf_counter()
        task(given)
        seconds.append(time.perf_counter() - start)
    given = {"labels_T": marks_T, "scores_T": read_only(rng.random(steps))}
    tracemalloc.start()
    task(given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return statistics.median(seconds), peak / 1e6


def both_volumes(given: dict[str, Array]) -> None:
    """VUS-ROC and VUS-PR in turn."""
    vus_roc(**given, window=100)
    vus_pr(**given, window=100)


def ranking(given: dict[str, Array]) -> None:
    """Every metric of the ranking, in turn."""
    both_volumes(given)
    auc_pr(**given)
    auc_roc(**given)


def calibrated_f1(given: dict[str, Array]) -> None:
    """F1 with as many calibration scores as steps."""
    f1(**given, calibration_T=given["scores_T"])


TASKS: dict[str, tuple[Callable[[dict[str, Array]], object], bool]] = {
    "np.sort": (lambda given: np.sort(given["scores_T"]), False),
    "auc-pr": (lambda given: auc_pr(**given), False),
    "auc-roc": (lambda given: auc_roc(**given), False),
    "vus-roc + vus-pr": (both_volumes, False),
    "all four, one sort": (ranking, False),
    "f1": (calibrated_f1, False),
    "ucr-hit": (lambda given: ucr_hit(**given), True),
    "top-5": (lambda given: top_5(**given), True),
}


def main() -> None:
    """Print one line per length and task."""
    print(f"{'steps':>10}  {'task':20} {'seconds':>9} {'peak MB':>8}")
    for steps in [int(float(text)) for text in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        for name, (task, one_event) in TASKS.items():
            seconds, peak = measure(task, steps, events=1 if one_event else max(steps // 2000, 1))
            print(f"{steps:>10}  {name:20} {seconds:9.4f} {peak:8.1f}")


if __name__ == "__main__":
    main()
