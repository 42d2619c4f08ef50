"""The contract of a data set: a function that lists its series, and what people must know who do not have its files."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar

import numpy as np

from tsad_core.series import Series

Dataset = Callable[..., Mapping[str, Callable[[], Series]]]
"""A function with options that returns, in a fixed order, each series' name and how to read it.

Nothing is read until a series is asked for. A data set that lives in files names the keyword
``home``: the folder of the data home.
"""


@dataclass(frozen=True)
class Download:
    """One file to fetch into a data set's folder."""

    url: str
    name: str
    """The file's name in the folder."""
    sha256: str = ""
    """Its checksum, where its owners or we know it."""
    unpack: bool = False
    """Whether it must be unpacked; zips are read as they are."""


@dataclass(frozen=True)
class Counts:
    """How much a data set holds; ``None`` where it is not known."""

    series: int | None = None
    train_steps: int | None = None
    test_steps: int | None = None
    anomalous_steps: int | None = None
    """Of the test parts."""
    events: int | None = None
    """Unbroken stretches of anomalous steps in the test parts."""

    @classmethod
    def of(cls, series: Series) -> Self:
        """Count one series."""
        steps = cls(series=1, train_steps=len(series.train_TC), test_steps=len(series.test_TC))
        if series.labels_T is None:
            return steps
        begins_T = np.diff(series.labels_T.astype(np.int8), prepend=0) == 1
        return replace(steps, anomalous_steps=int(series.labels_T.sum()), events=int(begins_T.sum()))

    def __add__(self, other: "Counts") -> "Counts":
        pairs = [(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)]
        return Counts(*(None if a is None or b is None else a + b for a, b in pairs))


@dataclass(frozen=True)
class Collection:
    """How to recognise the files of a data set, and what to tell people who do not have them."""

    title: str
    """As in ``"the UCR Anomaly Archive 2021"``."""
    folder: str
    """The folder of the data home that holds it."""
    put: str
    """What to put there."""
    get: str
    """Where to get it."""
    pattern: re.Pattern[str]
    """What the last parts of a file's path look like; its groups are the file's key."""
    licence: str = ""
    """Under which terms, as far as they are stated."""
    downloads: tuple[Download, ...] = ()
    """What `tsad-bench data fetch` gets; nothing where an owner asks people to register."""
    published: Counts = Counts()
    """What the whole data set is known to hold."""


Function = TypeVar("Function", bound=Callable[..., Any])


def dataset(collection: Collection) -> Callable[[Function], Function]:
    """Make a function a data set in files by giving it its collection, which `tsad-bench data` tells people."""

    def decorate(function: Function) -> Function:
        function.collection = collection  # type: ignore[attr-defined]  # the decorated function is a Dataset
        return function

    return decorate
