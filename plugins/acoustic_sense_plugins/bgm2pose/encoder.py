"""The frequency-wise attention encoder of BGM2Pose."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape
from acoustic_sense.networks import check_bins, check_frames, flatten_bins, frame_block
from acoustic_sense_plugins.bgm2pose.attention import FrequencyAttention, PlainFusion
from acoustic_sense_plugins.bgm2pose.channels import BranchInputs
from acoustic_sense_plugins.bgm2pose.config import FrequencyAttentionConfig
from acoustic_sense_plugins.bgm2pose.convolution import HalvedBins, convolution_block
from acoustic_sense_plugins.bgm2pose.temporal import TemporalDecoder

_NAME = "bgm2pose-fa"
_POOLINGS = 3
_FRAME_MULTIPLE = 4


class FrequencyAttentionEncoder(Encoder):
    """BGM2Pose's encoder, up to but without its last 1x1 convolution, which the task holds.

    1. Recording and playback branch: two convolution blocks each, full frequency resolution.
    2. Attention over bins within each frame, the recording added.
    3. Three convolution blocks, each followed by max-pooling 2 over bins.
    4. Channels and bins flattened at each frame, projected (`local_latents`); a 1-D U-Net over
       time, whose bottleneck averaged over time is the `summary`; four 1-D convolutions
       (`latents`).

    The number of frames is a multiple of 4; 12 in training.

    References:
        Shibata et al., "BGM2Pose: Active 3D Human Pose Estimation with Non-Stationary Sounds",
        IEEE OJSP 7, 2026, doi 10.1109/OJSP.2026.3705347.
    """

    Config = FrequencyAttentionConfig
    config: FrequencyAttentionConfig
    stages = (
        ("recording_branch", "playback_branch"),
        ("fusion",),
        ("reduction",),
        ("projection",),
        ("decoder",),
    )

    def __init__(self, config: FrequencyAttentionConfig | None, feature_shape: FeatureShape):
        super().__init__(config, feature_shape)
        check_bins(feature_shape.bin_count, 1 << _POOLINGS, _NAME)
        channels, kernel = self.config.channels, self.config.time_kernel
        self.inputs = BranchInputs(feature_shape, self.config.playback_conditioning)
        self.recording_branch = _branch(self.inputs.recording_count, self.config)
        if self.config.playback_conditioning:
            self.playback_branch = _branch(self.inputs.playback_count, self.config)
        self.fusion = _fusion(self.config, feature_shape.bin_count)
        widths = [channels(count) for count in (128, 256, 256, 256)]
        self.reduction = nn.Sequential()
        for narrow, wide in pairwise(widths):
            self.reduction.append(convolution_block(narrow, wide, kernel))
            self.reduction.append(HalvedBins())
        flat_count = widths[-1] * (feature_shape.bin_count >> _POOLINGS)
        self.local_dim = self.latent_dim = self.summary_dim = channels(256)
        self.projection = frame_block(flat_count, self.local_dim, 1, self.config.dropout)
        self.decoder = TemporalDecoder(self.local_dim, self.config.dropout)

    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return the latents; see `Encoder.forward`.

        Raises:
            ModelError: The number of frames is not a multiple of 4.
        """
        check_frames(features.shape[2], _FRAME_MULTIPLE, _NAME)
        local = self.projection(self._flatten(self.reduction(self.fuse(features))))
        latents, summary = self.decoder(local)
        return EncoderOutput(latents.transpose(1, 2), local.transpose(1, 2), summary)

    def fuse(
        self, features: Float[Tensor, "batch channel frame bin"]
    ) -> Float[Tensor, "batch fused frame bin"]:
        """Return what recording and playback say together: steps 1 and 2."""
        heard, sent = self.inputs(features)
        recording = self.recording_branch(heard).permute(0, 2, 3, 1)
        playback = recording
        if self.config.playback_conditioning:
            playback = self.playback_branch(sent).permute(0, 2, 3, 1)
        fused: Tensor = self.fusion(recording, playback)
        return fused.permute(0, 3, 1, 2)

    def _flatten(
        self, values: Float[Tensor, "batch channel frame bin"]
    ) -> Float[Tensor, "batch flat frame"]:
        """Join channels and bins; at each frame the index is `bin * channel_count + channel`."""
        if self.config.flatten == "reshape":
            batch, channels, frames, bins = values.shape
            return values.reshape(batch, channels * bins, frames)
        return flatten_bins(values)


def _branch(input_count: int, config: FrequencyAttentionConfig) -> nn.Sequential:
    """Return two convolution blocks to 64 and 128 channels, scaled by the width."""
    narrow, wide = config.channels(64), config.channels(128)
    return nn.Sequential(
        convolution_block(input_count, narrow, config.time_kernel),
        convolution_block(narrow, wide, config.time_kernel),
    )


def _fusion(config: FrequencyAttentionConfig, bin_count: int) -> nn.Module:
    channel_count = config.channels(128)
    if not config.attention:
        return PlainFusion(channel_count)
    return FrequencyAttention(
        channel_count, bin_count, config.heads, config.attention_dropout, config.query
    )
