"""Pickled numpy arrays, read without running anything that a pickle asks for."""

import io
import pickle
import pickletools
import re
import reprlib
from collections.abc import Callable
from typing import Any, Never

import numpy as np

from tsad_core.datasets.home import DataFile
from tsad_core.datasets.reading import check_numbers
from tsad_core.errors import DataError
from tsad_core.series import Array

_DAMAGED = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
_NUMBERS = re.compile(r"[biuf]\d{1,2}")


def read_pickled_array(file: DataFile, *, axes: int = 2) -> Array:
    """Return the array of plain numbers that a pickle holds; it admits only numpy arrays.

    Whatever else a pickle asks for is refused and never imported or called. Even numpy's own
    constructors are not: stand-ins take down type, shape and bytes, and the array is made from these.
    """
    array = _loaded(file, "ASCII")
    if not isinstance(array, np.ndarray):
        raise DataError(f"{file} holds something other than one array; only numpy arrays are admitted")
    return check_numbers(file, array, axes=axes)


def read_pickled_dict(file: DataFile) -> dict[str, Any]:
    """Return the dict of arrays, numbers, text and further such dicts that a pickle of Python 2 holds.

    As for `read_pickled_array`, nothing that the pickle asks for is ever imported or called.
    """
    content = _loaded(file, "bytes")
    if not isinstance(content, dict):
        raise DataError(f"{file} is not a pickled dict; get it again")
    return content


def _loaded(file: DataFile, encoding: str) -> Any:
    content = file.read()
    try:
        _scan(file, content)
        return _made(_ArrayUnpickler(file, content, encoding).load(), {})
    except _DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{file} is not a pickle of arrays of numbers: {reason}") from error


def _made(value: Any, dicts: dict[int, dict[Any, Any] | None]) -> Any:
    """Put arrays in the place of their parts, and text in the place of the bytes that Python 2 wrote.

    `dicts` holds what has become of each dict so far, and nothing of one that is still being made: one
    that stands in many places is made once, or two such places on each level would double the time.
    """
    if isinstance(value, dict):
        if id(value) not in dicts:
            dicts[id(value)] = None
            dicts[id(value)] = {_made(key, dicts): _made(part, dicts) for key, part in value.items()}
        if dicts[id(value)] is None:
            raise ValueError("it holds a dict that holds itself")
        return dicts[id(value)]
    if isinstance(value, _ArrayParts):
        return value.values
    return _text(value) if isinstance(value, bytes) else value


def _text(value: object) -> object:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _scan(file: DataFile, content: bytes) -> None:
    for opcode, argument, _ in pickletools.genops(content):
        # a registered extension may come out of a cache, past find_class
        if opcode.name.startswith("EXT"):
            _refuse(file, f"extension {argument}")
        # the unpickler makes room for all numbers up to the one it is to remember a value by
        if opcode.name.endswith("PUT") and int(argument or 0) > len(content):
            raise ValueError(f"it numbers a value {argument}, which is more than it can hold")


def _refuse(file: DataFile, wanted: str) -> Never:
    raise DataError(f"{file} asks for {ascii(wanted)[1:-1]}; only numpy arrays are admitted")


class _ArrayUnpickler(pickle.Unpickler):
    """Knows few names, and none of them leads to foreign code."""

    def __init__(self, file: DataFile, content: bytes, encoding: str) -> None:
        super().__init__(io.BytesIO(content), encoding=encoding)
        self._file = file
        self._encoded: dict[str, bytes] = {}

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if (module, name) == ("_codecs", "encode"):
            return self._encode
        admitted = _ADMITTED.get((module, name))
        return admitted or _refuse(self._file, f"{module}.{name}")

    def _encode(self, text: object, encoding: object) -> bytes:
        """Stand in for ``_codecs.encode``, by which Python 3 writes bytes in the protocols of Python 2."""
        if not isinstance(text, str) or encoding != "latin1":
            raise TypeError("it encodes something other than bytes")
        # once: a short pickle may ask for a long text again and again, and copies would fill the memory
        if text not in self._encoded:
            self._encoded[text] = text.encode("latin-1")
        return self._encoded[text]

    def persistent_load(self, _: object) -> Never:
        _refuse(self._file, "a persistent id")


class _DtypeParts:
    """Stands in for ``numpy.dtype``."""

    def __init__(self, given: object, *_: object) -> None:
        code = _text(given)
        if not isinstance(code, str) or not _NUMBERS.fullmatch(code):
            raise TypeError(f"its values are of type {reprlib.repr(code)}; expected numbers, as in 'f8'")
        self.dtype: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(_text(state[1]))  # type: ignore[arg-type]  # a bad one is a ValueError


class _ArrayParts:
    """Stands in for ``numpy.ndarray`` and for the function that makes an empty one."""

    def __init__(self, *_: object) -> None:
        self.values: Array | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, parts, by_columns, content = state
        self.values = np.frombuffer(content, parts.dtype).reshape(shape, order="F" if by_columns else "C")


class _BufferParts(_ArrayParts):
    """Stands in for the function that makes an array from its bytes, as protocol 5 has it."""

    def __init__(self, content: bytes, parts: _DtypeParts, shape: Any, order: Any, axes: Any = None) -> None:
        values = np.frombuffer(content, parts.dtype)
        self.values = values.reshape(shape).transpose(axes) if order == "K" else values.reshape(shape, order=order)


_ADMITTED: dict[tuple[str, str], type[Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _ArrayParts,
    ("numpy._core.multiarray", "_reconstruct"): _ArrayParts,
    ("numpy.core.numeric", "_frombuffer"): _BufferParts,
    ("numpy._core.numeric", "_frombuffer"): _BufferParts,
    ("numpy", "ndarray"): _ArrayParts,
    ("numpy", "dtype"): _DtypeParts,
}
