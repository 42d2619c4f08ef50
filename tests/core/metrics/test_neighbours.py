"""The nearest larger value is found on either side."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsad_core.metrics import neighbours
from tsad_core.metrics.neighbours import larger_after, larger_before


def test_examples_run() -> None:
    assert doctest.testmod(neighbours).failed == 0


@settings(deadline=None, database=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=70))
def test_neighbours_are_those_found_step_by_step(values: list[int]) -> None:
    steps = range(len(values))
    before = [max((s for s in range(t) if values[s] > values[t]), default=-1) for t in steps]
    after = [min((s for s in range(t + 1, len(values)) if values[s] > values[t]), default=len(values)) for t in steps]
    assert larger_before(np.array(values)).tolist() == before
    assert larger_after(np.array(values)).tolist() == after


@pytest.mark.parametrize("steps", [1, 2, 1023, 1024, 1025, 70_000])
def test_slopes_have_their_neighbours_at_one_step_or_nowhere(steps: int) -> None:
    rising_T = np.arange(steps)
    assert (larger_before(rising_T) == -1).all()
    assert larger_before(rising_T[::-1]).tolist() == list(range(-1, steps - 1))
    assert larger_after(rising_T).tolist() == list(range(1, steps + 1))
