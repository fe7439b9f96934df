"""The convolutional encoder of Shibata et al. 2023."""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from acoustic_sense.config import Config
from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape
from acoustic_sense.networks import (
    FRAME_MULTIPLE,
    PickedChannels,
    TemporalUNet,
    check_bins,
    check_frames,
    flatten_bins,
    frame_block,
    pooled_block,
)
from acoustic_sense.networks.channels import INTENSITY, RECORDING_LEVELS

READ_CHANNELS = (*RECORDING_LEVELS, *INTENSITY)
"""Log-mel power of W, X, Y, Z and the intensity vector X, Y, Z; nothing of the playback."""

_NAME = "shibata2023"
_BLOCK_CHANNELS = (64, 128, 256, 256)  # close to bgm2pose-fa's: fair to compare
_FRAME_CHANNELS = 256
_BIN_MULTIPLE = 2 ** len(_BLOCK_CHANNELS)


class ConvolutionalConfig(Config):
    """Settings of the convolutional encoder."""

    width: float = Field(
        default=1.0, gt=0, le=4, description="Scales every channel count; 0.25 trains on a CPU."
    )
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Dropout after each layer over frames."
    )

    def channels(self, full: int) -> int:
        """Return the channel count that stands for `full` channels at this width."""
        return max(1, round(full * self.width))


class ConvolutionalEncoder(Encoder):
    """Recording to latents by convolutions alone; the playback is not read.

    1. Log-mel of W, X, Y, Z and the intensity vector: 7 channels, found by name.
    2. Four blocks of two 3x3 convolutions, each block followed by max-pooling 2 over bins:
       128 bins become 8, frames stay.
    3. Channels and bins flattened at each frame and projected (`local_latents`).
    4. A 1-D U-Net over time (`latents`), whose bottleneck averaged over time is the `summary`,
       what the objective `subject-adversary` reads.

    The last layer, latents to joints, is the task's. The number of frames is a multiple of 4.

    References:
        Shibata et al., "Listening Human Behavior: 3D Human Pose Estimation with Acoustic
        Signals", CVPR 2023; channel counts and depths are this project's.
    """

    Config = ConvolutionalConfig
    config: ConvolutionalConfig
    stages = (("blocks",), ("projection",), ("unet",))

    def __init__(self, config: ConvolutionalConfig | None, feature_shape: FeatureShape) -> None:
        super().__init__(config, feature_shape)
        check_bins(feature_shape.bin_count, _BIN_MULTIPLE, _NAME)
        channels, dropout = self.config.channels, self.config.dropout
        self.inputs = PickedChannels(feature_shape, READ_CHANNELS, _NAME)
        widths = [len(READ_CHANNELS), *map(channels, _BLOCK_CHANNELS)]
        self.blocks = nn.Sequential(*(pooled_block(*pair) for pair in pairwise(widths)))
        flat_count = widths[-1] * (feature_shape.bin_count // _BIN_MULTIPLE)
        self.local_dim = self.latent_dim = self.summary_dim = channels(_FRAME_CHANNELS)
        self.projection = frame_block(flat_count, self.local_dim, 1, dropout)
        self.unet = TemporalUNet(self.local_dim, dropout)

    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return the latents; see `Encoder.forward`.

        Raises:
            ModelError: The number of frames is not a multiple of 4.
        """
        check_frames(features.shape[2], FRAME_MULTIPLE, _NAME)
        heard = self.inputs(features).contiguous(memory_format=torch.channels_last)
        local = self.projection(flatten_bins(self.blocks(heard)))
        latents, bottleneck = self.unet(local)
        return EncoderOutput(latents.transpose(1, 2), local.transpose(1, 2), bottleneck.mean(dim=2))
