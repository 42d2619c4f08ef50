"""The health of series, examined by several processes: are they good tests, or would a control alone solve them?"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from tsad_core import DataError, OptionError, Registry, Series, Skip, TsadError, find_plugins
from tsad_core.detector import detect, fit
from tsad_core.errors import did_you_mean
from tsad_core.health import Health, flags, health_of, separated
from tsad_core.options import Option
from tsad_core.windows import period

from tsad_bench.cells import nearest
from tsad_bench.data.reading import read_series
from tsad_bench.environment import THREAD_VARIABLES
from tsad_bench.interrupts import HELD
from tsad_bench.plugins import make_detector, open_dataset

CONTROLS = ("moving-average", "pca", "k-means")
THOROUGH = (*CONTROLS, "matrix-profile")

Options = Mapping[str, Mapping[str, Option]]


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A series to examine, and how."""

    dataset: str
    series: str
    home: Path | None
    options: Options
    """Of data sets and controls, by their names."""
    controls: tuple[str, ...] = CONTROLS


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found out about one series, or why it cannot be read."""

    dataset: str
    series: str
    fault: str = ""
    health: Health | None = None
    solved_by: tuple[str, ...] = ()
    """The controls that some threshold makes alarm in every event and, a period's margin aside, nowhere else."""
    steps: tuple[int, int] = (0, 0)
    """Of the training part and of the test part."""
    channels: int = 0

    @property
    def flags(self) -> tuple[str, ...]:
        """What is remarkable, as `tsad_core.health.FLAGS` has it."""
        return flags(self.health) if self.health else ()


def admit(
    registry: Registry, names: Sequence[str], *, home: Path | None, options: Options, thorough: bool = False
) -> list[Patient]:
    """Return the series that ``NAME`` or ``NAME:SERIES`` stand for, each once; none is read."""
    controls = THOROUGH if thorough else CONTROLS
    _check_owners(options, [*controls, *(name.partition(":")[0] for name in names)])
    chosen: dict[tuple[str, str], None] = {}
    for name in names:
        dataset, colon, one = name.partition(":")
        series = open_dataset(registry, dataset, options.get(dataset, {}), home)
        if colon and one not in series:
            raise DataError(f"data set {dataset} has no series {one!r}; {nearest(one, list(series))}")
        chosen |= dict.fromkeys((dataset, each) for each in ([one] if colon else series))
    return [
        Patient(dataset=dataset, series=series, home=home, options=options, controls=controls)
        for dataset, series in chosen
    ]


def examine(registry: Registry, patient: Patient) -> Finding:
    """Return what is found out about one series."""
    found = partial(Finding, dataset=patient.dataset, series=patient.series)
    try:
        opened = open_dataset(registry, patient.dataset, patient.options.get(patient.dataset, {}), patient.home)
        series = read_series(registry, patient.dataset, patient.series, opened[patient.series])
        solved = [name for name in patient.controls if _solves(registry, name, series, patient.options)]
    except TsadError as error:
        return found(fault=str(error))
    return found(
        health=health_of(series),
        solved_by=tuple(solved),
        steps=(len(series.train_TC), len(series.test_TC)),
        channels=len(series.channels),
    )


def examine_all(registry: Registry, patients: Sequence[Patient], *, jobs: int) -> Iterator[Finding]:
    """Yield what is found out about each series, in their order, as it comes."""
    if min(jobs, len(patients)) <= 1:
        yield from (examine(registry, patient) for patient in patients)
        return
    with _pool(min(jobs, len(patients))) as pool:
        try:
            with _deaf():
                found = pool.map(_examine_in_worker, patients)
            yield from found
        except BrokenProcessPool as error:
            raise DataError("a worker process was lost, perhaps for want of memory; try fewer --jobs") from error


def _solves(registry: Registry, name: str, series: Series, options: Options) -> bool:
    if series.labels_T is None or not series.labels_T.any():
        return False
    detector = make_detector(registry, name, options.get(name, {}))
    try:
        fit(detector, series.train_TC, series.train_starts)
        scores_T = detect(detector, series.test_TC, series.test_starts).scores_T
    except Skip:
        return False
    return separated(series.labels_T, scores_T, margin=period(series.train_TC))


def _check_owners(options: Iterable[str], known: list[str]) -> None:
    for owner in options:
        if owner not in known:
            raise OptionError(f"--set names {owner!r}, which is not examined here; {did_you_mean(owner, known)}")


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of single-threaded processes, which end at once when it is left, done or not."""
    others = set(multiprocessing.active_children())
    with _environment(dict.fromkeys(THREAD_VARIABLES, "1")):
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_begin)
        try:
            yield pool
        finally:
            for process in set(multiprocessing.active_children()) - others:
                process.kill()
            pool.shutdown(cancel_futures=True)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the processes started meanwhile: libraries read them when they are loaded."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _deaf() -> Iterator[None]:
    """Start processes that no request to stop reaches: their parent hears it once they are started, and ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Prepare a worker: it ends when its parent does, and no longer lets a termination wait."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker of a pool has a parent"
    parent.join()
    os._exit(1)


def _examine_in_worker(patient: Patient) -> Finding:
    return examine(_worker_registry(), patient)


@cache
def _worker_registry() -> Registry:
    return find_plugins()
