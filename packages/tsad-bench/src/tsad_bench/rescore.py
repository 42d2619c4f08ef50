"""A metric computed afterwards, from kept scores: no detector runs, and the number is that of the run itself."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path

from tsad_core import Array, DataError, Metric, OptionError, Registry
from tsad_core.datasets.home import find_home
from tsad_core.metric import INPUTS
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
    """One cell with the new metric's value, or why it has none, or what kept it from being computed."""

    cell: Cell
    text: str = ""
    fault: str = ""


def chosen_metric(name: str, options: Mapping[str, Mapping[str, Option]]) -> Choice:
    """Return a metric with its options; options of anything else raise `OptionError`."""
    if others := sorted(set(options) - {name}):
        raise OptionError(f"--set names {others[0]!r}; only options of {name} can be set here")
    return Choice(name=name, options=dict(options.get(name, {})))


def rescore(
    run: str, metric: Choice, registry: Registry, *, tracking_uri: str, home: Path | None = None
) -> Iterator[Rescored]:
    """Compute a metric for the cells of a run, log it to their runs, and yield them as they are done.

    `run` is the id of a cell's run, of a detector's or of an execution's, or an execution's name. At
    the end the metric also goes into the execution's tables and summaries. Cells that are not done are
    passed over; one whose scores were not kept, or whose data has changed, is yielded with its fault.
    """
    label = label_of(metric)
    ((function, _),) = load_metrics({label: metric}, registry).values()
    found = find_home(home)
    settings = Settings({label: metric}, "", home=str(found.absolute()) if found else None, artifacts="none")
    parent, cells = tracking.find_cells(tracking_uri, run)
    logged = False
    for recorded in cells:
        if recorded.outcome.status != "done":
            continue
        try:
            outcome = _rescored(recorded, tracking_uri, settings, registry)
        except (DataError, tracking.TrackingError) as error:
            yield Rescored(recorded.cell, fault=str(error))
            continue
        choices = {label: metric.model_dump(exclude_defaults=True)}
        tracking.add_metrics(tracking_uri, recorded.run_id, choices, outcome)
        logged = True
        yield Rescored(recorded.cell, _text(outcome, label))
    if logged:
        _tell(parent, tracking_uri, label, function.card.better)


def _tell(parent: tracking.Run, uri: str, label: str, better: str) -> None:
    """Have an execution's summaries and tables hold a metric."""
    tracking.announce_metric(uri, parent, label, better)
    results, _ = rebuild(uri, parent.data.tags["tsad.execution"])
    tracking.log_again(uri, parent, summary_points(results), tables(results))


def _rescored(recorded: tracking.Recorded, uri: str, settings: Settings, registry: Registry) -> Outcome:
    run_id, cell, before = recorded
    if before.draws:
        # noise is not kept draw by draw: it is drawn again, which costs nothing
        (again,) = run_job(Job((cell,)), settings, registry)
        assert isinstance(again, Outcome), "nothing is probed here"
        return again
    clean = read_series(cell, settings, registry)
    if clean.digest != before.facts.get("data"):
        raise DataError("the data is not what the run was made with")
    with tempfile.TemporaryDirectory() as folder:
        tracking.fetch_scores(uri, run_id, Path(folder))
        detection, calibration_T = read_detection(Path(folder))
    subject = Subject(clean, under_condition(clean, cell, part="test"))
    inputs, metrics = subject.kept_inputs(detection, calibration_T), load_metrics(settings.metrics, registry)
    for function, _ in metrics.values():
        _check_kept(function, inputs, before.facts.get("gives", []))
    outcome = Outcome(cell.slot)
    evaluate_into(outcome, inputs, metrics)
    return outcome


def _check_kept(function: Metric, inputs: Mapping[str, Array | None], given: Sequence[str]) -> None:
    """Tell what was not kept from what there never was; where something else is lacking too, that is the reason."""
    lacking = {name for name in signature(function).parameters if name in INPUTS and inputs[name] is None}
    not_kept = {f"{name}_TC" for name in given}
    if lacking and lacking <= not_kept:
        raise DataError(f"no {lacking.pop().removesuffix('_TC')} was kept; run the suite with --artifacts all")


def _text(outcome: Outcome, label: str) -> str:
    return repr(outcome.metrics[label]) if label in outcome.metrics else f"undefined: {outcome.undefined[label]}"
