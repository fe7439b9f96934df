"""How often a closed surface winds round points: whether limbs are inside other parts."""

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def wind(points: Any, triangles: Any, result: Any) -> None:
    """Fill the winding number of each point.

    Args:
        points: Float64 `(point, 3)`.
        triangles: Float64 `(facet, 3, 3)`, corners counter-clockwise seen from outside.
        result: Filled, float64 `(point,)`.

    References:
        Van Oosterom and Strackee, "The solid angle of a plane triangle", IEEE Trans. Biomed. Eng.
        30 (1983), equation 8.
    """
    for p in range(points.shape[0]):
        x, y, z = points[p, 0], points[p, 1], points[p, 2]
        total = 0.0
        for f in range(triangles.shape[0]):
            ax, ay, az = triangles[f, 0, 0] - x, triangles[f, 0, 1] - y, triangles[f, 0, 2] - z
            bx, by, bz = triangles[f, 1, 0] - x, triangles[f, 1, 1] - y, triangles[f, 1, 2] - z
            cx, cy, cz = triangles[f, 2, 0] - x, triangles[f, 2, 1] - y, triangles[f, 2, 2] - z
            a = np.sqrt(ax * ax + ay * ay + az * az)
            b = np.sqrt(bx * bx + by * by + bz * bz)
            c = np.sqrt(cx * cx + cy * cy + cz * cz)
            top = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
            bottom = (
                a * b * c
                + (ax * bx + ay * by + az * bz) * c
                + (bx * cx + by * cy + bz * cz) * a
                + (cx * ax + cy * ay + cz * az) * b
            )
            total += np.arctan2(top, bottom)
        result[p] = total / (2 * np.pi)
