"""Pickles: arrays come back as they were; whatever else a pickle asks for is refused and not run."""

import copyreg
import io
import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from tsad_core.datasets.home import DataFile
from tsad_core.datasets.pickles import read_pickled_array, read_pickled_dict
from tsad_core.errors import DataError

VALUES = np.arange(6.0).reshape(2, 3)


def lay(folder: Path, content: bytes) -> DataFile:
    path = folder / "a.pkl"
    path.write_bytes(content)
    return DataFile(path)


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(DataError) as caught:
        read_pickled_array(lay(folder, content))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(folder / "a.pkl"))
    return message


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["f4", "f8", ">f8", "i8", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_numbers_comes_back_as_it_was(tmp_path: Path, protocol: int, kind: str, order: str) -> None:
    given = np.array(VALUES, dtype=kind, order=order)  # type: ignore[call-overload]  # the order is a plain str here
    array = read_pickled_array(lay(tmp_path, pickle.dumps(given, protocol)))
    assert array.dtype == given.dtype
    assert np.array_equal(array, given)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("turned", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_axes_in_any_order_come_back_as_they_were(tmp_path: Path, protocol: int, turned: tuple[int, ...]) -> None:
    given = np.arange(24.0).reshape(2, 3, 4).transpose(turned)
    for values in (given, given[:, :, ::2]):
        array = read_pickled_array(lay(tmp_path, pickle.dumps(values, protocol)), axes=3)
        assert array.tolist() == values.tolist()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_dict_may_hold_arrays_of_any_protocol(tmp_path: Path, protocol: int) -> None:
    content = read_pickled_dict(lay(tmp_path, pickle.dumps({"a": {"b": VALUES}, "c": VALUES[0], "d": 1}, protocol)))
    assert content["a"]["b"].tolist() == VALUES.tolist()
    assert (content["c"].tolist(), content["d"]) == ([0, 1, 2], 1)


def test_a_dict_that_stands_in_many_places_is_read_once(tmp_path: Path) -> None:
    # on each level twice: taken apart at every place, these 60 would outlast the universe
    nested: dict[int, object] = {}
    for _ in range(60):
        nested = {1: nested, 2: nested}
    content = read_pickled_dict(lay(tmp_path, pickle.dumps(nested, 2)))
    assert content[1] is content[2]  # type: ignore[index]  # its keys are numbers for once


@pytest.mark.parametrize("path", [(), ("a",), ("a", "b")])
def test_a_dict_that_holds_itself_is_one_line(tmp_path: Path, path: tuple[str, ...]) -> None:
    content: dict[str, object] = {}
    inner = content
    for key in path:
        inner[key] = inner = {}
    inner["again"] = content
    file = lay(tmp_path, pickle.dumps(content, 2))
    with pytest.raises(
        DataError, match=r"a\.pkl is not a pickle of arrays of numbers: it holds a dict that holds itself"
    ):
        read_pickled_dict(file)


def test_dicts_without_end_are_one_line(tmp_path: Path) -> None:
    file = lay(tmp_path, b"\x80\x02" + b"}K\x01" * 50_000 + b"N" + b"s" * 50_000 + b".")
    with pytest.raises(DataError, match=r"a\.pkl is not a pickle of arrays of numbers: [^\n]*recursion[^\n]*$"):
        read_pickled_dict(file)


def test_the_module_names_of_numpy_1_and_2_are_the_same_to_it(tmp_path: Path) -> None:
    content = pickle.dumps(VALUES, 3)
    assert b"numpy._core.multiarray" in content
    older = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert np.array_equal(read_pickled_array(lay(tmp_path, older)), VALUES)


def test_an_array_of_one_axis_is_read_if_asked_for(tmp_path: Path) -> None:
    file = lay(tmp_path, pickle.dumps(VALUES[0], 3))
    assert read_pickled_array(file, axes=1).tolist() == [0, 1, 2]
    with pytest.raises(DataError, match=r"a\.pkl holds an array of shape \(3,\); expected 2 axes"):
        read_pickled_array(file)


class Calls:
    """Calls a function when an ordinary unpickler reads it."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


def attacks(trace: Path) -> dict[str, bytes]:
    """Return pickles that leave a trace when they are run, by the name of what they ask for."""
    touch, made = f"touch {trace}", str(trace)
    return {
        "os.system": f"cos\nsystem\n(V{touch}\ntR.".encode(),
        "posix.system": pickle.dumps(Calls(os.system, touch)),
        "builtins.eval": pickle.dumps(Calls(eval, f"open({made!r}, 'w')")),
        "builtins.exec": pickle.dumps([VALUES, Calls(exec, f"open({made!r}, 'w').close()")], 3),
        "io.open": f"cio\nopen\n(V{made}\nVw\ntR.".encode(),
        "os.mkdir": f"(V{made}\nios\nmkdir\n.".encode(),  # the old instruction that names and calls at once
        "numpy.save": pickle.dumps(Calls(np.save, made, [1])),
        "numpy.fromfile": f"cnumpy\nfromfile\n(V{made}\ntR.".encode(),
        "numpy.core.multiarray.scalar": b"cnumpy.core.multiarray\nscalar\n.",
        "copy_reg._reconstructor": pickle.dumps(DataFile(trace), 0),
        "_codecs.decode": b"c_codecs\ndecode\n(Vx\nVlatin1\ntR.",
        "numpy.core.numeric.fromfile": f"cnumpy.core.numeric\nfromfile\n(V{made}\ntR.".encode(),
        "numpy.ndarray.__class__": b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.",
        r"os\nsystem.x": b"\x80\x04\x8c\x09os\nsystem\x8c\x01x\x93.",
    }


NAMES = list(attacks(Path("trace")))


@pytest.mark.parametrize("name", NAMES)
def test_anything_but_an_array_is_named_refused_and_not_run(tmp_path: Path, name: str) -> None:
    trace = tmp_path / "trace"
    message = refusal(tmp_path, attacks(trace)[name])
    assert message.endswith(f"a.pkl asks for {name}; only numpy arrays are admitted")
    assert not trace.exists()


@pytest.mark.parametrize("name", ["os.system", "posix.system", "builtins.eval", "builtins.exec", "io.open", "os.mkdir"])
def test_the_attacks_are_real(tmp_path: Path, name: str) -> None:
    trace = tmp_path / "trace"
    result = pickle.loads(attacks(trace)[name])  # noqa: S301 - what an ordinary unpickler does
    if isinstance(result, io.IOBase):
        result.close()
    assert trace.exists()


def test_an_attack_after_or_inside_an_array_is_refused_and_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    nested = np.array([Calls(os.system, f"touch {trace}"), 1], dtype=object)
    assert "expected numbers" in refusal(tmp_path, pickle.dumps(nested, 3))
    assert "posix.system" in refusal(tmp_path, pickle.dumps((VALUES, Calls(os.system, f"touch {trace}")), 3))
    assert not trace.exists()


@pytest.mark.parametrize(
    "call",
    [
        b"c_codecs\nencode\n(Vx\nVrot13\ntR.",
        b"c_codecs\nencode\n(Vx\ntR.",
        b"c_codecs\nencode\n(I1\nVlatin1\ntR.",
        b"c_codecs\nencode\n(V\\u20ac\nVlatin1\ntR.",
        b"cnumpy.core.numeric\n_frombuffer\n(Vx\nVf8\n(I1\ntVC\ntR.",
        b"cnumpy.core.numeric\n_frombuffer\n(tR.",
    ],
)
def test_the_stand_ins_take_nothing_but_what_numpy_writes(tmp_path: Path, call: bytes) -> None:
    assert "is not a pickle of arrays of numbers: " in refusal(tmp_path, call)


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize("values", [["a", "b"], [None, 1], [1j]])
def test_other_protocols_refuse_the_same_arrays(tmp_path: Path, protocol: int, values: list[object]) -> None:
    assert "expected numbers" in refusal(tmp_path, pickle.dumps(np.array(values), protocol))


def test_a_long_text_that_is_asked_for_again_and_again_is_held_once(tmp_path: Path) -> None:
    # 1 MB of text, encoded 3000 times
    call = b"h\x00h\x01h\x02\x86R"
    text = b"X" + (1 << 20).to_bytes(4, "little") + b"x" * (1 << 20)
    head = b"\x80\x02c_codecs\nencode\nq\x00" + text + b"q\x01X\x06\x00\x00\x00latin1q\x02"
    file = lay(tmp_path, head + b"(" + call * 3000 + b"t.")
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="something other than one array"):
            read_pickled_array(file)
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()


def test_an_extension_is_refused_even_if_it_was_used_before(tmp_path: Path) -> None:
    copyreg.add_extension("posix", "system", 0xEE)
    try:
        content = pickle.dumps(Calls(os.system, f"touch {tmp_path / 'trace'}"), 2)
        assert b"\x82\xee" in content
        assert pickle.loads(b"\x80\x02\x82\xee.") is os.system  # noqa: S301 - now it is in the cache
        assert "asks for extension 238; only numpy arrays are admitted" in refusal(tmp_path, content)
    finally:
        copyreg.remove_extension("posix", "system", 0xEE)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("content", [b"P1\n.", b"\x80\x03X\x01\x00\x00\x001Q."])
def test_a_persistent_id_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "asks for a persistent id; only numpy arrays are admitted" in refusal(tmp_path, content)


@pytest.mark.parametrize("values", [["a", "b"], [None, 1], [(1, "x")], [np.datetime64("2020-01-01")], [1j]])
def test_an_array_of_anything_but_numbers_is_refused(tmp_path: Path, values: list[object]) -> None:
    assert "expected numbers" in refusal(tmp_path, pickle.dumps(np.array(values), 3))


def test_a_structured_array_is_refused(tmp_path: Path) -> None:
    assert "expected numbers" in refusal(tmp_path, pickle.dumps(np.zeros(2, dtype=[("a", "f4"), ("b", "O")]), 3))


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps([1, 2, 3]),
        pickle.dumps({"a": 1}),
        pickle.dumps([VALUES], 3),
        pickle.dumps((VALUES, VALUES), 3),
        b"cnumpy\nndarray\n.",
        b"cnumpy\nndarray\n(tR.",
        b"cnumpy\ndtype\n(Vf8\ntR.",
    ],
)
def test_a_pickle_that_is_not_one_array_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "holds something other than one array" in refusal(tmp_path, content)


def test_attributes_of_what_is_admitted_cannot_be_changed(tmp_path: Path) -> None:
    content = b"cnumpy\nndarray\n}Vvalues\nI1\nsb."
    assert "is not a pickle of arrays" in refusal(tmp_path, content)


def test_a_value_that_is_not_finite_is_named(tmp_path: Path) -> None:
    assert "not finite in row 2" in refusal(tmp_path, pickle.dumps(np.array([[1.0], [np.nan]]), 3))


def test_a_number_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    content = b"\x80\x03Nr\xff\xff\x00\x00."
    assert "it numbers a value 65535, which is more than it can hold" in refusal(tmp_path, content)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_truncated_pickle_is_one_line_wherever_it_ends(tmp_path: Path, protocol: int) -> None:
    content = pickle.dumps(VALUES, protocol)
    for length in range(1, len(content)):
        refusal(tmp_path, content[:length])


def test_a_damaged_pickle_is_one_line_or_an_array(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    read = []
    for _ in range(500):
        content = bytearray(pickle.dumps(VALUES, 3))
        # what comes after the protocol; its number is not looked at
        content[rng.integers(2, len(content))] = rng.choice(list(b"\x00\x01\xff.(tRbq"))
        try:
            read.append(read_pickled_array(lay(tmp_path, bytes(content))))
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    assert 0 < len(read) < 500
