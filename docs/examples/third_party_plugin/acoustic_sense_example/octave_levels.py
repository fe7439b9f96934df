"""Octave levels: how loud the recording and the playback are in each octave band."""

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from acoustic_sense.config import Config
from acoustic_sense.constants import AMBISONIC_CHANNELS, SAMPLE_RATE_HZ
from acoustic_sense.contracts import Feature


class OctaveLevelsConfig(Config):
    """Settings of `octave-levels`."""

    lowest_hz: float = Field(
        default=125.0, ge=20, description="Centre frequency of the lowest octave band."
    )
    band_count: int = Field(default=7, ge=1, le=10, description="Number of octave bands.")
    floor_db: float = Field(
        default=-120.0, description="Level of silence, dB re full scale; keeps logarithms finite."
    )


class OctaveLevels(Feature):
    """Level in dB of W, X, Y, Z and the playback in octave bands, frame by frame.

    Each frame of 50 ms is transformed with a Hann window; the squared magnitudes of a band, from
    its centre over the square root of two to its centre times the square root of two, are added.
    A full-scale sine has level -3 dB (its mean square) in its band. The playback is the mean of
    its loudspeaker channels.
    """

    Config = OctaveLevelsConfig
    config: OctaveLevelsConfig
    channel_names = (*AMBISONIC_CHANNELS, "playback")

    def __init__(
        self, config: OctaveLevelsConfig | None = None, sample_rate_hz: int = SAMPLE_RATE_HZ
    ) -> None:
        super().__init__(config, sample_rate_hz)
        self.bin_count = self.config.band_count
        window = torch.hann_window(self.frame_samples)
        self.register_buffer("window", window, persistent=False)
        frequency = torch.fft.rfftfreq(self.frame_samples, 1 / sample_rate_hz)
        centre = self.config.lowest_hz * 2.0 ** torch.arange(self.bin_count)
        inside = (frequency >= centre[:, None] / 2**0.5) & (frequency < centre[:, None] * 2**0.5)
        # Parseval: the one-sided sum is half the energy, the window takes away its mean square.
        scale = 2 / (self.frame_samples * window.square().sum())
        self.register_buffer("band_weights", inside.float() * scale, persistent=False)

    def forward(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch 5 frame band"]:
        """Return levels in dB, shape `(batch, 5, frame, band)`.

        Args:
            recording: Shape `(batch, 4, sample)`, W, X, Y, Z.
            playback: Shape `(batch, speaker, sample)`.
        """
        signals = torch.cat([recording, playback.mean(dim=1, keepdim=True)], dim=1)
        count = signals.shape[-1] // self.frame_samples
        cut = signals[..., : count * self.frame_samples]
        frames = cut.reshape(*signals.shape[:2], count, self.frame_samples)
        power = torch.fft.rfft(frames * self.window).abs().square()
        band_power = power @ self.band_weights.T
        return 10 * torch.log10(band_power + 10 ** (self.config.floor_db / 10))
