"""Influence of the pressure on facets at places: rows of the boundary integral equation."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Complex64, Complex128, Float32, Float64
from scipy.spatial import cKDTree
from scipy.stats import qmc

from acoustic_sense_simulator.kernels.boundary import (
    count_near,
    fill_rows,
    list_near,
    mend_near,
    near_static,
)
from acoustic_sense_simulator.scattering.boundary_mesh import Elements

NEAR_SIZES = 3.0
"""Distance over the size of a facet below which its integrals are exact."""

_BLOCK_ENTRIES = 250_000
_CANDIDATES = 8192


class Influence:
    """What a pressure on the facets does at given places: rows of the double and single layer.

    Entries are integrals of `dG/dn + i k beta G` over each facet, times what is 1 at one of its
    nodes and 0 at the others.

    Attributes:
        elements: The facets.
        static_sums: Sum over all facets of the static double layer, shape `(place,)`: -1 inside a
            closed body, -1/2 on it, 0 outside.
    """

    def __init__(self, elements: Elements, places_m: Float64[np.ndarray, "place 3"]) -> None:
        """Find the near pairs and their exact static integrals.

        Args:
            elements: The facets.
            places_m: Where the influence is wanted, metres.
        """
        self.elements = elements
        self._places = np.ascontiguousarray(places_m)
        origin = elements.centres.mean(axis=0)
        self._narrow_places = (self._places - origin).astype(np.float32)
        nodes = elements.nodes
        centres = np.ascontiguousarray((elements.centres - origin).T, dtype=np.float32)
        self._points = np.ascontiguousarray((nodes.places - origin).T, dtype=np.float32)
        share = nodes.areas / (4 * np.pi)
        vectors = np.concatenate([nodes.normals * share[:, None], share[:, None]], axis=1)
        self._vectors = np.ascontiguousarray(vectors.T, dtype=np.float32)
        sizes = np.linalg.norm(elements.corners - elements.centres[:, None], axis=2).max(axis=1)
        reach = ((NEAR_SIZES * sizes) ** 2).astype(np.float32)
        counts = np.empty(len(self._places), dtype=np.int64)
        count_near(self._narrow_places, centres, reach, counts)
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._columns = np.empty(self._starts[-1], dtype=np.int32)
        list_near(self._narrow_places, centres, reach, self._starts, self._columns)
        self._layers = np.empty((2, len(self._columns)))
        near_static(
            self._places,
            elements.corners,
            elements.areas,
            elements.normals,
            self._starts,
            self._columns,
            self._layers,
        )

        self.static_sums = np.concatenate(
            [np.zeros(0), *(re.sum(axis=1) for re, _ in self.blocks(1e-6, 0.0))]
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of places and of nodes."""
        return len(self._places), len(self.elements.nodes.areas)

    def rows(self, k: float, beta: float, first: int, re: np.ndarray, im: np.ndarray) -> None:
        """Fill real and imaginary part of the rows that begin with place number `first`.

        Args:
            k: Wavenumber in radians per metre.
            beta: Specific admittance of the facets.
            first: Number of the first place.
            re: Float32 result, one row for each place.
            im: The imaginary part.
        """
        some = self._narrow_places[first : first + len(re)]
        fill_rows(some, self._points, self._vectors, np.float32(k), np.float32(beta), re, im)
        e = self.elements
        mend_near(
            first,
            self._places,
            e.corners,
            e.areas,
            e.normals,
            self._starts,
            self._columns,
            self._layers,
            float(k),
            float(beta),
            re,
            im,
        )

    def blocks(self, k: float, beta: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield all rows, some at a time, in arrays that are used again."""
        count, width = self.shape
        step = max(1, _BLOCK_ENTRIES // width)
        re = np.empty((min(step, count), width), dtype=np.float32)
        im = np.empty_like(re)
        for first in range(0, count, step):
            part = slice(0, min(step, count - first))
            self.rows(k, beta, first, re[part], im[part])
            yield re[part], im[part]

    def matrix(self, k: float, beta: float) -> Complex64[np.ndarray, "place node"]:
        """Return all rows."""
        parts = [re + np.complex64(1j) * im for re, im in self.blocks(k, beta)]
        return np.concatenate(parts) if parts else np.zeros(self.shape, dtype=np.complex64)

    def product(
        self, k: float, beta: float, pressure: Complex128[np.ndarray, "node column"]
    ) -> Complex128[np.ndarray, "place column"]:
        """Return the rows times a pressure at the nodes, without holding them all."""
        narrow = split_columns(pressure)
        parts = [joined(re @ narrow, im @ narrow) for re, im in self.blocks(k, beta)]
        return np.concatenate(parts) if parts else np.zeros((0, pressure.shape[1]), complex)


def split_columns(values: np.ndarray) -> Float32[np.ndarray, "node column2"]:
    """Return real and imaginary parts side by side, single precision."""
    return np.concatenate([values.real, values.imag], axis=1).astype(np.float32)


def joined(with_re: np.ndarray, with_im: np.ndarray) -> Complex128[np.ndarray, "place column"]:
    """Return the complex product from those of the real and of the imaginary matrix."""
    a, b = np.split(with_re.astype(np.float64), 2, axis=1)
    c, d = np.split(with_im.astype(np.float64), 2, axis=1)
    result: np.ndarray = (a - d) + 1j * (b + c)
    return result


def inside_points(elements: Elements, count: int) -> Float64[np.ndarray, "place 3"]:
    """Return up to `count` points well inside the body, spread over its volume.

    They come from a fixed sequence over the bounding box, so the same body has the same points.

    Args:
        elements: Facets of a closed surface.
        count: Most points.
    """
    low, high = elements.corners.min(axis=(0, 1)), elements.corners.max(axis=(0, 1))
    points = low + qmc.Halton(3, scramble=False).random(_CANDIDATES) * (high - low)
    depth, nearest = cKDTree(elements.centres).query(points)
    sizes = np.linalg.norm(elements.corners - elements.centres[:, None], axis=2).max(axis=1)
    away = elements.centres[nearest] - points
    behind = (away * elements.normals[nearest]).sum(axis=1) > 0.3 * depth
    likely = points[behind & (depth > 0.8 * sizes[nearest])]
    deep = likely[:: max(1, len(likely) // max(1, 2 * count))]
    inside = np.abs(Influence(elements, deep).static_sums + 1.0) < 0.2
    chosen: np.ndarray = deep[inside][:count]
    return chosen
