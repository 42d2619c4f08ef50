"""Conformance checks: one line in the tests of a package that ships a detector, a data set or a metric."""

from tsad_core.testing.datasets import check_dataset
from tsad_core.testing.detectors import Conformance, check_detector
from tsad_core.testing.metrics import check_metric

__all__ = ["Conformance", "check_dataset", "check_detector", "check_metric"]
