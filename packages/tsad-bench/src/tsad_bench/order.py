"""The order of an execution: everything that says what to run and how, spelt out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsad_core import Registry
from tsad_core.datasets.home import find_home
from tsad_core.options import Option

from tsad_bench import environment
from tsad_bench.cells import Plan, labelled, plan, spell_out
from tsad_bench.outcome import Artifacts
from tsad_bench.suite import Choice, Suite, with_options


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to run and how; a journal's first line holds it."""

    suite: Suite
    """With everything spelt out: detectors, data sets and metrics by name."""
    tracking_uri: str
    home: str | None = None
    device: str | None = None
    workers: int = 1
    threads: int = 1
    artifacts: Artifacts = "scores"
    pictures: int = 1
    """Series of each data set whose cells get a picture, in their first condition and seed."""


def make_order(
    suite: Suite,
    registry: Registry,
    *,
    options: Mapping[str, Mapping[str, Option]],
    jobs: int | None = None,
    device: str | None = None,
    data_home: Path | None = None,
    tracking_uri: str | None = None,
    artifacts: Artifacts = "scores",
) -> Order:
    """Spell out a suite on this machine, and fix what else the run depends on."""
    home = find_home(data_home)
    cpus = environment.cpus()
    workers = jobs or cpus
    return Order(
        suite=with_options(spell_out(suite, registry, home=home), options),
        tracking_uri=tracking_uri or environment.default_uri(),
        home=str(home.absolute()) if home else None,
        device=device,
        workers=workers,
        threads=max(1, cpus // workers),
        artifacts=artifacts,
    )


def plan_of(order: Order, registry: Registry) -> Plan:
    """Return the cells of an order, checked; no data is read."""
    return plan(order.suite, registry, home=Path(order.home) if order.home else None, device=order.device)


def metrics_of(suite: Suite) -> dict[str, Choice]:
    """Return the metrics of a spelt-out suite by their label."""
    assert not isinstance(suite.metrics, str), "an order spells its suite out"
    return labelled([one for choice in suite.metrics for one in choice.expand()])


def dump(order: Order) -> dict[str, Any]:
    """Return an order as JSON can hold it."""
    fields = {name: getattr(order, name) for name in order.__dataclass_fields__}
    return fields | {"suite": json.loads(order.suite.model_dump_json())}


def load(order: Mapping[str, Any]) -> Order:
    """Return the order that `dump` was given."""
    return Order(**{**order, "suite": Suite.model_validate(order["suite"])})
