"""`check_dataset`: every promise of the data set contract, asked of one data set."""

import inspect
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsad_core.dataset import Counts, Dataset
from tsad_core.errors import MissingDataError
from tsad_core.options import Option, bind
from tsad_core.series import Series
from tsad_core.testing.faults import Faults
from tsad_core.testing.keywords import faults_of_options

_LISTINGS = 5


@dataclass(frozen=True)
class _Trial:
    """A data set with its options, and how many of its series are read."""

    dataset: Dataset
    options: Mapping[str, Option]
    home: Path | None
    at_most: int

    @property
    def name(self) -> str:
        return getattr(self.dataset, "__name__", repr(self.dataset))

    @property
    def lives_in_files(self) -> bool:
        return "home" in inspect.signature(self.dataset).parameters

    def listed(self, home: Path | None) -> Mapping[str, Callable[[], Series]]:
        bound = bind(self.dataset, self.options, owner=f"data set {self.name}", provided=["home"])
        return bound(home=home) if self.lives_in_files else bound()

    def first(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        return itertools.islice(self.listed(self.home).items(), self.at_most)


def check_dataset(dataset: Dataset, *, home: Path | None = None, at_most: int = 5, **options: Option) -> Counts:
    """Return the counts of the first series, `at_most` of them, of a data set that keeps its contract.

    One that does not raises `ContractError`, with a line for each promise that is broken. If it keeps
    what can be seen without its files, and they are not in the data home, its `MissingDataError` passes.

    >>> from tsad_core.datasets.synthetic import synthetic
    >>> check_dataset(synthetic, count=3, test_steps=100).test_steps
    300

    - *options*: named one by one, typed; defaults are true or false, numbers or text, and pass their own check.
    - *an empty data home*: a data set that names ``home`` raises `MissingDataError`, in one line that
      names the folder.
    - *listing*: a mapping of names to functions, the same names in the same order whenever it is asked;
      no name holds ``:``, ``/`` or what cannot be printed.
    - *reading*: each function gives a `Series` of that name, and the same one when it is read again.
    """
    trial = _Trial(dataset, options, home, at_most)
    faults = Faults(trial.name, excused=MissingDataError)
    faults.run({"options": _options, "an empty data home": _empty_home}, trial)
    if faults.run({"listing": _listing}, trial) and not faults.excused:
        faults.run({"reading": _reading}, trial)
    faults.tell()
    for reason in faults.excused.values():
        raise MissingDataError(reason)
    return sum((Counts.of(read()) for _, read in trial.first()), start=Counts(0, 0, 0, 0, 0))


def _options(trial: _Trial) -> Iterator[str]:
    return faults_of_options(trial.dataset, owner=f"data set {trial.name}", provided=["home"])


def _empty_home(trial: _Trial) -> Iterator[str]:
    if not trial.lives_in_files:
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            for read in trial.listed(Path(folder)).values():
                read()
        except MissingDataError as error:
            if "\n" in str(error) or folder not in str(error):
                yield f"its MissingDataError does not say in one line where to put the files: {error}"
            return
    yield "raises no MissingDataError; it must say what to get and where to put it"


def _listing(trial: _Trial) -> Iterator[str]:
    listed: Any = trial.listed(trial.home)
    if not isinstance(listed, Mapping):
        yield f"returns a {type(listed).__name__}; it must return a mapping of names to functions that read a series"
        return
    if not listed:
        yield "lists no series"
    # an order of chance may come twice in a row
    if any(list(listed) != list(trial.listed(trial.home)) for _ in range(_LISTINGS)):
        yield "lists other names, or the same in another order, when it is asked again"
    wrong = [name for name in listed if not _is_name(name)]
    if wrong:
        yield f"{wrong[0]!r} cannot name a series; a name is text without ':', '/' and what cannot be printed"
    if not all(callable(read) for read in listed.values()):
        yield "maps a name to something that is not a function; nothing is read before it is asked for"


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.strip() == name != "" and name.isprintable() and not {":", "/"} & set(name)


def _reading(trial: _Trial) -> Iterator[str]:
    for name, read in trial.first():
        series = read()
        if not isinstance(series, Series):
            yield f"{name} is a {type(series).__name__}; it must be a tsad_core.Series"
            return
        if series.name != name:
            yield f"{name} reads as a series named {series.name!r}; it must have the name it is listed under"
        if read().digest != series.digest:
            yield f"{name} is not the same when it is read again"
