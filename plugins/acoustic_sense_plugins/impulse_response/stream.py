"""The impulse response while a take arrives: a period of samples is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.contracts.feature_stream import FeatureStream
from acoustic_sense_plugins.impulse_response.colour import ColourGuard

if TYPE_CHECKING:
    from acoustic_sense_plugins.impulse_response.feature import ImpulseResponse


class PeriodStream(FeatureStream):
    """Stream of `impulse-response`: every frame is final at once."""

    feature: ImpulseResponse

    def __init__(self, feature: ImpulseResponse) -> None:
        super().__init__(feature)
        self._heard: Tensor | None = None
        self._sent: Tensor | None = None
        self._frames = 0
        self._guard = ColourGuard()

    def push(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, "channel frame bin"]:
        """Return the feature of the stretch; see `FeatureStream.push`.

        Raises:
            AudioError: As `ImpulseResponse.forward`, once a second was heard.
        """
        lead = self.feature.lead_samples
        if self._heard is None or self._sent is None:
            self._heard = recording.new_zeros(len(recording), lead)
            self._sent = playback.new_zeros(len(playback), lead)
        heard = torch.cat([self._heard, recording], dim=1)
        sent = torch.cat([self._sent, playback], dim=1)
        frames = self.feature.following(heard[None], sent[None], self._frames, self._guard)[0]
        self._guard.check(ended=False)
        self._frames += recording.shape[1] // self.feature.frame_samples
        end = heard.shape[1] - lead
        self._heard, self._sent = heard[:, end:].clone(), sent[:, end:].clone()
        return frames

    def finish(self) -> Float[Tensor, "channel 0 bin"]:
        """End the take.

        Raises:
            AudioError: The playback holds too few frequencies.
        """
        self._guard.check(ended=True)
        return self.no_frames()
