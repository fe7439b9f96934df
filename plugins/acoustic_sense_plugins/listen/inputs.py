"""What the network reads of a feature: cross-spectrum, or levels and intensity."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.networks.channels import (
    CROSS_SPECTRUM,
    INTENSITY,
    PLAYBACK_LEVELS,
    RECORDING_LEVELS,
    channel_indices,
)


class BodyInputs(nn.Module):
    """Cut a feature into what the network reads, found by name.

    | input channels | what |
    |---|---|
    | 11 | cross-spectrum, where the feature has it |
    | 4 | with `levels`: levels of W, X, Y, Z minus the mean level of both loudspeakers |
    | 1 | with `levels`: that mean level |
    | 3 | with `levels`: intensity vector |

    With a normalisation whose name ends in `-bins` the differences of levels are in dB.

    Args:
        feature_shape: What the feature has.
        levels: Whether levels are read beside a cross-spectrum; without one they always are.
        encoder: Name of the encoder, for errors.

    Attributes:
        count: Channels that are given.

    Raises:
        ModelError: The feature has no cross-spectrum and lacks levels or intensity.
    """

    def __init__(self, feature_shape: FeatureShape, levels: bool, encoder: str) -> None:
        super().__init__()

        def indices(names: tuple[str, ...]) -> list[int]:
            return channel_indices(feature_shape, names, encoder)

        has_cross = set(CROSS_SPECTRUM) <= set(feature_shape.channel_names)
        self.levels = levels or not has_cross
        self.cross = indices(CROSS_SPECTRUM) if has_cross else []
        self.count = len(self.cross)
        if self.levels:
            self.heard, self.sent = indices(RECORDING_LEVELS), indices(PLAYBACK_LEVELS)
            self.intensity = indices(INTENSITY)
            self.count += len(self.heard) + 1 + len(self.intensity)

    def forward(
        self, features: Float[Tensor, "batch channel frame bin"]
    ) -> Float[Tensor, "batch input frame bin"]:
        """Return the inputs."""
        parts = [features[:, self.cross]]
        if self.levels:
            played = features[:, self.sent].mean(dim=1, keepdim=True)
            parts += [features[:, self.heard] - played, played, features[:, self.intensity]]
        return torch.cat(parts, dim=1)
