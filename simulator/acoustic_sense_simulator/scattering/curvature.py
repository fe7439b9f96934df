"""Local radius of curvature of a mesh: which sphere each facet is taken to belong to.

Normal curvatures along the edges, `(n_j - n_i) . (p_j - p_i) / |p_j - p_i|^2`, are fitted by a
symmetric curvature tensor at every vertex. Its mean `H` and half difference `D` are smoothed over
the mesh and give the radius `1 / (H + share D)`: exactly the radius on a sphere; on a cylinder of
radius R between 2 R (share 0) and R (share 1).

References:
    Taubin: Estimating the tensor of curvature of a surface from a polyhedral approximation,
    ICCV 1995. Rusinkiewicz: Estimating curvatures and their derivatives, 3DPVT 2004.
"""

import numpy as np
from jaxtyping import Float, Float64, Int
from scipy.sparse import coo_matrix, csr_matrix

SMALLEST_RADIUS_M = 0.03
LARGEST_RADIUS_M = 0.4
SMOOTHING_M = 0.04
CYLINDER_SHARE = 0.15


def local_radius(
    vertices_m: Float[np.ndarray, "vertex 3"],
    faces: Int[np.ndarray, "facet 3"],
    share: float = CYLINDER_SHARE,
    smoothing_m: float = SMOOTHING_M,
    limits_m: tuple[float, float] = (SMALLEST_RADIUS_M, LARGEST_RADIUS_M),
) -> Float64[np.ndarray, " facet"]:
    """Return the radius of the sphere that stands for the surface around each facet, metres.

    Args:
        vertices_m: Vertices of a closed mesh in metres.
        faces: Vertex indices, counter-clockwise seen from outside.
        share: How much of the difference of the principal curvatures counts.
        smoothing_m: Distance over which curvatures are averaged.
        limits_m: Smallest and largest radius returned; flat and hollow places get the largest.
    """
    vertices, faces = _merged(np.asarray(vertices_m, dtype=np.float64), np.asarray(faces))
    normals = _vertex_normals(vertices, faces)
    starts, ends = _directed_edges(faces)
    mean, difference = _curvatures(vertices, normals, starts, ends)
    edge = float(np.linalg.norm(vertices[starts] - vertices[ends], axis=1).mean())
    rounds = int(np.clip(round((smoothing_m / edge) ** 2), 1, 60))
    average = _neighbour_average(starts, ends, len(vertices))
    for _ in range(rounds):
        mean, difference = average @ mean, average @ difference
    curvature = (mean + share * difference)[faces].mean(axis=1)
    smallest, largest = limits_m
    radius: np.ndarray = 1.0 / np.clip(curvature, 1.0 / largest, 1.0 / smallest)
    return radius


def _merged(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mesh with vertices at the same place (to a micrometre) made one."""
    _, first, inverse = np.unique(
        np.round(vertices, 6), axis=0, return_index=True, return_inverse=True
    )
    return vertices[first], inverse.reshape(-1)[faces]


def _vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return unit normals, those of the facets around a vertex weighted after Max (1999)."""
    normals = np.zeros_like(vertices)
    for i in range(3):
        along = vertices[faces[:, (i + 1) % 3]] - vertices[faces[:, i]]
        back = vertices[faces[:, (i + 2) % 3]] - vertices[faces[:, i]]
        weight = np.maximum((along**2).sum(1) * (back**2).sum(1), 1e-30)
        np.add.at(normals, faces[:, i], np.cross(along, back) / weight[:, None])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: np.ndarray = normals / np.maximum(lengths, 1e-30)
    return unit


def _directed_edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return start and end of every edge, in both directions, each once."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _curvatures(
    vertices: np.ndarray, normals: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and half difference of the principal curvatures at every vertex."""
    along = vertices[ends] - vertices[starts]
    square = np.maximum((along**2).sum(1), 1e-12)
    curvature = ((normals[ends] - normals[starts]) * along).sum(1) / square
    helper = np.where(np.abs(normals[:, :1]) < 0.7, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(normals, helper)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-30)
    second = np.cross(normals, first)
    c, s = (along * first[starts]).sum(1), (along * second[starts]).sum(1)
    length = np.maximum(np.hypot(c, s), 1e-9)
    c, s = c / length, s / length
    rows = np.stack([c * c, 2 * c * s, s * s], axis=1)
    matrix = np.zeros((len(vertices), 3, 3))
    right = np.zeros((len(vertices), 3))
    np.add.at(matrix, starts, rows[:, :, None] * rows[:, None, :])
    np.add.at(right, starts, rows * curvature[:, None])
    counts = np.maximum(np.bincount(starts, minlength=len(vertices)), 1)
    prior = np.bincount(starts, curvature, minlength=len(vertices)) / counts
    weak = 1e-3 * counts  # keeps flat fans solvable: pulls to the mean of the edges, no twist
    matrix += weak[:, None, None] * np.eye(3)
    right += (weak * prior)[:, None] * np.array([1.0, 0.0, 1.0])
    e, f, g = np.linalg.solve(matrix, right[:, :, None])[:, :, 0].T
    return (e + g) / 2, np.hypot((e - g) / 2, f)


def _neighbour_average(starts: np.ndarray, ends: np.ndarray, count: int) -> csr_matrix:
    """Return the matrix that averages a value over each vertex and its neighbours."""
    own = np.arange(count)
    rows, columns = np.concatenate([starts, own]), np.concatenate([ends, own])
    ones = np.ones(len(rows))
    weights = ones / np.bincount(rows, minlength=count)[rows]
    return coo_matrix((weights, (rows, columns)), shape=(count, count)).tocsr()
