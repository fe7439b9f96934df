"""A sound signal source."""

import numpy as np

from acoustic_sense.contracts import SignalSource


class Hum(SignalSource):
    """A 50 Hz sine."""

    genre = "tone"

    def generate(self, duration_s, sample_rate_hz, speaker_count, generator):
        """Return the hum, shape `(speaker, sample)`."""
        time_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
        hum = 0.5 * np.sin(2 * np.pi * 50 * time_s)
        return np.tile(hum, (speaker_count, 1)).astype(np.float32)
