"""The commands `tsad-bench data …`: what is at hand, fetch the rest, examine it."""

import shutil
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tsad_bench.arguments import INTERRUPTED, data_home, names_of

if TYPE_CHECKING:
    from tsad_core import Registry

_names = click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=names_of("datasets"))
_quick = click.option("--quick", is_flag=True, help="Count the series without reading them.")


@click.group(invoke_without_command=True)
@data_home
@_quick
@click.pass_context
def data(ctx: click.Context, data_home: Path | None, quick: bool) -> None:
    """Show what data is here, fetch what is not, examine how good it is as a test.

    Without a command: the same as `tsad-bench data list`.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_data, names=(), data_home=data_home, quick=quick)
    else:
        ctx.default_map = {name: {"data_home": data_home} for name in data.commands} if data_home else None


@data.command("list")
@_names
@data_home
@_quick
def list_data(names: tuple[str, ...], data_home: Path | None, quick: bool) -> None:
    """Count what is here, against what is published.

    Every series is read. Exit code 2 if a file is broken.
    """
    from tsad_core import find_plugins
    from tsad_core.datasets.home import find_home

    from tsad_bench.data.inventory import take_stock, told

    registry, home = find_plugins(), find_home(data_home)
    for name in names:
        registry.offer("datasets", name)
    click.echo(f"data home: {home or 'none; set TSAD_DATA or --data-home to a folder'}\n")
    stocks = [take_stock(registry, name, home, quick=quick) for name in names or registry.entries("datasets")]
    click.echo(told(stocks, width=_width()))
    _end(fault for stock in stocks for fault in stock.faults)


@data.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=names_of("datasets"))
@data_home
@click.option("--force", is_flag=True, help="Fetch again what is there.")
def fetch(names: tuple[str, ...], data_home: Path | None, force: bool) -> None:
    """Fetch data sets into the data home.

    A download that was cut goes on where it stopped, in this call or the next.
    """
    from tsad_core import TsadError, find_plugins

    registry, faults = find_plugins(), []
    for name in names:
        try:
            with _stoppable(f"what has come is kept; to go on: tsad-bench data fetch {' '.join(names)}"):
                _fetch(registry, name, data_home, force=force)
        except TsadError as error:
            faults.append(str(error))
    _end(faults)


@data.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME[:SERIES]...", shell_complete=names_of("datasets"))
@data_home
@click.option("--set", "assignments", multiple=True, metavar="NAME.OPTION=VALUE", help="Of a data set or a control.")
@click.option("--format", "form", type=click.Choice(["table", "csv"]), default="table", show_default=True)
@click.option("--thorough", is_flag=True, help="Try the matrix profile too: minutes a series.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes. Default: one a processor.")
def health(  # noqa: PLR0917 - click passes them by name
    names: tuple[str, ...],
    data_home: Path | None,
    assignments: tuple[str, ...],
    form: str,
    thorough: bool,
    jobs: int | None,
) -> None:
    """Examine how good series are as a test.

    Is one solved by a control alone, does it come twice, is its training part clean, does it end in its anomaly?

    Solved means that some threshold on the control's scores alarms inside every event and nowhere
    else; steps within a period of an event are not looked at. Each control is fitted on the whole training part.
    """
    from tsad_core import find_plugins
    from tsad_core.datasets.home import find_home
    from tsad_core.options import parse_assignments

    from tsad_bench.data.chart import as_csv, chart
    from tsad_bench.data.health import CONTROLS, THOROUGH, admit, examine_all
    from tsad_bench.data.reading import counted
    from tsad_bench.environment import cpus

    registry, options = find_plugins(), parse_assignments(assignments)
    patients = admit(registry, names, home=find_home(data_home), options=options, thorough=thorough)
    with _stoppable("nothing was kept"), counted("examining", len(patients)) as advance:
        findings = []
        for finding in examine_all(registry, patients, jobs=jobs or cpus()):
            findings.append(finding)
            advance()
    controls = THOROUGH if thorough else CONTROLS
    text = as_csv(findings) if form == "csv" else chart(findings, controls=controls, width=_width())
    click.echo(text, nl=False)
    _end(finding.fault for finding in findings if finding.fault)


def _fetch(registry: "Registry", name: str, given: Path | None, *, force: bool) -> None:
    from tsad_core import DataError
    from tsad_core.datasets.home import find_home

    from tsad_bench.data.fetch import downloads_of
    from tsad_bench.data.fetch import fetch as fetch_one
    from tsad_bench.data.reading import downloaded

    collection = getattr(registry.resolve("datasets", name), "collection", None)
    if collection is None:
        raise DataError(f"data set {name} has nothing to fetch: it is generated, or reads files of your own")
    home = find_home(given)
    if home is None:
        raise DataError("there is no data home to fetch into; set TSAD_DATA or --data-home to a folder")
    for download in downloads_of(collection, home):
        with downloaded(download.name) as watch:
            fetched = fetch_one(download, home / collection.folder, force=force, watch=watch)
        news = f"{fetched.size / 1e6:,.1f} MB, sha256 {fetched.sha256}" if fetched.sha256 else "was there already"
        click.echo(f"{name}: {fetched.path}: {news}")


@contextmanager
def _stoppable(hint: str) -> Iterator[None]:
    """Turn Ctrl-C, or the same from a system that shuts down, into one line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nstopped; {hint}", err=True)
        sys.exit(INTERRUPTED)


def _end(faults: Iterable[str]) -> None:
    """Tell of each fault in a line; any makes the exit code 2."""
    lines = [f"Error: {fault}" for fault in faults]
    for line in lines:
        click.echo(line, err=True)
    if lines:
        sys.exit(2)


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 120)
