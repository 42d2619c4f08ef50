"""Calibration: the tail is clear of what is fitted, and a short part is used whole."""

import doctest

import pytest
from tsad_core import calibration
from tsad_core.calibration import split


@pytest.mark.parametrize(("steps", "stop", "tail"), [(1, 1, 0), (19, 19, 0), (20, 16, 16), (1000, 800, 810)])
def test_the_split_leaves_a_gap_of_at_most_a_tenth_of_the_tail(steps: int, stop: int, tail: int) -> None:
    assert split(steps, gap=10) == (stop, tail)
    if steps == 1000:
        assert split(steps, gap=500) == (800, 820)


def test_the_examples_of_the_docstring_run() -> None:
    assert doctest.testmod(calibration, raise_on_error=True).attempted == 1
