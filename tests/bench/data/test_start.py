"""The group `data` starts as quickly as the others."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["numpy", "requests", "pooch", "rich"])
def test_help_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, tsad_bench.data.commands; sys.exit({module!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
