"""`tsp`: time-stretched pulse, linear or pink, and its inverse filter."""

from typing import Literal

import numpy as np
from jaxtyping import Complex, Float
from pydantic import Field, field_validator

from acoustic_sense_plugins.test_signals.periodic import PeriodicConfig, PeriodicSource

PULSE_SAMPLES = 4096
"""Length of the pulse in the published chirp-based methods: 85.3 ms at 48 kHz."""


class TspConfig(PeriodicConfig):
    """Kind and length of the pulse."""

    kind: Literal["linear", "pink"] = Field(
        "linear", description="`linear`: flat spectrum; `pink`: power falling by 3 dB an octave."
    )
    samples: int = Field(
        PULSE_SAMPLES, ge=16, le=1 << 20, description="Length of a period in samples; even."
    )
    sweep_fraction: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Part of the period that the sweep takes; 1 fills it and is the loudest.",
    )

    @field_validator("samples")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("the length of a time-stretched pulse must be even")
        return value


class Tsp(PeriodicSource):
    """Time-stretched pulse: an upward sweep whose spectrum is known exactly, repeated.

    The playback of Shibata et al. (CVPR 2023) and Oumi et al. (BMVC 2024): 4,096 samples at
    48 kHz, repeated without a gap.
    """

    Config = TspConfig
    config: TspConfig

    def period(self, sample_rate_hz: int) -> Float[np.ndarray, " sample"]:
        """Return one pulse; its length in samples does not depend on the sample rate."""
        make = linear_pulse if self.config.kind == "linear" else pink_pulse
        return make(self.config.samples, self.config.sweep_fraction)


def linear_pulse(samples: int, sweep_fraction: float = 1.0) -> Float[np.ndarray, " sample"]:
    """Return a time-stretched pulse with the flat spectrum |H(k)| = 1.

    H(k) = exp(-j 4 pi m k^2 / N^2) for 0 <= k <= N/2, conjugate symmetric above: the group delay
    of bin k is 4 m k / N samples, so the sweep takes 2 m samples.

    Args:
        samples: Length N, even.
        sweep_fraction: 2 m / N, the part of the period that the sweep takes.

    Returns:
        Real array, shape `(sample,)`, energy 1.

    References:
        N. Aoshima (1981), "Computer-generated pulse signal applied for sound measurement", JASA
        69; Y. Suzuki et al. (1995), "An optimum computer-generated pulse signal suitable for the
        measurement of very long impulse responses", JASA 97, eq. 1.
    """
    m = _whole_stretch(samples, sweep_fraction)
    k = np.arange(samples // 2 + 1)
    return _pulse(np.exp(-4j * np.pi * m * (k / samples) ** 2), samples, m)


def pink_pulse(samples: int, sweep_fraction: float = 1.0) -> Float[np.ndarray, " sample"]:
    """Return a time-stretched pulse whose power falls by 3 dB an octave: |H(k)| = k^-1/2.

    H(0) = 1 and H(k) = k^-1/2 exp(-j b k ln k), b = 4 pi m / (N ln(N/2)), so that the phase at
    N/2 is a multiple of 2 pi. The group delay grows with the logarithm of the frequency.

    Args:
        samples: Length N, even.
        sweep_fraction: 2 m / N.

    Returns:
        Real array, shape `(sample,)`.

    References:
        M. Fujimoto (1999), "A study of TSP signal getting higher SN ratio at low frequency bands",
        Proc. Acoustical Society of Japan (pink TSP).
    """
    m = _whole_stretch(samples, sweep_fraction)
    k = np.arange(1, samples // 2 + 1)
    b = 4 * np.pi * m / (samples * np.log(samples / 2))
    spectrum = np.exp(-1j * b * k * np.log(k)) / np.sqrt(k)
    return _pulse(np.concatenate([[1.0], spectrum]), samples, m)


def inverse_filter(pulse: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """Return the filter whose circular convolution with the pulse is the unit pulse at 0.

    Its spectrum is 1 / H(k).

    Examples:
        >>> pulse = linear_pulse(64)
        >>> unit = np.fft.irfft(np.fft.rfft(pulse) * np.fft.rfft(inverse_filter(pulse)))
        >>> bool(np.allclose(unit, np.eye(64)[0]))
        True
    """
    return np.fft.irfft(1 / np.fft.rfft(pulse), pulse.size)


def deconvolved(
    period: Float[np.ndarray, "*channel sample"], pulse: Float[np.ndarray, " sample"]
) -> Float[np.ndarray, "*channel sample"]:
    """Return the impulse response from one period of a steady recording.

    Args:
        period: What was recorded while the repeated pulse played and had settled, one period.
        pulse: The pulse that was played.

    Returns:
        Impulse response, as long as the pulse; what is longer wraps round.
    """
    spectrum = np.fft.rfft(period, axis=-1) * np.fft.rfft(inverse_filter(pulse))
    return np.fft.irfft(spectrum, pulse.size, axis=-1)


def _whole_stretch(samples: int, sweep_fraction: float) -> int:
    """Return m, rounded so that the spectrum is real at half the sample rate."""
    return max(1, round(samples * sweep_fraction / 2))


def _pulse(
    spectrum: Complex[np.ndarray, " bin"], samples: int, m: int
) -> Float[np.ndarray, " sample"]:
    """Return the pulse, turned so that the sweep lies in the middle of the period."""
    return np.roll(np.fft.irfft(spectrum, samples), samples // 2 - m)
