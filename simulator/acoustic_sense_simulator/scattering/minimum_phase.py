"""Minimum phase: the causal gain that belongs to a magnitude.

References:
    Oppenheim, Schafer: Discrete-time signal processing, 2010, section 13.5.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Complex128, Float64

_SIZE = 4096
_TOP_HZ = 24_000.0
_KNOTS_HZ = np.geomspace(20.0, _TOP_HZ, 96)

Magnitude = Callable[[Float64[np.ndarray, " bin"]], Float64[np.ndarray, " bin"]]


def minimum_phase(
    magnitude: Magnitude, frequencies_hz: Float64[np.ndarray, " frequency"]
) -> Complex128[np.ndarray, " frequency"]:
    """Return the minimum-phase gain with a given magnitude.

    Args:
        magnitude: Function of frequencies in hertz, above 0 and smooth over a tenth of an octave.
        frequencies_hz: Where the gain is wanted, up to 24 kHz.

    Returns:
        Complex gain in numpy's convention, exp(+i omega t).
    """
    bins = np.arange(_SIZE // 2 + 1) * (2 * _TOP_HZ / _SIZE)
    knots = np.log(np.maximum(magnitude(_KNOTS_HZ), 1e-6))
    log_gain = np.interp(np.log(np.maximum(bins, 1.0)), np.log(_KNOTS_HZ), knots)
    phase = causal_log_gain(log_gain).imag
    wanted = np.interp(frequencies_hz, bins, log_gain)
    gain: np.ndarray = np.exp(wanted + 1j * np.interp(frequencies_hz, bins, phase))
    return gain


def causal_log_gain(
    log_gain: Float64[np.ndarray, " bin"],
) -> Complex128[np.ndarray, " bin"]:
    """Return the logarithm of the minimum-phase gain, through the real cepstrum.

    Args:
        log_gain: Natural logarithm of the magnitude at evenly spaced frequencies from 0 to half the
            sample rate, an odd number of them.
    """
    size = 2 * (len(log_gain) - 1)
    cepstrum = np.fft.irfft(log_gain, n=size)
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    causal: np.ndarray = np.fft.rfft(cepstrum)
    return causal
