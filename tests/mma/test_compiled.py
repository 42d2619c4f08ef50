"""The fused kernels, compiled ahead of time for GPUs that need not be there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("triton", reason="triton is not installed")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kernels.py"
SHARED = {80: 163 * 1024, 90: 227 * 1024}
"""Most shared memory of a block, in bytes (CUDA C++ programming guide, technical specifications)."""


@pytest.fixture(scope="module")
def rows():
    if not SCRIPT.exists():
        pytest.skip(f"{SCRIPT.name} is not here")
    alone = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, SCRIPT, "--resources", "--json"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=alone).stdout
    return [json.loads(line) for line in told.splitlines()]


def test_every_kernel_compiles_for_every_chip_and_shape(rows) -> None:
    assert len(rows) == 2 * 2 * 2 * 3
    assert {row["sm"] for row in rows} == {80, 90}


def test_the_main_shapes_stay_in_registers_and_in_shared_memory(rows) -> None:
    assert [row for row in rows if row["stack"]] == []
    assert [row for row in rows if row["shared"] > SHARED[row["sm"]]] == []


def test_hopper_multiplies_by_warpgroups(rows) -> None:
    assert [row for row in rows if (row["wgmma"] > 0) != (row["sm"] == 90)] == []
