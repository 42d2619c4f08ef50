"""How fast MMA trains and scores on the CPU, and in how much memory, against a plain version of the same algorithm.

Run as ``python benchmarks/mma.py [--channels 5] [--threads 1] [--rounds 3] [--windows 128]``; needs tsad-mma.
Every measurement has a process of its own, and the sides take turns. A window is one of 1024 steps in all
channels, patches of 16, width 64, three layers, batches of 64, five masks to a score. Rates are windows a second and
windows a second of processor time, after a first batch whose processor time stands in a column of its own. Memory is
the peak, and by how much it is above what the process held with its libraries loaded. Ratios are medians over the
rounds. Windows a second mean little on a machine that others use; those of processor time mean more.

``--stages`` prints where the time goes instead, ``--floor`` how many milliseconds of one core the arithmetic of scoring
a window takes at least: what no draw can share, each part at the rate PyTorch reaches here when it does nothing else.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import mma_plain
import numpy as np
import torch
from torch.nn.functional import gelu, layer_norm, linear, softmax
from tsad_core import nn
from tsad_core.series import Array
from tsad_mma.model import Shape, new_model
from tsad_mma.ops import How, resolve
from tsad_mma.scoring import see
from tsad_mma.tiles import tiles_of
from tsad_mma.training import Recipe, train

WINDOW, PATCH, BATCH = 1024, 16, 64
SIDES = ("plain", "float32", "bfloat16")
COLUMNS = ("wall", "cpu", "first", "mib", "added")
PRODUCTS = {(6, 1): "first products", (1, 6): "second products", (1, 1): "products of gates"}
"""By the size of the weights, in widths. In ours and in scoring, the first ones do GELU too."""
STAGES = {
    "aten::mm": "other products",
    "aten::bmm": "similarity",
    "aten::gelu": "GELU",
    "aten::gelu_backward": "GELU, backward",
    "aten::_softmax": "softmax",
    "aten::_softmax_backward_data": "softmax, backward",
    "aten::native_layer_norm": "norm",
    "aten::native_layer_norm_backward": "norm, backward",
    "aten::copy_": "casts and transposes",
    "aten::add": "residuals",
    "aten::add_": "sums",
    "aten::sum": "sums",
    "aten::mul": "factors: gates, dropout, length",
    "aten::mul_": "factors: gates, dropout, length",
    "aten::bernoulli_": "factors: gates, dropout, length",
    "aten::where": "masks",
    "aten::sort": "masks",
    "aten::_index_put_impl_": "overlap",
    "aten::_fused_adamw_": "optimiser",
}
Work = Callable[[], object]


def series(channels: int, windows: int, stride: int) -> Array:
    """Return noisy sines that hold so many windows."""
    steps_T = np.arange(WINDOW + stride * (windows - 1))
    periods_C = 20 * 1.3 ** (np.arange(channels) % 8)
    noise = np.random.default_rng(0).normal(scale=0.05, size=(len(steps_T), channels))
    return np.asarray(np.sin(2 * np.pi * steps_T[:, None] / periods_C) + noise, dtype=np.float32)


def plain_work(task: str, series_TC: Array, stride: int) -> Work:
    """Return the plain version's work on copied windows."""
    windows_BTC = torch.from_numpy(series_TC).unfold(0, WINDOW, stride).transpose(1, 2).contiguous()
    model = mma_plain.Plain(WINDOW)
    run = mma_plain.train if task == "train" else mma_plain.score
    return lambda: run(model, list(windows_BTC.split(BATCH)))


def our_work(task: str, series_TC: Array, stride: int, precision: str) -> Work:
    """Return our work on the same windows, or on as many drawn at random."""
    tiles = tiles_of(series_TC, window=WINDOW, patch=PATCH, stride=stride, starts=(0,), device="cpu")
    random = nn.generator(0, "cpu")
    how = How(resolve("auto", "cpu", patches=WINDOW // PATCH, width=mma_plain.WIDTH))
    model = new_model(Shape(WINDOW // PATCH, PATCH), random, precision=nn.PRECISIONS[precision], how=how)
    if task == "score":
        return lambda: see(model, tiles, draws=mma_plain.DRAWS, mask_ratio=0.5, random=random)
    rates = {"learning_rate": 2e-3, "decay": 1.0, "weight_decay": 1e-5, "dropout": mma_plain.DROPOUT}
    steps = len(tiles.spans_B2) // BATCH
    losses = {"mask_ratio": 0.5, "contrast": 0.005, "temperature": 0.1}
    recipe = Recipe(steps=steps, batch=BATCH * series_TC.shape[1], **rates, **losses)
    return lambda: train(model, tiles, recipe, random)


def work_of(side: str, task: str, channels: int, windows: int) -> Work:
    """Return the work of one side at one task."""
    stride = 4 if task == "train" else WINDOW // 4
    series_TC = series(channels, windows, stride)
    return plain_work(task, series_TC, stride) if side == "plain" else our_work(task, series_TC, stride, side)


def measure(side: str, task: str, given: argparse.Namespace) -> dict[str, float]:
    """Return the rates and the memory of one side at one task, in this process."""
    before = _peak_mib()
    first = _timed(work_of(side, task, given.channels, BATCH if task == "train" else 1))[1]
    wall, processor = _timed(work_of(side, task, given.channels, given.windows))
    rates = {"wall": given.windows / wall, "cpu": given.windows / processor, "first": first}
    return rates | {"mib": _peak_mib(), "added": _peak_mib() - before}


def stages(side: str, task: str, given: argparse.Namespace) -> dict[str, float]:
    """Return the share of each stage in the processor time of PyTorch's operations, the largest first."""
    work = work_of(side, task, given.channels, given.windows)
    work()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as profile:
        work()
    spent: dict[str, float] = {}
    for event in profile.key_averages(group_by_input_shape=True):
        stage = stage_of(event.key, event.input_shapes)
        spent[stage] = spent.get(stage, 0.0) + event.self_cpu_time_total
    total = sum(spent.values())
    return {stage: time / total for stage, time in sorted(spent.items(), key=lambda item: -item[1])}


def stage_of(operation: str, shapes: list[list[int]]) -> str:
    """Return the stage that an operation of PyTorch belongs to, by its name and the shapes it was given."""
    if operation in {"aten::addmm", "mkldnn::_linear_pointwise"}:
        columns, rows = shapes[2] if operation == "aten::addmm" else reversed(shapes[1])
        return PRODUCTS.get((rows // mma_plain.WIDTH, columns // mma_plain.WIDTH), "embed and head")
    return STAGES.get(operation, "everything else")


def floor(side: str, task: str, given: argparse.Namespace) -> dict[str, float]:
    """Return how many milliseconds the arithmetic of scoring one window takes at least, part by part."""
    assert task == "score"
    tiles_BND = torch.randn(64, WINDOW // PATCH, mma_plain.WIDTH)
    mixed = tiles_BND.to(nn.PRECISIONS["float32" if side == "plain" else side])
    wide = mixed.repeat(1, 1, mma_plain.EXPANSION)
    # of the last layer's second half, ours works on one view
    blocks = 2 * mma_plain.LAYERS - (0 if side == "plain" else 0.5)
    passes = 2 * mma_plain.DRAWS * given.channels * blocks / len(tiles_BND)
    parts = {
        "products and GELU": products(mixed, wide, fused=side != "plain"),
        "GELU alone": lambda: gelu(wide),
        "softmax": lambda: softmax(mixed, dim=-1),
        "norm": lambda: layer_norm(tiles_BND, tiles_BND.shape[-1:]),
    }
    with torch.inference_mode():
        times = {name: 1e3 * passes * _best(part) for name, part in parts.items()}
    return times | {"windows/cpu-s at most": 1e3 / (sum(times.values()) - times["GELU alone"])}


def products(mixed: torch.Tensor, wide: torch.Tensor, *, fused: bool) -> Work:
    """Return the three products of a block, GELU with the first."""
    square = mixed[0] / 8
    first, second, bias = square.repeat(mma_plain.EXPANSION, 1), square.repeat(1, mma_plain.EXPANSION), wide[0, 0]
    if not fused:
        return lambda: (gelu(linear(mixed, first, bias)), linear(wide, second), linear(mixed, square))
    product = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001
    plain = None, "none", [], ""
    return lambda: (
        product(mixed, first, bias, "gelu", [], "none"),
        product(wide, second, *plain),
        product(mixed, square, *plain),
    )


def _best(work: Work) -> float:
    return min(_timed(lambda: [work() for _ in range(10)])[1] for _ in range(10)) / 10


def _timed(work: Work) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(side: str, task: str, what: str = "measure") -> dict[str, float]:
    """Return what one of the functions above does, from a process of its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--one", what, side, task]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(answer))


def show(task: str, rounds: list[dict[str, dict[str, float]]]) -> None:
    """Print the medians of each side, and how they compare with the plain version."""
    for side in SIDES:
        cells = []
        for key in COLUMNS:
            cells.append(statistics.median(turn[side][key] for turn in rounds))
            cells.append(statistics.median(turn[side][key] / turn["plain"][key] for turn in rounds))
        print(f"{task:6} {side:9}" + "".join(f"{cell:8.2f}" for cell in cells))


def show_parts(what: str, task: str) -> None:
    """Print the stages or the floor of each side, a column a side."""
    sides = [apart(side, task, what) for side in SIDES]
    names = dict.fromkeys(name for side in sides for name in side)
    for name in sorted(names, key=lambda name: -max(side.get(name, 0.0) for side in sides) if what == "stages" else 0):
        cells = (f"{side.get(name, 0.0):10.1%}" if what == "stages" else f"{side[name]:10.2f}" for side in sides)
        print(f"{task:6} {name:28}" + "".join(cells))


def arguments() -> Any:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("channels", 5), ("threads", 1), ("rounds", 3), ("windows", 128)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure one side, or print a table."""
    given = arguments()
    if given.one:
        what, side, task = given.one
        torch.set_num_threads(given.threads)
        functions = {"measure": measure, "stages": stages, "floor": floor}
        print(json.dumps(functions[what](side, task, given)))
    elif given.stages or given.floor:
        print(f"{'task':6} {'part':28}" + "".join(f"{side:>10}" for side in SIDES))
        for task in ("train", "score") if given.stages else ("score",):
            show_parts("stages" if given.stages else "floor", task)
    else:
        heads = ("win/s", "/cpu-s", "first s", "MiB", "added")
        print(f"{'task':6} {'side':9}" + "".join(f"{head:>8}   ratio" for head in heads))
        for task in ("train", "score"):
            show(task, [{side: apart(side, task) for side in SIDES} for _ in range(given.rounds)])


if __name__ == "__main__":
    main()
