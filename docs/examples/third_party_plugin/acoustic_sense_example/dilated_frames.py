"""Dilated frames: each frame through one layer, then convolutions that look ever further."""

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from acoustic_sense.config import Config
from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape


class DilatedFramesConfig(Config):
    """Settings of `dilated-frames`."""

    width: int = Field(default=64, ge=1, description="Width of the latents.")
    layer_count: int = Field(
        default=3, ge=1, le=4, description="Convolutions over time; each looks twice as far."
    )


class DilatedFrames(Encoder):
    """A small network over time that reads any feature.

    Channels and bins of a frame lie in one vector, which a linear layer maps to `width` numbers.
    Convolutions over three frames, 1, 2, 4, ... apart, are then added one after the other.
    """

    Config = DilatedFramesConfig
    config: DilatedFramesConfig
    default_feature = "octave-levels"

    def __init__(self, config: DilatedFramesConfig | None, feature_shape: FeatureShape) -> None:
        super().__init__(config, feature_shape)
        width = self.config.width
        self.latent_dim = self.local_dim = self.summary_dim = width
        size = len(feature_shape.channel_names) * feature_shape.bin_count
        self.frame = nn.Linear(size, width)
        self.time = nn.ModuleList(
            nn.Conv1d(width, width, kernel_size=3, padding="same", dilation=2**layer)
            for layer in range(self.config.layer_count)
        )

    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return latents, shape `(batch, frame, width)`.

        Args:
            features: Shape `(batch, channel, frame, bin)`, normalised.
        """
        local = functional.gelu(self.frame(features.transpose(1, 2).flatten(2)))
        latents = local.transpose(1, 2)
        for layer in self.time:
            latents = latents + functional.gelu(layer(latents))
        return EncoderOutput(latents.transpose(1, 2), local, latents.mean(dim=2))
