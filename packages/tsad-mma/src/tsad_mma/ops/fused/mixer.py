"""The mixer block by fused kernels, as one operation of PyTorch: for autograd, `torch.compile` and `torch.vmap`.

Tensors lead with an axis of models: M blocks with weights of their own, each with B tiles, in one launch.
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tsad_mma.ops.dropout import CounterDropout
from tsad_mma.ops.fused.backward import input_gradient_kernel, weight_gradient_kernel
from tsad_mma.ops.fused.blocking import SPLITS, Blocking, Kernel, blocking
from tsad_mma.ops.fused.forward import forward_kernel
from tsad_mma.ops.fused.products import launched
from tsad_mma.ops.reference import BlockWeights


class Way(NamedTuple):
    """How a block is computed."""

    over_patches: bool
    tf32x3: bool = False
    """Whether products of float32 are three of TF32 each, not one of float32."""
    fast: bool = False
    """Whether GELU is the fast one."""


def mix(tiles_BND: Tensor, weights: BlockWeights, way: Way, drop: CounterDropout | None = None) -> Tensor:
    """Return the tiles with their patches or their features mixed."""
    given = [value if value is None else value[None] for value in (tiles_BND, *weights)]
    mixed: Tensor = _mix(*given, *_dropout(drop, tiles_BND), _needs_gradients(given), *way)[0]
    return mixed[0]


def _needs_gradients(given: Sequence[Tensor | None]) -> bool:
    return torch.is_grad_enabled() and any(value is not None and value.requires_grad for value in given)


def _dropout(drop: CounterDropout | None, like: Tensor) -> tuple[Tensor, int, int]:
    """Return a seed, the number of the first of two uses, and how many of 256 values are dropped."""
    if drop is None or not drop.dropped:
        return torch.zeros(1, dtype=torch.int64, device=like.device), 0, 0
    use = drop.use()
    drop.use()
    return drop.seed_1, use, drop.dropped


class _Block(NamedTuple):
    """What all kernels are given."""

    tiles_MBND: Tensor
    gain_MD: Tensor
    shift_MD: Tensor
    fc1_weight_MEA: Tensor
    fc1_bias_ME: Tensor
    fc2_weight_MAE: Tensor
    gate_weight_MAA: Tensor | None
    gate_bias_MA: Tensor | None
    seed_1: Tensor
    use: int
    dropped: int
    way: Way

    def sizes(self, kernel: Kernel) -> Blocking:
        _, _, N, D = self.tiles_MBND.shape
        dtype, hopper = self.fc1_weight_MEA.dtype, _is_hopper(self.tiles_MBND.device)
        return blocking(kernel, N, D, over_patches=self.way.over_patches, dtype=dtype, hopper=hopper)

    def rows(self, dtype: torch.dtype) -> Tensor:
        """Return room for the rows of what is mixed."""
        M, B, N, D = self.tiles_MBND.shape
        R, A = (B * D, N) if self.way.over_patches else (B * N, D)
        return self.tiles_MBND.new_empty(M, R, A, dtype=dtype)

    def launch(
        self, kernel: Any, sizes: Blocking, grid: tuple[int, ...], arrays: Sequence[Tensor], **more: Any
    ) -> None:
        """Run a kernel, if there is anything to do."""
        if not self.tiles_MBND.numel():
            return
        tensors = [self.gain_MD if value is None else value.contiguous() for value in self[:9]]
        _, B, N, D = self.tiles_MBND.shape
        launched(kernel)[grid](
            *tensors, *arrays, B, N, D, self.fc1_weight_MEA.shape[1], self.use, self.dropped,
            OVER_PATCHES=self.way.over_patches, ROWS=sizes.rows, A_PAD=sizes.mixed, D_PAD=sizes.width,
            CHUNK=sizes.chunk, GATED=self.gate_weight_MAA is not None, DROP=self.dropped > 0, FAST=self.way.fast,
            PRECISION="tf32x3" if self.way.tf32x3 else "ieee", num_warps=sizes.warps, num_stages=sizes.stages, **more,
        )  # fmt: skip


@functools.cache
def _is_hopper(device: torch.device) -> bool:
    return device.type != "cuda" or torch.cuda.get_device_capability(device) >= (9, 0)


@torch.library.triton_op("tsad_mma::mix", mutates_args={})
def _mix(
    tiles_MBND: Tensor,
    gain_MD: Tensor,
    shift_MD: Tensor,
    fc1_weight_MEA: Tensor,
    fc1_bias_ME: Tensor,
    fc2_weight_MAE: Tensor,
    fc2_bias_MA: Tensor,
    gate_weight_MAA: Tensor | None,
    gate_bias_MA: Tensor | None,
    seed_1: Tensor,
    use: int,
    dropped: int,
    save: bool,
    over_patches: bool,
    tf32x3: bool,
    fast: bool,
) -> tuple[Tensor, Tensor]:
    """Return the mixed tiles, and if asked what the gate was given, rows of what is mixed."""
    weights = gain_MD, shift_MD, fc1_weight_MEA, fc1_bias_ME, fc2_weight_MAE, gate_weight_MAA, gate_bias_MA
    block = _Block(tiles_MBND.contiguous(), *weights, seed_1, use, dropped, Way(over_patches, tf32x3, fast))
    out_MBND = torch.empty_like(block.tiles_MBND)
    mixed_MRA = block.rows(fc1_weight_MEA.dtype) if save else tiles_MBND.new_empty(0)
    sizes = block.sizes("forward")
    M, B, N, _ = tiles_MBND.shape
    grid = sizes.count(B, N, over_patches=over_patches), M
    block.launch(forward_kernel, sizes, grid, [fc2_bias_MA.contiguous(), out_MBND, mixed_MRA], SAVE=save)
    return out_MBND, mixed_MRA


@torch.library.triton_op("tsad_mma::mix_backward", mutates_args={})
def _mix_backward(
    d_out_MBND: Tensor,
    mixed_MRA: Tensor,
    tiles_MBND: Tensor,
    gain_MD: Tensor,
    shift_MD: Tensor,
    fc1_weight_MEA: Tensor,
    fc1_bias_ME: Tensor,
    fc2_weight_MAE: Tensor,
    gate_weight_MAA: Tensor | None,
    gate_bias_MA: Tensor | None,
    seed_1: Tensor,
    use: int,
    dropped: int,
    over_patches: bool,
    tf32x3: bool,
    fast: bool,
) -> list[Tensor]:
    """Return the gradients of the tiles and of all weights, in their order."""
    weights = gain_MD, shift_MD, fc1_weight_MEA, fc1_bias_ME, fc2_weight_MAE, gate_weight_MAA, gate_bias_MA
    block = _Block(tiles_MBND.contiguous(), *weights, seed_1, use, dropped, Way(over_patches, tf32x3, fast))
    d_tiles_MBND, d_mixed_MRA, d_logit_MRA, *norm = _input_gradients(block, mixed_MRA, d_out_MBND.contiguous())
    parts = [*norm, *_weight_gradients(block, d_mixed_MRA), d_mixed_MRA]
    gradients = [d_tiles_MBND, *(part.sum(dim=1, dtype=torch.float32) for part in parts)]
    if gate_weight_MAA is not None:
        gradients += [d_logit_MRA.mT @ mixed_MRA, d_logit_MRA.sum(dim=1, dtype=torch.float32)]
    return gradients


def _input_gradients(block: _Block, mixed_MRA: Tensor, d_out_MBND: Tensor) -> list[Tensor]:
    """Return the gradients of the tiles, of what is mixed, of the gate's logits, and sums for the norm's by block."""
    M, B, N, D = block.tiles_MBND.shape
    sizes = block.sizes("input")
    count = sizes.count(B, N, over_patches=block.way.over_patches)
    rows = [torch.empty_like(mixed_MRA) for _ in range(2)]
    norm = [d_out_MBND.new_empty(M, count, D, dtype=torch.float32) for _ in range(2)]
    found = [torch.empty_like(block.tiles_MBND), *rows, *norm]
    block.launch(input_gradient_kernel, sizes, (count, M), [mixed_MRA, d_out_MBND, *found])
    return found


def _weight_gradients(block: _Block, d_mixed_MRA: Tensor) -> list[Tensor]:
    """Return the gradients of the first weights, the first biases and the second weights, in sums by split."""
    M, B, N, _ = block.tiles_MBND.shape
    sizes = block.sizes("weight")
    splits = min(SPLITS, sizes.count(B, N, over_patches=block.way.over_patches))
    like = block.fc1_weight_MEA, block.fc1_bias_ME, block.fc2_weight_MAE
    found = [value.new_empty(M, splits, *value.shape[1:], dtype=torch.float32) for value in like]
    chunks = -(-block.fc1_weight_MEA.shape[1] // sizes.chunk)
    block.launch(weight_gradient_kernel, sizes, (splits, M, chunks), [d_mixed_MRA, *found])
    return found


@_mix.register_fake  # type: ignore[untyped-decorator] # torch's
def _(tiles_MBND: Tensor, *given: Any) -> tuple[Tensor, Tensor]:
    M, B, N, D = tiles_MBND.shape
    save, over_patches = given[11:13]
    shape = [M, B * D, N] if over_patches else [M, B * N, D]
    mixed_MRA = tiles_MBND.new_empty(shape if save else 0, dtype=given[2].dtype if save else None)
    return torch.empty_like(tiles_MBND, memory_format=torch.contiguous_format), mixed_MRA


@_mix_backward.register_fake  # type: ignore[untyped-decorator] # torch's
def _(_: Tensor, mixed_MRA: Tensor, tiles_MBND: Tensor, *given: Tensor | None) -> list[Tensor]:
    *first, gate_weight, gate_bias = given[:7]
    sums = [torch.empty_like(value, dtype=torch.float32) for value in first if value is not None]
    sums.append(mixed_MRA.new_empty(len(mixed_MRA), mixed_MRA.shape[2], dtype=torch.float32))
    if gate_weight is not None and gate_bias is not None:
        sums += [torch.empty_like(gate_weight), torch.empty_like(gate_bias, dtype=torch.float32)]
    return [torch.empty_like(tiles_MBND, memory_format=torch.contiguous_format), *sums]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    without_second_bias = *inputs[:6], *inputs[7:10]
    ctx.save_for_backward(output[1], *without_second_bias)
    ctx.rest = *inputs[10:12], *inputs[13:]
    ctx.dtypes = [value.dtype for value in inputs[:9] if value is not None]


def _gradients(ctx: Any, d_out_MBND: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    found = _mix_backward(d_out_MBND, *ctx.saved_tensors, *ctx.rest)
    gradients = [value.to(dtype) for value, dtype in zip(found, ctx.dtypes, strict=True)]
    return *gradients, *[None] * (16 - len(gradients))


_mix.register_autograd(_gradients, setup_context=_remember)


@torch.library.register_vmap("tsad_mma::mix")  # type: ignore[untyped-decorator] # torch's
def _(info: Any, axes: Sequence[int | None], *given: Any) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
    """Run the models that are mapped over as more models of one launch."""
    size = info.batch_size
    tensors = [_led(value, axis, size) for value, axis in zip(given[:9], axes[:9], strict=True)]
    # from within, tensors that are mapped over look as if nobody wanted their gradients
    out, mixed = _mix(*tensors, *given[9:12], _needs_gradients(tensors), *given[13:])
    mixed = mixed.unflatten(0, (size, -1)) if mixed.numel() else mixed.expand(size, 0)
    return (out.unflatten(0, (size, -1)), mixed), (0, 0)


def _led(value: Tensor | None, axis: int | None, size: int) -> Tensor | None:
    """Return a tensor whose models are those of all that is mapped over."""
    if value is None:
        return None
    mapped = value.movedim(axis, 0) if axis is not None else value.expand(size, *value.shape)
    return mapped.flatten(0, 1)
