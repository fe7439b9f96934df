"""`log-sweep`: exponential sine sweep and its inverse filter."""

import numpy as np
from jaxtyping import Float
from pydantic import Field
from scipy import signal

from acoustic_sense_plugins.test_signals.periodic import (
    PeriodicConfig,
    PeriodicSource,
    upper_edge_hz,
)

FADE_S = 0.005
"""Fade at both ends of the sweep, so that repeating it does not click."""


class LogSweepConfig(PeriodicConfig):
    """Range and length of the sweep."""

    low_hz: float = Field(50.0, gt=0, description="First frequency in Hz.")
    high_hz: float | None = Field(
        None, gt=0, description="Last frequency in Hz; 0.45 of the sample rate if not set."
    )
    sweep_s: float = Field(1.0, ge=0.02, le=60, description="Length of a sweep in seconds.")
    pause_s: float = Field(0.0, ge=0, le=60, description="Silence after each sweep in seconds.")


class LogSweep(PeriodicSource):
    """Exponential sine sweep: every octave takes the same time; repeated."""

    Config = LogSweepConfig
    config: LogSweepConfig

    def period(self, sample_rate_hz: int) -> Float[np.ndarray, " sample"]:
        """Return one sweep and its pause."""
        high_hz = upper_edge_hz(self.config.high_hz, self.config.low_hz, sample_rate_hz)
        sweep = exponential_sweep(self.config.low_hz, high_hz, self.config.sweep_s, sample_rate_hz)
        return np.pad(sweep, (0, round(self.config.pause_s * sample_rate_hz)))


def exponential_sweep(
    low_hz: float, high_hz: float, duration_s: float, sample_rate_hz: int
) -> Float[np.ndarray, " sample"]:
    """Return x(t) = sin(2 pi f1 T / L (exp(t L / T) - 1)), L = ln(f2 / f1), faded at both ends.

    Args:
        low_hz: First frequency f1.
        high_hz: Last frequency f2.
        duration_s: Length T.
        sample_rate_hz: Samples per second.

    Returns:
        Array, shape `(sample,)`, peak 1.

    References:
        A. Farina (2000), "Simultaneous measurement of impulse response and distortion with a
        swept-sine technique", AES 108th Convention, preprint 5093.
    """
    count = round(duration_s * sample_rate_hz)
    t = np.arange(count) / sample_rate_hz
    growth = np.log(high_hz / low_hz)
    phase = 2 * np.pi * low_hz * duration_s / growth * np.expm1(t * growth / duration_s)
    fade = min(2 * FADE_S / duration_s, 1.0)
    return np.asarray(np.sin(phase) * signal.windows.tukey(count, fade))


def inverse_sweep(
    low_hz: float, high_hz: float, duration_s: float, sample_rate_hz: int
) -> Float[np.ndarray, " sample"]:
    """Return the inverse filter of `exponential_sweep` with the same arguments.

    The sweep reversed in time, its level falling by 6 dB an octave from the end on, scaled so that
    the linear convolution of the two has the value 1 at sample `count - 1`. There it is the pulse
    of an ideal band-pass from `low_hz` to `high_hz`; harmonic distortion comes before it.

    References:
        A. Farina (2000), as above.
    """
    sweep = exponential_sweep(low_hz, high_hz, duration_s, sample_rate_hz)
    t = np.arange(sweep.size) / sample_rate_hz
    falling = np.exp(-t * np.log(high_hz / low_hz) / duration_s)
    inverse = sweep[::-1] * falling
    return np.asarray(inverse / np.sum(sweep[::-1] * inverse))
