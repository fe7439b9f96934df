"""Table of a sphere's surface pressure at one frequency, for many facets and sources."""

import numpy as np
from jaxtyping import Complex128, Float64
from scipy.ndimage import map_coordinates

from acoustic_sense_simulator.scattering.sphere import surface_pressure_ratio

_COSINES = np.cos(np.linspace(np.pi, 0.0, 241))


class SphereTable:
    """V over radius, radius over distance and angle, linear between its entries."""

    def __init__(
        self,
        wavenumber: float,
        radii_m: tuple[float, float],
        ratios: tuple[float, float],
        beta: float | complex = 0.0,
    ) -> None:
        """Fill the table.

        Args:
            wavenumber: `omega / c` in radians per metre.
            radii_m: Smallest and largest radius.
            ratios: Smallest and largest radius over distance of the source.
            beta: Specific admittance.
        """
        self._low, high = np.log(radii_m[0]), np.log(radii_m[1])
        self._span = float(high - self._low)
        count = int(np.ceil(self._span / np.log(1.08))) + 1 if self._span > 1e-3 else 1
        self._log_radii = np.linspace(self._low, high, count)
        span = ratios[1] - ratios[0]
        self._ratios = np.linspace(*ratios, 2 + int(np.ceil(span / 0.05)))
        self._table = np.array(
            [
                [
                    surface_pressure_ratio(
                        _COSINES, np.array([wavenumber]), float(np.exp(a)), float(q), beta
                    )[0]
                    for q in self._ratios
                ]
                for a in self._log_radii
            ]
        )

    def __call__(
        self,
        cosines: Float64[np.ndarray, " facet"],
        radii_m: Float64[np.ndarray, " facet"],
        ratios: Float64[np.ndarray, " facet"],
    ) -> Complex128[np.ndarray, " facet"]:
        """Return V at every facet."""
        count = len(self._log_radii)
        span = max(float(self._ratios[-1] - self._ratios[0]), 1e-12)
        place = np.stack(
            [
                (np.log(radii_m) - self._low) / max(self._span, 1e-12) * (count - 1),
                (ratios - self._ratios[0]) / span * (len(self._ratios) - 1),
                (np.pi - np.arccos(cosines)) / np.pi * (len(_COSINES) - 1),
            ]
        )
        real = map_coordinates(self._table.real, place, order=1, mode="nearest")
        imaginary = map_coordinates(self._table.imag, place, order=1, mode="nearest")
        value: np.ndarray = real + 1j * imaginary
        return value
