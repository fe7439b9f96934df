"""1-D U-Net over the frames of a clip."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.networks.convolution import frame_block

_KERNEL = 3
_LEVELS = 2

FRAME_MULTIPLE = 2**_LEVELS
"""A clip's frames are halved at each level, so their number is a multiple of this."""


class TemporalUNet(nn.Module):
    """Halve the frames twice and come back, joining what has the same number of frames.

    12 frames become 6 and 3. Down by max-pooling, up by transposed convolutions; the skip
    connections are concatenated.
    """

    def __init__(self, channel_count: int, dropout: float) -> None:
        super().__init__()

        def blocks(input_count: int, count: int) -> nn.ModuleList:
            return nn.ModuleList(
                frame_block(input_count, channel_count, _KERNEL, dropout) for _ in range(count)
            )

        self.down = blocks(channel_count, _LEVELS + 1)
        self.up = nn.ModuleList(
            nn.ConvTranspose1d(channel_count, channel_count, 2, stride=2) for _ in range(_LEVELS)
        )
        self.join = blocks(2 * channel_count, _LEVELS)
        self.pool = nn.MaxPool1d(2)

    def forward(
        self, frames: Float[Tensor, "batch channel frame"]
    ) -> tuple[Float[Tensor, "batch channel frame"], Float[Tensor, "batch channel coarse"]]:
        """Return the latents at each frame, and the bottleneck.

        Args:
            frames: A multiple of `FRAME_MULTIPLE` frames.
        """
        levels = [self.down[0](frames)]
        for block in self.down[1:]:
            levels.append(block(self.pool(levels[-1])))
        bottleneck = values = levels.pop()
        for up, join in zip(self.up, self.join, strict=True):
            values = join(torch.cat([levels.pop(), up(values)], dim=1))
        return values, bottleneck
