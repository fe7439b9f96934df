"""Mel bands of recording and playback spectra: what all features of this plugin share."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from acoustic_sense.config import Config
from acoustic_sense.constants import MEL_BINS, SAMPLE_RATE_HZ
from acoustic_sense.contracts import Feature
from acoustic_sense.dsp.mel import mel_filters, power_to_db
from acoustic_sense.dsp.signal_checks import (
    STEREO,
    check_frame_rate,
    check_playback,
    check_recording,
)
from acoustic_sense.dsp.stft import stft


class MelBandConfig(Config):
    """No settings: numbers are comparable only where everybody computes the same bands."""


class MelBandFeature(Feature):
    """Base of the features of this plugin.

    Frames are 50 ms, so any sample rate that is a multiple of 20 Hz works; the 128 bands always
    reach from 0 Hz to half the sample rate.

    Raises:
        AudioError: The sample rate is not a multiple of 20 Hz, or too low for 128 bands.
    """

    Config = MelBandConfig
    config: MelBandConfig
    bin_count = MEL_BINS
    filters: Float[Tensor, "frequency bin"]

    def __init__(
        self, config: MelBandConfig | None = None, sample_rate_hz: int = SAMPLE_RATE_HZ
    ) -> None:
        super().__init__(config, sample_rate_hz)
        check_frame_rate(sample_rate_hz)
        filters = mel_filters(sample_rate_hz, self.frame_samples).T
        self.register_buffer(
            "filters", torch.tensor(filters, dtype=torch.float64), persistent=False
        )

    def recording_spectrum(
        self, recording: Float[Tensor, "batch 4 sample"]
    ) -> Complex[Tensor, "batch 4 frame frequency"]:
        """Return the spectra of W, X, Y, Z.

        Raises:
            AudioError: The recording does not hold 4 channels.
        """
        check_recording(recording.shape[-2])
        return stft(recording, self.frame_samples)

    def playback_spectrum(
        self, playback: Float[Tensor, "batch speaker sample"]
    ) -> Complex[Tensor, "batch 2 frame frequency"]:
        """Return the spectra of both loudspeaker channels; a mono playback feeds both.

        Raises:
            AudioError: The playback has more than two channels.
        """
        speaker_count = playback.shape[-2]
        check_playback(speaker_count)
        spectrum = stft(playback, self.frame_samples)
        return spectrum if speaker_count == STEREO else spectrum.expand(-1, STEREO, -1, -1)

    def to_mel(
        self, values: Float[Tensor, "batch channel frame frequency"]
    ) -> Float[Tensor, "batch channel frame bin"]:
        """Return the sum of `values` over frequency under each mel filter."""
        with torch.autocast(values.device.type, enabled=False):  # bfloat16 is too coarse for dB
            return values @ self.filters.to(values.dtype)

    def log_mel(
        self, spectrum: Complex[Tensor, "batch channel frame frequency"]
    ) -> Float[Tensor, "batch channel frame bin"]:
        """Return the power in each mel band, in dB, never below -100 dB."""
        power = spectrum.real.square() + spectrum.imag.square()
        return power_to_db(self.to_mel(power))
