"""A detector, a data set and a metric for the tsad benchmark.

Nothing is imported here: `tsad-bench list` loads this module, and shall stay quick.
"""
