"""Features that are parts of the stack, or differences within it."""

import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.dsp.intensity import intensity_direction
from acoustic_sense_plugins.mel_stack.bands import MelBandFeature
from acoustic_sense_plugins.mel_stack.stack import INTENSITY_NAMES, PLAYBACK_NAMES, RECORDING_NAMES


class LogMel(MelBandFeature):
    """Log-mel power of the recording's W, X, Y, Z in dB; the playback is not read."""

    channel_names = RECORDING_NAMES

    def forward(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch 4 frame bin"]:
        """Return the feature; see `Feature.forward`."""
        return self.log_mel(self.recording_spectrum(recording))


class Intensity(MelBandFeature):
    """Mel-weighted intensity direction X, Y, Z of the recording; the playback is not read."""

    channel_names = INTENSITY_NAMES

    def forward(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch 3 frame bin"]:
        """Return the feature; see `Feature.forward`."""
        direction = intensity_direction(self.recording_spectrum(recording))
        return self.to_mel(direction)


class PlaybackResidual(MelBandFeature):
    """Recording minus playback in the log domain, a pseudo transfer function, and intensity.

    Channels 0-3 are the log-mel power of W, X, Y, Z minus that of loudspeaker 1, channels 4-7
    minus that of loudspeaker 2, both in dB; channels 8-10 the intensity direction. These are the
    11 channels of BGM2Pose's recording branch, except that its network subtracts after each
    channel was normalised, and this feature before.
    """

    channel_names = (
        *(f"{heard}-{sent}" for sent in PLAYBACK_NAMES for heard in RECORDING_NAMES),
        *INTENSITY_NAMES,
    )

    def forward(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch 11 frame bin"]:
        """Return the feature; see `Feature.forward`.

        Raises:
            AudioError: The recording has not 4 channels or the playback more than 2.
        """
        spectrum = self.recording_spectrum(recording)
        heard = self.log_mel(spectrum)
        sent = self.log_mel(self.playback_spectrum(playback))
        direction = self.to_mel(intensity_direction(spectrum))
        return torch.cat([heard - sent[:, :1], heard - sent[:, 1:], direction], dim=1)
