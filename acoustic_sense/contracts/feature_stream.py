"""FeatureStream: a feature over a take that arrives piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    from acoustic_sense.contracts.feature import Feature


class FeatureStream(ABC):
    """A feature of one take, computed while the take arrives; made by `Feature.stream`.

    All that `push` and `finish` return, joined, is what the feature gives for the whole take at
    once, however the take was cut.

    Attributes:
        feature: Whose stream this is.
        look_ahead_frames: Frames that have to arrive after a frame before `push` returns it; None
            where nothing is returned before the take ends.
    """

    look_ahead_frames: int | None = 0

    def __init__(self, feature: Feature) -> None:
        self.feature = feature

    @abstractmethod
    def push(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, "channel frame bin"]:
        """Take the next stretch of the take and return the frames that became final, maybe none.

        Args:
            recording: Shape `(4, sample)`, a whole number of frames.
            playback: Shape `(speaker, sample)`, the same length, always as many loudspeakers.
        """

    def finish(self) -> Float[Tensor, "channel frame bin"]:
        """Return the frames that were held back, after the last stretch; none by default."""
        return self.no_frames()

    def no_frames(self) -> Float[Tensor, "channel 0 bin"]:
        """Return what `push` returns when no frame became final."""
        return torch.empty(len(self.feature.channel_names), 0, self.feature.bin_count)


class LocalStream(FeatureStream):
    """Stream of a local feature: every frame is final at once."""

    def push(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, "channel frame bin"]:
        """Return the feature of the stretch."""
        frames: Tensor = self.feature(recording[None], playback[None])
        return frames[0]


class TakeStream(FeatureStream):
    """Stream of a feature that has to hear the whole take first; it keeps all that arrives."""

    look_ahead_frames = None

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        self._heard: list[Tensor] = []
        self._sent: list[Tensor] = []

    def push(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, "channel 0 bin"]:
        """Keep the stretch."""
        self._heard.append(recording)
        self._sent.append(playback)
        return self.no_frames()

    def finish(self) -> Float[Tensor, "channel frame bin"]:
        """Return the feature of the whole take."""
        if not self._heard:
            return self.no_frames()
        heard, sent = torch.cat(self._heard, dim=1), torch.cat(self._sent, dim=1)
        frames: Tensor = self.feature(heard[None], sent[None])
        return frames[0]
