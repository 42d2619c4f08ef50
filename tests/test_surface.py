"""What plugin authors may rely on: documented in docs/plugins.md, and changed on purpose only."""

import dataclasses
import importlib
import inspect
import re
import sys
import types
from pathlib import Path
from pkgutil import resolve_name

import pluggy
import pytest
from tsad_core import Card, Detection, Detector, Entry, hookspecs
from tsad_core.metric import INPUTS
from tsad_core.series import Series

PLUGINS = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
HOOKS = [name for name, function in vars(hookspecs).items() if hasattr(function, f"{hookspecs.PROJECT}_spec")]

SURFACE = {
    "tsad_core": [
        "Array",
        "Card",
        "Collection",
        "ContractError",
        "Counts",
        "DataError",
        "Dataset",
        "Detection",
        "Detector",
        "Download",
        "Entry",
        "Metric",
        "MissingDataError",
        "OptionError",
        "PluginError",
        "Registry",
        "Series",
        "Skip",
        "TsadError",
        "Undefined",
        "dataset",
        "detector",
        "find_plugins",
        "hookimpl",
        "metric",
    ],
    "tsad_core.sklearn": ["EXPECTED_FAILED_CHECKS", "OutlierDetector"],
    "tsad_core.testing": ["Conformance", "check_dataset", "check_detector", "check_metric"],
    "tsad_bench": ["resume", "run_suite"],
}
"""The public names. A name that is added, renamed or taken away is also one for CHANGELOG.md."""

MUTE = {"Array", "Dataset", "hookimpl", "EXPECTED_FAILED_CHECKS"}
"""Public names that cannot carry a docstring: two types, pluggy's marker, a table."""


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory):
    """Return the code of docs/plugins.md as the module that its targets name."""
    folder = tmp_path_factory.mktemp("plugins")
    blocks = re.findall(r"```python\n(.*?)```", PLUGINS, flags=re.DOTALL)
    (folder / "tsad_mine.py").write_text("\n".join(blocks))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("tsad_mine")
        del sys.modules["tsad_mine"]


@pytest.mark.parametrize("name", SURFACE)
def test_the_public_names_are_exactly_these(name: str) -> None:
    module = importlib.import_module(name)
    assert _public(module) == sorted(SURFACE[name])
    assert [public for public in SURFACE[name] if not hasattr(module, public)] == []


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in SURFACE for name in SURFACE[module]])
def test_every_public_name_says_what_it_is(module: str, name: str) -> None:
    thing = getattr(importlib.import_module(module), name)
    if name in MUTE:
        return
    words = inspect.getdoc(thing) or ""
    assert len(words.split()) >= 4
    # a dataclass without a docstring gets its signature for one
    assert not words.startswith(f"{name}(")


def test_there_are_three_hooks() -> None:
    assert HOOKS == ["tsad_detectors", "tsad_datasets", "tsad_metrics"]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_signature_and_an_example_that_runs(hook: str, documented) -> None:
    signature = re.sub(r"\w+(\.\w+)*\.(?=\w)", "", str(inspect.signature(getattr(hookspecs, hook))))
    assert f"### `{hook}{signature}`\n" in PLUGINS
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(documented)
    manager.check_pending()
    (entries,) = getattr(manager.hook, hook)()
    assert [type(entry) for entry in entries] == [Entry]
    assert callable(resolve_name(entries[0].target))


def test_the_documented_detector_data_set_and_metric_find_the_step(documented) -> None:
    series = documented.steps()["steps-0"]()
    assert isinstance(series, Series)
    detector = documented.Level().fit(series.train_TC)
    assert isinstance(detector, Detector)
    scores_T = detector.detect(series.test_TC).scores_T
    assert documented.peak_hit(labels_T=series.labels_T, scores_T=scores_T) == 1
    assert documented.peak_hit(labels_T=series.labels_T, scores_T=-scores_T) == 0


def test_every_input_of_a_metric_is_documented() -> None:
    assert re.findall(r"^\| `(\w+_TC?)` \| .* \| .* \|$", PLUGINS.split("## Metrics")[1], re.MULTILINE) == list(INPUTS)


@pytest.mark.parametrize("kind", [Series, Detection, Card])
def test_every_field_of_a_contract_is_documented(kind: type) -> None:
    names = [field.name for field in dataclasses.fields(kind)]
    assert [name for name in names if f"`{name}`" not in PLUGINS] == []


def test_the_options_that_a_detector_is_given_by_name_are_documented() -> None:
    assert "TSAD_PLUGINS" in PLUGINS
    for word in ("`seed`", "`device`", "`starts`", "`home`"):
        assert word in PLUGINS


def test_links_of_the_page_lead_somewhere() -> None:
    docs = Path(__file__).parents[1] / "docs"
    for page in ("plugins.md", "tutorial.md"):
        links = re.findall(r"\]\(([^)#:]+)\)", (docs / page).read_text(encoding="utf-8"))
        assert links
        assert [link for link in links if not (docs / link).exists()] == []


def _public(module: types.ModuleType) -> list[str]:
    """Return what a package lists, or what a single module defines without an underscore."""
    if hasattr(module, "__all__"):
        return module.__all__
    # a table of ours has no module to tell it by
    ours = {name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__}
    tables = {name for name, thing in vars(module).items() if name.isupper() and not hasattr(thing, "__module__")}
    return sorted(name for name in ours | tables if not name.startswith("_"))
