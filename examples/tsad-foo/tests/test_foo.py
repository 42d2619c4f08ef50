"""What tsad-foo promises."""

from pkgutil import resolve_name

import numpy as np
from tsad_core.testing import check_dataset, check_detector, check_metric
from tsad_foo import plugin
from tsad_foo.dataset import waves
from tsad_foo.detector import Foo
from tsad_foo.metric import recall


def test_the_plugin_lists_its_three_entries() -> None:
    entries = [*plugin.tsad_detectors(), *plugin.tsad_datasets(), *plugin.tsad_metrics()]
    assert [entry.name for entry in entries] == ["foo", "foo-waves", "foo-recall"]
    assert [resolve_name(entry.target) for entry in entries] == [Foo, waves, recall]


def test_the_detector_keeps_its_contract() -> None:
    check_detector(Foo())


def test_the_data_set_keeps_its_contract() -> None:
    check_dataset(waves)


def test_the_metric_keeps_its_contract() -> None:
    check_metric(recall)


def test_the_metric_counts_one_of_two_events() -> None:
    labels_T, scores_T = np.array([0, 1, 1, 0, 1], dtype=bool), np.array([9, 0, 2, 0, 0.5])
    assert recall(labels_T=labels_T, scores_T=scores_T, calibration_T=np.array([0, 1])) == 0.5
