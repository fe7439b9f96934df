"""Cells of facets in one pose, in the layout of the sum, and their ways to the microphone."""

from typing import Any

import numpy as np
from numba import njit

FACET_ROWS = 13
"""Rows of the packed facets: centre x y z, normal x y z, area, second moments xx yy zz xy xz yz."""

WAY_ROWS = 6
"""Rows of a way: unit vector x y z from image to facet, distance, one over it, facing cosine."""


@njit(cache=True, nogil=True, error_model="numpy")
def measure(vertices: Any, faces: Any, packed: Any) -> None:
    """Fill the packed facets of a pose, see `surface.Surface` for what the rows mean.

    Args:
        vertices: Float32 `(vertex, 3)`, metres.
        faces: Int64 `(facet, 3)`, turning outwards; a repeated corner makes one without area.
        packed: Filled, float32 `(FACET_ROWS, facet)`.
    """
    third, half, two = np.float32(1 / 3), np.float32(0.5), np.float32(2.0)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        bx, by, bz = vertices[b, 0], vertices[b, 1], vertices[b, 2]
        cx, cy, cz = vertices[c, 0], vertices[c, 1], vertices[c, 2]
        px, py, pz = (ax + bx + cx) * third, (ay + by + cy) * third, (az + bz + cz) * third
        packed[0, f], packed[1, f], packed[2, f] = px, py, pz
        ax, bx, cx = ax - px, bx - px, cx - px
        ay, by, cy = ay - py, by - py, cy - py
        az, bz, cz = az - pz, bz - pz, cz - pz
        ux, uy, uz = bx - ax, by - ay, bz - az
        vx, vy, vz = cx - ax, cy - ay, cz - az
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        length = np.sqrt(x * x + y * y + z * z)
        inverse = np.float32(1.0) / max(length, np.float32(1e-20))
        packed[3, f], packed[4, f], packed[5, f] = x * inverse, y * inverse, z * inverse
        packed[6, f] = half * length
        packed[7, f] = ax * ax + bx * bx + cx * cx
        packed[8, f] = ay * ay + by * by + cy * cy
        packed[9, f] = az * az + bz * bz + cz * cz
        packed[10, f] = two * (ax * ay + bx * by + cx * cy)
        packed[11, f] = two * (ax * az + bx * bz + cx * cz)
        packed[12, f] = two * (ay * az + by * bz + cy * cz)


@njit(cache=True, nogil=True, error_model="numpy")
def join(facets: Any, cells: Any, packed: Any) -> None:
    """Fill packed cells of several facets from packed facets.

    A cell has its facets' common centre, the direction and length of their area vector, and their
    second moments about the common centre.

    Args:
        facets: Packed facets, float32 `(FACET_ROWS, facet)`.
        cells: Numbers of the facets of each cell, int64 `(cell, member)`, -1 for none; a cell of
            none has no area and lies where the one before it does.
        packed: Filled, float32 `(FACET_ROWS, cell)`.
    """
    one, tiny, twelve = np.float32(1.0), np.float32(1e-20), np.float32(12.0)
    sums = np.empty(FACET_ROWS, np.float32)
    for cell in range(cells.shape[0]):
        first = cells[cell, 0]
        if first < 0:
            for row in range(FACET_ROWS):
                packed[row, cell] = packed[row, cell - 1]
            packed[6, cell] = np.float32(0.0)
            continue
        sums[:] = np.float32(0.0)
        for member in range(cells.shape[1]):
            f = cells[cell, member]
            if f < 0:
                break
            area = facets[6, f]
            x, y, z = (
                facets[0, f] - facets[0, first],
                facets[1, f] - facets[1, first],
                facets[2, f] - facets[2, first],
            )
            sums[0], sums[1], sums[2] = sums[0] + area * x, sums[1] + area * y, sums[2] + area * z
            for row in range(3, 6):
                sums[row] += area * facets[row, f]
            sums[6] += area
            sums[7] += area * (facets[7, f] + twelve * x * x)
            sums[8] += area * (facets[8, f] + twelve * y * y)
            sums[9] += area * (facets[9, f] + twelve * z * z)
            sums[10] += area * (facets[10, f] + 2 * twelve * x * y)
            sums[11] += area * (facets[11, f] + 2 * twelve * x * z)
            sums[12] += area * (facets[12, f] + 2 * twelve * y * z)
        inverse = one / max(sums[6], tiny)
        x, y, z = sums[0] * inverse, sums[1] * inverse, sums[2] * inverse
        packed[0, cell], packed[1, cell] = facets[0, first] + x, facets[1, first] + y
        packed[2, cell] = facets[2, first] + z
        length = np.sqrt(sums[3] * sums[3] + sums[4] * sums[4] + sums[5] * sums[5])
        for row in range(3, 6):
            packed[row, cell] = sums[row] / max(length, tiny)
        packed[6, cell] = length
        packed[7, cell] = sums[7] * inverse - twelve * x * x
        packed[8, cell] = sums[8] * inverse - twelve * y * y
        packed[9, cell] = sums[9] * inverse - twelve * z * z
        packed[10, cell] = sums[10] * inverse - 2 * twelve * x * y
        packed[11, cell] = sums[11] * inverse - 2 * twelve * x * z
        packed[12, cell] = sums[12] * inverse - 2 * twelve * y * z


@njit(cache=True, nogil=True, error_model="numpy")
def ways_to_microphones(
    packed: Any, microphones: Any, axes: Any, ways: Any, directions: Any
) -> None:
    """Fill the ways from every image of the microphone to every facet.

    Args:
        packed: The facets.
        microphones: Images of the microphone, float32 `(microphone, 3)`.
        axes: Front, left and up of each image, float32 `(microphone, 3, 3)`.
        ways: Filled, float32 `(microphone, WAY_ROWS, facet)`.
        directions: Filled: mean direction of each patch in the microphone's axes, float32
            `(microphone, patch, 3)`.
    """
    one = np.float32(1.0)
    facet_count = packed.shape[1]
    for m in range(microphones.shape[0]):
        ox, oy, oz = microphones[m, 0], microphones[m, 1], microphones[m, 2]
        for f in range(facet_count):
            x, y, z = packed[0, f] - ox, packed[1, f] - oy, packed[2, f] - oz
            square = x * x + y * y + z * z
            inverse = one / np.sqrt(square)
            x, y, z = x * inverse, y * inverse, z * inverse
            ways[m, 0, f], ways[m, 1, f], ways[m, 2, f] = x, y, z
            ways[m, 3, f], ways[m, 4, f] = square * inverse, inverse
            ways[m, 5, f] = x * packed[3, f] + y * packed[4, f] + z * packed[5, f]
        size = facet_count // directions.shape[1]
        for p in range(directions.shape[1]):
            x = y = z = np.float32(0.0)
            for f in range(p * size, (p + 1) * size):
                x, y, z = x + ways[m, 0, f], y + ways[m, 1, f], z + ways[m, 2, f]
            for i in range(3):
                along = axes[m, i, 0] * x + axes[m, i, 1] * y + axes[m, i, 2] * z
                directions[m, p, i] = along / np.float32(size)
