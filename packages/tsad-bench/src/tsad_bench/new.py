"""A new plugin package, written from the template: a detector, a data set, a metric and their tests.

The template is `examples/tsad-foo` of the repository, file by file, each with a suffix that keeps
tools from taking it for code of ours.
"""

import importlib.util
import keyword
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from tsad_core import PluginError, Registry

if TYPE_CHECKING:
    from tsad_core.registry import Kind

_TEMPLATE = Path(__file__).with_name("template")
_SUFFIX = ".tmpl"
_DISTRIBUTION = re.compile(r"(tsad-)?[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Names:
    """What a package and the things in it are called."""

    distribution: str
    """As in ``tsad-my-model``."""
    module: str
    """As in ``tsad_my_model``."""
    detector: str
    """As in ``my-model``; the other entries begin with it."""
    cls: str
    """As in ``MyModel``."""

    @classmethod
    def of(cls, distribution: str) -> Self:
        """Derive the names; one that cannot be installed or imported raises `PluginError`."""
        detector = distribution.removeprefix("tsad-")
        if not _DISTRIBUTION.fullmatch(distribution) or not detector[0].isalpha():
            raise PluginError(
                f"{distribution!r} cannot name a package: "
                f"use lower case letters and digits joined by hyphens, a letter first (after tsad- too), as in tsad-foo"
            )
        pascal = "".join(word.capitalize() for word in detector.split("-"))
        return cls(distribution, distribution.replace("-", "_"), detector, pascal)

    def fill(self, text: str) -> str:
        """Put these names in place of the template's."""
        put = {
            "tsad-foo": self.distribution,
            "tsad_foo": self.module,
            "test_foo": f"test_{self.detector.replace('-', '_')}",
            "Foo": self.cls,
            "foo": self.detector,
        }
        return re.sub("|".join(put), lambda match: put[match[0]], text)


def write_package(distribution: str, *, into: Path, registry: Registry) -> Path:
    """Write a package into a folder of its name and return it; it is there whole or not at all.

    A name that is taken, by a module, by an entry of the `registry` or by a folder that is not
    empty, raises `PluginError`.
    """
    names = Names.of(distribution)
    _check_names(names, registry)
    folder = into / distribution
    try:
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise PluginError(f"{folder} exists and is not an empty folder; choose another name, or another --into")
        into.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=into, prefix=".tsad-new-") as temporary:
            _write_files(Path(temporary) / distribution, names).rename(folder)
    except OSError as error:
        raise PluginError(f"cannot write {folder}: {error.strerror}; choose another --into") from None
    return folder


def next_commands(folder: Path) -> list[str]:
    """Return how a package that was just written is installed, tested and run in a suite."""
    detector = Names.of(folder.name).detector
    place = folder if folder.is_absolute() else f"./{folder}"
    return [
        f"pip install -e {shlex.quote(f'{place}[test]')}   # or: uv pip install -e ...",
        f"pytest {shlex.quote(str(folder))}",
        f"tsad-bench run --suite smoke --detector {detector} --detector random --dataset {detector}-waves",
    ]


def _check_names(names: Names, registry: Registry) -> None:
    if keyword.iskeyword(names.module) or importlib.util.find_spec(names.module) is not None:
        raise PluginError(f"{names.distribution!r} is taken: Python already has {names.module}; choose another name")
    if keyword.iskeyword(names.cls) or names.cls in _imported_by_the_template():
        raise PluginError(f"{names.distribution!r} would make a class {names.cls}, which is taken; choose another name")
    entries: dict[Kind, str] = {
        "detectors": names.detector,
        "datasets": f"{names.detector}-waves",
        "metrics": f"{names.detector}-recall",
    }
    for kind, name in entries.items():
        if name in registry.offers[kind]:
            owner = registry.offers[kind][name].distribution
            raise PluginError(f"{names.distribution!r} is taken: {owner} offers {name}; choose another name")


def _imported_by_the_template() -> set[str]:
    """Return the words of the import lines beside the detector: a class of such a name would hide one."""
    text = (_TEMPLATE / f"src/tsad_foo/detector.py{_SUFFIX}").read_text(encoding="utf-8")
    return {word for line in re.findall(r"^from .*", text, re.MULTILINE) for word in re.findall(r"\w+", line)}


def _write_files(folder: Path, names: Names) -> Path:
    for source in _TEMPLATE.rglob(f"*{_SUFFIX}"):
        path = source.relative_to(_TEMPLATE).as_posix().removesuffix(_SUFFIX)
        target = folder / names.fill(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(names.fill(source.read_text(encoding="utf-8")), encoding="utf-8")
    return folder
