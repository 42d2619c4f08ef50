"""Descent as published: Adam with an epsilon of its own, and gradients cut to a length."""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import adamw as functional


def descend(
    parameters: Iterable[Tensor],
    loss: Callable[[Tensor], Tensor],
    batches: Iterable[Tensor],
    *,
    learning_rate: float,
    epsilon: float,
    longest: float,
    at_once: int,
) -> Iterator[int]:
    """Take one step a batch and yield how many were taken; a batch is worked on in parts of `at_once` rows.

    `tsad_core.nn.descend` has neither the epsilon nor the cut.
    """
    adam = _Adam(parameters, epsilon)
    for step, batch in enumerate(batches, start=1):
        for weight in adam.weights:
            weight.grad = None
        for part in torch.split(batch, at_once):
            (loss(part) * (len(part) / len(batch))).backward()
        clip_grad_norm_(adam.weights, longest)
        adam.step(learning_rate)
        yield step


class _Adam:
    """Adam by its functional form: to make a `torch.optim.Adam` imports PyTorch's compiler."""

    def __init__(self, parameters: Iterable[Tensor], epsilon: float) -> None:
        self.weights = list(parameters)
        self._epsilon = epsilon
        self._means, self._squares = ([torch.zeros_like(weight) for weight in self.weights] for _ in range(2))
        self._taken = [weight.new_zeros((), dtype=torch.float32) for weight in self.weights]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Take a step down the gradients."""
        functional.adamw(
            self.weights,
            [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in self.weights],
            self._means,
            self._squares,
            max_exp_avg_sqs=[],
            state_steps=self._taken,
            fused=True,
            lr=learning_rate,
            weight_decay=0.0,
            beta1=0.9,
            beta2=0.999,
            eps=self._epsilon,
            amsgrad=False,
            maximize=False,
        )
