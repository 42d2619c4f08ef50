"""The conditions by kind."""

from collections.abc import Mapping

from tsad_core.corruption.channels import dead_channels, permuted_channels
from tsad_core.corruption.clock import resampled
from tsad_core.corruption.contamination import sham_anomalies, train_anomalies
from tsad_core.corruption.donors import legacy_leak_anomalies, real_anomalies
from tsad_core.corruption.drift import level_drift, scale_drift, trend_drift
from tsad_core.corruption.kind import Change, Dose, Kind
from tsad_core.corruption.missing import bursts, lost, scattered
from tsad_core.corruption.noise import added, pink, spiky, white
from tsad_core.corruption.part import Strike, in_place
from tsad_core.series import Series

_TEST_FIRST = ("test", "train", "both")


def _clean(series: Series, _: Dose) -> Change:
    return Change(series)


def _percent(summary: str, highest: int, strike: Strike) -> Kind:
    return Kind(summary, "percent", 0, highest, 0, _TEST_FIRST, in_place(strike))


def _missing(summary: str, strike: Strike) -> Kind:
    return Kind(summary, "percent", 0, 90, 0, _TEST_FIRST, in_place(strike, missing=True))


def _noise(summary: str, strike: Strike) -> Kind:
    return Kind(summary, "dB", -20, 60, None, _TEST_FIRST, in_place(strike))


KINDS: Mapping[str, Kind] = {
    "clean": Kind("the series as it is", "", 0, 0, 0, ("none",), _clean),
    "train-anomalies": Kind(
        "simulated anomalies in some percent of the training steps, all over the training part",
        "percent",
        0,
        30,
        0,
        ("train",),
        train_anomalies,
    ),
    "sham-anomalies": Kind(
        "control of train-anomalies: normal segments pasted at the same places, with the same seams",
        "percent",
        0,
        30,
        0,
        ("train",),
        sham_anomalies,
    ),
    "real-anomalies": Kind(
        "events of the test part's first half, each pasted some times into training; the second half is scored",
        "count",
        0,
        4,
        None,
        ("both",),
        real_anomalies,
    ),
    "legacy-leak-anomalies": Kind(
        "leaks, as in published protocols: all events of the test part pasted into training, and scored again",
        "count",
        0,
        4,
        0,
        ("train",),
        legacy_leak_anomalies,
    ),
    "white-noise": _noise("white noise at a signal-to-noise ratio in each channel", added(white)),
    "pink-noise": _noise(
        "noise with power in inverse proportion to frequency, at a signal-to-noise ratio", added(pink)
    ),
    "spiky-noise": _noise("impulses in 1 % of the steps, at a signal-to-noise ratio in each channel", added(spiky)),
    "missing-values": _missing("some percent of the cells missing at random", lost(scattered)),
    "missing-bursts": _missing("some percent of the cells missing, in bursts of about a period", lost(bursts)),
    "dead-channels": Kind(
        "channels that stand still at the last value they had, from a random onset on",
        "count",
        0,
        100,
        0,
        _TEST_FIRST,
        in_place(dead_channels),
    ),
    "level-drift": _percent("a step by some percent of each channel's MAD from a random onset on", 1000, level_drift),
    "trend-drift": _percent("a ramp that reaches some percent of each channel's MAD at the end", 1000, trend_drift),
    "scale-drift": _percent("deviations from the training median grow from a random onset on", 1000, scale_drift),
    "resampling": Kind("a sampling rate lower by some percent", "percent", 0, 50, 0, ("test", "both"), resampled),
    "permuted-channels": Kind(
        "some percent of the channels change places; in the test part alone it is a fault",
        "percent",
        0,
        100,
        0,
        ("both", "test"),
        permuted_channels,
    ),
}
"""The conditions by kind, in the order of their documentation."""


def kind_of(name: str) -> Kind:
    """Return the kind that the name of a condition is of, with or without the parts that it strikes.

    >>> kind_of("white-noise:both").unit
    'dB'
    """
    return KINDS[name.partition(":")[0]]
