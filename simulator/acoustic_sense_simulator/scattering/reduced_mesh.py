"""A body's mesh with fewer facets, for solving the boundary equation pose by pose.

Vertices are taken away one at a time by collapsing edges, always the collapse that departs least
from the planes around it and makes no long edges; the surface stays closed, and along a limb facets
become longer than round it. What remains is a choice of the body's own vertices, which follows
every pose. Chords lie inside what they span, so each vertex is moved out along its normal until the
facets around it lie as much outside the body's surface as inside: its volume, which is what
scatters long waves, is kept.

References:
    Garland, Heckbert: Surface simplification using quadric error metrics, SIGGRAPH 1997. Dey,
    Edelsbrunner, Guha, Nekhayev: Topology preserving edge contraction, Publications de l'Institut
    Mathematique 66, 1999 (the link condition).
"""

import heapq
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int, Int64
from scipy.spatial import cKDTree

_LEAST_TURN = 0.2  # cosine of the greatest turn of a facet by one collapse
_LENGTHS = 1e-4  # what the fourth power of an edge counts beside area times square of distance
_ROUNDS = 12  # of moving the vertices out
_SAMPLES = (
    np.array([[4, 1, 1], [1, 4, 1], [1, 1, 4], [2, 2, 2], [3, 3, 0], [0, 3, 3], [3, 0, 3]]) / 6
)


@dataclass(frozen=True, eq=False)
class ReducedMesh:
    """Fewer facets for a body in any pose.

    Attributes:
        faces: Indices into `chosen`, shape `(facet, 3)`, turning as those of the body.
        chosen: Which of the body's vertices are left.
        offsets_m: How far each is moved out along the body's normal there, metres.
        body_faces: The body's own faces.
    """

    faces: Int64[np.ndarray, "facet 3"]
    chosen: Int64[np.ndarray, " vertex"]
    offsets_m: Float64[np.ndarray, " vertex"]
    body_faces: Int64[np.ndarray, "body_facet 3"]

    def posed(
        self, vertices_m: Float[np.ndarray, "body_vertex 3"]
    ) -> Float64[np.ndarray, "vertex 3"]:
        """Return the vertices of the reduced mesh for a pose of the body.

        Args:
            vertices_m: All vertices of the posed body, metres.
        """
        body = np.asarray(vertices_m, dtype=np.float64)
        normals = _vertex_normals(body, self.body_faces)[self.chosen]
        moved: np.ndarray = body[self.chosen] + self.offsets_m[:, None] * normals
        return moved


def reduced_mesh(
    vertices_m: Float[np.ndarray, "vertex 3"], faces: Int[np.ndarray, "facet 3"], facet_count: int
) -> ReducedMesh:
    """Return a mesh of at most `facet_count` facets, or as few as its shape allows.

    Args:
        vertices_m: The body at rest, metres: a closed surface.
        faces: Vertex indices, counter-clockwise seen from outside.
        facet_count: How many facets are wanted.
    """
    vertices, body_faces = np.asarray(vertices_m, dtype=np.float64), np.asarray(faces, np.int64)
    if len(faces) <= facet_count:
        return ReducedMesh(
            body_faces, np.arange(len(vertices)), np.zeros(len(vertices)), body_faces
        )
    left = _Collapsing(vertices, body_faces).until(facet_count)
    chosen, numbered = np.unique(left, return_inverse=True)
    numbered = numbered.reshape(-1, 3).astype(np.int64)
    offsets = _offsets(vertices, body_faces, chosen, numbered)
    return ReducedMesh(numbered, chosen, offsets, body_faces)


class _Collapsing:
    """A triangle mesh whose edges are collapsed."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        self.places = [tuple(place) for place in vertices.tolist()]
        self.faces: dict[int, tuple[int, int, int]] = {
            number: (a, b, c) for number, (a, b, c) in enumerate(faces.tolist())
        }
        self.around: list[set[int]] = [set() for _ in self.places]
        for number, face in self.faces.items():
            for vertex in face:
                self.around[vertex].add(number)
        self.queue: list[tuple[float, int, int]] = []
        self.quadrics = _quadrics(vertices, faces)

    def until(self, facet_count: int) -> Int64[np.ndarray, "facet 3"]:
        """Collapse edges until few facets are left, and return their vertices."""
        for vertex in range(len(self.places)):
            self._offer(vertex)
        while len(self.faces) > facet_count and self.queue:
            cost, gone, kept = heapq.heappop(self.queue)
            if kept not in self._neighbours(gone) or cost != self._cost(gone, kept):
                continue  # the mesh has changed since it was offered
            if self._allowed(gone, kept):
                self._collapse(gone, kept)
        return np.array(list(self.faces.values()), dtype=np.int64)

    def _offer(self, vertex: int) -> None:
        """Put every collapse of a vertex onto a neighbour into the queue."""
        for kept in sorted(self._neighbours(vertex)):
            heapq.heappush(self.queue, (self._cost(vertex, kept), vertex, kept))

    def _neighbours(self, vertex: int) -> set[int]:
        return {v for number in self.around[vertex] for v in self.faces[number]} - {vertex}

    def _cost(self, gone: int, kept: int) -> float:
        """Return how far a collapse leaves the surface, and how long it makes edges."""
        x, y, z = self.places[kept]
        q = self.quadrics[gone]
        longest = max(
            (x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2
            for a, b, c in (self.places[v] for v in self._neighbours(gone))
        )
        off = (
            q[0] * x * x
            + q[1] * y * y
            + q[2] * z * z
            + 2 * (q[3] * x * y + q[4] * x * z + q[5] * y * z + q[6] * x + q[7] * y + q[8] * z)
            + q[9]
        )
        return float(max(off, 0.0) + _LENGTHS * longest**2)

    def _allowed(self, gone: int, kept: int) -> bool:
        """Return whether the surface stays closed and no facet is turned over."""
        common = self._neighbours(gone) & self._neighbours(kept)
        if len(common) != 2 or len(self.around[gone]) < 3:
            return False
        if any(len(self.around[vertex]) <= 3 for vertex in common):
            return False
        for number in self.around[gone] - self.around[kept]:
            face = self.faces[number]
            before = self._normal(face)
            a, b, c = (kept if vertex == gone else vertex for vertex in face)
            after = self._normal((a, b, c))
            sizes = np.sqrt(_dot(before, before) * _dot(after, after))
            if _dot(before, after) <= _LEAST_TURN * sizes:
                return False
        return True

    def _normal(self, face: tuple[int, int, int]) -> tuple[float, float, float]:
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (self.places[vertex] for vertex in face)
        ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
        return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx

    def _collapse(self, gone: int, kept: int) -> None:
        """Take a vertex away, giving its facets to a neighbour."""
        self.quadrics[kept] = [
            a + b for a, b in zip(self.quadrics[kept], self.quadrics[gone], strict=True)
        ]
        touched = self._neighbours(gone) | self._neighbours(kept) | {kept}
        touched.discard(gone)
        for number in sorted(self.around[gone]):
            face = self.faces[number]
            for vertex in face:
                self.around[vertex].discard(number)
            if kept in face:
                del self.faces[number]
                continue
            a, b, c = (kept if vertex == gone else vertex for vertex in face)
            self.faces[number] = (a, b, c)
            for vertex in (a, b, c):
                self.around[vertex].add(number)
        for vertex in sorted(touched):
            self._offer(vertex)


def _quadrics(vertices: np.ndarray, faces: np.ndarray) -> list[list[float]]:
    """Return for every vertex what the squared distance from the planes around it is made of.

    Sums over facets of a third of their area times `n n^T` (xx, yy, zz, xy, xz, yz), `d n` and
    `d^2`, the plane being `n x + d = 0`.
    """
    crossed = _facets(vertices, faces)[1]
    areas = np.linalg.norm(crossed, axis=1) / 2
    n = crossed / np.maximum(2 * areas, 1e-30)[:, None]
    d = -(n * vertices[faces[:, 0]]).sum(axis=1)
    x, y, z = n.T
    parts = [x * x, y * y, z * z, x * y, x * z, y * z, d * x, d * y, d * z, d * d]
    shared = np.stack(parts, axis=1) * (areas / 3)[:, None]
    total = np.zeros((len(vertices), 10))
    for corner in faces.T:
        np.add.at(total, corner, shared)
    return [[float(value) for value in row] for row in total]


def _dot(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _offsets(
    body: np.ndarray, body_faces: np.ndarray, chosen: np.ndarray, faces: np.ndarray
) -> Float64[np.ndarray, " vertex"]:
    """Return how far vertices go out so that the facets lie on the surface on average."""
    outward = _vertex_normals(body, body_faces)
    centres, crossed = _facets(body, body_faces)
    normals = crossed / np.maximum(np.linalg.norm(crossed, axis=1, keepdims=True), 1e-30)
    surface = cKDTree(centres)
    offsets = np.zeros(len(chosen))
    for _ in range(_ROUNDS):
        places = body[chosen] + offsets[:, None] * outward[chosen]
        points = np.einsum("sj,fjk->fsk", _SAMPLES, places[faces])
        nearest = surface.query(points.reshape(-1, 3))[1]
        away = centres[nearest] - points.reshape(-1, 3)
        outside = (away * normals[nearest]).sum(axis=1).reshape(len(faces), -1).mean(axis=1)
        areas = np.linalg.norm(_facets(places, faces)[1], axis=1)
        weight, total = np.zeros(len(chosen)), np.zeros(len(chosen))
        for corner in faces.T:
            np.add.at(weight, corner, areas)
            np.add.at(total, corner, areas * outside)
        offsets += total / np.maximum(weight, 1e-30)
    return offsets


def _facets(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centres and normals of length 2 area."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return (a + b + c) / 3, np.cross(b - a, c - a)


def _vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return unit normals at the vertices, those of the facets around weighted by area."""
    crossed = _facets(vertices, faces)[1]
    normals = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(crossed[:, axis], 3), len(vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    unit: np.ndarray = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    return unit
