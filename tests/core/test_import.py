"""`import tsad_core` is light: nothing that a plugin author may not have."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["torch", "triton", "mlflow", "click", "rich", "matplotlib", "pandas", "sklearn"])
def test_importing_the_core_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, tsad_core, tsad_core.plugin; sys.exit({module!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there() -> None:
    import tsad_core

    assert sorted(tsad_core.__all__) == tsad_core.__all__
    assert [name for name in tsad_core.__all__ if not hasattr(tsad_core, name)] == []


def test_the_metrics_load_no_library_that_few_of_them_need() -> None:
    code = "import sys, tsad_core.metrics; sys.exit('scipy.signal' in sys.modules or 'scipy.stats' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
