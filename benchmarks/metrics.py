"""Seconds, peak memory and growth of the metrics of labels and scores, and how much longer other packages take.

Run as ``python benchmarks/metrics.py [STEPS ...] [--peers STEPS]``. Labels are 5 % anomalous in events of 100
steps, the window is 100, scores are random float64. Each line gives a call on fresh arrays, its sort included.
The last column is the time over ``n log2 n``. It rises with the length even where the work does not,
as the caches are outgrown, and how much depends on the order in which memory is read. So there are two yardsticks:
``np.sort``, which moves values alone, for what needs no more than sorted scores; and ``np.argsort``, which reads
scores out of order and may rise severalfold from 1e4 to 1e7 steps, for the oracles, which sort steps and then read
labels in that order. A task has outgrown ``n log n`` if its ratio to its yardstick keeps rising up to the longest
series; a rise at one length, where a cache is full, is no sign of that.

Then ours and every peer that is installed are timed in turn, on the same arrays in the same run, at ``--peers`` steps
(0: not at all). TimeEval needs NumPy 1 and is not among them.
"""

import argparse
import math
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from tsad_core.metrics import (
    affiliation_f1,
    affiliation_f1_oracle,
    auc_pr,
    auc_pr_trapezoid,
    auc_roc,
    composite_f1_oracle,
    event_f1_oracle,
    f1,
    f1_oracle,
    nab_score_oracle,
    pa_f1_oracle,
    pa_k_auc_oracle,
    pa_k_f1_oracle,
    r_auc_pr,
    r_auc_roc,
    range_auc_pr,
    range_f1,
    range_f1_oracle,
    top_5,
    ucr_hit,
    vus_pr,
    vus_roc,
)
from tsad_core.series import Array

REPEATS = 5
WINDOW = 100

Given = dict[str, Array]
Task = Callable[[Given], object]


def in_turn(*metrics: Callable[..., float], **options: Any) -> Task:
    """Return a task that calls metrics one after the other, so that they share work."""
    return lambda given: [metric(**given, **options) for metric in metrics]


def calibrated(metric: Callable[..., float], **options: Any) -> Task:
    """Return a task that calls a metric with as many calibration scores as steps."""
    return lambda given: metric(**given, calibration_T=given["scores_T"], **options)


def volumes(definition: str) -> Task:
    """Return the task of both volumes in turn."""
    return in_turn(vus_roc, vus_pr, window=WINDOW, definition=definition)


def ranges(definition: str) -> Task:
    """Return the task of both areas at one width in turn."""
    return in_turn(r_auc_roc, r_auc_pr, window=WINDOW, definition=definition)


def everything(given: Given) -> None:
    """Call all of `TASKS` on one series, so that they share what they can."""
    for task in TASKS.values():
        task(given)


YARDSTICKS: dict[str, Task] = {
    "np.sort": lambda given: np.sort(given["scores_T"]),
    "np.argsort": lambda given: np.argsort(given["scores_T"]),
}
"""What numpy takes to sort scores, and steps by their scores."""

TASKS: dict[str, Task] = {
    "auc-pr": in_turn(auc_pr),
    "auc-pr-trapezoid": in_turn(auc_pr_trapezoid),
    "auc-roc": in_turn(auc_roc),
    "vus-roc + vus-pr, tsb-ad": volumes("tsb-ad"),
    "vus-roc + vus-pr, mma": volumes("mma"),
    "vus-roc + vus-pr, aeon": volumes("aeon"),
    "vus-roc + vus-pr, timeeval": volumes("timeeval"),
    "r-auc-roc + r-auc-pr, tsb-ad": ranges("tsb-ad"),
    "r-auc-roc + r-auc-pr, timeeval": ranges("timeeval"),
    "f1": calibrated(f1),
    "f1-oracle": in_turn(f1_oracle),
    "event-f1-oracle + composite-f1-oracle": in_turn(event_f1_oracle, composite_f1_oracle),
    "pa-f1-oracle": in_turn(pa_f1_oracle),
    "pa-k-f1-oracle": in_turn(pa_k_f1_oracle),
    "pa-k-auc-oracle": in_turn(pa_k_auc_oracle),
    "pa-f1-oracle, 100 thresholds": in_turn(pa_f1_oracle, grid=100),
    "affiliation-f1, one threshold": calibrated(affiliation_f1),
    "affiliation-f1-oracle, 100 thresholds": in_turn(affiliation_f1_oracle, grid=100),
    "affiliation-f1-oracle, 250 thresholds": in_turn(affiliation_f1_oracle, grid=250),
    "affiliation-f1-oracle, all": in_turn(affiliation_f1_oracle),
    "range-f1, one threshold": calibrated(range_f1),
    "range-f1-oracle, 100 thresholds": in_turn(range_f1_oracle, grid=100),
    "range-f1-oracle, 250 thresholds": in_turn(range_f1_oracle, grid=250),
    "range-f1-oracle, all": in_turn(range_f1_oracle),
    "range-auc-pr": in_turn(range_auc_pr),
    "nab-score-oracle": in_turn(nab_score_oracle),
}
"""By name; each is timed at every length."""

ONE_EVENT: dict[str, Task] = {"ucr-hit": in_turn(ucr_hit), "top-5": in_turn(top_5)}
"""Those that take series with one event."""


def _aeon(name: str, **options: Any) -> Task:
    peer = getattr(import_module("aeon.benchmarking.metrics.anomaly_detection"), name)
    return lambda given: peer(given["labels_T"].astype(int), given["scores_T"], **options)


def _scikit_learn(name: str) -> Task:
    peer = getattr(import_module("sklearn.metrics"), name)
    return lambda given: peer(given["labels_T"], given["scores_T"])


def _vus_authors(module: str, name: str) -> Task:
    peer = getattr(import_module(module), name)()
    return lambda given: peer.RangeAUC_volume_opt(given["labels_T"].astype(int), given["scores_T"], WINDOW)


def _tsb_ad(name: str) -> Task:
    peer = getattr(import_module("TSB_AD.evaluation.basic_metrics").basic_metricor(), name)
    return lambda given: peer(given["labels_T"].astype(int), given["scores_T"])


def _both(first: Task, second: Task) -> Task:
    return lambda given: (first(given), second(given))


PEERS: list[tuple[str, str, Callable[[], Task]]] = [
    ("auc-pr", "scikit-learn", lambda: _scikit_learn("average_precision_score")),
    ("auc-roc", "scikit-learn", lambda: _scikit_learn("roc_auc_score")),
    ("auc-pr-trapezoid", "aeon", lambda: _aeon("pr_auc_score")),
    (
        "vus-roc + vus-pr, aeon",
        "aeon",
        lambda: _both(
            _aeon("range_roc_vus_score", max_buffer_size=WINDOW), _aeon("range_pr_vus_score", max_buffer_size=WINDOW)
        ),
    ),
    ("vus-roc + vus-pr, tsb-ad", "TSB-AD", lambda: _vus_authors("TSB_AD.evaluation.basic_metrics", "basic_metricor")),
    ("vus-roc + vus-pr, tsb-ad", "vus", lambda: _vus_authors("vus.utils.metrics", "metricor")),
    ("pa-f1-oracle, 100 thresholds", "TSB-AD", lambda: _tsb_ad("metric_PointF1PA")),
    ("affiliation-f1-oracle, 100 thresholds", "TSB-AD", lambda: _tsb_ad("metric_Affiliation")),
    ("range-f1-oracle, 100 thresholds", "TSB-AD", lambda: _tsb_ad("metric_RF1")),
]
"""Our task, the peer's distribution, and how to load what it does instead."""


def labels(steps: int, *, events: int) -> Array:
    """Return labels with that many events of 100 steps at even distances."""
    labels_T = np.zeros(steps, dtype=bool)
    for start in np.linspace(50, steps - 150, events).astype(int):
        labels_T[start : start + 100] = True
    return labels_T


def fresh(steps: int, *, seed: int, events: int) -> Given:
    """Return read-only labels and scores, so that metrics may share work on them."""
    given = {"labels_T": labels(steps, events=events), "scores_T": np.random.default_rng(seed).random(steps)}
    for values_T in given.values():
        values_T.flags.writeable = False
    return given


def seconds(task: Task, given: Given) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    task(given)
    return time.perf_counter() - start


def peak(task: Task, given: Given) -> float:
    """Return the peak of further memory in MB."""
    tracemalloc.start()
    task(given)
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest / 1e6


def installed() -> Iterator[tuple[str, str, Task]]:
    """Yield our task, the peer with its version, and its task, for the peers that can be loaded."""
    for ours, distribution, load in PEERS:
        try:
            yield ours, f"{distribution} {version(distribution)}", load()
        except ImportError as error:
            print(f"{'':12}{distribution} is left out: {error}")


def print_lengths(lengths: list[int]) -> None:
    """Print one line per length and task."""
    print(f"{'steps':>10}  {'task':38} {'seconds':>9} {'peak MB':>8} {'ns / n log2 n':>14}")
    for steps in lengths:
        for name, task in {**YARDSTICKS, **TASKS, "all of these on one series": everything, **ONE_EVENT}.items():
            events = 1 if name in ONE_EVENT else max(steps // 2000, 1)
            times = [seconds(task, fresh(steps, seed=seed, events=events)) for seed in range(REPEATS)]
            middle, memory = statistics.median(times), peak(task, fresh(steps, seed=REPEATS, events=events))
            growth = middle * 1e9 / (steps * math.log2(steps))
            print(f"{steps:>10}  {name:38} {middle:9.4f} {memory:8.1f} {growth:14.3f}", flush=True)


def print_peers(steps: int, repeats: int) -> None:
    """Print one line per installed peer; ours and theirs take turns."""
    print(f"\n{'steps':>10}  {'task':38} {'peer':22} {'ours s':>9} {'peer s':>9} {'ratio':>8}")
    for name, peer, task in installed():
        ours, theirs = [], []
        for seed in range(repeats):
            given = fresh(steps, seed=seed, events=max(steps // 2000, 1))
            ours.append(seconds(TASKS[name], given))
            theirs.append(seconds(task, given))
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"{steps:>10}  {name:38} {peer:22} {a:9.4f} {b:9.4f} {b / a:8.1f}", flush=True)


def main() -> None:
    """Print ours at every length, then ours against the peers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("steps", nargs="*", type=float, default=[1e4, 1e5, 1e6, 1e7])
    parser.add_argument("--peers", type=float, default=1e4, metavar="STEPS", help="length at which peers are timed")
    parser.add_argument("--repeats", type=int, default=3, help="how often ours and a peer take turns")
    arguments = parser.parse_args()
    print_lengths([int(steps) for steps in arguments.steps])
    if arguments.peers:
        print_peers(int(arguments.peers), arguments.repeats)


if __name__ == "__main__":
    main()
