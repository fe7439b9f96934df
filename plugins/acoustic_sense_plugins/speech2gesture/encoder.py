"""The encoder of Ginosar et al. 2019 (speech2gesture), on a recording."""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape
from acoustic_sense.networks import (
    FRAME_MULTIPLE,
    PickedChannels,
    ScaledConfig,
    TemporalUNet,
    check_bins,
    check_frames,
    flatten_bins,
    frame_block,
)
from acoustic_sense.networks.channels import PLAYBACK_LEVELS, RECORDING_LEVELS

_NAME = "speech2gesture"
_STAGE_CHANNELS = (64, 128, 256)
_FRAME_CHANNELS = 256
_DECODER_LENGTH = 4
_KERNEL = 3
_STRIDED_KERNEL = 4
_LEAK = 0.2
_BIN_MULTIPLE = 2 ** len(_STAGE_CHANNELS)


class TranslationConfig(ScaledConfig):
    """Settings of the translating encoder."""

    playback: bool = Field(
        default=True,
        description="Read the log-mel power of both loudspeakers beside that of the recording.",
    )


class TranslationEncoder(Encoder):
    """Log-mel spectra to motion as one translates speech to gestures.

    1. Log-mel of W, X, Y, Z, with `playback` of both loudspeakers too: 6 channels, found by name.
    2. Audio encoder: three times a 3x3 convolution and one that spans 3 frames and 4 bins and
       moves by 2 bins; 128 bins become 16. Batch norm and LeakyReLU (0.2) after each.
    3. One convolution over all bins that are left (`local_latents`).
    4. A 1-D U-Net over time, whose bottleneck averaged over time is the `summary`, and four 1-D
       convolutions (`latents`).

    The last layer, latents to joints, is the task's. The number of frames is a multiple of 4.

    References:
        Ginosar et al., "Learning individual styles of conversational gesture", CVPR 2019; channel
        counts and depths are this project's.
    """

    Config = TranslationConfig
    config: TranslationConfig
    stages = (("audio",), ("projection",), ("unet",), ("decoder",))

    def __init__(self, config: TranslationConfig | None, feature_shape: FeatureShape) -> None:
        super().__init__(config, feature_shape)
        check_bins(feature_shape.bin_count, _BIN_MULTIPLE, _NAME)
        channels, dropout = self.config.channels, self.config.dropout
        read = (*RECORDING_LEVELS, *(PLAYBACK_LEVELS if self.config.playback else ()))
        self.inputs = PickedChannels(feature_shape, read, _NAME)
        widths = [len(read), *map(channels, _STAGE_CHANNELS)]
        self.audio = nn.Sequential(*(_audio_stage(*pair) for pair in pairwise(widths)))
        flat_count = widths[-1] * (feature_shape.bin_count // _BIN_MULTIPLE)
        self.local_dim = self.latent_dim = self.summary_dim = channels(_FRAME_CHANNELS)
        self.projection = frame_block(flat_count, self.local_dim, 1, dropout)
        self.unet = TemporalUNet(self.local_dim, dropout)
        self.decoder = nn.Sequential(
            *(
                frame_block(self.latent_dim, self.latent_dim, _KERNEL, dropout)
                for _ in range(_DECODER_LENGTH)
            )
        )

    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return the latents; see `Encoder.forward`.

        Raises:
            ModelError: The number of frames is not a multiple of 4.
        """
        check_frames(features.shape[2], FRAME_MULTIPLE, _NAME)
        heard = self.inputs(features).contiguous(memory_format=torch.channels_last)
        local = self.projection(flatten_bins(self.audio(heard)))
        joined, bottleneck = self.unet(local)
        latents = self.decoder(joined)
        return EncoderOutput(latents.transpose(1, 2), local.transpose(1, 2), bottleneck.mean(dim=2))


def _audio_stage(input_count: int, output_count: int) -> nn.Sequential:
    """Return two convolutions; the second halves the bins, frames stay."""
    strided = nn.Conv2d(
        output_count, output_count, (_KERNEL, _STRIDED_KERNEL), stride=(1, 2), padding=1
    )
    layers: list[nn.Module] = []
    for convolution in (nn.Conv2d(input_count, output_count, _KERNEL, padding=1), strided):
        layers += [
            convolution,
            nn.BatchNorm2d(output_count),
            nn.LeakyReLU(_LEAK, inplace=True),
        ]
    stage = nn.Sequential(*layers)
    return stage.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
