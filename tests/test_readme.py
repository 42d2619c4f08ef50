"""The README's code does what the README says."""

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from tsad_core import Entry, OptionError, find_plugins
from tsad_core.datasets.synthetic import synthetic
from tsad_core.metrics.ranking import auc_roc

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def robust_z(monkeypatch: pytest.MonkeyPatch):
    """Return the README's detector, from a module as a reader would have it."""
    module = types.ModuleType("robust_z_of_the_readme")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(PYTHON[0], "README.md", "exec"), module.__dict__)
    return module.RobustZ


def test_the_detector_of_the_readme_works(robust_z, tmp_path: Path) -> None:
    series = synthetic()["sines-0"]()
    fitted = robust_z(floor=0.1).fit(series.train_TC)
    scores_T = fitted.detect(series.test_TC).scores_T
    assert auc_roc(labels_T=series.labels_T, scores_T=scores_T) > 0.55
    assert clone(fitted).get_params() == {"floor": 0.1}
    fitted.save(tmp_path)
    np.testing.assert_array_equal(robust_z.load(tmp_path).detect(series.test_TC).scores_T, scores_T)
    with pytest.raises(OptionError, match="greater than 0"):
        robust_z(floor=0.0)


def test_the_detector_of_the_readme_has_about_twenty_lines() -> None:
    assert len([line for line in PYTHON[0].splitlines() if line.strip()]) <= 21


def test_the_plugin_of_the_readme_lists_it() -> None:
    space: dict = {}
    exec(compile(PYTHON[1], "README.md", "exec"), space)
    assert space["tsad_detectors"]() == [
        Entry("robust-z", "robust_z.detector:RobustZ", "distance from the median, in robust deviations")
    ]


def test_the_readme_names_only_commands_and_suites_that_exist() -> None:
    from tsad_bench.cli import cli
    from tsad_bench.suite import shipped_suites

    named = set(re.findall(r"tsad-bench ([a-z]+)", README))
    assert named <= set(cli.commands) | {"run"}
    assert set(re.findall(r"--suite ([a-z]+)(?!\S)", README)) <= set(shipped_suites())


def test_every_control_named_in_the_readme_is_installed() -> None:
    names = set(find_plugins().entries("detectors"))
    shown = set(re.findall(r"^\| ([a-z][a-z-]+) +\| 0\.", README, flags=re.MULTILINE))
    assert "random" in shown
    assert shown <= names
