"""A plugin for tests: a detector for each way to fail, a quick one, and tiny series."""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tsad_core import Array, Detection, Entry, Series, Skip, detector, hookimpl


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
    }
    return [Entry(name, f"tsad_faulty:{attribute}", f"a detector that is {name}") for name, attribute in names.items()]


@hookimpl
def tsad_datasets() -> list[Entry]:
    return [Entry("tiny", "tsad_faulty:tiny", "very short series")]


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
