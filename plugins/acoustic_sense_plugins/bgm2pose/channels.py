"""Which channels of the mel stack go into which branch."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.constants import AMBISONIC_CHANNELS
from acoustic_sense.contracts import FeatureShape
from acoustic_sense.errors import ModelError

RECORDING = tuple(f"recording/{name}" for name in AMBISONIC_CHANNELS)
PLAYBACK = ("playback/1", "playback/2")
INTENSITY = tuple(f"intensity/{name}" for name in AMBISONIC_CHANNELS[1:])


class BranchInputs(nn.Module):
    """Cut a feature into the inputs of the recording branch and of the playback branch.

    The recording branch gets the 4 recording channels minus playback 1, the 4 minus playback 2,
    and the 3 intensity channels; without playback conditioning the 4 and the 3 as they are. As
    published, channels are normalised first, each by its own mean and deviation, and subtracted
    afterwards.

    Attributes:
        recording_count: Channels of the recording branch's input.
        playback_count: Channels of the playback branch's input.
    """

    def __init__(self, feature_shape: FeatureShape, playback_conditioning: bool) -> None:
        super().__init__()
        names = feature_shape.channel_names
        needed = (*RECORDING, *INTENSITY, *(PLAYBACK if playback_conditioning else ()))
        missing = [name for name in needed if name not in names]
        if missing:
            raise ModelError(
                f"encoder bgm2pose-fa needs the channels {', '.join(missing)}, which the feature "
                f"lacks (it has {', '.join(names) or 'none'}); use the feature 'mel-stack'"
            )
        self.playback_conditioning = playback_conditioning
        self.recording = _span(names, RECORDING)
        self.intensity = _span(names, INTENSITY)
        self.playback = _span(names, PLAYBACK) if playback_conditioning else []
        self.playback_count = len(PLAYBACK) if playback_conditioning else 0
        copies = self.playback_count or 1
        self.recording_count = copies * len(RECORDING) + len(INTENSITY)

    def forward(
        self, features: Float[Tensor, "batch channel frame bin"]
    ) -> tuple[Float[Tensor, "batch heard frame bin"], Float[Tensor, "batch sent frame bin"]]:
        """Return both inputs in channels-last memory; the second is empty when unconditioned."""
        heard, sent = features[:, self.recording], features[:, self.playback]
        parts = [heard - sent[:, i : i + 1] for i in range(self.playback_count)] or [heard]
        joined = torch.cat([*parts, features[:, self.intensity]], dim=1)
        return _channels_last(joined), _channels_last(sent)


def _span(names: Sequence[str], wanted: Sequence[str]) -> slice | list[int]:
    """Return where the wanted channels are; in a row as a slice, which copies nothing."""
    indices = [names.index(name) for name in wanted]
    first, last = indices[0], indices[0] + len(indices)
    return slice(first, last) if indices == list(range(first, last)) else indices


def _channels_last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last)
