"""Matrix products along the first axis."""

import torch
from torch import Tensor


def product(weight_DC: Tensor, values_CSB: Tensor, precision: torch.dtype | None = None) -> Tensor:
    """Return the product over the first axis, multiplied in a precision and returned in that of the values."""
    dtype = precision or values_CSB.dtype
    rows_DN = torch.mm(weight_DC.to(dtype), values_CSB.flatten(1).to(dtype))
    return rows_DN.to(values_CSB.dtype).view(-1, *values_CSB.shape[1:])
