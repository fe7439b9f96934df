"""Gradient reversal: nothing forwards, a sign flip backwards."""

from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function


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
