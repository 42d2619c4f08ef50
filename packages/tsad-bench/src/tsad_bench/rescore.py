"""A metric computed afterwards, from kept scores: no detector runs, and the number is that of the run itself."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path

from tsad_core import DataError, Detection, OptionError, Registry
from tsad_core.datasets.home import find_home
from tsad_core.options import Option

from tsad_bench import tracking
from tsad_bench.artifacts import read_detection
from tsad_bench.cells import Cell, Job, label_of
from tsad_bench.evaluation import Subject, evaluate_into, load_metrics, under_condition
from tsad_bench.measure import read_series, run_job
from tsad_bench.outcome import Outcome, Settings
from tsad_bench.report.rebuild import rebuild
from tsad_bench.report.summary import summary_points
from tsad_bench.report.table import tables
from tsad_bench.suite import Choice


@dataclass(frozen=True)
class Rescored:
    """One cell with the new metric's value, or why it has none."""

    cell: Cell
    text: str


def chosen_metric(name: str, options: Mapping[str, Mapping[str, Option]]) -> Choice:
    """Return a metric with its options; options of anything else raise `OptionError`."""
    if others := sorted(set(options) - {name}):
        raise OptionError(f"--set names {others[0]!r}; only options of {name} can be set here")
    return Choice(name=name, options=dict(options.get(name, {})))


def rescore(
    run: str, metric: Choice, registry: Registry, *, tracking_uri: str, home: Path | None = None
) -> Iterator[Rescored]:
    """Compute a metric for the cells of a run, log it to their runs, and yield them as they are done.

    `run` is the id of a cell's run, of a detector's or of an execution's, or an execution's name.
    What was computed for all cells of an execution also goes into its tables and summaries.
    Cells that are not done are passed over. Raises `TsadError` where the run or its kept scores are
    missing, or the data is not what it was.
    """
    label = label_of(metric)
    ((function, _),) = load_metrics({label: metric}, registry).values()
    found = find_home(home)
    settings = Settings({label: metric}, "", home=str(found.absolute()) if found else None, artifacts="none")
    parent, cells = tracking.find_cells(tracking_uri, run)
    for recorded in cells:
        if recorded.outcome.status == "done":
            outcome = _rescored(recorded, tracking_uri, settings, registry)
            choices = {label: metric.model_dump(exclude_defaults=True)}
            tracking.add_metrics(tracking_uri, recorded.run_id, choices, outcome)
            yield Rescored(recorded.cell, _text(outcome, label))
    tracking.announce_metric(tracking_uri, parent, label, function.card.better)
    results, _ = rebuild(tracking_uri, parent.data.tags["tsad.execution"])
    tracking.log_again(tracking_uri, parent, summary_points(results), tables(results))


def _rescored(recorded: tracking.Recorded, uri: str, settings: Settings, registry: Registry) -> Outcome:
    run_id, cell, before = recorded
    if before.draws:
        # noise is not kept draw by draw: it is drawn again, which costs nothing
        (again,) = run_job(Job((cell,)), settings, registry)
        assert isinstance(again, Outcome), "nothing is probed here"
        return again
    clean = read_series(cell, settings, registry)
    if clean.digest != before.facts.get("data"):
        raise DataError(f"{cell.source}:{cell.series} is not the data that run {run_id} was made with")
    with tempfile.TemporaryDirectory() as folder:
        tracking.fetch_scores(uri, run_id, Path(folder))
        detection, calibration_T = read_detection(Path(folder))
    _check_kept(recorded, detection, settings, registry)
    subject = Subject(clean, under_condition(clean, cell, part="test"))
    outcome = Outcome(cell.slot)
    evaluate_into(outcome, subject.kept_inputs(detection, calibration_T), load_metrics(settings.metrics, registry))
    return outcome


def _check_kept(recorded: tracking.Recorded, detection: Detection, settings: Settings, registry: Registry) -> None:
    """Tell what a detector did not give from what was not kept."""
    for function, _ in load_metrics(settings.metrics, registry).values():
        for name in recorded.outcome.facts.get("gives", []):
            if f"{name}_TC" in signature(function).parameters and getattr(detection, f"{name}_TC") is None:
                raise DataError(f"run {recorded.run_id} kept no {name}; run its suite with --artifacts all")


def _text(outcome: Outcome, label: str) -> str:
    return repr(outcome.metrics[label]) if label in outcome.metrics else f"undefined: {outcome.undefined[label]}"
