"""`fmcw`: frequency-modulated continuous wave, a linear chirp repeated."""

import numpy as np
from jaxtyping import Float
from pydantic import Field

from acoustic_sense_plugins.test_signals.periodic import (
    PeriodicConfig,
    PeriodicSource,
    upper_edge_hz,
)


class FmcwConfig(PeriodicConfig):
    """Range and length of the chirp."""

    low_hz: float = Field(2000.0, gt=0, description="First frequency in Hz.")
    high_hz: float | None = Field(
        None, gt=0, description="Last frequency in Hz; 0.45 of the sample rate if not set."
    )
    period_s: float = Field(0.05, ge=0.002, le=10, description="Length of a chirp in seconds.")


class Fmcw(PeriodicSource):
    """Linear chirp of constant level whose phase goes on across the repetition."""

    Config = FmcwConfig
    config: FmcwConfig

    def period(self, sample_rate_hz: int) -> Float[np.ndarray, " sample"]:
        """Return one chirp."""
        high_hz = upper_edge_hz(self.config.high_hz, self.config.low_hz, sample_rate_hz)
        return linear_chirp(self.config.low_hz, high_hz, self.config.period_s, sample_rate_hz)


def linear_chirp(
    low_hz: float, high_hz: float, duration_s: float, sample_rate_hz: int
) -> Float[np.ndarray, " sample"]:
    """Return sin(2 pi (f1 t + (f2 - f1) t^2 / 2T)) with f1 moved so that the period closes.

    f1 and f2 are moved together by at most 1 / 2T, so that a period holds a whole number of cycles
    and repeats without a jump of phase.
    """
    count = round(duration_s * sample_rate_hz)
    t = np.arange(count) / sample_rate_hz
    length_s = count / sample_rate_hz
    cycles = 0.5 * (low_hz + high_hz) * length_s
    first_hz = low_hz + (round(cycles) - cycles) / length_s
    return np.asarray(
        np.sin(2 * np.pi * (first_hz * t + 0.5 * (high_hz - low_hz) * t**2 / length_s))
    )
