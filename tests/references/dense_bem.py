"""Dense boundary element method: the truth that the scattering sums are held against.

Collocation at facet centres, constant pressure on flat triangles, diagonal from the solid-angle
identity, CHIEF points inside the body against fictitious resonances (as Lagrange multipliers:
Rosen, Canning, Couchman 1995). Integrals over facets by Gauss rules of 3 or 7 points (Dunavant
1985) by distance; facets nearer than three times their size are cut into four until they are far,
at most three times over. Cost: one complex solve of (facet)^2; meant for 3,000 facets.
"""

import numpy as np
from numba import njit
from scipy.linalg import lu_factor, lu_solve

_DUNAVANT_3 = np.array([[2 / 3, 1 / 6, 1 / 6], [1 / 6, 2 / 3, 1 / 6], [1 / 6, 1 / 6, 2 / 3]])
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
_DEEPEST = 3  # times that a near facet is cut into four
_FAR = 5.0  # distance over facet size from which three points do


class DenseBem:
    """A body's mesh at one frequency, factorised once for any number of sources."""

    def __init__(self, vertices, faces, frequency_hz, chief_points, beta=0.0, c=343.0):
        self.k, self.beta = 2 * np.pi * frequency_hz / c, beta
        self.corners = np.ascontiguousarray(np.asarray(vertices, dtype=float)[faces])
        self.centres = self.corners.mean(axis=1)
        self.chief_points = np.asarray(chief_points, dtype=float).reshape(-1, 3)
        n, m = len(self.centres), len(self.chief_points)
        dynamic, static = self._rows(self.centres, 0)
        full = np.zeros((n + m, n + m), dtype=np.complex64, order="F")
        full[:n, :n] = -dynamic
        full[np.diag_indices(n)] = 1.0 + static.sum(axis=1) - np.diag(dynamic)
        if m:
            chief, _ = self._rows(self.chief_points)
            full[n:, :n] = -chief
            full[:n, n:] = -chief.conj().T
        self._factors = lu_factor(full, overwrite_a=True, check_finite=False)

    def _rows(self, places, first_own=-1):
        """Integrals of dG/dn + i k beta G, and of the static dG/dn, over every facet.

        On the facet whose centre the place is, the normal derivative vanishes.
        """
        places = np.ascontiguousarray(places, dtype=float)
        dynamic = np.empty((len(places), len(self.corners)), dtype=np.complex64)
        static = np.empty((len(places), len(self.corners)), dtype=np.float32)
        _fill(places, self.corners, self.k, self.beta, first_own, dynamic, static)
        return dynamic, static

    def surface_pressure(self, source_m):
        """Total pressure on the facets for a unit monopole, or (facet, source) for several."""
        places = np.concatenate([self.centres, self.chief_points])
        away = places[:, None] - np.atleast_2d(source_m)[None]
        r = np.linalg.norm(away, axis=2)
        right = (np.exp(1j * self.k * r) / (4 * np.pi * r)).astype(np.complex64)
        found = lu_solve(self._factors, right, check_finite=False)[: len(self.centres)]
        return found if np.ndim(source_m) == 2 else found[:, 0]

    def scattered(self, source_m, receivers_m):
        """Scattered pressure at the receivers for a unit monopole, or (receiver, source)."""
        return self.radiated(self.surface_pressure(source_m), receivers_m)

    def radiated(self, pressure, receivers_m):
        """Pressure at the receivers that belongs to a pressure on the facets."""
        return self._rows(receivers_m)[0] @ pressure


@njit(cache=True, error_model="numpy")
def _fill(places, corners, k, beta, first_own, dynamic, static):
    """Fill both integrals for every place and facet."""
    plain = np.empty((3, 3))
    stack = np.empty((3 * _DEEPEST + 4, 3, 3))
    levels = np.empty(len(stack), dtype=np.int64)
    for f in range(len(corners)):
        triangle = corners[f]
        edge_1, edge_2 = triangle[1] - triangle[0], triangle[2] - triangle[0]
        normal = np.cross(edge_1, edge_2)
        double_area = np.sqrt((normal**2).sum())
        normal = normal / double_area
        middle_of = (triangle[0] + triangle[1] + triangle[2]) / 3
        reach = 0.0
        for corner in range(3):
            reach = max(reach, ((triangle[corner] - middle_of) ** 2).sum())
        for q in range(3):
            for axis in range(3):
                plain[q, axis] = 0.0
                for corner in range(3):
                    plain[q, axis] += _DUNAVANT_3[q, corner] * triangle[corner, axis]
        for i in range(len(places)):
            x, y, z = places[i]
            square = (middle_of[0] - x) ** 2 + (middle_of[1] - y) ** 2 + (middle_of[2] - z) ** 2
            if square > reach * _FAR**2 and k * k * reach < 1.0:
                wave, still = 0j, 0.0
                for q in range(3):
                    dx, dy, dz = plain[q, 0] - x, plain[q, 1] - y, plain[q, 2] - z
                    r = np.sqrt(dx * dx + dy * dy + dz * dz)
                    cosine = (dx * normal[0] + dy * normal[1] + dz * normal[2]) / r
                    weight = double_area / (24 * np.pi * r)
                    green = weight * complex(np.cos(k * r), np.sin(k * r))
                    wave += green * ((1j * k - 1 / r) * cosine + 1j * k * beta)
                    still -= weight * cosine / r
                dynamic[i, f] = wave
                static[i, f] = still
                continue
            own = first_own >= 0 and i == f + first_own
            if own and beta == 0.0:
                dynamic[i, f] = 0.0
                static[i, f] = 0.0
                continue
            wave, still = 0j, 0.0
            stack[0], levels[0], filled = triangle, 0, 1
            while filled:
                filled -= 1
                part, level = stack[filled].copy(), levels[filled]
                area = double_area / 2 / 4.0**level
                centre = (part[0] + part[1] + part[2]) / 3
                size, near = 0.0, 0.0
                for axis in range(3):
                    near += (centre[axis] - places[i, axis]) ** 2
                for corner in range(3):
                    length = 0.0
                    for axis in range(3):
                        length += (part[corner, axis] - centre[axis]) ** 2
                    size = max(size, length)
                if near < 9 * size and level < _DEEPEST:
                    middle = np.empty((3, 3))
                    for corner in range(3):
                        middle[corner] = (part[corner] + part[(corner + 1) % 3]) / 2
                    for corner in range(3):
                        stack[filled, 0] = part[corner]
                        stack[filled, 1] = middle[corner]
                        stack[filled, 2] = middle[(corner + 2) % 3]
                        levels[filled] = level + 1
                        filled += 1
                    stack[filled] = middle
                    levels[filled] = level + 1
                    filled += 1
                    continue
                at_place = near < 1e-6 * size  # no point of the rule may lie on the singularity
                for q in range(3 if at_place else 7):
                    if at_place:
                        a, b, share = _DUNAVANT_3[q, 0], _DUNAVANT_3[q, 1], 1 / 3
                    else:
                        a, b, share = _DUNAVANT_7[q, 0], _DUNAVANT_7[q, 1], _DUNAVANT_7[q, 2]
                    square, projected = 0.0, 0.0
                    for axis in range(3):
                        away = a * part[0, axis] + b * part[1, axis] + (1 - a - b) * part[2, axis]
                        away -= places[i, axis]
                        square += away * away
                        projected += away * normal[axis]
                    r = np.sqrt(square)
                    cosine = 0.0 if own else projected / r
                    weight = share * area / (4 * np.pi * r)
                    green = weight * complex(np.cos(k * r), np.sin(k * r))
                    wave += green * ((1j * k - 1 / r) * cosine + 1j * k * beta)
                    still -= weight * cosine / r
            dynamic[i, f] = wave
            static[i, f] = still


def winding_numbers(vertices, faces, points):
    """How often the mesh goes round each point: 1 inside, 0 outside (Van Oosterom 1983)."""
    found = np.empty(len(points))
    corners = np.ascontiguousarray(np.asarray(vertices, dtype=float)[faces])
    _wind(corners, np.ascontiguousarray(points, dtype=float), found)
    return found


@njit(cache=True, error_model="numpy")
def _wind(corners, points, found):
    """Sum the solid angles of all facets at every point."""
    for i in range(len(points)):
        px, py, pz = points[i]
        total = 0.0
        for f in range(len(corners)):
            ax, ay, az = corners[f, 0, 0] - px, corners[f, 0, 1] - py, corners[f, 0, 2] - pz
            bx, by, bz = corners[f, 1, 0] - px, corners[f, 1, 1] - py, corners[f, 1, 2] - pz
            cx, cy, cz = corners[f, 2, 0] - px, corners[f, 2, 1] - py, corners[f, 2, 2] - pz
            a = np.sqrt(ax * ax + ay * ay + az * az)
            b = np.sqrt(bx * bx + by * by + bz * bz)
            c = np.sqrt(cx * cx + cy * cy + cz * cz)
            above = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
            below = a * b * c + (ax * bx + ay * by + az * bz) * c
            below += (bx * cx + by * cy + bz * cz) * a + (cx * ax + cy * ay + cz * az) * b
            total += np.arctan2(above, below)
        found[i] = total / (2 * np.pi)


def interior_points(vertices, faces, count, generator, depth_m=0.03):
    """Points well inside a mesh: at least `depth_m` from its vertices and facet centres."""
    corners = np.asarray(vertices, dtype=float)[faces]
    surface = np.concatenate([corners.reshape(-1, 3), corners.mean(axis=1)])
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    found = []
    while len(found) < count:
        points = low + generator.random((200, 3)) * (high - low)
        inside = points[winding_numbers(vertices, faces, points) > 0.5]
        for point in inside:
            if np.linalg.norm(surface - point, axis=1).min() > depth_m:
                found.append(point)
    return np.array(found[:count])


def exposed(vertices, faces, pieces, piece_faces):
    """Which facets of `pieces` lie on the outside of the mesh rather than within another part.

    Where parts of a body cut each other, the facets inside belong to no surface that sound meets;
    left in, they ring: single facets reached 100 times the pressure of their neighbours.
    """
    corners = np.asarray(pieces, dtype=float)[piece_faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1), 1e-30)[:, None]
    outside = corners.mean(axis=1) + 1e-5 * normals
    return np.abs(winding_numbers(vertices, faces, outside)) < 0.5


def split_to(vertices, faces, longest_m):
    """The same surface in triangles with edges of at most this length, halved at the longest.

    Returns vertices, faces and, for every new facet, the index of the facet that it is part of.
    """
    corners = np.asarray(vertices, dtype=float)[faces]
    parents = np.arange(len(corners))
    done = []
    while len(corners):
        lengths = np.linalg.norm(corners[:, [1, 2, 0]] - corners, axis=2)
        longest = lengths.argmax(axis=1)
        small = lengths.max(axis=1) <= longest_m
        done.append((corners[small], parents[small]))
        corners, parents, first = corners[~small], parents[~small], longest[~small]
        rows = np.arange(len(corners))
        a, b = corners[rows, first], corners[rows, (first + 1) % 3]
        c, middle = corners[rows, (first + 2) % 3], (a + b) / 2
        corners = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
        parents = np.concatenate([parents, parents])
    whole, parents = (np.concatenate(parts) for parts in zip(*done, strict=True))
    return whole.reshape(-1, 3), np.arange(3 * len(whole)).reshape(-1, 3), parents
