"""Everything about the fused kernels that only a GPU can tell, in one command of under eight minutes.

Run as ``python benchmarks/gpu_check.py [--output FILE]`` on a machine with an NVIDIA GPU, torch and triton; it needs
nothing else but this repository. First it checks all kernels on the device, then it times them: against eager PyTorch
in float32 and under bfloat16 autocast, against ``torch.compile``, and against the floor that ``kernels.py`` explains.
Times are medians after a warm-up, with inputs that rotate through more memory than the second cache holds. It ends
with status 1 if a check failed. Without ``--output`` the page is written to ``benchmarks/results``, dated.

``TRITON_INTERPRET=1 python benchmarks/gpu_check.py --rehearse`` runs all of it on the CPU with tiny sizes: what it
prints then says nothing about speed.
"""

import argparse
import contextlib
import datetime as dt
import importlib.util
import itertools
import statistics
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def _add_sources() -> None:
    """Make this repository's packages importable where they are not installed, tsad-core without pydantic too."""
    sys.path[:0] = [str(ROOT / "packages" / name / "src") for name in ("tsad-core", "tsad-mma")]
    if importlib.util.find_spec("pydantic") is not None:
        return
    core = types.ModuleType("tsad_core")
    core.__path__ = [str(ROOT / "packages" / "tsad-core" / "src" / "tsad_core")]
    sys.modules["tsad_core"] = core
    from tsad_core import errors, series

    core.Array, core.OptionError = series.Array, errors.OptionError  # type: ignore[attr-defined]


_add_sources()

import kernels  # noqa: E402 - beside this file; it needs the sources
import numpy as np  # noqa: E402
import torch  # noqa: E402
import triton  # noqa: E402
from torch import Tensor  # noqa: E402
from tsad_core import nn  # noqa: E402
from tsad_mma import training  # noqa: E402
from tsad_mma.model import Mixer, Shape, new_model  # noqa: E402
from tsad_mma.ops import BlockWeights, CounterDropout, Ends, How, average_draws, reference  # noqa: E402
from tsad_mma.ops.fused import blocking  # noqa: E402
from tsad_mma.ops.fused.length import to_length_one  # noqa: E402
from tsad_mma.ops.fused.mixer import Way, mix  # noqa: E402
from tsad_mma.scoring import see  # noqa: E402
from tsad_mma.tiles import Tiles, tiles_of  # noqa: E402
from tsad_mma.together import train_together  # noqa: E402

TODAY = dt.datetime.now(tz=dt.UTC).date()
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
MAIN = {"ASD": (64, 64, 19), "UCR": (32, 128, 1)}
"""Patches, width, channels."""
REFERENCE = {True: reference.mix_patches, False: reference.mix_features}
CHOICES = [
    (64, 32, 4, 1), (64, 32, 4, 2), (64, 32, 8, 2), (64, 64, 4, 2), (64, 64, 8, 2), (64, 64, 8, 3),
    (128, 32, 8, 1), (128, 32, 8, 2), (128, 64, 8, 2), (128, 64, 8, 3), (128, 128, 8, 2), (64, 16, 8, 2),
]  # fmt: skip
"""Rows, chunk, warps and stages that `--tune` tries."""
SIDES = {True: "patches", False: "features"}
FUSED = How("triton", fast_gelu=True)
Row = dict[str, Any]
Work = Callable[[], object]


class Sizes:
    """How much is done: everything, or next to nothing for a rehearsal."""

    def __init__(self, *, rehearse: bool) -> None:
        self.rehearse = rehearse
        self.shapes = {"tiny": (4, 16, 2)} if rehearse else MAIN
        self.batches = (2,) if rehearse else (64, 256)
        self.odd = [(2, 3, 17)] if rehearse else [(1, 1, 16), (3, 63, 17), (5, 100, 33), (7, 64, 64), (9, 32, 128)]
        self.models = 2 if rehearse else 32
        self.steps = 5 if rehearse else 100
        self.rounds = 1 if rehearse else 30
        self.bytes = 0 if rehearse else 150 << 20


# -- checks


def checks(sizes: Sizes) -> Iterator[Row]:
    """Yield how far each result is from what it must equal, and how far it may be."""
    ways = [("float32", 1e-5), ("tf32x3", 1e-4)]
    # the interpreter truncates where a GPU rounds
    ways += [] if sizes.rehearse else [("bfloat16", 0.0)]
    for shape, over, (precision, allowed), rate in itertools.product(sizes.odd, (True, False), ways, (0.0, 0.2)):
        yield block_check(shape, over_patches=over, precision=precision, allowed=allowed, rate=rate)
    for over in (True, False):
        yield models_check(over_patches=over)
        yield repeat_check(over_patches=over)
        if not sizes.rehearse:
            yield compiled_check(over_patches=over)
    yield length_check()
    yield draws_check()
    if not sizes.rehearse:
        yield captured_check()


def example(B: int, N: int, D: int, *, over_patches: bool, models: tuple[int, ...] = ()) -> list[Tensor]:
    """Return tiles, what the output's gradient is, and the weights of a block, in float64."""
    A, random = N if over_patches else D, torch.Generator(DEVICE).manual_seed(B + N + D)
    E = kernels.EXPANSION * A
    shapes = [(B, N, D), (B, N, D), (D,), (D,), (E, A), (E,), (A, E), (A,), (A, A), (A,)]
    values = [torch.randn(*models, *shape, generator=random, device=DEVICE, dtype=torch.float64) for shape in shapes]
    return [value if i < 2 else value / value.shape[-1] ** 0.5 + (i == 2) for i, value in enumerate(values)]


def results(
    function: Callable[..., Tensor], given: list[Tensor], dtype: torch.dtype, matrices: torch.dtype
) -> list[Tensor]:
    """Return the output and all gradients, with tiles of one type and matrices of another."""
    cast = [value.to(dtype if i < 4 else matrices).requires_grad_(i != 1) for i, value in enumerate(given)]
    tiles, upward, *weights = cast
    mixed = function(tiles, BlockWeights(*weights))
    return [mixed, *torch.autograd.grad((mixed * upward).sum(), [tiles, *weights])]


def distance(found: list[Tensor], wanted: list[Tensor]) -> float:
    """Return the largest relative distance of a result."""
    pairs = zip(found, wanted, strict=True)
    away = [(a.double() - b.double()).norm() / b.double().norm().clamp(min=1e-9) for a, b in pairs]
    return max(float(share.detach()) for share in away)


def block_check(shape: tuple[int, int, int], *, over_patches: bool, precision: str, allowed: float, rate: float) -> Row:
    """Compare a block, forward and backward, with the reference in float64; bfloat16 with what eager bfloat16 loses."""
    given = example(*shape, over_patches=over_patches)
    half = torch.bfloat16 if precision == "bfloat16" else torch.float32
    way = Way(over_patches, tf32x3=precision == "tf32x3", fast=precision == "bfloat16")

    def plain(tiles: Tensor, weights: BlockWeights) -> Tensor:
        return REFERENCE[over_patches](tiles, weights, CounterDropout(rate, 7, DEVICE))

    wanted = results(plain, given, torch.float64, torch.float64)
    found = results(
        lambda tiles, weights: mix(tiles, weights, way, CounterDropout(rate, 7, DEVICE)), given, torch.float32, half
    )
    if precision == "bfloat16":
        allowed = 1.2 * distance(results(plain, given, torch.float32, half), wanted)
    what = f"{SIDES[over_patches]}, {'x'.join(map(str, shape))}, {precision}, dropout {rate}"
    return {"check": what, "error": distance(found, wanted), "allowed": allowed}


def models_check(*, over_patches: bool) -> Row:
    """Compare several models in one launch with one after another."""
    given = example(4, 20, 24, over_patches=over_patches, models=(3,))

    def fused(tiles: Tensor, weights: BlockWeights) -> Tensor:
        return mix(tiles, weights, Way(over_patches))

    together = results(torch.vmap(fused), given, torch.float32, torch.float32)
    singly = [results(fused, [value[m] for value in given], torch.float32, torch.float32) for m in range(3)]
    wanted = [torch.stack(parts) for parts in zip(*singly, strict=True)]
    return {"check": f"{SIDES[over_patches]}, three models", "error": distance(together, wanted), "allowed": 1e-6}


def repeat_check(*, over_patches: bool) -> Row:
    """Compare two runs of the same: every bit must be equal."""
    given = example(300, 32, 32, over_patches=over_patches)
    way = Way(over_patches, fast=True)
    runs = [
        results(lambda tiles, weights: mix(tiles, weights, way), given, torch.float32, torch.bfloat16) for _ in range(2)
    ]
    differ = sum(not torch.equal(one, other) for one, other in zip(*runs, strict=True))
    return {"check": f"{SIDES[over_patches]}, twice the same", "error": float(differ), "allowed": 0.0}


def compiled_check(*, over_patches: bool) -> Row:
    """Compare a block within `torch.compile`, in one graph, with the block alone."""
    given = example(8, 64, 64, over_patches=over_patches)

    def fused(tiles: Tensor, weights: BlockWeights) -> Tensor:
        return mix(tiles * 2, weights, Way(over_patches)).relu()

    whole = torch.compile(fused, fullgraph=True)
    error = distance(*(results(f, given, torch.float32, torch.float32) for f in (whole, fused)))
    return {"check": f"{SIDES[over_patches]}, within torch.compile", "error": error, "allowed": 1e-5}


def length_check() -> Row:
    """Compare vectors of length one and their gradient."""
    random = torch.Generator(DEVICE).manual_seed(0)
    features, upward = (torch.randn(77, 33, 50, generator=random, device=DEVICE) for _ in range(2))
    pairs = []
    for function, dtype in ((to_length_one, torch.float32), (reference.to_length_one, torch.float64)):
        given = features.to(dtype).requires_grad_()
        divided = function(given)
        pairs.append([divided, *torch.autograd.grad((divided * upward).sum(), given)])
    return {"check": "length one", "error": distance(*pairs), "allowed": 1e-6}


def draws_check() -> Row:
    """Compare the means over the draws."""
    random = torch.Generator(DEVICE).manual_seed(0)
    shapes = [(5, 7, 33, 64), (7, 33, 64), (13, 64), (13,), (64, 13), (64,)]
    given = [torch.randn(*shape, generator=random, device=DEVICE) for shape in shapes]
    with torch.no_grad():
        encoded, features, *ends = given
        found = average_draws(encoded, features, Ends(*ends), FUSED)
        encoded, features, *ends = (value.double() for value in given)
        wanted = reference.average_draws(encoded, features, Ends(*ends))
    return {"check": "means over the draws", "error": distance([*found], [*wanted]), "allowed": 1e-5}


def captured_check() -> Row:
    """Compare the loss after captured steps with that after steps that are not; its masks and dropout are others."""
    losses = []
    for captured in (True, False):
        model, tiles = model_of("UCR", FUSED), tiles_at("UCR", 400)
        random = nn.generator(0, DEVICE)
        train(model, tiles, recipe(64, 300), random, captured=captured)
        with torch.no_grad():
            index_B = torch.arange(400, device=DEVICE)
            again = nn.generator(1, DEVICE)
            losses.append(float(training.masked_loss(model, tiles.patches(index_B), recipe(64, 1), again)))
    return {"check": "captured steps learn as others", "error": abs(losses[0] / losses[1] - 1), "allowed": 0.1}


# -- times


def milliseconds(work: Work, sizes: Sizes) -> float:
    """Return the median time of some work, after it was done three times."""
    for _ in range(1 if sizes.rehearse else 3):
        work()
    if DEVICE == "cpu":
        began = time.perf_counter()
        work()
        return 1e3 * (time.perf_counter() - began)
    times = []
    for _ in range(sizes.rounds):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        stop.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(stop))
    return statistics.median(times)


def block_times(sizes: Sizes) -> Iterator[Row]:
    """Yield the time of one block, forward alone and forward and backward, by each implementation."""
    for (name, (N, D, C)), batch, over, grad in itertools.product(
        sizes.shapes.items(), sizes.batches, (True, False), (False, True)
    ):
        tiles = 2 * C * batch
        given = [value.float() for value in example(tiles, N, D, over_patches=over)]
        works = sides(given, over, grad=grad, sizes=sizes, compiled=batch == max(sizes.batches))
        times = {side: milliseconds(work, sizes) for side, work in works.items()}
        floor = sum(floor_of(kernel, tiles, (N, D), over) for kernel in (kernels.KERNELS if grad else ["forward"]))
        row = {"shape": name, "batch": batch, "side": SIDES[over], "pass": "forward, backward" if grad else "forward"}
        ratios = {f"/ {side}": times[side] / times["fused"] for side in times if side != "fused"}
        yield row | times | {"floor": floor} | ratios | {"of floor": floor / times["fused"]}


def sides(
    given: list[Tensor],
    over_patches: bool,
    *,
    grad: bool,
    sizes: Sizes,
    compiled: bool,
) -> dict[str, Work]:
    """Return a block by each implementation, on inputs that rotate."""
    tiles, upward, *weights = given
    copies = max(1, sizes.bytes // (tiles.numel() * 4))
    inputs = itertools.cycle([tiles.clone().requires_grad_(grad) for _ in range(copies)])
    full = [weight.clone().requires_grad_(grad) for weight in weights]
    half = [(weight if i < 2 else weight.bfloat16()).detach().requires_grad_(grad) for i, weight in enumerate(weights)]
    plain, way = REFERENCE[over_patches], Way(over_patches, fast=True)
    drop = CounterDropout(0.2, 0, DEVICE) if grad else None

    def work(function: Callable[..., Tensor], own: list[Tensor], *, autocast: bool = False) -> Work:
        def run() -> object:
            tiles = next(inputs)
            context = torch.autocast(DEVICE, torch.bfloat16) if autocast else contextlib.nullcontext()
            with torch.set_grad_enabled(grad), context:
                mixed = function(tiles, BlockWeights(*own))
            return torch.autograd.grad(mixed, [tiles, *own], upward) if grad else mixed

        return run

    dropped = torch.nn.functional.dropout if grad else None

    def eager(tiles: Tensor, weights: BlockWeights) -> Tensor:
        return plain(tiles, weights, (lambda values: dropped(values, 0.2)) if dropped else reference.keep)

    found = {
        "fused": work(lambda tiles, weights: mix(tiles, weights, way, drop), half),
        "float32": work(eager, full),
        "autocast": work(eager, full, autocast=True),
    }
    if compiled and not sizes.rehearse:
        torch._dynamo.reset()  # noqa: SLF001 - there is no public way to forget what was compiled
        found["compiled"] = work(torch.compile(eager, dynamic=False), half)
    return found


def floor_of(kernel: str, tiles: int, shape: tuple[int, int], over_patches: bool) -> float:
    """Return a kernel's floor on this chip in milliseconds; not a number where the chip is not known."""
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else "none"
    chip = next((chip for known, chip in kernels.CHIPS.items() if known in name), None)
    if chip is None:
        return float("nan")
    drop = kernel != "forward"
    terms = kernels.floor(kernel, tiles, shape, over_patches=over_patches, dtype="bf16", on=chip, drop=drop)
    return max(terms.values()) / 1e3


def tuned(sizes: Sizes) -> Iterator[Row]:
    """Yield the time of each block size that a kernel may work in, and which of them the table has."""
    for (name, (N, D, C)), over, kernel in itertools.product(sizes.shapes.items(), (True, False), kernels.KERNELS):
        given = [value.float() for value in example(2 * C * max(sizes.batches), N, D, over_patches=over)]
        work = sides(given, over, grad=kernel != "forward", sizes=sizes, compiled=False)["fused"]
        row = blocking.key(kernel, N, D, over_patches=over)
        usual = blocking.TABLE[row]
        for choice in CHOICES[:1] if sizes.rehearse else CHOICES:
            blocking.TABLE[row] = choice
            told = {"shape": name, "side": SIDES[over], "kernel": kernel, "rows, chunk, warps, stages": choice}
            try:
                told["ms"] = milliseconds(work, sizes)
            except triton.TritonError as error:
                told["ms"] = str(error)[:40]
            yield told | {"in the table": choice == usual}
        blocking.TABLE[row] = usual


# -- whole steps


def model_of(name: str, how: How, precision: torch.dtype | None = torch.bfloat16) -> Mixer:
    """Return a model of a shape."""
    N, D, _ = MAIN.get(name, (4, 16, 2))
    return new_model(Shape(N, 16, D), nn.generator(0, DEVICE), precision=precision, how=how)


def tiles_at(name: str, windows: int) -> Tiles:
    """Return the tiles of so many overlapping windows of noisy sines."""
    N, _, C = MAIN.get(name, (4, 16, 2))
    steps = 16 * N + 4 * (windows - 1)
    noise_TC = np.random.default_rng(0).normal(scale=0.1, size=(steps, C))
    series_TC = np.sin(np.arange(steps)[:, None] / (5 + np.arange(C))) + noise_TC
    return tiles_of(series_TC, window=16 * N, patch=16, stride=4, starts=(0,), device=DEVICE)


def recipe(batch: int, steps: int) -> training.Recipe:
    """Return how a model is trained: as published."""
    rates = {"learning_rate": 2e-3, "decay": 0.5, "weight_decay": 1e-5, "dropout": 0.2}
    return training.Recipe(steps=steps, batch=batch, mask_ratio=0.5, contrast=0.005, temperature=0.1, **rates)


def train(
    model: Mixer, tiles: Tiles, recipe: training.Recipe, random: torch.Generator, *, captured: bool = True
) -> None:
    """Train a model, its steps captured or not."""
    original = nn.Captured
    if not captured:
        nn.Captured = lambda step, _: step  # type: ignore[assignment, misc, return-value]
    try:
        training.train(model, tiles, recipe, random)
    finally:
        nn.Captured = original  # type: ignore[misc]


def step_times(sizes: Sizes) -> Iterator[Row]:
    """Yield the time of a training step and of scoring a window, and their memory, fused and eager."""
    kinds = {
        "fused, captured": (FUSED, torch.bfloat16, True),
        "fused": (FUSED, torch.bfloat16, False),
        "eager bfloat16": (How(), torch.bfloat16, False),
        "eager float32": (How(), None, False),
    }
    for (name, (_, _, C)), batch in itertools.product(sizes.shapes.items(), sizes.batches):
        for kind, (how, precision, captured) in kinds.items():
            if captured and DEVICE == "cpu":
                continue
            model, tiles = model_of(name, how, precision), tiles_at(name, 2 * batch)
            per_step, memory = training_time(model, tiles, C * batch, sizes, captured=captured)
            per_pass = scoring_time(model, tiles, sizes)
            row = {"shape": name, "batch": batch, "kind": kind, "step ms": per_step, "step MiB": memory}
            yield row | {"scored windows/s": 1e3 * 2 * batch / per_pass}


def training_time(model: Mixer, tiles: Tiles, batch: int, sizes: Sizes, *, captured: bool) -> tuple[float, float]:
    """Return the milliseconds of a step, from runs of two lengths, and the peak memory in MiB."""
    random, few = nn.generator(0, DEVICE), 5
    train(model, tiles, recipe(batch, few), random, captured=captured)
    if DEVICE == "cuda":
        torch.cuda.reset_peak_memory_stats()
    spent = []
    for steps in (few, few + sizes.steps):
        began = time.perf_counter()
        train(model, tiles, recipe(batch, steps), random, captured=captured)
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        spent.append(time.perf_counter() - began)
    peak = torch.cuda.max_memory_allocated() / 2**20 if DEVICE == "cuda" else float("nan")
    return 1e3 * (spent[1] - spent[0]) / sizes.steps, peak


def scoring_time(model: Mixer, tiles: Tiles, sizes: Sizes) -> float:
    """Return the milliseconds of scoring all windows, five draws each."""
    random = nn.generator(0, DEVICE)
    few = Sizes(rehearse=sizes.rehearse)
    few.rounds = min(5, sizes.rounds)
    return milliseconds(lambda: see(model, tiles, draws=5, mask_ratio=0.5, random=random), few)


def many_times(sizes: Sizes) -> Iterator[Row]:
    """Yield the time of a block of many small models in one launch, and one after another."""
    N, D, _ = next(reversed(sizes.shapes.values()))
    for over in (True, False):
        given = [
            value.float() for value in example(2 * sizes.batches[0], N, D, over_patches=over, models=(sizes.models,))
        ]
        tiles, _, *weights = given
        half = BlockWeights(*(weight if i < 2 else weight.bfloat16() for i, weight in enumerate(weights)))
        singly = [BlockWeights(*(weight[m] for weight in half)) for m in range(sizes.models)]

        def fused(tiles: Tensor, weights: BlockWeights, way: Way = Way(over, fast=True)) -> Tensor:  # noqa: B008
            return mix(tiles, weights, way)

        def one_by_one(tiles: Tensor = tiles, singly: list[BlockWeights] = singly, run: Any = fused) -> object:
            return [run(tiles[m], weights) for m, weights in enumerate(singly)]

        with torch.no_grad():
            mapped = torch.vmap(fused)
            together = milliseconds(lambda run=mapped, tiles=tiles, half=half: run(tiles, half), sizes)
            alone = milliseconds(one_by_one, sizes)
        row = {"side": SIDES[over], "models": sizes.models, "together ms": together, "one by one ms": alone}
        yield row | {"ratio": alone / together}


def together_times(sizes: Sizes) -> Iterator[Row]:
    """Yield the time of a training step of many small models at once, and of one alone times their number."""
    name = next(reversed(sizes.shapes))
    own = tiles_at(name, 2 * sizes.batches[0])
    models = [model_of(name, FUSED) for _ in range(sizes.models)]
    spent = {}
    for kind, run in (
        ("together", lambda given: train_together(models, [own] * len(models), given, nn.generator(0, DEVICE))),
        ("alone", lambda given: training.train(models[0], own, given, nn.generator(0, DEVICE))),
    ):
        run(recipe(sizes.batches[0], 5))
        times = []
        for steps in (5, 5 + sizes.steps):
            began = time.perf_counter()
            run(recipe(sizes.batches[0], steps))
            if DEVICE == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - began)
        spent[kind] = 1e3 * (times[1] - times[0]) / sizes.steps
    row = {"models": sizes.models, "step together ms": spent["together"], "step alone ms": spent["alone"]}
    yield row | {"ratio": sizes.models * spent["alone"] / spent["together"]}


# -- the page


def table(rows: list[Row]) -> str:
    """Return rows as a table in Markdown."""
    heads = list(dict.fromkeys(name for row in rows for name in row))
    lines = [heads, ["---"] * len(heads), *([written(row.get(name, "")) for name in heads] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def written(value: Any) -> str:
    """Return a value as it stands in a table."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def gather(rows: Iterator[Row]) -> list[Row]:
    """Return all rows, and print each as it comes."""
    found = []
    for row in rows:
        print("  ".join(f"{name} {written(value)}" for name, value in row.items()), flush=True)
        found.append(row)
    return found


def page(parts: dict[str, list[Row]]) -> str:
    """Return what was found as a page."""
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else "the CPU, interpreted: a rehearsal, no measurement"
    head = f"# Fused kernels on {name}\n\n{TODAY}, torch {torch.__version__}, triton {triton.__version__}"
    command = "`python benchmarks/gpu_check.py`; times in milliseconds, medians; bfloat16, dropout in backward passes."
    return "\n\n".join([head + ".", command, *(f"## {title}\n\n{table(rows)}" for title, rows in parts.items())]) + "\n"


def main() -> None:
    """Check, time, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=None)
    parser.add_argument("--tune", action="store_true", help="time other sizes of blocks instead, and check nothing")
    parser.add_argument("--rehearse", action="store_true", help="tiny sizes, on the CPU, interpreted")
    given = parser.parse_args()
    if DEVICE == "cpu" and not given.rehearse:
        parser.error("there is no GPU here; with --rehearse and TRITON_INTERPRET=1 it runs on the CPU")
    sizes = Sizes(rehearse=given.rehearse)
    if given.tune:
        gather(tuned(sizes))
        return
    began = time.perf_counter()
    parts = {"Checks": gather(checks(sizes))}
    parts["One block"] = gather(block_times(sizes))
    parts["A step of training, and scoring"] = gather(step_times(sizes))
    parts["Many small models"] = gather(many_times(sizes))
    parts["Training many small models"] = gather(together_times(sizes))
    failed = [row["check"] for row in parts["Checks"] if not row["error"] <= row["allowed"]]
    print(f"{time.perf_counter() - began:.0f} s; failed: {failed or 'nothing'}")
    if given.output is None and not given.rehearse:
        given.output = ROOT / "benchmarks" / "results" / f"{TODAY}-gpu.md"
    if given.output is not None:
        given.output.write_text(page(parts))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
