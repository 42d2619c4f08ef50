"""How fast MMA trains and scores on the CPU, and in how much memory, against a plain version of the same algorithm.

Run as ``python benchmarks/mma.py [--channels 5] [--threads 1] [--rounds 3] [--windows 128]``; needs tsad-mma.
Every measurement has a process of its own, and the sides take turns. A window is one of 1024 steps in all
channels, patches of 16, width 64, three layers, batches of 64, five masks to a score. Rates are windows a second and
windows a second of processor time; memory is the peak of the process, PyTorch itself included. Ratios are medians over
the rounds. Windows a second mean little on a machine that others use; those of processor time mean more.
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
from tsad_core import nn
from tsad_core.series import Array
from tsad_mma.model import Shape, new_model
from tsad_mma.scoring import see
from tsad_mma.tiles import tiles_of
from tsad_mma.training import Recipe, train

WINDOW, PATCH, BATCH = 1024, 16, 64
SIDES = ("plain", "float32", "bfloat16")
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
    model = new_model(Shape(WINDOW // PATCH, PATCH), random, precision=nn.PRECISIONS[precision])
    if task == "score":
        return lambda: see(model, tiles, draws=mma_plain.DRAWS, mask_ratio=0.5, random=random)
    rates = {"learning_rate": 2e-3, "decay": 1.0, "weight_decay": 1e-5, "dropout": mma_plain.DROPOUT}
    steps = len(tiles.spans_B2) // BATCH
    losses = {"mask_ratio": 0.5, "contrast": 0.005, "temperature": 0.1}
    recipe = Recipe(steps=steps, batch=BATCH * series_TC.shape[1], **rates, **losses)
    return lambda: train(model, tiles, recipe, random)


def measure(side: str, task: str, given: argparse.Namespace) -> dict[str, float]:
    """Return the rates and the memory of one side at one task, in this process."""
    torch.set_num_threads(given.threads)
    stride = 4 if task == "train" else WINDOW // 4
    series_TC = series(given.channels, given.windows, stride)
    plain = side == "plain"
    work = plain_work(task, series_TC, stride) if plain else our_work(task, series_TC, stride, side)
    wall, processor = time.perf_counter(), time.process_time()
    work()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": given.windows / wall, "cpu": given.windows / processor, "mib": memory}


def apart(side: str, task: str) -> dict[str, float]:
    """Return what `measure` does, from a process of its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--one", side, task]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(answer))


def show(task: str, rounds: list[dict[str, dict[str, float]]]) -> None:
    """Print the medians of each side, and how they compare with the plain version."""
    for side in SIDES:
        middle = {key: statistics.median(turn[side][key] for turn in rounds) for key in ("wall", "cpu", "mib")}
        ratio = {key: statistics.median(turn[side][key] / turn["plain"][key] for turn in rounds) for key in middle}
        cells = (middle["wall"], ratio["wall"], middle["cpu"], ratio["cpu"], middle["mib"], ratio["mib"])
        print(f"{task:6} {side:9} " + " ".join(f"{cell:9.2f}" for cell in cells))


def arguments() -> Any:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("channels", 5), ("threads", 1), ("rounds", 3), ("windows", 128)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure one side, or print the table."""
    given = arguments()
    if given.one:
        print(json.dumps(measure(*given.one, given)))
        return
    print(f"{'task':6} {'side':9} windows/s     ratio  /cpu-sec     ratio       MiB     ratio")
    for task in ("train", "score"):
        show(task, [{side: apart(side, task) for side in SIDES} for _ in range(given.rounds)])


if __name__ == "__main__":
    main()
