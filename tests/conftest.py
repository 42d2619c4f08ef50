"""What tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_home() -> Path:
    """The folder with the real data sets; without it, the test is skipped."""
    if "TSAD_DATA" not in os.environ:
        pytest.skip("TSAD_DATA is not set: the real data sets are not at hand")
    return Path(os.environ["TSAD_DATA"])
