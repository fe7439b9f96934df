"""Which channels of the mel stack go into which branch."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.networks.channels import (
    INTENSITY,
    PLAYBACK_LEVELS,
    RECORDING_LEVELS,
    channel_indices,
)


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
        needed = (
            *RECORDING_LEVELS,
            *INTENSITY,
            *(PLAYBACK_LEVELS if playback_conditioning else ()),
        )
        found = dict(
            zip(needed, channel_indices(feature_shape, needed, "bgm2pose-fa"), strict=True)
        )
        self.playback_conditioning = playback_conditioning
        self.recording = _span(found, RECORDING_LEVELS)
        self.intensity = _span(found, INTENSITY)
        self.playback = _span(found, PLAYBACK_LEVELS) if playback_conditioning else []
        self.playback_count = len(PLAYBACK_LEVELS) if playback_conditioning else 0
        copies = self.playback_count or 1
        self.recording_count = copies * len(RECORDING_LEVELS) + len(INTENSITY)

    def forward(
        self, features: Float[Tensor, "batch channel frame bin"]
    ) -> tuple[Float[Tensor, "batch heard frame bin"], Float[Tensor, "batch sent frame bin"]]:
        """Return both inputs in channels-last memory; the second is empty when unconditioned."""
        heard, sent = features[:, self.recording], features[:, self.playback]
        parts = [heard - sent[:, i : i + 1] for i in range(self.playback_count)] or [heard]
        joined = torch.cat([*parts, features[:, self.intensity]], dim=1)
        return _channels_last(joined), _channels_last(sent)


def _span(found: Mapping[str, int], wanted: Sequence[str]) -> slice | list[int]:
    """Return where the wanted channels are; in a row as a slice, which copies nothing."""
    indices = [found[name] for name in wanted]
    first, last = indices[0], indices[0] + len(indices)
    return slice(first, last) if indices == list(range(first, last)) else indices


def _channels_last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last)
