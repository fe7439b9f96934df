"""The scattering kernel: every facet's weights into short histograms of delay.

One facet on one path (source image, microphone image) is a box in delay, as wide as the facet's
extent along the change of path; the histogram receives the box's two edges (its derivative), each
shared between two neighbouring samples. Filters and the integration that turns edges back into
boxes are applied to the histograms' spectra by `scattering.time_domain`. The module lies outside
the package `scattering`, whose annotations tests check at run time: compiled code cannot be.
"""

from typing import Any

import numpy as np
from numba import njit

SMALLEST_WIDTH = 0.25
"""Narrowest box in samples."""

_FOUR_PI = np.float32(4 * np.pi)


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _blend(weights: Any, ratios: Any, table: Any) -> None:
    """Fill the table of weights for one ratio a radius, linear between the tabulated ratios."""
    for a in range(table.shape[0]):
        low = min(int(ratios[a]), weights.shape[0] - 2)
        share = np.float32(min(ratios[a] - low, 1.0))
        for u in range(table.shape[1]):
            for j in range(table.shape[2]):
                near, far = weights[low, a, u, j], weights[low + 1, a, u, j]
                table[a, u, j] = near + share * (far - near)


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
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
        points: Facet centres `(facet, 3)`, metres.
        normals: Outward normals `(facet, 3)`.
        areas: Facet areas `(facet,)`.
        spreads: Second moments `(facet, 6)`, see `surface.Surface`.
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
    rank = width // 4
    radius_count, cosine_count = weights.shape[1], weights.shape[2]
    rows = histograms.shape[1]
    table = np.empty(weights.shape[1:], np.float32)
    mixed = np.empty(2 * width, np.float32)
    value = np.empty(width, np.float32)
    encoding = np.ones(width, np.float32)
    one, half = np.float32(1.0), np.float32(0.5)
    middle_of_cosines = np.float32(0.5 * (cosine_count - 1))
    for s in range(sources.shape[0]):
        _blend(weights, ratios[s], table)
        for f in range(points.shape[0]):
            area = areas[f]
            if area <= 1e-12:
                continue
            px, py, pz = points[f, 0], points[f, 1], points[f, 2]
            nx, ny, nz = normals[f, 0], normals[f, 1], normals[f, 2]
            radius = radii[f]
            sx, sy, sz = px - sources[s, 0], py - sources[s, 1], pz - sources[s, 2]
            to_source = np.sqrt(sx * sx + sy * sy + sz * sz)
            cx, cy, cz = sx - radius * nx, sy - radius * ny, sz - radius * nz
            cosine = -(cx * nx + cy * ny + cz * nz) / np.sqrt(cx * cx + cy * cy + cz * cz)
            u = (min(max(cosine, -one), one) + one) * middle_of_cosines
            u_low = min(int(u), cosine_count - 2)
            u_share = np.float32(u - u_low)
            a_low = min(int(places[f]), radius_count - 2)
            a_share = np.float32(places[f] - a_low)
            w00, w01 = (one - a_share) * (one - u_share), (one - a_share) * u_share
            w10, w11 = a_share * (one - u_share), a_share * u_share
            for j in range(2 * width):
                near = w00 * table[a_low, u_low, j] + w01 * table[a_low, u_low + 1, j]
                far = w10 * table[a_low + 1, u_low, j] + w11 * table[a_low + 1, u_low + 1, j]
                mixed[j] = near + far
            extra = radius * (creeping[u_low] * (one - u_share) + creeping[u_low + 1] * u_share)
            sx, sy, sz = sx / to_source, sy / to_source, sz / to_source
            for m in range(microphones.shape[0]):
                group = groups[s, m]
                if group < 0:
                    continue
                x, y, z = px - microphones[m, 0], py - microphones[m, 1], pz - microphones[m, 2]
                inverse = one / np.sqrt(x * x + y * y + z * z)
                x, y, z = x * inverse, y * inverse, z * inverse
                facing = x * nx + y * ny + z * nz
                for i in range(3):
                    gain = x * axes[m, i, 0] + y * axes[m, i, 1] + z * axes[m, i, 2]
                    for j in range((i + 1) * rank, (i + 2) * rank):
                        encoding[j] = gain
                x, y, z = x + sx, y + sy, z + sz
                extent = spreads[f, 0] * x * x + spreads[f, 1] * y * y + spreads[f, 2] * z * z
                extent += spreads[f, 3] * x * y + spreads[f, 4] * x * z + spreads[f, 5] * y * z
                extent = np.sqrt(max(extent, np.float32(0.0))) * samples_per_metre
                extent = max(extent, np.float32(SMALLEST_WIDTH))
                middle = (to_source + one / inverse + extra) * samples_per_metre - first_sample
                start, stop = middle - half * extent, middle + half * extent
                if start < 0 or stop >= rows - 2:
                    continue
                amplitude = gains[s, m] * area * inverse / (_FOUR_PI * to_source * extent)
                along = amplitude * (facing + beta)
                steady = -amplitude * facing * inverse
                for j in range(width):
                    value[j] = encoding[j] * (along * mixed[j] + steady * mixed[width + j])
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


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
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
