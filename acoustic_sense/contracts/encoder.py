"""Encoder: from a clip's features to latents."""

from abc import abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.config import Config
from acoustic_sense.contracts.component import Component


@dataclass(frozen=True)
class FeatureShape:
    """What an encoder is told of its input.

    Attributes:
        channel_names: One name per feature channel.
        bin_count: Number of frequency bins.
    """

    channel_names: tuple[str, ...]
    bin_count: int


@dataclass(frozen=True)
class EncoderOutput:
    """What an encoder returns.

    Attributes:
        latents: Shape `(batch, frame, latent_dim)`; what tasks read.
        local_latents: Shape `(batch, frame, local_dim)`; the latents before any mixing over time,
            what contrastive objectives read. The same tensor as `latents` where the encoder has
            no such stage.
        summary: Shape `(batch, summary_dim)`; one vector a clip, what adversaries read.
    """

    latents: Float[Tensor, "batch frame latent_dim"]
    local_latents: Float[Tensor, "batch frame local_dim"]
    summary: Float[Tensor, "batch summary_dim"]


class Encoder(Component, nn.Module):
    """Features to latents.

    A subclass sets `Config`, takes its input's `FeatureShape` and implements `forward`; it sets
    the three widths in its constructor.

    Attributes:
        latent_dim: Width of `EncoderOutput.latents`.
        local_dim: Width of `EncoderOutput.local_latents`.
        summary_dim: Width of `EncoderOutput.summary`.
        context_frames: Frames before the clip that the encoder wants to see; they come first and
            get no latents.
        default_feature: Name of the registered feature it was designed for.
        stages: Names of the direct parts (attributes with parameters) from input to output, parts
            side by side in one tuple. Fine-tuning counts depth by them. Empty: each direct part
            is a stage of its own, in the order of definition.
    """

    latent_dim: int
    local_dim: int
    summary_dim: int
    context_frames: int = 0
    default_feature: str = "mel-stack"
    stages: tuple[tuple[str, ...], ...] = ()

    def __init__(self, config: Config | None, feature_shape: FeatureShape) -> None:
        nn.Module.__init__(self)
        self.config = config if config is not None else self.Config()
        self.feature_shape = feature_shape

    @abstractmethod
    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return the latents of a batch of clips.

        Args:
            features: Shape `(batch, channel, context_frames + frame, bin)`, normalised.

        Returns:
            Latents for the last `frame` frames, and the clip summary.
        """
