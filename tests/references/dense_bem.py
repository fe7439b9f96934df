"""Dense boundary element method: the truth that the fast scattering sum is held against.

Collocation at facet centres, constant pressure on flat triangles, diagonal from the solid-angle
identity, CHIEF points inside the body against fictitious resonances (as Lagrange multipliers:
Rosen, Canning, Couchman 1995). Cost: one complex solve of (facet)^2; meant for 3,000 facets.
"""

import numpy as np
from scipy.linalg import lu_factor, lu_solve

_DUNAVANT_7 = np.array(
    [
        [1 / 3, 1 / 3, 0.225],
        [0.059715871789770, 0.470142064105115, 0.132394152788506],
        [0.470142064105115, 0.059715871789770, 0.132394152788506],
        [0.470142064105115, 0.470142064105115, 0.132394152788506],
        [0.797426985353087, 0.101286507323456, 0.125939180544827],
        [0.101286507323456, 0.797426985353087, 0.125939180544827],
        [0.101286507323456, 0.101286507323456, 0.125939180544827],
    ]
)


class DenseBem:
    """A body's mesh at one frequency, factorised once for any number of sources."""

    def __init__(self, vertices, faces, frequency_hz, chief_points, beta=0.0, c=343.0):
        self.k, self.beta = 2 * np.pi * frequency_hz / c, beta
        corners = np.asarray(vertices, dtype=float)[faces]
        self.centres = corners.mean(axis=1)
        crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        self.areas = np.linalg.norm(crossed, axis=1) / 2
        self.normals = crossed / (2 * self.areas[:, None])
        a, b, weights = _DUNAVANT_7.T
        shares = np.stack([a, b, 1 - a - b])
        self.points = np.einsum("iq,fid->qfd", shares, corners)
        self.weights = weights
        self.chief_points = chief_points
        dynamic, static = self._rows(self.centres)
        np.fill_diagonal(dynamic, 0.0)
        np.fill_diagonal(static, 0.0)
        matrix = -dynamic
        matrix[np.diag_indices(len(matrix))] += 1.0 + static.sum(axis=1)
        chief, _ = self._rows(chief_points)
        n, m = len(matrix), len(chief_points)
        full = np.zeros((n + m, n + m), dtype=np.complex64)
        full[:n, :n] = matrix
        full[n:, :n] = -chief
        full[:n, n:] = -chief.conj().T
        self._factors = lu_factor(full, overwrite_a=True)

    def _rows(self, places):
        """Integrals of dG/dn + i k beta G, and of the static dG/dn, over every facet."""
        dynamic = np.zeros((len(places), len(self.areas)), dtype=np.complex64)
        static = np.zeros((len(places), len(self.areas)), dtype=np.float32)
        for start in range(0, len(places), 400):
            rows = slice(start, start + 400)
            for points, weight in zip(self.points, self.weights, strict=True):
                away = points[None] - places[rows, None]
                r = np.maximum(np.linalg.norm(away, axis=2), 1e-6)
                cosine = np.einsum("rfi,fi->rf", away, self.normals) / r
                still = weight * self.areas / (4 * np.pi * r)
                wave = np.exp(1j * self.k * r) * still
                dynamic[rows] += wave * ((1j * self.k - 1 / r) * cosine + 1j * self.k * self.beta)
                static[rows] -= still * cosine / r
        return dynamic, static

    def surface_pressure(self, source_m):
        """Total pressure on the facets for a unit monopole."""
        places = np.concatenate([self.centres, self.chief_points])
        r = np.linalg.norm(places - source_m, axis=1)
        right = np.exp(1j * self.k * r) / (4 * np.pi * r)
        return lu_solve(self._factors, right.astype(np.complex64))[: len(self.centres)]

    def scattered(self, source_m, receivers_m):
        """Scattered pressure at the receivers for a unit monopole."""
        return self._rows(receivers_m)[0] @ self.surface_pressure(source_m)


def interior_points(vertices, faces, count, generator):
    """Points well inside a mesh, found by its winding number."""
    corners = np.asarray(vertices, dtype=float)[faces]
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    found = []
    while len(found) < count:
        point = low + generator.random(3) * (high - low)
        a, b, c = (corners[:, i] - point for i in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        above = np.einsum("fi,fi->f", a, np.cross(b, c))
        below = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
        winding = 2 * np.arctan2(above, below).sum() / (4 * np.pi)
        if abs(winding) > 0.5 and min(la.min(), lb.min(), lc.min()) > 0.03:
            found.append(point)
    return np.array(found)
