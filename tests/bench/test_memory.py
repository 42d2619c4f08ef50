"""Peak memory belongs to the cell, not to the process."""

import sys

import numpy as np
import pytest
from tsad_bench import memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can reset a process's peak")
def test_what_an_earlier_cell_used_is_not_counted_for_the_next() -> None:
    memory.reset_peak()
    held = memory.resident_mb()
    big = np.ones(25_000_000)
    assert memory.peak_mb() - held == pytest.approx(8 * 25e6 / 2**20, rel=0.1)
    del big
    memory.reset_peak()
    assert memory.peak_mb() - memory.resident_mb() < 20
