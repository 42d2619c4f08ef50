"""What is kept of a cell beside its numbers: one parquet file, one schema."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tsad_core import Array, Detection

SCORES = "scores.parquet"
DETECTED = ("attribution", "expected")
"""What a detector may give beside its scores, kept with `whole`."""


def write_artifacts(folder: Path, inputs: Mapping[str, Array | None], *, whole: bool) -> None:
    """Write ``scores.parquet``: scores (float32) and labels by step, first the test part, then calibration.

    With `whole`, observed values, attribution and expected values stand beside them, a column a channel.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    scores_T, calibration_T = _known(inputs["scores_T"]), _known(inputs["calibration_T"])
    labels_T = inputs["labels_T"]
    tests, tail = len(scores_T), len(calibration_T)
    none = pa.nulls(tail, pa.bool_())
    columns = {
        "part": pa.array(["test"] * tests + ["calibration"] * tail).dictionary_encode(),
        "step": np.concatenate([np.arange(tests), np.arange(tail)]).astype(np.int32),
        "score": np.concatenate([scores_T, calibration_T]).astype(np.float32),
        "label": pa.concat_arrays([pa.nulls(tests, pa.bool_()) if labels_T is None else pa.array(labels_T), none]),
    }
    for name in ("observed", *DETECTED) if whole else ():
        values_TC = inputs[f"{name}_TC"]
        if values_TC is not None:
            padded_TC = np.concatenate([values_TC, np.full((tail, values_TC.shape[1]), np.nan)]).astype(np.float32)
            columns |= {f"{name}-{channel}": padded_TC[:, channel] for channel in range(padded_TC.shape[1])}
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / SCORES, compression="zstd")


def read_scores(folder: Path) -> tuple[Array, Array]:
    """Return the scores of the test part and the calibration scores that a cell kept."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(folder / SCORES, columns=["part", "score"])
    score_N = table["score"].to_numpy().astype(np.float64)
    test_N = pc.equal(table["part"].cast(pa.string()), "test").to_numpy()
    return score_N[test_N], score_N[~test_N]


def read_detection(folder: Path) -> tuple[Detection, Array]:
    """Return what a detector gave and the calibration scores, as far as a cell kept them."""
    import pyarrow.parquet as pq

    scores_T, calibration_T = read_scores(folder)
    names = pq.read_schema(folder / SCORES).names
    kept = {f"{part}_TC": _columns(folder, [n for n in names if n.startswith(f"{part}-")]) for part in DETECTED}
    whole: dict[str, Any] = {name: values_TC[: len(scores_T)] for name, values_TC in kept.items() if values_TC.size}
    return Detection(scores_T, **whole), calibration_T


def _columns(folder: Path, names: Sequence[str]) -> Array:
    import pyarrow.parquet as pq

    table = pq.read_table(folder / SCORES, columns=sorted(names, key=lambda name: int(name.rpartition("-")[2])))
    return np.stack([column.to_numpy() for column in table.columns], axis=1) if names else np.empty((0, 0))


def _known(values: Array | None) -> Array:
    assert values is not None, "every cell has scores and calibration scores"
    return values
