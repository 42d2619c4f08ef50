"""How fast each baseline trains and scores on the CPU, and in how much memory, against a plain version beside it.

Run as ``python benchmarks/baselines.py MODEL [--task train] [--channels 38] [--threads 1] [--rounds 3] [--windows
4096]``; needs tsad-baselines. Every measurement has a process of its own, and the sides take turns. Rates are windows a
second and windows a second of processor time, after a first batch whose processor time stands in a column of its own.
Memory is the peak, and by how much it is above what the process held with its libraries loaded. Ratios are medians over
the rounds. Windows a second mean little on a machine that others use; those of processor time mean more.
``--profile`` prints where the time goes instead, ``--memory`` how much ours needs for many channels by default: after
five steps of training on 1,500 rows, and after 600 rows are scored.

A model is a row of `MODELS` and a module ``benchmarks/<model>_plain.py``, hyphens read as underscores: the published
algorithm written plainly, in eager float32, sharing no code with ours. The module holds

- ``BATCH``, the published batch in windows;
- ``steps(task, windows) -> int``: the length of a series of which one epoch is so many windows (task ``"train"``), or
  of which so many windows or rows are scored (task ``"score"``);
- ``new(channels) -> model``: the published model in its published sizes;
- ``train(model, series_TC)``: one epoch over a float32 array, in batches of ``BATCH``, as published;
- ``score(model, series_TC)``: the scores of a whole series, as published.

Ours is the detector itself, ``fit`` on one such series and ``detect`` on the other, with the row's options: one epoch
of as many windows in the same batches and sizes, nothing held out. What else `fit` does counts too.
"""

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from tsad_core import Array
from tsad_core.options import Option

TASKS = ("train", "score")
COLUMNS = ("wall", "cpu", "first", "mib", "added")
SHOWN = 25
"""Operations that `--profile` prints."""
Work = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A baseline: our detector, the options with which it does what the plain version does, and what is measured."""

    detector: str
    """``module:attribute``."""
    options: Mapping[str, Option]
    channels: int
    windows: int
    """Windows of a measurement, a multiple of the batch."""
    steps: Mapping[str, int] = field(default_factory=dict)
    """Options that are numbers of steps: of how many windows each step is."""
    walk: bool = False
    """Whether series are random walks, so that no two windows are alike, and not noisy sines."""
    precisions: tuple[str, ...] = ("float32", "bfloat16")
    """Values of the option ``precision``, a side each."""


_TIMEVQVAE_AD: dict[str, Option] = {
    "window": 408,
    "tokenizer_batch": 256,
    "prior_batch": 128,
    "tokenizer_dropout": 0.3,
    "dropout": 0.3,
    "layer_dropout": 0.3,
    "expected": False,
    "held_out": 0.0,
}
MODELS = {
    "amsl": Row(
        detector="tsad_baselines.amsl.detector:AMSL",
        options={"window": 125, "stride": 1, "filters": 32, "slots": 500, "batch": 16, "epochs": 1, "held_out": 0.0},
        channels=45,
        windows=64,
    ),
    "mixad": Row(
        detector="tsad_baselines.mixad.detector:MIXAD",
        options={"epochs": 1, "batch": 256},
        channels=38,
        windows=512,
    ),
    "slmr": Row(
        detector="tsad_baselines.slmr.detector:SLMR",
        options={"epochs": 1, "batch": 256, "dropout": 0.3, "held_out": 0.0},
        channels=38,
        windows=4096,
    ),
    "timevqvae-ad": Row(
        detector="tsad_baselines.timevqvae_ad.detector:TimeVQVAEAD",
        options=_TIMEVQVAE_AD,
        channels=1,
        windows=1024,
        steps={"tokenizer_steps": 256, "prior_steps": 128},
        walk=True,
    ),
}


def series(steps: int, channels: int, *, walk: bool = False) -> Array:
    """Return noisy sines, or random walks."""
    noise_TC = np.random.default_rng(0).normal(scale=0.05, size=(steps, channels))
    if walk:
        return np.asarray(noise_TC.cumsum(axis=0), dtype=np.float32)
    periods_C = 20 * 1.3 ** (np.arange(channels) % 8)
    return np.asarray(np.sin(2 * np.pi * np.arange(steps)[:, None] / periods_C) + noise_TC, dtype=np.float32)


def plain_of(model: str) -> Any:
    """Return the module that holds the plain version of a model."""
    return importlib.import_module(f"{model.replace('-', '_')}_plain")


def work_of(side: str, task: str, windows: int, given: argparse.Namespace) -> Work:
    """Return the work of one side at one task on so many windows."""
    plain = plain_of(given.model)
    row = MODELS[given.model]
    series_TC = series(plain.steps(task, windows), given.channels, walk=row.walk)
    if side == "plain":
        model = plain.new(given.channels)
        return lambda: getattr(plain, task)(model, series_TC)
    steps = {name: -(-windows // size) for name, size in row.steps.items()}
    detector = _detector(given.model, {**row.options, **steps, "precision": side, "device": "cpu"})
    if task == "train":
        return lambda: detector.fit(series_TC)
    detector.fit(series(plain.steps("train", plain.BATCH), given.channels, walk=row.walk))
    return lambda: detector.detect(series_TC)


def _detector(model: str, options: Mapping[str, Option]) -> Any:
    module, _, name = MODELS[model].detector.partition(":")
    return getattr(importlib.import_module(module), name)(**options)


def measure(side: str, task: str, given: argparse.Namespace) -> dict[str, float]:
    """Return the rates and the memory of one side at one task, in this process."""
    plain, before = plain_of(given.model), _peak_mib()
    first = _timed(work_of(side, task, plain.BATCH, given))[1]
    wall, processor = _timed(work_of(side, task, given.windows, given))
    rates = {"wall": given.windows / wall, "cpu": given.windows / processor, "first": first}
    return rates | {"mib": _peak_mib(), "added": _peak_mib() - before}


def profile(side: str, task: str, given: argparse.Namespace) -> dict[str, float]:
    """Return the share of each of PyTorch's operations in their processor time, the largest first."""
    work = work_of(side, task, given.windows, given)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        work()
    spent = {event.key: event.self_cpu_time_total for event in seen.key_averages()}
    total = sum(spent.values())
    return {key: time / total for key, time in sorted(spent.items(), key=lambda item: -item[1])[:SHOWN]}


def memory(given: argparse.Namespace) -> None:
    """Print how far the peak of our detector with its defaults is above what the process held before."""
    few = dict.fromkeys(MODELS[given.model].steps or ("steps",), 5)
    detector, before = _detector(given.model, {**few, "device": "cpu"}), _peak_mib()
    detector.fit(series(1500, given.channels))
    print(f"{given.channels} channels: {_peak_mib() - before:,.0f} MiB after training", end=", ", flush=True)
    detector.detect(series(600, given.channels))
    print(f"{_peak_mib() - before:,.0f} MiB after scoring")


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
    for side in rounds[0]:
        cells = []
        for key in COLUMNS:
            cells.append(statistics.median(turn[side][key] for turn in rounds))
            cells.append(statistics.median(turn[side][key] / turn["plain"][key] for turn in rounds))
        print(f"{task:6} {side:9}" + "".join(f"{cell:9.2f}" for cell in cells))


def show_profile(tasks: tuple[str, ...], sides: tuple[str, ...]) -> None:
    """Print the operations of each task and side."""
    for task in tasks:
        for side in sides:
            for name, share in apart(side, task, "profile").items():
                print(f"{task:6} {side:9} {share:7.1%} {name}")


def arguments() -> argparse.Namespace:
    """Return what the command line says; what it leaves open is as in the model's row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(MODELS))
    for name, default in (("channels", None), ("threads", 1), ("rounds", 3), ("windows", None)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--task", choices=TASKS)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.channels = given.channels or MODELS[given.model].channels
    given.windows = given.windows or MODELS[given.model].windows
    return given


def main() -> None:
    """Measure one side, or print a table."""
    given = arguments()
    sides, tasks = ("plain", *MODELS[given.model].precisions), (given.task,) if given.task else TASKS
    if given.one:
        what, side, task = given.one
        torch.set_num_threads(given.threads)
        print(json.dumps({"measure": measure, "profile": profile}[what](side, task, given)))
    elif given.memory:
        torch.set_num_threads(given.threads)
        memory(given)
    elif given.profile:
        show_profile(tasks, sides)
    else:
        heads = ("win/s", "/cpu-s", "first s", "MiB", "added")
        print(f"{'task':6} {'side':9}" + "".join(f"{head:>9}    ratio" for head in heads))
        for task in tasks:
            show(task, [{side: apart(side, task) for side in sides} for _ in range(given.rounds)])


if __name__ == "__main__":
    main()
