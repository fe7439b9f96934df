"""Scattered pressure in the frequency domain: the sum over facets.

    p_s(m) = sum_y A_y p(y) (dG/dn(y, m) + i k beta G(y, m)),  p(y) = G(s, y) V(mu_y, k a_y)

`V` is the surface pressure of a sphere of the local radius of curvature (see `sphere`), and every
facet's sum over its own extent is kept to first order by a sinc of its spread in delay. The sum
holds reflection, diffraction and shadow: total = incident + scattered. `scattered_pressure` takes
the mean of the sum in both directions, which makes it reciprocal; the renderer goes one way only.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Complex128, Float, Float64, Int

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.scattering.boundary import (
    BEM,
    FIDELITIES,
    HIGH,
    boundary_pressure,
    boundary_share,
)
from acoustic_sense_simulator.scattering.curvature import local_radius
from acoustic_sense_simulator.scattering.sphere import admittance
from acoustic_sense_simulator.scattering.sphere_table import SphereTable
from acoustic_sense_simulator.scattering.surface import Surface, checked_mesh, surface_of

LARGEST_DISTANCE_RATIO = 0.66
"""Largest radius over distance of the source from a local sphere's centre; more is clipped."""

_CHUNK = 2_000_000

_table = lru_cache(maxsize=32)(SphereTable)  # same body, places and frequency: same table


def scattered_pressure(
    vertices_m: Float[np.ndarray, "vertex 3"],
    faces: Int[np.ndarray, "facet 3"],
    source_m: Float[np.ndarray, " 3"],
    receivers_m: Float[np.ndarray, "receiver 3"],
    frequencies_hz: Float[np.ndarray, " frequency"],
    *,
    absorption: float = 0.0,
    fidelity: str = "fast",
) -> Complex128[np.ndarray, "receiver frequency"]:
    """Return the pressure that a body scatters in a free field.

    The source is a unit monopole, `exp(i k r) / (4 pi r)`; time convention exp(-i omega t). The
    total pressure is that of the source plus what is returned.

    Args:
        vertices_m: Vertices of a closed mesh in metres, shape `(vertex, 3)`.
        faces: Vertex indices, shape `(facet, 3)`; a mesh that is inside out is turned. Facets of
            up to a quarter of the wavelength are fine enough.
        source_m: Position of the source in metres, outside the body.
        receivers_m: Positions where the pressure is wanted, metres, shape `(receiver, 3)`.
        frequencies_hz: Frequencies above zero in hertz, shape `(frequency,)`.
        absorption: Energy absorption of the surface at normal incidence; 0 is rigid.
        fidelity: `fast` takes the surface pressure from spheres of the local radius, as the mean of
            both directions (source and receiver may be swapped); `high` solves
            the boundary integral equation on the mesh, at every frequency; `bem` solves it more
            closely up to about 800 Hz and fades into `fast` above. See `boundary`.

    Returns:
        Complex128 array, shape `(receiver, frequency)`, per unit monopole, in 1/m.

    Raises:
        SimulationError: The mesh is not a closed body, a position or frequency is not valid, or
            the fidelity is unknown.

    References:
        Pierce: Acoustics, 2019, section 4.6 (Kirchhoff-Helmholtz integral).
    """
    vertices, triangles = checked_mesh(vertices_m, faces)
    source = np.asarray(source_m, dtype=np.float64)
    receivers = np.atleast_2d(np.asarray(receivers_m, dtype=np.float64))
    frequencies = np.atleast_1d(np.asarray(frequencies_hz, dtype=np.float64))
    if source.shape != (3,) or receivers.shape[-1] != 3 or receivers.ndim != 2:
        raise SimulationError(
            f"source (3,) and receivers (receiver, 3) are wanted, not {source.shape} and "
            f"{receivers.shape}"
        )
    if not (np.isfinite(frequencies).all() and (frequencies > 0).all()):
        raise SimulationError("frequencies must be finite and above 0 Hz")
    if not 0 <= absorption < 1:
        raise SimulationError(f"absorption must be at least 0 and below 1, not {absorption}")
    if fidelity not in FIDELITIES:
        raise SimulationError(f"fidelity must be one of {', '.join(FIDELITIES)}, not {fidelity!r}")
    beta = admittance(absorption)
    share = boundary_share(fidelity, frequencies)
    scattered = np.zeros((len(receivers), len(frequencies)), dtype=np.complex128)
    solved, summed = share > 0, share < 1
    if summed.any():
        surface = surface_of(vertices, triangles)
        radii = local_radius(vertices, triangles)
        scattered[:, summed] = (1 - share[summed]) * both_ways(
            surface, radii, source, receivers, frequencies[summed], beta
        )
    if solved.any():
        scattered[:, solved] += (
            share[solved]
            * boundary_pressure(
                vertices,
                triangles,
                source[None],
                receivers,
                frequencies[solved],
                beta,
                BEM if fidelity == "bem" else HIGH,
            )[0]
        )
    return scattered


def both_ways(
    surface: Surface,
    radii_m: Float64[np.ndarray, " facet"],
    source_m: Float64[np.ndarray, " 3"],
    receivers_m: Float64[np.ndarray, "receiver 3"],
    frequencies_hz: Float64[np.ndarray, " frequency"],
    beta: float | complex = 0.0,
) -> Complex128[np.ndarray, "receiver frequency"]:
    """Return the mean of the sum from source to receivers and of that from receivers to source.

    True pressure is the same either way. The one-way sum is not, where limbs stand close together,
    since the surface pressure knows only the side that the sound comes from.
    """
    there = surface_sum(surface, radii_m, source_m, receivers_m, frequencies_hz, beta)
    seen = [centre_geometry(surface, radii_m, place) for place in receivers_m]
    ratios = (min(q.min() for _, q in seen), max(q.max() for _, q in seen))
    limits = (float(radii_m.min()), float(radii_m.max()))
    away = surface.points - source_m
    back = np.zeros_like(there)
    for column, frequency in enumerate(frequencies_hz):
        k = 2 * np.pi * frequency / SPEED_OF_SOUND_M_S
        table = _table(k, limits, (float(ratios[0]), float(ratios[1])), beta)
        for row, (place, (cosine, ratio)) in enumerate(zip(receivers_m, seen, strict=True)):
            to_receiver = place - surface.points
            distance = np.linalg.norm(to_receiver, axis=1)
            pressure = table(cosine, radii_m, ratio) * np.exp(1j * k * distance) / distance
            kernel = _facet_kernel(surface, to_receiver / distance[:, None], away[None], k, beta)
            back[row, column] = kernel[0] @ (surface.areas * pressure / (4 * np.pi))
    mean: np.ndarray = (there + back) / 2
    return mean


def surface_sum(
    surface: Surface,
    radii_m: Float64[np.ndarray, " facet"],
    source_m: Float64[np.ndarray, " 3"],
    receivers_m: Float64[np.ndarray, "receiver 3"],
    frequencies_hz: Float64[np.ndarray, " frequency"],
    beta: float | complex = 0.0,
) -> Complex128[np.ndarray, "receiver frequency"]:
    """Return the scattered pressure of given facets with given radii, from source to receivers."""
    to_source = source_m - surface.points
    distance = np.linalg.norm(to_source, axis=1)
    cosine, ratio = centre_geometry(surface, radii_m, source_m)
    limits = (float(radii_m.min()), float(radii_m.max()))
    ratios = (float(ratio.min()), float(ratio.max()))
    scattered = np.zeros((len(receivers_m), len(frequencies_hz)), dtype=np.complex128)
    step = max(1, _CHUNK // len(distance))
    for column, frequency in enumerate(frequencies_hz):
        k = 2 * np.pi * frequency / SPEED_OF_SOUND_M_S
        incident = np.exp(1j * k * distance) / (4 * np.pi * distance)
        pressure = _table(k, limits, ratios, beta)(cosine, radii_m, ratio)
        weight = surface.areas * incident * pressure
        for start in range(0, len(receivers_m), step):
            away = surface.points[None] - receivers_m[start : start + step, None]
            kernel = _facet_kernel(surface, to_source / distance[:, None], away, k, beta)
            scattered[start : start + step, column] = kernel @ weight
    return scattered


def centre_geometry(
    surface: Surface, radii_m: Float64[np.ndarray, " facet"], source_m: Float64[np.ndarray, " 3"]
) -> tuple[Float64[np.ndarray, " facet"], Float64[np.ndarray, " facet"]]:
    """Return cosine to the source and radius over distance, seen from the local sphere's centre."""
    from_centre = source_m - (surface.points - radii_m[:, None] * surface.normals)
    distance = np.linalg.norm(from_centre, axis=1)
    cosine = (from_centre * surface.normals).sum(axis=1) / distance
    return np.clip(cosine, -1.0, 1.0), np.minimum(radii_m / distance, LARGEST_DISTANCE_RATIO)


def _facet_kernel(
    surface: Surface,
    to_source: Float64[np.ndarray, "facet 3"],
    away: Float64[np.ndarray, "receiver facet 3"],
    k: float,
    beta: float | complex,
) -> Complex128[np.ndarray, "receiver facet"]:
    """Return `dG/dn + i k beta G` of every facet, with its extent, `away` from every receiver."""
    r = np.linalg.norm(away, axis=2)
    away = away / r[:, :, None]
    cosine = np.einsum("rfi,fi->rf", away, surface.normals)
    x, y, z = np.moveaxis(away - to_source[None], 2, 0)
    m = surface.spreads
    width = m[:, 0] * x * x + m[:, 1] * y * y + m[:, 2] * z * z
    width += m[:, 3] * x * y + m[:, 4] * x * z + m[:, 5] * y * z
    extent = np.sinc(k * np.sqrt(np.maximum(width, 0.0)) / (2 * np.pi))
    green = np.exp(1j * k * r) / (4 * np.pi * r)
    kernel: np.ndarray = green * extent * ((1j * k - 1 / r) * cosine + 1j * k * beta)
    return kernel
