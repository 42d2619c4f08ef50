"""A plugin for tests: a detector for each way to fail, a quick one, and tiny series."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from tsad_core import Array, Card, Detection, Entry, Series, Skip, detector, hookimpl, metric


@hookimpl
def tsad_detectors() -> list[Entry]:
    names = {
        "trivial": "Trivial",
        "raises": "Raises",
        "hangs": "Hangs",
        "exits": "Exits",
        "quits": "Quits",
        "killed": "Killed",
        "hungry": "Hungry",
        "skips": "Skips",
        "short": "Short",
        "nan": "NotANumber",
        "mutates": "Mutates",
        "forks": "Forks",
        "leaky": "Leaky",
        "verbose": "Verbose",
        "weary": "Weary",
    }
    found = [Entry(name, f"tsad_faulty:{attribute}", f"a detector that is {name}") for name, attribute in names.items()]
    return [*found, Entry("tardy", "tsad_tardy:Tardy", "a detector that is slow to load")]


@hookimpl
def tsad_datasets() -> list[Entry]:
    return [
        Entry("tiny", "tsad_faulty:tiny", "very short series"),
        Entry("unreadable", "tsad_faulty:unreadable", "a series that cannot be read"),
    ]


@hookimpl
def tsad_metrics() -> list[Entry]:
    return [
        Entry("m-raises", "tsad_faulty:m_raises", "a metric that raises"),
        Entry("m-nan", "tsad_faulty:m_nan", "a metric that is not a number"),
    ]


CARD = Card("m", "M", "Nothing.", "none", 0, 1, "higher")


@metric(CARD)
def m_raises(*, scores_T: Array) -> float:
    raise ZeroDivisionError("in the metric")


@metric(CARD)
def m_nan(*, scores_T: Array) -> float:
    return float("nan")


def unreadable() -> dict[str, Callable[[], Series]]:
    def read() -> Series:
        raise OSError("no such luck")

    return {"u0": read}


def tiny(*, count: int = 3, steps: int = 60) -> dict[str, Callable[[], Series]]:
    return {f"t{i}": partial(_tiny, i, steps) for i in range(count)}


def _tiny(number: int, steps: int) -> Series:
    rng = np.random.default_rng(number)
    train_TC, test_TC = rng.normal(size=(2, steps, 2))
    labels_T = np.zeros(steps, dtype=bool)
    labels_T[steps // 2 : steps // 2 + 5] = True
    test_TC[labels_T, 0] += 8
    return Series(name=f"t{number}", train_TC=train_TC, test_TC=test_TC, labels_T=labels_T)


@detector
class Trivial:
    """The size of the first channel, after a pause."""

    presets = MappingProxyType({"slow": {"pause": 0.1}})

    pause: float = 0.0
    """Seconds that `detect` takes."""
    seed: int = 0
    """Unused, but there."""

    def fit(self, train_TC: Array) -> Any:
        return self

    def detect(self, test_TC: Array) -> Detection:
        time.sleep(self.pause)
        return Detection(np.abs(test_TC[:, 0]))


class Faulty:
    def fit(self, train_TC: Array) -> Any:
        return self


@detector
class Raises(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        raise ZeroDivisionError("on purpose")


@detector
class Hangs(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        while True:
            time.sleep(1)


@detector
class Exits(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        os._exit(3)


@detector
class Quits(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        sys.exit("enough")


@detector
class Killed(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
        raise AssertionError("outlived SIGKILL")


@detector
class Hungry(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        held = []
        while True:
            held.append(np.ones(2**24))
            time.sleep(0.02)


@detector
class Skips(Faulty):
    def fit(self, train_TC: Array) -> Any:
        raise Skip("needs 3 channels or more")

    def detect(self, test_TC: Array) -> Detection:
        raise AssertionError("a skipped series is not scored")


@detector
class Short(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.abs(test_TC[:-1, 0]))


@detector
class NotANumber(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.full(len(test_TC), np.nan))


@detector
class Mutates(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        test_TC += 1
        return Detection(test_TC[:, 0])


@detector
class Forks(Faulty):
    """Leaves a child behind that holds everything open, and exits."""

    def detect(self, test_TC: Array) -> Detection:
        subprocess.Popen(["sleep", "313"], close_fds=False)
        os._exit(7)


@detector
class Leaky(Faulty):
    """Keeps 100 MiB alive with every call."""

    def detect(self, test_TC: Array) -> Detection:
        sys.leaked = [*getattr(sys, "leaked", []), np.ones(100 * 2**17)]
        return Detection(np.abs(test_TC[:, 0]))


@detector
class Weary(Faulty):
    """Takes the whole process down when it is asked a third time."""

    def detect(self, test_TC: Array) -> Detection:
        self.asked_ = getattr(self, "asked_", 0) + 1
        if self.asked_ > 2:
            os._exit(9)
        return Detection(np.abs(test_TC[:, 0]))


@detector
class Verbose(Faulty):
    def detect(self, test_TC: Array) -> Detection:
        raise ValueError("caf\udce9 " + "x" * 100_000 + "\n### heading")
