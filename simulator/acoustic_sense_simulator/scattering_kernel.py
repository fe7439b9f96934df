"""The scattering kernel: every facet's weights into short histograms of delay.

One facet on one path (source image, microphone image) is a box in delay, as wide as the facet's
extent along the change of path; the histogram receives the box's two edges (its derivative), each
shared between two neighbouring samples. Filters and the integration that turns edges back into
boxes are applied to the histograms' spectra by `scattering.time_domain`. The module lies outside
the package `scattering`, whose annotations tests check at run time: compiled code cannot be.

No `fastmath`: with it the last bit of a result came to depend on where arrays happened to lie in
memory, and the same scene did not always give the same bytes. It is no slower without.
"""

from typing import Any

import numpy as np
from numba import njit

SMALLEST_WIDTH = 0.25
"""Narrowest box in samples."""

_FOUR_PI = np.float32(4 * np.pi)
_TILE = 64  # facets whose weights stay in the fastest cache


@njit(cache=True, nogil=True, error_model="numpy")
def _blend(weights: Any, ratios: Any, table: Any) -> None:
    """Fill the table of weights for one ratio a radius, linear between the tabulated ratios."""
    for a in range(table.shape[0]):
        low = min(int(ratios[a]), weights.shape[0] - 2)
        share = np.float32(min(ratios[a] - low, 1.0))
        for u in range(table.shape[1]):
            for j in range(table.shape[2]):
                near, far = weights[low, a, u, j], weights[low + 1, a, u, j]
                table[a, u, j] = near + share * (far - near)


@njit(cache=True, nogil=True, error_model="numpy")
def _source_legs(
    points: Any,
    normals: Any,
    radii: Any,
    places: Any,
    sources: Any,
    s: int,
    first: int,
    count: int,
    table: Any,
    creeping: Any,
    legs: Any,
    mixed: Any,
) -> None:
    """Fill the way from a source image to a tile of facets, and the facets' filter weights.

    Rows of `legs`: direction x, y, z from source to facet, distance, distance with creeping path.
    """
    one = np.float32(1.0)
    radius_count, cosine_count = table.shape[0], table.shape[1]
    scale = np.float32(0.5 * (cosine_count - 1))
    ox, oy, oz = sources[s, 0], sources[s, 1], sources[s, 2]
    for i in range(count):
        f = first + i
        x, y, z = points[0, f] - ox, points[1, f] - oy, points[2, f] - oz
        distance = np.sqrt(x * x + y * y + z * z)
        radius = radii[f]
        cx, cy, cz = (
            x - radius * normals[0, f],
            y - radius * normals[1, f],
            z - radius * normals[2, f],
        )
        cosine = cx * normals[0, f] + cy * normals[1, f] + cz * normals[2, f]
        cosine = -cosine / np.sqrt(cx * cx + cy * cy + cz * cz)
        inverse = one / distance
        legs[0, i], legs[1, i], legs[2, i] = x * inverse, y * inverse, z * inverse
        legs[3, i] = distance
        legs[4, i] = (min(max(cosine, -one), one) + one) * scale
    for i in range(count):
        f = first + i
        u, a = legs[4, i], places[f]
        u_low, a_low = min(int(u), cosine_count - 2), min(int(a), radius_count - 2)
        u_share, a_share = np.float32(u - u_low), np.float32(a - a_low)
        w00, w01 = (one - a_share) * (one - u_share), (one - a_share) * u_share
        w10, w11 = a_share * (one - u_share), a_share * u_share
        for j in range(table.shape[2]):
            near = w00 * table[a_low, u_low, j] + w01 * table[a_low, u_low + 1, j]
            far = w10 * table[a_low + 1, u_low, j] + w11 * table[a_low + 1, u_low + 1, j]
            mixed[i, j] = near + far
        extra = creeping[u_low] * (one - u_share) + creeping[u_low + 1] * u_share
        legs[4, i] = legs[3, i] + radii[f] * extra


@njit(cache=True, nogil=True, error_model="numpy")
def _paths(
    points: Any,
    normals: Any,
    areas: Any,
    spreads: Any,
    microphones: Any,
    axes: Any,
    m: int,
    first: int,
    count: int,
    reflection: Any,
    beta: Any,
    samples_per_metre: Any,
    first_sample: Any,
    legs: Any,
    paths: Any,
) -> None:
    """Fill the paths from a source image over a tile of facets to a microphone image.

    Rows of `paths`: start and stop of the box in samples, weight of C, weight of D, gains of
    X, Y, Z.
    """
    one, half = np.float32(1.0), np.float32(0.5)
    ox, oy, oz = microphones[m, 0], microphones[m, 1], microphones[m, 2]
    fx, fy, fz = axes[m, 0, 0], axes[m, 0, 1], axes[m, 0, 2]
    lx, ly, lz = axes[m, 1, 0], axes[m, 1, 1], axes[m, 1, 2]
    tx, ty, tz = axes[m, 2, 0], axes[m, 2, 1], axes[m, 2, 2]
    strength = reflection / _FOUR_PI
    for i in range(count):
        f = first + i
        x, y, z = points[0, f] - ox, points[1, f] - oy, points[2, f] - oz
        square = x * x + y * y + z * z
        inverse = one / np.sqrt(square)
        x, y, z = x * inverse, y * inverse, z * inverse
        facing = x * normals[0, f] + y * normals[1, f] + z * normals[2, f]
        paths[4, i] = x * fx + y * fy + z * fz
        paths[5, i] = x * lx + y * ly + z * lz
        paths[6, i] = x * tx + y * ty + z * tz
        x, y, z = x + legs[0, i], y + legs[1, i], z + legs[2, i]
        extent = spreads[0, f] * x * x + spreads[1, f] * y * y + spreads[2, f] * z * z
        extent += spreads[3, f] * x * y + spreads[4, f] * x * z + spreads[5, f] * y * z
        extent = np.sqrt(max(extent, np.float32(0.0))) * samples_per_metre
        extent = max(extent, np.float32(SMALLEST_WIDTH))
        middle = (legs[4, i] + square * inverse) * samples_per_metre - first_sample
        paths[0, i], paths[1, i] = middle - half * extent, middle + half * extent
        amplitude = strength * areas[f] * inverse / (legs[3, i] * extent)
        paths[2, i] = amplitude * (facing + beta)
        paths[3, i] = -amplitude * facing * inverse


@njit(cache=True, nogil=True, error_model="numpy")
def _scatter(
    histograms: Any, group: int, count: int, width: int, paths: Any, mixed: Any, encoding: Any
) -> None:
    """Add the edges of a tile's boxes to a histogram."""
    one = np.float32(1.0)
    rank, rows = width // 4, histograms.shape[1]
    value = np.empty(width, np.float32)
    for i in range(count):  # apart from the next loop: a wide load right after narrow stores waits
        for c in range(3):
            gain = paths[4 + c, i]
            for j in range(rank):
                encoding[i, (c + 1) * rank + j] = gain
    for i in range(count):
        start, stop = paths[0, i], paths[1, i]
        if start < 0 or stop >= rows - 2:
            continue
        along, steady = paths[2, i], paths[3, i]
        for j in range(width):
            value[j] = encoding[i, j] * (along * mixed[i, j] + steady * mixed[i, width + j])
        b, e = int(start), int(stop)
        after = np.float32(start - b)
        before = one - after
        for j in range(width):
            histograms[group, b, j] += before * value[j]
            histograms[group, b + 1, j] += after * value[j]
        after = np.float32(stop - e)
        before = one - after
        for j in range(width):
            histograms[group, e, j] -= before * value[j]
            histograms[group, e + 1, j] -= after * value[j]


@njit(cache=True, nogil=True, error_model="numpy")
def accumulate(
    points: Any,
    normals: Any,
    areas: Any,
    spreads: Any,
    radii: Any,
    places: Any,
    sources: Any,
    microphones: Any,
    axes: Any,
    groups: Any,
    gains: Any,
    ratios: Any,
    weights: Any,
    creeping: Any,
    beta: Any,
    samples_per_metre: Any,
    first_sample: Any,
    histograms: Any,
) -> None:
    """Add one body pose for one loudspeaker; all arrays float32 unless said.

    Args:
        points: Facet centres `(3, facet)`, metres.
        normals: Outward normals `(3, facet)`.
        areas: Facet areas `(facet,)`.
        spreads: Second moments `(6, facet)`, see `surface.Surface`.
        radii: Local radii `(facet,)`.
        places: The radii as positions in the table `(facet,)`.
        sources: Images of the loudspeaker `(source, 3)`.
        microphones: Images of the microphone `(microphone, 3)`.
        axes: Front, left and up of each mirrored microphone `(microphone, 3, 3)`.
        groups: Histogram of each path `(source, microphone)`, int64; -1 leaves it out.
        gains: Wall reflection of each path `(source, microphone)`.
        ratios: Position in the table of each radius over the distance of each source
            `(source, radius)`.
        weights: `SeparableFilters.weights`, C and D each repeated for the four channels.
        creeping: `SeparableFilters.creeping`.
        beta: Specific admittance of the surface.
        samples_per_metre: Sample rate over speed of sound.
        first_sample: Delay of the first histogram row, samples.
        histograms: `(group, sample, 4 * rank)`, added to; W's weights, then X's, Y's, Z's.
    """
    width = histograms.shape[2]
    table = np.empty(weights.shape[1:], np.float32)
    mixed = np.empty((_TILE, 2 * width), np.float32)
    legs = np.empty((5, _TILE), np.float32)
    paths = np.empty((7, _TILE), np.float32)
    encoding = np.ones((_TILE, width), np.float32)
    for s in range(sources.shape[0]):
        _blend(weights, ratios[s], table)
        for first in range(0, points.shape[1], _TILE):
            count = min(_TILE, points.shape[1] - first)
            _source_legs(
                points, normals, radii, places, sources, s, first, count,
                table, creeping, legs, mixed,
            )  # fmt: skip
            for m in range(microphones.shape[0]):
                group = groups[s, m]
                if group < 0:
                    continue
                _paths(
                    points, normals, areas, spreads, microphones, axes, m, first, count,
                    gains[s, m], beta, samples_per_metre, first_sample, legs, paths,
                )  # fmt: skip
                _scatter(histograms, group, count, width, paths, mixed, encoding)


@njit(cache=True, nogil=True, error_model="numpy")
def measure(vertices: Any, faces: Any, points: Any, normals: Any, areas: Any, spreads: Any) -> None:
    """Fill centres, normals, areas and second moments of all facets, see `surface.Surface`.

    Args:
        vertices: Float32 `(vertex, 3)`, metres.
        faces: Int64 `(facet, 3)`, turning outwards.
        points: Filled, `(facet, 3)`.
        normals: Filled, `(facet, 3)`.
        areas: Filled, `(facet,)`.
        spreads: Filled, `(facet, 6)`.
    """
    third, half = np.float32(1 / 3), np.float32(0.5)
    corner = np.empty((3, 3), np.float32)
    for f in range(faces.shape[0]):
        for i in range(3):
            total = np.float32(0.0)
            for c in range(3):
                corner[c, i] = vertices[faces[f, c], i]
                total += corner[c, i]
            points[f, i] = total * third
            for c in range(3):
                corner[c, i] -= points[f, i]
        ax, bx = corner[1, 0] - corner[0, 0], corner[2, 0] - corner[0, 0]
        ay, by = corner[1, 1] - corner[0, 1], corner[2, 1] - corner[0, 1]
        az, bz = corner[1, 2] - corner[0, 2], corner[2, 2] - corner[0, 2]
        x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        length = np.sqrt(x * x + y * y + z * z)
        inverse = np.float32(1.0) / max(length, np.float32(1e-20))
        normals[f, 0], normals[f, 1], normals[f, 2] = x * inverse, y * inverse, z * inverse
        areas[f] = half * length
        for i in range(6):
            spreads[f, i] = 0.0
        for c in range(3):
            x, y, z = corner[c, 0], corner[c, 1], corner[c, 2]
            spreads[f, 0] += x * x
            spreads[f, 1] += y * y
            spreads[f, 2] += z * z
            spreads[f, 3] += 2 * x * y
            spreads[f, 4] += 2 * x * z
            spreads[f, 5] += 2 * y * z
