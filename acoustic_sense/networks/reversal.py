"""Adversaries by gradient reversal: nothing forwards, a sign flip backwards."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import Function

_STEEPNESS = 10.0


class GrowingReversal(nn.Module):
    """Gradient reversal that grows from 0 to its full strength while training goes on.

    After `step` calls in training the reversed gradient is multiplied by
    2 / (1 + exp(-10 p)) - 1, p being `step / ramp_steps`, at most 1.

    Attributes:
        ramp_steps: Calls until the full strength; 0 reverses fully from the first.
        step: Calls in training so far; kept in checkpoints.

    References:
        Ganin and Lempitsky, "Unsupervised domain adaptation by backpropagation", ICML 2015,
        sections 3.1 and 4.
    """

    step: Tensor

    def __init__(self, ramp_steps: int) -> None:
        super().__init__()
        self.ramp_steps = ramp_steps
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def forward(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Return `values` with their gradient reversed; counts the calls in training."""
        if self.training:
            self.step += 1
        return reverse_gradient(values, self.strength())

    def strength(self) -> float:
        """Return the factor on the reversed gradient at the present step, 0 to 1."""
        if not self.ramp_steps:
            return 1.0
        share = min(1.0, float(self.step) / self.ramp_steps)
        return 2 / (1 + math.exp(-_STEEPNESS * share)) - 1


def discriminator(input_count: int, hidden: int, output_count: int) -> nn.Sequential:
    """Return two hidden layers with LeakyReLU and a linear one: what an adversary decides by."""
    return nn.Sequential(
        nn.Linear(input_count, hidden),
        nn.LeakyReLU(),
        nn.Linear(hidden, hidden),
        nn.LeakyReLU(),
        nn.Linear(hidden, output_count),
    )


def reverse_gradient(values: Float[Tensor, "*shape"], factor: float) -> Float[Tensor, "*shape"]:
    """Return `values` unchanged; their gradient comes back multiplied by `-factor`.

    What reads the result learns as usual, what made `values` learns the opposite.

    Args:
        values: Any tensor.
        factor: Strength of the reversal; 0 cuts the gradient off, a negative one lets it through.

    References:
        Ganin and Lempitsky, "Unsupervised domain adaptation by backpropagation", ICML 2015,
        section 3.1.
    """
    reversed_values: Tensor = _Reversal.apply(values, factor)  # type: ignore[no-untyped-call]
    return reversed_values


class _Reversal(Function):
    @staticmethod
    def forward(context: Any, values: Tensor, factor: float) -> Tensor:
        context.factor = factor
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -context.factor * gradients[0], None
