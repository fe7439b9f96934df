"""Pressure on the surface of a sphere, relative to the incident wave at the same place.

A point source at distance `d` from the centre of a sphere of radius `a` makes the total pressure
`p(mu) = V(mu) G(D)` on its surface, where `mu` is the cosine between the outward normal and the
direction from the centre to the source, `D` the distance between source and surface point, and
`G(r) = exp(i k r) / (4 pi r)`. With time exp(-i omega t) and a locally reacting surface
(`dp/dn = -i k beta p`),

    V = s exp(i k (d - D)) exp(-i k a)
        sum_n (2 n + 1) P_n(mu) g_n(k d) / -(k a (b_n(k a) + i beta g_n(k a)))

with `s = D / d`, `g_n(x) = i^(n+1) x exp(-i x) h_n(x)` (spherical Hankel function of the first
kind without its far-field factor) and `b_n` the same scaling of its derivative. A plane wave is
the limit of `a / d = 0`.

References:
    Bowman, Senior, Uslenghi: Electromagnetic and Acoustic Scattering by Simple Shapes, 1969,
    sections 10.2 to 10.4. Morse, Ingard: Theoretical Acoustics, 1968, section 8.2.
"""

import numpy as np
from jaxtyping import Complex128, Float64


def admittance(absorption: float) -> float:
    """Return the specific admittance of a surface with real impedance that absorbs `absorption`.

    The energy absorption is that of a plane wave at normal incidence:
    `absorption = 1 - ((1 - beta) / (1 + beta))**2`, the branch with `beta <= 1`.

    Args:
        absorption: Energy absorption, 0 (rigid) up to, but not including, 1.

    Returns:
        `beta`, the admittance times the impedance of air.

    Examples:
        >>> admittance(0.0)
        0.0
    """
    reflection = float(np.sqrt(1.0 - absorption))
    return (1.0 - reflection) / (1.0 + reflection)


def surface_pressure_ratio(
    cosines: Float64[np.ndarray, " cosine"],
    wavenumbers: Float64[np.ndarray, " frequency"],
    radius_m: float,
    radius_over_distance: float,
    beta: float | complex | Complex128[np.ndarray, " frequency"] = 0.0,
) -> Complex128[np.ndarray, "frequency cosine"]:
    """Return V, total over incident pressure on a sphere's surface.

    Args:
        cosines: Cosines between the normal and the direction from the centre to the source.
        wavenumbers: `omega / c` in radians per metre, all above zero.
        radius_m: Radius of the sphere in metres.
        radius_over_distance: Radius over the distance between centre and source, 0 for a plane
            wave, below 1.
        beta: Specific admittance of the surface, one or one for each frequency; 0 is rigid.

    Returns:
        Complex128 array, shape `(frequency, cosine)`; 1 where the sphere is small, 2 where it is
        large and lit.
    """
    q = radius_over_distance
    x = wavenumbers * radius_m
    coefficients = _series_coefficients(x, q, beta)
    degrees = np.arange(coefficients.shape[0])[:, None]
    legendre = np.polynomial.legendre.legvander(cosines, coefficients.shape[0] - 1)
    total = ((2 * degrees + 1) * coefficients).T @ legendre.T
    s = np.sqrt(1.0 + q * q - 2.0 * q * cosines)
    lead = (2.0 * cosines - q) / (1.0 + s) - 1.0  # (d - D) / a - 1
    result: np.ndarray = s * np.exp(1j * x[:, None] * lead) * total
    return result


def _series_coefficients(
    x: Float64[np.ndarray, " frequency"],
    q: float,
    beta: float | complex | Complex128[np.ndarray, " frequency"],
) -> Complex128[np.ndarray, "degree frequency"]:
    """Return the factor of `(2 n + 1) P_n(mu)` for every degree and `x = k a`."""
    needed = x + 4.05 * np.cbrt(x) + 10.0 + (14.0 / np.log(1.0 / q) if q > 0 else 0.0)
    count = int(np.ceil(needed.max())) + 1
    coefficients = np.zeros((count, len(x)), dtype=np.complex128)
    near_before, near = np.ones(len(x), complex), 1.0 + 1j / x
    step = q / x  # 1 / (k d)
    far_before, far = np.ones(len(x), complex), 1.0 + 1j * step
    with np.errstate(all="ignore"):  # degrees beyond `needed` overflow and are masked
        coefficients[0] = -1.0 / (x * (1j * near + 1j * beta * near_before))
        for n in range(1, count):
            derivative = 1j * near_before - (n + 1) / x * near
            value = -far / (x * (derivative + 1j * beta * near))
            coefficients[n] = np.where(n <= needed, value, 0.0)
            near_before, near = near, 1j * (2 * n + 1) / x * near + near_before
            far_before, far = far, 1j * (2 * n + 1) * step * far + far_before
    return coefficients
