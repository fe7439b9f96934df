"""`white-noise`: Gaussian noise."""

import numpy as np
from jaxtyping import Float32
from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.contracts.signal_source import SignalSource
from acoustic_sense_plugins.test_signals.periodic import DEFAULT_RMS_DB

LOUDEST_RMS_DB = -14.0
"""At this level full scale is five standard deviations away; one sample in 1.7 million is cut."""


class WhiteNoiseConfig(Config):
    """Level, and whether the loudspeakers differ."""

    rms_db: float = Field(
        DEFAULT_RMS_DB,
        ge=-80,
        le=LOUDEST_RMS_DB,
        description="Root mean square in dB full scale.",
    )
    independent: bool = Field(
        True, description="Every loudspeaker has its own noise; otherwise all have the same."
    )


class WhiteNoise(SignalSource):
    """Gaussian noise of equal power at all frequencies, drawn from the generator."""

    Config = WhiteNoiseConfig
    config: WhiteNoiseConfig
    genre = "noise"

    def generate(
        self,
        duration_s: float,
        sample_rate_hz: int,
        speaker_count: int,
        generator: np.random.Generator,
    ) -> Float32[np.ndarray, "speaker sample"]:
        """Return the playback; see `SignalSource.generate`."""
        count = round(duration_s * sample_rate_hz)
        columns = speaker_count if self.config.independent else 1
        noise = generator.standard_normal((count, columns)).T  # sample by sample: a prefix stays
        noise = np.clip(noise * 10 ** (self.config.rms_db / 20), -1, 1).astype(np.float32)
        return np.ascontiguousarray(np.broadcast_to(noise, (speaker_count, count)))
