"""Remesh the fine embedded body evenly: the medium mesh of about 5,000 facets.

A development tool, not part of the runtime; it reads the fine mesh that `bake_body.py` wrote and
`seal_body.py` closed, and needs trimesh and rtree beside the project's own packages (about three
minutes):

    pip install trimesh rtree
    python scripts/remesh_body.py simulator/acoustic_sense_simulator/body/data

The mesh is remeshed in rounds of splitting long edges, collapsing short ones, flipping edges
towards six neighbours a vertex, and moving vertices along the surface to the middle of their
neighbours, each back onto the fine surface. No operation changes the topology. Edges are shorter on
the hands, where fingers are thinner than an edge elsewhere. The size of the edges is then adjusted
until the number of facets is within 2 % of what is asked for, and the round with the largest
smallest angle is kept.

Every vertex ends on a facet of the fine mesh: its shape directions and skinning weights are
interpolated there, so that one set of betas means one person in all meshes. The weights are then
smoothed over the neighbours: linear blend skinning folds the skin of the armpits, the groin and the
hollows of the knees where weights change within a facet or two.

References:
    Botsch and Kobbelt, "A remeshing approach to multiresolution modeling", SGP 2004.
"""

import argparse
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import trimesh

FACETS, TOLERANCE = 5000, 0.02
EDGE_M, HAND_EDGE_M = 0.029, 0.0115  # the first is only where the search begins
LONG, SHORT = 4 / 3, 4 / 5  # of the wished length: edges outside are split or collapsed
ROUNDS, MORE_ROUNDS = 20, 60  # to a settled mesh; then to choose the best of
LEAST_TURN = 0.3  # cosine of the greatest turn of a facet's normal by one operation
SLIVER = 0.5  # radians: facets with a smaller angle are flipped away whatever their neighbours
HAND_JOINTS = (22, 23)
WEIGHTS_PER_VERTEX = 8
SMOOTHINGS = 12
JOINT_COUNT = 24


class Surface:
    """The fine surface: closest points, and what is stored at its vertices."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        vertices = arrays["vertices"].astype(float)
        self.faces = arrays["faces"].astype(int)
        self.mesh = trimesh.Trimesh(vertices, self.faces, process=False)
        self.weights = np.zeros((len(vertices), JOINT_COUNT))
        joints = arrays["weight_joints"].astype(int)
        np.put_along_axis(self.weights, joints, arrays["weight_values"].astype(float), axis=1)
        self.directions = arrays["vertex_directions"].astype(float)

    def closest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the closest points, their facets and their barycentric coordinates."""
        found, _, facets = trimesh.proximity.closest_point(self.mesh, points)
        corners = self.mesh.triangles[facets]
        shares = trimesh.triangles.points_to_barycentric(corners, found)
        shares = np.clip(shares, 0, 1)
        return found, facets, shares / shares.sum(axis=1, keepdims=True)

    def interpolate(self, values: np.ndarray, facets: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return per-vertex values of the fine mesh at points of its facets."""
        return np.einsum("pk,pk...->p...", shares, values[self.faces[facets]])

    def hand_share(self, facets: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return how much of the skin at each point belongs to a hand, 0 to 1."""
        return self.interpolate(self.weights[:, HAND_JOINTS].sum(axis=1), facets, shares)


class Remesher:
    """A triangle mesh under local operations that keep it a closed, consistent surface."""

    def __init__(self, surface: Surface, edge_m: float) -> None:
        self.surface, self.edge_m = surface, edge_m
        self.points = [*surface.mesh.vertices]
        self.wished = [0.0] * len(self.points)
        self.faces: dict[int, tuple[int, int, int]] = {}
        self.at: defaultdict[int, set[int]] = defaultdict(set)  # facets at each vertex
        self.next_face = 0
        for face in surface.faces.tolist():
            self._add(tuple(face))
        self._measure()

    def _add(self, face: tuple[int, int, int]) -> None:
        self.faces[self.next_face] = face
        for vertex in face:
            self.at[vertex].add(self.next_face)
        self.next_face += 1

    def _remove(self, number: int) -> None:
        for vertex in self.faces.pop(number):
            self.at[vertex].discard(number)

    def _normal(self, face: tuple[int, int, int]) -> np.ndarray:
        a, b, c = (self.points[vertex] for vertex in face)
        u, w = b - a, c - a
        cross = np.array(
            [u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]]
        )
        return cross / max(float(np.sqrt(cross @ cross)), 1e-12)

    def _length(self, a: int, b: int) -> float:
        """Return the length of an edge over the length wished for there."""
        step = self.points[a] - self.points[b]
        return float(np.sqrt(step @ step)) / (0.5 * (self.wished[a] + self.wished[b]))

    def _neighbours(self, vertex: int) -> set[int]:
        found = {v for number in self.at[vertex] for v in self.faces[number]}
        return found - {vertex}

    def _edges(self) -> list[tuple[int, int]]:
        pairs = {
            (min(a, b), max(a, b))
            for f in self.faces.values()
            for a, b in ((f[0], f[1]), (f[1], f[2]), (f[2], f[0]))
        }
        return sorted(pairs)

    def _around(self, a: int, b: int) -> list[tuple[int, int]]:
        """Return the facets at an edge and the vertex of each that is opposite."""
        return [
            (number, next(v for v in self.faces[number] if v not in (a, b)))
            for number in sorted(self.at[a] & self.at[b])
        ]

    def split_long(self) -> None:
        """Split edges that are too long, longest first."""
        edges = sorted(((self._length(a, b), a, b) for a, b in self._edges()), reverse=True)
        for length, a, b in edges:
            if length <= LONG:
                break
            middle = len(self.points)
            self.points.append(0.5 * (self.points[a] + self.points[b]))
            self.wished.append(0.5 * (self.wished[a] + self.wished[b]))
            for number, _ in self._around(a, b):
                face = self.faces[number]
                self._remove(number)
                for old in (a, b):
                    self._add(tuple(middle if v == old else v for v in face))

    def collapse_short(self) -> None:
        """Collapse edges that are too short, shortest first, where the surface allows it."""
        for length, a, b in sorted((self._length(a, b), a, b) for a, b in self._edges()):
            if length >= SHORT:
                break
            if self.at[a] & self.at[b] and self._length(a, b) < SHORT:
                self._collapse(a, b)

    def _collapse(self, a: int, b: int) -> None:
        around = self._around(a, b)
        opposite = {v for _, v in around}
        if self._neighbours(a) & self._neighbours(b) != opposite or len(opposite) != 2:
            return  # the surface would touch itself
        if any(len(self.at[v]) <= 4 for v in opposite):
            return
        gone = {number for number, _ in around}
        kept = [n for n in (self.at[a] | self.at[b]) if n not in gone]
        before = [self._normal(self.faces[n]) for n in kept]
        old = self.points[a], self.points[b]
        self.points[a] = self.points[b] = 0.5 * (old[0] + old[1])
        turns = [n @ self._normal(self.faces[k]) for n, k in zip(before, kept, strict=True)]
        ring = (self._neighbours(a) | self._neighbours(b)) - {a, b}
        if min(turns) < LEAST_TURN or max(self._length(a, v) for v in ring) > LONG:
            self.points[a], self.points[b] = old
            return
        for number in gone:
            self._remove(number)
        for number in list(self.at[b]):
            face = self.faces[number]
            self._remove(number)
            self._add(tuple(a if v == b else v for v in face))

    def flip_edges(self) -> None:
        """Flip edges that bring their vertices nearer to six neighbours, or end a sliver."""
        for a, b in self._edges():
            around = self._around(a, b)
            if len(around) != 2:
                continue
            (first, c), (second, d) = around
            if d in self._neighbours(c):
                continue
            valences = [len(self.at[v]) for v in (a, b, c, d)]
            after = [v + change for v, change in zip(valences, (-1, -1, 1, 1), strict=True)]
            gain = sum((v - 6) ** 2 for v in valences) - sum((v - 6) ** 2 for v in after)
            if min(after[:2]) < 4:
                continue
            faces = [self.faces[number] for number in (first, second)]
            if a not in (faces[0][k - 1] for k in range(3) if faces[0][k] == b):
                c, d = d, c  # so that the first facet runs a, b, c
                faces.reverse()
            flipped = [(a, d, c), (d, b, c)]
            old = [self._normal(face) for face in faces]
            new = [self._normal(face) for face in flipped]
            if min(n @ o for n in new for o in old) < LEAST_TURN + 0.3:
                continue
            better = self._sharpest(flipped) - self._sharpest(faces)
            sliver = self._sharpest(faces) < SLIVER and better > 0.1
            if not (gain > 0 or (gain == 0 and better > 0.02) or sliver):
                continue
            self._remove(first)
            self._remove(second)
            for face in flipped:
                self._add(face)

    def _sharpest(self, faces: list[tuple[int, int, int]]) -> float:
        """Return the smallest angle of some facets, in radians."""
        triangles = np.array([[self.points[v] for v in face] for face in faces])
        return float(trimesh.triangles.angles(triangles).min())

    def relax(self) -> None:
        """Move vertices to the middle of their neighbours, along the surface and back onto it."""
        alive, faces = self.arrays()
        points = np.array([self.points[v] for v in alive])
        mesh = trimesh.Trimesh(points, faces, process=False)
        wished = np.array([self.wished[v] for v in alive])
        # facets count by their area over the area wished for there
        share = mesh.area_faces / wished[faces].mean(axis=1) ** 2
        total, count = np.zeros_like(points), np.zeros(len(points))
        for corner in range(3):
            np.add.at(total, faces[:, corner], share[:, None] * mesh.triangles_center)
            np.add.at(count, faces[:, corner], share)
        step = total / count[:, None] - points
        normals = mesh.vertex_normals
        step -= np.sum(step * normals, axis=1, keepdims=True) * normals
        moved, _, _ = self.surface.closest(points + 0.7 * step)
        before = mesh.face_normals
        for _ in range(10):  # take back moves that turn a facet over
            after = trimesh.triangles.normals(moved[faces])[0]
            after = after if len(after) == len(faces) else before
            turned = np.sum(before * after, axis=1) < LEAST_TURN
            if not turned.any():
                break
            moved[np.unique(faces[turned])] = points[np.unique(faces[turned])]
        for vertex, point in zip(alive, moved, strict=True):
            self.points[vertex] = point

    def _measure(self) -> None:
        """Renew the wished lengths from where the vertices lie."""
        alive, _ = self.arrays()
        points = np.array([self.points[v] for v in alive])
        _, facets, shares = self.surface.closest(points)
        hand = self.surface.hand_share(facets, shares)
        wished = self.edge_m + hand * (HAND_EDGE_M - self.edge_m)
        for vertex, length in zip(alive, wished.tolist(), strict=True):
            self.wished[vertex] = length

    def arrays(self) -> tuple[list[int], np.ndarray]:
        """Return the vertices in use, and the facets by their places in that list."""
        faces = np.array([self.faces[n] for n in sorted(self.faces)])
        alive, places = np.unique(faces, return_inverse=True)
        return alive.tolist(), places.reshape(faces.shape)

    def round(self) -> None:
        """Run every operation once."""
        self.split_long()
        self.collapse_short()
        self.flip_edges()
        self.relax()
        self._measure()


def remeshed(surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Return points and facets of the best mesh of about `FACETS` facets."""
    edge_m = EDGE_M
    for _ in range(8):
        remesher = Remesher(surface, edge_m)
        for _ in range(ROUNDS):
            remesher.round()
        count = len(remesher.faces)
        print(f"edges of {edge_m * 100:.2f} cm: {count} facets")
        if abs(count / FACETS - 1) <= TOLERANCE / 2:
            return best_of_more_rounds(remesher)
        edge_m *= np.sqrt(count / FACETS)
    raise SystemExit(f"no mesh of {FACETS} facets found; choose another EDGE_M")


def best_of_more_rounds(remesher: Remesher) -> tuple[np.ndarray, np.ndarray]:
    """Return the mesh whose sharpest angle is the largest among those of some more rounds."""
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for _ in range(MORE_ROUNDS):
        remesher.round()
        alive, faces = remesher.arrays()
        points = np.array([remesher.points[v] for v in alive])
        sharpest = float(trimesh.triangles.angles(points[faces]).min())
        in_number = abs(len(faces) / FACETS - 1) <= TOLERANCE
        if in_number and (best is None or sharpest > best[0]):
            best = sharpest, points, faces
    assert best is not None
    return best[1:]


def smoothed(weights: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return skinning weights averaged with those of the neighbours, `SMOOTHINGS` times."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    count = np.bincount(edges[:, 0], minlength=len(weights))[:, None]
    for _ in range(SMOOTHINGS):
        total = np.zeros_like(weights)
        np.add.at(total, edges[:, 0], weights[edges[:, 1]])
        weights = (weights + total / count) / 2
    return weights


def sparse_weights(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the strongest joints of each vertex and their weights, which sum to one."""
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :WEIGHTS_PER_VERTEX]
    kept = np.take_along_axis(weights, joints, axis=1)
    print("weight left out, most:", (1 - kept.sum(axis=1)).max().round(4))
    return joints.astype(np.uint8), kept / kept.sum(axis=1, keepdims=True)


def report(points: np.ndarray, faces: np.ndarray, surface: Surface) -> None:
    """Print how good the mesh is, and refuse one that is not a closed surface."""
    mesh = trimesh.Trimesh(points, faces, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 2
    smallest = np.rad2deg(mesh.face_angles).min(axis=1)
    areas, edges = mesh.area_faces * 1e4, mesh.edges_unique_length * 100
    print(f"{len(points)} vertices, {len(faces)} facets")
    for name, values in (
        ("smallest angle of a facet, deg", smallest),
        ("area, cm^2", areas),
        ("edge, cm", edges),
    ):
        shares = np.percentile(values, [0, 1, 5, 50, 95, 99, 100]).round(2)
        print(f"{name}: percentiles 0 1 5 50 95 99 100: {shares}")
    print(f"area: deviation over mean {areas.std() / areas.mean():.2f}")
    print(f"volume against the fine mesh: {mesh.volume / surface.mesh.volume:.4f}")


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a compressed npz whose bytes depend on the arrays alone (no time stamps)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    print(path, f"{path.stat().st_size / 1e6:.3f} MB")


def main() -> None:
    """Write `body_medium.npz` beside the `body_fine.npz` of the folder given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with np.load(folder / "body_fine.npz", allow_pickle=False) as data:
        fine = {name: data[name] for name in data.files}
    surface = Surface(fine)
    points, faces = remeshed(surface)
    report(points, faces, surface)
    points, facets, shares = surface.closest(points)
    weights = smoothed(surface.interpolate(surface.weights, facets, shares), faces)
    joints, values = sparse_weights(weights)
    arrays = {
        "vertices": points.astype(np.float32),
        "faces": faces.astype(np.uint16),
        "vertex_directions": surface.interpolate(surface.directions, facets, shares).astype(
            np.float16
        ),
        "weight_joints": joints,
        "weight_values": values.astype(np.float16),
        "joints": fine["joints"],
        "joint_directions": fine["joint_directions"],
        "parents": fine["parents"],
    }
    save(folder / "body_medium.npz", arrays)


if __name__ == "__main__":
    main()
