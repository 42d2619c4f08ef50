"""Contracts, metrics, data sets and control detectors for time series anomaly detection."""

from tsad_core.dataset import Collection, Counts, Dataset, Download, dataset
from tsad_core.detector import Detection, Detector
from tsad_core.errors import (
    ContractError,
    DataError,
    MissingDataError,
    OptionError,
    PluginError,
    Skip,
    TsadError,
    Undefined,
)
from tsad_core.hookspecs import Entry, hookimpl
from tsad_core.metric import Card, Metric, metric
from tsad_core.options import detector
from tsad_core.registry import Registry, find_plugins
from tsad_core.series import Array, Series

__all__ = [
    "Array",
    "Card",
    "Collection",
    "ContractError",
    "Counts",
    "DataError",
    "Dataset",
    "Detection",
    "Detector",
    "Download",
    "Entry",
    "Metric",
    "MissingDataError",
    "OptionError",
    "PluginError",
    "Registry",
    "Series",
    "Skip",
    "TsadError",
    "Undefined",
    "dataset",
    "detector",
    "find_plugins",
    "hookimpl",
    "metric",
]
