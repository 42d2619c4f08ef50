"""Pictures of single cells: what happened, what the detector made of it, and whom it blames."""

from tsad_bench.plots.cell import most_blamed, plot_cell
from tsad_bench.plots.thinning import POINTS, thinned

__all__ = ["POINTS", "most_blamed", "plot_cell", "thinned"]
