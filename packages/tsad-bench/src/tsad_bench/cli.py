"""The command `tsad-bench`: reads its arguments, calls one function, prints.

Everything heavy is imported by the command that needs it, so that ``--help`` answers at once.
"""

import logging
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tsad_bench.arguments import INTERRUPTED, data_home, names_of, tracking_uri
from tsad_bench.data.commands import data

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem
    from tsad_core import Registry

    from tsad_bench.progress import Progress
    from tsad_bench.runner import Finished

KINDS = ("detectors", "datasets", "metrics", "suites")


class Group(click.Group):
    """A group of commands that shows what a user can mend as one line, with exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a `TsadError` becomes one line."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            from tsad_core import TsadError

            if not isinstance(error, TsadError):
                raise
            click.echo(f"Error: {error}", err=True)
            ctx.exit(2)


def _suites(_: click.Context, __: click.Parameter, start: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    from tsad_bench.suite import shipped_suites

    return [CompletionItem(name) for name in shipped_suites() if name.startswith(start)]


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tsad-bench", prog_name="tsad-bench")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, with tracebacks.")
def cli(verbose: bool) -> None:
    """Benchmark time series anomaly detectors: effectiveness, explainability, robustness."""
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for name in ("tsad_bench", "tsad_core"):
        logging.getLogger(name).setLevel(level)


@cli.command()
@click.option("--suite", required=True, shell_complete=_suites, help="Name of a shipped suite, or a .toml file.")
@click.option(
    "--detector", "detectors", multiple=True, shell_complete=names_of("detectors"), help="Only this detector."
)
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME[:SERIES]",
    shell_complete=names_of("datasets"),
    help="Only this data set, or one series of it.",
)
@click.option("--metric", "metrics", multiple=True, shell_complete=names_of("metrics"), help="Only this metric.")
@click.option("--seed", "seeds", multiple=True, type=click.IntRange(min=0), help="Only this seed.")
@click.option("--set", "assignments", multiple=True, metavar="NAME.OPTION=VALUE", help="As in --set mma.window=256.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes. Default: one a processor.")
@click.option("--device", help="Device for detectors that have the option, as in cuda:0.")
@data_home
@tracking_uri
@click.option(
    "--artifacts",
    type=click.Choice(["none", "scores", "all"]),
    default="scores",
    show_default=True,
    help="What to keep of each cell: nothing, scores, or attribution and expected values too.",
)
@click.option("--dry-run", is_flag=True, help="Print the cells and how long they may take, and stop.")
def run(  # noqa: PLR0917 - click passes them by name
    suite: str,
    detectors: tuple[str, ...],
    datasets: tuple[str, ...],
    metrics: tuple[str, ...],
    seeds: tuple[int, ...],
    assignments: tuple[str, ...],
    dry_run: bool,
    **how: Any,
) -> None:
    """Run a suite and log it to MLflow.

    Each of --detector, --dataset, --metric, --seed and --set may be given more than once.

    Ends with exit code 0 if a cell is done or skipped, whatever became of others; 1 if none is, or if MLflow missed
    something; 2 for what you can mend, as a name or a file; 130 if it was stopped.
    """
    from tsad_core.options import parse_assignments

    from tsad_bench import runner
    from tsad_bench.estimate import estimate
    from tsad_bench.order import make_order, plan_of
    from tsad_bench.suite import narrow, read_suite

    registry = _plugins()
    narrowed = narrow(read_suite(suite), detectors=detectors, datasets=datasets, metrics=metrics, seeds=seeds)
    order = make_order(narrowed, registry, options=parse_assignments(assignments), **how)
    if dry_run:
        planned = plan_of(order, registry)
        for cell in planned.cells:
            click.echo(f"{cell.slot}  {cell.place}")
        told = estimate(planned.jobs, Path(runner.ROOT), workers=order.workers, limits=order.suite.limits)
        click.echo(told, err=True)
        return
    _finish(lambda progress: runner.begin(order, registry, progress=progress))


@cli.command()
@click.argument("execution", required=False)
def resume(execution: str | None) -> None:
    """Finish an execution that was stopped or killed. Default: the newest one here."""
    from tsad_bench import runner

    name = execution or runner.newest_execution()
    _finish(lambda progress: runner.resume(name, progress=progress))


@cli.command()
@click.argument("run_id")
@data_home
@tracking_uri
def rerun(run_id: str, data_home: Path | None, tracking_uri: str | None) -> None:
    """Run one cell again and compare it with what was recorded. RUN_ID is the cell's MLflow run."""
    from tsad_bench.environment import default_uri
    from tsad_bench.rerun import rerun as run_again

    compared = run_again(run_id, tracking_uri=tracking_uri or default_uri(), home=data_home)
    click.echo(compared.cell.place)
    for name, value in compared.again.metrics.items():
        click.echo(f"  {name:28} {value!r}")
    if compared.again.reason:
        click.echo(f"  {compared.again.status}: {compared.again.reason}")
    for difference in compared.differences:
        click.echo(f"  differs: {difference}")
    click.echo("different" if compared.differences else "the same to the last digit")
    sys.exit(1 if compared.differences else 0)


@cli.command()
@click.option(
    "--run",
    "run_id",
    required=True,
    help="MLflow run id of a cell, a detector or an execution, or an execution's name.",
)
@click.option("--metric", required=True, shell_complete=names_of("metrics"))
@click.option("--set", "assignments", multiple=True, metavar="NAME.OPTION=VALUE", help="As in --set f1.rate=0.001.")
@data_home
@tracking_uri
def rescore(
    run_id: str, metric: str, assignments: tuple[str, ...], data_home: Path | None, tracking_uri: str | None
) -> None:
    """Compute one more metric from kept scores and log it to the same runs.

    No detector runs; the draws of `random`, which are not kept, are drawn again.
    """
    from tsad_core.options import parse_assignments

    from tsad_bench.cells import label_of
    from tsad_bench.environment import default_uri
    from tsad_bench.rescore import chosen_metric
    from tsad_bench.rescore import rescore as compute

    choice = chosen_metric(metric, parse_assignments(assignments))
    faults: dict[str, list[str]] = {}
    for rescored in compute(run_id, choice, _plugins(), tracking_uri=tracking_uri or default_uri(), home=data_home):
        if rescored.fault:
            faults.setdefault(rescored.fault, []).append(rescored.cell.place)
        else:
            click.echo(f"{rescored.cell.place}: {rescored.text}")
    for fault, places in faults.items():
        click.echo(f"Error: {fault} (cells: {len(places)}, the first: {places[0]})", err=True)
    if faults:
        sys.exit(2)
    click.echo(f"logged as {label_of(choice)}; tsad-bench report shows it", err=True)


@cli.command("list")
@click.argument("kind", type=click.Choice(KINDS))
def list_entries(kind: Any) -> None:
    """List what the installed plugins offer."""
    if kind == "suites":
        from tsad_bench.suite import read_suite, shipped_suites

        for name in shipped_suites():
            click.echo(f"{name:26} {read_suite(name).summary}")
        return
    entries = _plugins().entries(kind).values()
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        click.echo(f"{entry.name:{width}}  {entry.summary}")


@cli.command()
@data_home
@tracking_uri
def check(data_home: Path | None, tracking_uri: str | None) -> None:
    """Look at plugins, data, store and accelerators. Exit code 1 if a plugin or the store is at fault."""
    from tsad_core.datasets.home import find_home

    from tsad_bench.checkup import check_up
    from tsad_bench.environment import default_uri

    uri = tracking_uri or default_uri()
    findings = list(check_up(_plugins(tell=False), home=find_home(data_home), tracking_uri=uri))
    for finding in findings:
        click.echo(f"{'FAULT' if finding.fault else 'ok':6}{finding.topic:10} {finding.text}")
    sys.exit(any(finding.fault for finding in findings))


@cli.command()
@click.argument("execution", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "csv", "latex", "html"]),
    default="markdown",
    show_default=True,
    help="Tables; every number as a line; the headline tables for a paper; a page with all figures.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file, do not print.")
@tracking_uri
def report(execution: str | None, form: str, output: Path | None, tracking_uri: str | None) -> None:
    """Report on an execution, from the MLflow store alone. Default: the newest one."""
    from tsad_bench.environment import default_uri
    from tsad_bench.report.written import written

    text, lacks = written(tracking_uri or default_uri(), execution, form=form)
    if lacks:
        click.echo(f"Warning: {lacks}", err=True)
    if output is None:
        click.echo(_fitting(text) if form == "markdown" else text, nl=False)
        return
    _write(output, text)
    click.echo(f"{output} is written", err=True)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"cannot write {file}: {error.strerror}; choose another with --output") from error


@cli.command()
@click.argument("first")
@click.argument("second")
@tracking_uri
def compare(first: str, second: str, tracking_uri: str | None) -> None:
    """Compare two executions on the cells that both did: what differs beyond the spread of seeds, and why it may."""
    from tsad_bench.environment import default_uri
    from tsad_bench.report.compare import compare as side_by_side
    from tsad_bench.report.compare import read_side

    sides = [read_side(tracking_uri or default_uri(), execution) for execution in (first, second)]
    for side in sides:
        if side.lacks:
            click.echo(f"Warning: {side.lacks}", err=True)
    click.echo(_fitting(side_by_side(*sides)), nl=False)


@cli.command()
@click.option("--suite", help="Open this suite's experiment. Default: that of the newest execution.")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@tracking_uri
def ui(suite: str | None, port: int, tracking_uri: str | None) -> None:
    """Start the MLflow UI on the right store and experiment, on loopback."""
    from tsad_bench.environment import default_uri
    from tsad_bench.tracking import chart_view, read_parent

    uri = tracking_uri or default_uri()
    place = chart_view(read_parent(uri, suite=suite))
    if uri.startswith("http"):
        click.echo(f"{uri.rstrip('/')}/{place}")
        return
    _check_free(port)
    click.echo(f"http://127.0.0.1:{port}/{place}  (Ctrl-C ends it)")
    command = [sys.executable, "-P", "-m", "mlflow", "server", "--backend-store-uri", uri]
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"])  # noqa: S606 - no shell wanted


def _check_free(port: int) -> None:
    import socket

    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise click.UsageError(f"port {port} is taken; choose another with --port")


@cli.command()
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), default=Path(), help="Folder to write it in. Default: here.")
def new(name: str, into: Path) -> None:
    """Write a plugin package to start from: a detector, a data set, a metric, and their tests.

    NAME is that of the package, as in tsad-foo.
    """
    from tsad_bench.new import next_commands, write_package

    folder = write_package(name, into=into, registry=_plugins())
    click.echo(f"{folder} holds a detector, a data set and a metric, with their tests. Next:")
    for command in next_commands(folder):
        click.echo(f"  {command}")


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the shell's completion script; put it where your shell reads such scripts."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None, "click knows the shells that the argument allows"
    click.echo(found(cli, {}, "tsad-bench", "_TSAD_BENCH_COMPLETE").source())


cli.add_command(data)


def _plugins(*, tell: bool = True) -> "Registry":
    from tsad_core import find_plugins

    logging.getLogger("tsad_core.registry").disabled = True
    registry = find_plugins()
    for fault in registry.faults if tell else ():
        click.echo(f"Warning: plugin {fault.distribution} is left out: {fault.reason}", err=True)
    for warning in registry.warnings if tell else ():
        click.echo(f"Warning: {warning}", err=True)
    return registry


def _fitting(tables: str) -> str:
    """Fold tables for a terminal; a file or a pipe gets them as they are."""
    from tsad_bench.report.table import folded

    return folded(tables, shutil.get_terminal_size().columns) if sys.stdout.isatty() else tables


def _finish(go_on: "Callable[[Progress], Finished]") -> None:
    """Run to the end, print the table, and say where everything is."""
    from tsad_bench.interrupts import Interrupted
    from tsad_bench.progress import Bar, Plain
    from tsad_bench.report.table import markdown

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        finished = go_on(Bar() if sys.stderr.isatty() else Plain())
    except Interrupted as stop:
        click.echo(f"\nstopped; nothing is lost. To go on: tsad-bench resume {stop.execution}", err=True)
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        click.echo("\nstopped before the first cell", err=True)
        sys.exit(INTERRUPTED)
    click.echo(_fitting(markdown(finished.results, whole=False)))
    resume = f"tsad-bench resume {finished.execution}"
    if finished.untracked:
        click.echo(f"MLflow missed something: {finished.untracked}\nOnce that is mended: {resume}", err=True)
        sys.exit(1)
    click.echo(f"{finished.execution} is logged. Compare runs with: tsad-bench ui", err=True)
    _exit_if_broken(finished)


def _exit_if_broken(finished: "Finished") -> None:
    """Name the files that could not be read, a line each; the other numbers stand. No number at all is a fault."""
    frame = finished.results.frame
    faults = frame.loc[frame["fault"] == "data", "reason"].unique()
    for reason in faults:
        click.echo(f"Error: {reason}", err=True)
    if len(faults):
        sys.exit(2)
    if not frame["status"].isin(["done", "skipped"]).any():
        click.echo("Error: no cell is done; the reasons stand above", err=True)
        sys.exit(1)


def main() -> None:
    """Run the command line."""
    cli()
