"""The scattering kernel: every facet's weights into short histograms of delay.

One facet on one path (source image, microphone image) is a box in delay, as wide as the facet's
extent along the change of path; the histogram receives the box's two edges (its derivative), each
shared between two neighbouring samples. Filters and the integration that turns edges back into
boxes are applied to the histograms' spectra by `time_domain`.
"""

from typing import Any

import numpy as np
from numba import njit

SMALLEST_WIDTH = 0.25
"""Narrowest box in samples."""


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
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
    weights: Any,
    creeping: Any,
    ratio_step: float,
    beta: float,
    samples_per_metre: float,
    first_sample: float,
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
        weights: `SeparableFilters.weights`.
        creeping: `SeparableFilters.creeping`.
        ratio_step: Step of the table in radius over distance.
        beta: Specific admittance of the surface.
        samples_per_metre: Sample rate over speed of sound.
        first_sample: Delay of the first histogram row, samples.
        histograms: `(group, sample, 4 * rank)`, added to; channel by channel.
    """
    rank = weights.shape[3] // 2
    radius_count, cosine_count, ratio_count = weights.shape[1], weights.shape[2], weights.shape[0]
    rows = histograms.shape[1]
    microphone_count = microphones.shape[0]
    mixed = np.empty(2 * rank, np.float32)
    value = np.empty(4 * rank, np.float32)
    legs = np.empty((microphone_count, 8), np.float32)
    one = np.float32(1.0)
    for f in range(points.shape[0]):
        area = areas[f]
        if area <= 1e-12:
            continue
        px, py, pz = points[f, 0], points[f, 1], points[f, 2]
        nx, ny, nz = normals[f, 0], normals[f, 1], normals[f, 2]
        radius = radii[f]
        for m in range(microphone_count):
            x, y, z = px - microphones[m, 0], py - microphones[m, 1], pz - microphones[m, 2]
            inverse = one / np.sqrt(x * x + y * y + z * z)
            x, y, z = x * inverse, y * inverse, z * inverse
            legs[m, 0], legs[m, 1], legs[m, 2] = x, y, z
            legs[m, 3] = inverse
            legs[m, 4] = x * nx + y * ny + z * nz
            for i in range(3):
                legs[m, 5 + i] = x * axes[m, i, 0] + y * axes[m, i, 1] + z * axes[m, i, 2]
        a_low = min(int(places[f]), radius_count - 2)
        a_share = np.float32(places[f] - a_low)
        for s in range(sources.shape[0]):
            sx, sy, sz = px - sources[s, 0], py - sources[s, 1], pz - sources[s, 2]
            source_distance = np.sqrt(sx * sx + sy * sy + sz * sz)
            cx, cy, cz = sx - radius * nx, sy - radius * ny, sz - radius * nz
            centre_distance = np.sqrt(cx * cx + cy * cy + cz * cz)
            cosine = -(cx * nx + cy * ny + cz * nz) / centre_distance
            u = (min(max(cosine, -one), one) + one) * np.float32(0.5 * (cosine_count - 1))
            u_low = min(int(u), cosine_count - 2)
            u_share = np.float32(u - u_low)
            q = min(radius / centre_distance / ratio_step, ratio_count - 1.001)
            q_low = int(q)
            q_share = np.float32(q - q_low)
            w00, w01 = (one - a_share) * (one - u_share), (one - a_share) * u_share
            w10, w11 = a_share * (one - u_share), a_share * u_share
            low, high = weights[q_low], weights[q_low + 1]
            for j in range(2 * rank):
                near = w00 * low[a_low, u_low, j] + w01 * low[a_low, u_low + 1, j]
                near += w10 * low[a_low + 1, u_low, j] + w11 * low[a_low + 1, u_low + 1, j]
                far = w00 * high[a_low, u_low, j] + w01 * high[a_low, u_low + 1, j]
                far += w10 * high[a_low + 1, u_low, j] + w11 * high[a_low + 1, u_low + 1, j]
                mixed[j] = near + q_share * (far - near)
            extra = radius * (creeping[u_low] * (one - u_share) + creeping[u_low + 1] * u_share)
            sx, sy, sz = sx / source_distance, sy / source_distance, sz / source_distance
            for m in range(microphone_count):
                group = groups[s, m]
                if group < 0:
                    continue
                x, y, z = legs[m, 0] + sx, legs[m, 1] + sy, legs[m, 2] + sz
                width = spreads[f, 0] * x * x + spreads[f, 1] * y * y + spreads[f, 2] * z * z
                width += spreads[f, 3] * x * y + spreads[f, 4] * x * z + spreads[f, 5] * y * z
                width = np.sqrt(max(width, np.float32(0.0))) * samples_per_metre
                width = max(width, np.float32(SMALLEST_WIDTH))
                inverse, facing = legs[m, 3], legs[m, 4]
                path = source_distance + one / inverse + extra
                middle = np.float32(path * samples_per_metre - first_sample)
                start = middle - np.float32(0.5) * width
                stop = middle + np.float32(0.5) * width
                if start < 0 or stop >= rows - 2:
                    continue
                amplitude = np.float32(
                    gains[s, m] * area * inverse / (np.float32(12.566371) * source_distance * width)
                )
                along = amplitude * (facing + beta)
                steady = -amplitude * facing * inverse
                for j in range(rank):
                    value[j] = along * mixed[j] + steady * mixed[rank + j]
                for i in range(3):
                    gain = legs[m, 5 + i]
                    for j in range(rank):
                        value[(i + 1) * rank + j] = gain * value[j]
                b = int(start)
                share = np.float32(start - b)
                e = int(stop)
                end_share = np.float32(stop - e)
                opening, opening_next = histograms[group, b], histograms[group, b + 1]
                for j in range(4 * rank):
                    opening[j] += (one - share) * value[j]
                    opening_next[j] += share * value[j]
                closing, closing_next = histograms[group, e], histograms[group, e + 1]
                for j in range(4 * rank):
                    closing[j] -= (one - end_share) * value[j]
                    closing_next[j] -= end_share * value[j]
