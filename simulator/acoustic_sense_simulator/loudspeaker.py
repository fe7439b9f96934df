"""Directivity of a loudspeaker: a vibrating cap on a rigid sphere.

The cone is a spherical cap of half angle `alpha = arcsin(cone / cabinet)` that moves radially with
one velocity; the rest of the sphere of the cabinet's radius `a` is rigid. Far away, towards the
angle `theta` off the axis, the pressure is

    p(theta) ~ sum_n c_n P_n(cos theta),  c_n = (-i)^n (P_(n-1) - P_(n+1))(cos alpha) / h_n'(k a)

with time exp(-i omega t), spherical Hankel functions of the first kind and `P_(-1) = 1`. Only the
magnitude relative to the axis is used: the response on the axis is `Loudspeaker.response_db`.

A cap one wavelength deep would cancel itself on the axis, which no loudspeaker for music does:
cones decouple from their rim, and tweeters take over. So the moving cap is never deeper than half
a wavelength; above that frequency (7.1 kHz for a cone of 65 mm on a cabinet of 100 mm) it shrinks.

References:
    Morse, Ingard: Theoretical Acoustics, 1968, section 7.2 (piston set in a sphere). Williams:
    Fourier Acoustics, 1999, section 6.7. Aarts, Janssen: Comparing sound radiation from a
    loudspeaker with that from a flexible spherical cap on a rigid sphere, J. Audio Eng. Soc. 59,
    2011.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Complex128, Float, Float64
from scipy.special import eval_legendre, spherical_jn, spherical_yn

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker
from acoustic_sense_simulator.room.axes import front

_SMALLEST_KA = 1e-3
"""Below it the sphere radiates alike in all directions to 1e-3, and the series overflows."""


def directivity_gain(
    loudspeaker: Loudspeaker,
    directions: Float[np.ndarray, "direction 3"],
    frequencies_hz: Float[np.ndarray, " frequency"],
) -> Float64[np.ndarray, "direction frequency"]:
    """Return the far-field pressure over direction relative to that on the loudspeaker's axis.

    Args:
        loudspeaker: Its axis and the radii of cabinet and cone.
        directions: Unit vectors in the world, from the loudspeaker outwards.
        frequencies_hz: Frequencies, 0 or above.

    Returns:
        Magnitudes, shape `(direction, frequency)`: 1 on the axis, and everywhere if
        `cabinet_radius_m` is 0.

    Raises:
        SimulationError: The cone is wider than the cabinet, or has no width.

    Examples:
        >>> box = Loudspeaker((1.0, 1.0, 1.0), cabinet_radius_m=0.1, cone_radius_m=0.065)
        >>> behind = np.array([[-1.0, 0.0, 0.0]])
        >>> directivity_gain(box, behind, np.array([0.0, 100.0, 1000.0])).round(2).tolist()
        [[1.0, 1.0, 0.57]]
    """
    if loudspeaker.cabinet_radius_m == 0:
        return np.ones((len(directions), len(frequencies_hz)))
    coefficients = _coefficients(loudspeaker, frequencies_hz)
    cosines = np.clip(np.asarray(directions, float) @ axis_of(loudspeaker), -1.0, 1.0)
    legendre = np.polynomial.legendre.legvander(cosines, len(coefficients) - 1)
    gain: np.ndarray = np.abs(legendre @ coefficients) / np.abs(coefficients.sum(axis=0))
    return gain


def diffuse_gain(
    loudspeaker: Loudspeaker, frequencies_hz: Float[np.ndarray, " frequency"]
) -> Float64[np.ndarray, " frequency"]:
    """Return the rms of `directivity_gain` over all directions.

    It is `1 / sqrt(Q)` of the directivity factor Q: what the loudspeaker sends into a reverberant
    field, relative to an omnidirectional one that is as loud on the axis.

    Args:
        loudspeaker: Its axis and the radii of cabinet and cone.
        frequencies_hz: Frequencies, 0 or above.

    Returns:
        Gains, shape `(frequency,)`, at most 1.

    Raises:
        SimulationError: The cone is wider than the cabinet, or has no width.
    """
    if loudspeaker.cabinet_radius_m == 0:
        return np.ones(len(frequencies_hz))
    coefficients = _coefficients(loudspeaker, frequencies_hz)
    norms = 1.0 / (2 * np.arange(len(coefficients)) + 1)  # mean of P_n squared over the sphere
    power = norms @ np.abs(coefficients) ** 2
    gain: np.ndarray = np.sqrt(power) / np.abs(coefficients.sum(axis=0))
    return gain


def axis_of(loudspeaker: Loudspeaker) -> Float64[np.ndarray, " 3"]:
    """Return the unit vector, in the world, that the loudspeaker points along."""
    return front(loudspeaker.yaw_deg, loudspeaker.elevation_deg)


def check_cone(loudspeaker: Loudspeaker) -> None:
    """Raise SimulationError unless the cone fits on the cabinet."""
    cone, cabinet = loudspeaker.cone_radius_m, loudspeaker.cabinet_radius_m
    if cabinet > 0 and not 0 < cone <= cabinet:
        raise SimulationError(
            f"a loudspeaker's cone_radius_m must lie above 0 and at most at its cabinet_radius_m "
            f"of {cabinet:g} m, not at {cone:g} m; set cabinet_radius_m = 0 for a point source"
        )


def _coefficients(
    loudspeaker: Loudspeaker, frequencies_hz: Float[np.ndarray, " frequency"]
) -> Complex128[np.ndarray, "degree frequency"]:
    """Return the series' factor of `P_n` for every degree and frequency, up to a common factor."""
    check_cone(loudspeaker)
    frequencies = np.asarray(frequencies_hz, dtype=np.float64)
    return _series(
        loudspeaker.cabinet_radius_m, loudspeaker.cone_radius_m, tuple(frequencies.tolist())
    )


@lru_cache(maxsize=32)
def _series(
    radius_m: float, cone_radius_m: float, frequencies_hz: tuple[float, ...]
) -> Complex128[np.ndarray, "degree frequency"]:
    """Return the series of a cabinet and cone; kept, since one room asks again and again."""
    wavenumbers = 2 * np.pi * np.array(frequencies_hz) / SPEED_OF_SOUND_M_S
    x = np.maximum(wavenumbers * radius_m, _SMALLEST_KA)
    needed = x + 4.05 * np.cbrt(x) + 10.0
    degrees = np.arange(int(np.ceil(needed.max(initial=0.0))) + 1)[:, None]
    edge = np.sqrt(1.0 - (cone_radius_m / radius_m) ** 2)  # cos(alpha)
    edge = np.maximum(edge, 1.0 - np.pi / x)  # depth a (1 - cos(alpha)) at most half a wavelength
    before = np.where(degrees == 0, 1.0, eval_legendre(np.maximum(degrees - 1, 0), edge))
    velocity = before - eval_legendre(degrees + 1, edge)
    with np.errstate(all="ignore"):  # degrees beyond `needed` overflow and are masked
        slope = spherical_jn(degrees, x, derivative=True) + 1j * spherical_yn(
            degrees, x, derivative=True
        )
        values = (-1j) ** degrees * velocity / slope
    coefficients: np.ndarray = np.where(degrees <= needed, values, 0.0)
    return coefficients
