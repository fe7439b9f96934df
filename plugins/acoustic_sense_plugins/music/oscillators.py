"""Building blocks of instruments: decaying partials, wavetables, filtered noise, envelopes."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy import signal

BLOCK = 512
"""Samples in the inner part of `decaying_partials`."""

AUDIBLE_TIME_CONSTANTS = 10.0
"""A partial ends after this many time constants, 87 dB down."""

TABLE_SIZE = 1 << 13
"""Samples in one period of a wavetable."""


def decaying_partials(
    frequencies_hz: Float[np.ndarray, " partial"],
    amplitudes: Float[np.ndarray, " partial"],
    decays_s: Float[np.ndarray, " partial"],
    phases: Float[np.ndarray, " partial"],
    count: int,
    rate_hz: int,
) -> Float[np.ndarray, " sample"]:
    """Return the sum of a exp(-t / decay) cos(2 pi f t + phase) over the partials.

    With t = (B i + j) / rate, each partial is an outer product of two short vectors,
    exp(z B i) exp(z j), so no exponential or cosine is evaluated per sample. Partials above 0.46
    of the sample rate are left out.
    """
    rows = -(-count // BLOCK)
    total = np.zeros((rows, BLOCK))
    for f, amplitude, decay, phase in zip(
        frequencies_hz, amplitudes, decays_s, phases, strict=True
    ):
        if f > 0.46 * rate_hz:
            continue
        z = (-1.0 / decay + 2j * np.pi * f) / rate_hz
        used = min(rows, 1 + int(AUDIBLE_TIME_CONSTANTS * decay * rate_hz / BLOCK))
        outer = amplitude * np.exp(1j * phase + z * BLOCK * np.arange(used))[:, None]
        inner = np.exp(z * np.arange(BLOCK))
        total[:used] += outer.real * inner.real - outer.imag * inner.imag
    return total.ravel()[:count]


@lru_cache(maxsize=256)
def wavetable(amplitudes: tuple[float, ...]) -> Float[np.ndarray, " sample"]:
    """Return one period of sum_k a_k sin(k x) with the phases spread to keep the peak low."""
    spectrum = np.zeros(TABLE_SIZE // 2 + 1, dtype=complex)
    k = np.arange(1, len(amplitudes) + 1)
    spectrum[k] = np.asarray(amplitudes) * np.exp(-1j * np.pi * k**2 / len(k))
    return np.fft.irfft(spectrum, TABLE_SIZE) * TABLE_SIZE / 2


def wave(
    table: Float[np.ndarray, " period"], cycles: Float[np.ndarray, " sample"]
) -> Float[np.ndarray, " sample"]:
    """Read a wavetable at phases given in cycles, 0 to 260,000."""
    return np.asarray(table[(cycles * table.size).astype(np.int32) & (table.size - 1)])


def harmonic_count(frequency_hz: float, rate_hz: int, highest: int) -> int:
    """Return how many harmonics stay under 0.46 of the sample rate, at least 1, at most `highest`.

    Examples:
        >>> harmonic_count(1000.0, 48_000, 64)
        22
    """
    return max(1, min(highest, int(0.46 * rate_hz / frequency_hz)))


def band_noise(
    low_hz: float, high_hz: float, count: int, rate_hz: int, generator: np.random.Generator
) -> Float[np.ndarray, "2 sample"]:
    """Return Gaussian noise between two frequencies, independent left and right, rms about 1."""
    noise = generator.standard_normal((2, count))
    top = 0.47 * rate_hz
    low, high = min(low_hz, 0.5 * top), min(high_hz, top)
    sections = signal.butter(2, [low, high], "bandpass", fs=rate_hz, output="sos")
    return np.asarray(signal.sosfilt(sections, noise) * np.sqrt(0.5 * rate_hz / (high - low)))


def rise(count: int, attack_s: float, rate_hz: int) -> Float[np.ndarray, " sample"]:
    """Return an envelope that goes smoothly from 0 to 1 in `attack_s` and stays there."""
    t = np.minimum(np.arange(count) / max(attack_s * rate_hz, 1.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def decay(count: int, decay_s: float, rate_hz: int) -> Float[np.ndarray, " sample"]:
    """Return exp(-t / decay_s)."""
    return np.exp(np.arange(count) / (-decay_s * rate_hz))
