"""Series read one by one from any data set, with a bar on a terminal; whatever a plugin raises becomes one line."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tsad_core import PluginError, Registry, Series, TsadError


def read_series(registry: Registry, dataset: str, name: str, read: Callable[[], Series]) -> Series:
    """Return a series; what cannot be read raises a `TsadError` that names it."""
    distribution = registry.offer("datasets", dataset).distribution
    try:
        series = read()
    except TsadError:
        raise
    except Exception as error:
        # a plugin's own code: it may raise anything
        message = f"data set {dataset} of {distribution}: {name} raised {type(error).__name__}: {error}"
        raise PluginError(message) from error
    if not isinstance(series, Series):
        raise PluginError(f"data set {dataset} of {distribution}: {name} is {type(series).__name__}, not a Series")
    return series


@contextmanager
def counted(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Give what to call after each of `total` steps; a terminal shows a bar while it lasts."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def downloaded(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Give what to tell how many bytes have come, and of how many; a terminal shows a bar while it lasts."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
