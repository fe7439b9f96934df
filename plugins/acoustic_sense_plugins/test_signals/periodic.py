"""What the periodic test signals share: one period, repeated, the same on every loudspeaker."""

from abc import abstractmethod

import numpy as np
from jaxtyping import Float, Float32
from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.contracts.signal_source import SignalSource
from acoustic_sense.errors import AudioError

DEFAULT_RMS_DB = -20.0
"""Level of every test signal unless set: that of music, so that methods compare at equal power."""


class PeriodicConfig(Config):
    """The level, in every test signal's configuration."""

    rms_db: float = Field(
        DEFAULT_RMS_DB, ge=-80, le=0, description="Root mean square of a period, in dB full scale."
    )


class PeriodicSource(SignalSource):
    """A signal source that repeats one period without a gap on all loudspeakers at once.

    A subclass implements `period`; the generator is not used.
    """

    Config = PeriodicConfig
    config: PeriodicConfig
    genre = "chirp"

    @abstractmethod
    def period(self, sample_rate_hz: int) -> Float[np.ndarray, " sample"]:
        """Return one period at any level.

        Args:
            sample_rate_hz: Samples per second.

        Raises:
            AudioError: The settings do not fit the sample rate.
        """

    def generate(
        self,
        duration_s: float,
        sample_rate_hz: int,
        speaker_count: int,
        generator: np.random.Generator,
    ) -> Float32[np.ndarray, "speaker sample"]:
        """Return the playback; see `SignalSource.generate`.

        Raises:
            AudioError: The settings do not fit the sample rate, or the level needs more than full
                scale.
        """
        period = at_rms(self.period(sample_rate_hz), self.config.rms_db)
        count = round(duration_s * sample_rate_hz)
        signal = np.resize(period, count).astype(np.float32)
        return np.tile(signal, (speaker_count, 1))


def at_rms(period: Float[np.ndarray, " sample"], rms_db: float) -> Float[np.ndarray, " sample"]:
    """Return the period scaled to a root mean square in dB full scale.

    Raises:
        AudioError: The peak would exceed full scale.
    """
    scaled = period * (10 ** (rms_db / 20) / np.sqrt(np.mean(period**2)))
    peak = float(np.max(np.abs(scaled)))
    if peak > 1.0:
        highest = rms_db - 20 * np.log10(peak)
        raise AudioError(
            f"rms_db = {rms_db:g} dB would drive this signal to {peak:.2f} times full scale; set "
            f"rms_db to {np.floor(10 * highest) / 10:g} or less"
        )
    return np.asarray(scaled)


def upper_edge_hz(high_hz: float | None, low_hz: float, sample_rate_hz: int) -> float:
    """Return the highest frequency of a sweep: as set, or 0.45 of the sample rate.

    Raises:
        AudioError: The sweep would leave the range from `low_hz` to half the sample rate.
    """
    high = 0.45 * sample_rate_hz if high_hz is None else high_hz
    if high > sample_rate_hz / 2:
        raise AudioError(
            f"high_hz = {high:g} is above half the sample rate of {sample_rate_hz} Hz; lower it"
        )
    if high <= low_hz:
        raise AudioError(
            f"the sweep from {low_hz:g} Hz to {high:g} Hz has no width; lower low_hz, raise "
            f"high_hz or use a sample rate above {sample_rate_hz} Hz"
        )
    return high
