"""One job, measured: read, fit, calibrate, detect, compute metrics. This is what a worker does."""

import contextlib
import copy
import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tsad_core import Array, DataError, Registry, Series, TsadError
from tsad_core.calibration import split
from tsad_core.detector import Detector, Redrawn, detect, fit, redraw
from tsad_core.thresholds import threshold
from tsad_core.windows import period, starts_within

from tsad_bench import memory, remarks
from tsad_bench.artifacts import DETECTED, write_artifacts
from tsad_bench.cells import SPLIT_RULE, Cell, Job, digest
from tsad_bench.evaluation import Loaded, Subject, as_kept, evaluate_into, load_metrics, under_condition
from tsad_bench.faithfulness.cell import Case, add_to, has_place, hold_open
from tsad_bench.faithfulness.fitted import folder_of
from tsad_bench.kinds import by_kind
from tsad_bench.outcome import Held, Outcome, Settings, ended, unread
from tsad_bench.plugins import make_detector, open_dataset

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """A detector after its fit, with its scores on the part of the training data that it did not see."""

    detector: Detector
    calibration_T: Array
    tail_TC: Array
    tail_starts: tuple[int, ...]
    split: str
    seconds: float


@dataclass(frozen=True)
class Bench:
    """What the cells of one job share."""

    series: Series
    """The clean one."""
    fitted: Fitted
    metrics: Loaded
    settings: Settings


def run_job(job: Job, settings: Settings, registry: Registry) -> Iterator[Outcome | Held]:
    """Yield the outcome of each cell of a job. A cell that fails is an outcome; nothing is raised.

    The outcome of a cell that is also drawn, or whose detector is probed, is `Held` out first.
    """
    memory.reset_peak()
    started, at_first = time.time(), memory.resident_mb()
    bench = _prepare(job.cells[0], settings, registry)
    probed, to_probe = _probed(job, settings), None
    for cell in job.cells:
        outcome = copy.deepcopy(bench) if isinstance(bench, Outcome) else _run_cell(cell, bench)
        _complete(outcome, cell, registry, at_first=at_first)
        outcome.started, outcome.ended = started, time.time()
        if (cell is probed or cell.slot in settings.pictures) and outcome.status == "done":
            yield Held(outcome)
        if cell.slot in settings.pictures and outcome.facts.get("artifacts") == "kept" and isinstance(bench, Bench):
            _draw(cell, bench)
        if cell is probed and outcome.status == "done":
            to_probe = outcome
        else:
            yield outcome
        started = time.time()
    if to_probe and isinstance(bench, Bench):
        yield from _probe(job, to_probe, bench)
        yield to_probe


def _probed(job: Job, settings: Settings) -> Cell | None:
    """Return the cell that gets what is found out about a job's detector; none if nothing is to be."""
    faithful = [cell for cell in job.cells if settings.faithfulness and has_place(cell)]
    return next(iter(faithful + [cell for cell in job.cells if cell.slot in settings.probed]), None)


def _complete(outcome: Outcome, cell: Cell, registry: Registry, *, at_first: float) -> None:
    """Add what is known of a cell however it ended; memory is in MiB, `at_first` what was held before its job."""
    outcome.slot = cell.slot
    peak = memory.peak_mb()
    outcome.costs |= {"peak-memory-mb": peak, "added-memory-mb": max(peak - at_first, 0.0)}
    offer = registry.offer("detectors", cell.detector)
    outcome.facts = {"distribution": offer.distribution, "version": offer.version, **outcome.facts}
    outcome.key = cell_key(cell, outcome.facts)


def load_libraries(cell: Cell, settings: Settings, registry: Registry) -> None:
    """Import what a cell uses: the first cell of a worker must not be charged for libraries."""
    import pyarrow.parquet  # noqa: F401 - it is used when artefacts are written

    with contextlib.suppress(TsadError):  # told when the cell runs into it
        registry.resolve("datasets", cell.dataset)
        registry.resolve("detectors", cell.detector)
        for choice in settings.metrics.values():
            registry.resolve("metrics", choice.name)


def _prepare(cell: Cell, settings: Settings, registry: Registry) -> Bench | Outcome:
    """Read and fit what a job's cells share; if that fails, their outcome."""
    try:
        clean = read_series(cell, settings, registry)
    except DataError as error:
        return unread(error)
    except Exception as error:  # noqa: BLE001 - this is where one cell runs
        return ended(error)
    try:
        fitted = _fit(cell, under_condition(clean, cell, part="train").series, registry)
        metrics = load_metrics(settings.metrics, registry)
    except Exception as error:  # noqa: BLE001 - this is where one cell runs
        return ended(error)
    return Bench(clean, fitted, metrics, settings)


def read_series(cell: Cell, settings: Settings, registry: Registry) -> Series:
    """Read the clean series of a cell."""
    home = Path(settings.home) if settings.home else None
    read = open_dataset(registry, cell.dataset, cell.dataset_options, home)[cell.series]
    series = read()
    if not isinstance(series, Series):
        raise TypeError(f"data set {cell.dataset} gave {type(series).__name__} for {cell.series}, not a Series")
    return series


def cell_key(cell: Cell, facts: Mapping[str, Any]) -> str:
    """Return the hash of everything that can change a cell's scores; nothing while its data is unknown."""
    if "data" not in facts:
        return ""
    named = ("distribution", "version", "options", "data", "device", "precision", "kernels", "threads")
    key = {name: facts.get(name) for name in named}
    key |= {"detector": cell.detector, "condition": cell.condition, "seed": cell.seed, "split": SPLIT_RULE}
    return digest(key | {"corruption_seed": cell.corruption_seed})


def first_cells(cells: Iterable[Cell], series: int) -> frozenset[str]:
    """Return the slots to look at closely: of each data set's first series, in the first condition and seed."""
    first: dict[tuple[str, ...], str] = {}
    shown: dict[str, list[str]] = {}
    for cell in cells:
        names = shown.setdefault(cell.source, [])
        if cell.series not in names and len(names) < series:
            names.append(cell.series)
        if cell.series in names:
            first.setdefault((cell.label, cell.source, cell.series), cell.slot)
    return frozenset(first.values())


def _fit(cell: Cell, series: Series, registry: Registry) -> Fitted:
    detector = make_detector(registry, cell.detector, cell.options)
    train_TC, starts = series.train_TC, series.train_starts
    stop, tail = split(len(train_TC), gap=period(train_TC))
    before = time.perf_counter()
    fit(detector, train_TC[:stop], starts_within(starts, 0, stop))
    seconds = time.perf_counter() - before
    tail_starts = starts_within(starts, tail, len(train_TC))
    detection = detect(detector, train_TC[tail:], tail_starts)
    rule = "in-sample" if tail < stop else SPLIT_RULE
    return Fitted(detector, as_kept(detection.scores_T), train_TC[tail:], tail_starts, rule, seconds)


def _run_cell(cell: Cell, bench: Bench) -> Outcome:
    try:
        subject = Subject(bench.series, under_condition(bench.series, cell, part="test"))
        seen = subject.corrupted.series
        before = time.perf_counter()
        detection = detect(bench.fitted.detector, seen.test_TC, seen.test_starts)
        costs = {"fit-seconds": bench.fitted.seconds, "score-seconds": time.perf_counter() - before}
        inputs = subject.inputs(detection, bench.fitted.calibration_T)
        outcome = _measured(inputs, subject, bench)
        outcome.undefined |= hold_open(cell, bench.settings.faithfulness)
        if bench.settings.artifacts != "none":
            outcome.facts["artifacts"] = _keep(cell, inputs, bench.settings)
    except Exception as error:  # noqa: BLE001 - this is where one cell runs
        return ended(error)
    outcome.costs = costs
    return outcome


def _keep(cell: Cell, inputs: Mapping[str, Array | None], settings: Settings) -> str:
    """Write a cell's artefacts and say how that went: numbers are not lost because a disk is full.

    A cell that gets a picture keeps what its reasons are drawn from.
    """
    whole = settings.artifacts == "all" or cell.slot in settings.pictures
    try:
        write_artifacts(Path(settings.folder) / cell.slot, inputs, whole=whole)
    except OSError as error:
        logger.warning("%s: no artefacts: %s", cell.place, error)
        return f"not kept: {error.strerror}"
    return "kept"


def _draw(cell: Cell, bench: Bench) -> None:
    """Add a picture to the kept scores of a cell; its time and memory are not the detector's, nor are its faults."""
    from tsad_bench.plots import plot_cell

    try:
        subject = Subject(bench.series, under_condition(bench.series, cell, part="test"))
        plot_cell(Path(bench.settings.folder) / cell.slot, subject.evaluated, title=cell.place)
    except Exception:
        logger.exception("%s: no picture", cell.place)


def _probe(job: Job, outcome: Outcome, bench: Bench) -> Iterator[Held]:
    """Add to an outcome what can be found out about its detector; hold it out whenever there is more to come."""
    if any(cell.slot in bench.settings.probed for cell in job.cells):
        outcome.facts |= _look_ahead(job.cells[0], bench)
    budget, cell = bench.settings.faithfulness, next(cell for cell in job.cells if cell.slot == outcome.slot)
    if budget and has_place(cell):
        yield Held(outcome)
        folder = folder_of(outcome.slot, bench.settings) if budget.others else None
        case = Case(bench.fitted.detector, bench.series, bench.fitted.calibration_T, budget, folder)
        for _ in add_to(outcome, case):
            yield Held(outcome)


def _look_ahead(cell: Cell, bench: Bench) -> dict[str, Any]:
    """Return the look-ahead of the detector alone; a fault in it costs what was to be found."""
    try:
        return remarks.on_detector(bench.fitted.detector, bench.series)
    except Exception:
        logger.exception("%s: its look-ahead cannot be measured", cell.place)
        return {}


def _measured(inputs: Mapping[str, Array | None], subject: Subject, bench: Bench) -> Outcome:
    outcome = Outcome(facts=_facts(subject.corrupted.series, bench) | remarks.on_series(bench.series))
    outcome.facts |= remarks.on_scores(inputs, bench.series)
    outcome.facts |= by_kind(inputs, subject, bench.metrics, bench.settings.headline)
    outcome.facts["gives"] = [name for name in DETECTED if inputs[f"{name}_TC"] is not None]
    evaluate_into(outcome, inputs, bench.metrics)
    if isinstance(bench.fitted.detector, Redrawn) and bench.fitted.detector.draws > 1:
        _redraw(outcome, subject, bench)
    return outcome


def _redraw(outcome: Outcome, subject: Subject, bench: Bench) -> None:
    """Replace each metric by its mean over the detector's draws, and keep all of them."""
    detector = bench.fitted.detector
    assert isinstance(detector, Redrawn)
    seen = subject.corrupted.series
    draws: dict[str, list[float | None]] = {label: [value] for label, value in outcome.metrics.items()}
    for draw in range(1, detector.draws):
        again = Outcome()
        calibration_T = as_kept(redraw(detector, bench.fitted.tail_TC, draw, bench.fitted.tail_starts).scores_T)
        inputs = subject.inputs(redraw(detector, seen.test_TC, draw, seen.test_starts), calibration_T)
        evaluate_into(again, inputs, {label: bench.metrics[label] for label in draws})
        for label, values in draws.items():
            values.append(again.metrics.get(label))
    outcome.draws = draws
    outcome.metrics = {label: float(np.nanmean(np.array(values, dtype=float))) for label, values in draws.items()}


def _facts(series: Series, bench: Bench) -> dict[str, Any]:
    options = _resolved(bench.fitted.detector)
    return {
        "options": options,
        "data": bench.series.digest,
        "split": bench.fitted.split,
        "threads": bench.settings.threads,
        "threshold": threshold(bench.fitted.calibration_T),
        "train-steps": len(series.train_TC),
        "test-steps": len(series.test_TC),
        "channels": series.train_TC.shape[1],
        "device": str(options.get("device", "cpu")),
        "precision": str(options.get("precision", "")),
        "kernels": str(options.get("kernels", "")),
    }


def _resolved(detector: Detector) -> dict[str, Any]:
    """Return a detector's options, ``"auto"`` replaced by what it came to; what JSON cannot hold becomes text."""
    options = detector.get_params()
    found = {name: getattr(detector, f"{name}_", value) for name, value in options.items() if value == "auto"}
    return {name: _plain(value) for name, value in (options | found).items()}


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    finite = isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))
    return value if finite else str(value)
