"""What a detector keeps of its training part."""

import numpy as np
import pytest
from tsad_core.held_out import split


@pytest.mark.parametrize(
    ("steps", "share", "least", "held"),
    [
        (1, 0.2, 1, 0),
        (2, 0.2, 1, 1),
        (10, 0.2, 1, 2),
        (10, 0.25, 1, 3),
        (10, 0.2, 5, 5),
        (10, 0.2, 6, 0),
        (10, 0.0, 3, 0),
    ],
)
def test_a_share_of_the_end_is_held_out_if_it_is_no_more_than_half(steps: int, share: float, least: int, held: int):
    part_TC = np.arange(steps)[:, None]
    fitted, held_out = split(part_TC, (0,), share=share, least=least)
    assert np.array_equal(fitted[0], part_TC[: steps - held])
    assert (held_out is None) == (held == 0)
    if held_out is not None:
        assert np.array_equal(held_out[0], part_TC[steps - held :])


def test_segments_are_told_on_both_sides() -> None:
    (_, before), held_out = split(np.zeros((20, 1)), (0, 5, 12, 17), share=0.3, least=1)
    assert held_out is not None
    assert before == (0, 5, 12)
    assert held_out[1] == (0, 3)
