"""Convolution blocks: over frames and bins with pooling of bins, and over frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

_KERNEL = 3
_LEAK = 0.01
_BIN_POOLING = (1, 2)


def pooled_block(input_count: int, output_count: int) -> nn.Sequential:
    """Return convolution, LeakyReLU and batch norm, twice, and max-pooling 2 over bins.

    The convolutions span 3 frames and 3 bins; `batch channel frame bin` in and out, with as many
    frames and half the bins.
    """
    layers: list[nn.Module] = []
    for count in (input_count, output_count):
        layers += [
            nn.Conv2d(count, output_count, _KERNEL, padding=_KERNEL // 2),
            nn.LeakyReLU(_LEAK, inplace=True),
            nn.BatchNorm2d(output_count),
        ]
    block = nn.Sequential(*layers, nn.MaxPool2d(_BIN_POOLING))
    return block.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def frame_block(input_count: int, output_count: int, kernel: int, dropout: float) -> nn.Sequential:
    """Return 1-D convolution, LeakyReLU, batch norm and dropout; `batch channel frame`."""
    return nn.Sequential(
        nn.Conv1d(input_count, output_count, kernel, padding=kernel // 2),
        nn.LeakyReLU(_LEAK, inplace=True),
        nn.BatchNorm1d(output_count),
        nn.Dropout(dropout),
    )


def flatten_bins(
    values: Float[Tensor, "batch channel frame bin"],
) -> Float[Tensor, "batch flat frame"]:
    """Join channels and bins; at each frame the index is `bin * channel_count + channel`."""
    return values.permute(0, 2, 3, 1).flatten(2).transpose(1, 2)
