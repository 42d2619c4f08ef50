"""Plugins: found, isolated from one another, resolved by name."""

import sys
from pathlib import Path

import pytest
from tsad_core import PluginError, find_plugins
from tsad_core.registry import KINDS

GOOD = """
from tsad_core import Entry, hookimpl

@hookimpl
def tsad_detectors():
    return [Entry("{name}", "{module}:Thing", "a thing")]

class Thing:
    pass
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a distribution with one module and one entry point on the path."""
    monkeypatch.delenv("TSAD_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))

    made: list[str] = []

    def put(distribution: str, code: str) -> str:
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code.format(name=distribution, module=module))
        info = tmp_path / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[tsad]\nplugin = {module}\n")
        made.append(module)
        return module

    yield put
    for module in made:
        sys.modules.pop(module, None)


def test_core_offers_its_own_through_the_same_hooks() -> None:
    registry = find_plugins()
    assert registry.plugins["tsad-core"] == "0.1.0"
    assert {"random", "moving-average", "k-means", "pca", "matrix-profile"} <= set(registry.entries("detectors"))
    assert all(callable(registry.resolve(kind, name)) for kind in KINDS for name in registry.entries(kind))


def test_a_plugin_is_found_with_its_distribution_and_version(install) -> None:
    install("aa-one", GOOD)
    offer = find_plugins().offer("detectors", "aa-one")
    assert (offer.distribution, offer.version) == ("aa-one", "1.2")
    assert find_plugins().resolve("detectors", "aa-one").__name__ == "Thing"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('broken at import')", "RuntimeError: broken at import"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        (GOOD.replace("return [Entry", "raise ValueError('in the hook'); return [Entry"), "ValueError: in the hook"),
        (GOOD.replace('Entry("{name}", "{module}:Thing", "a thing")', '"not an entry"'), "must return a list of"),
        (GOOD.replace('"{name}"', '"Not A Name"'), "'Not A Name'"),
        (GOOD.replace("{module}:Thing", "no-colon"), "'no-colon'"),
        (GOOD.replace("def tsad_detectors", "def tsad_detektors"), "tsad_detektors"),
    ],
)
def test_a_broken_plugin_is_left_out_with_its_reason_and_disturbs_nobody(install, code: str, reason: str) -> None:
    install("aa-bad", code)
    install("bb-good", GOOD)
    registry = find_plugins()
    (fault,) = registry.faults
    assert fault.distribution == "aa-bad"
    assert reason in fault.reason
    assert {"bb-good", "random"} <= set(registry.entries("detectors"))


def test_of_two_entries_with_one_name_the_first_stays_and_a_warning_names_both(install) -> None:
    install("bb-two", GOOD.replace("{name}", "same"))
    install("aa-one", GOOD.replace("{name}", "same"))
    registry = find_plugins()
    assert registry.offer("detectors", "same").distribution == "aa-one"
    (warning,) = registry.warnings
    assert "aa-one" in warning
    assert "bb-two" in warning


def test_tsad_plugins_limits_loading_and_names_what_is_missing(install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("aa-one", "raise RuntimeError('never loaded')")
    monkeypatch.setenv("TSAD_PLUGINS", "tsad_core, zz-none")
    registry = find_plugins()
    assert set(registry.plugins) == {"tsad-core"}
    assert [fault.distribution for fault in registry.faults] == ["zz-none"]
    assert set(find_plugins(["aa-one"]).plugins) == set()


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(PluginError, match="did you mean 'k-means'"):
        find_plugins().resolve("detectors", "k-mean")
    with pytest.raises(PluginError, match="there are: "):
        find_plugins().resolve("datasets", "qqqq")


def test_a_target_that_cannot_be_loaded_names_the_plugin_at_fault(install) -> None:
    install("aa-one", GOOD.replace(":Thing", ":Absent"))
    with pytest.raises(PluginError, match=r"aa-one of aa-one cannot be loaded: AttributeError"):
        find_plugins().resolve("detectors", "aa-one")


def test_listing_loads_no_target(install) -> None:
    install("aa-one", GOOD.replace("{module}:Thing", "nowhere.at.all:Thing"))
    assert find_plugins().entries("detectors")["aa-one"].summary == "a thing"
