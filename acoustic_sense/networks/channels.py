"""Which channels of a feature an encoder reads."""

from collections.abc import Sequence
from typing import Final

from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.constants import AMBISONIC_CHANNELS
from acoustic_sense.contracts import FeatureShape
from acoustic_sense.errors import ModelError

RECORDING_LEVELS: Final = tuple(f"recording/{name}" for name in AMBISONIC_CHANNELS)
"""Names of the levels of W, X, Y, Z in a feature."""

PLAYBACK_LEVELS: Final = ("playback/1", "playback/2")
"""Names of the levels of both loudspeakers."""

INTENSITY: Final = tuple(f"intensity/{name}" for name in AMBISONIC_CHANNELS[1:])
"""Names of the parts of the intensity vector."""

CROSS_SPECTRUM: Final = (
    *(f"cross-real/{name}" for name in AMBISONIC_CHANNELS),
    *(f"cross-imaginary/{name}" for name in AMBISONIC_CHANNELS),
    *(f"cross-flow/{name}" for name in AMBISONIC_CHANNELS[1:]),
)
"""Names of what moves over the direct sound, real and imaginary part, and of where it flows to."""


def channel_indices(feature_shape: FeatureShape, wanted: Sequence[str], encoder: str) -> list[int]:
    """Return where a feature has the channels of these names, in the order asked for.

    Args:
        feature_shape: What the feature has.
        wanted: Names of the channels.
        encoder: Name of the encoder that asks, for the error.

    Raises:
        ModelError: The feature lacks one of them.
    """
    names = feature_shape.channel_names
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ModelError(
            f"encoder {encoder} needs the channels {', '.join(missing)}, which the feature "
            f"lacks (it has {', '.join(names) or 'none'}); use the feature 'mel-stack'"
        )
    return [names.index(name) for name in wanted]


class PickedChannels(nn.Module):
    """Pick channels out of a feature by their names, in the order asked for.

    Raises:
        ModelError: The feature lacks one of them.
    """

    def __init__(self, feature_shape: FeatureShape, wanted: Sequence[str], encoder: str) -> None:
        """Find the channels; see `channel_indices`."""
        super().__init__()
        self.picked = channel_indices(feature_shape, wanted, encoder)

    def forward(
        self, features: Float[Tensor, "batch channel frame bin"]
    ) -> Float[Tensor, "batch picked frame bin"]:
        """Return the channels."""
        return features[:, self.picked]
