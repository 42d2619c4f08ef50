"""Cells and jobs: what a suite comes down to, and the keys by which they are known again."""

import contextlib
import difflib
import functools
import hashlib
import inspect
import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tsad_core import DataError, Registry
from tsad_core.corruption import Condition
from tsad_core.metric import INPUTS
from tsad_core.options import Option, bind, option_names

from tsad_bench.suite import Choice, Suite, SuiteError

SPLIT_RULE = "fit-80-gap-detect-20"
"""The runner fits on the first 80 % of the training part and calibrates on its tail."""


@dataclass(frozen=True)
class Cell:
    """One detector with its options, one series, one seed, one condition."""

    detector: str
    label: str
    """The detector's name in tables: with the options that tell it from its neighbours."""
    dataset: str
    series: str
    condition: str = "clean"
    seed: int = 0
    corruption_seed: int = 0
    options: Mapping[str, Option] = field(default_factory=dict)
    dataset_options: Mapping[str, Option] = field(default_factory=dict)

    @functools.cached_property
    def slot(self) -> str:
        """The cell's name inside an execution."""
        return digest({k: v for k, v in asdict(self).items() if k != "label"})

    @property
    def place(self) -> str:
        """The cell in words, for logs and progress."""
        condition = "" if self.condition == "clean" else f" under {self.condition}"
        return f"{self.label} on {self.dataset}:{self.series}{condition}, seed {self.seed}"


@dataclass(frozen=True)
class Job:
    """One fit and all the cells that share it."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Plan:
    """All jobs of a suite, and the metrics to compute on each cell."""

    jobs: tuple[Job, ...]
    metrics: Mapping[str, Choice]
    """By their label: the name, with options where one name comes more than once."""

    @property
    def cells(self) -> list[Cell]:
        """All cells, in order."""
        return [cell for job in self.jobs for cell in job.cells]

    @property
    def digest(self) -> str:
        """A hash of which cells there are."""
        return digest(sorted(cell.slot for cell in self.cells))


def digest(value: Any) -> str:
    """Return a short hash of canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def spell_out(suite: Suite, registry: Registry, *, home: Path | None) -> Suite:
    """Replace ``all`` and ``found`` by what they stand for on this machine."""
    update: dict[str, Any] = {}
    if suite.detectors == "all":
        update["detectors"] = [Choice(name=name) for name in registry.entries("detectors")]
    if suite.metrics == "all":
        update["metrics"] = [Choice(name=name) for name in registry.entries("metrics")]
    if suite.datasets == "found":
        update["datasets"] = _found(registry, home)
    return suite.model_copy(update=update)


def plan(suite: Suite, registry: Registry, *, home: Path | None, device: str | None = None) -> Plan:
    """Cross a suite's detectors, series, seeds and conditions; no data is read.

    Names, options and conditions are checked here, so that a mistake costs nothing.
    """
    suite = spell_out(suite, registry, home=home)
    detectors = _detectors(suite, registry, device)
    conditions = [str(Condition(levels.kind, level)) for levels in suite.conditions for level in levels.levels]
    cells = [
        Cell(
            detector=choice.name,
            label=label,
            dataset=dataset.name,
            series=series,
            condition=condition,
            seed=seed,
            corruption_seed=corruption_seed,
            options={**choice.options, **({"seed": seed} if seeded else {})},
            dataset_options=dataset.options,
        )
        for dataset, series in _series(suite, registry, home)
        for label, (choice, seeded) in detectors.items()
        for seed in (suite.seeds if seeded else suite.seeds[:1])
        for condition in conditions
        for corruption_seed in (suite.corruption_seeds if condition != "clean" else suite.corruption_seeds[:1])
    ]
    return Plan(_grouped(cells), _metrics(suite, registry))


def _detectors(suite: Suite, registry: Registry, device: str | None) -> dict[str, tuple[Choice, bool]]:
    placed: dict[str, tuple[Choice, bool]] = {}
    for label, choice in labelled(_expanded(suite.detectors)).items():
        cls = registry.resolve("detectors", choice.name)
        names = option_names(cls)
        if "seed" in choice.options:
            raise SuiteError(f"detector {choice.name}: set seeds in the suite's `seeds`, not as an option")
        given = {"device": device, **choice.options} if device and "device" in names else choice.options
        cls(**given)
        placed[label] = (choice.model_copy(update={"options": given}), "seed" in names)
    return placed


def _series(suite: Suite, registry: Registry, home: Path | None) -> list[tuple[Choice, str]]:
    return [(choice, name) for choice in _expanded(suite.datasets) for name in _names(choice, registry, home)]


def _found(registry: Registry, home: Path | None) -> list[Choice]:
    """Return the data sets whose files are at hand; the generated ones only if there are none."""
    readable = []
    for name in registry.entries("datasets"):
        if _reads_files(registry, name):
            with contextlib.suppress(DataError):
                open_dataset(registry, name, {}, home)
                readable.append(Choice(name=name))
    return readable or [Choice(name=name) for name in registry.entries("datasets") if not _reads_files(registry, name)]


def _reads_files(registry: Registry, name: str) -> bool:
    return "home" in inspect.signature(registry.resolve("datasets", name)).parameters


def _names(choice: Choice, registry: Registry, home: Path | None) -> list[str]:
    known = list(open_dataset(registry, choice.name, choice.options, home))
    unknown = [name for name in choice.series or [] if name not in known]
    if unknown:
        raise DataError(f"data set {choice.name} has no series {unknown[0]!r}; {_near(unknown[0], known)}")
    return choice.series or known


def open_dataset(registry: Registry, name: str, options: Mapping[str, Option], home: Path | None) -> Mapping[str, Any]:
    """Return a data set's series by name, unread."""
    function = registry.resolve("datasets", name)
    bound = bind(function, options, owner=f"data set {name}", provided=["home"])
    if not _reads_files(registry, name):
        return bound()  # type: ignore[no-any-return]  # what a plugin's function returns
    if home is None:
        raise DataError(f"data set {name} is read from files; set TSAD_DATA or --data-home to the folder that has them")
    return bound(home=home)  # type: ignore[no-any-return]  # what a plugin's function returns


def _metrics(suite: Suite, registry: Registry) -> dict[str, Choice]:
    metrics = labelled(_expanded(suite.metrics))
    for choice in metrics.values():
        function = registry.resolve("metrics", choice.name)
        bind(function, choice.options, owner=f"metric {choice.name}", provided=INPUTS)
    if suite.headline not in metrics:
        raise SuiteError(f"the headline {suite.headline!r} is not among the metrics: {', '.join(metrics)}")
    return metrics


def _expanded(choices: list[Choice] | str) -> list[Choice]:
    assert not isinstance(choices, str), "spell_out comes first"
    return [one for choice in choices for one in choice.expand()]


def labelled(choices: list[Choice]) -> dict[str, Choice]:
    """Return choices by a label: the name, and the options too where a name comes more than once."""
    count = Counter(choice.name for choice in choices)
    labels: dict[str, Choice] = {}
    for choice in choices:
        label = choice.name
        if count[choice.name] > 1 and choice.options:
            label += "-" + "-".join(f"{key}-{value}" for key, value in sorted(choice.options.items()))
        if label in labels:
            raise SuiteError(f"{choice.name} is listed twice with the same options")
        labels[label] = choice
    return labels


def _grouped(cells: list[Cell]) -> tuple[Job, ...]:
    jobs = itertools.groupby(sorted(cells, key=_fit_key), key=_fit_key)
    order = {cell.slot: index for index, cell in enumerate(cells)}
    made = [Job(tuple(sorted(group, key=lambda cell: order[cell.slot]))) for _, group in jobs]
    return tuple(sorted(made, key=lambda job: order[job.cells[0].slot]))


def _fit_key(cell: Cell) -> str:
    shares_fit = "train" not in Condition.parse(cell.condition).touches
    fit = asdict(cell) | ({"condition": "", "corruption_seed": 0} if shares_fit else {})
    return json.dumps(fit, sort_keys=True)


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {len(known)}, the first is {known[0]!r}"
