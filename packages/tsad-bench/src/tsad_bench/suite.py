"""Suites: which detectors meet which series under which conditions, read from TOML."""

import itertools
import math
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from tsad_core import TsadError
from tsad_core.corruption import KINDS, Condition
from tsad_core.errors import did_you_mean
from tsad_core.options import Option

FORBID = ConfigDict(extra="forbid", strict=True, frozen=True)


class SuiteError(TsadError):
    """A suite that does not exist or does not say what it must."""


def _finite(value: Option) -> Option:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be finite")
    return value


Finite = Annotated[Option, AfterValidator(_finite)]


class Choice(BaseModel):
    """A detector, data set or metric by name, with options; lists under ``grid`` are crossed."""

    model_config = FORBID

    name: str
    preset: str = ""
    """Of a detector: one of its named tables of options; `options` come on top."""
    options: dict[str, Finite] = {}
    grid: dict[str, Annotated[list[Finite], Field(min_length=1)]] = {}
    series: Annotated[list[str], Field(min_length=1)] | None = None
    """Of a data set: only these series, by name."""

    @property
    def title(self) -> str:
        """The name, and the preset if there is one: ``mma:paper-asd``."""
        return f"{self.name}:{self.preset}" if self.preset else self.name

    def expand(self) -> list[Self]:
        """Return one choice without a grid for each combination of the grid's values."""
        crossed = itertools.product(*self.grid.values())
        combinations = [dict(zip(self.grid, values, strict=True)) for values in crossed]
        return [self.model_copy(update={"options": {**self.options, **more}, "grid": {}}) for more in combinations]


class Levels(BaseModel):
    """A kind of corruption, at one or more levels in its unit."""

    model_config = FORBID

    kind: str
    """With the parts it strikes, if not the kind's default: ``white-noise:both``."""
    levels: Annotated[list[int], Field(min_length=1)] | None = None
    """Without them, the level that leaves the series as it is; a kind that has none must say."""

    def expand(self) -> list[Condition]:
        """Return the condition at each level; one that does not exist raises `OptionError`."""
        kind, _, parts = self.kind.partition(":")
        neutral = KINDS[kind].neutral if kind in KINDS else 0
        if self.levels is None and neutral is None:
            raise SuiteError(
                f"condition {self.kind} needs levels, in {KINDS[kind].unit}: it has none that changes nothing"
            )
        return [Condition(kind, level, parts) for level in self.levels or [neutral or 0]]


class Limits(BaseModel):
    """What one cell may use before it is ended."""

    model_config = FORBID

    seconds: Annotated[float, Field(gt=0)] = 3600.0
    memory_mb: Annotated[float, Field(gt=0)] = 8192.0


class Faithfulness(BaseModel):
    """What the probe of faithfulness may ask of a detector, in counts: a number never depends on the clock.

    An event costs up to ``14 + 12 * orders`` calls of `detect` on the event and what surrounds it, 48 more where the
    gate is measured (root causes and normal series known), and again as many as the first for ``self_circular``.
    Calls that orders share, as many do in short events of few channels, are made once.
    """

    model_config = FORBID

    orders: Annotated[int, Field(ge=1)] = 20
    """Random orders that the blamed-first order is compared with."""
    events: Annotated[int, Field(ge=1)] = 10
    """Events of a series that count, the first ones that can; one that cannot costs two calls."""
    self_circular: bool = True
    """Whether the detector's own expected values are tried as infill too."""
    others: bool = True
    """Whether the other detectors of the series judge too, once all are fitted: for each of them as many calls."""


def _from_switch(value: Any) -> Any:
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


def _from_text(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _from_title(value: Any) -> Any:
    return _titled(value).model_dump() if isinstance(value, str) else value


def _without_preset(choice: Choice) -> Choice:
    if choice.preset:
        raise ValueError("only detectors have presets")
    return choice


def _titled(title: str) -> Choice:
    name, _, preset = title.partition(":")
    return Choice(name=name, preset=preset)


Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
Named = Annotated[Choice, BeforeValidator(_from_text), AfterValidator(_without_preset)]
Titled = Annotated[Choice, BeforeValidator(_from_title)]


class Suite(BaseModel):
    """Everything a run is made of. `read_suite` makes one from TOML."""

    model_config = FORBID

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    summary: str = ""
    headline: str = "vus-pr"
    """The metric that tables put first and robustness curves draw."""
    detectors: Annotated[list[Titled], Field(min_length=1)] | Literal["all"] = "all"
    """``all``: every detector found. ``mma:paper-asd`` is one with a preset."""
    preset: str = ""
    """Under ``all``, the preset of every detector that has one of this name: ``quick`` for small budgets."""
    datasets: list[Named] | Literal["found"] = "found"
    """``found``: every data set whose files are at hand, else ``synthetic``."""
    metrics: list[Named] | Literal["all"] = "all"
    conditions: Annotated[list[Levels], Field(min_length=1)] = [Levels(kind="clean")]
    seeds: Seeds = [0]
    corruption_seeds: Seeds = [0]
    limits: Limits = Limits()
    faithfulness: Annotated[Faithfulness | None, BeforeValidator(_from_switch)] = None
    """``true``, or a table: measure how faithful attributions are, after the cells of a fit are done."""


def shipped_suites() -> dict[str, str]:
    """Return the text of each suite that comes with the package, by name."""
    folder = resources.files("tsad_bench") / "suites"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): file.read_text(encoding="utf-8") for file in files}


def read_suite(name_or_file: str) -> Suite:
    """Read a suite by the name of a shipped one or from a TOML file.

    Raises `SuiteError` that names the file, the table and the key at fault.
    """
    if not name_or_file.endswith(".toml"):
        shipped = shipped_suites()
        if name_or_file not in shipped:
            message = f"no suite named {name_or_file!r}; there are {', '.join(shipped)}, or give a file ending in .toml"
            raise SuiteError(message)
        return parse_suite(shipped[name_or_file], source=f"suite {name_or_file}")
    try:
        text = Path(name_or_file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"cannot read the suite {name_or_file}: {error}") from None
    return parse_suite(text, source=name_or_file)


def parse_suite(text: str, *, source: str) -> Suite:
    """Make a suite of TOML text; `source` is named in errors."""
    try:
        return Suite.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SuiteError(f"{source} is not TOML: {error}") from None
    except ValidationError as error:
        raise SuiteError(f"{source}: {_first_fault(error)}") from None


def narrow(
    suite: Suite,
    *,
    detectors: Iterable[str] = (),
    datasets: Iterable[str] = (),
    metrics: Iterable[str] = (),
    seeds: Iterable[int] = (),
) -> Suite:
    """Keep only what is named; a name that the suite does not hold is added to it.

    Data sets may name one series: ``ucr:001-DISTORTED1sddb40``. Detectors may name a preset: ``mma:paper-ucr``.
    """
    update: dict[str, Any] = {
        "detectors": _kept(suite.detectors, detectors),
        "datasets": _with_series(_kept(suite.datasets, [name.partition(":")[0] for name in datasets]), datasets),
        "metrics": _kept(suite.metrics, metrics),
    }
    if seeds := list(seeds):
        update["seeds"] = seeds
    if update["metrics"] and suite.headline not in {choice.name for choice in update["metrics"]}:
        update["headline"] = update["metrics"][0].name
    return suite.model_copy(update={key: value for key, value in update.items() if value})


def with_options(suite: Suite, options: Mapping[str, Mapping[str, Option]]) -> Suite:
    """Set options of detectors, data sets and metrics by name; the suite must list them by name."""
    update: dict[str, Any] = {}
    used: set[str] = set()
    for table in ("detectors", "datasets", "metrics"):
        choices = getattr(suite, table)
        if isinstance(choices, str):
            continue
        used |= {choice.name for choice in choices} & set(options)
        update[table] = [_with(choice, options.get(choice.name, {})) for choice in choices]
    if unused := sorted(set(options) - used):
        held = [
            choice.name for table in ("detectors", "datasets", "metrics") for choice in _listed(getattr(suite, table))
        ]
        raise SuiteError(f"--set names {unused[0]!r}, which this run does not hold; {did_you_mean(unused[0], held)}")
    return suite.model_copy(update=update)


def _listed(choices: list[Choice] | str) -> list[Choice]:
    return [] if isinstance(choices, str) else choices


def _with(choice: Choice, options: Mapping[str, Option]) -> Choice:
    """Set options; a value that is set is not crossed."""
    grid = {name: values for name, values in choice.grid.items() if name not in options}
    return choice.model_copy(update={"options": {**choice.options, **options}, "grid": grid})


def _kept(choices: list[Choice] | str, names: Iterable[str]) -> list[Choice]:
    kept = []
    for name in dict.fromkeys(names):
        kept += [choice for choice in _listed(choices) if name in {choice.name, choice.title}] or [_titled(name)]
    return kept


def _with_series(choices: list[Choice], names: Iterable[str]) -> list[Choice]:
    series: dict[str, list[str]] = {}
    whole = set()
    for name in names:
        dataset, colon, one = name.partition(":")
        series.setdefault(dataset, []).append(one)
        if not colon:
            whole.add(dataset)
    return [c if c.name in whole else c.model_copy(update={"series": series[c.name]}) for c in choices]


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    path = [str(part) for part in fault["loc"] or ["?"] if not str(part).startswith(("list[", "literal[", "function"))]
    where = f"table [{'.'.join(path[:-1])}], key {path[-1]!r}" if len(path) > 1 else f"key {path[0]!r}"
    given = "" if fault["type"] == "missing" else f" (given: {fault['input']!r})"
    return f"{where}: {fault['msg'][0].lower()}{fault['msg'][1:]}{given}"
