"""What tests share."""

import os
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Run kernels in Triton's interpreter, but those that are run on a GPU. It is asked for before triton is loaded."""
    if config.option.markexpr != "gpu":
        os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(scope="session")
def data_home() -> Path:
    """The folder with the real data sets; without it, the test is skipped."""
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the real data sets are not at hand")
    return Path(os.environ["TSAD_DATA"])
