"""Each package installs alone, from its wheel with plain pip, and imports with what it declares."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["tsad-core", "tsad-mma", "tsad-baselines", "tsad-bench"]
HEAVY = {"torch", "triton", "mlflow", "mlflow-skinny", "click", "rich", "matplotlib"}

EXTRAS = {"tsad-core": {"tsad_core.nn": "tsad-core[torch]"}}
"""Modules that import only with an extra, which they name."""

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith(".__main__") and module.name not in sys.argv[2:]:
        importlib.import_module(module.name)
print(package.__file__)
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a wheel of each package."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in PACKAGES:
        subprocess.run(["uv", "build", "-q", "--wheel", "-o", folder, ROOT / "packages" / name], check=True)
    return folder


def call(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    ran = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_installs_alone_and_every_module_of_it_imports(name: str, wheels: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    call(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    call(python, "-m", "pip", "install", "-q", "--find-links", wheels, name, cwd=tmp_path)
    extras = EXTRAS.get(name, {})
    place = call(python, "-I", "-c", IMPORT_ALL, name.replace("-", "_"), *extras, cwd=tmp_path)
    assert Path(place.strip()).is_relative_to(tmp_path / "venv")
    call(python, "-m", "pip", "check", cwd=tmp_path)
    listed = json.loads(call(python, "-m", "pip", "list", "--format", "json", cwd=tmp_path))
    installed = {row["name"].lower() for row in listed}
    assert installed.isdisjoint(set(PACKAGES) - {name, "tsad-core"})
    for module, extra in extras.items():
        command = [python, "-I", "-c", f"import {module}"]
        refused = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
        assert extra in refused.stderr.splitlines()[-1]
    if name == "tsad-core":
        assert installed.isdisjoint(HEAVY)
    if name == "tsad-bench":
        assert "k-means" in call(python.with_name("tsad-bench"), "list", "detectors", cwd=tmp_path)
        call(python.with_name("tsad-bench"), "new", "tsad-mine", cwd=tmp_path)
        assert (tmp_path / "tsad-mine" / "src" / "tsad_mine" / "py.typed").exists()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_wheel_holds_its_package_alone_and_says_that_it_is_typed(name: str, wheels: Path) -> None:
    (wheel,) = wheels.glob(f"{name.replace('-', '_')}-*.whl")
    module = name.replace("-", "_")
    names = zipfile.ZipFile(wheel).namelist()
    metadata = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    assert {path.split("/")[0] for path in names} == {module, metadata}
    assert f"{module}/py.typed" in names
