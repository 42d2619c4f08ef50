"""What of each data set is in the data home, held against what is published of it."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from tsad_core import Collection, Counts, MissingDataError, PluginError, Registry, Series, TsadError

from tsad_bench.data.reading import counted, read_series
from tsad_bench.plugins import open_dataset, reads_files

_MOST = 5
"""Most faults of one data set that are told."""

_WORDS = {
    "series": "series",
    "train_steps": "training steps",
    "test_steps": "test steps",
    "anomalous_steps": "anomalous steps",
    "events": "events",
}


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What was found of one data set."""

    name: str
    title: str
    lines: tuple[str, ...]
    """What there is to say of it."""
    faults: tuple[str, ...] = ()
    """What is broken: a line each."""


def take_stock(registry: Registry, name: str, home: Path | None, *, quick: bool = False) -> Stock:
    """Return what is found of a data set; its files are read unless `quick`."""
    try:
        collection = getattr(registry.resolve("datasets", name), "collection", None)
        title = registry.offer("datasets", name).entry.summary
        if collection is None:
            return _without_collection(registry, name, home, title)
        return _with_collection(registry, name, home, collection, quick=quick)
    except PluginError as error:
        return Stock(name=name, title="", lines=("broken, see below",), faults=(str(error),))


def compared(found: Counts, published: Counts) -> str:
    """Return in words how a count agrees with what is published, as far as both are known."""
    if published.series is not None and found.series != published.series:
        return f"{found.series or 0:,} of {published.series:,} series are here"
    known = [(field.name, getattr(found, field.name), getattr(published, field.name)) for field in fields(Counts)]
    pairs = [(word, a, b) for word, a, b in known if None not in {a, b}]
    unequal = [f"{_WORDS[word]}: {a:,} here, {b:,} published" for word, a, b in pairs if a != b]
    if unequal:
        return f"not as published ({'; '.join(unequal)})"
    return "as published" if pairs else "here; how much is published is not known"


def told(stocks: list[Stock], *, width: int) -> str:
    """Return the stock as text: a block for each data set, its name on the left."""
    margin = max((len(stock.name) for stock in stocks), default=0) + 2
    blocks = []
    for stock in stocks:
        lines = [text for text in (stock.title, *stock.lines) if text] or [""]
        wrapped = [row for line in lines for row in _wrapped(line, width - margin)]
        left = [stock.name, *[""] * (len(wrapped) - 1)]
        blocks.append("\n".join(f"{name:{margin}}{row}" for name, row in zip(left, wrapped, strict=True)))
    return "\n\n".join(blocks)


def _wrapped(line: str, width: int) -> list[str]:
    # addresses and paths stay whole, for copying
    return textwrap.wrap(
        line, max(width, 30), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    ) or [""]


def _without_collection(registry: Registry, name: str, home: Path | None, title: str) -> Stock:
    kind = "its own files" if reads_files(registry, name) else "generated"
    try:
        text = f"{kind}: {len(open_dataset(registry, name, {}, home)):,} series"
    except PluginError:
        raise
    except TsadError as error:
        text = f"its own files: {error}"
    return Stock(name=name, title=title, lines=(text,))


def _with_collection(registry: Registry, name: str, home: Path | None, collection: Collection, *, quick: bool) -> Stock:
    title, licence = collection.title, f"licence: {collection.licence or 'not known'}"
    try:
        series = open_dataset(registry, name, {}, home)
    except MissingDataError as error:
        lack = _lack(error, collection)
        return Stock(name=name, title=title, lines=(lack, *_how_to_get(name, home, collection), licence))
    except PluginError:
        raise
    except TsadError as error:
        return Stock(name=name, title=title, lines=("broken, see below", licence), faults=(str(error),))
    counts, faults = (Counts(series=len(series)), []) if quick else _count(registry, name, series)
    # what it says of the series' number need not be said twice
    some = collection.published.series not in {None, len(series)}
    words = _in_words(replace(counts, series=None) if some else counts)
    state = f"{compared(counts, collection.published)}{': ' if words else ''}{words}"
    if faults:
        state = f"{len(faults)} of {len(series):,} series cannot be read, see below; the others: {_in_words(counts)}"
    lacking = _how_to_get(name, home, collection) if (collection.published.series or 0) > len(series) else ()
    return Stock(name=name, title=title, lines=(state, *lacking, licence), faults=_first(faults))


def _lack(error: MissingDataError, collection: Collection) -> str:
    """Return what is missing, if something is there."""
    words = str(error).partition(": put ")[0]
    return "not here" if words.startswith((collection.title, "there is no data home")) else words


def _first(faults: list[str]) -> tuple[str, ...]:
    more = [f"and {len(faults) - _MOST} more like these"] if len(faults) > _MOST else []
    return (*faults[:_MOST], *more)


def _how_to_get(name: str, home: Path | None, collection: Collection) -> tuple[str, ...]:
    where = home / collection.folder if home else f"{collection.folder}/ of the data home"
    fetch = (f"or: tsad-bench data fetch {name}",) if collection.downloads else ()
    return (f"put {collection.put} into {where}", f"get it from {collection.get}", *fetch)


def _count(registry: Registry, dataset: str, series: Mapping[str, Callable[[], Series]]) -> tuple[Counts, list[str]]:
    found, faults = Counts(0, 0, 0, 0, 0), []
    with counted(f"reading {dataset}", len(series)) as advance:
        for name, read in series.items():
            try:
                found += Counts.of(read_series(registry, dataset, name, read))
            except TsadError as error:
                faults.append(str(error))
            advance()
    return found, faults


def _in_words(counts: Counts) -> str:
    known = {field.name: getattr(counts, field.name) for field in fields(counts)}
    return ", ".join(f"{value:,} {_WORDS[name]}" for name, value in known.items() if value is not None)
