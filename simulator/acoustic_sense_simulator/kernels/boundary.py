"""Kernels of the boundary integral equation: rows of influence, exact near integrals.

With `G = exp(i k r) / (4 pi r)`, `n` the normal of the facet and `beta` its admittance, one entry
is a facet's integral of `dG/dn + i k beta G`: at its node where it is far, as the exact static
integral plus the smooth rest by a rule of three points where it is near. Where the pressure varies
over the facet those points are its nodes, and what the rule misses of the static integral goes to
them as the pressure at the nearest point does.

References:
    Van Oosterom, Strackee: The solid angle of a plane triangle, IEEE Trans. Biomed. Eng. 1983.
    Wilton et al.: Potential integrals for uniform source distributions on polygonal domains,
    IEEE Trans. Antennas Propagat. 1984, equation 5.
"""

from typing import Any

import numpy as np
from numba import njit

_QUARTER_TURNS = np.float32(1 / np.pi)
_AT_NODE_M = 1e-6  # nearer than this, a place is the node itself
_HALF = np.float32(0.5)
_ONE = np.float32(1.0)
_TWO = np.float32(2.0)
_PI_HIGH = np.float32(3.140625)  # exact in few bits, so that multiples are exact
_PI_LOW = np.float32(np.pi - 3.140625)
_S3, _S5, _S7, _S9, _S11 = (
    np.float32(s) for s in (-1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800)
)
_C4, _C6, _C8, _C10, _C12 = (
    np.float32(c) for c in (1 / 24, -1 / 720, 1 / 40320, -1 / 3628800, 1 / 479001600)
)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_rows(places: Any, points: Any, vectors: Any, k: Any, beta: Any, re: Any, im: Any) -> None:
    """Fill the influence of every node on every place, in single precision.

    Args:
        places: Float32, `(place, 3)`, metres.
        points: Float32, `(3, node)`.
        vectors: Float32, `(4, node)`: normal times area over 4 pi, then area over 4 pi.
        k: Wavenumber, float32.
        beta: Specific admittance, float32.
        re: Float32 result, `(place, node)`, real part.
        im: The imaginary part.
    """
    for i in range(len(places)):
        x, y, z = places[i, 0], places[i, 1], places[i, 2]
        for j in range(points.shape[1]):
            dx, dy, dz = points[0, j] - x, points[1, j] - y, points[2, j] - z
            inverse = _ONE / np.sqrt(dx * dx + dy * dy + dz * dz + np.float32(1e-12))
            r = (dx * dx + dy * dy + dz * dz) * inverse
            turns = np.floor(k * r * _QUARTER_TURNS + _HALF)
            t = (k * r - turns * _PI_HIGH) - turns * _PI_LOW
            u = t * t
            sign = _ONE - _TWO * (turns - _TWO * np.floor(turns * _HALF))
            odd = _S5 + u * (_S7 + u * (_S9 + u * _S11))
            even = _C4 + u * (_C6 + u * (_C8 + u * (_C10 + u * _C12)))
            sine = sign * (t + t * u * (_S3 + u * odd)) * inverse
            cosine = sign * (_ONE - _HALF * u + u * u * even) * inverse
            slope = (vectors[0, j] * dx + vectors[1, j] * dy + vectors[2, j] * dz) * inverse
            across = k * (slope + beta * vectors[3, j])
            along = -slope * inverse
            re[i, j] = along * cosine - across * sine
            im[i, j] = along * sine + across * cosine


@njit(cache=True, nogil=True, error_model="numpy")
def count_near(places: Any, points: Any, reach: Any, counts: Any) -> None:
    """Count the facets whose centre lies within their own reach of each place."""
    for i in range(len(places)):
        x, y, z = places[i, 0], places[i, 1], places[i, 2]
        found = np.int64(0)
        for j in range(points.shape[1]):
            dx, dy, dz = points[0, j] - x, points[1, j] - y, points[2, j] - z
            found += np.int64(dx * dx + dy * dy + dz * dz < reach[j])
        counts[i] = found


@njit(cache=True, nogil=True, error_model="numpy")
def list_near(places: Any, points: Any, reach: Any, starts: Any, columns: Any) -> None:
    """List the facets that `count_near` counted, place by place."""
    for i in range(len(places)):
        x, y, z = places[i, 0], places[i, 1], places[i, 2]
        place = starts[i]
        for j in range(points.shape[1]):
            dx, dy, dz = points[0, j] - x, points[1, j] - y, points[2, j] - z
            if dx * dx + dy * dy + dz * dz < reach[j]:
                columns[place] = j
                place += 1


@njit(cache=True, nogil=True, error_model="numpy")
def near_static(
    places: Any, corners: Any, areas: Any, normals: Any, starts: Any, columns: Any, layers: Any
) -> None:
    """Fill the exact integrals of `d(1 / 4 pi r)/dn` and `1 / (4 pi r)` over near facets.

    Args:
        places: Float64, `(place, 3)`.
        corners: Float64, `(facet, 3, 3)`.
        areas: Float64, `(facet,)`.
        normals: Float64, `(facet, 3)`, of unit length.
        starts: First entry of each place in `columns`, and the end.
        columns: The near facets.
        layers: Float64 result, `(2, entry)`.
    """
    v, lengths = np.empty((3, 3)), np.empty(3)
    for i in range(len(places)):
        for entry in range(starts[i], starts[i + 1]):
            j = columns[entry]
            for a in range(3):
                for axis in range(3):
                    v[a, axis] = corners[j, a, axis] - places[i, axis]
                lengths[a] = np.sqrt(_dot(v, a, a))
            nx, ny, nz = normals[j, 0], normals[j, 1], normals[j, 2]
            height = v[0, 0] * nx + v[0, 1] * ny + v[0, 2] * nz
            below = lengths[0] * lengths[1] * lengths[2]
            for a in range(3):
                below += _dot(v, a, (a + 1) % 3) * lengths[(a + 2) % 3]
            angle = 0.0  # in the facet's own plane: the principal value
            if abs(height) > 1e-9:
                angle = 2 * np.arctan2(2 * areas[j] * height, below)
            potential = -height * angle
            for a in range(3):
                potential += _edge_potential(v, lengths, a, nx, ny, nz)
            layers[0, entry] = -angle / (4 * np.pi)
            layers[1, entry] = potential / (4 * np.pi)


@njit(cache=True, nogil=True, error_model="numpy")
def _dot(v: Any, a: Any, b: Any) -> Any:
    return v[a, 0] * v[b, 0] + v[a, 1] * v[b, 1] + v[a, 2] * v[b, 2]


@njit(cache=True, nogil=True, error_model="numpy")
def _edge_potential(v: Any, lengths: Any, a: Any, nx: Any, ny: Any, nz: Any) -> Any:
    """Return an edge's share of the potential: its distance in the plane times a logarithm."""
    b = (a + 1) % 3
    x, y, z = v[b, 0] - v[a, 0], v[b, 1] - v[a, 1], v[b, 2] - v[a, 2]
    length = np.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length
    distance = v[a, 0] * (y * nz - z * ny) + v[a, 1] * (z * nx - x * nz)
    distance += v[a, 2] * (x * ny - y * nx)
    if abs(distance) < 1e-9:
        return 0.0
    low = v[a, 0] * x + v[a, 1] * y + v[a, 2] * z
    high = v[b, 0] * x + v[b, 1] * y + v[b, 2] * z
    if low + high > 0:
        return distance * np.log((lengths[b] + high) / (lengths[a] + low))
    return distance * np.log((lengths[a] - low) / (lengths[b] - high))


@njit(cache=True, nogil=True, error_model="numpy")
def mend_near(
    first: int,
    places: Any,
    corners: Any,
    areas: Any,
    normals: Any,
    starts: Any,
    columns: Any,
    layers: Any,
    k: float,
    beta: float,
    re: Any,
    im: Any,
) -> None:
    """Write the near entries of the rows that begin with place number `first`.

    There are as many columns as facets, or three times as many.
    """
    linear = re.shape[1] > len(areas)
    parts, shares = np.empty((4, 3)), np.empty(3)
    for row in range(len(re)):
        place = places[first + row]
        for entry in range(starts[first + row], starts[first + row + 1]):
            j = columns[entry]
            _points_of_facet(place, corners[j], normals[j], areas[j], k, parts)
            double, single = layers[0, entry], layers[1, entry]
            if linear:
                missed = _missed(place, corners[j], normals[j], areas[j], double, single, parts)
                _nearest_shares(place, corners[j], shares)
                for q in range(3):
                    n = 3 * j + q
                    double_re = parts[0, q] + shares[q] * missed[0]
                    single_re = parts[2, q] + shares[q] * missed[1]
                    re[row, n] = double_re - k * beta * parts[3, q]
                    im[row, n] = parts[1, q] + k * beta * single_re
            else:
                re[row, j] = double + parts[0].sum() - k * beta * parts[3].sum()
                im[row, j] = parts[1].sum() + k * beta * (single + parts[2].sum())


@njit(cache=True, nogil=True, error_model="numpy")
def _points_of_facet(place: Any, corners: Any, normal: Any, area: Any, k: Any, parts: Any) -> None:
    """Fill double (re, im) and single layer (re, im) at three points, less the static ones."""
    share = area / (12 * np.pi)
    for q in range(3):
        slope, r = _towards(place, corners, normal, q)
        cosine, sine = np.cos(k * r), np.sin(k * r)
        parts[0, q] = share * slope * (-k * sine + (1 - cosine) / r) / r
        parts[1, q] = share * slope * (k * cosine - sine / r) / r
        parts[2, q] = share * (cosine - 1) / r
        parts[3, q] = share * sine / r


@njit(cache=True, nogil=True, error_model="numpy")
def _missed(
    place: Any, corners: Any, normal: Any, area: Any, double: Any, single: Any, parts: Any
) -> Any:
    """Add the static layers at three points, and return what they miss of the exact integrals."""
    share = area / (12 * np.pi)
    for q in range(3):
        slope, r = _towards(place, corners, normal, q)
        if r > _AT_NODE_M:
            parts[0, q] -= share * slope / r**2
            parts[2, q] += share / r
            double += share * slope / r**2
            single -= share / r
    return double, single


@njit(cache=True, nogil=True, error_model="numpy")
def _towards(place: Any, corners: Any, normal: Any, q: Any) -> Any:
    """Return cosine to the normal and distance from a place to a point of Gauss's rule."""
    square, slope = 0.0, 0.0
    for axis in range(3):
        total = corners[0, axis] + corners[1, axis] + corners[2, axis]
        away = total / 6 + corners[q, axis] / 2 - place[axis]
        square += away * away
        slope += away * normal[axis]
    r = max(np.sqrt(square), 1e-9)
    return slope / r, r


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest_shares(place: Any, corners: Any, shares: Any) -> None:
    """Fill what each node counts, linearly, at the point of a facet that is below a place."""
    aa, ab, bb, a, b = 0.0, 0.0, 0.0, 0.0, 0.0
    for axis in range(3):
        one = corners[1, axis] - corners[0, axis]
        two = corners[2, axis] - corners[0, axis]
        away = place[axis] - corners[0, axis]
        aa, ab, bb = aa + one * one, ab + one * two, bb + two * two
        a, b = a + one * away, b + two * away
    below = aa * bb - ab * ab
    second, third = (bb * a - ab * b) / below, (aa * b - ab * a) / below
    shares[0] = min(max(1 - second - third, 0.0), 1.0)
    shares[1], shares[2] = min(max(second, 0.0), 1.0), min(max(third, 0.0), 1.0)
    total = shares[0] + shares[1] + shares[2]
    for q in range(3):
        shares[q] = 2 * shares[q] / total - 1 / 3
