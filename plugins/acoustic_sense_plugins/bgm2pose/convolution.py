"""Convolution blocks over frames and bins."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

LEAK = 0.01
"""Slope of LeakyReLU below zero."""


def convolution_block(input_count: int, output_count: int, time_kernel: int) -> nn.Sequential:
    """Return convolution, LeakyReLU and batch norm, twice; `batch channel frame bin` in and out.

    The convolutions span `time_kernel` frames and 3 bins and keep both counts.
    """
    layers: list[nn.Module] = []
    for count in (input_count, output_count):
        layers += [
            nn.Conv2d(count, output_count, (time_kernel, 3), padding=(time_kernel // 2, 1)),
            nn.LeakyReLU(LEAK, inplace=True),
            nn.BatchNorm2d(output_count),
        ]
    block = nn.Sequential(*layers)
    return block.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class HalvedBins(nn.Module):
    """The larger of each two neighbouring bins; their number is even.

    Without a gradient this needs no pooling, which notes where each maximum was.
    """

    def forward(
        self, values: Float[Tensor, "batch channel frame bin"]
    ) -> Float[Tensor, "batch channel frame half"]:
        """Return the maxima."""
        if torch.is_grad_enabled():
            return nn.functional.max_pool2d(values, (1, 2))
        return torch.maximum(values[..., ::2], values[..., 1::2])
