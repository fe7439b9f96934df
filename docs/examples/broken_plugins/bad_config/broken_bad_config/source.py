"""A signal source whose setting has no description."""

import numpy as np

from acoustic_sense.config import Config
from acoustic_sense.contracts import SignalSource


class BuzzConfig(Config):
    """Settings; what `rate` is, nobody can tell."""

    rate: float = 100.0


class Buzz(SignalSource):
    """A square wave."""

    Config = BuzzConfig
    genre = "tone"

    def generate(self, duration_s, sample_rate_hz, speaker_count, generator):
        """Return the wave, shape `(speaker, sample)`."""
        time_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
        wave = 0.5 * np.sign(np.sin(2 * np.pi * self.config.rate * time_s))
        return np.tile(wave, (speaker_count, 1)).astype(np.float32)
