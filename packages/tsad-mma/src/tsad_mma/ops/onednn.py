"""The mixer block for scoring on a CPU: bias and GELU are added within the product. No gradients."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softmax

from tsad_mma.ops.reference import BlockWeights, Drop, keep, norm

# private, but what torch.compile itself calls; without it, the plain block runs
_linear: Callable[..., Tensor] | None = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
AVAILABLE = _linear is not None and torch.backends.mkldnn.is_available()
_BFLOAT16 = torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001
_PRECISIONS = {torch.float32, torch.bfloat16} if _BFLOAT16 else {torch.float32}


def takes(tiles_BND: Tensor, weights: BlockWeights, drop: Drop) -> bool:
    """Return whether these tiles can be mixed here: on a CPU, without gradients and dropout."""
    idle = drop is keep and not torch.is_grad_enabled()
    here = AVAILABLE and tiles_BND.device.type == "cpu"
    return idle and here and weights.fc1_weight_EA.dtype in _PRECISIONS


def mix_patches(tiles_BND: Tensor, weights: BlockWeights) -> Tensor:
    """Return the tiles with their patches mixed, feature by feature."""
    return tiles_BND + _gated_mlp(norm(tiles_BND, weights).mT.contiguous(), weights).mT


def mix_features(tiles_BND: Tensor, weights: BlockWeights) -> Tensor:
    """Return the tiles with their features mixed, patch by patch."""
    return tiles_BND + _gated_mlp(norm(tiles_BND, weights), weights)


def _gated_mlp(values_BXA: Tensor, weights: BlockWeights) -> Tensor:
    assert _linear is not None
    hidden_BXE = _linear(values_BXA, weights.fc1_weight_EA, weights.fc1_bias_E, "gelu", [], "none")
    mixed_BXA = _linear(hidden_BXE, weights.fc2_weight_AE, weights.fc2_bias_A, "none", [], "")
    if weights.gate_weight_AA is None:
        return mixed_BXA
    gate_BXA = _linear(mixed_BXA, weights.gate_weight_AA, weights.gate_bias_A, "none", [], "")
    return softmax(gate_BXA, dim=-1).mul_(mixed_BXA)
