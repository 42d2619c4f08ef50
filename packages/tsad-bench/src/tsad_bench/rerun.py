"""One recorded cell, run again from its configuration and compared with what was recorded."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tsad_core import DataError
from tsad_core.datasets.home import find_home

from tsad_bench.cells import Cell, Job
from tsad_bench.executors.local import run_jobs
from tsad_bench.faithfulness.cards import CARDS, OTHERS, names
from tsad_bench.outcome import Outcome, Settings
from tsad_bench.suite import Choice, Faithfulness, Limits
from tsad_bench.tracking import read_cell


@dataclass(frozen=True)
class Comparison:
    """A cell's recorded outcome beside a fresh one."""

    cell: Cell
    recorded: Outcome
    again: Outcome

    @property
    def differences(self) -> list[str]:
        """What is not the same, one line each; empty if the cell was reproduced to the last digit."""
        lines = [
            f"{name}: recorded {before}, now {after}"
            for name, before, after in (
                ("status", self.recorded.status, self.again.status),
                ("data", self.recorded.facts.get("data"), self.again.facts.get("data")),
                ("version", self.recorded.facts.get("version"), self.again.facts.get("version")),
            )
            if before != after
        ]
        return lines + self._differing()

    def _differing(self) -> list[str]:
        """Compare the metrics, but for faithfulness that others gave or that the gate took."""
        before, after = self.recorded.metrics, self.again.metrics
        elsewhere = {*names(OTHERS), *(CARDS.keys() & self.recorded.undefined.keys())}
        differing = [n for n in {**before, **after} if n not in elsewhere and before.get(n) != after.get(n)]
        return [f"{name}: recorded {before.get(name)}, now {after.get(name)}" for name in differing]


def rerun(run_id: str, *, tracking_uri: str, home: Path | None = None) -> Comparison:
    """Run the cell behind an MLflow run again, with its recorded options, metrics and threads; log nothing."""
    cell, recorded, config = read_cell(tracking_uri, run_id)
    metrics = {label: Choice.model_validate(choice) for label, choice in config["metrics"].items()}
    found = find_home(home)
    with tempfile.TemporaryDirectory() as folder:
        path = str(found.absolute()) if found else None
        settings = Settings(metrics, folder, home=path, artifacts="none", threads=config["threads"])
        if "faithfulness" in config:
            budget = Faithfulness.model_validate(config["faithfulness"] | {"others": False})
            settings = replace(settings, faithfulness=budget)
        limits = Limits.model_validate(config["limits"])
        (again,) = run_jobs([Job((cell,))], settings, workers=1, limits=limits)
    if again.facts.get("fault") == "data":
        raise DataError(again.reason)
    return Comparison(cell, recorded, again)
