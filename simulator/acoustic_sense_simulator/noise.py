"""Noise that a microphone hears or makes: diffuse room noise on an NC curve, and self-noise.

Levels are sound pressure levels; signals are in pascals.

References:
    ANSI/ASA S12.2: Criteria for evaluating room noise (NC curves). IEC 61672-1 (A-weighting).
"""

import numpy as np
from jaxtyping import Float32, Float64

from acoustic_sense_simulator.blocks import blocks
from acoustic_sense_simulator.rendering.convolution import filtered

REFERENCE_PA = 20e-6
"""Sound pressure at 0 dB SPL."""

NC_BANDS_HZ = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""Octave bands of the noise-criterion curves."""

NC_CURVES_DB = {
    15: (47, 36, 29, 22, 17, 14, 12, 11),
    20: (51, 40, 33, 26, 22, 19, 17, 16),
    25: (54, 44, 37, 31, 27, 24, 22, 21),
    30: (57, 48, 41, 35, 31, 29, 28, 27),
    35: (60, 52, 45, 40, 36, 34, 33, 32),
    40: (64, 56, 50, 45, 41, 39, 38, 37),
    45: (67, 60, 54, 49, 46, 44, 43, 42),
    50: (71, 64, 58, 54, 51, 49, 48, 47),
    55: (74, 67, 62, 58, 56, 54, 53, 52),
    60: (77, 71, 67, 63, 61, 59, 58, 57),
    65: (80, 75, 71, 68, 66, 64, 63, 62),
    70: (83, 79, 75, 72, 71, 70, 69, 68),
}
"""Octave-band levels in dB SPL of each curve."""

_TAPS = 4096


def noise_criterion_levels(criterion: float) -> Float64[np.ndarray, " band"]:
    """Return the octave-band levels of an NC curve, dB SPL, between and below those tabulated.

    Examples:
        >>> noise_criterion_levels(25.0)[:3].tolist()
        [54.0, 44.0, 37.0]
    """
    curves = np.array(list(NC_CURVES_DB))
    levels = np.array(list(NC_CURVES_DB.values()), dtype=float)
    low = int(np.clip(np.searchsorted(curves, criterion) - 1, 0, len(curves) - 2))
    share = (criterion - curves[low]) / (curves[low + 1] - curves[low])
    value: np.ndarray = levels[low] + share * (levels[low + 1] - levels[low])
    return value


def diffuse_noise(
    criterion: float, sample_count: int, sample_rate_hz: int, generator: np.random.Generator
) -> Float32[np.ndarray, "4 sample"]:
    """Return the room noise of an isotropic diffuse field.

    W, X, Y, Z are independent and X, Y, Z each have a third of W's power (SN3D).

    Args:
        criterion: NC curve that W's octave-band levels follow.
        sample_count: Number of samples.
        sample_rate_hz: Samples per second.
        generator: Source of the noise.

    Returns:
        Float32 array, shape `(4, sample)`, pascals.
    """
    noise = np.zeros((4, sample_count), dtype=np.float32)
    add_diffuse_noise(noise, criterion, sample_rate_hz, generator)
    return noise


def add_diffuse_noise(
    sound: Float32[np.ndarray, "4 sample"],
    criterion: float,
    sample_rate_hz: int,
    generator: np.random.Generator,
) -> None:
    """Add `diffuse_noise` to a sound in pascals, in place, channel by channel."""
    taps = _shaping_filter(criterion, sample_rate_hz)
    for channel, gain in zip(sound, (1.0, *(np.sqrt(1 / 3),) * 3), strict=True):
        white = generator.standard_normal((1, len(channel) + _TAPS - 1), dtype=np.float32)
        shaped = [taps[None] * np.float32(gain)]
        filtered(white, shaped, skip=_TAPS - 1, onto=channel[None])


def self_noise(
    level_dba: float, sample_count: int, sample_rate_hz: int, generator: np.random.Generator
) -> Float32[np.ndarray, "4 sample"]:
    """Return white noise of an A-weighted level, independent and equal in all four channels.

    Args:
        level_dba: A-weighted equivalent sound pressure level of each channel.
        sample_count: Number of samples.
        sample_rate_hz: Samples per second.
        generator: Source of the noise.

    Returns:
        Float32 array, shape `(4, sample)`, pascals.
    """
    noise = np.zeros((4, sample_count), dtype=np.float32)
    add_self_noise(noise, level_dba, sample_rate_hz, generator)
    return noise


def add_self_noise(
    sound: Float32[np.ndarray, "4 sample"],
    level_dba: float,
    sample_rate_hz: int,
    generator: np.random.Generator,
) -> None:
    """Add `self_noise` to a sound in pascals, in place, channel by channel."""
    frequency = np.linspace(1.0, sample_rate_hz / 2, 4096)
    passed = float(np.mean(a_weighting(frequency) ** 2))
    rms = np.float32(REFERENCE_PA * 10 ** (level_dba / 20) / np.sqrt(passed))
    for channel in sound:
        for block in blocks(len(channel)):
            part = channel[block]
            white = generator.standard_normal(len(part), dtype=np.float32)
            white *= rms
            part += white


def a_weighting(frequency_hz: Float64[np.ndarray, " bin"]) -> Float64[np.ndarray, " bin"]:
    """Return the gain of the A-weighting, 1 at 1 kHz (IEC 61672-1, annex E)."""
    f2 = frequency_hz**2
    gain = 12194.0**2 * f2**2
    gain = gain / ((f2 + 20.6**2) * np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2)) * (f2 + 12194.0**2))
    result: np.ndarray = gain * 10 ** (2.0 / 20)
    return result


def _shaping_filter(criterion: float, sample_rate_hz: int) -> Float32[np.ndarray, " tap"]:
    """Return a linear-phase filter that turns unit white noise into the curve's spectrum."""
    bands = np.array(NC_BANDS_HZ)
    density = noise_criterion_levels(criterion) - 10 * np.log10(bands / np.sqrt(2))
    below = density[0] + (density[0] - density[1]) / 2  # half an octave on; held to 30 Hz
    bands = np.concatenate([[bands[0] / np.sqrt(2)], bands, [16_000.0]])
    density = np.concatenate([[below], density, [2 * density[-1] - density[-2]]])
    frequency = np.fft.rfftfreq(_TAPS, 1 / sample_rate_hz)
    level = np.interp(np.log2(np.maximum(frequency, 1.0)), np.log2(bands), density)
    level += 20 * np.log10(np.clip(frequency / 30, 1e-3, 1.0))  # microphones hear less below
    spectrum = REFERENCE_PA * 10 ** (level / 20) * np.sqrt(sample_rate_hz / 2)
    spectrum[0] = 0.0
    taps = np.roll(np.fft.irfft(spectrum, n=_TAPS), _TAPS // 2) * np.hanning(_TAPS)
    shaped: np.ndarray = taps.astype(np.float32)
    return shaped
