"""Base of encoders by convolutions that pool bins, and a U-Net over time."""

from itertools import pairwise
from typing import ClassVar, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape
from acoustic_sense.errors import ModelError
from acoustic_sense.networks.channels import INTENSITY, RECORDING_LEVELS, PickedChannels
from acoustic_sense.networks.convolution import flatten_bins, frame_block, pooled_block
from acoustic_sense.networks.scaled_config import ScaledConfig
from acoustic_sense.networks.shape_checks import check_bins, check_frames
from acoustic_sense.networks.temporal import FRAME_MULTIPLE, TemporalUNet

READ_CHANNELS: Final = (*RECORDING_LEVELS, *INTENSITY)
"""Levels of W, X, Y, Z and the intensity vector X, Y, Z; nothing of the playback."""

_BLOCK_CHANNELS = (64, 128, 256, 256)  # close to bgm2pose-fa's: fair to compare
_FRAME_CHANNELS = 256
_BIN_MULTIPLE = 2 ** len(_BLOCK_CHANNELS)


class PooledEncoder(Encoder):
    """Recording to latents by convolutions alone.

    Four pooled blocks over frames and bins, channels and bins joined and projected at each frame,
    a U-Net over all frames that are given. Frames of context get no latents.

    Attributes:
        name: What the encoder is registered as, for errors; set by the subclass.
    """

    Config = ScaledConfig
    config: ScaledConfig
    name: ClassVar[str]
    stages = (("blocks",), ("projection",), ("unet",))

    def __init__(self, config: ScaledConfig | None, feature_shape: FeatureShape) -> None:
        super().__init__(config, feature_shape)
        check_bins(feature_shape.bin_count, _BIN_MULTIPLE, self.name)
        channels, dropout = self.config.channels, self.config.dropout
        self.inputs = PickedChannels(feature_shape, READ_CHANNELS, self.name)
        widths = [len(READ_CHANNELS), *map(channels, _BLOCK_CHANNELS)]
        self.blocks = nn.Sequential(*(pooled_block(*pair) for pair in pairwise(widths)))
        flat_count = widths[-1] * (feature_shape.bin_count // _BIN_MULTIPLE)
        self.local_dim = self.latent_dim = self.summary_dim = channels(_FRAME_CHANNELS)
        self.projection = frame_block(flat_count, self.local_dim, 1, dropout)
        self.unet = TemporalUNet(self.local_dim, dropout)

    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return the latents; see `Encoder.forward`.

        Raises:
            ModelError: The number of frames is not a multiple of 4, or none follow the context.
        """
        frame_count, context = features.shape[2], self.context_frames
        check_frames(frame_count, FRAME_MULTIPLE, self.name)
        if frame_count <= context:
            raise ModelError(
                f"encoder {self.name} takes {context} frames and a clip after them, not "
                f"{frame_count} in all; give the frames before the clip too"
            )
        heard = self.inputs(features).contiguous(memory_format=torch.channels_last)
        local = self.projection(flatten_bins(self.blocks(heard)))
        latents, bottleneck = self.unet(local)
        return EncoderOutput(
            latents.transpose(1, 2)[:, context:],
            local.transpose(1, 2)[:, context:],
            bottleneck.mean(dim=2),
        )
