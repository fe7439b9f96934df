"""Which channels of a feature the encoder reads."""

from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.constants import AMBISONIC_CHANNELS
from acoustic_sense.contracts import FeatureShape
from acoustic_sense.errors import ModelError

READ_CHANNELS = (
    *(f"recording/{name}" for name in AMBISONIC_CHANNELS),
    *(f"intensity/{name}" for name in AMBISONIC_CHANNELS[1:]),
)
"""Log-mel power of W, X, Y, Z and the intensity vector X, Y, Z; nothing of the playback."""


class RecordingChannels(nn.Module):
    """Pick the 7 channels of the recording out of a feature, by their names.

    Raises:
        ModelError: The feature lacks one of them.
    """

    def __init__(self, feature_shape: FeatureShape) -> None:
        super().__init__()
        names = feature_shape.channel_names
        missing = [name for name in READ_CHANNELS if name not in names]
        if missing:
            raise ModelError(
                f"encoder shibata2023 needs the channels {', '.join(missing)}, which the feature "
                f"lacks (it has {', '.join(names) or 'none'}); use the feature 'mel-stack'"
            )
        self.picked = [names.index(name) for name in READ_CHANNELS]

    def forward(
        self, features: Float[Tensor, "batch channel frame bin"]
    ) -> Float[Tensor, "batch 7 frame bin"]:
        """Return log-mel and intensity, in the order of `READ_CHANNELS`."""
        return features[:, self.picked]
