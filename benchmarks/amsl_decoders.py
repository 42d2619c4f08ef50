"""AMSL's seven decoders one after the other, as they run, against one decoder of grouped convolutions.

Run as ``python benchmarks/amsl_decoders.py [--rounds 5] [--threads 1] [--device cpu]``; needs tsad-baselines. The sides
take turns and must rebuild the same. Printed are the least milliseconds of each, of processor time on a CPU, and what
grouping takes as a multiple of what the loop takes: for the published size with 4 windows and for the default size with
32 windows of five channels.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional
from tsad_baselines.amsl.model import Network, R, Shape, new_model

SIZES = ((Shape(channels=45, window=125), 4), (Shape(channels=5, window=64, filters=16, slots=100), 32))


class Grouped:
    """The decoders of a network as one, each a group of its convolutions."""

    def __init__(self, model: Network) -> None:
        layers = zip(*([*decoder.layers, decoder.last] for decoder in model.decoders), strict=True)
        self.layers = [(joined("weight", group), joined("bias", group), group[0]) for group in layers]
        self.crop = model.shape.front

    def __call__(self, planes: Tensor) -> Tensor:
        """Return what all views are rebuilt as, (R, B, C, L)."""
        *inner, last = self.layers
        for layer in inner:
            planes = functional.relu(applied(planes, *layer))
        rows, columns = self.crop
        rebuilt = torch.sigmoid(applied(planes, *last).float())
        return rebuilt[:, :, rows:, columns:].transpose(0, 1)


def joined(name: str, layers: tuple[torch.nn.Module, ...]) -> Tensor:
    """Return a parameter of all groups."""
    return torch.cat([getattr(layer, name).detach() for layer in layers]).requires_grad_()


def applied(planes: Tensor, weight: Tensor, bias: Tensor, like: torch.nn.Module) -> Tensor:
    """Return a layer of all groups."""
    weight, bias = weight.to(planes.dtype), bias.to(planes.dtype)
    if isinstance(like, torch.nn.ConvTranspose2d):
        return functional.conv_transpose2d(planes, weight, bias, stride=2, padding=1, groups=R)
    return functional.conv2d(functional.pad(planes, (2, 1, 2, 1)), weight, bias, groups=R)


def sides(shape: Shape, windows: int, dtype: torch.dtype, device: str) -> tuple[Callable[[], Tensor], ...]:
    """Return what rebuilds the same windows in both ways."""
    random = torch.Generator(device).manual_seed(0)
    model = new_model(shape, random, precision=dtype)
    rows, columns = ((size + more) // 4 for size, more in zip((shape.channels, shape.window), shape.front, strict=True))
    size = (R, windows, 4 * shape.filters, rows, columns)
    planes = torch.randn(size, generator=random, device=device).to(dtype)
    side_by_side = planes.transpose(0, 1).flatten(1, 2).contiguous(memory_format=torch.channels_last)
    views = [view.contiguous(memory_format=torch.channels_last) for view in planes]
    grouped = Grouped(model)

    def loop() -> Tensor:
        return torch.stack([decoder(view) for decoder, view in zip(model.decoders, views, strict=True)])

    return loop, lambda: grouped(side_by_side)


def seconds(side: Callable[[], Tensor], *, train: bool, device: str) -> float:
    """Return what it takes to rebuild, and in training to go back through it."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    first = clock()
    with torch.set_grad_enabled(train):
        rebuilt = side()
        if train:
            rebuilt.square().mean().backward()
    if device != "cpu":
        torch.cuda.synchronize()
    return clock() - first


def least_milliseconds(both: tuple[Callable[[], Tensor], ...], rounds: int, *, train: bool, device: str) -> list[float]:
    """Return the least of each side; they take turns."""
    taken = [[seconds(side, train=train, device=device) for side in both] for _ in range(rounds)]
    return [1e3 * min(times) for times in zip(*taken, strict=True)]


def main() -> None:
    """Print a row for each size, precision and task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(f"{'cells':>9}{'windows':>9}  precision  task      loop   grouped  ratio")
    for shape, windows in SIZES:
        for dtype in (torch.float32, torch.bfloat16):
            both = sides(shape, windows, dtype, given.device)
            torch.testing.assert_close(both[0](), both[1](), rtol=0, atol=1e-5 if dtype == torch.float32 else 2e-2)
            for train in (True, False):
                loop, grouped = least_milliseconds(both, given.rounds, train=train, device=given.device)
                name, task = str(dtype).removeprefix("torch."), "train" if train else "rebuild"
                cells = f"{shape.channels} x {shape.window}"
                print(f"{cells:>9}{windows:9}  {name:9}  {task:7}{loop:7.1f}{grouped:10.1f}{grouped / loop:7.2f}")


if __name__ == "__main__":
    main()
