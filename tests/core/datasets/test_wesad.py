"""WESAD: pickles as Python 2 wrote them, what is stressed, and that no pickle runs anything."""

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tsad_core.datasets.wesad import wesad
from tsad_core.errors import DataError, MissingDataError
from tsad_core.series import Array, Series

# nothing, baseline, nothing, stress, amusement, ignored: in blocks of two samples
STATES = [0] * 2 + [1] * 10 + [0] * 2 + [2] * 4 + [3] * 10 + [7] * 2
WIDTHS = {"ACC": 3, "ECG": 1, "EMG": 1, "EDA": 1, "Temp": 1, "Resp": 1}


def content(states: list[int], **chest: Any) -> dict[str, Any]:
    """Return a recording whose sample s, channel c holds s + c / 10, c from 0 to 7."""
    steps_T = np.arange(len(states))[:, None]
    first = dict(zip(WIDTHS, np.cumsum([0, *WIDTHS.values()]), strict=False))
    sensors = {name: steps_T + (first[name] + np.arange(width)) / 10 for name, width in WIDTHS.items()}
    signal = {"chest": sensors | chest, "wrist": {"BVP": np.zeros((3, 1))}}
    return {"signal": signal, "label": np.array(states, dtype=np.int32), "subject": "S2"}


def python2(value: Any) -> bytes:
    """Return the opcodes by which Python 2 writes dicts, text and arrays with protocol 2."""
    if isinstance(value, dict):
        return b"}(" + b"".join(python2(part) for pair in value.items() for part in pair) + b"u"
    if isinstance(value, str):
        return b"T" + struct.pack("<i", len(value)) + value.encode("latin-1")
    return _python2_array(value)


def _python2_array(array: Array) -> bytes:
    code, raw = array.dtype.str[1:], array.tobytes()
    shape = b"(" + b"".join(b"J" + struct.pack("<i", size) for size in array.shape) + b"t"
    kind = (
        b"cnumpy\ndtype\n("
        + python2(code)
        + b"K\x00K\x01tR(K\x03"
        + python2("<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    empty = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + python2("b") + b"tR"
    return empty + b"(K\x01" + shape + kind + b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"


def lay(home: Path, raw: bytes, name: str = "S2") -> Path:
    path = home / "wesad/WESAD" / name / f"{name}.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return home


def read(home: Path, **options: Any) -> Series:
    return wesad(home=home, **options)["S2"]()


def test_a_pickle_of_python_2_is_what_python_reads_too() -> None:
    raw = b"\x80\x02" + python2(content(STATES)) + b"."
    loaded = pickle.loads(raw, encoding="latin1")  # noqa: S301 - made above
    assert np.array_equal(loaded["signal"]["chest"]["ACC"], content(STATES)["signal"]["chest"]["ACC"])


@pytest.mark.parametrize("protocol", [3, 4, "python 2"])
def test_stress_is_the_anomaly_and_each_stretch_is_cut(tmp_path: Path, protocol: Any) -> None:
    recording = content(STATES)
    raw = b"\x80\x02" + python2(recording) + b"." if protocol == "python 2" else pickle.dumps(recording, protocol)
    series = read(lay(tmp_path, raw), samples=1)
    assert series.train_TC[:, 0].tolist() == [*range(2, 8), *range(18, 24)]
    assert series.test_TC[:, 0].tolist() == [*range(8, 12), *range(14, 18), *range(24, 28)]
    assert series.labels_T is not None
    assert np.flatnonzero(series.labels_T).tolist() == [4, 5, 6, 7]
    assert (series.train_starts, series.test_starts) == ((0, 6), (0, 4, 8))
    assert series.channels == ("ACC_x", "ACC_y", "ACC_z", "ECG", "EMG", "EDA", "TEMP", "RESP")
    assert series.train_TC[0] == pytest.approx(2 + np.arange(8) / 10)


def test_a_step_is_the_mean_of_its_samples(tmp_path: Path) -> None:
    series = read(lay(tmp_path, pickle.dumps(content(STATES))), samples=2)
    assert series.train_TC[:, 0].tolist() == [2.5, 4.5, 6.5, 18.5, 20.5, 22.5]
    assert series.sampling_period == pytest.approx(2 / 700)


def test_a_step_across_a_change_of_state_is_left_out(tmp_path: Path) -> None:
    series = read(lay(tmp_path, pickle.dumps(content([1] * 5 + [2] * 5))), samples=2)
    assert series.train_TC[:, 0].tolist() == [0.5]
    assert series.test_TC[:, 0].tolist() == [2.5, 6.5, 8.5]


@pytest.mark.parametrize("dtype", [">f8", "<f4", "<i2"])
def test_values_may_be_of_any_number(tmp_path: Path, dtype: str) -> None:
    swapped = {name: part.astype(dtype) for name, part in content(STATES)["signal"]["chest"].items()}
    series = read(lay(tmp_path, pickle.dumps(content(STATES, **swapped))), samples=1)
    assert series.train_TC[:3, 0].tolist() == [2, 3, 4]


def test_people_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("S10", "S9", "S2"):
        lay(tmp_path, b"unread", name)
    assert list(wesad(home=tmp_path)) == ["S2", "S9", "S10"]


class Evil:
    """What a pickle may ask for."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.asks = (function, arguments)

    def __reduce__(self) -> Any:
        return self.asks


@pytest.mark.parametrize("evil", [Evil(os.mkdir, "x"), Evil(eval, "1"), np.ctypeslib.ndpointer, np.float64(1)])
def test_nothing_that_a_pickle_asks_for_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evil: Any) -> None:
    monkeypatch.chdir(tmp_path)
    home = lay(tmp_path, pickle.dumps(content(STATES, ACC=evil)))
    with pytest.raises(DataError, match=r"S2\.pkl asks for .*; only numpy arrays are admitted"):
        read(home)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (pickle.dumps(content(STATES))[:-200], r"is not a pickle of arrays"),
        (b"not a pickle", r"is not a pickle of arrays"),
        (pickle.dumps(content(STATES, ACC=np.array([["a"]]))), r"its values are of type 'U1'; expected numbers"),
        (pickle.dumps([1, 2]), r"is not a pickled dict"),
        (pickle.dumps({"label": np.zeros(3)}), r"has no signal of the chest or no label"),
        (pickle.dumps(content(STATES) | {"label": np.zeros(3)}), r"ACC has the shape \(30, 3\); expected \(3, 3\)"),
        (pickle.dumps(content(STATES, ACC=np.zeros((30, 2)))), r"ACC has the shape \(30, 2\); expected \(30, 3\)"),
        (pickle.dumps(content(STATES, ECG="text")), r"ECG has the shape nothing; expected \(30, 1\)"),
        (pickle.dumps(content(STATES, EDA=np.full((30, 1), np.nan))), r"EDA holds a value that is not finite"),
        (pickle.dumps(content([0, 2, 2])), r"S2 holds too little of the normal activities"),
        (b"", r"is empty"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, raw: bytes, message: str) -> None:
    read_it = wesad(home=lay(tmp_path, raw))["S2"]
    with pytest.raises(DataError, match=message) as caught:
        read_it()
    assert "\n" not in str(caught.value)


def test_missing_data_says_what_to_get(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"put WESAD\.zip"):
        wesad(home=tmp_path)
