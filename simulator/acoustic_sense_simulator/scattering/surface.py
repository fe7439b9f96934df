"""Surface of a body: facets with centres, outward normals, areas and extents."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from acoustic_sense.errors import SimulationError


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed triangle mesh as the scattering sums need it.

    Attributes:
        points: Centres of the facets in metres, shape `(facet, 3)`.
        normals: Unit normals out of the body, shape `(facet, 3)`.
        areas: Areas in square metres, shape `(facet,)`.
        spreads: Second moments `sum_i e_i e_i^T` of the corners `e_i` about the centre, square
            metres, shape `(facet, 6)` in the order xx, yy, zz, 2 xy, 2 xz, 2 yz. A phase that
            grows along `q` spreads over a width of `sqrt(q^T M q)`.
    """

    points: Float[np.ndarray, "facet 3"]
    normals: Float[np.ndarray, "facet 3"]
    areas: Float[np.ndarray, " facet"]
    spreads: Float[np.ndarray, "facet 6"]


def surface_of(
    vertices_m: Float[np.ndarray, "vertex 3"], faces: Int[np.ndarray, "facet 3"]
) -> Surface:
    """Return the facets of a mesh; facets without area stay, with no weight.

    Args:
        vertices_m: Vertices in metres.
        faces: Vertex indices, counter-clockwise seen from outside.
    """
    corners = vertices_m[faces]
    points = corners.mean(axis=1)
    crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(crossed, axis=1)
    normals = crossed / np.maximum(lengths, 1e-20)[:, None]
    e = corners - points[:, None]
    products = np.einsum("fij,fik->fjk", e, e)
    spreads = np.stack(
        [
            products[:, 0, 0],
            products[:, 1, 1],
            products[:, 2, 2],
            2 * products[:, 0, 1],
            2 * products[:, 0, 2],
            2 * products[:, 1, 2],
        ],
        axis=1,
    )
    return Surface(points, normals, lengths / 2, spreads)


def checked_mesh(
    vertices_m: Float[np.ndarray, "vertex 3"], faces: Int[np.ndarray, "facet 3"]
) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices as float64 and faces as int64 that turn outwards.

    Raises:
        SimulationError: Wrong shapes, indices out of range, values that are not finite, or a mesh
            without volume.
    """
    vertices = np.asarray(vertices_m, dtype=np.float64)
    triangles = np.asarray(faces)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or triangles.shape[1:] != (3,):
        raise SimulationError(
            f"a mesh has vertices (vertex, 3) and faces (facet, 3), not {vertices.shape} and "
            f"{triangles.shape}"
        )
    if not len(triangles) or not np.issubdtype(triangles.dtype, np.integer):
        raise SimulationError("the faces of a mesh are rows of three integers; give at least one")
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise SimulationError(
            f"the faces refer to vertices outside 0..{len(vertices) - 1}; mend the mesh"
        )
    if not np.isfinite(vertices).all():
        raise SimulationError("the mesh holds vertices that are not finite; mend the mesh")
    triangles = triangles.astype(np.int64)
    a, b, c = (vertices[triangles[:, i]] - vertices.mean(axis=0) for i in range(3))
    volume = float(np.einsum("fi,fi->", a, np.cross(b, c))) / 6
    if abs(volume) < 1e-9:
        raise SimulationError("the mesh encloses no volume; give a closed surface in metres")
    return vertices, triangles if volume > 0 else triangles[:, ::-1].copy()
