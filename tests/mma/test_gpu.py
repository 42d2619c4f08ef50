"""The page about the GPU: on one, its checks; without one, a rehearsal in the interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("triton", reason="triton is not installed")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu_check.py"


def run(output: Path, *options: str, interpret: str) -> str:
    command = [sys.executable, SCRIPT, "--output", output, *options]
    environment = os.environ | {"TRITON_INTERPRET": interpret}
    subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return output.read_text()


@pytest.mark.gpu
@pytest.mark.timeout(600)
def test_all_checks_pass_on_a_gpu(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    assert "## Many small models" in run(tmp_path / "page.md", interpret="0")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_check_of_a_gpu_can_be_rehearsed_without_one(tmp_path: Path) -> None:
    page = run(tmp_path / "page.md", "--rehearse", interpret="1")
    assert "a rehearsal, no measurement" in page
    assert "## Many small models" in page
