"""Impedance of the body's surface over frequency: from absorption in bands to admittance.

The surface reacts locally with a real impedance, see `sphere.admittance`.

References:
    Kuttruff: Room Acoustics, 2016, section 2.1. Rienstra: Impedance models in time domain, 2006
    (what makes an impedance physical).
"""

import numpy as np
from jaxtyping import Complex128, Float64

from acoustic_sense.errors import SimulationError
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.scattering.sphere import admittance

_SIZE = 4096
_TOP_HZ = 24_000.0

Absorption = float | tuple[float, ...]
"""Energy absorption, one number or one for each band of `ABSORPTION_BANDS_HZ`."""


def admittances(
    absorption: Absorption, frequencies_hz: Float64[np.ndarray, " frequency"]
) -> Complex128[np.ndarray, " frequency"]:
    """Return the specific admittance at every frequency, time convention exp(-i omega t).

    Its real part is that of the absorption in each band, joined linearly in log frequency; where
    it changes with frequency an imaginary part belongs to it, since a surface cannot answer before
    the sound arrives (Kramers-Kronig).

    Args:
        absorption: Energy absorption at normal incidence.
        frequencies_hz: Frequencies up to 24 kHz.

    Raises:
        SimulationError: A wrong number of bands, or a value outside 0 to below 1.
    """
    values = np.atleast_1d(np.asarray(absorption, dtype=np.float64))
    if not ((values >= 0) & (values < 1)).all():
        raise SimulationError(f"absorption must be at least 0 and below 1, not {absorption}")
    betas = np.array([admittance(float(value)) for value in values])
    if len(betas) == 1:
        return np.full(len(frequencies_hz), betas[0], dtype=np.complex128)
    if len(betas) != len(ABSORPTION_BANDS_HZ):
        raise SimulationError(
            f"absorption has {len(betas)} bands; give one number or one for each of "
            f"{len(ABSORPTION_BANDS_HZ)} octaves from 125 Hz to 16 kHz"
        )
    bins = np.arange(_SIZE // 2 + 1) * (2 * _TOP_HZ / _SIZE)
    places = np.log2(np.maximum(bins, 1.0))
    real = np.interp(places, np.log2(np.array(ABSORPTION_BANDS_HZ)), betas)
    answer = np.fft.irfft(real, n=_SIZE)
    answer[1 : _SIZE // 2] *= 2
    answer[_SIZE // 2 + 1 :] = 0
    causal = np.conj(np.fft.rfft(answer))
    smooth: np.ndarray = np.interp(frequencies_hz, bins, causal)
    return smooth
