"""One job, measured: read, fit, calibrate, detect, compute metrics. This is what a worker does."""

import contextlib
import logging
import math
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tsad_core import Array, Detection, Metric, Registry, Series, Skip, TsadError, Undefined
from tsad_core.corruption import Condition, corrupt
from tsad_core.detector import Detector, Redrawn, detect, fit, redraw
from tsad_core.metric import evaluate
from tsad_core.thresholds import threshold
from tsad_core.windows import period

from tsad_bench import memory
from tsad_bench.artifacts import write_artifacts
from tsad_bench.cells import SPLIT_RULE, Cell, Job, digest
from tsad_bench.plugins import load_metric, make_detector, open_dataset
from tsad_bench.suite import Choice

logger = logging.getLogger(__name__)

Status = Literal["done", "skipped", "failed", "timed-out", "out-of-memory", "waiting"]
"""How a cell ended; ``waiting`` stands only in reports on an execution that is not finished."""
Artifacts = Literal["none", "scores", "all"]

FIT_SHARE = 0.8
REASON, TRACEBACK = 300, 20_000
"""Most characters that are recorded of each."""


@dataclass(frozen=True)
class Settings:
    """What every job of an execution shares."""

    metrics: Mapping[str, Choice]
    folder: str
    """Where a cell's artefacts are written."""
    pictures: frozenset[str] = frozenset()
    """Slots of the cells that get one."""
    home: str | None = None
    artifacts: Artifacts = "scores"
    threads: int = 1


@dataclass
class Outcome:
    """How one cell ended: everything that is recorded about it, ready for JSON."""

    slot: str = ""
    status: Status = "done"
    reason: str = ""
    traceback: str = ""
    key: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    draws: dict[str, list[float | None]] = field(default_factory=dict)
    """Of a detector that is reported as a distribution: each metric's value in every draw, if it has one."""
    costs: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    started: float = 0.0
    ended: float = 0.0


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
    metrics: Mapping[str, tuple[Metric, Mapping[str, Any]]]
    settings: Settings


def run_job(job: Job, settings: Settings, registry: Registry) -> Iterator[Outcome]:
    """Yield the outcome of each cell of a job. A cell that fails is an outcome; nothing is raised."""
    _load_libraries(job.cells[0], settings, registry)
    memory.reset_peak()
    started, held = time.time(), memory.resident_mb()
    bench = _prepare(job.cells[0], settings, registry)
    for cell in job.cells:
        outcome = _ended(bench) if isinstance(bench, Exception) else _run_cell(cell, bench)
        outcome.slot, outcome.started, outcome.ended = cell.slot, started, time.time()
        peak = memory.peak_mb()
        outcome.costs |= {"peak-memory-mb": peak, "added-memory-mb": max(peak - held, 0.0)}
        offer = registry.offer("detectors", cell.detector)
        outcome.facts = {"distribution": offer.distribution, "version": offer.version, **outcome.facts}
        outcome.key = cell_key(cell, outcome.facts)
        if cell.slot in settings.pictures and outcome.facts.get("artifacts") == "kept" and isinstance(bench, Bench):
            _draw(cell, bench)
        yield outcome
        started = time.time()


def _load_libraries(cell: Cell, settings: Settings, registry: Registry) -> None:
    """Import what a cell uses: the first cell of a worker must not be charged for libraries."""
    import pyarrow.parquet  # noqa: F401 - it is used when artefacts are written

    with contextlib.suppress(TsadError):  # told when the cell runs into it
        registry.resolve("datasets", cell.dataset)
        registry.resolve("detectors", cell.detector)
        for choice in settings.metrics.values():
            registry.resolve("metrics", choice.name)


def _prepare(cell: Cell, settings: Settings, registry: Registry) -> Bench | Exception:
    try:
        clean = read_series(cell, settings, registry)
        fitted = _fit(cell, corrupt(clean, _if_touches(cell, "train"), seed=cell.corruption_seed), registry)
        metrics = {k: (load_metric(registry, c.name, c.options), c.options) for k, c in settings.metrics.items()}
    except Exception as error:  # noqa: BLE001 - this is where one cell runs
        return error
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


def pictured(cells: Iterable[Cell], series: int) -> frozenset[str]:
    """Return the slots of the cells to draw: of each data set's first series, in the first condition and seed."""
    first: dict[tuple[str, ...], str] = {}
    shown: dict[str, list[str]] = {}
    for cell in cells:
        names = shown.setdefault(cell.dataset, [])
        if cell.series not in names and len(names) < series:
            names.append(cell.series)
        if cell.series in names:
            first.setdefault((cell.label, cell.dataset, cell.series), cell.slot)
    return frozenset(first.values())


def _if_touches(cell: Cell, part: str) -> Condition:
    condition = Condition.parse(cell.condition)
    return condition if part in condition.touches else Condition()


def _fit(cell: Cell, series: Series, registry: Registry) -> Fitted:
    detector = make_detector(registry, cell.detector, cell.options)
    train_TC, starts = series.train_TC, series.train_starts
    stop, tail = split(len(train_TC), gap=period(train_TC))
    before = time.perf_counter()
    fit(detector, train_TC[:stop], tuple(start for start in starts if start < stop))
    seconds = time.perf_counter() - before
    tail_starts = (0, *(start - tail for start in starts if start > tail))
    detection = detect(detector, train_TC[tail:], tail_starts)
    rule = "in-sample" if tail < stop else SPLIT_RULE
    return Fitted(detector, _as_kept(detection.scores_T), train_TC[tail:], tail_starts, rule, seconds)


def split(steps: int, *, gap: int) -> tuple[int, int]:
    """Return where fitting stops and where the calibration tail starts.

    The gap keeps windows of the tail clear of what was fitted; it takes a tenth of the tail at
    most. A training part of fewer than 20 steps is fitted and calibrated whole.
    """
    if steps < 20:
        return steps, 0
    stop = int(steps * FIT_SHARE)
    return stop, stop + min(gap, (steps - stop) // 10)


def _run_cell(cell: Cell, bench: Bench) -> Outcome:
    try:
        series = corrupt(bench.series, _if_touches(cell, "test"), seed=cell.corruption_seed)
        before = time.perf_counter()
        detection = detect(bench.fitted.detector, series.test_TC, series.test_starts)
        costs = {"fit-seconds": bench.fitted.seconds, "score-seconds": time.perf_counter() - before}
        outcome = _measured(series, detection, bench)
        if bench.settings.artifacts != "none":
            outcome.facts["artifacts"] = _keep(
                cell, _inputs(series, bench.fitted.calibration_T, detection), bench.settings
            )
    except Exception as error:  # noqa: BLE001 - this is where one cell runs
        return _ended(error)
    outcome.costs = costs
    return outcome


def _keep(cell: Cell, inputs: Mapping[str, Array | None], settings: Settings) -> str:
    """Write a cell's artefacts and say how that went: numbers are not lost because a disk is full."""
    try:
        write_artifacts(Path(settings.folder) / cell.slot, inputs, whole=settings.artifacts == "all")
    except OSError as error:
        logger.warning("%s: no artefacts: %s", cell.place, error)
        return f"not kept: {error.strerror}"
    return "kept"


def _draw(cell: Cell, bench: Bench) -> None:
    """Add a picture to the kept scores of a cell; its time and memory are not the detector's, nor are its faults."""
    from tsad_bench.plots import plot_cell

    try:
        series = corrupt(bench.series, _if_touches(cell, "test"), seed=cell.corruption_seed)
        plot_cell(Path(bench.settings.folder) / cell.slot, series, title=cell.place)
    except Exception:
        logger.exception("%s: no picture", cell.place)


def _measured(series: Series, detection: Detection, bench: Bench) -> Outcome:
    outcome = Outcome(facts=_facts(series, bench))
    _evaluate(outcome, _inputs(series, bench.fitted.calibration_T, detection), bench.metrics)
    if isinstance(bench.fitted.detector, Redrawn) and bench.fitted.detector.draws > 1:
        _redraw(outcome, series, bench)
    return outcome


def _inputs(series: Series, calibration_T: Array, detection: Detection) -> dict[str, Array | None]:
    return {
        "labels_T": series.labels_T,
        "scores_T": _as_kept(detection.scores_T),
        "calibration_T": calibration_T,
        "root_causes_TC": series.root_causes_TC,
        "attribution_TC": detection.attribution_TC,
        "normal_TC": series.normal_TC,
        "expected_TC": detection.expected_TC,
        "observed_TC": series.test_TC,
        "train_TC": series.train_TC,
    }


def _as_kept(scores_T: Array) -> Array:
    """Round scores to float32, as they are stored: what is computed from them later is then the same."""
    kept_T = scores_T.astype(np.float32).astype(np.float64)
    kept_T.flags.writeable = False
    return kept_T


def _evaluate(outcome: Outcome, inputs: Mapping[str, Array | None], metrics: Mapping[str, Any]) -> None:
    for label, (function, options) in metrics.items():
        try:
            outcome.metrics[label] = evaluate(function, inputs, options)
        except Undefined as undefined:
            outcome.undefined[label] = str(undefined)
        except Exception as error:  # a metric at fault costs itself, not the cell
            logger.exception("metric %s failed", label)
            outcome.undefined[label] = _brief(f"the metric failed: {type(error).__name__}: {error}")


def _redraw(outcome: Outcome, series: Series, bench: Bench) -> None:
    """Replace each metric by its mean over the detector's draws, and keep all of them."""
    detector = bench.fitted.detector
    assert isinstance(detector, Redrawn)
    draws: dict[str, list[float | None]] = {label: [value] for label, value in outcome.metrics.items()}
    for draw in range(1, detector.draws):
        again = Outcome()
        calibration_T = _as_kept(redraw(detector, bench.fitted.tail_TC, draw, bench.fitted.tail_starts).scores_T)
        inputs = _inputs(series, calibration_T, redraw(detector, series.test_TC, draw, series.test_starts))
        _evaluate(again, inputs, {label: bench.metrics[label] for label in draws})
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


def _ended(error: Exception) -> Outcome:
    """Turn what a cell raised into its outcome."""
    if isinstance(error, Skip):
        return Outcome(status="skipped", reason=_brief(str(error)))
    out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    text = _printable("".join(traceback.format_exception(error))[-TRACEBACK:])
    logger.warning("a cell failed\n%s", text)
    reason = _brief(f"{type(error).__name__}: {error}".rstrip(": "))
    return Outcome(status="out-of-memory" if out_of_memory else "failed", reason=reason, traceback=text)


def _brief(text: str) -> str:
    """Return the first line, in characters that every file and store takes."""
    line = next(iter(text.strip().splitlines()), "")
    return _printable(line if len(line) <= REASON else f"{line[:REASON]}…")


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
