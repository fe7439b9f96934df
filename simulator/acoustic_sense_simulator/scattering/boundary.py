"""Scattering from the boundary integral equation: `fidelity = "high"` and `"bem"`.

The sum of `pressure` takes the pressure on each facet from a sphere of the local radius. Here it
is solved for on the body's own mesh, so that limbs throw sound and shadow on each other:

- `high`: Krylov steps until the equation holds to 0.2 % of the incident wave, at any frequency;
- `bem`: until 0.1 %, on facets finer by half, up to `CROSS_OVER_HZ`; the sphere-calibrated sum
  above, cross-faded over a third of an octave.

The steps stop there on purpose: a cavity behind a narrow slit (an open mouth in a mesh) rings
without loss in the exact solution of rigid facets, and the first steps damp it as air would.

Facets longer than the wavelength allows are cut, down to `SHORTEST_EDGE_M`. Where many are still
too long, the pressure on all is linear, with three unknowns on each, instead of constant.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex64, Complex128, Float, Float64, Int

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense_simulator.scattering.boundary_mesh import elements_of
from acoustic_sense_simulator.scattering.boundary_solver import BoundaryEquation, monopoles

FIDELITIES = ("fast", "high", "bem")
"""How the surface pressure is found, from the fastest to the most exact below 800 Hz."""

CROSS_OVER_HZ = (713.0, 898.0)
"""Where `bem` begins to fade into the sum, and where only the sum is left: a third of an octave
about 800 Hz."""

SHORTEST_EDGE_M = 0.04
"""Facets are not cut below this edge, so that cost stays bounded."""


@dataclass(frozen=True)
class Accuracy:
    """How closely the equation is solved.

    Attributes:
        edges: Longest edges of a facet in a wavelength.
        tolerance: Residual over incident wave at which to stop.
    """

    edges: float
    tolerance: float


HIGH = Accuracy(edges=4.0, tolerance=2e-3)
BEM = Accuracy(edges=6.0, tolerance=1e-3)


def boundary_pressure(
    vertices_m: Float[np.ndarray, "vertex 3"],
    faces: Int[np.ndarray, "facet 3"],
    sources_m: Float64[np.ndarray, "source 3"],
    receivers_m: Float64[np.ndarray, "receiver 3"],
    frequencies_hz: Float64[np.ndarray, " frequency"],
    beta: float = 0.0,
    accuracy: Accuracy = HIGH,
) -> Complex128[np.ndarray, "source receiver frequency"]:
    """Return the pressure that a body scatters, from the boundary integral equation.

    Args:
        vertices_m: Vertices of a closed mesh in metres.
        faces: Vertex indices, counter-clockwise seen from outside.
        sources_m: Unit monopoles outside the body, metres.
        receivers_m: Where the pressure is wanted, outside the body, metres.
        frequencies_hz: Frequencies in hertz.
        beta: Specific admittance of the surface; 0 is rigid.
        accuracy: How closely to solve.
    """
    shape = len(sources_m), len(receivers_m), len(frequencies_hz)
    scattered = np.zeros(shape, dtype=np.complex128)
    equation, cut_at = None, (np.nan, np.nan)
    for column in np.argsort(frequencies_hz):
        edges = (
            longest_edge(float(frequencies_hz[column]), accuracy.edges),
            longest_constant_edge(float(frequencies_hz[column]), accuracy.edges),
        )
        if equation is None or edges != cut_at:
            equation = BoundaryEquation(elements_of(vertices_m, faces, *edges), beta)
            cut_at = edges
        k = 2 * np.pi * float(frequencies_hz[column]) / SPEED_OF_SOUND_M_S
        pressure = equation.iterated(k, sources_m, accuracy.tolerance)
        scattered[:, :, column] = equation.radiated(k, pressure, receivers_m).T
    return scattered


def surface_ratios(
    vertices_m: Float[np.ndarray, "vertex 3"],
    faces: Int[np.ndarray, "facet 3"],
    sources_m: Float64[np.ndarray, "source 3"],
    frequencies_hz: Float64[np.ndarray, " frequency"],
    beta: float = 0.0,
) -> Complex64[np.ndarray, "source facet frequency"]:
    """Return total over incident pressure on every facet, for unit monopoles.

    The ratio changes slowly over frequency, so that few frequencies can be interpolated. One
    dense factorisation a frequency: meant for meshes of about 600 facets, 0.05 s each.

    Args:
        vertices_m: Vertices of a closed mesh in metres.
        faces: Vertex indices, counter-clockwise seen from outside.
        sources_m: Positions of the sources outside the body, metres.
        frequencies_hz: Frequencies in hertz.
        beta: Specific admittance of the surface; 0 is rigid.

    Returns:
        Complex64 array, shape `(source, facet, frequency)`; 0 on facets without area and on those
        that lie inside another part of the body.
    """
    equation = BoundaryEquation(elements_of(vertices_m, faces), beta)
    elements = equation.elements
    shape = len(sources_m), len(faces), len(frequencies_hz)
    ratios = np.zeros(shape, dtype=np.complex64)
    for column, frequency in enumerate(frequencies_hz):
        k = 2 * np.pi * float(frequency) / SPEED_OF_SOUND_M_S
        pressure = equation.factorised(k, sources_m)
        ratio = pressure / monopoles(k, elements.centres, sources_m)
        ratios[:, elements.parents, column] = ratio.T
    return ratios


def longest_edge(frequency_hz: float, edges: float) -> float:
    """Return the longest edge of a facet at a frequency, metres, from a ladder of half octaves.

    Args:
        frequency_hz: Frequency in hertz.
        edges: Edges in a wavelength.
    """
    wanted = SPEED_OF_SOUND_M_S / frequency_hz / edges
    rungs = np.floor(2 * np.log2(max(wanted, SHORTEST_EDGE_M) / SHORTEST_EDGE_M) + 1e-9)
    return float(SHORTEST_EDGE_M * 2 ** (rungs / 2))


def longest_constant_edge(frequency_hz: float, edges: float) -> float:
    """Return the longest edge of a facet of constant pressure at a frequency, metres.

    Args:
        frequency_hz: Frequency in hertz.
        edges: Edges in a wavelength.
    """
    wanted = SPEED_OF_SOUND_M_S / frequency_hz / edges
    return wanted if wanted < SHORTEST_EDGE_M else np.inf


def boundary_share(
    fidelity: str, frequencies_hz: Float64[np.ndarray, " frequency"]
) -> Float64[np.ndarray, " frequency"]:
    """Return what comes from the equation at each frequency; the rest is the fast sum's."""
    if fidelity != "bem":
        return np.full(len(frequencies_hz), 1.0 if fidelity == "high" else 0.0)
    low, high = CROSS_OVER_HZ
    place = np.clip(np.log(frequencies_hz / low) / np.log(high / low), 0.0, 1.0)
    share: np.ndarray = np.cos(np.pi / 2 * place) ** 2
    share[place == 1.0] = 0.0
    return share
