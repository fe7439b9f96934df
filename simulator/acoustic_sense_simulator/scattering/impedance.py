"""Impedance of the body's surface over frequency: from absorption in bands to admittance.

The surface reacts locally with a real impedance, see `sphere.admittance`.

References:
    Kuttruff: Room Acoustics, 2016, section 2.1.
"""

import numpy as np
from jaxtyping import Float64

from acoustic_sense.errors import SimulationError
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.scattering.sphere import admittance

Absorption = float | tuple[float, ...]
"""Energy absorption, one number or one for each band of `ABSORPTION_BANDS_HZ`."""


def admittances(
    absorption: Absorption, frequencies_hz: Float64[np.ndarray, " frequency"]
) -> Float64[np.ndarray, " frequency"]:
    """Return the specific admittance at every frequency, bands joined linearly in log frequency.

    Raises:
        SimulationError: A wrong number of bands, or a value outside 0 to below 1.
    """
    values = np.atleast_1d(np.asarray(absorption, dtype=np.float64))
    if not ((values >= 0) & (values < 1)).all():
        raise SimulationError(f"absorption must be at least 0 and below 1, not {absorption}")
    betas = np.array([admittance(float(value)) for value in values])
    if len(betas) == 1:
        return np.full(len(frequencies_hz), betas[0])
    if len(betas) != len(ABSORPTION_BANDS_HZ):
        raise SimulationError(
            f"absorption has {len(betas)} bands; give one number or one for each of "
            f"{len(ABSORPTION_BANDS_HZ)} octaves from 125 Hz to 16 kHz"
        )
    places = np.log2(np.maximum(frequencies_hz, 1.0))
    smooth: np.ndarray = np.interp(places, np.log2(np.array(ABSORPTION_BANDS_HZ)), betas)
    return smooth
