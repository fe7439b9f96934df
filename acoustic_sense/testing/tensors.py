"""Tensor assertions that the checks of features, encoders, objectives and tasks share."""

import torch
from torch import Tensor, nn

from acoustic_sense.testing.contract_error import require

RELATIVE_TOLERANCE = 1e-4
"""Largest difference between two results that must be equal, relative to their largest value."""


def check_tensor(value: object, shape: tuple[int, ...], where: str, what: str) -> None:
    """Require a finite float32 tensor of one shape."""
    require(isinstance(value, Tensor), where, f"{what} is a {type(value).__name__}, not a Tensor")
    assert isinstance(value, Tensor)
    require(
        tuple(value.shape) == shape, where, f"{what} has shape {tuple(value.shape)}, not {shape}"
    )
    require(value.dtype == torch.float32, where, f"{what} is {value.dtype}, not torch.float32")
    require(bool(torch.isfinite(value).all()), where, f"{what} holds values that are not finite")


def check_equal(value: Tensor, expected: Tensor, where: str, problem: str) -> None:
    """Require equality up to `RELATIVE_TOLERANCE` of the largest value."""
    difference = float((value - expected).detach().abs().max())
    scale = max(float(expected.detach().abs().max()), 1e-12)
    require(
        difference <= RELATIVE_TOLERANCE * scale,
        where,
        f"{problem} (largest difference {difference:.3g}, largest value {scale:.3g})",
    )


def check_parameter_gradients(module: nn.Module, where: str) -> None:
    """Require a finite gradient in every trainable parameter."""
    named = [(name, p.grad) for name, p in module.named_parameters() if p.requires_grad]
    unreached = [name for name, grad in named if grad is None]
    require(
        not unreached,
        where,
        f"no gradient reaches {', '.join(unreached[:4])}{' ...' if len(unreached) > 4 else ''}",
    )
    broken = [name for name, grad in named if grad is not None and not torch.isfinite(grad).all()]
    require(not broken, where, f"the gradient of {', '.join(broken[:4])} is not finite")


def reaches(tensor: Tensor) -> bool:
    """Return whether a non-zero, finite gradient arrived at `tensor`."""
    grad = tensor.grad
    return grad is not None and bool(torch.isfinite(grad).all()) and bool(grad.abs().max() > 0)
