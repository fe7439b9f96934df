"""Temporal decoder: a 1-D U-Net over the frames of a clip, and four 1-D convolutions."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.networks import frame_block

_KERNEL = 3
_TAIL_LENGTH = 4


class TemporalDecoder(nn.Module):
    """Local latents to latents: 12 -> 6 -> 3 frames and back, skip connections concatenated."""

    def __init__(self, channel_count: int, dropout: float) -> None:
        super().__init__()

        def block(input_count: int) -> nn.Sequential:
            return frame_block(input_count, channel_count, _KERNEL, dropout)

        self.entry = block(channel_count)
        self.down = nn.ModuleList([block(channel_count), block(channel_count)])
        self.up = nn.ModuleList(
            nn.ConvTranspose1d(channel_count, channel_count, 2, stride=2) for _ in range(2)
        )
        self.join = nn.ModuleList([block(2 * channel_count), block(2 * channel_count)])
        self.pool = nn.MaxPool1d(2)
        self.tail = nn.Sequential(*(block(channel_count) for _ in range(_TAIL_LENGTH)))

    def forward(
        self, local: Float[Tensor, "batch channel frame"]
    ) -> tuple[Float[Tensor, "batch channel frame"], Float[Tensor, "batch channel"]]:
        """Return the latents, and the bottleneck averaged over time.

        Args:
            local: Local latents; the number of frames is a multiple of 4.
        """
        fine = self.entry(local)
        middle = self.down[0](self.pool(fine))
        coarse = self.down[1](self.pool(middle))
        middle = self.join[0](torch.cat([middle, self.up[0](coarse)], dim=1))
        fine = self.join[1](torch.cat([fine, self.up[1](middle)], dim=1))
        return self.tail(fine), coarse.mean(dim=2)
