"""What several commands take: options, names that a shell can complete, the exit code of a stop."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

INTERRUPTED = 130

data_home = click.option(
    "--data-home", type=click.Path(path_type=Path), help="Folder of the data sets. Default: TSAD_DATA."
)
tracking_uri = click.option("--tracking-uri", help="MLflow store. Default: MLFLOW_TRACKING_URI, else ./mlflow.db.")


def names_of(kind: Any) -> Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]:
    """Return what completes the names of a kind of entries."""

    def complete(_: click.Context, __: click.Parameter, start: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem
        from tsad_core import find_plugins

        entries = find_plugins().entries(kind).values()
        return [CompletionItem(entry.name, help=entry.summary) for entry in entries if entry.name.startswith(start)]

    return complete
