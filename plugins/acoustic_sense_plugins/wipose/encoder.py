"""The recurrent encoder of Jiang et al. 2020 (WiPose), on sound."""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape
from acoustic_sense.networks import PickedChannels, ScaledConfig, check_bins, flatten_bins
from acoustic_sense.networks.channels import PLAYBACK_LEVELS, RECORDING_LEVELS

READ_CHANNELS = (*RECORDING_LEVELS, *PLAYBACK_LEVELS)
"""Log-mel power of W, X, Y, Z and of both loudspeakers."""

_NAME = "wipose"
_BLOCK_CHANNELS = (64, 128, 256, 256)
_HIDDEN = 256
_LSTM_LAYERS = 3
_BIN_KERNEL = 5
_BIN_MULTIPLE = 2 ** len(_BLOCK_CHANNELS)


class RecurrentConfig(ScaledConfig):
    """Settings of the recurrent encoder."""

    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Dropout after each convolution and between the layers of the LSTM.",
    )


class RecurrentEncoder(Encoder):
    """Recording and playback to latents: convolutions at each frame, then an LSTM over frames.

    1. Log-mel of W, X, Y, Z and of both loudspeakers: 6 channels, found by name.
    2. Four blocks at each frame on its own: convolution over 5 bins, batch norm, ReLU, dropout,
       max-pooling 2. 128 bins become 8.
    3. Channels and bins flattened at each frame and projected (`local_latents`).
    4. An LSTM of three layers over the frames, forwards in time (`latents`); what it gives at the
       last frame is the `summary`.

    A frame's latents depend on it and the frames before, within the clip. Any number of frames.

    References:
        Jiang et al., "Towards 3D human pose construction using WiFi", MobiCom 2020; channel
        counts, kernels and pooling are this project's.
    """

    Config = RecurrentConfig
    config: RecurrentConfig
    stages = (("blocks",), ("projection",), ("lstm",))

    def __init__(self, config: RecurrentConfig | None, feature_shape: FeatureShape) -> None:
        super().__init__(config, feature_shape)
        check_bins(feature_shape.bin_count, _BIN_MULTIPLE, _NAME)
        channels, dropout = self.config.channels, self.config.dropout
        self.inputs = PickedChannels(feature_shape, READ_CHANNELS, _NAME)
        widths = [len(READ_CHANNELS), *map(channels, _BLOCK_CHANNELS)]
        self.blocks = nn.Sequential(*(_bin_block(*pair, dropout) for pair in pairwise(widths)))
        flat_count = widths[-1] * (feature_shape.bin_count // _BIN_MULTIPLE)
        self.local_dim = self.latent_dim = self.summary_dim = channels(_HIDDEN)
        self.projection = nn.Linear(flat_count, self.local_dim)
        self.lstm = nn.LSTM(
            self.local_dim, self.latent_dim, _LSTM_LAYERS, batch_first=True, dropout=dropout
        )

    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return the latents; see `Encoder.forward`."""
        heard = self.inputs(features).contiguous(memory_format=torch.channels_last)
        local = self.projection(flatten_bins(self.blocks(heard)).transpose(1, 2))
        latents, _ = self.lstm(local)
        return EncoderOutput(latents, local, latents[:, -1])


def _bin_block(input_count: int, output_count: int, dropout: float) -> nn.Sequential:
    """Return a convolution over bins and what follows it; frames are never mixed.

    A kernel of 1 frame makes the 2-D convolution one over bins at every frame.
    """
    block = nn.Sequential(
        nn.Conv2d(input_count, output_count, (1, _BIN_KERNEL), padding=(0, _BIN_KERNEL // 2)),
        nn.BatchNorm2d(output_count),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.MaxPool2d((1, 2)),
    )
    return block.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
