"""The controls: plain detectors, the floors that every other one must clear."""

from tsad_core.controls.averages import MovingAverage
from tsad_core.controls.deviation import Deviation
from tsad_core.controls.infill import Linear, SeasonalNaive
from tsad_core.controls.matrix_profile import MatrixProfile
from tsad_core.controls.noise import Random
from tsad_core.controls.reconstruction import PCA, KMeans

__all__ = ["PCA", "Deviation", "KMeans", "Linear", "MatrixProfile", "MovingAverage", "Random", "SeasonalNaive"]
