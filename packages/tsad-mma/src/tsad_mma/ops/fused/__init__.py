"""The mixer block as fused kernels in Triton."""
