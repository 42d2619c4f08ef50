"""Channels made comparable."""

import numpy as np
import pytest
from tsad_core.scaling import scaled, scales


@pytest.mark.parametrize(("scaling", "low", "high"), [("min-max", 0, 1), ("none", 2, 6)])
def test_a_part_is_given_in_the_units_of_the_training_part(scaling, low: float, high: float) -> None:
    train_TC = np.array([[2.0, 5.0, np.nan], [6.0, 5.0, np.nan]])
    scaled_TC = scaled(train_TC, *scales(train_TC, scaling))
    assert scaled_TC.dtype == np.float32
    assert scaled_TC[:, 0].tolist() == [low, high]
    assert np.isnan(scaled_TC[:, 2]).all()


def test_squares_of_what_is_far_out_stay_finite() -> None:
    scaled_TC = scaled(np.array([[-1e30, 1e30]]), np.zeros(2), np.full(2, 1e-6))
    assert np.isfinite(np.square(scaled_TC)).all()
    assert scaled_TC[0, 0] < 0 < scaled_TC[0, 1]
