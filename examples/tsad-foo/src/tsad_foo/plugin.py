"""What this package offers. Targets are names: nothing is imported before it is used."""

from tsad_core import Entry, hookimpl


@hookimpl
def tsad_detectors() -> list[Entry]:
    """Name the detectors."""
    return [Entry("foo", "tsad_foo.detector:Foo", "distance of each step from the nearest training step")]


@hookimpl
def tsad_datasets() -> list[Entry]:
    """Name the data sets."""
    return [Entry("foo-waves", "tsad_foo.dataset:waves", "generated waves, now and then one upside down")]


@hookimpl
def tsad_metrics() -> list[Entry]:
    """Name the metrics."""
    return [Entry("foo-recall", "tsad_foo.metric:recall", "share of the events above the calibration scores")]
