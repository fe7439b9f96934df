"""Layers over frames written out in plain layout, for the literal versions of encoders."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d


def literal_layer(convolved: Tensor, norm: nn.Module) -> Tensor:
    """Return LeakyReLU and batch norm of what a convolution gave."""
    values = torch.where(convolved > 0, convolved, 0.01 * convolved)
    shape = (1, -1, *[1] * (values.ndim - 2))
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (values - norm.running_mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)


def literal_frames(block: nn.Sequential, values: Tensor, padding: int = 1) -> Tensor:
    return literal_layer(conv1d(values, block[0].weight, block[0].bias, padding=padding), block[2])


def halved(values: Tensor) -> Tensor:
    return torch.maximum(values[..., 0::2], values[..., 1::2])


def doubled(layer: nn.ConvTranspose1d, values: Tensor) -> Tensor:
    """Return a transposed convolution of two taps and stride two: each frame makes two."""
    made = [torch.einsum("bct,cd->bdt", values, layer.weight[:, :, tap]) for tap in range(2)]
    return torch.stack(made, dim=3).flatten(2) + layer.bias[:, None]
