"""Cells and jobs: what a suite comes down to, and the keys by which they are known again."""

import functools
import hashlib
import itertools
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tsad_core import Card, DataError, MissingDataError, Registry, TsadError
from tsad_core.corruption import Condition
from tsad_core.errors import did_you_mean
from tsad_core.options import Option

from tsad_bench.faithfulness.cards import cards as faithfulness_cards
from tsad_bench.plugins import load_metric, make_detector, open_dataset, options_of, preset_of, presets_of, reads_files
from tsad_bench.suite import Choice, Suite, SuiteError

logger = logging.getLogger(__name__)

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
    dataset_label: str = ""
    """The data set's name in tables, if options must tell it from its neighbours."""
    condition: str = "clean"
    seed: int = 0
    corruption_seed: int = 0
    options: Mapping[str, Option] = field(default_factory=dict)
    dataset_options: Mapping[str, Option] = field(default_factory=dict)

    @functools.cached_property
    def slot(self) -> str:
        """The cell's name inside an execution."""
        return digest({k: v for k, v in asdict(self).items() if k not in {"label", "dataset_label"}})

    @property
    def place(self) -> str:
        """The cell in words, for logs and progress."""
        condition = "" if self.condition == "clean" else f" under {self.condition}"
        return f"{self.label} on {self.source}:{self.series}{condition}, seed {self.seed}"

    @property
    def source(self) -> str:
        """The data set as tables name it."""
        return self.dataset_label or self.dataset


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
    cards: Mapping[str, Card]
    """What each metric says of itself."""

    @property
    def better(self) -> dict[str, str]:
        """Which way each metric is better: ``higher``, ``lower`` or ``neither``."""
        return {label: card.better for label, card in self.cards.items()}

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
    """Replace ``all`` and ``found`` by what they stand for on this machine; what is broken is left out, and said so."""
    update: dict[str, Any] = {}
    if suite.detectors == "all":
        found = _usable(registry.entries("detectors"), lambda name: make_detector(registry, name, {}))
        update["detectors"] = [_with_preset(choice, suite.preset, registry) for choice in found]
    if suite.metrics == "all":
        every = _usable(registry.entries("metrics"), lambda name: load_metric(registry, name, {}))
        update["metrics"] = sorted(every, key=lambda choice: choice.name != suite.headline)
    if suite.datasets == "found":
        update["datasets"] = _found(registry, home)
    return suite.model_copy(update=update)


def plan(suite: Suite, registry: Registry, *, home: Path | None, device: str | None = None) -> Plan:
    """Cross a suite's detectors, series, seeds and conditions; no data is read.

    Names, options and conditions are checked here, so that a mistake costs nothing.
    """
    suite = spell_out(suite, registry, home=home)
    metrics = labelled(_expanded(suite.metrics))
    if suite.headline not in metrics:
        raise SuiteError(f"the headline {suite.headline!r} is not among the metrics: {', '.join(metrics)}")
    loaded = {label: load_metric(registry, choice.name, choice.options) for label, choice in metrics.items()}
    detectors = _detectors(suite, registry, device)
    crossed = [
        cell
        for label, dataset in labelled(_expanded(suite.datasets)).items()
        for series in _names(dataset, registry, home)
        for cell in _cells(suite, detectors, Cell("", "", dataset.name, series, label, dataset_options=dataset.options))
    ]
    cells = list({cell.slot: cell for cell in crossed}.values())
    if not cells:
        raise SuiteError(f"suite {suite.name}: nothing to run; it needs a detector, a series and a condition or more")
    cards = {label: metric.card for label, metric in loaded.items()} | faithfulness_cards(suite.faithfulness)
    return Plan(_grouped(cells), metrics, cards)


def _cells(suite: Suite, detectors: Mapping[str, tuple[Choice, bool]], place: Cell) -> Iterator[Cell]:
    """Yield the cells of one series."""
    conditions = [condition for levels in suite.conditions for condition in levels.expand()]
    for label, (choice, seeded) in detectors.items():
        for seed in suite.seeds if seeded else suite.seeds[:1]:
            options = {**choice.options, "seed": seed} if seeded else choice.options
            cell = replace(place, detector=choice.name, label=label, seed=seed, options=options)
            for condition in conditions:
                for again in suite.corruption_seeds if condition.touches else suite.corruption_seeds[:1]:
                    yield replace(cell, condition=str(condition), corruption_seed=again)


def _detectors(suite: Suite, registry: Registry, device: str | None) -> dict[str, tuple[Choice, bool]]:
    placed: dict[str, tuple[Choice, bool]] = {}
    for label, choice in labelled(_expanded(suite.detectors)).items():
        names = options_of(registry, choice.name)
        given = {**preset_of(registry, choice.name, choice.preset), **choice.options}
        if "seed" in given:
            raise SuiteError(f"detector {choice.title}: set seeds in the suite's `seeds`, not as an option")
        given = {"device": device, **given} if device and "device" in names else given
        make_detector(registry, choice.name, given)
        placed[label] = (choice.model_copy(update={"options": given}), "seed" in names)
    return placed


def _with_preset(choice: Choice, preset: str, registry: Registry) -> Choice:
    """Return a choice with a preset, if its detector has that one."""
    return choice.model_copy(update={"preset": preset}) if preset in presets_of(registry, choice.name) else choice


def _found(registry: Registry, home: Path | None) -> list[Choice]:
    """Return the data sets whose files are at hand; the generated ones only if there are none."""
    names = list(registry.entries("datasets"))
    filed = _usable([n for n in names if reads_files(registry, n)], lambda name: open_dataset(registry, name, {}, home))
    if filed:
        return filed
    generated = [name for name in names if not reads_files(registry, name)]
    return _usable(generated, lambda name: open_dataset(registry, name, {}, home))


def _usable(names: Iterable[str], load: Callable[[str], object]) -> list[Choice]:
    """Return a choice for each name that loads. Data that is not at hand is passed over; a fault is told."""
    choices = []
    for name in names:
        try:
            load(name)
        except MissingDataError:
            continue
        except TsadError as error:
            logger.warning("%s is left out: %s", name, error)
        else:
            choices.append(Choice(name=name))
    return choices


def _names(choice: Choice, registry: Registry, home: Path | None) -> list[str]:
    known = list(open_dataset(registry, choice.name, choice.options, home))
    for name in choice.series or []:
        if name not in known:
            raise DataError(f"data set {choice.name} has no series {name!r}; {nearest(name, known)}")
    return choice.series or known


def _expanded(choices: list[Choice] | str) -> list[Choice]:
    assert not isinstance(choices, str), "spell_out comes first"
    return [one for choice in choices for one in choice.expand()]


def labelled(choices: list[Choice]) -> dict[str, Choice]:
    """Return choices by a label: the name, and the options too where a name comes more than once."""
    count = Counter(choice.title for choice in choices)
    labels: dict[str, Choice] = {}
    for choice in choices:
        label = label_of(choice) if count[choice.title] > 1 else choice.title
        if label in labels:
            raise SuiteError(f"{choice.title} is listed twice with the same options")
        labels[label] = choice
    return labels


def label_of(choice: Choice) -> str:
    """Return a name that tells a choice from others of the same name: with the options it sets."""
    return "-".join([choice.title, *(f"{key}-{value}" for key, value in sorted(choice.options.items()))])


def _grouped(cells: list[Cell]) -> tuple[Job, ...]:
    jobs = itertools.groupby(sorted(cells, key=_fit_key), key=_fit_key)
    order = {cell.slot: index for index, cell in enumerate(cells)}
    made = [Job(tuple(sorted(group, key=lambda cell: order[cell.slot]))) for _, group in jobs]
    return tuple(sorted(made, key=lambda job: order[job.cells[0].slot]))


def _fit_key(cell: Cell) -> str:
    shares_fit = "train" not in Condition.parse(cell.condition).touches
    fit = asdict(cell) | ({"condition": "", "corruption_seed": 0} if shares_fit else {})
    return json.dumps(fit, sort_keys=True)


def nearest(name: str, known: list[str]) -> str:
    """Name the nearest series; where none is near, not all of hundreds."""
    hint = did_you_mean(name, known)
    return hint if len(hint) < 200 else f"there are {len(known)}, the first is {known[0]!r}"
