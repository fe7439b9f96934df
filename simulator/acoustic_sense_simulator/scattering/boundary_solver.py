"""The boundary integral equation of one body at one wavenumber, and its solution.

With constant pressure on flat facets and collocation at their centres, or linear pressure and
collocation at three nodes (the points of Gauss's rule, so that a far facet is their plain sum),

    c p(x) - sum_y p(y) integral_y (dG/dn + i k beta G) = p_inc(x),

where `c` (1/2 but for rounding) comes from the static sum over all facets, so that a constant
pressure is exact. At the resonances of the closed body's inside this equation loses its hold.
There the total field has to vanish; what points inside see of the surface is demanded as well:
with `C p + p_in = 0` for those points and `P = C* (C C* + e)^-1` the way back to the surface,
`P (C p + p_in) = 0` is added, which lifts the eigenvalues near zero and leaves the solution.

References:
    Schenck: Improved integral formulation for acoustic radiation problems, JASA 44, 1968 (points
    inside). Atkinson: The numerical solution of integral equations of the second kind, 1997
    (collocation at the nodes of a rule). Saad, Schultz: GMRES, SIAM J. Sci. Stat. Comput. 7, 1986.
"""

from collections.abc import Callable

import numpy as np
import scipy.linalg
from jaxtyping import Complex128, Float64

from acoustic_sense_simulator.scattering.boundary_influence import (
    Influence,
    inside_points,
    joined,
    split_columns,
)
from acoustic_sense_simulator.scattering.boundary_mesh import Elements

INSIDE_POINTS = 250
"""Most points inside the body at which the total field is demanded to vanish; small meshes have
one for every five facets."""

STORED_ENTRIES = 40_000_000
"""Largest matrix that is held, in entries of 8 bytes; the rows of larger ones are computed anew
for every product, which takes about as long as reading them."""

NARROWEST_GAP_M = 0.005
"""Facets with another part of the body nearer than this in front of them are dropped: the pressure
on both sides of so narrow a gap is the same and its effects cancel, but air that is shut in between
parts that touch makes the equation lose its hold."""

MOST_STEPS = 60

_WEAKEST = 1.0  # of the mean, added to the eigenvalues of C C*: less makes noise of rounding
_OWN = 0.1  # how far c may be from 1/2 before the mesh is taken not to be closed there


class BoundaryEquation:
    """The equation of one body for any wavenumber.

    Attributes:
        elements: The facets that sound meets: not those inside another part or in a narrow gap.
    """

    def __init__(self, elements: Elements, beta: float = 0.0) -> None:
        """Prepare what does not depend on the wavenumber.

        Args:
            elements: Facets of a closed surface.
            beta: Specific admittance of the surface; 0 is rigid.
        """
        surface = Influence(elements, elements.centres)
        before = Influence(elements, elements.centres + NARROWEST_GAP_M * elements.normals)
        outside = (np.abs(surface.static_sums + 0.5) < 0.5) & (np.abs(before.static_sums) < 0.5)
        if not outside.all():
            elements = elements.chosen(outside)
        if elements.linear or not outside.all():
            surface = Influence(elements, elements.nodes.places)
        self.elements = elements
        self._beta = beta
        self._surface = surface
        free = 1.0 + surface.static_sums
        self._free = np.where(np.abs(free - 0.5) < _OWN, free, 0.5)
        self._inside_places = inside_points(elements, min(INSIDE_POINTS, len(elements.areas) // 5))
        self._inside = Influence(elements, self._inside_places)

    def iterated(
        self, k: float, sources_m: Float64[np.ndarray, "source 3"], tolerance: float
    ) -> Complex128[np.ndarray, "node source"]:
        """Return the total pressure at the nodes by Krylov steps from the incident wave.

        Args:
            k: Wavenumber in radians per metre.
            sources_m: Positions of unit monopoles, metres.
            tolerance: Residual over incident wave, in the mean over the surface, at which to stop.
        """
        seen, back = self._projection(k)
        through = self._through(k)
        free = 2 * self._free[:, None]

        def product(p: np.ndarray) -> np.ndarray:
            column = p[:, None]
            result: np.ndarray = free * column - 2 * through(column) + back @ (seen @ column)
            return result[:, 0]

        right = self._right(k, sources_m, back)
        weights = self.elements.nodes.areas
        columns = [krylov_solution(product, b, weights, tolerance) for b in right.T]
        return np.stack(columns, axis=1)

    def factorised(
        self, k: float, sources_m: Float64[np.ndarray, "source 3"]
    ) -> Complex128[np.ndarray, "node source"]:
        """Return the total pressure at the nodes from a dense factorisation.

        Faster than steps for some 1,000 nodes or fewer and many sources.

        Args:
            k: Wavenumber in radians per metre.
            sources_m: Positions of unit monopoles, metres.
        """
        seen, back = self._projection(k)
        matrix = -2 * self._surface.matrix(k, self._beta)
        matrix[np.diag_indices(len(matrix))] += 2 * self._free
        matrix += (back @ seen).astype(np.complex64)
        right = self._right(k, sources_m, back).astype(np.complex64)
        factors = scipy.linalg.lu_factor(matrix, overwrite_a=True, check_finite=False)
        solution: np.ndarray = scipy.linalg.lu_solve(factors, right, check_finite=False)
        return solution.astype(np.complex128)

    def radiated(
        self,
        k: float,
        pressure: Complex128[np.ndarray, "node source"],
        receivers_m: Float64[np.ndarray, "receiver 3"],
    ) -> Complex128[np.ndarray, "receiver source"]:
        """Return the scattered pressure that belongs to a pressure at the nodes."""
        return Influence(self.elements, receivers_m).product(k, self._beta, pressure)

    def _through(self, k: float) -> Callable[[np.ndarray], np.ndarray]:
        """Return the product with the influence matrix, held where it fits."""
        count, _ = self._surface.shape
        if count**2 > STORED_ENTRIES:
            return lambda p: self._surface.product(k, self._beta, p)
        re = np.empty((count, count), dtype=np.float32)
        im = np.empty_like(re)
        self._surface.rows(k, self._beta, 0, re, im)

        def product(p: np.ndarray) -> np.ndarray:
            narrow = split_columns(p)
            return joined(re @ narrow, im @ narrow)

        return product

    def _projection(self, k: float) -> tuple[np.ndarray, np.ndarray]:
        """Return what points inside see of a surface pressure, and the way back to the surface."""
        seen = self._inside.matrix(k, self._beta)
        adjoint = seen.conj().T / self.elements.nodes.areas[:, None]
        gram = (seen @ adjoint).astype(np.complex128)
        if len(gram):
            gram += _WEAKEST * np.trace(gram).real / len(gram) * np.eye(len(gram))
        back = adjoint @ np.linalg.inv(gram)
        return seen, back.astype(np.complex64)

    def _right(
        self, k: float, sources: np.ndarray, back: np.ndarray
    ) -> Complex128[np.ndarray, "node source"]:
        """Return the right side of the equation."""
        on_surface = monopoles(k, self.elements.nodes.places, sources)
        result: np.ndarray = 2 * on_surface - back @ monopoles(k, self._inside_places, sources)
        return result


def monopoles(
    k: float, places_m: Float64[np.ndarray, "place 3"], sources_m: Float64[np.ndarray, "source 3"]
) -> Complex128[np.ndarray, "place source"]:
    """Return the field of unit monopoles, `exp(i k r) / (4 pi r)`."""
    r = np.linalg.norm(places_m[:, None] - sources_m[None], axis=2)
    result: np.ndarray = np.exp(1j * k * r) / (4 * np.pi * r)
    return result


def krylov_solution(
    product: Callable[[np.ndarray], np.ndarray],
    right: Complex128[np.ndarray, " node"],
    weights: Float64[np.ndarray, " node"],
    tolerance: float,
    most: int = MOST_STEPS,
) -> Complex128[np.ndarray, " node"]:
    """Return the solution of a linear equation by GMRES, started from zero.

    Args:
        product: The matrix times a vector.
        right: Right side.
        weights: What each entry counts in the norm; areas make it that of the surface.
        tolerance: Norm of the residual over that of the right side at which to stop.
        most: Most steps.
    """
    root = np.sqrt(weights / weights.mean())
    size = np.linalg.norm(root * right)
    basis = [root * right / size]
    hessenberg = np.zeros((most + 1, most), dtype=np.complex128)
    goal = np.zeros(most + 1)
    goal[0] = size
    y: np.ndarray = np.zeros(0)
    for step in range(1, most + 1):
        new = root * product(basis[-1] / root)
        for i, vector in enumerate(basis):
            hessenberg[i, step - 1] = np.vdot(vector, new)
            new = new - hessenberg[i, step - 1] * vector
        length = np.linalg.norm(new)
        hessenberg[step, step - 1] = length
        part = hessenberg[: step + 1, :step]
        y = np.linalg.lstsq(part, goal[: step + 1], rcond=None)[0]
        left = np.linalg.norm(part @ y - goal[: step + 1])
        if left <= tolerance * size or length <= 1e-12 * size:
            break
        basis.append(new / length)
    solution: np.ndarray = np.stack(basis[: len(y)], axis=1) @ y / root
    return solution
